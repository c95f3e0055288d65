//! Reports with their labels as a dataset: what a cohort is exported as.
//!
//! One file a format, one row in [`DATASETS`]. Tables have the columns of [`columns`], one row a
//! report; JSON Lines nests what does not fit into a table. Writers keep no more than a group of
//! rows in memory.

mod column;
pub(super) mod csv;
pub(super) mod flat;
mod jsonl;
pub(super) mod parquet;

use std::io::{self, Write};

use crate::extract::Mention;
use crate::label::{CellLabel, Status};

pub(super) use column::Value;
pub use column::{Column, Kind, columns};

/// One report as it leaves the archive.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Where it comes from.
    pub source: Option<String>,
    /// Its id within the source.
    pub id: String,
    /// The version of its text, from 1.
    pub version: u32,
    /// SHA-256 of that text, in hexadecimal digits.
    pub text_hash: String,
    /// The patient's id within the source.
    pub patient: Option<String>,
    /// What tells its study from others: StudyInstanceUID, else accession, else a key of the
    /// archive's.
    pub study: String,
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
    /// How far people have settled the label.
    pub status: Status,
    /// Train, validation or test, where the cohort is split.
    pub part: Option<String>,
    /// At most one a cell, in the order of cells.
    pub labels: Vec<CellLabel>,
    /// Who decided the label: `rules`, or a person's name.
    pub decided_by: Vec<String>,
    /// The findings that the text mentions, in its order.
    pub mentions: Vec<Mention>,
    /// The text.
    pub text: Option<String>,
}

/// Writes the rows of one file.
pub trait DatasetWriter<R = Record> {
    /// Adds a row.
    ///
    /// # Errors
    /// Those of the output.
    fn write(&mut self, row: &R) -> io::Result<()>;

    /// Completes the file.
    ///
    /// # Errors
    /// Those of the output.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// Where a file of a dataset is written to.
pub type Output = Box<dyn Write + Send>;

/// One row of the table of formats.
#[derive(Debug)]
pub struct Dataset {
    /// Its name, which is also the file name extension that it goes by.
    pub name: &'static str,
    /// What it is, in half a line.
    pub about: &'static str,
    create: fn(Output) -> io::Result<Box<dyn DatasetWriter>>,
}

/// Every format.
pub const DATASETS: [Dataset; 3] = [
    Dataset {
        name: "csv",
        about: "a row a report, a column a cell",
        create: |out| csv::create(columns(), out),
    },
    Dataset {
        name: "jsonl",
        about: "a line a report, with cells and mentions nested",
        create: jsonl::create,
    },
    Dataset {
        name: "parquet",
        about: "the columns of csv, typed and compressed",
        create: |out| parquet::create(columns(), "report", out),
    },
];

impl Dataset {
    /// The format of this name, which is also an extension.
    pub fn named(name: &str) -> Option<&'static Self> {
        DATASETS.iter().find(|format| format.name.eq_ignore_ascii_case(name))
    }

    /// Begins a file.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn create(&self, out: Output) -> io::Result<Box<dyn DatasetWriter>> {
        (self.create)(out)
    }
}
