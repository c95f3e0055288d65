//! `grade`: studies to graded levels, fully automatically.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};

use super::model;
use super::studies::{self, Grading, StudyArgs};
use crate::engine::grader::{Calibration, Grader};

const EXAMPLES: &str = "\
Each study is segmented, named and measured as `deepspine segment` does it; then each level is cut out
of sagittal T2, sagittal T1 and axial T2, as far as they are there, and a network grades the canal,
foramina and recesses. A study's folder has what `segment` writes, with the grades in study.json and
on spine.html. For all studies together OUT gets
  grades.csv, grades.parquet, grades.jsonl   a row a target of a level: grade, probabilities, and the
                                             lowest and highest grade that cannot be excluded
  rsna2024.csv                               the layout of the RSNA 2024 challenge, a row a study
  levels.csv, failures.csv                   as of `segment`
With --store the archive keeps what was measured and graded, beside what reports say.

The network that comes with the program has learned from invented studies alone, since no public image
has a grade: it shows the whole at work and is no judge of patients. Train one with `deepspine train
grader` on your own studies, which `deepspine link` makes a manifest of.

Examples:
  deepspine grade study.zip
  deepspine grade --each archive --grader our-grader --store
  deepspine grade --each archive --grader our-grader --coverage 0.95 -o graded";

/// Grade the canal, foramina and recesses of MRI studies.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    studies: StudyArgs,

    /// The folder of the network that grades; if not given, the one that comes with the program.
    #[arg(long, value_name = "FOLDER")]
    grader: Option<PathBuf>,

    /// How often sets of grades shall hold the truth: 0.8, 0.9 or 0.95.
    #[arg(long, default_value_t = 0.9, value_name = "SHARE")]
    coverage: f64,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let coverage = Calibration::COVERAGES.iter().position(|&known| known == args.coverage);
    let coverage = coverage.with_context(|| {
        format!("sets are calibrated for {:?}, not for {}", Calibration::COVERAGES, args.coverage)
    })?;
    let folder = model::folder("grader", "--grader", args.grader.as_deref())?;
    let grader = Grader::load(&folder, args.studies.device)?;
    studies::run(&args.studies, Some(Grading { grader, coverage }), "graded")
}
