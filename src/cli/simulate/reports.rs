//! `simulate reports`: invented reports whose labels are known, to try things out on.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use serde_json::json;

use crate::cli::output::{SharedOutput, discard_on_interrupt};
use crate::label::{CellLabel, Certainty};
use crate::report::Report;
use crate::simulate::{Part, SimulatedReport, Simulation};

/// Invent reports of an archive: patients, their studies, and what radiologists wrote.
#[derive(Debug, clap::Args)]
#[command(after_help = super::EXAMPLES)]
pub(super) struct ReportsArgs {
    /// How many.
    #[arg(long, default_value_t = 1000, value_name = "N")]
    count: u64,

    /// Decides everything: the same seed invents the same reports.
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,

    /// In whose wording: the plain one of an archive, or one far freer, to teach readers with or,
    /// with phrases that the lesson leaves out, to try them on.
    #[arg(long, value_enum, default_value_t = Wording::Plain)]
    wording: Wording,

    /// Where the reports go, as .csv or .jsonl; standard output as JSON Lines if not given.
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,

    /// Where their labels go, with the texts, as a gold file.
    #[arg(long, value_name = "OUT.jsonl")]
    labels: Option<PathBuf>,
}

/// The wording of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Wording {
    /// As most radiologists write.
    Plain,
    /// Free.
    Free,
    /// Free, half of it in phrases that `free` does without.
    HeldOut,
}

impl Wording {
    /// Reports without end.
    fn reports(self, simulation: Simulation) -> Box<dyn Iterator<Item = SimulatedReport>> {
        let dictations =
            move |part| Box::new((0..).map(move |number| simulation.dictation(number, part)));
        match self {
            Self::Plain => Box::new(simulation.reports()),
            Self::Free => dictations(Part::Training),
            Self::HeldOut => dictations(Part::HeldOut),
        }
    }
}

/// How many reports are written at a time.
const BATCH: usize = 1000;

pub(super) fn run(args: &ReportsArgs) -> Result<ExitCode> {
    let form = form(args.output.as_deref())?;
    let output = SharedOutput::open(args.output.as_deref())?;
    let labels = match &args.labels {
        Some(path) => Some(SharedOutput::open(Some(path))?),
        None => None,
    };
    let template = "{bar:30} {percent:>3} %, {pos} reports, {per_sec}, {eta} left";
    let bar = ProgressBar::new(args.count)
        .with_style(ProgressStyle::with_template(template).expect("the template is valid"));
    let outputs: Vec<&SharedOutput> = std::iter::once(&output).chain(&labels).collect();
    discard_on_interrupt(&outputs, &bar)?;
    output.write(|out| (form.header)(out))?;
    let simulation = Simulation::new(args.seed);
    let mut reports = args.wording.reports(simulation).take(args.count as usize);
    loop {
        let batch: Vec<SimulatedReport> = reports.by_ref().take(BATCH).collect();
        if batch.is_empty() {
            break;
        }
        let mut rendered = Vec::new();
        for simulated in &batch {
            (form.report)(&simulated.report, &mut rendered)?;
        }
        output.write(|out| out.write_all(&rendered))?;
        if let Some(labels) = &labels {
            let lines: String = batch.iter().map(gold_line).collect();
            labels.write(|out| out.write_all(lines.as_bytes()))?;
        }
        bar.inc(batch.len() as u64);
    }
    output.complete()?;
    if let Some(labels) = labels {
        labels.complete()?;
    }
    let elapsed = bar.elapsed();
    bar.finish_and_clear();
    eprintln!("{} reports in {:.1} s", HumanCount(args.count), elapsed.as_secs_f64());
    Ok(ExitCode::SUCCESS)
}

/// How reports are written.
pub(super) struct Form {
    pub(super) header: fn(&mut dyn Write) -> io::Result<()>,
    pub(super) report: fn(&Report, &mut Vec<u8>) -> io::Result<()>,
}

const JSONL: Form = Form {
    header: |_| Ok(()),
    report: |report, out| {
        serde_json::to_writer(&mut *out, report)?;
        out.write_all(b"\n")
    },
};

pub(super) const CSV: Form = Form {
    header: |out| {
        out.write_all(
            b"source,id,patient,accession,study_uid,exam_date,sex,age,birth_date,modality,text\n",
        )
    },
    report: |report, out| {
        let mut csv = csv::Writer::from_writer(out);
        let age = report.age.map(|age| age.to_string());
        let fields = [
            report.source.as_ref(),
            Some(&report.id),
            report.patient.as_ref(),
            report.accession.as_ref(),
            report.study_uid.as_ref(),
            report.exam_date.as_ref(),
            report.sex.as_ref(),
            age.as_ref(),
            report.birth_date.as_ref(),
            report.modality.as_ref(),
            Some(&report.text),
        ];
        csv.write_record(fields.map(|field| field.map_or("", |field| field)))?;
        csv.flush()
    },
};

fn form(path: Option<&Path>) -> Result<Form> {
    let extension = path.and_then(Path::extension).map(|e| e.to_string_lossy().to_lowercase());
    match (path, extension.as_deref()) {
        (None, _) | (_, Some("jsonl" | "ndjson")) => Ok(JSONL),
        (_, Some("csv")) => Ok(CSV),
        (Some(path), _) => bail!("`{}`: name the file .csv or .jsonl", path.display()),
    }
}

/// The labels of a report as a gold file has them.
fn gold_line(simulated: &SimulatedReport) -> String {
    let mut cells = serde_json::Map::new();
    for label in &simulated.labels {
        let level = cells.entry(label.cell.level.name()).or_insert_with(|| json!({}));
        level[label.cell.target.name()] = label.verdict.name().into();
    }
    let hedged = |label: &&CellLabel| label.certainty == Certainty::Hedged;
    let hedged = simulated.labels.iter().filter(hedged).map(|label| label.cell.to_string());
    let Report { id, source, text, .. } = &simulated.report;
    let line = json!({
        "id": id,
        "source": source,
        "text": text,
        "cells": cells,
        "hedged": hedged.collect::<Vec<_>>(),
    });
    format!("{line}\n")
}
