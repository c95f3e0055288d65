//! Reports and the versions of their texts.

use rusqlite::{OptionalExtension, Row};
use sha2::{Digest, Sha256};

use super::{Action, Store, StoreError, StudyKeys, Writer};
use crate::label::Status;
use crate::report::Report;

/// What a report's study goes by.
fn keys(report: &Report) -> StudyKeys<'_> {
    StudyKeys { uid: report.study_uid.as_deref(), accession: report.accession.as_deref() }
}

/// What became of a report that was put into the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was not known.
    New,
    /// It was known as it is.
    Same,
    /// Its text was known; something else about it was not.
    Amended,
    /// It was known with another text.
    NewVersion,
}

/// Where a report now stands in the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// The report's number.
    pub report: u64,
    /// The number of its present version.
    pub version: u64,
    /// That version as something to read.
    pub subject: u64,
    /// What became of it.
    pub outcome: Outcome,
}

/// A report as the archive has it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredReport {
    /// Its number.
    pub number: u64,
    /// The number of its study.
    pub study: u64,
    /// The number of its patient, where one is known.
    pub patient: Option<u64>,
    /// The number of its present version.
    pub version: u64,
    /// How far people have settled its label.
    pub status: Status,
    /// The number of its last change.
    pub change: u64,
    /// The report itself, with its present text.
    pub report: Report,
}

/// One version of a report's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Its number in the archive.
    pub id: u64,
    /// Its number among the versions of the report, from 1.
    pub number: u32,
    /// When it was imported, in RFC 3339.
    pub imported_at: String,
    /// SHA-256 of the text, in hexadecimal digits.
    pub text_hash: String,
    /// The text.
    pub text: String,
}

/// What [`Writer::put_report`] finds of a report that is known.
struct Known {
    report: u64,
    study: u64,
    version: u64,
    subject: u64,
    text_hash: [u8; 32],
    fields: Fields,
}

/// What is known about a report beside its text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fields {
    patient: Option<u64>,
    accession: Option<String>,
    study_uid: Option<String>,
    exam_date: Option<String>,
    sex: Option<String>,
    age: Option<u16>,
    birth_date: Option<String>,
    modality: Option<String>,
}

impl Fields {
    fn of(report: &Report, patient: Option<u64>) -> Self {
        Self {
            patient,
            accession: report.accession.clone(),
            study_uid: report.study_uid.clone(),
            exam_date: report.exam_date.clone(),
            sex: report.sex.clone(),
            age: report.age,
            birth_date: report.birth_date.clone(),
            modality: report.modality.clone(),
        }
    }

    /// What is newly said, and where nothing is, what was known: an export that lacks a column
    /// takes nothing away.
    fn or(self, known: &Self) -> Self {
        let known = known.clone();
        Self {
            patient: self.patient.or(known.patient),
            accession: self.accession.or(known.accession),
            study_uid: self.study_uid.or(known.study_uid),
            exam_date: self.exam_date.or(known.exam_date),
            sex: self.sex.or(known.sex),
            age: self.age.or(known.age),
            birth_date: self.birth_date.or(known.birth_date),
            modality: self.modality.or(known.modality),
        }
    }

    /// The names of the fields that differ, for the audit log.
    fn changed(&self, known: &Self) -> Vec<&'static str> {
        let differs = [
            ("patient", self.patient != known.patient),
            ("accession", self.accession != known.accession),
            ("study_uid", self.study_uid != known.study_uid),
            ("exam_date", self.exam_date != known.exam_date),
            ("sex", self.sex != known.sex),
            ("age", self.age != known.age),
            ("birth_date", self.birth_date != known.birth_date),
            ("modality", self.modality != known.modality),
        ];
        differs.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
    }
}

impl Writer<'_> {
    /// Puts a report into the archive. Known content changes nothing; another text becomes a new
    /// version, and the readings of the old one stay with the old one.
    ///
    /// # Errors
    /// Those of the database.
    pub fn put_report(&self, report: &Report) -> Result<Stored, StoreError> {
        let source = self.source(report.source.as_deref().unwrap_or_default())?;
        let patient = match &report.patient {
            Some(key) => Some(self.patient(source, key)?),
            None => None,
        };
        let fields = Fields::of(report, patient);
        let text_hash = Sha256::digest(&report.text).into();
        match self.known(source, &report.id)? {
            None => self.new_report(source, report, fields, text_hash),
            Some(known) => {
                self.known_report(source, report, &fields.or(&known.fields), text_hash, known)
            }
        }
    }

    /// The present version of a report, and that as something to read.
    ///
    /// # Errors
    /// Those of the database.
    pub fn present(&self, report: u64) -> Result<(u64, u64), StoreError> {
        let mut find = self.transaction.prepare_cached(
            "SELECT r.version, s.id FROM reports r JOIN subjects s ON s.report_version = r.version
             WHERE r.id = ?1",
        )?;
        Ok(find.query_row([report], |row| Ok((row.get(0)?, row.get(1)?)))?)
    }

    /// The text of a version.
    ///
    /// # Errors
    /// Those of the database.
    pub fn text(&self, version: u64) -> Result<String, StoreError> {
        let mut find =
            self.transaction.prepare_cached("SELECT text FROM report_versions WHERE id = ?1")?;
        Ok(find.query_row([version], |row| row.get(0))?)
    }

    /// A version of a report as something to read.
    ///
    /// # Errors
    /// Those of the database.
    pub fn subject(&self, version: u64) -> Result<u64, StoreError> {
        let mut find =
            self.transaction.prepare_cached("SELECT id FROM subjects WHERE report_version = ?1")?;
        Ok(find.query_row([version], |row| row.get(0))?)
    }

    fn known(&self, source: u64, key: &str) -> Result<Option<Known>, StoreError> {
        let mut find = self.transaction.prepare_cached(
            "SELECT r.id, r.study, v.id, s.id, v.text_hash, r.patient, r.accession, r.study_uid,
                    r.exam_date, r.sex, r.age, r.birth_date, r.modality
             FROM reports r
             JOIN report_versions v ON v.id = r.version
             JOIN subjects s ON s.report_version = v.id
             WHERE r.source = ?1 AND r.key = ?2",
        )?;
        let known = find.query_row((source, key), |row| {
            Ok(Known {
                report: row.get(0)?,
                study: row.get(1)?,
                version: row.get(2)?,
                subject: row.get(3)?,
                text_hash: row.get(4)?,
                fields: Fields {
                    patient: row.get(5)?,
                    accession: row.get(6)?,
                    study_uid: row.get(7)?,
                    exam_date: row.get(8)?,
                    sex: row.get(9)?,
                    age: row.get(10)?,
                    birth_date: row.get(11)?,
                    modality: row.get(12)?,
                },
            })
        });
        Ok(known.optional()?)
    }

    fn new_report(
        &self,
        source: u64,
        report: &Report,
        fields: Fields,
        text_hash: [u8; 32],
    ) -> Result<Stored, StoreError> {
        let study = self.study(source, keys(report), None)?;
        self.transaction
            .prepare_cached(
                "INSERT INTO reports (source, key, study, patient, accession, study_uid, exam_date,
                                      sex, age, birth_date, modality, version, status, change)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0, ?12, ?13)",
            )?
            .execute((
                source,
                &report.id,
                study,
                fields.patient,
                &fields.accession,
                &fields.study_uid,
                &fields.exam_date,
                &fields.sex,
                fields.age,
                &fields.birth_date,
                &fields.modality,
                Status::Machine.name(),
                self.next_change(),
            ))?;
        let number = self.transaction.last_insert_rowid() as u64;
        let (version, subject) = self.add_version(number, 1, &report.text, text_hash)?;
        Ok(Stored { report: number, version, subject, outcome: Outcome::New })
    }

    fn known_report(
        &self,
        source: u64,
        report: &Report,
        fields: &Fields,
        text_hash: [u8; 32],
        known: Known,
    ) -> Result<Stored, StoreError> {
        let changed = fields.changed(&known.fields);
        if !changed.is_empty() {
            self.amend(source, fields, &known)?;
            self.audit(Action::Amend, &format!("report {}", known.report), &changed)?;
        }
        let Known { report: number, version, subject, .. } = known;
        if known.text_hash == text_hash {
            let outcome = if changed.is_empty() { Outcome::Same } else { Outcome::Amended };
            return Ok(Stored { report: number, version, subject, outcome });
        }
        let last: u32 = self.transaction.query_row(
            "SELECT max(number) FROM report_versions WHERE report = ?1",
            [number],
            |row| row.get(0),
        )?;
        let (version, subject) = self.add_version(number, last + 1, &report.text, text_hash)?;
        self.touch(number)?;
        self.audit(Action::NewVersion, &format!("report {number}"), &(last + 1))?;
        Ok(Stored { report: number, version, subject, outcome: Outcome::NewVersion })
    }

    fn amend(&self, source: u64, fields: &Fields, known: &Known) -> Result<(), StoreError> {
        // By what is known in all: a record that lacks the UID does not make the report another study's.
        let keys =
            StudyKeys { uid: fields.study_uid.as_deref(), accession: fields.accession.as_deref() };
        let study = self.study(source, keys, Some(known.study))?;
        self.transaction
            .prepare_cached(
                "UPDATE reports SET study = ?2, patient = ?3, accession = ?4, study_uid = ?5,
                    exam_date = ?6, sex = ?7, age = ?8, birth_date = ?9, modality = ?10
                 WHERE id = ?1",
            )?
            .execute((
                known.report,
                study,
                fields.patient,
                &fields.accession,
                &fields.study_uid,
                &fields.exam_date,
                &fields.sex,
                fields.age,
                &fields.birth_date,
                &fields.modality,
            ))?;
        self.touch(known.report)
    }

    /// Adds a version and makes it the present one.
    fn add_version(
        &self,
        report: u64,
        number: u32,
        text: &str,
        text_hash: [u8; 32],
    ) -> Result<(u64, u64), StoreError> {
        self.transaction
            .prepare_cached(
                "INSERT INTO report_versions (report, number, text, text_hash, imported_at)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((report, number, text, text_hash, &self.now))?;
        let version = self.transaction.last_insert_rowid() as u64;
        self.transaction
            .prepare_cached("INSERT INTO subjects (report_version) VALUES (?1)")?
            .execute([version])?;
        let subject = self.transaction.last_insert_rowid() as u64;
        self.transaction
            .prepare_cached("UPDATE reports SET version = ?2 WHERE id = ?1")?
            .execute((report, version))?;
        Ok((version, subject))
    }
}

/// The columns that [`stored_report`] reads.
const COLUMNS: &str = "r.id, r.study, r.patient, r.version, r.status, r.change, r.key, v.text, \
                       p.key, r.accession, r.study_uid, r.exam_date, r.sex, r.age, r.birth_date, \
                       r.modality, o.name";

const JOINS: &str = "reports r JOIN report_versions v ON v.id = r.version \
                     JOIN sources o ON o.id = r.source LEFT JOIN patients p ON p.id = r.patient";

fn stored_report(row: &Row<'_>) -> Result<StoredReport, StoreError> {
    let status: String = row.get(4)?;
    let source: String = row.get(16)?;
    Ok(StoredReport {
        number: row.get(0)?,
        study: row.get(1)?,
        patient: row.get(2)?,
        version: row.get(3)?,
        status: status.parse().map_err(|_| StoreError::Damaged(format!("status `{status}`")))?,
        change: row.get(5)?,
        report: Report {
            id: row.get(6)?,
            text: row.get(7)?,
            patient: row.get(8)?,
            accession: row.get(9)?,
            study_uid: row.get(10)?,
            exam_date: row.get(11)?,
            sex: row.get(12)?,
            age: row.get(13)?,
            birth_date: row.get(14)?,
            modality: row.get(15)?,
            source: Some(source).filter(|name| !name.is_empty()),
        },
    })
}

impl Store {
    /// How many reports there are.
    ///
    /// # Errors
    /// Those of the database.
    pub fn report_count(&self) -> Result<u64, StoreError> {
        Ok(self.connection.query_row("SELECT count(*) FROM reports", (), |row| row.get(0))?)
    }

    /// The report of this number.
    ///
    /// # Errors
    /// Those of the database.
    pub fn report(&self, number: u64) -> Result<Option<StoredReport>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM {JOINS} WHERE r.id = ?1");
        let mut find = self.connection.prepare_cached(&sql)?;
        find.query_and_then([number], stored_report)?.next().transpose()
    }

    /// The number of the report with this id, within a source or, where none is given, in the one
    /// source that has it. The inner error says why there is no such report.
    ///
    /// # Errors
    /// Those of the database.
    pub fn report_named(
        &self,
        source: Option<&str>,
        id: &str,
    ) -> Result<Result<u64, String>, StoreError> {
        let mut find = self.connection.prepare_cached(
            "SELECT id FROM reports WHERE key = ?2
             AND source IN (SELECT id FROM sources WHERE ?1 IS NULL OR name = ?1)",
        )?;
        let found: Vec<u64> =
            find.query_map((source, id), |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(match *found.as_slice() {
            [] => Err(format!("no report `{id}` is in the archive; import it first")),
            [report] => Ok(report),
            _ => Err(format!("several sources have a report `{id}`; name the source")),
        })
    }

    /// Up to `limit` reports that have changed after `change`, in the order of their changes.
    ///
    /// # Errors
    /// Those of the database.
    pub fn reports_after(
        &self,
        change: u64,
        limit: usize,
    ) -> Result<Vec<StoredReport>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM {JOINS} WHERE r.change > ?1 ORDER BY r.change LIMIT ?2");
        let mut find = self.connection.prepare_cached(&sql)?;
        find.query_and_then((change, limit), stored_report)?.collect()
    }

    /// Up to `limit` reports whose numbers come after `number`, in order.
    ///
    /// # Errors
    /// Those of the database.
    pub fn reports_from(&self, number: u64, limit: usize) -> Result<Vec<StoredReport>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM {JOINS} WHERE r.id > ?1 ORDER BY r.id LIMIT ?2");
        let mut find = self.connection.prepare_cached(&sql)?;
        find.query_and_then((number, limit), stored_report)?.collect()
    }

    /// Every version of a report's text, oldest first.
    ///
    /// # Errors
    /// Those of the database.
    pub fn versions(&self, report: u64) -> Result<Vec<Version>, StoreError> {
        let mut find = self.connection.prepare_cached(
            "SELECT id, number, imported_at, lower(hex(text_hash)), text FROM report_versions
             WHERE report = ?1 ORDER BY number",
        )?;
        let version = |row: &Row<'_>| {
            Ok(Version {
                id: row.get(0)?,
                number: row.get(1)?,
                imported_at: row.get(2)?,
                text_hash: row.get(3)?,
                text: row.get(4)?,
            })
        };
        Ok(find.query_map([report], version)?.collect::<Result<_, _>>()?)
    }
}
