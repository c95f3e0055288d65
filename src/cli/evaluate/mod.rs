//! `evaluate`: how well readers read, against gold labels.

#[cfg(feature = "neural")]
mod compare;
#[cfg(feature = "neural")]
mod doubt;
#[cfg(feature = "neural")]
mod grader;
mod miss;
#[cfg(feature = "neural")]
mod segmenter;
mod table;
#[cfg(feature = "neural")]
mod volumes;

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use clap::Subcommand;
use rayon::prelude::*;
use serde::Serialize;

use self::miss::Miss;
use super::output::stdout;
use super::reader::TextReaderArgs;
use crate::learn::{Bootstrap, Gold, Labels, Scores, score};
use crate::pipeline::{TextReader, TextReading};

/// Score a reader or a network against what is known to be true.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

/// What can be scored.
#[derive(Debug, Subcommand)]
enum What {
    Reader(ReaderArgs),
    #[cfg(feature = "neural")]
    Segmenter(segmenter::SegmenterArgs),
    #[cfg(feature = "neural")]
    Grader(grader::GraderArgs),
}

const MEASURES: &str = r#"A line of gold labels:
  {"id": "1", "text": "...", "cells": {"L4-L5": {"central": "mild"}}, "hedged": ["L4-L5/central"]}

Measures (precision, recall, F1):
  cells      level, target and grade are right
  graded     the same over cells whose grade has a degree, mild to severe
  detection  normal is told from stenosis, whatever its degree
  hedged     hedged is told from stated, over cells whose grade is right

A report is exactly right where all its cells are. Intervals hold 95 % of resamples of reports.

Of the fused reader it is also told how often its sets of outcomes hold the true one, and how many
of its wrong cells it is uncertain of.

Examples:
  deepspine evaluate reader gold.jsonl
  deepspine evaluate reader gold.jsonl --errors | less
  deepspine evaluate reader gold.jsonl --json | jq .cells.f1
  deepspine evaluate reader gold.jsonl --reader fused
  deepspine evaluate reader gold.jsonl --compare          # rules, transformer and fused"#;

/// Score a reader of reports: the rules, a transformer, or both together.
#[derive(Debug, clap::Args)]
#[command(after_help = MEASURES)]
struct ReaderArgs {
    /// Files with gold labels, JSON Lines.
    #[arg(required = true, value_name = "GOLD.jsonl")]
    gold: Vec<PathBuf>,

    /// Show every wrong cell with the sentences it was read from, or could have been.
    #[arg(long)]
    errors: bool,

    /// Score rules, transformer and both together side by side.
    #[cfg(feature = "neural")]
    #[arg(long, conflicts_with = "errors")]
    compare: bool,

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
    text_reader: TextReaderArgs,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    match &args.what {
        What::Reader(args) => run_reader(args),
        #[cfg(feature = "neural")]
        What::Segmenter(args) => segmenter::run(args),
        #[cfg(feature = "neural")]
        What::Grader(args) => grader::run(args),
    }
}

fn run_reader(args: &ReaderArgs) -> Result<ExitCode> {
    let gold = super::gold::read(&args.gold)?;
    #[cfg(feature = "neural")]
    if args.compare {
        compare::run(args, &gold)?;
        return Ok(ExitCode::SUCCESS);
    }
    reader(args, &gold)?;
    Ok(ExitCode::SUCCESS)
}

impl ReaderArgs {
    fn bootstrap(&self) -> Option<Bootstrap> {
        let (resamples, seed) = (self.bootstrap, self.seed);
        (resamples > 0).then_some(Bootstrap { resamples, seed })
    }
}

/// What `--json` prints.
#[derive(Serialize)]
struct Results {
    #[serde(flatten)]
    scores: Scores,
    #[cfg(feature = "neural")]
    #[serde(skip_serializing_if = "Option::is_none")]
    doubt: Option<doubt::Doubts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Vec<Miss>>,
}

fn reader(args: &ReaderArgs, gold: &[Gold]) -> Result<()> {
    let readings = read(gold, args.text_reader.open()?);
    let (labels, misses): (Vec<Labels>, Vec<Vec<Miss>>) = gold
        .par_iter()
        .zip(&readings)
        .map(|(gold, reading)| {
            let opinions = reading.opinions();
            let misses = match args.errors {
                true => miss::find(gold, &reading.extraction, opinions),
                false => Vec::new(),
            };
            (opinions.iter().collect(), misses)
        })
        .unzip();
    let scores = score(gold.iter().map(|gold| &gold.labels).zip(&labels), args.bootstrap());
    let errors = args.errors.then(|| misses.into_iter().flatten().collect());
    let results = Results {
        scores,
        #[cfg(feature = "neural")]
        doubt: args.text_reader.is_fused().then(|| doubt::Doubts::of(gold, &readings)),
        errors,
    };
    print(&results, args.json).context("the results cannot be printed")
}

/// How many reports a thread reads at a time.
const SHARE: usize = 16;

/// What a reader makes of each report.
fn read(gold: &[Gold], texts: TextReader) -> Vec<TextReading> {
    // A reader can be in one thread at a time, so each clones its own.
    let spare = Mutex::new(texts);
    let mine = || spare.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let read = |texts: &mut TextReader, share: &[Gold]| {
        texts.read(&share.iter().map(|gold| gold.text.as_str()).collect::<Vec<_>>())
    };
    gold.par_chunks(SHARE).map_init(mine, read).flatten().collect()
}

/// Writes results as JSON.
fn as_json(out: &mut impl Write, results: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, results)?;
    writeln!(out)?;
    out.flush()
}

fn print(results: &Results, json: bool) -> io::Result<()> {
    let mut out = BufWriter::new(stdout());
    if json {
        as_json(&mut out, results)?;
    } else {
        for miss in results.errors.iter().flatten() {
            writeln!(out, "{miss}")?;
        }
        table::scores(&results.scores, &mut out)?;
        #[cfg(feature = "neural")]
        if let Some(doubt) = &results.doubt {
            doubt.print(&mut out)?;
        }
    }
    out.flush()
}
