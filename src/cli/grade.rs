//! `grade`: studies to graded levels, fully automatically.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};

use super::model;
use super::studies::{self, Grading, StudyArgs};
use crate::engine::grader::{Calibration, Grader};

const EXAMPLES: &str = "\
Each study is segmented, named and measured as `deepspine segment` does it; then each level is cut
out of sagittal T2, sagittal T1 and axial T2, as far as they are there, and a network grades the
canal, foramina and recesses. A study's folder has what `segment` writes, with the grades in
study.json and on spine.html. For all studies together OUT gets
  grades.csv, grades.parquet, grades.jsonl   a row a target of a level: grade, probabilities, and
                                             the lowest and highest grade that cannot be excluded
  rsna2024.csv                               the layout of the RSNA 2024 challenge, a row a study
  levels.csv, failures.csv                   as of `segment`
With --store the archive keeps what was measured and graded, beside what reports say.
With --cohort studies are graded that `segment --store` or `grade --store` has kept: from the
segments in the archive, under the names that stand there, which people may have corrected. OUT is
then cohort-graded, and a study's folder has its grades in study.json alone.

The network that comes with the program has learned from invented studies alone, since no public
image has a grade: it shows the whole at work and is no judge of patients. Train one with
`deepspine train grader` on your own studies, which `deepspine link` makes a manifest of.

Examples:
  deepspine grade study.zip
  deepspine grade --each archive --grader our-grader --store
  deepspine grade --each archive --grader our-grader --coverage 0.95 -o graded
  deepspine grade --cohort narrow --grader our-grader --store";

/// What only studies that are read from files can be asked for.
const OF_FILES: [&str; 8] =
    ["studies", "each", "model", "mirrored", "masks", "thresholds", "segments", "source"];

/// Grade the canal, foramina and recesses of MRI studies.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[command(mut_arg("studies", |of| of.required(false).required_unless_present("cohort")))]
pub(super) struct Args {
    #[command(flatten)]
    studies: StudyArgs,

    /// Grade the segmented studies of this cohort out of the archive, in place of files.
    #[arg(long, value_name = "NAME", conflicts_with_all = OF_FILES)]
    cohort: Option<String>,

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
    let grading = Grading { grader, coverage };
    match &args.cohort {
        None => studies::run(&args.studies, Some(grading), "graded"),
        Some(cohort) => studies::run_cohort(&args.studies, cohort, &grading),
    }
}
