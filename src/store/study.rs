//! Sources, patients and studies: the keys that reports are joined by.

use rusqlite::OptionalExtension;

use super::{StoreError, Writer};

/// What a study goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StudyKeys<'a> {
    /// StudyInstanceUID.
    pub uid: Option<&'a str>,
    /// The accession number within a source.
    pub accession: Option<&'a str>,
}

impl Writer<'_> {
    /// The source of this name; one without a name is a source too.
    pub(super) fn source(&self, name: &str) -> Result<u64, StoreError> {
        let find = "SELECT id FROM sources WHERE name = ?1";
        let make = "INSERT INTO sources (name) VALUES (?1)";
        self.find_or_make(find, make, (name,))
    }

    /// The patient of this key within a source.
    pub(super) fn patient(&self, source: u64, key: &str) -> Result<u64, StoreError> {
        let find = "SELECT id FROM patients WHERE source = ?1 AND key = ?2";
        let make = "INSERT INTO patients (source, key) VALUES (?1, ?2)";
        self.find_or_make(find, make, (source, key))
    }

    pub(super) fn find_or_make(
        &self,
        find: &str,
        make: &str,
        key: impl rusqlite::Params + Clone,
    ) -> Result<u64, StoreError> {
        let mut find = self.transaction.prepare_cached(find)?;
        if let Some(id) = find.query_row(key.clone(), |row| row.get(0)).optional()? {
            return Ok(id);
        }
        self.transaction.prepare_cached(make)?.execute(key)?;
        Ok(self.transaction.last_insert_rowid() as u64)
    }

    /// The study that a report or an image belongs to: by StudyInstanceUID, else by accession within its
    /// source, else `own`, the study it already has, else a new one.
    ///
    /// What names both keys joins them: where they were known as two studies, those are
    /// one from now on. An accession under which another StudyInstanceUID is known covers several
    /// studies, and joins nothing.
    pub(super) fn study(
        &self,
        source: u64,
        keys: StudyKeys<'_>,
        own: Option<u64>,
    ) -> Result<u64, StoreError> {
        let by_uid = match keys.uid {
            Some(uid) => self.study_by_uid(uid)?,
            None => None,
        };
        let by_accession = match keys.accession {
            Some(accession) => self.study_by_accession(source, accession)?,
            None => None,
        };
        let study = match (by_uid, by_accession) {
            (Some(study), None) => study,
            (None, Some(study)) if keys.uid.is_none() || !self.has_uid(study)? => study,
            (Some(study), Some(other)) => {
                if study != other && self.is_known_by_accession_only(other)? {
                    self.merge_studies(other, study)?;
                }
                study
            }
            (None, _) => match own {
                Some(own) if keys.uid.is_none() || !self.has_uid(own)? => own,
                _ => self.new_study()?,
            },
        };
        self.name_study(study, source, keys)?;
        Ok(study)
    }

    fn new_study(&self) -> Result<u64, StoreError> {
        self.transaction.prepare_cached("INSERT INTO studies DEFAULT VALUES")?.execute(())?;
        Ok(self.transaction.last_insert_rowid() as u64)
    }

    fn name_study(&self, study: u64, source: u64, keys: StudyKeys<'_>) -> Result<(), StoreError> {
        if let Some(uid) = keys.uid {
            self.transaction
                .prepare_cached("INSERT OR IGNORE INTO study_uids (uid, study) VALUES (?1, ?2)")?
                .execute((uid, study))?;
        }
        if let Some(accession) = keys.accession {
            self.transaction
                .prepare_cached(
                    "INSERT OR IGNORE INTO study_accessions (source, accession, study)
                     VALUES (?1, ?2, ?3)",
                )?
                .execute((source, accession, study))?;
        }
        Ok(())
    }

    pub(super) fn study_by_uid(&self, uid: &str) -> Result<Option<u64>, StoreError> {
        let mut find =
            self.transaction.prepare_cached("SELECT study FROM study_uids WHERE uid = ?1")?;
        Ok(find.query_row([uid], |row| row.get(0)).optional()?)
    }

    /// The study of this UID, which has to be there.
    pub(super) fn known_study(&self, uid: &str) -> Result<u64, StoreError> {
        self.study_by_uid(uid)?.ok_or_else(|| StoreError::Unknown {
            what: "study",
            name: uid.to_owned(),
            known: Vec::new(),
        })
    }

    fn study_by_accession(&self, source: u64, accession: &str) -> Result<Option<u64>, StoreError> {
        let mut find = self.transaction.prepare_cached(
            "SELECT study FROM study_accessions WHERE source = ?1 AND accession = ?2",
        )?;
        Ok(find.query_row((source, accession), |row| row.get(0)).optional()?)
    }

    fn has_uid(&self, study: u64) -> Result<bool, StoreError> {
        let mut find =
            self.transaction.prepare_cached("SELECT 1 FROM study_uids WHERE study = ?1")?;
        Ok(find.exists([study])?)
    }

    /// Whether neither a StudyInstanceUID nor an image says that this is a study of its own.
    fn is_known_by_accession_only(&self, study: u64) -> Result<bool, StoreError> {
        let mut discs =
            self.transaction.prepare_cached("SELECT 1 FROM subjects WHERE study = ?1")?;
        Ok(!self.has_uid(study)? && !discs.exists([study])?)
    }

    /// Moves the reports and accessions of one study to another.
    fn merge_studies(&self, from: u64, into: u64) -> Result<(), StoreError> {
        let reports: Vec<u64> = self
            .transaction
            .prepare_cached("SELECT id FROM reports WHERE study = ?1")?
            .query_map([from], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for update in [
            "UPDATE reports SET study = ?2 WHERE study = ?1",
            "UPDATE study_accessions SET study = ?2 WHERE study = ?1",
            "UPDATE kept_links SET study = ?2 WHERE study = ?1",
        ] {
            self.transaction.execute(update, (from, into))?;
        }
        self.transaction.execute("DELETE FROM studies WHERE id = ?1", [from])?;
        reports.into_iter().try_for_each(|report| self.touch(report))
    }
}
