//! `evaluate segmenter`: how well vertebrae, discs and canal are found.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::{as_json, volumes};
use crate::cli::model::{self, millimetres};
use crate::cli::output::stdout;
use crate::engine::Device;
use crate::engine::unet::Segmenter;
use crate::imaging::{Tissue, median};
use crate::learn::segmenter::{LevelScore, Record, Slices, Subject, SubjectScore};

const EXAMPLES: &str = "\
Measures, over all slices of a subject:
  Dice   twice the shared pixels over the sum of both masks' pixels
  HD95   the distance in mm within which 95 % of outline pixels are, in the plane of the slices
  discs  those found and named as on the reference mask, of all; ? where a person is asked to look
  AP     the median difference of the canal's AP diameter from that of the reference mask in mm

Subjects that the model learned from are left out, unless all are asked for.

Volumes of other scanners are scored where a table of them is given in place of a folder:
  image,mask,shows,lowest,group
  one.nii.gz,one_mask.nii.gz,bodies,L5,T2
  two.nii.gz,two_mask.nii.gz,discs,L5-S1,T2
Each mask has a value for each vertebral body, or for each disc, and lowest is the name of the
lowest one. A body or disc is found where its middle is within 5 mm of the known one.

Examples:
  deepspine evaluate segmenter spider_space
  deepspine evaluate segmenter spider_space --json | jq .mean
  deepspine evaluate segmenter spider_space --pictures worst   # where each subject is worst
  deepspine evaluate segmenter volumes.csv
  deepspine evaluate segmenter ours --pixel 0.6 --apart 4.4 --model segmenter";

/// Score a segmenter against masks that are known.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct SegmenterArgs {
    /// The folder of sagittal slices and their masks, as `train segmenter` reads it; or a table of
    /// volumes.
    #[arg(value_name = "FOLDER|TABLE.csv")]
    known: PathBuf,

    /// The folder of the segmenter; if not given, the one that comes with the program.
    #[arg(long, value_name = "FOLDER")]
    model: Option<PathBuf>,

    /// Write each subject's worst slice there: orange is too much, blue is missed or mistaken.
    #[arg(long, value_name = "OUT")]
    pictures: Option<PathBuf>,

    /// Score subjects that the model learned from too.
    #[arg(long)]
    all: bool,

    /// Read each slice from both sides of a mirror: better by little, half as fast.
    #[arg(long)]
    mirrored: bool,

    /// The width of the slices' pixels.
    #[arg(long, default_value_t = 0.468_75, value_name = "MM", value_parser = millimetres)]
    pixel: f64,

    /// How far slices whose numbers follow each other are apart.
    #[arg(long, default_value_t = 0.9, value_name = "MM", value_parser = millimetres)]
    apart: f64,

    /// Print JSON.
    #[arg(long)]
    json: bool,

    /// What the network runs on: cpu, cuda, cuda:1.
    #[arg(long, default_value = "cpu", value_name = "DEVICE")]
    device: Device,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Results {
    subjects: Vec<SubjectScore>,
    mean: Vec<Mean>,
}

/// Means over the subjects that have a value.
#[derive(Serialize)]
struct Mean {
    tissue: Tissue,
    dice: Option<f64>,
    hausdorff95: Option<f64>,
}

pub(super) fn run(args: &SegmenterArgs) -> Result<ExitCode> {
    let folder = model::folder("segmenter", "--model", args.model.as_deref())?;
    let segmenter = Segmenter::load(&folder, args.device)?.mirrored(args.mirrored);
    if args.known.extension().is_some_and(|extension| extension == "csv") {
        return volumes::run(&segmenter, &args.known, args.json);
    }
    let record = Record::read(&folder)?;
    let slices = Slices::read(&args.known)?;
    let learned = |subject: &Subject| {
        record.as_ref().is_some_and(|record| record.learned_from.contains(&subject.name))
    };
    let subjects: Vec<&Subject> =
        slices.subjects.iter().filter(|subject| args.all || !learned(subject)).collect();
    ensure!(
        !subjects.is_empty(),
        "the model learned from every subject of `{}`; score them all the same with --all",
        args.known.display()
    );
    let count: usize = subjects.iter().map(|subject| subject.slices.len()).sum();
    let template = "{bar:30} {percent:>3} %, {pos} slices, {per_sec}, {eta} left";
    let bar = ProgressBar::new(count as u64)
        .with_style(ProgressStyle::with_template(template).expect("the template is valid"));
    let score = |subject: &&Subject| {
        let sliced = |slices| bar.inc(slices as u64);
        SubjectScore::of(&segmenter, subject, args.pixel, args.apart, sliced)
    };
    let subjects: Vec<SubjectScore> = subjects.iter().map(score).collect();
    bar.finish_and_clear();
    if let Some(folder) = &args.pictures {
        draw(folder, &subjects)?;
    }
    let results = Results { mean: means(&subjects), subjects };
    print(&results, args.json).context("the results cannot be printed")?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the worst slice of each subject.
fn draw(folder: &Path, subjects: &[SubjectScore]) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("`{}` cannot be made", folder.display()))?;
    for subject in subjects {
        let path = folder.join(format!("{}_slice{}.png", subject.subject, subject.worst_slice));
        fs::write(&path, &subject.worst)
            .with_context(|| format!("`{}` cannot be written", path.display()))?;
    }
    Ok(())
}

fn means(subjects: &[SubjectScore]) -> Vec<Mean> {
    let mean = |values: Vec<f64>| {
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    };
    let of = |(at, tissue): (usize, &Tissue)| {
        let tissues = || subjects.iter().map(move |subject| subject.tissues[at]);
        Mean {
            tissue: *tissue,
            dice: mean(tissues().filter_map(|score| score.dice).collect()),
            hausdorff95: mean(tissues().filter_map(|score| score.hausdorff95).collect()),
        }
    };
    Tissue::FOREGROUND.iter().enumerate().map(of).collect()
}

fn print(results: &Results, json: bool) -> io::Result<()> {
    let mut out = BufWriter::new(stdout());
    if json {
        return as_json(&mut out, results);
    }
    write!(out, "{:<12} {:>6}", "subject", "slices")?;
    for tissue in Tissue::FOREGROUND {
        write!(out, "   {:>8} {:>5}", tissue.name(), "HD95")?;
    }
    writeln!(out, "     discs     AP")?;
    let number = |value: Option<f64>, digits: usize| match value {
        Some(value) => format!("{value:.digits$}"),
        None => "-".to_owned(),
    };
    for subject in &results.subjects {
        write!(out, "{:<12} {:>6}", subject.subject, subject.slices)?;
        for score in &subject.tissues {
            let (dice, apart) = (number(score.dice, 3), number(score.hausdorff95, 2));
            write!(out, "   {dice:>8} {apart:>5}")?;
        }
        let LevelScore { discs, named, canal_ap, needs_a_person, .. } = &subject.levels;
        let doubt = if *needs_a_person { "?" } else { "" };
        let ap = number(median(canal_ap.clone()), 2);
        writeln!(out, "   {:>7} {ap:>6}", format!("{named}/{discs}{doubt}"))?;
    }
    write!(out, "{:<12} {:>6}", "mean", "")?;
    for mean in &results.mean {
        let (dice, apart) = (number(mean.dice, 3), number(mean.hausdorff95, 2));
        write!(out, "   {dice:>8} {apart:>5}")?;
    }
    let levels = || results.subjects.iter().map(|subject| &subject.levels);
    let sum = |of: fn(&LevelScore) -> usize| levels().map(of).sum::<usize>();
    let (named, discs) = (sum(|levels| levels.named), sum(|levels| levels.discs));
    let ap = levels().flat_map(|levels| levels.canal_ap.clone()).collect();
    writeln!(out, "   {:>7} {:>6}", format!("{named}/{discs}"), number(median(ap), 2))?;
    out.flush()
}
