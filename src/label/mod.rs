//! What a label is, for every reader: levels, stenosis types, targets, grades, statements,
//! opinions and readings.
//!
//! The rules reader, a transformer, the image engine and people all leave [`Reading`]s of
//! [`Opinion`]s about [`Cell`]s, so one grid shows them side by side, one function fuses them
//! and one score judges them. Nothing here reads a file, knows a clock or depends on another
//! module of the crate. The definitions follow the labelling guideline; rule numbers in the
//! docs are its numbers.

pub mod agreement;
mod belief;
mod conformal;
mod discrepancy;
mod draft;
mod fuse;
mod grade;
mod image_label;
mod level;
mod opinion;
mod ordinal;
mod reading;
mod report_label;
mod rule;
mod scheme;
mod statement;
mod status;
mod target;

pub use belief::{Belief, Outcome};
pub use conformal::{Conformal, OutcomeSet};
pub use discrepancy::discrepancy;
pub use draft::{CellEdit, Choice, Draft, Edit, EditError, Flag, How, Notes, NotesEdit};
pub use fuse::{Case, Doubt, Fusion, Ground, Seen, cases};
pub use grade::{Certainty, Grade};
pub use image_label::image_label;
pub use level::{Level, LevelSet};
pub use opinion::{Evidence, Filter, ImageEvidence, Opinion, Verdict, resolve, resolve_all, sift};
pub use ordinal::{GradeSet, LADDER, OrdinalConformal, Shares, likeliest};
pub use reading::{Context, Mode, Reader, ReaderKind, Reading, Subject};
pub use report_label::{CellLabel, ReportLabel, Vote};
pub use rule::{Rule, Trace};
pub use scheme::{DeepSpine4, Rsna3};
pub use statement::{Directness, Naming, Span, Statement};
pub use status::Status;
pub use target::{Cell, Side, StenosisType, TARGETS, Target, TargetRow};

/// A name that is not one of the allowed words, with the words that are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not a {what}; known are: {known}")]
pub struct UnknownName {
    /// What was looked for, such as `grade`.
    pub what: &'static str,
    /// The word that was found instead.
    pub found: String,
    /// Every word that would have been understood, separated by spaces.
    pub known: String,
}

impl UnknownName {
    pub(crate) fn new<T: std::fmt::Display>(
        what: &'static str,
        found: &str,
        known: impl Iterator<Item = T>,
    ) -> Self {
        let known = known.map(|k| k.to_string()).collect::<Vec<_>>().join(" ");
        Self { what, found: found.to_owned(), known }
    }
}
