//! `train calibration`: how far to trust a trained reader, anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::value_parser;
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::lexicon::LexiconArgs;
use crate::cli::{gold, reader};
use crate::engine::Device;
use crate::engine::encoder::{Calibration, Reader};
use crate::learn::reader::{calibrate, dictated};

const EXAMPLES: &str = "\
Examples:
  deepspine train calibration ours.jsonl -o reader
  deepspine extract reports.csv --reader fused --model reader

The weights stay as they are. Learned anew, from the reports given and from half of the dictated
ones: how warm probabilities are, which passages need not be read, and how far rules and
transformer are trusted where they differ. From how probable on an outcome may be true is learned
from the other half of the dictated ones alone, as a few reports do not tell it; so sets of
outcomes hold the true one as often as asked for on text like theirs. The bundled reader was
calibrated on 211 labelled reports.";

/// Learn anew how far to trust the reader, from labelled reports that it was not trained on.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct CalibrationArgs {
    /// Labelled reports that the weights were not trained on, as gold files.
    #[arg(value_name = "GOLD.jsonl", required = true)]
    gold: Vec<PathBuf>,

    /// The folder of the reader; if not given, the one that comes with the program.
    #[arg(long, value_name = "FOLDER")]
    model: Option<PathBuf>,

    /// Where the reader goes with its new calibration.
    #[arg(short, long, value_name = "FOLDER")]
    output: PathBuf,

    /// Decides which dictated reports it is calibrated on.
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,

    /// How many dictated reports it is calibrated on beside those given. From few, sets of outcomes are
    /// larger than they need be.
    #[arg(long, default_value_t = 4_800, value_name = "N", value_parser = value_parser!(u64).range(20..))]
    reports: u64,

    /// What the transformer runs on: cpu, cuda, cuda:1.
    #[arg(long, default_value = "cpu", value_name = "DEVICE")]
    device: Device,

    #[command(flatten)]
    lexicon: LexiconArgs,
}

pub(super) fn run(args: &CalibrationArgs) -> Result<ExitCode> {
    let gold = gold::read(&args.gold)?;
    // Before the work, which takes minutes: a folder that cannot be made would lose it.
    let output = &args.output;
    ensure!(!output.is_file(), "`{}` is a file; name a folder", output.display());
    fs::create_dir_all(output)
        .context("cannot be made; give a folder that you may write to")
        .with_context(|| format!("`{}`", output.display()))?;
    let model = reader::folder(args.model.as_deref())?;
    let reader = Reader::load(&model, args.device)?.uncalibrated();
    let mut extractor = args.lexicon.extractor_for_network()?;
    let dictated = dictated(args.seed, args.reports);
    let template = "{bar:30} {percent:>3} %, {pos} reports, {per_sec}, {eta} left";
    let bar = ProgressBar::new((gold.len() + dictated.len()) as u64)
        .with_style(ProgressStyle::with_template(template).expect("the template is valid"));
    let calibration =
        calibrate(reader, &mut extractor, &dictated, &gold, |reports| bar.inc(reports as u64));
    bar.finish_and_clear();
    write(&model, output, &calibration)?;
    println!("{}", output.display());
    Ok(ExitCode::SUCCESS)
}

/// Puts the model with another calibration into a folder, each file whole or not at all.
fn write(model: &Path, output: &Path, calibration: &Calibration) -> Result<()> {
    if !is_same(model, output)? {
        for file in Reader::FILES {
            let to = output.join(file);
            let beside = to.with_extension("new");
            fs::copy(model.join(file), &beside)
                .and_then(|_| fs::rename(&beside, &to))
                .with_context(|| format!("`{}`", to.display()))?;
        }
    }
    calibration
        .save(output)
        .with_context(|| format!("`{}`", output.join(Calibration::FILE).display()))
}

fn is_same(model: &Path, output: &Path) -> Result<bool> {
    Ok(fs::canonicalize(model)? == fs::canonicalize(output)?)
}
