//! What can be wrong with an input: the thing, the place and the remedy.

use std::fmt;
use std::io;
use std::sync::Arc;

/// Where in the inputs something is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// The file as it was named, with the sheet where a workbook has several.
    pub file: Arc<str>,
    /// The record within the file; none where the file as a whole is meant.
    pub position: Option<Position>,
    /// The column as the file names it.
    pub column: Option<Arc<str>>,
}

/// A record's position, counted from 1 in what a user can look up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Position {
    /// The line of a text file on which the record starts.
    Line(u64),
    /// The row of a sheet.
    Row(u64),
    /// The item of a JSON array.
    Item(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        match self.position {
            Some(Position::Line(n)) => write!(f, ", line {n}")?,
            Some(Position::Row(n)) => write!(f, ", row {n}")?,
            Some(Position::Item(n)) => write!(f, ", item {n}")?,
            None => {}
        }
        match &self.column {
            Some(column) => write!(f, ", column `{column}`"),
            None => Ok(()),
        }
    }
}

/// A record, or a whole file, that no report could be made of. Reading goes on after it.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {fault}")]
pub struct BadRecord {
    /// Where it stands.
    pub place: Place,
    /// What is wrong, and what to do about it.
    pub fault: Fault,
    /// What stands there, so that it can be mended; none where a file as a whole is meant, or a
    /// record that is too long to be kept.
    pub held: Option<Held>,
}

/// What a bad record holds. It is as confidential as the report that it was to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// The columns with their values, in the order of the file. Values beyond the last column are
    /// in columns `field N`, counted from 1.
    Fields(Vec<(String, String)>),
    /// What could not be split into columns.
    Raw(String),
}

impl Held {
    /// The bytes of a record, which are kept as far as they are text.
    pub(super) fn raw(bytes: &[u8]) -> Self {
        Self::Raw(String::from_utf8_lossy(bytes).trim_end_matches(['\r', '\n']).to_owned())
    }

    /// The values of a record under the names of their columns.
    pub(super) fn fields<S: Into<String>>(
        names: &[Arc<str>],
        values: impl Iterator<Item = S>,
    ) -> Self {
        let name = |index: usize| match names.get(index) {
            Some(name) => name.to_string(),
            None => format!("field {}", index + 1),
        };
        let mut fields: Vec<_> =
            values.enumerate().map(|(index, value)| (name(index), value.into())).collect();
        fields.extend((fields.len()..names.len()).map(|index| (name(index), String::new())));
        Self::Fields(fields)
    }
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each message says it")]
pub enum Fault {
    #[error("cannot be read: {0}; check that it exists, is undamaged and may be read")]
    Unreadable(io::Error),
    #[error("cannot be read on from here: {0}; the rest of the file is left out: get a whole copy")]
    Broken(io::Error),
    #[error(
        "is none of the kinds of file that are read; convert it, or name its kind with \
         --input-format"
    )]
    UnknownFormat,
    #[error("holds no file that is read; give a folder with {extensions} files")]
    EmptyFolder { extensions: String },
    #[error("holds no report; leave it out or export it again")]
    EmptyFile,
    #[error(
        "no column is known to hold the report text; the columns are {found}: name one of them \
         with --text-column NAME (a table needs a header line)"
    )]
    NoTextColumn { found: String },
    #[error("has no column `{wanted}`; the columns are {found}: correct the name given")]
    NoSuchColumn { wanted: String, found: String },
    #[error(
        "has {found} fields where the header has {expected}; quote fields that hold the delimiter \
         or a line break"
    )]
    Ragged { found: usize, expected: usize },
    #[error("a quote stands inside a quoted field; write it twice (left out up to line {last})")]
    StrayQuote { last: u64 },
    #[error("a quote is opened and never closed; close it")]
    OpenQuote,
    #[error(
        "is longer than {limit} bytes, which no report is; look for a missing quote or line break"
    )]
    TooLong { limit: usize },
    #[error("holds bytes that are not {encoding}; give the file's encoding with --encoding")]
    Undecodable { encoding: &'static str },
    #[error("the report text is empty; fill it in or leave the record out")]
    NoText,
    #[error("the report text is {found}; it must be text")]
    NotText { found: &'static str },
    #[error("is not valid JSON: {0}; correct it")]
    Json(String),
    #[error("is not valid JSON: {0}; the rest of the file is left out: correct it")]
    BrokenJson(String),
    #[error("is {found} where an object with the report's fields is due")]
    NotAnObject { found: &'static str },
    #[error("is no workbook that can be read: {0}; save it again as .xlsx or as .csv")]
    Workbook(String),
    #[error("the sheet cannot be read on from here: {0}; save the workbook again as .xlsx or .csv")]
    BrokenSheet(String),
}

/// Something that was left out of a report, or that a user should know of; no report is lost.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: `{value}` {caution}")]
pub struct Warning {
    /// Where it stands. File, column and [`Warning::caution`] together make a key to count by.
    pub place: Place,
    /// The value that the warning is about. It may be a patient's.
    pub value: String,
    /// What is the matter with it.
    pub caution: Caution,
}

/// What a warning warns of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[allow(missing_docs, reason = "each message says it")]
pub enum Caution {
    #[error("may be day or month first and is left out; say which with --date-order dmy or mdy")]
    AmbiguousDate,
    #[error("is no date that is understood and is left out; write it as YYYY-MM-DD")]
    UnknownDate,
    #[error("is no sex that is understood and is left out; write F, M or O")]
    UnknownSex,
    #[error("is no age in years and is left out; write it as 67 or 067Y")]
    UnknownAge,
    #[error("cannot be used as a value and is left out; write it as text")]
    UnusableValue,
    #[error(
        "is the id of an earlier report of the same source; make ids unique or name the source"
    )]
    DuplicateId,
    #[error("could also be the report text and is left out; choose with --text-column NAME")]
    OtherTextColumn,
    #[error(
        "is the encoding guessed from the bytes; give the right one with --encoding if it is not"
    )]
    GuessedEncoding,
    #[error("were skipped, being none of the kinds of file that are read")]
    SkippedFiles,
    #[error("was skipped, having no column known to hold the report text")]
    SkippedSheet,
}
