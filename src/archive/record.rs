//! Members of cohorts as they leave the archive.

use super::{Archive, ArchiveError};
use crate::export::dataset::Record;
use crate::label::{CellLabel, ReportLabel, Status, Vote};
use crate::store::{CurrentReading, Member, StoreError};

impl Archive {
    /// A member of a cohort: the version that was frozen, with the report's label and status as they
    /// are now where that version is still the present one, else as its readers left them.
    ///
    /// # Errors
    /// Those of the store.
    pub fn record(&self, member: &Member) -> Result<Record, ArchiveError> {
        let store = &self.store;
        let gone = || StoreError::Damaged(format!("report {} is gone", member.report));
        let stored = store.report(member.report)?.ok_or_else(gone)?;
        let versions = store.versions(member.report)?;
        let version = versions.into_iter().find(|version| version.id == member.version);
        let version = version.ok_or_else(gone)?;
        let labels = store.label_of_version(member.report, member.version)?;
        let status = match version.id == stored.version {
            true => stored.status,
            false => {
                let is_reopened = store.is_reopened_at(member.report, member.version)?;
                status_left(&store.current_readings(member.version)?, is_reopened)
            }
        };
        let mut decided_by: Vec<String> = labels.iter().map(|l| l.reader.clone()).collect();
        decided_by.sort_unstable();
        decided_by.dedup();
        let report = stored.report;
        let study = (report.study_uid.clone())
            .or_else(|| report.accession.clone())
            .unwrap_or_else(|| format!("study {}", stored.study));
        Ok(Record {
            source: report.source,
            id: report.id,
            version: version.number,
            text_hash: version.text_hash,
            patient: report.patient,
            study,
            accession: report.accession,
            study_uid: report.study_uid,
            exam_date: report.exam_date,
            sex: report.sex,
            age: report.age,
            birth_date: report.birth_date,
            modality: report.modality,
            status,
            part: member.part.clone(),
            labels: labels.into_iter().map(|stored| stored.label).collect(),
            decided_by,
            mentions: store.mentions(member.version)?,
            text: Some(version.text),
        })
    }
}

/// How far its readers had settled a version before there was another text.
fn status_left(readings: &[CurrentReading], is_reopened: bool) -> Status {
    let vote = |reading: &CurrentReading| Vote {
        reader: reading.id,
        kind: reading.kind,
        adjudicates: reading.adjudicates,
        cells: reading.body.opinions.iter().map(CellLabel::from).collect(),
    };
    let votes: Vec<Vote<u64>> = readings.iter().map(vote).collect();
    ReportLabel::derive(&votes, is_reopened).status
}
