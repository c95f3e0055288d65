//! What a text says about one cell.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::{Cell, Certainty, Grade, Trace};

/// A stretch of a report, in bytes of its decoded UTF-8 text. `start..end`, on character bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "(u32, u32)", into = "(u32, u32)")]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The span as a range to index a text with.
    pub const fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

impl From<(u32, u32)> for Span {
    fn from((start, end): (u32, u32)) -> Self {
        Self { start, end }
    }
}

impl From<Span> for (u32, u32) {
    fn from(span: Span) -> Self {
        (span.start, span.end)
    }
}

/// Whether a statement speaks of the target itself or of what its narrowing does (rule 11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Directness {
    /// "canal stenosis", "the foramen is patent".
    Direct,
    /// "compressing the thecal sac".
    Indirect,
}

/// Whether a statement names its level or covers the whole lumbar spine (rule 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Naming {
    /// The level is named, in the statement or by its scope.
    Named,
    /// "no canal stenosis at any level".
    Universal,
}

/// One claim of a text about one cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// The cell.
    pub cell: Cell,
    /// The grade claimed.
    pub grade: Grade,
    /// Stated or hedged.
    pub certainty: Certainty,
    /// Of the target itself, or of the thecal sac.
    pub directness: Directness,
    /// Level named, or universal.
    pub naming: Naming,
    /// The words that carry the claim, in the order of the text, without overlap.
    pub evidence: SmallVec<[Span; 4]>,
    /// The rules that made the statement.
    pub trace: Trace,
}
