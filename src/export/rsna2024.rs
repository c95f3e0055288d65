//! The training table of the RSNA 2024 Lumbar Spine Degenerative Classification challenge.
//!
//! `study_id` is the StudyInstanceUID, else the accession number, else the report's id: the first
//! that is known. Then come the challenge's five conditions, each at `L1-L2` to `L5-S1`. The
//! challenge has three severities and no word for what is not known: a cell is blank where it is
//! not mentioned, cannot be judged, or is stenosed to an unknown degree. Other discs, certainty
//! and conflicts have no place here.

use std::io::{self, Write};

use super::Labelled;
use super::table::{ColumnName, Row};
use crate::label::{Cell, Grade, LevelSet, Rsna3, TARGETS};

pub(super) fn header(out: &mut dyn Write) -> io::Result<()> {
    let mut row = Row::new(out);
    row.field("study_id")?;
    for condition in &TARGETS {
        for level in LevelSet::LUMBAR.iter() {
            row.display(format_args!("{}_{}", condition.rsna, ColumnName(level)))?;
        }
    }
    row.end()?;
    row.finish()
}

pub(super) fn report(labelled: &Labelled, out: &mut dyn Write) -> io::Result<()> {
    let report = labelled.report;
    let study = report.study_uid.as_ref().or(report.accession.as_ref()).unwrap_or(&report.id);
    let grade = |cell| {
        let opinion = labelled.opinions.iter().find(|opinion| opinion.cell == cell)?;
        opinion.verdict.grade()
    };
    row(study, grade, out)
}

/// The row of a study.
pub(super) fn row(
    study: &str,
    grade: impl Fn(Cell) -> Option<Grade>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut row = Row::new(out);
    row.field(study)?;
    for condition in &TARGETS {
        for level in LevelSet::LUMBAR.iter() {
            let cell = Cell { level, target: condition.target };
            row.field(grade(cell).and_then(Rsna3::derive).map_or("", Rsna3::name))?;
        }
    }
    row.end()?;
    row.finish()
}
