//! One reader's pass over one subject.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Opinion, UnknownName};

/// Who reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReaderKind {
    /// The rule extractor.
    Rules,
    /// The transformer on report text.
    Transformer,
    /// Rules and transformer made one.
    Fused,
    /// The grading network on images.
    Grader,
    /// Lengths and areas measured on a segmentation.
    Measurement,
    /// A person.
    Person,
}

impl ReaderKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Rules,
        Self::Transformer,
        Self::Fused,
        Self::Grader,
        Self::Measurement,
        Self::Person,
    ];

    /// Whether a report is labelled by such a reader until people have read it.
    pub const fn labels_reports(self) -> bool {
        matches!(self, Self::Rules | Self::Fused)
    }

    /// The name in files and queries, such as `rules`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rules => "rules",
            Self::Transformer => "transformer",
            Self::Fused => "fused",
            Self::Grader => "grader",
            Self::Measurement => "measurement",
            Self::Person => "person",
        }
    }
}

impl fmt::Display for ReaderKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for ReaderKind {
    type Err = UnknownName;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == s)
            .ok_or_else(|| UnknownName::new("kind of reader", s, Self::ALL.iter()))
    }
}

/// A reader in the version that did the reading.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reader {
    /// Who.
    pub kind: ReaderKind,
    /// A person's user name, or a machine reader's model or lexicon.
    pub name: String,
    /// Version of the software or model; empty for a person.
    pub version: String,
    /// SHA-256 of what decides its opinions beside the code (lexicon, weights); empty for a
    /// person.
    pub content_hash: String,
}

/// What was read: a version of a report's text, or a disc of a study.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A report as (source, id) with the SHA-256 of the text version that was read.
    Report {
        /// Where the report comes from.
        source: String,
        /// The report's id within its source.
        id: String,
        /// SHA-256 of the text, in hexadecimal digits.
        text_hash: String,
    },
    /// A disc of a segmented study. Its name is not part of it: it comes from the study's
    /// naming, so that correcting a name rewrites no reading.
    Disc {
        /// StudyInstanceUID, or the accession within its source.
        study: String,
        /// The segmentation run.
        run: u32,
        /// Counted upward from the sacrum, the lowest disc being 0.
        ordinal: u8,
    },
}

/// How a person came to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Machine opinions were hidden.
    Blind,
    /// Machine opinions were shown.
    Assisted,
    /// Everyone's opinions were shown, and the reading settles the subject.
    Adjudication,
    /// The labels were made elsewhere and came as a file.
    Imported,
    /// The person had read it before and did not know so. It measures the person against itself
    /// and never stands for them.
    Repeat,
}

impl Mode {
    /// Every mode.
    pub const ALL: [Self; 5] =
        [Self::Blind, Self::Assisted, Self::Adjudication, Self::Imported, Self::Repeat];

    /// The name in files, such as `blind`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Blind => "blind",
            Self::Assisted => "assisted",
            Self::Adjudication => "adjudication",
            Self::Imported => "imported",
            Self::Repeat => "repeat",
        }
    }
}

impl FromStr for Mode {
    type Err = UnknownName;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|mode| mode.name() == s)
            .ok_or_else(|| UnknownName::new("mode", s, Self::ALL.iter().map(|mode| mode.name())))
    }
}

/// The circumstances of a person's reading.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Context {
    /// The annotation batch.
    pub batch: String,
    /// How the person came to read.
    pub mode: Mode,
    /// Seconds spent.
    pub seconds: f32,
}

/// One reader's pass over one subject. Append-only: a reader's newest reading stands.
///
/// A reading without opinions says *read and found nothing*, which differs from *not read*.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Who read.
    pub reader: Reader,
    /// What was read.
    pub subject: Subject,
    /// When, in RFC 3339; none for a stateless extraction, whose output is the same at any time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The circumstances, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Context>,
    /// At most one opinion a cell; cells without one are not mentioned.
    pub opinions: Vec<Opinion>,
}
