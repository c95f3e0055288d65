//! `evaluate`: how well a reader reads, against gold labels.

mod miss;
mod table;

use std::io::{self, BufWriter, Write};
#[cfg(feature = "neural")]
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Subcommand;
use rayon::prelude::*;
use serde::Serialize;

use self::miss::Miss;
use super::lexicon::LexiconArgs;
#[cfg(feature = "neural")]
use crate::engine::{Device, encoder::Reader};
use crate::extract::{Extraction, Extractor};
use crate::label::Opinion;
use crate::learn::{Bootstrap, Gold, Labels, Scores, score};
use crate::pipeline;

/// Score a reader against gold labels.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

/// What can be scored.
#[derive(Debug, Subcommand)]
enum What {
    Reader(ReaderArgs),
}

const MEASURES: &str = r#"A line of gold labels:
  {"id": "r1", "text": "...", "cells": {"L4-L5": {"central": "mild"}}, "hedged": ["L4-L5/central"]}

Measures (precision, recall, F1):
  cells      level, target and grade are right
  graded     the same over cells whose grade has a degree, mild to severe
  detection  normal is told from stenosis, whatever its degree
  hedged     hedged is told from stated, over cells whose grade is right

A report is exactly right where all its cells are. Intervals hold 95 % of resamples of reports.

Examples:
  deepspine evaluate reader gold.jsonl
  deepspine evaluate reader gold.jsonl --errors | less
  deepspine evaluate reader gold.jsonl --json | jq .cells.f1
  deepspine evaluate reader gold.jsonl --model reader"#;

/// Score a reader of reports: the rules, or a transformer.
#[derive(Debug, clap::Args)]
#[command(after_help = MEASURES)]
struct ReaderArgs {
    /// Files with gold labels, JSON Lines.
    #[arg(required = true, value_name = "GOLD.jsonl")]
    gold: Vec<PathBuf>,

    /// Show every wrong cell with the sentences it was read from, or could have been.
    #[arg(long)]
    errors: bool,

    /// Score the transformer whose model is in this folder, instead of the rules.
    #[cfg(feature = "neural")]
    #[arg(long, value_name = "FOLDER")]
    model: Option<PathBuf>,

    /// Print JSON.
    #[arg(long)]
    json: bool,

    /// How many resamples to take intervals from; 0 for no intervals.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    bootstrap: usize,

    /// Where the random numbers of the resamples start.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    #[command(flatten)]
    lexicon: LexiconArgs,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    match &args.what {
        What::Reader(args) => reader(args)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// What `--json` prints.
#[derive(Serialize)]
struct Results {
    #[serde(flatten)]
    scores: Scores,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Vec<Miss>>,
}

fn reader(args: &ReaderArgs) -> Result<()> {
    let gold = super::gold::read(&args.gold)?;
    let extractor = args.lexicon.extractor()?;
    let readings = by_rules(&gold, &extractor);
    #[cfg(feature = "neural")]
    let readings = match &args.model {
        Some(folder) => by_model(folder, &gold, readings)?,
        None => readings,
    };
    let (labels, misses): (Vec<Labels>, Vec<Vec<Miss>>) = gold
        .par_iter()
        .zip(readings)
        .map(|(gold, (extraction, opinions))| {
            let misses =
                if args.errors { miss::find(gold, &extraction, &opinions) } else { Vec::new() };
            (opinions.iter().collect(), misses)
        })
        .unzip();

    let bootstrap =
        (args.bootstrap > 0).then_some(Bootstrap { resamples: args.bootstrap, seed: args.seed });
    let scores = score(gold.iter().map(|gold| &gold.labels).zip(&labels), bootstrap);
    let errors = args.errors.then(|| misses.into_iter().flatten().collect());
    print(&Results { scores, errors }, args.json).context("the results cannot be printed")
}

type Read = (Extraction, Vec<Opinion>);

/// What the rules make of each report.
fn by_rules(gold: &[Gold], extractor: &Extractor) -> Vec<Read> {
    gold.par_iter()
        .map_init(
            || extractor.clone(),
            |extractor, gold| pipeline::read_text(extractor, &gold.text),
        )
        .collect()
}

/// The same reports with the opinions of the model in a folder instead.
#[cfg(feature = "neural")]
fn by_model(folder: &Path, gold: &[Gold], rules: Vec<Read>) -> Result<Vec<Read>> {
    let model = Reader::load(folder, Device::CPU)?;
    let texts: Vec<(&str, &Extraction)> = gold
        .iter()
        .zip(&rules)
        .map(|(gold, (extraction, _))| (gold.text.as_str(), extraction))
        .collect();
    let levels = model.read(&texts);
    Ok(rules
        .into_iter()
        .zip(levels)
        .map(|((extraction, _), levels)| (extraction, pipeline::transformer_opinions(&levels)))
        .collect())
}

fn print(results: &Results, json: bool) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    if json {
        serde_json::to_writer_pretty(&mut out, results)?;
        writeln!(out)?;
    } else {
        for miss in results.errors.iter().flatten() {
            writeln!(out, "{miss}")?;
        }
        table::scores(&results.scores, &mut out)?;
    }
    out.flush()
}
