//! `train`: networks, from data.

mod calibration;
mod grader;
mod reader;
mod segmenter;

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};

use super::stop::Stop;

pub(super) use grader::tell_bad;

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
    Grader(grader::GraderArgs),
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    match &args.what {
        What::Reader(args) => reader::run(args),
        What::Calibration(args) => calibration::run(args),
        What::Segmenter(args) => segmenter::run(args),
        What::Grader(args) => grader::run(args),
    }
}

/// Takes account of a step, after which Ctrl-C ends a training.
fn stepped(bar: &ProgressBar, loss: f64, stop: &Stop) {
    bar.inc(1);
    bar.set_message(format!("loss {loss:.3}"));
    stop.here(|| {
        bar.finish_and_clear();
        eprintln!("stopped; the same command goes on from the last round");
    });
}

/// How far a training has come that has taken some of its steps before.
fn steps(all: i32, taken: i32) -> ProgressBar {
    let template = "{bar:30} {percent:>3} %, step {pos}, {per_sec}, {eta} left, {msg}";
    let bar = ProgressBar::new(all as u64)
        .with_style(ProgressStyle::with_template(template).expect("the template is valid"));
    bar.set_position(taken as u64);
    bar.reset_eta();
    bar
}
