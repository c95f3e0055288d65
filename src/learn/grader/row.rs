//! What is known of a level.

use std::path::{Path, PathBuf};

use super::ExamplesError;
use crate::engine::grader::Place;
use crate::export::segments::{self, Part, SegmentLabel, SegmentRow};
use crate::label::{GradeSet, Level, TARGETS, Target};

/// A level whose grades are known.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Whose it is.
    pub patient: String,
    /// Which study shows it.
    pub study: String,
    /// What it is called.
    pub level: Level,
    /// What it is for.
    pub part: Part,
    /// The file of its crops, or the folder of its study.
    pub images: PathBuf,
    /// Which grades its labels admit, by [`Target::ALL`].
    pub truths: [Option<GradeSet>; TARGETS.len()],
    /// How probably each label is of this level: as probably as the level is called so, but for what was
    /// seen on the image itself.
    pub own: [f32; TARGETS.len()],
}

impl Row {
    /// What is known of a target.
    pub const fn truth(&self, target: Target) -> Option<GradeSet> {
        self.truths[target as usize]
    }

    /// Which level of which study it is.
    pub fn place(&self) -> Place<'_> {
        Place { study: &self.study, level: self.level }
    }

    /// A row of a manifest in a folder.
    fn new(folder: &Path, row: SegmentRow) -> Self {
        let truth = |target| Some(GradeSet::admitted(row.label(target)?.grade));
        let named = row.name_probability.map_or(1.0, |probability| probability as f32);
        let own = |target| match row.label(target) {
            Some(SegmentLabel { status, .. }) if status != SegmentLabel::SEEN => named,
            _ => 1.0,
        };
        Self {
            truths: Target::ALL.map(truth),
            own: Target::ALL.map(own),
            // Who has no name is nobody else.
            patient: if row.patient.is_empty() { row.study.clone() } else { row.patient },
            study: row.study,
            level: row.level,
            part: row.split,
            images: folder.join(row.segment),
        }
    }
}

/// The levels of a manifest.
pub(super) fn of_manifest(folder: &Path) -> Result<Vec<Row>, ExamplesError> {
    let rows = segments::read(folder)?;
    Ok(rows.into_iter().map(|row| Row::new(folder, row)).collect())
}
