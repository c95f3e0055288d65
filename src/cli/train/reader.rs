//! `train reader`: the transformer, on dictated reports and on labels of people.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::value_parser;

use super::{stepped, steps};
use crate::cli::gold;
use crate::cli::lexicon::LexiconArgs;
use crate::cli::model::share;
use crate::cli::stop::Stop;
use crate::engine::Device;
use crate::learn::Gold;
use crate::learn::reader::{Course, Order, Point, Source, Start};

const EXAMPLES: &str = "\
Examples:
  scripts/minilm minilm                               # fetches the encoder to start from, once
  deepspine train reader --base minilm -o reader
  deepspine train reader --base minilm -o reader      # stopped? goes on where it was
  deepspine train reader ours.jsonl --check apart.jsonl --base minilm -o reader
  deepspine train reader ours.jsonl --check apart.jsonl --from models/reader -o reader \\
    --rate 0.00005

The last one fits a trained reader to your reports, and needs nothing from outside.
A training that is stopped goes on from its last round when the same command is given again.";

/// Train the transformer that reads reports.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ReaderArgs {
    /// Labelled reports to learn from beside the dictated ones, as gold files.
    #[arg(value_name = "GOLD.jsonl")]
    gold: Vec<PathBuf>,

    /// Labelled reports that are kept from learning, as gold files: every round is judged on them. Others
    /// with the same text are not learned from.
    #[arg(long, value_name = "GOLD.jsonl")]
    check: Vec<PathBuf>,

    /// The folder of the encoder to start from: config.json, vocab.txt, model.safetensors.
    #[arg(long, value_name = "FOLDER", required_unless_present = "from")]
    base: Option<PathBuf>,

    /// The folder of a trained reader to start from instead: weights.safetensors, vocab.txt,
    /// config.json.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["base", "pieces"])]
    from: Option<PathBuf>,

    /// Where the model and its checkpoints go.
    #[arg(short, long, value_name = "FOLDER")]
    output: PathBuf,

    /// Decides everything: the same seed trains the same model on the same machine.
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,

    /// How many steps to take in all.
    #[arg(long, default_value_t = 2_400, value_name = "N", value_parser = value_parser!(i32).range(1..))]
    steps: i32,

    /// How many tokens a step learns from.
    #[arg(long, default_value_t = 2048, value_name = "N")]
    tokens: usize,

    /// How many dictated reports make a round, after which progress is judged, on half as many others,
    /// and kept.
    #[arg(long, default_value_t = 1_200, value_name = "N", value_parser = value_parser!(u64).range(20..))]
    reports: u64,

    /// Stop early after this many rounds without progress on held-out phrases.
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = value_parser!(u64).range(1..))]
    patience: u64,

    /// How many word pieces the model may know: 10,500 make a model of 30 MB.
    #[arg(long, default_value_t = 10_500, value_name = "N")]
    pieces: usize,

    /// The highest learning rate.
    #[arg(long, default_value_t = 2e-4, value_name = "RATE", value_parser = share)]
    rate: f64,

    /// What to train on: cpu, cuda, cuda:1.
    #[arg(long, default_value = "cpu", value_name = "DEVICE")]
    device: Device,

    #[command(flatten)]
    lexicon: LexiconArgs,
}

pub(super) fn run(args: &ReaderArgs) -> Result<ExitCode> {
    let mut sources = Vec::new();
    let order = Order {
        start: start(args),
        folder: args.output.clone(),
        seed: args.seed,
        steps: args.steps,
        tokens: args.tokens,
        reports: args.reports,
        rate: args.rate,
        gold: read(&args.gold, true, &mut sources)?,
        check: read(&args.check, false, &mut sources)?,
        sources,
        patience: args.patience,
        device: args.device,
    };
    let mut course = Course::open(order, args.lexicon.extractor_for_network()?)?;
    if let left_out @ 1.. = course.record().left_out {
        eprintln!("not learned from: {left_out} reports whose text stands in --check too");
    }
    let stop = Stop::listen()?;
    let bar = steps(args.steps, course.record().steps);
    while !course.is_over() {
        let point = course.round(|loss| stepped(&bar, loss, &stop))?;
        let rounds = course.record().rounds;
        bar.suspend(|| tell(rounds, &point));
    }
    bar.finish_and_clear();
    eprintln!("calibrating");
    course.calibrate(|_| {
        stop.here(|| eprintln!("stopped; the same command calibrates what is trained"));
    })?;
    println!("{}", args.output.display());
    Ok(ExitCode::SUCCESS)
}

fn start(args: &ReaderArgs) -> Start {
    let base = args.base.clone().map(|base| Start::Encoder { base, pieces: args.pieces });
    args.from.clone().map(Start::Reader).or(base).expect("the parser asks for one of the two")
}

/// The reports of files, each of which is noted as a source.
fn read(paths: &[PathBuf], learned_from: bool, sources: &mut Vec<Source>) -> Result<Vec<Gold>> {
    let mut all = Vec::new();
    for path in paths {
        let gold = gold::read(std::slice::from_ref(path))?;
        sources.push(gold::source(path, gold.len(), learned_from)?);
        all.extend(gold);
    }
    Ok(all)
}

fn tell(rounds: u64, point: &Point) {
    let Point { steps, loss, held_out, check } = point;
    eprint!(
        "round {rounds:>4}, step {steps:>6}: loss {loss:.4}; on held-out phrases loss {:.4}, strict \
         F1 {:.4}",
        held_out.loss,
        held_out.f1(),
    );
    match check.gold {
        0 => eprintln!(),
        _ => eprintln!("; on reports kept from learning {:.4}", check.f1()),
    }
}
