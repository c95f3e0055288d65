//! Reports that were found, as text, CSV and JSON.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::archive::{Found, Hit};
use crate::label::{Certainty, Level, Status, Verdict};
use crate::search::query::Query;
use crate::search::{Counts, Facets, Snippet};
use crate::store::StoredLabel;

const LIT: Style = AnsiColor::Yellow.on_default().bold();
const ID: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// Prints the hits of a page whose first is number `offset`, counted from 0.
pub(super) fn print(
    found: &Found,
    offset: usize,
    colour: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let ink = |style: Style| if colour { style } else { Style::new() };
    for (hit, number) in found.hits.iter().zip(offset + 1..) {
        let report = &hit.report.report;
        let fields = [&report.source, &report.exam_date, &report.sex, &report.modality];
        let age = report.age.map(|age| format!("{age} y"));
        let patient = report.patient.as_ref().map(|patient| format!("patient {patient}"));
        let known = fields.into_iter().flatten().chain(&age).chain(&patient);
        let fields = known.map(String::as_str).collect::<Vec<_>>().join("  ");
        let (id, dim) = (ink(ID), ink(DIM));
        let status = match hit.report.status {
            Status::Machine => String::new(),
            status => format!("  {status}"),
        };
        writeln!(out, "\n{number:>3}. {id}{}{id:#}  {dim}{fields}{dim:#}{status}", report.id)?;
        let worst = worst(&hit.label);
        if !worst.is_empty() {
            writeln!(out, "     {worst}")?;
        }
        writeln!(out, "     {}", lit(&hit.snippet, ink(LIT)))?;
    }
    Ok(())
}

fn lit(snippet: &Snippet, style: Style) -> String {
    let piece = |piece: &crate::search::Piece| match piece.lit {
        true => format!("{style}{}{style:#}", piece.text),
        false => piece.text.clone(),
    };
    snippet.pieces.iter().map(piece).collect()
}

/// The stenoses by level: `L4-L5 central severe, recess_left mild?`.
fn worst(labels: &[StoredLabel]) -> String {
    let at = |level: Level| {
        let of_level = labels.iter().filter(|stored| stored.label.cell.level == level);
        let stenoses = of_level.filter(|stored| {
            stored.label.verdict.grade().is_some_and(crate::label::Grade::is_stenosis)
        });
        let said = stenoses.map(|StoredLabel { label, .. }| {
            let hedged = if label.certainty == Certainty::Hedged { "?" } else { "" };
            let conflict = if label.conflict { "!" } else { "" };
            format!("{} {}{hedged}{conflict}", label.cell.target, label.verdict.name())
        });
        let said = said.collect::<Vec<_>>().join(", ");
        (!said.is_empty()).then(|| format!("{level} {said}"))
    };
    Level::ALL.into_iter().filter_map(at).collect::<Vec<_>>().join("; ")
}

const COLUMNS: [&str; 12] = [
    "source",
    "id",
    "patient",
    "accession",
    "study_uid",
    "exam_date",
    "sex",
    "age",
    "modality",
    "status",
    "labels",
    "snippet",
];

pub(super) fn csv_header(out: &mut dyn Write) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(COLUMNS)?;
    csv.flush()
}

/// Writes a row a hit. `labels` holds `L4-L5/central=severe`, parted by semicolons.
pub(super) fn csv(found: &Found, out: &mut dyn Write) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    for Hit { report: stored, label, snippet } in &found.hits {
        let report = &stored.report;
        let optional = |value: &Option<String>| value.clone().unwrap_or_default();
        let labels = label.iter().map(|l| format!("{}={}", l.label.cell, l.label.verdict.name()));
        csv.write_record([
            optional(&report.source),
            report.id.clone(),
            optional(&report.patient),
            optional(&report.accession),
            optional(&report.study_uid),
            optional(&report.exam_date),
            optional(&report.sex),
            report.age.map(|age| age.to_string()).unwrap_or_default(),
            optional(&report.modality),
            stored.status.to_string(),
            labels.collect::<Vec<_>>().join(";"),
            lit(snippet, Style::new()),
        ])?;
    }
    csv.flush()
}

#[derive(Serialize)]
struct Json<'a> {
    query: String,
    #[serde(flatten)]
    counts: Option<Counts>,
    behind: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    facets: Option<&'a Facets>,
    hits: Vec<JsonHit<'a>>,
}

#[derive(Serialize)]
struct JsonHit<'a> {
    id: &'a str,
    source: &'a Option<String>,
    patient: &'a Option<String>,
    accession: &'a Option<String>,
    study_uid: &'a Option<String>,
    exam_date: &'a Option<String>,
    sex: &'a Option<String>,
    age: Option<u16>,
    modality: &'a Option<String>,
    status: Status,
    labels: Vec<JsonLabel<'a>>,
    snippet: &'a Snippet,
}

#[derive(Serialize)]
struct JsonLabel<'a> {
    cell: String,
    verdict: Verdict,
    certainty: Certainty,
    conflict: bool,
    decided_by: &'a str,
}

fn json_label(StoredLabel { label, reader, .. }: &StoredLabel) -> JsonLabel<'_> {
    JsonLabel {
        cell: label.cell.to_string(),
        verdict: label.verdict,
        certainty: label.certainty,
        conflict: label.conflict,
        decided_by: reader,
    }
}

/// Prints everything as one object.
pub(super) fn json(query: &Query, found: &Found, out: &mut dyn Write) -> io::Result<()> {
    let hits = found.hits.iter().map(|hit| {
        let report = &hit.report.report;
        JsonHit {
            id: &report.id,
            source: &report.source,
            patient: &report.patient,
            accession: &report.accession,
            study_uid: &report.study_uid,
            exam_date: &report.exam_date,
            sex: &report.sex,
            age: report.age,
            modality: &report.modality,
            status: hit.report.status,
            labels: hit.label.iter().map(json_label).collect(),
            snippet: &hit.snippet,
        }
    });
    let json = Json {
        query: query.to_string(),
        counts: found.counts,
        behind: found.behind,
        facets: found.facets.as_ref(),
        hits: hits.collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &json)?;
    writeln!(out)
}
