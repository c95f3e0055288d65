//! Rules, transformer and both together, side by side on the same reports.

use std::io::{self, BufWriter, Write};

use anyhow::{Context, Result};
use serde::Serialize;

use super::table::aligned;
use super::{ReaderArgs, as_json, read};
use crate::cli::output::stdout;
use crate::label::{Cell, ReaderKind, Target};
use crate::learn::{Gold, Labels, Scores, paired, score};
use crate::pipeline::TextReading;

const READERS: [ReaderKind; 3] = [ReaderKind::Rules, ReaderKind::Transformer, ReaderKind::Fused];

/// What `--json` prints.
#[derive(Serialize)]
struct Comparison {
    reports: usize,
    readers: Vec<(ReaderKind, Scores)>,
    /// How much higher the fused reader's strict cell F1 is, with the interval that holds 95 % of
    /// resamples of reports.
    fused_ahead_of: Vec<(ReaderKind, f64, Option<[f64; 2]>)>,
    /// Gold cells that the rules have wrong, and how many of them the transformer has right.
    missed_by_rules: u64,
    of_those_found: u64,
}

pub(super) fn run(args: &ReaderArgs, gold: &[Gold]) -> Result<()> {
    let readings = read(gold, args.text_reader.open_fused()?);
    let comparison = compare(args, gold, &readings);
    print(&comparison, args.json).context("the results cannot be printed")
}

fn compare(args: &ReaderArgs, gold: &[Gold], readings: &[TextReading]) -> Comparison {
    let labels: Vec<Vec<Labels>> = READERS
        .iter()
        .map(|&kind| {
            readings.iter().map(|r| r.of(kind).unwrap_or_default().iter().collect()).collect()
        })
        .collect();
    let truth = || gold.iter().map(|gold| &gold.labels);
    let bootstrap = args.bootstrap();
    let scores = labels.iter().map(|labels| score(truth().zip(labels), bootstrap));
    let readers: Vec<_> = READERS.into_iter().zip(scores).collect();
    let [rules, transformer, fused] = &labels[..] else { unreachable!("there are three readers") };
    let ahead = |kind, other: &Vec<Labels>| {
        let ahead = paired(truth().zip(fused).zip(other).map(|((t, a), b)| (t, a, b)), bootstrap);
        (kind, ahead.0, ahead.1)
    };
    let grade = |labels: &Labels, cell| labels.get(cell).map(|label| label.grade);
    let (mut missed_by_rules, mut of_those_found) = (0, 0);
    for ((truth, rules), transformer) in truth().zip(rules).zip(transformer) {
        let mentioned = Cell::all().filter(|&cell| truth.get(cell).is_some());
        for cell in mentioned.filter(|&cell| grade(truth, cell) != grade(rules, cell)) {
            missed_by_rules += 1;
            of_those_found += u64::from(grade(truth, cell) == grade(transformer, cell));
        }
    }
    Comparison {
        reports: gold.len(),
        readers,
        fused_ahead_of: vec![
            ahead(ReaderKind::Rules, rules),
            ahead(ReaderKind::Transformer, transformer),
        ],
        missed_by_rules,
        of_those_found,
    }
}

fn print(comparison: &Comparison, json: bool) -> io::Result<()> {
    let mut out = BufWriter::new(stdout());
    if json {
        return as_json(&mut out, comparison);
    }
    writeln!(out, "{} reports, F1 in percent\n", comparison.reports)?;
    aligned(&rows(comparison), &mut out)?;
    writeln!(out)?;
    for (kind, ahead, interval) in &comparison.fused_ahead_of {
        write!(out, "fused over {kind}: {:+.1} points", 100.0 * ahead)?;
        match interval {
            Some([low, high]) => writeln!(out, " ({:+.1} to {:+.1})", 100.0 * low, 100.0 * high)?,
            None => writeln!(out)?,
        }
    }
    let Comparison { missed_by_rules, of_those_found, .. } = comparison;
    writeln!(
        out,
        "of {missed_by_rules} cells that the rules miss or have wrong, the transformer has \
         {of_those_found} right"
    )?;
    out.flush()
}

fn rows(comparison: &Comparison) -> Vec<Vec<String>> {
    let percent =
        |value: Option<f64>| value.map_or("–".to_owned(), |v| format!("{:.1}", 100.0 * v));
    let heading = ["reader", "cells", "detection"].map(str::to_owned).into_iter();
    let heading = heading.chain(Target::ALL.map(|target| target.name().to_owned()));
    let row = |(kind, scores): &(ReaderKind, Scores)| {
        let of = [scores.cells.f1.value, scores.detection.f1.value].into_iter();
        let of = of.chain(scores.targets.iter().map(|(_, measure)| measure.f1.value));
        [kind.name().to_owned()].into_iter().chain(of.map(percent)).collect()
    };
    std::iter::once(heading.collect()).chain(comparison.readers.iter().map(row)).collect()
}
