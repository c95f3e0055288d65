//! `segment`: studies to named and measured levels, with pictures.

use std::process::ExitCode;

use anyhow::Result;

use super::studies::{self, StudyArgs};

const EXAMPLES: &str = "\
A study is a folder or a zip of DICOM files, a volume (.nii, .nii.gz, .mha, .mhd), or a folder of
pictures with spacing.json. For each, its folder in OUT gets
  study.json    series, levels with centres, names, measures and confidences, refusals
  mask.nii.gz   from the lowest up, vertebrae 1, 2, ... and discs 201, 202, ...; the canal is 100
  mask.dcm      the same as a DICOM segmentation, where the study is DICOM
  spine.html    pictures and measures on one page
  median.svg    the spine from the side
  segments/     with --segments, disc-1.npz (the lowest), disc-2.npz, ...: crops of sagittal T2,
                sagittal T1 and axial T2, 0.5 and 0.4 mm pixels, each with its affine
OUT/levels.csv has a row for each level of all of them. What cannot be segmented is listed in
OUT/failures.csv and ends nothing. Studies that OUT has already are not segmented again: a run
that was stopped goes on with the same command.

A level's central stenosis is graded by the least area of its dural sac. Other areas than the
usual ones can be given as a file of three lines:
  normal = 130    # mm2 and more
  mild = 100
  moderate = 75   # less is severe

Examples:
  deepspine segment study.zip
  deepspine segment study1 study2.nii.gz -o measured
  deepspine segment --each archive -o measured   # every entry of the folder `archive` is a study
  deepspine segment --each archive --store       # ./deepspine-data keeps levels and measures too";

/// Find, name and measure the levels of MRI studies.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    studies: StudyArgs,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    studies::run(&args.studies, None, "segmented")
}
