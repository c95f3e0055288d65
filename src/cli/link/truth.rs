//! Grades that are known otherwise than by reports, such as those of simulated studies.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result};

use super::tables;
use crate::export::segments::{SegmentLabel, TargetLabel};
use crate::label::{Cell, Grade, Level, Target};

/// How a label is known that comes from such a table.
const STATUS: &str = "truth";

/// The grade of each cell of each study.
pub(super) struct Truth(HashMap<String, HashMap<Cell, Grade>>);

impl Truth {
    /// Reads a CSV with the columns `study_uid`, `level`, `target` and `grade`; others are passed over.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let unreadable = || format!("`{}` cannot be read as a table of grades", path.display());
        let mut table = tables::open(path).with_context(unreadable)?;
        let header = table.headers().with_context(unreadable)?.clone();
        let column = |name: &str| {
            let place = header.iter().position(|own| own.trim() == name);
            place.with_context(|| format!("`{}` has no column `{name}`", path.display()))
        };
        let columns = [column("study_uid")?, column("level")?, column("target")?, column("grade")?];
        let mut truth: HashMap<String, HashMap<Cell, Grade>> = HashMap::new();
        for record in table.records() {
            let record = record.with_context(unreadable)?;
            let place = || format!("`{}`, line {}", path.display(), tables::line(&record));
            let [study, level, target, grade] =
                columns.map(|column| record.get(column).unwrap_or_default().trim());
            let cell = Cell {
                level: level.parse().with_context(place)?,
                target: target.parse().with_context(place)?,
            };
            let grade = grade.parse().with_context(place)?;
            truth.entry(study.to_owned()).or_default().insert(cell, grade);
        }
        Ok(Self(truth))
    }

    /// What is known of each target of a level.
    pub(super) fn targets(&self, study: &str, level: Level) -> [TargetLabel; Target::ALL.len()] {
        let of_study = self.0.get(study);
        Target::ALL.map(|target| {
            let grade = of_study.and_then(|cells| cells.get(&Cell { level, target }));
            let label = grade.map(|&grade| SegmentLabel { grade, status: STATUS.to_owned() });
            TargetLabel { label, opinions: Vec::new() }
        })
    }
}
