//! From the cells of a record to a report: the one way that every format takes.

use std::borrow::Cow;
use std::collections::HashSet;
use std::hash::BuildHasher;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::sync::Arc;

use foldhash::quality::FixedState;
use sha2::{Digest, Sha256};

use super::columns::{Column, Field, Layout};
use super::decode::Decoding;
use super::problem::{BadRecord, Caution, Fault, Held, Place, Position, Warning};
use super::value::{age, is_blank, iso_date, sex, trimmed};
use super::{Event, Options, Report};

/// One value of a record.
#[derive(Debug, Clone)]
pub(super) enum Cell<'a> {
    /// Text, or what can be written as text without loss; empty where there is no value.
    Text(Cow<'a, str>),
    /// Something else, in words.
    Unusable(&'static str),
}

/// The cell of a column that a record lacks.
static EMPTY: Cell<'static> = Cell::Text(Cow::Borrowed(""));

/// Keys seen so far, as eight bytes each: of a million reports 16 MB, and a false alarm among
/// them is as likely as one in 37 million.
#[derive(Debug, Default)]
pub(super) struct Keys(HashSet<u64, FixedState>);

impl Keys {
    fn is_new(&mut self, report: &Report) -> bool {
        self.0.insert(self.0.hasher().hash_one((&report.source, &report.id)))
    }
}

/// Where the records of one file go to.
pub(super) struct Sink<'a> {
    pub emit: &'a mut dyn FnMut(Event) -> ControlFlow<()>,
    pub options: &'a Options,
    pub keys: &'a mut Keys,
    /// The file's name for messages.
    pub file: Arc<str>,
    /// The file's name without folder and extensions: the id of a report that is a file.
    pub stem: String,
    pub decoding: Rc<Decoding>,
    /// Whether neither a report nor a fault has come of the file yet.
    pub is_empty: bool,
}

impl Sink<'_> {
    /// Reports a record, or a file, that no report can be made of.
    pub fn bad(&mut self, position: Option<Position>, fault: Fault) -> ControlFlow<()> {
        self.bad_column(position, None, fault, None)
    }

    /// Reports a record that no report can be made of, with what it holds.
    pub fn bad_record(&mut self, position: Position, fault: Fault, held: Held) -> ControlFlow<()> {
        self.bad_column(Some(position), None, fault, Some(held))
    }

    fn bad_column(
        &mut self,
        position: Option<Position>,
        column: Option<&Column>,
        fault: Fault,
        held: Option<Held>,
    ) -> ControlFlow<()> {
        self.is_empty = false;
        let place = self.place(position, column.map(|c| &c.name));
        (self.emit)(Event::Bad(BadRecord { place, fault, held }))
    }

    /// Reports something that is no reason to leave the record out.
    pub fn warn(
        &mut self,
        position: Option<Position>,
        column: Option<&Arc<str>>,
        value: &str,
        caution: Caution,
    ) -> ControlFlow<()> {
        let place = self.place(position, column);
        (self.emit)(Event::Warning(Warning { place, value: value.to_owned(), caution }))
    }

    fn place(&self, position: Option<Position>, column: Option<&Arc<str>>) -> Place {
        Place { file: Arc::clone(&self.file), position, column: column.cloned() }
    }

    /// Finds the fields among the names of a table's or an object's columns. Where none of them
    /// can be the text, that is a fault and there is no layout.
    pub fn layout<S: AsRef<str>>(
        &mut self,
        position: Position,
        names: &[S],
    ) -> ControlFlow<(), Option<Layout>> {
        match Layout::with_text(names, &self.options.columns) {
            Ok(layout) => {
                self.warn_of_other_texts(position, &layout)?;
                ControlFlow::Continue(Some(layout))
            }
            Err(fault) => self.bad(Some(position), fault).map_continue(|()| None),
        }
    }

    /// Says which columns might have been meant instead of the one taken for the text.
    pub fn warn_of_other_texts(&mut self, position: Position, layout: &Layout) -> ControlFlow<()> {
        for name in &layout.other_texts {
            self.warn(Some(position), Some(name), name, Caution::OtherTextColumn)?;
        }
        ControlFlow::Continue(())
    }

    /// Makes a report of a record's cells, which stand in the order of the layout's header.
    pub fn record(
        &mut self,
        position: Position,
        layout: &Layout,
        cells: &[Cell<'_>],
    ) -> ControlFlow<()> {
        let position = Some(position);
        let cell = |column: &Column| cells.get(column.index).unwrap_or(&EMPTY);
        let text = match layout.column(Field::Text) {
            Some(column) => self.text(cell(column)).map_err(|fault| (Some(column), fault)),
            None => self.sections(layout, cell),
        };
        let text = match text {
            Ok(text) => text,
            Err((column, fault)) => {
                return self.bad_column(position, column, fault, Some(held(layout, cells)));
            }
        };
        let mut report = Report { text, ..Report::default() };
        for field in Field::all() {
            let Some(column) = layout.column(field) else { continue };
            let value = match cell(column) {
                Cell::Text(value) if is_blank(value) => continue,
                Cell::Text(value) => trimmed(value),
                Cell::Unusable(what) => {
                    self.warn(position, Some(&column.name), what, Caution::UnusableValue)?;
                    continue;
                }
            };
            if let Some(encoding) = self.decoding.damage(value) {
                let fault = Fault::Undecodable { encoding };
                return self.bad_column(position, Some(column), fault, Some(held(layout, cells)));
            }
            if let Err(caution) = fill(&mut report, field, value, self.options) {
                self.warn(position, Some(&column.name), value, caution)?;
            }
        }
        self.report(position, report)
    }

    /// Hands a report on, with the id and the source that it lacks.
    pub fn report(&mut self, position: Option<Position>, mut report: Report) -> ControlFlow<()> {
        if report.id.is_empty() {
            report.id = hash(&report.text);
        }
        if report.source.is_none() {
            report.source.clone_from(&self.options.source);
        }
        if !self.keys.is_new(&report) {
            self.warn(position, None, &report.id, Caution::DuplicateId)?;
        }
        self.is_empty = false;
        (self.emit)(Event::Report(report))
    }

    /// The text of a cell as it stands, if it is one.
    pub fn text(&self, cell: &Cell<'_>) -> Result<String, Fault> {
        match cell {
            Cell::Text(text) if is_blank(text) => Err(Fault::NoText),
            Cell::Text(text) => match self.decoding.damage(text) {
                Some(encoding) => Err(Fault::Undecodable { encoding }),
                None => Ok(text.as_ref().to_owned()),
            },
            Cell::Unusable(found) => Err(Fault::NotText { found }),
        }
    }

    /// The text put together from sections, each under a heading: a plain word for a column with
    /// a usual name, which may be `FINDING_TXT`, or the name of a column that the user chose.
    /// History and the like alone are no report.
    fn sections<'l, 'c>(
        &self,
        layout: &'l Layout,
        cell: impl Fn(&Column) -> &'c Cell<'c>,
    ) -> Result<String, (Option<&'l Column>, Fault)> {
        let mut whole = String::new();
        let mut has_body = false;
        for (section, column) in layout.sections() {
            let text = match self.text(cell(column)) {
                Ok(text) => text,
                Err(Fault::NoText) => continue,
                Err(fault) => return Err((Some(column), fault)),
            };
            if !whole.is_empty() {
                whole.push_str("\n\n");
            }
            if self.options.columns.names(section) {
                whole.push_str(&column.name);
            } else {
                whole.push_str(&section.name().to_uppercase());
            }
            whole.push_str(":\n");
            whole.push_str(text.trim_end());
            has_body |= matches!(section, Field::Findings | Field::Impression);
        }
        if has_body {
            Ok(whole)
        } else {
            Err((layout.sections().last().map(|(_, column)| column), Fault::NoText))
        }
    }
}

/// What a record's cells hold. Of what is no text, only the column stays.
fn held(layout: &Layout, cells: &[Cell<'_>]) -> Held {
    let text = |cell: &Cell<'_>| match cell {
        Cell::Text(text) => text.to_string(),
        Cell::Unusable(_) => String::new(),
    };
    Held::fields(&layout.names, cells.iter().map(text))
}

/// Puts a value where it belongs.
fn fill(report: &mut Report, field: Field, value: &str, options: &Options) -> Result<(), Caution> {
    let owned = || Some(value.to_owned());
    match field {
        Field::Id => report.id = value.to_owned(),
        Field::Patient => report.patient = owned(),
        Field::Accession => report.accession = owned(),
        Field::StudyUid => report.study_uid = owned(),
        Field::ExamDate => report.exam_date = Some(iso_date(value, options.date_order)?),
        Field::Sex => report.sex = Some(sex(value)?.to_owned()),
        Field::Age => report.age = Some(age(value)?),
        Field::BirthDate => report.birth_date = Some(iso_date(value, options.date_order)?),
        Field::Modality => report.modality = owned(),
        Field::Source => report.source = owned(),
        Field::Text
        | Field::History
        | Field::Technique
        | Field::Comparison
        | Field::Findings
        | Field::Impression => {}
    }
    Ok(())
}

/// The SHA-256 of a text, in hexadecimal digits.
fn hash(text: &str) -> String {
    use std::fmt::Write;
    Sha256::digest(text).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a string does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
