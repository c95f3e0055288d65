//! Level segments with their labels as a table: what networks that grade images are trained on and
//! judged by. A row a segment, each with the file that has its crops; the same rows in each format.

mod column;
mod read;
mod split;

use std::io;

use super::dataset::{self, DatasetWriter, Output};
use crate::label::{Grade, Level, Target};

pub use column::columns;
pub use read::{ManifestError, read};
pub use split::{Part, Split};

/// A level cut out of a study, and what is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentRow {
    /// Tells the patient from others.
    pub patient: String,
    /// StudyInstanceUID, or the name of a study that has none.
    pub study: String,
    /// The name of the level.
    pub level: Level,
    /// The place of its disc, 1 for the lowest of the study; it stays where the name is corrected.
    pub ordinal: u8,
    /// How probably the level is called so, where that is known.
    pub name_probability: Option<f64>,
    /// What it is for; all segments of a patient are for the same.
    pub split: Part,
    /// The file with its crops, from the manifest's folder on.
    pub segment: String,
    /// What is known of each target, in the order of [`Target::ALL`].
    pub targets: [TargetLabel; Target::ALL.len()],
}

/// What is known of one target of a level.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TargetLabel {
    /// Its label, if it has one.
    pub label: Option<SegmentLabel>,
    /// What each reader of the report said, people and text readers only.
    pub opinions: Vec<(String, Grade)>,
}

/// A label, and how far it is settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentLabel {
    /// The grade.
    pub grade: Grade,
    /// `seen`, `adjudicated`, `agreed`, `fused`, `rules`, or what else the manifest's maker knows it by, such
    /// as `truth`.
    pub status: String,
}

impl SegmentLabel {
    /// The status of what people saw on the image itself.
    pub const SEEN: &str = "seen";
}

impl SegmentRow {
    /// The label of a target, if it has one.
    pub fn label(&self, target: Target) -> Option<&SegmentLabel> {
        self.targets[target as usize].label.as_ref()
    }
}

/// One row of the table of formats.
#[derive(Debug)]
pub struct SegmentFormat {
    /// The name of the file.
    pub file: &'static str,
    create: fn(Output) -> io::Result<Box<dyn DatasetWriter<SegmentRow>>>,
}

/// Every format of a manifest; a manifest has all of them.
pub const FORMATS: [SegmentFormat; 3] = [
    SegmentFormat { file: FILE, create: |out| dataset::csv::create(columns(), out) },
    SegmentFormat {
        file: "manifest.parquet",
        create: |out| dataset::parquet::create(columns(), "segment", out),
    },
    SegmentFormat { file: "manifest.jsonl", create: |out| dataset::flat::create(columns(), out) },
];

/// The file that a manifest is read from.
pub const FILE: &str = "manifest.csv";

impl SegmentFormat {
    /// Begins a file.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn create(&self, out: Output) -> io::Result<Box<dyn DatasetWriter<SegmentRow>>> {
        (self.create)(out)
    }
}
