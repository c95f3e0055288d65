//! Tables of text: CSV, TSV and their kin, the delimiter found out.
//!
//! `csv_core` takes the fields out of a record, but where a record ends is decided here. It
//! prefers any parse to none: of a quote never closed it makes one field of the rest of the file,
//! and of a stray quote two patients' reports run together. Here either costs one bad record.

use std::borrow::Cow;
use std::io::{self, BufRead, Cursor, Read};
use std::ops::ControlFlow;

use csv_core::ReadRecordResult;

use super::Fit;
use super::columns::{ColumnNames, Layout};
use super::decode::{Content, Decoded, Head, Line, read_line};
use super::problem::{Fault, Held, Position};
use super::record::{Cell, Sink};
use super::text::LONGEST;

/// The delimiters there are, the commonest first.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// In a table of one column nothing delimits, and commas are part of the text.
const NO_DELIMITER: u8 = b'\x1f';

pub(super) fn fits(head: &Head<'_>) -> Fit {
    let Some(line) = head.text.lines().find(|line| !line.trim().is_empty()) else {
        return Fit::No;
    };
    let delimiter = delimiter(line.as_bytes(), head.given);
    let is_table = Layout::of(&names(line.as_bytes(), delimiter), head.given).is_ok_and(|layout| {
        head.given.names_text() || delimiter != NO_DELIMITER && layout.is_convincing()
    });
    Fit::likely_if(is_table || line.starts_with("sep="))
}

pub(super) fn read(content: Content, sink: &mut Sink<'_>) -> ControlFlow<()> {
    let mut records = Records::new(content.into_text());
    if let Err(error) = records.find_delimiter(&sink.options.columns) {
        return sink.bad(Some(Position::Line(records.line)), Fault::Broken(error));
    }
    let mut fields = Fields::new(records.delimiter);
    let mut table: Option<(usize, Layout)> = None;
    let mut raw = Vec::new();
    loop {
        let position = Position::Line(records.line);
        match records.next(&mut raw) {
            Ok(Next::Record) => {}
            Ok(Next::End) => return ControlFlow::Continue(()),
            Ok(Next::Bad(fault)) => {
                // Without its header nothing in a table can be named.
                if table.is_none() {
                    return sink.bad(Some(position), fault);
                }
                if raw.len() >= LONGEST {
                    sink.bad(Some(position), fault)?;
                } else {
                    sink.bad_record(position, fault, Held::raw(&raw))?;
                }
                continue;
            }
            Err(error) => return sink.bad(Some(position), Fault::Broken(error)),
        }
        let mut split = fields.split(&raw);
        while let Some(values) = split.next() {
            if values.iter().all(|value| value.trim().is_empty()) {
                continue;
            }
            let Some((expected, layout)) = &table else {
                let Some(layout) = sink.layout(position, &values)? else {
                    return ControlFlow::Continue(());
                };
                table = Some((values.len(), layout));
                continue;
            };
            let extra = values.get(*expected..);
            if extra.is_none_or(|extra| extra.iter().any(|value| !value.is_empty())) {
                let fault = Fault::Ragged { found: values.len(), expected: *expected };
                sink.bad_record(position, fault, Held::fields(&layout.names, values.into_iter()))?;
                continue;
            }
            let cells: Vec<Cell<'_>> = values.into_iter().map(Cell::Text).collect();
            sink.record(position, layout, &cells)?;
        }
    }
}

/// The delimiter that makes the most of a header: the most known columns, or else the most.
fn delimiter(header: &[u8], given: &ColumnNames) -> u8 {
    let score = |delimiter| {
        let names = names(header, delimiter);
        let known = Layout::of(&names, given).map_or(0, |layout| layout.found());
        (known, names.len())
    };
    let mut best = (NO_DELIMITER, (0, 1));
    for delimiter in DELIMITERS.into_iter().filter(|delimiter| header.contains(delimiter)) {
        let score = score(delimiter);
        if score.1 > 1 && score > best.1 {
            best = (delimiter, score);
        }
    }
    best.0
}

/// The column names in the first line of a header.
fn names(header: &[u8], delimiter: u8) -> Vec<String> {
    let mut fields = Fields::new(delimiter);
    let mut split = fields.split(header);
    let names = split.next().unwrap_or_default();
    names.into_iter().map(Cow::into_owned).collect()
}

/// A record, or what stands in its place.
enum Next {
    Record,
    Bad(Fault),
    End,
}

/// Splits text into records.
struct Records {
    input: Rewound,
    /// The line that the next record starts on.
    line: u64,
    delimiter: u8,
}

impl Records {
    fn new(input: Decoded) -> Self {
        let input = Rewound { back: Cursor::default(), input };
        Self { input, line: 1, delimiter: NO_DELIMITER }
    }

    /// Reads up to the header and looks at its first line, or takes Excel's word `sep=;` for it.
    fn find_delimiter(&mut self, given: &ColumnNames) -> io::Result<()> {
        loop {
            let mut line = Vec::new();
            let end = matches!(read_line(&mut self.input, &mut line, LONGEST)?, Line::End);
            if line.trim_ascii().is_empty() && !end {
                self.line += 1;
                continue;
            }
            if let [b's', b'e', b'p', b'=', delimiter, b'\r' | b'\n', ..] = line[..] {
                self.delimiter = delimiter;
                self.line += 1;
            } else {
                self.delimiter = delimiter(&line, given);
                self.input.put_back(&line);
            }
            return Ok(());
        }
    }

    /// Reads the next record into `raw`.
    ///
    /// After a bad one it goes on with the line after the bad one's first, since what looks like
    /// the inside of its quotes may be other records.
    fn next(&mut self, raw: &mut Vec<u8>) -> io::Result<Next> {
        raw.clear();
        let start = self.line;
        let mut first_end = 0;
        let mut is_open = false;
        loop {
            let begin = raw.len();
            let fault = match read_line(&mut self.input, raw, LONGEST)? {
                Line::End if begin == 0 => return Ok(Next::End),
                Line::TooLong if begin == 0 => {
                    self.input.skip_until(b'\n')?;
                    self.line += 1;
                    return Ok(Next::Bad(Fault::TooLong { limit: LONGEST }));
                }
                Line::End | Line::TooLong => Fault::OpenQuote,
                Line::Whole => {
                    self.line += 1;
                    match quoting(&raw[begin..], self.delimiter, is_open) {
                        Quoting::Closed => return Ok(Next::Record),
                        Quoting::Open if raw.len() <= LONGEST => {
                            is_open = true;
                            if begin == 0 {
                                first_end = raw.len();
                            }
                            continue;
                        }
                        Quoting::Open => Fault::OpenQuote,
                        Quoting::Stray if self.delimiter == NO_DELIMITER => {
                            self.skip_to_quote(raw)?;
                            return Ok(Next::Bad(Fault::StrayQuote { last: self.line - 1 }));
                        }
                        Quoting::Stray => Fault::StrayQuote { last: start },
                    }
                }
            };
            if begin > 0 {
                self.input.put_back(&raw[first_end..]);
                self.line = start + 1;
                raw.truncate(first_end);
            }
            return Ok(Next::Bad(fault));
        }
    }

    /// Skips to a line that ends in a quote, as the last line of a quoted text does. In a table of
    /// one column each line of a bad record would pass for a report.
    fn skip_to_quote(&mut self, line: &mut Vec<u8>) -> io::Result<()> {
        while !line.trim_ascii_end().ends_with(b"\"") {
            if line.len() >= LONGEST {
                line.clear();
            }
            match read_line(&mut self.input, line, LONGEST)? {
                Line::Whole => self.line += 1,
                Line::TooLong | Line::End => break,
            }
        }
        Ok(())
    }
}

/// Text of which some was put back.
struct Rewound {
    back: Cursor<Vec<u8>>,
    input: Decoded,
}

impl Rewound {
    fn put_back(&mut self, text: &[u8]) {
        let mut back = text.to_vec();
        back.extend_from_slice(&self.back.get_ref()[self.back.position() as usize..]);
        self.back = Cursor::new(back);
    }
}

impl BufRead for Rewound {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.back.fill_buf()?.is_empty() { self.input.fill_buf() } else { self.back.fill_buf() }
    }

    fn consume(&mut self, amount: usize) {
        if (self.back.position() as usize) < self.back.get_ref().len() {
            self.back.consume(amount);
        } else {
            self.input.consume(amount);
        }
    }
}

impl Read for Rewound {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

/// How things stand with quotes at the end of a line.
enum Quoting {
    /// The record ends here.
    Closed,
    /// The line break belongs to a quoted field.
    Open,
    /// A quoted field goes on after its closing quote.
    Stray,
}

/// Follows the quotes through a line; `is_open` says that it starts inside a quoted field.
fn quoting(line: &[u8], delimiter: u8, mut is_open: bool) -> Quoting {
    let ends_field = |byte: &u8| *byte == delimiter || *byte == b'\r' || *byte == b'\n';
    let mut rest = line;
    loop {
        if is_open {
            let Some(quote) = rest.iter().position(|&byte| byte == b'"') else {
                return Quoting::Open;
            };
            rest = &rest[quote + 1..];
            match rest.first() {
                Some(b'"') => {}
                None => return Quoting::Closed,
                Some(byte) if ends_field(byte) => is_open = false,
                Some(_) => return Quoting::Stray,
            }
            rest = &rest[1..];
        } else if let Some(quoted) = rest.strip_prefix(b"\"") {
            is_open = true;
            rest = quoted;
        } else {
            match rest.iter().position(&ends_field) {
                Some(end) => rest = &rest[end + 1..],
                None => return Quoting::Closed,
            }
        }
    }
}

/// Splits records into fields.
struct Fields {
    core: csv_core::Reader,
    values: Vec<u8>,
    ends: Vec<usize>,
}

impl Fields {
    fn new(delimiter: u8) -> Self {
        let core = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
        Self { core, values: Vec::new(), ends: Vec::new() }
    }

    /// The record in `raw`, or records: a lone carriage return ends one too.
    fn split<'a>(&'a mut self, raw: &'a [u8]) -> Split<'a> {
        self.core.reset();
        Split { fields: self, raw }
    }
}

/// Records being split.
struct Split<'a> {
    fields: &'a mut Fields,
    raw: &'a [u8],
}

impl Split<'_> {
    /// The next record's fields. They live until the next call.
    fn next(&mut self) -> Option<Vec<Cow<'_, str>>> {
        let Fields { core, values, ends } = &mut *self.fields;
        let (mut written, mut count) = (0, 0);
        // A field is never longer than its raw form.
        values.resize(self.raw.len(), 0);
        loop {
            let (result, read, wrote, ended) =
                core.read_record(self.raw, &mut values[written..], &mut ends[count..]);
            self.raw = &self.raw[read..];
            written += wrote;
            count += ended;
            match result {
                // An empty input, given next, ends the record.
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => values.resize(written * 2 + 1, 0),
                ReadRecordResult::OutputEndsFull => ends.resize(count * 2 + 16, 0),
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return None,
            }
        }
        let mut start = 0;
        let field = |&end: &usize| {
            // The input is UTF-8 and is cut at ASCII only, so nothing is lost.
            let value = String::from_utf8_lossy(&values[start..end]);
            start = end;
            value
        };
        Some(ends[..count].iter().map(field).collect())
    }
}
