//! What reports and segmented studies are linked by.

use rusqlite::Row;

use super::{Store, StoreError};
use crate::label::Status;

/// A report, without its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportKeys {
    /// Its number.
    pub number: u64,
    /// The number of its present version.
    pub version: u64,
    /// How far people have settled its label.
    pub status: Status,
    /// Where it comes from; empty where that has no name.
    pub source: String,
    /// Its id within the source.
    pub id: String,
    /// The patient's id within the source.
    pub patient: Option<String>,
    /// StudyInstanceUID.
    pub study_uid: Option<String>,
    /// Accession number within the source.
    pub accession: Option<String>,
    /// Date of the examination, ISO 8601.
    pub exam_date: Option<String>,
}

/// A segmented study.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageKeys {
    /// The study's number.
    pub study: u64,
    /// Its StudyInstanceUIDs, or the name of one that has none.
    pub uids: Vec<String>,
    /// Its accession numbers, each with the source within which it is unique.
    pub accessions: Vec<(String, String)>,
    /// The patient's id with the source within which it is unique.
    pub patient: Option<(String, String)>,
    /// The day of the study, ISO 8601.
    pub date: Option<String>,
}

fn report(row: &Row<'_>) -> Result<ReportKeys, StoreError> {
    let status: String = row.get(2)?;
    Ok(ReportKeys {
        number: row.get(0)?,
        version: row.get(1)?,
        status: status.parse().map_err(|_| StoreError::Damaged(format!("status `{status}`")))?,
        source: row.get(3)?,
        id: row.get(4)?,
        patient: row.get(5)?,
        study_uid: row.get(6)?,
        accession: row.get(7)?,
        exam_date: row.get(8)?,
    })
}

impl Store {
    /// What every report is known by, in the order of numbers.
    ///
    /// # Errors
    /// Those of the database, and damage.
    pub fn report_keys(&self) -> Result<Vec<ReportKeys>, StoreError> {
        let mut all = self.connection.prepare_cached(
            "SELECT r.id, r.version, r.status, o.name, r.key, p.key, r.study_uid, r.accession,
                    r.exam_date
             FROM reports r JOIN sources o ON o.id = r.source
             LEFT JOIN patients p ON p.id = r.patient ORDER BY r.id",
        )?;
        all.query_and_then((), report)?.collect()
    }

    /// What every segmented study is known by, in the order of StudyInstanceUIDs: in which order studies
    /// were segmented is chance.
    ///
    /// # Errors
    /// Those of the database.
    pub fn image_keys(&self) -> Result<Vec<ImageKeys>, StoreError> {
        let mut all = self.connection.prepare_cached(
            "SELECT t.id, o.name, p.key, t.study_date FROM studies t
             LEFT JOIN patients p ON p.id = t.patient
             LEFT JOIN sources o ON o.id = p.source
             WHERE t.id IN (SELECT study FROM namings)
             ORDER BY (SELECT min(uid) FROM study_uids u WHERE u.study = t.id), t.id",
        )?;
        let mut uids =
            self.connection.prepare_cached("SELECT uid FROM study_uids WHERE study = ?1")?;
        let mut accessions = self.connection.prepare_cached(
            "SELECT o.name, a.accession FROM study_accessions a JOIN sources o ON o.id = a.source
             WHERE a.study = ?1",
        )?;
        let mut rows = all.query(())?;
        let mut keys = Vec::new();
        while let Some(row) = rows.next()? {
            let study: u64 = row.get(0)?;
            let (source, patient): (Option<String>, Option<String>) = (row.get(1)?, row.get(2)?);
            let accessions = accessions.query_map([study], |row| Ok((row.get(0)?, row.get(1)?)))?;
            keys.push(ImageKeys {
                study,
                uids: uids.query_map([study], |row| row.get(0))?.collect::<Result<_, _>>()?,
                accessions: accessions.collect::<Result<_, _>>()?,
                patient: source.zip(patient),
                date: row.get(3)?,
            });
        }
        Ok(keys)
    }
}
