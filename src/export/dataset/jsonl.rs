//! JSON Lines: an object a report. What is absent is left out. `cells`, `hedged` and `conflicts`
//! are those of a gold file.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};

use serde::Serialize;

use super::{DatasetWriter, Output, Record};
use crate::extract::Mention;
use crate::label::{CellLabel, Certainty, Level, Status, Target, Verdict};

#[derive(Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    source: &'a Option<String>,
    id: &'a str,
    version: u32,
    text_hash: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    patient: &'a Option<String>,
    study: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    accession: &'a Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    study_uid: &'a Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exam_date: &'a Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sex: &'a Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    age: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    birth_date: &'a Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modality: &'a Option<String>,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    part: &'a Option<String>,
    cells: BTreeMap<Level, BTreeMap<Target, Verdict>>,
    hedged: Vec<String>,
    conflicts: Vec<String>,
    decided_by: &'a [String],
    mentions: &'a [Mention],
    #[serde(skip_serializing_if = "Option::is_none")]
    text: &'a Option<String>,
}

struct Jsonl(BufWriter<Output>);

pub(super) fn create(out: Output) -> io::Result<Box<dyn DatasetWriter>> {
    Ok(Box::new(Jsonl(BufWriter::new(out))))
}

impl DatasetWriter for Jsonl {
    fn write(&mut self, record: &Record) -> io::Result<()> {
        let labels = || record.labels.iter().filter(|l| l.verdict != Verdict::NotMentioned);
        let mut cells: BTreeMap<Level, BTreeMap<Target, Verdict>> = BTreeMap::new();
        for label in labels() {
            cells.entry(label.cell.level).or_default().insert(label.cell.target, label.verdict);
        }
        let listed = |test: fn(&CellLabel) -> bool| {
            labels().filter(|label| test(label)).map(|label| label.cell.to_string()).collect()
        };
        let line = Line {
            source: &record.source,
            id: &record.id,
            version: record.version,
            text_hash: &record.text_hash,
            patient: &record.patient,
            study: &record.study,
            accession: &record.accession,
            study_uid: &record.study_uid,
            exam_date: &record.exam_date,
            sex: &record.sex,
            age: record.age,
            birth_date: &record.birth_date,
            modality: &record.modality,
            status: record.status,
            part: &record.part,
            cells,
            hedged: listed(|label| label.certainty == Certainty::Hedged),
            conflicts: listed(|label| label.conflict),
            decided_by: &record.decided_by,
            mentions: &record.mentions,
            text: &record.text,
        };
        serde_json::to_writer(&mut self.0, &line)?;
        self.0.write_all(b"\n")
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.0.flush()
    }
}
