//! `evaluate grader`: how well levels are graded, by the engine or by any other reader.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};

use super::as_json;
use super::table::{aligned, ratio};
use crate::cli::model;
use crate::cli::output::stdout;
use crate::cli::train::tell_bad;
use crate::engine::Device;
use crate::engine::grader::{Calibration, Config, Grader, Inputs};
use crate::export::segments::Part;
use crate::label::{GradeSet, StenosisType};
use crate::learn::grader::{Examples, Outside, Record, Row, rows};
use crate::learn::scores::{GradeScores, Group, Judged, grade_scores};
use crate::learn::{Bootstrap, Ratio};

const MEASURES: &str = "\
Measures, over cells whose label is of one grade:
  right     the share that is graded right
  average   class-average accuracy: the mean over grades of the share of their cells graded right
  balanced  moderate and severe told from normal and mild: mean of sensitivity and specificity
  κ         Cohen's, with quadratic weights; --json has linear weights too
  AUC       each grade against the rest, the mean over grades
and over all cells with a label:
  log loss  that of the RSNA 2024 challenge: moderate counts twice, severe four times
  ECE       expected calibration error of the most probable grade, in percent
  sets      how often sets of grades hold a true one, and how many grades they have, by coverage

Where labels do not part normal from mild, as those of the RSNA 2024 challenge, grades are three.
Intervals hold 95 % of resamples of patients.

Patients that the model learned from or was calibrated on are left out, unless all are asked for.

Another reader's grades are scored where a table of them is given:
  study,level,target,grade,p_normal,p_mild,p_moderate,p_severe
  s1,L4-L5,central,moderate,0.02,0.2,0.7,0.08
where probabilities may be missing, and grade may be empty where they are not.

Examples:
  deepspine evaluate grader dataset
  deepspine evaluate grader dataset --split test --json | jq '.groups[0].class_average'
  deepspine evaluate grader ours --model grader
  deepspine evaluate grader ours --inputs sagittal   # how well it does without axial slices
  deepspine evaluate grader ours --readings radiologist.csv";

/// Score a grader, or any other reader of images, against grades that are known.
#[derive(Debug, clap::Args)]
#[command(after_help = MEASURES)]
pub(super) struct GraderArgs {
    /// The folder of levels, as `train grader` reads it.
    #[arg(value_name = "FOLDER")]
    known: PathBuf,

    /// The folder of the grader; if not given, the one that comes with the program.
    #[arg(long, value_name = "FOLDER", conflicts_with = "readings")]
    model: Option<PathBuf>,

    /// Score another reader's grades instead.
    #[arg(long, value_name = "TABLE.csv")]
    readings: Option<PathBuf>,

    /// Show the grader only these crops, and withhold the others: axial, sagittal or both.
    #[arg(long, default_value = "both", value_name = "CROPS", conflicts_with = "readings")]
    inputs: Inputs,

    /// Score only levels of this split: train, validate or test.
    #[arg(long, value_name = "SPLIT")]
    split: Option<Part>,

    /// Score patients that the model learned from too.
    #[arg(long)]
    all: bool,

    /// Print JSON.
    #[arg(long)]
    json: bool,

    /// How many resamples to take intervals from; 0 for no intervals.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    bootstrap: usize,

    /// Where the random numbers of the resamples start, and how patients of the RSNA 2024 challenge
    /// are split.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,

    /// What the network runs on: cpu, cuda, cuda:1.
    #[arg(long, default_value = "cpu", value_name = "DEVICE")]
    device: Device,
}

pub(super) fn run(args: &GraderArgs) -> Result<ExitCode> {
    let (judged, coverages): (Vec<Judged>, &[f64]) = match &args.readings {
        Some(path) => (read(args, path)?, &[]),
        None => (graded(args)?, &Calibration::COVERAGES),
    };
    let bootstrap =
        (args.bootstrap > 0).then_some(Bootstrap { resamples: args.bootstrap, seed: args.seed });
    let scores = grade_scores(&judged, coverages, bootstrap);
    print(&scores, args.json).context("the results cannot be printed")?;
    Ok(ExitCode::SUCCESS)
}

/// What another reader made of the levels.
fn read(args: &GraderArgs, path: &Path) -> Result<Vec<Judged>> {
    let (mut rows, bad) = rows(&args.known, args.seed)?;
    tell_bad(&bad);
    rows.retain(|row| args.split.is_none_or(|part| row.part == part));
    let outside = Outside::read(path)?;
    tell_bad(&outside.bad);
    let (judged, missed) = outside.judged(&rows);
    let other = outside.cells.len() - judged.len();
    if missed + other > 0 {
        eprintln!(
            "{missed} labels are not graded in `{}`; {other} of its grades have no label",
            path.display()
        );
    }
    ensure!(
        !judged.is_empty(),
        "`{}` grades none of the levels of `{}`; study, level and target have to be the same words",
        path.display(),
        args.known.display()
    );
    Ok(judged)
}

/// What the engine makes of the levels.
fn graded(args: &GraderArgs) -> Result<Vec<Judged>> {
    let folder = model::folder("grader", "--model", args.model.as_deref())?;
    let grader = Grader::load(&folder, args.device)?;
    let bar = bar();
    let shown = Config { inputs: args.inputs, ..grader.shape().clone() };
    let examples = Examples::read(&args.known, &shown, args.seed, |done, all| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    })?;
    tell_bad(&examples.bad);
    let seen: Vec<String> = match Record::read(&folder)? {
        Some(record) if !args.all => [record.learned_from, record.held_out].concat(),
        _ => Vec::new(),
    };
    let is_wanted = |row: &Row| args.split.is_none_or(|part| row.part == part);
    let wanted: Vec<usize> =
        (0..examples.rows.len()).filter(|&at| is_wanted(&examples.rows[at])).collect();
    let (left_out, scored): (Vec<usize>, Vec<usize>) =
        wanted.into_iter().partition(|&at| seen.contains(&examples.rows[at].patient));
    if !left_out.is_empty() {
        eprintln!(
            "{} levels are left out, as the model has seen their patients; score them all the same \
             with --all",
            left_out.len()
        );
    }
    ensure!(!scored.is_empty(), "`{}` has no level to score", args.known.display());
    bar.set_length(scored.len() as u64);
    bar.set_position(0);
    let mut judged = Vec::new();
    let level = |&at: &usize| (examples.rows[at].place(), &examples.inputs[at]);
    let levels: Vec<_> = scored.iter().map(level).collect();
    let grades = grader.grade_inputs(&levels, |some| bar.inc(some as u64));
    for (&at, graded) in scored.iter().zip(grades) {
        judged.extend(examples.rows[at].graded(&graded.unwrap_or_default()));
    }
    bar.finish_and_clear();
    Ok(judged)
}

fn bar() -> ProgressBar {
    let template = "{bar:30} {percent:>3} %, {pos} levels, {per_sec}, {eta} left";
    ProgressBar::new(0)
        .with_style(ProgressStyle::with_template(template).expect("the template is valid"))
}

fn print(scores: &GradeScores, json: bool) -> io::Result<()> {
    let mut out = BufWriter::new(stdout());
    if json {
        return as_json(&mut out, scores);
    }
    measures(scores, &mut out)?;
    if scores.groups.iter().any(|group| !group.sets.is_empty()) {
        sets(scores, &mut out)?;
    }
    for group in scores.groups.iter().filter(|group| is_type(&group.group)) {
        confused(scores, group, &mut out)?;
    }
    if let Some(rsna) = &scores.rsna {
        writeln!(out, "RSNA 2024 score {:.4}", rsna.score)?;
    }
    out.flush()
}

fn is_type(group: &str) -> bool {
    StenosisType::ALL.iter().any(|of| of.name() == group)
}

/// Groups of the terminal; those of levels and types are in JSON alone.
fn shown(scores: &GradeScores) -> impl Iterator<Item = &Group> {
    scores.groups.iter().filter(|group| !group.group.contains('/'))
}

fn measures(scores: &GradeScores, out: &mut impl Write) -> io::Result<()> {
    let columns = ["group", "cells", "right", "average", "balanced", "κ", "AUC", "log loss", "ECE"];
    let mut table = vec![columns.map(str::to_owned).to_vec()];
    for group in shown(scores) {
        table.push(vec![
            group.group.clone(),
            group.cells.to_string(),
            ratio(&group.accuracy),
            ratio(&group.class_average),
            ratio(&group.balanced),
            number(&group.kappa_quadratic),
            number(&group.auc),
            number(&group.log_loss),
            ratio(&group.calibration_error),
        ]);
    }
    aligned(&table, out)?;
    writeln!(out)
}

fn sets(scores: &GradeScores, out: &mut impl Write) -> io::Result<()> {
    let asked = |coverage: &f64| format!("sets at {:.0} %: held, size", 100.0 * coverage);
    let heading = ["group".to_owned()].into_iter().chain(scores.coverages.iter().map(asked));
    let mut table: Vec<Vec<String>> = vec![heading.collect()];
    for group in shown(scores) {
        let did = group.sets.iter().map(|set| format!("{}, {:.2}", ratio(&set.held), set.size));
        table.push([group.group.clone()].into_iter().chain(did).collect());
    }
    aligned(&table, out)?;
    writeln!(out)
}

fn confused(scores: &GradeScores, group: &Group, out: &mut impl Write) -> io::Result<()> {
    let names: Vec<String> = scores.classes.sets().iter().map(GradeSet::to_string).collect();
    let heading = [format!("{}: known \\ graded", group.group)];
    let mut table: Vec<Vec<String>> = vec![heading.into_iter().chain(names.clone()).collect()];
    for (name, counts) in names.into_iter().zip(&group.confusion) {
        let counts = counts.iter().map(|count| match count {
            0 => "·".to_owned(),
            count => count.to_string(),
        });
        table.push([name].into_iter().chain(counts).collect());
    }
    aligned(&table, out)?;
    writeln!(out)
}

/// With the interval where there is one.
fn number(ratio: &Ratio) -> String {
    match (ratio.value, ratio.interval) {
        (None, _) => "–".to_owned(),
        (Some(value), Some([low, high])) => format!("{value:.3} ({low:.3}–{high:.3})"),
        (Some(value), None) => format!("{value:.3}"),
    }
}
