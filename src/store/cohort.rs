//! Frozen cohorts: versions of reports under a name, and how they were chosen.

use rusqlite::{OptionalExtension, Row};

use super::{Action, Store, StoreError, Writer};

/// A cohort as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cohort {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// When it was frozen, in RFC 3339.
    pub frozen_at: String,
    /// How it was chosen, as JSON.
    pub recipe: String,
    /// SHA-256 over its members, in hexadecimal digits.
    pub hash: String,
    /// How many members it has.
    pub members: u64,
}

/// A version of a report that belongs to a cohort.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The report's number.
    pub report: u64,
    /// The version's number in the archive.
    pub version: u64,
    /// Train, validation or test, where the cohort is split.
    pub part: Option<String>,
}

/// A report that may become a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The report's number.
    pub report: u64,
    /// The version's number in the archive.
    pub version: u64,
    /// The number of its study.
    pub study: u64,
    /// The number of its patient, where one is known.
    pub patient: Option<u64>,
    /// The patient's id within the source, where one is known.
    pub patient_key: Option<String>,
    /// Where the report comes from.
    pub source: String,
    /// Its id within the source.
    pub id: String,
    /// Date of the examination, ISO 8601.
    pub exam_date: Option<String>,
    /// SHA-256 of the text.
    pub text_hash: [u8; 32],
}

impl Candidate {
    /// The patient, or who stands for one where none is known: the study.
    pub fn person(&self) -> String {
        match &self.patient_key {
            Some(key) => format!("patient\t{}\t{key}", self.source),
            None => format!("study\t{}", self.study),
        }
    }

    /// The candidate as a member.
    pub const fn member(&self, part: Option<String>) -> Member {
        Member { report: self.report, version: self.version, part }
    }
}

impl Writer<'_> {
    /// Freezes a cohort.
    ///
    /// # Errors
    /// Where the name is taken.
    pub fn freeze(
        &self,
        name: &str,
        recipe: &str,
        hash: &str,
        members: &[Member],
    ) -> Result<(), StoreError> {
        let mut taken = self.transaction.prepare("SELECT 1 FROM cohorts WHERE name = ?1")?;
        if taken.exists([name])? {
            return Err(StoreError::Taken { what: "cohort", name: name.to_owned() });
        }
        self.transaction.execute(
            "INSERT INTO cohorts (name, frozen_at, recipe, hash) VALUES (?1, ?2, ?3, ?4)",
            (name, &self.now, recipe, hash),
        )?;
        let cohort = self.transaction.last_insert_rowid();
        let mut insert = self.transaction.prepare(
            "INSERT INTO cohort_members (cohort, report_version, part) VALUES (?1, ?2, ?3)",
        )?;
        for member in members {
            insert.execute((cohort, member.version, &member.part))?;
        }
        self.audit(Action::FreezeCohort, name, &hash)
    }

    /// Forgets a cohort. Its reports stay.
    ///
    /// # Errors
    /// Where there is none of that name.
    pub fn delete_cohort(&self, cohort: &Cohort) -> Result<(), StoreError> {
        self.transaction.execute("DELETE FROM cohort_members WHERE cohort = ?1", [cohort.id])?;
        self.transaction.execute("DELETE FROM cohorts WHERE id = ?1", [cohort.id])?;
        self.audit(Action::DeleteCohort, &cohort.name, &cohort.hash)
    }
}

const COHORT: &str = "SELECT c.id, c.name, c.frozen_at, c.recipe, c.hash,
                             (SELECT count(*) FROM cohort_members m WHERE m.cohort = c.id)
                      FROM cohorts c";

fn cohort(row: &Row<'_>) -> rusqlite::Result<Cohort> {
    Ok(Cohort {
        id: row.get(0)?,
        name: row.get(1)?,
        frozen_at: row.get(2)?,
        recipe: row.get(3)?,
        hash: row.get(4)?,
        members: row.get(5)?,
    })
}

const CANDIDATE: &str = "SELECT r.id, v.id, r.study, r.patient, p.key, o.name, r.key, r.exam_date,
                                v.text_hash
     FROM reports r
     JOIN report_versions v ON v.report = r.id
     JOIN sources o ON o.id = r.source
     LEFT JOIN patients p ON p.id = r.patient";

fn candidate(row: &Row<'_>) -> rusqlite::Result<Candidate> {
    Ok(Candidate {
        report: row.get(0)?,
        version: row.get(1)?,
        study: row.get(2)?,
        patient: row.get(3)?,
        patient_key: row.get(4)?,
        source: row.get(5)?,
        id: row.get(6)?,
        exam_date: row.get(7)?,
        text_hash: row.get(8)?,
    })
}

impl Store {
    /// Every cohort, by name.
    ///
    /// # Errors
    /// Those of the database.
    pub fn cohorts(&self) -> Result<Vec<Cohort>, StoreError> {
        let mut all = self.connection.prepare(&format!("{COHORT} ORDER BY c.name"))?;
        Ok(all.query_map((), cohort)?.collect::<Result<_, _>>()?)
    }

    /// The cohort of this name.
    ///
    /// # Errors
    /// Where there is none.
    pub fn cohort(&self, name: &str) -> Result<Cohort, StoreError> {
        let mut find = self.connection.prepare(&format!("{COHORT} WHERE c.name = ?1"))?;
        if let Some(found) = find.query_row([name], cohort).optional()? {
            return Ok(found);
        }
        let known = self.cohorts()?.into_iter().map(|cohort| cohort.name).collect();
        Err(StoreError::Unknown { what: "cohort", name: name.to_owned(), known })
    }

    /// The present versions of the reports with these numbers.
    ///
    /// # Errors
    /// Those of the database.
    pub fn candidates(&self, reports: &[u64]) -> Result<Vec<Candidate>, StoreError> {
        let sql = format!("{CANDIDATE} WHERE r.id = ?1 AND v.id = r.version");
        let mut find = self.connection.prepare_cached(&sql)?;
        reports.iter().map(|number| Ok(find.query_row([number], candidate)?)).collect()
    }

    /// The reports with these versions, whether present or not.
    ///
    /// # Errors
    /// Those of the database.
    pub fn candidates_of(
        &self,
        versions: impl Iterator<Item = u64>,
    ) -> Result<Vec<Candidate>, StoreError> {
        let sql = format!("{CANDIDATE} WHERE v.id = ?1");
        let mut find = self.connection.prepare_cached(&sql)?;
        versions.map(|version| Ok(find.query_row([version], candidate)?)).collect()
    }

    /// The members of a cohort, by version.
    ///
    /// # Errors
    /// Those of the database.
    pub fn members(&self, cohort: &Cohort) -> Result<Vec<Member>, StoreError> {
        let mut all = self.connection.prepare_cached(
            "SELECT v.report, v.id, m.part
             FROM cohort_members m JOIN report_versions v ON v.id = m.report_version
             WHERE m.cohort = ?1 ORDER BY v.id",
        )?;
        let member = |row: &Row<'_>| {
            Ok(Member { report: row.get(0)?, version: row.get(1)?, part: row.get(2)? })
        };
        Ok(all.query_map([cohort.id], member)?.collect::<Result<_, _>>()?)
    }
}
