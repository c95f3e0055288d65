//! Labels as files for other programs: one file a format, one row in [`FORMATS`].
//!
//! A format is two functions, what stands at the top of a file and what one report adds to it.
//! Neither keeps anything between reports, so that threads render different reports at once and
//! the bytes need only be put in order.

pub mod dataset;
mod deidentify;
mod gold;
pub mod grades;
mod jsonl;
mod long;
mod manifest;
mod rsna2024;
pub mod segments;
mod table;
mod uncertain;
mod wide;

use std::io::{self, Write};

use crate::extract::Extraction;
use crate::label::{Grade, Opinion, ReaderKind};
use crate::report::Report;

pub use deidentify::Deidentifier;
pub use manifest::{Manifest, ManifestFile};

/// A report with what a reader concluded about it.
#[derive(Debug, Clone, Copy)]
pub struct Labelled<'a> {
    /// The report.
    pub report: &'a Report,
    /// At most one opinion a cell, in the order of cells, as the pipeline gives them.
    pub opinions: &'a [Opinion],
    /// What each reader of the text made of it; those above are the last one's.
    pub readings: &'a [(ReaderKind, Vec<Opinion>)],
    /// What else the text says.
    pub extraction: &'a Extraction,
    /// Version of the lexicon that the text was read with.
    pub lexicon: &'a str,
}

/// The opinions that are a grade.
fn graded(opinions: &[Opinion]) -> impl Iterator<Item = (&Opinion, Grade)> {
    opinions.iter().filter_map(|opinion| Some((opinion, opinion.verdict.grade()?)))
}

/// One row of the table of formats.
#[derive(Debug)]
pub struct Format {
    /// Its name on the command line.
    pub name: &'static str,
    /// The file name extension that it goes by.
    pub extension: &'static str,
    /// What it is, in half a line.
    pub about: &'static str,
    header: fn(&mut dyn Write) -> io::Result<()>,
    report: fn(&Labelled, &mut dyn Write) -> io::Result<()>,
}

/// Every format. Where several share an extension, the first one is what it stands for.
pub const FORMATS: [Format; 5] = [
    Format {
        name: "jsonl",
        extension: "jsonl",
        about: "a line a report: cells, and every opinion with its evidence and rules",
        header: jsonl::header,
        report: jsonl::report,
    },
    Format {
        name: "long",
        extension: "csv",
        about: "a CSV row a cell, with certainty, evidence and rules",
        header: long::header,
        report: long::report,
    },
    Format {
        name: "wide",
        extension: "csv",
        about: "a CSV row a report, a column a cell",
        header: wide::header,
        report: wide::report,
    },
    Format {
        name: "rsna2024",
        extension: "csv",
        about: "the training table of the RSNA 2024 lumbar spine challenge",
        header: rsna2024::header,
        report: rsna2024::report,
    },
    Format {
        name: "gold",
        extension: "jsonl",
        about: "a line a report: its text and its cells, to train on or to score against",
        header: jsonl::header,
        report: gold::report,
    },
];

/// What `--uncertain` writes.
pub const UNCERTAIN: Format = Format {
    name: "uncertain",
    extension: "csv",
    about: "a CSV row a cell that its reader is uncertain of",
    header: uncertain::header,
    report: uncertain::report,
};

/// `long`, with how sure a network is of each row.
const LONG_OF_A_NETWORK: Format = Format {
    name: "long",
    extension: "csv",
    about: "a CSV row a cell, with certainty, evidence and how sure the network is",
    header: long::header_of_a_network,
    report: long::report_of_a_network,
};

impl Format {
    /// The same for labels of a network, with whatever columns it has more for these.
    pub fn of_a_network(&'static self) -> &'static Self {
        if self.name == LONG_OF_A_NETWORK.name { &LONG_OF_A_NETWORK } else { self }
    }

    /// The format of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        FORMATS.iter().find(|format| format.name == name)
    }

    /// The format that a file name extension stands for.
    pub fn of_extension(extension: &str) -> Option<&'static Self> {
        FORMATS.iter().find(|format| format.extension.eq_ignore_ascii_case(extension))
    }

    /// Writes what stands once, at the top of a file.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_header(&self, out: &mut dyn Write) -> io::Result<()> {
        (self.header)(out)
    }

    /// Writes what one report adds. `out` takes many small writes, so it should be a buffer.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_report(&self, labelled: &Labelled, out: &mut dyn Write) -> io::Result<()> {
        (self.report)(labelled, out)
    }
}
