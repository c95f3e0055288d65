//! What goes with what, as tables: the map that is read, the lists that are written.

use std::fs::File;
use std::io;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::archive::{Linking, MapRow};

/// What stands in a map for the study of a report that goes by its keys again.
const BY_KEYS: &str = "-";

/// Opens a table, as the table's own error would tell twice why that cannot be done.
pub(super) fn open(path: &Path) -> io::Result<csv::Reader<File>> {
    Ok(csv::Reader::from_reader(File::open(path)?))
}

/// The line of a table that a record begins on.
pub(super) fn line(record: &csv::StringRecord) -> u64 {
    record.position().map_or(0, csv::Position::line)
}

/// Reads a map, each row with its line.
pub(super) fn read_map(path: &Path) -> Result<Vec<(u64, MapRow)>> {
    let unreadable = || format!("`{}` cannot be read as a map", path.display());
    let mut table = open(path).with_context(unreadable)?;
    let header = table.headers().with_context(unreadable)?.clone();
    let column = |name: &str| header.iter().position(|own| own.trim() == name);
    let columns = column("study").zip(column("report"));
    ensure!(columns.is_some(), "`{}` needs the columns `study` and `report`", path.display());
    let (study, report) = columns.unwrap_or_default();
    let source = column("source");
    table
        .records()
        .map(|record| {
            let record = record.with_context(unreadable)?;
            let value = |place: usize| record.get(place).unwrap_or_default().trim().to_owned();
            let source = source.map(value).filter(|source| !source.is_empty());
            let study = Some(value(study)).filter(|study| study != BY_KEYS);
            Ok((line(&record), MapRow { study, report: value(report), source }))
        })
        .collect()
}

/// A line of `links.csv`.
pub(super) struct LinkRow {
    /// The place of the link among all.
    pub(super) place: usize,
    /// How many segments the manifest has of its study.
    pub(super) segments: usize,
    /// Why it has none, or why what the report says is no label of them.
    pub(super) held_back: Option<String>,
}

/// Writes which report goes with which study.
pub(super) fn write_links(path: &Path, linking: &Linking, rows: &[LinkRow]) -> Result<()> {
    let mut table = csv::Writer::from_path(path)?;
    table.write_record([
        "study",
        "source",
        "report",
        "reason",
        "status",
        "segments",
        "held_back",
    ])?;
    for row in rows {
        let link = linking.links.links[row.place];
        let report = &linking.reports[link.report];
        table.write_record([
            name(linking, link.study),
            &report.source,
            &report.id,
            &link.reason.to_string(),
            report.status.name(),
            &row.segments.to_string(),
            row.held_back.as_deref().unwrap_or_default(),
        ])?;
    }
    Ok(table.flush()?)
}

/// Writes reports and studies without.
pub(super) fn write_unlinked(path: &Path, linking: &Linking) -> Result<()> {
    let mut table = csv::Writer::from_path(path)?;
    table.write_record(["kind", "source", "id", "reason", "candidates"])?;
    for (report, why) in &linking.links.unlinked {
        let report = &linking.reports[*report];
        let candidates = why.candidates();
        let candidates: Vec<&str> = candidates.iter().map(|&study| name(linking, study)).collect();
        let (reason, candidates) = (why.to_string(), candidates.join(";"));
        table.write_record(["report", &report.source, &report.id, &reason, &candidates])?;
    }
    for &study in &linking.links.studies {
        let source = linking.studies[study].patient.as_ref().map_or("", |(source, _)| source);
        table.write_record([
            "study",
            source,
            name(linking, study),
            "no report goes with it",
            "",
        ])?;
    }
    Ok(table.flush()?)
}

fn name(linking: &Linking, study: usize) -> &str {
    linking.studies[study].uids.first().map_or("", String::as_str)
}
