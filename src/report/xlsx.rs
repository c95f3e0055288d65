//! Excel workbooks: every sheet that has a column for the report text.

use std::borrow::Cow;
use std::io::{Cursor, Read, Seek};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use calamine::{
    DataRef, ExcelDateTime, ExcelDateTimeType, Reader, Sheet, SheetType, Xlsx, XlsxCellReader,
    XlsxError,
};

use super::Fit;
use super::columns::{Field, Layout};
use super::decode::{Content, Head};
use super::problem::{Caution, Fault, Position};
use super::record::{Cell, Sink};

pub(super) fn fits(head: &Head<'_>) -> Fit {
    if head.bytes.starts_with(b"PK\x03\x04") { Fit::Sure } else { Fit::No }
}

pub(super) fn read(content: Content, sink: &mut Sink<'_>) -> ControlFlow<()> {
    let bytes = match content.into_bytes() {
        Ok(bytes) => bytes,
        Err(error) => return sink.bad(None, Fault::Unreadable(error)),
    };
    let mut book: Xlsx<_> = match guarded(|| Xlsx::new(Cursor::new(bytes))) {
        Ok(book) => book,
        Err(error) => return sink.bad(None, Fault::Workbook(error)),
    };
    // Charts and macros are sheets too, but have no cells.
    let is_table = |sheet: &&Sheet| sheet.typ == SheetType::WorkSheet;
    let sheets: Vec<_> =
        book.sheets_metadata().iter().filter(is_table).map(|sheet| sheet.name.clone()).collect();
    let whole = Arc::clone(&sink.file);
    let mut other_sheets = Vec::new();
    for name in &sheets {
        if sheets.len() > 1 {
            sink.file = format!("{whole}, sheet `{name}`").into();
        }
        if let Some((row, fault)) = read_sheet(&mut book, name, sink)? {
            other_sheets.push((Arc::clone(&sink.file), name, row, fault));
        }
    }
    // Workbooks have sheets of other things, so that one without reports is a fault only where
    // no sheet has any.
    for (file, name, row, fault) in other_sheets {
        sink.file = file;
        if sink.is_empty {
            return sink.bad(Some(row), fault);
        }
        sink.warn(None, None, name, Caution::SkippedSheet)?;
    }
    sink.file = whole;
    ControlFlow::Continue(())
}

/// Reads one sheet. Gives back its header's row and what is wrong with it where there is no
/// column for the text.
fn read_sheet<RS: Read + Seek>(
    book: &mut Xlsx<RS>,
    name: &str,
    sink: &mut Sink<'_>,
) -> ControlFlow<(), Option<(Position, Fault)>> {
    let is_1904 = book.has_1904_epoch();
    let cells = match guarded(|| book.worksheet_cells_reader(name)) {
        Ok(cells) => cells,
        Err(error) => return sink.bad(None, Fault::BrokenSheet(error)).map_continue(|()| None),
    };
    let mut rows = Rows { cells, ahead: None, is_done: false };
    let mut table: Option<(Vec<bool>, Layout)> = None;
    let mut position = Position::Row(1);
    loop {
        let row = match guarded(|| rows.next()) {
            Ok(Some((number, row))) => {
                position = Position::Row(u64::from(number) + 1);
                row
            }
            Ok(None) => return ControlFlow::Continue(None),
            Err(error) => {
                return sink.bad(Some(position), Fault::BrokenSheet(error)).map_continue(|()| None);
            }
        };
        let Some((is_date, layout)) = &table else {
            let names = header(row);
            let layout = match Layout::with_text(&names, &sink.options.columns) {
                Ok(layout) => layout,
                Err(fault) => return ControlFlow::Continue(Some((position, fault))),
            };
            sink.warn_of_other_texts(position, &layout)?;
            let is_date =
                |index| matches!(layout.field_at(index), Some(Field::ExamDate | Field::BirthDate));
            table = Some(((0..names.len()).map(is_date).collect(), layout));
            continue;
        };
        let mut cells = vec![Cell::Text(Cow::Borrowed("")); is_date.len()];
        for (index, value) in row {
            if let Some(place) = cells.get_mut(index) {
                *place = cell(value, is_date[index], is_1904);
            }
        }
        sink.record(position, layout, &cells)?;
    }
}

/// Calls the workbook reader, which has places where a crafted file makes it panic.
fn guarded<T>(call: impl FnOnce() -> Result<T, XlsxError>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(_) => Err("its structure is damaged".to_owned()),
    }
}

/// A row's number and its values with their columns.
type Row<'a> = (u32, Vec<(usize, DataRef<'a>)>);

/// Rows that have any value, one at a time.
struct Rows<'a, RS: Read + Seek> {
    cells: XlsxCellReader<'a, RS>,
    /// The first value of the next row.
    ahead: Option<Row<'a>>,
    /// Past the end the cell reader looks for another end, and fails.
    is_done: bool,
}

impl<'a, RS: Read + Seek> Rows<'a, RS> {
    fn next(&mut self) -> Result<Option<Row<'a>>, XlsxError> {
        let mut row = self.ahead.take();
        while !self.is_done {
            let Some(cell) = self.cells.next_cell()? else {
                self.is_done = true;
                break;
            };
            if matches!(cell.get_value(), DataRef::Empty) {
                continue;
            }
            let (number, column) = cell.get_position();
            let value = (column as usize, cell.get_value().clone());
            match &mut row {
                Some((current, values)) if *current == number => values.push(value),
                Some(_) => {
                    self.ahead = Some((number, vec![value]));
                    break;
                }
                None => row = Some((number, vec![value])),
            }
        }
        Ok(row)
    }
}

/// A header's names by column.
fn header(row: Vec<(usize, DataRef<'_>)>) -> Vec<String> {
    let mut names = Vec::new();
    for (index, value) in row {
        if let Cell::Text(name) = cell(value, false, false) {
            names.resize(names.len().max(index + 1), String::new());
            names[index] = name.into_owned();
        }
    }
    names
}

/// A value as text. Excel keeps dates as days since 1900 or 1904, and only the format of a cell
/// tells them from numbers: in a column of dates it is not needed.
fn cell(value: DataRef<'_>, is_date: bool, is_1904: bool) -> Cell<'_> {
    const DATES: std::ops::Range<f64> = 1.0..2_958_466.0;
    let date = |date: ExcelDateTime| {
        let (year, month, day, ..) = date.to_ymd_hms_milli();
        Cell::Text(Cow::Owned(format!("{year:04}-{month:02}-{day:02}")))
    };
    match value {
        DataRef::Empty => Cell::Text(Cow::Borrowed("")),
        DataRef::SharedString(text) => Cell::Text(Cow::Borrowed(text)),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            Cell::Text(Cow::Owned(text))
        }
        DataRef::DateTime(moment) if DATES.contains(&moment.as_f64()) => date(moment),
        DataRef::DateTime(_) => Cell::Unusable("a time without a date"),
        DataRef::Int(number) => Cell::Text(Cow::Owned(number.to_string())),
        DataRef::Float(number) if is_date && DATES.contains(&number) => {
            date(ExcelDateTime::new(number, ExcelDateTimeType::DateTime, is_1904))
        }
        // Excel keeps fifteen digits, and an id that lost digits is another's.
        DataRef::Float(number) if number.abs() >= 1e15 => {
            Cell::Unusable("a number of more than 15 digits")
        }
        DataRef::Float(number) => Cell::Text(Cow::Owned(number.to_string())),
        DataRef::Bool(_) => Cell::Unusable("true or false"),
        DataRef::Error(_) => Cell::Unusable("an Excel error such as #REF!"),
    }
}
