//! `train`: networks, from data.

mod calibration;
mod reader;
mod segmenter;

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

/// Train a network.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Reader(reader::ReaderArgs),
    Calibration(calibration::CalibrationArgs),
    Segmenter(segmenter::SegmenterArgs),
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    match &args.what {
        What::Reader(args) => reader::run(args),
        What::Calibration(args) => calibration::run(args),
        What::Segmenter(args) => segmenter::run(args),
    }
}
