//! `train grader`: the network that grades levels, on levels whose grades are known.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::value_parser;
use indicatif::{ProgressBar, ProgressStyle};

use super::{stepped, steps};
use crate::cli::model::share;
use crate::cli::stop::Stop;
use crate::engine::Device;
use crate::engine::grader::{Config, Grader, Inputs, Scale};
use crate::export::segments::Part;
use crate::label::{StenosisType, TARGETS};
use crate::learn::grader::{Bad, Course, Examples, Order, Point};

const EXAMPLES: &str = "\
Examples:
  deepspine train grader dataset -o grader
  deepspine train grader dataset -o grader                # stopped? goes on where it was
  deepspine train grader rsna-2024 -o grader --steps 9000
  deepspine train grader dataset -o canal --targets central --inputs axial
  deepspine train grader ours --from models/grader -o grader --rate 0.0005
  deepspine train grader dataset --check ours --from models/grader -o grader --steps 0

A dataset is what `deepspine link` writes: a folder with manifest.csv, whose rows are levels, and
the NPZ files of their crops. Any of its crops may be missing, and so may labels.

A folder of the RSNA 2024 challenge has train.csv, train_series_descriptions.csv,
train_label_coordinates.csv and train_images. Its patients are split 70:15:15 by the seed.

Rounds are judged on the patients of validate, and the model is calibrated on them. Those of test
are left alone, for `deepspine evaluate grader`.
With --check all levels of that folder are judged and calibrated on in their place: sets of grades
hold what they promise on studies that came about as those did. Without a step, a model is
calibrated anew and else left as it is.
A training that is stopped goes on from its last round when the same command is given again.";

/// What only a network that begins from nothing can be asked for.
const SHAPE: [&str; 5] = ["inputs", "targets", "ordered", "single_task", "context"];

/// Train the network that grades the canal, foramina and recesses of levels.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct GraderArgs {
    /// The folder of levels: with manifest.csv, or one of the RSNA 2024 challenge.
    #[arg(value_name = "FOLDER")]
    data: PathBuf,

    /// The folder of a model whose shape and weights to begin with, to go on with it or to fit it to
    /// other scanners.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = SHAPE)]
    from: Option<PathBuf>,

    /// A folder of levels to judge and to calibrate on, in place of those for it in FOLDER.
    #[arg(long, value_name = "FOLDER")]
    check: Option<PathBuf>,

    /// Where the model and its checkpoints go.
    #[arg(short, long, value_name = "FOLDER")]
    output: PathBuf,

    /// Which crops to look at: axial, sagittal or both.
    #[arg(long, default_value = "both", value_name = "CROPS")]
    inputs: Inputs,

    /// What to grade: central, foraminal, recess, or several of them, such as central,recess.
    #[arg(
        long,
        default_value = "central,foraminal,recess",
        value_delimiter = ',',
        value_name = "TYPES"
    )]
    targets: Vec<StenosisType>,

    /// Grade along one line with bounds between the grades, in place of four grades side by side.
    #[arg(long)]
    ordered: bool,

    /// Grade each stenosis type with branches of its own, which learn it alone: slower.
    #[arg(long)]
    single_task: bool,

    /// Look at the levels above and below each too.
    #[arg(long)]
    context: bool,

    /// How much more rare grades count: 0 not at all, 1 until all grades count the same.
    #[arg(long, default_value_t = 0.7, value_name = "POWER", value_parser = balance)]
    balance: f64,

    /// Decides everything: the same seed trains the same model on the same machine.
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,

    /// How many steps to take in all.
    #[arg(long, default_value_t = 1_600, value_name = "N", value_parser = value_parser!(i32).range(0..))]
    steps: i32,

    /// How many steps make a round, after which progress is judged and kept.
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = value_parser!(i32).range(1..))]
    round: i32,

    /// How many levels a step learns from.
    #[arg(long, default_value_t = 16, value_name = "N", value_parser = value_parser!(u16).range(1..))]
    batch: u16,

    /// The highest learning rate.
    #[arg(long, default_value_t = 2e-3, value_name = "RATE", value_parser = share)]
    rate: f64,

    /// What to train on: cpu, cuda, cuda:1.
    #[arg(long, default_value = "cpu", value_name = "DEVICE")]
    device: Device,
}

/// The power that the rarity of grades is raised to.
fn balance(argument: &str) -> Result<f64> {
    let power: f64 = argument.parse()?;
    anyhow::ensure!((0.0..=1.0).contains(&power), "write a number from 0 to 1");
    Ok(power)
}

pub(super) fn run(args: &GraderArgs) -> Result<ExitCode> {
    let template = "{bar:30} {percent:>3} %, {pos} levels read, {per_sec}, {eta} left";
    let bar = ProgressBar::new(0)
        .with_style(ProgressStyle::with_template(template).expect("the template is valid"));
    let opened = Course::open(&args.data, order(args)?, |done, all| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    let mut course = opened?;
    let (examples, record) = (course.examples(), course.record());
    tell_examples(examples);
    eprintln!(
        "learning from {} levels of {} patients, judging on {} patients",
        record.levels,
        examples.patients(Part::Train).len(),
        record.held_out.len(),
    );
    let stop = Stop::listen()?;
    let bar = steps(args.steps, record.steps);
    while !course.is_over() {
        let point = course.round(|loss| stepped(&bar, loss, &stop))?;
        let rounds = course.record().rounds;
        bar.suspend(|| tell(rounds, &point));
    }
    bar.finish_and_clear();
    course.calibrate().context("the model is trained, but not calibrated")?;
    println!("{}", args.output.display());
    Ok(ExitCode::SUCCESS)
}

fn order(args: &GraderArgs) -> Result<Order> {
    Ok(Order {
        from: args.from.clone(),
        check: args.check.clone(),
        folder: args.output.clone(),
        seed: args.seed,
        steps: args.steps,
        round: args.round,
        batch: usize::from(args.batch),
        rate: args.rate,
        balance: args.balance,
        network: match &args.from {
            Some(model) => Grader::config(model)?,
            None => network(args),
        },
        device: args.device,
    })
}

/// The network that is asked for.
fn network(args: &GraderArgs) -> Config {
    let mut types = args.targets.clone();
    types.sort();
    types.dedup();
    Config {
        inputs: args.inputs,
        types,
        scale: if args.ordered { Scale::Ordered } else { Scale::Categories },
        context: args.context,
        single_task: args.single_task,
        ..Config::default()
    }
}

/// Complaints beyond these are only counted.
const COMPLAINTS: usize = 10;

/// Says what could not be used.
pub(in crate::cli) fn tell_bad(bad: &[Bad]) {
    for Bad { place, reason } in bad.iter().take(COMPLAINTS) {
        eprintln!("left out: {place}: {reason}");
    }
    if let Some(more) = bad.len().checked_sub(COMPLAINTS).filter(|more| *more > 0) {
        eprintln!("left out: {more} more");
    }
}

/// Says which levels could not be used, and what is known of the others.
fn tell_examples(examples: &Examples) {
    tell_bad(&examples.bad);
    if examples.without > 0 {
        eprintln!("{} levels have no label or no crop of what is wanted", examples.without);
    }
    for target in &TARGETS {
        let of = |row: &crate::learn::grader::Row| row.truth(target.target).is_some();
        let labels = examples.rows.iter().filter(|row| of(row)).count();
        eprintln!("{:<16} {labels:>6} labels", target.name);
    }
}

fn tell(rounds: u64, point: &Point) {
    eprint!(
        "round {rounds:>4}, step {:>6}: loss {:.4}; class average on held-out patients",
        point.steps, point.loss
    );
    for (of, right) in &point.right {
        match right {
            Some(right) => eprint!(" {of} {:.1} %", 100.0 * right),
            None => eprint!(" {of} –"),
        }
    }
    eprintln!();
}
