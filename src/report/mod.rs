//! Reports as data teams have them: one file a format, one row in [`FORMATS`].
//!
//! ```no_run
//! use std::ops::ControlFlow;
//! use deepspine::report::{Event, Input, Options, Reader};
//!
//! let reader = Reader::new(vec![Input::named("reports.csv.gz")], Options::default());
//! let progress = reader.progress();
//! let _ = reader.for_each(|event| {
//!     match event {
//!         Event::Report(report) => println!("{}: {} bytes", report.id, report.text.len()),
//!         Event::Bad(record) => eprintln!("{record}"),
//!         Event::Warning(warning) => eprintln!("{warning}"),
//!     }
//!     ControlFlow::Continue(())
//! });
//! println!("{} bytes read", progress.read());
//! ```
//!
//! A file goes through `decode` (compression, encoding) to its format, which splits it into
//! records; `columns` says which of their cells is which field, and `record` makes a [`Report`]
//! of them. What cannot be read is an [`Event::Bad`] and reading goes on after it; what had to be
//! left out of a report is an [`Event::Warning`]. No more than one record is in memory at a time,
//! but for `.xlsx`, which has to be read whole and ends at a million rows.

mod columns;
mod csv;
mod decode;
mod input;
mod json;
mod jsonl;
mod mend;
mod problem;
mod reader;
mod record;
mod text;
mod value;
mod xlsx;

use std::ops::ControlFlow;

use encoding_rs::Encoding;
use serde::{Deserialize, Serialize};

pub use columns::{ColumnNames, Field, UnknownField};
pub use decode::{UnknownEncoding, encoding};
pub use input::{Input, Progress};
pub use mend::write_mendable;
pub use problem::{BadRecord, Caution, Fault, Held, Place, Position, Warning};
pub use reader::Reader;
pub use value::DateOrder;

use decode::{Content, Head};
use record::Sink;

/// Every format that is read. The first that fits a file without a telling name is taken.
pub static FORMATS: [Format; 5] = [
    Format { name: "xlsx", extensions: &["xlsx", "xlsm"], fits: xlsx::fits, read: xlsx::read },
    Format { name: "json", extensions: &["json"], fits: json::fits, read: json::read },
    Format {
        name: "jsonl",
        extensions: &["jsonl", "ndjson"],
        fits: jsonl::fits,
        read: jsonl::read,
    },
    Format { name: "csv", extensions: &["csv", "tsv", "tab"], fits: csv::fits, read: csv::read },
    Format { name: "text", extensions: &["txt", "text"], fits: text::fits, read: text::read },
];

/// A format of files.
#[derive(Debug)]
pub struct Format {
    /// Its name for flags.
    pub name: &'static str,
    /// The extensions it goes by, without the dot and without `.gz` or `.zst`.
    pub extensions: &'static [&'static str],
    fits: fn(&Head<'_>) -> Fit,
    read: fn(Content, &mut Sink<'_>) -> ControlFlow<()>,
}

/// How well the beginning of a file fits a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    /// Not at all.
    No,
    /// Well, unless the file's name says otherwise.
    Likely,
    /// No other format begins like that, whatever the file's name says.
    Sure,
}

impl Fit {
    fn likely_if(it_fits: bool) -> Self {
        if it_fits { Self::Likely } else { Self::No }
    }
}

impl Format {
    /// The format of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        FORMATS.iter().find(|format| format.name == name)
    }
}

/// What a user can say about the inputs; without it everything is found out.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The format of every file.
    pub format: Option<&'static Format>,
    /// The encoding of every text file that has no byte order mark.
    pub encoding: Option<&'static Encoding>,
    /// Which columns hold what, where their names are not the usual ones.
    pub columns: ColumnNames,
    /// How to read dates such as `03/04/2019`; without it they are left out.
    pub date_order: Option<DateOrder>,
    /// The source of reports that name none.
    pub source: Option<String>,
}

/// What comes of reading.
#[derive(Debug)]
pub enum Event {
    /// A report.
    Report(Report),
    /// A record or a file that could not be read.
    Bad(BadRecord),
    /// Something left out of the report that follows, or worth knowing of the file.
    Warning(Warning),
}

/// One report with what is known about it. Absent fields are empty, never invented.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// Id within the source; the SHA-256 of the text where the input has none.
    pub id: String,
    /// The text, decoded to UTF-8 and otherwise untouched: spans are bytes of it.
    pub text: String,
    /// Patient id.
    pub patient: Option<String>,
    /// Accession number.
    pub accession: Option<String>,
    /// StudyInstanceUID.
    pub study_uid: Option<String>,
    /// Date of the examination, ISO 8601.
    pub exam_date: Option<String>,
    /// `F`, `M` or `O`.
    pub sex: Option<String>,
    /// Age in years at the examination.
    pub age: Option<u16>,
    /// Date of birth, ISO 8601.
    pub birth_date: Option<String>,
    /// Modality, such as `MR`.
    pub modality: Option<String>,
    /// Where the report comes from: with the id its key.
    pub source: Option<String>,
}
