//! `train segmenter`: the U-Net, on slices with masks.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::value_parser;

use super::{stepped, steps};
use crate::cli::model::{millimetres, share};
use crate::cli::stop::Stop;
use crate::engine::Device;
use crate::engine::unet::Config;
use crate::imaging::Tissue;
use crate::learn::segmenter::{Course, Order, Point};

const EXAMPLES: &str = "\
Examples:
  deepspine train segmenter spider_space -o segmenter
  deepspine train segmenter spider_space -o segmenter      # stopped? goes on where it was
  deepspine train segmenter ours --pixel 0.6 --apart 4.4 -o segmenter

A folder of slices has `images` and `masks` with PNG files of the same names, SUBJECT_slice17.png.
Masks have 0 for background, 29 for discs, 76 for vertebrae and 150 for the spinal canal.
A training that is stopped goes on from its last round when the same command is given again.";

/// Train the network that finds vertebrae, discs and canal.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct SegmenterArgs {
    /// The folder of sagittal slices and their masks.
    #[arg(value_name = "FOLDER")]
    slices: PathBuf,

    /// The folder of a model whose weights to begin with, to go on with it or to fit it to other
    /// scanners.
    #[arg(long, value_name = "FOLDER")]
    from: Option<PathBuf>,

    /// Where the model and its checkpoints go.
    #[arg(short, long, value_name = "FOLDER")]
    output: PathBuf,

    /// The width of the slices' pixels.
    #[arg(long, default_value_t = 0.468_75, value_name = "MM", value_parser = millimetres)]
    pixel: f64,

    /// How far slices whose numbers follow each other are apart.
    #[arg(long, default_value_t = 0.9, value_name = "MM", value_parser = millimetres)]
    apart: f64,

    /// Decides everything: the same seed trains the same model on the same machine.
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,

    /// The share of subjects that is kept from learning and judged on.
    #[arg(long, default_value_t = 0.2, value_name = "SHARE", value_parser = share)]
    held_out: f64,

    /// How many steps to take in all.
    #[arg(long, default_value_t = 6_000, value_name = "N", value_parser = value_parser!(i32).range(0..))]
    steps: i32,

    /// How many steps make a round, after which progress is judged and kept.
    #[arg(long, default_value_t = 250, value_name = "N", value_parser = value_parser!(i32).range(1..))]
    round: i32,

    /// How many views of slices a step learns from.
    #[arg(long, default_value_t = 8, value_name = "N", value_parser = value_parser!(u16).range(1..))]
    views: u16,

    /// Pixels on a side of a view.
    #[arg(long, default_value_t = 448, value_name = "N")]
    side: i64,

    /// The highest learning rate.
    #[arg(long, default_value_t = 2e-3, value_name = "RATE", value_parser = share)]
    rate: f64,

    /// What to train on: cpu, cuda, cuda:1.
    #[arg(long, default_value = "cpu", value_name = "DEVICE")]
    device: Device,
}

pub(super) fn run(args: &SegmenterArgs) -> Result<ExitCode> {
    let mut course = Course::open(Order {
        slices: args.slices.clone(),
        pixel: args.pixel,
        apart: args.apart,
        from: args.from.clone(),
        folder: args.output.clone(),
        seed: args.seed,
        held_out: args.held_out,
        steps: args.steps,
        round: args.round,
        views: usize::from(args.views),
        side: args.side,
        rate: args.rate,
        network: Config::default(),
        device: args.device,
    })?;
    let stop = Stop::listen()?;
    let record = course.record();
    eprintln!(
        "{} slices; learning from {} subjects, judging on {}: {}",
        record.slices,
        record.learned_from.len(),
        record.held_out.len(),
        record.held_out.join(", "),
    );
    let bar = steps(args.steps, record.steps);
    while !course.is_over() {
        let point = course.round(|loss| stepped(&bar, loss, &stop))?;
        let rounds = course.record().rounds;
        bar.suspend(|| tell(rounds, &point));
    }
    bar.finish_and_clear();
    println!("{}", args.output.display());
    Ok(ExitCode::SUCCESS)
}

fn tell(rounds: u64, point: &Point) {
    eprint!("round {rounds:>4}, step {:>6}: loss {:.4}; held-out Dice", point.steps, point.loss);
    for (tissue, dice) in Tissue::FOREGROUND.iter().zip(point.dice) {
        eprint!(" {} {dice:.4}", tissue.name());
    }
    eprintln!();
}
