//! Reports and studies that someone says go together, where no key does.

use rusqlite::{Connection, OptionalExtension};

use super::{Store, StoreError, Writer};

impl Store {
    /// Every report that someone linked, by number, with the study.
    ///
    /// # Errors
    /// Those of the database.
    pub fn kept_links(&self) -> Result<Vec<(u64, u64)>, StoreError> {
        let mut all = self
            .connection
            .prepare_cached("SELECT report, study FROM kept_links ORDER BY report")?;
        Ok(all.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?)
    }
}

impl Writer<'_> {
    /// From now on a report is about this study, whatever was said before.
    ///
    /// # Errors
    /// Those of the database.
    pub fn keep_link(&self, report: u64, study: u64) -> Result<(), StoreError> {
        self.transaction
            .prepare_cached("INSERT OR REPLACE INTO kept_links (report, study) VALUES (?1, ?2)")?
            .execute((report, study))?;
        Ok(())
    }

    /// From now on a report is about the study that its keys tell, whatever was said before.
    ///
    /// # Errors
    /// Those of the database.
    pub fn forget_link(&self, report: u64) -> Result<(), StoreError> {
        self.transaction
            .prepare_cached("DELETE FROM kept_links WHERE report = ?1")?
            .execute([report])?;
        Ok(())
    }

    /// The study that a report is about.
    ///
    /// # Errors
    /// Those of the database.
    pub fn study_of(&self, report: u64) -> Result<Option<u64>, StoreError> {
        study_of(&self.transaction, report)
    }
}

/// The study that a report is about: as someone says, else by its keys.
pub(super) fn study_of(database: &Connection, report: u64) -> Result<Option<u64>, StoreError> {
    let mut find = database.prepare_cached(
        "SELECT ifnull((SELECT study FROM kept_links WHERE report = r.id), r.study)
         FROM reports r WHERE r.id = ?1",
    )?;
    Ok(find.query_row([report], |row| row.get(0)).optional()?.flatten())
}
