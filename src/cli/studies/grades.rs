//! Tables of the grades of all studies, out of their records.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::export::grades::{FORMATS, GradeRow};
use crate::label::{Grade, Level, Target};
use crate::pipeline::grading::TargetGrade;
use crate::pipeline::study::GraderRecord;

/// What of a study's record tables are made of.
#[derive(Serialize, Deserialize)]
pub(super) struct Graded {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) study_uid: Option<String>,
    pub(super) study: String,
    /// Which of the archive's runs its levels are of, where they come from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) run: Option<u32>,
    /// From head to foot.
    pub(super) levels: Vec<GradedLevel>,
    pub(super) grader: GraderRecord,
}

/// A level, as [`crate::pipeline::study::LevelRecord`] has it.
#[derive(Serialize, Deserialize)]
pub(super) struct GradedLevel {
    pub(super) ordinal: u8,
    pub(super) level: Option<Level>,
    pub(super) confidence: Option<f64>,
    pub(super) central: Option<Grade>,
    #[serde(default)]
    pub(super) grades: Vec<TargetGrade>,
}

/// Writes every table of studies whose records are in their folders.
pub(super) fn write<'a>(
    output: &Path,
    studies: impl Iterator<Item = &'a str>,
    record_of: impl Fn(&str) -> PathBuf,
) -> Result<()> {
    let unwritable = || format!("the grades cannot be written into `{}`", output.display());
    let create = |file: &str| File::create(output.join(file));
    let mut writers = FORMATS
        .iter()
        .map(|format| format.create(Box::new(create(format.file)?)))
        .collect::<std::io::Result<Vec<_>>>()
        .with_context(unwritable)?;
    for study in studies {
        let path = record_of(study);
        let unreadable = || format!("`{}` cannot be read", path.display());
        let file = BufReader::new(File::open(&path).with_context(unreadable)?);
        let graded: Graded = serde_json::from_reader(file).with_context(unreadable)?;
        for row in rows(graded) {
            writers.iter_mut().try_for_each(|out| out.write(&row)).with_context(unwritable)?;
        }
    }
    writers.into_iter().try_for_each(|writer| writer.finish()).with_context(unwritable)
}

/// The rows of a study. A level without a name has none.
fn rows(study: Graded) -> impl Iterator<Item = GradeRow> {
    let name = study.study_uid.unwrap_or(study.study);
    let levels = study.levels.into_iter().filter_map(|level| Some((level.level?, level)));
    levels.flat_map(move |(name_of, level)| {
        let study = name.clone();
        level.grades.into_iter().map(move |of| GradeRow {
            study: study.clone(),
            level: name_of,
            ordinal: level.ordinal,
            name_probability: level.confidence,
            target: of.target,
            grade: of.grade,
            probabilities: of.probabilities,
            may_be: of.may_be,
            measured: level.central.filter(|_| of.target == Target::Central),
        })
    })
}
