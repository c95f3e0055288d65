//! What was done to the archive. The log is only ever added to, and never holds a report's text.

use serde::Serialize;

use super::{Store, StoreError, Writer};

/// What is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Action {
    Import,
    ImportLabels,
    Reread,
    Amend,
    NewVersion,
    SaveQuery,
    DeleteQuery,
    FreezeCohort,
    DeleteCohort,
    Export,
    Restore,
}

impl Action {
    /// The name in the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::ImportLabels => "import labels",
            Self::Reread => "reread",
            Self::Amend => "amend",
            Self::NewVersion => "new version",
            Self::SaveQuery => "save query",
            Self::DeleteQuery => "delete query",
            Self::FreezeCohort => "freeze cohort",
            Self::DeleteCohort => "delete cohort",
            Self::Export => "export",
            Self::Restore => "restore",
        }
    }
}

/// Who acts where nobody has signed in.
const COMMAND_LINE: &str = "command line";

impl Writer<'_> {
    /// Logs an action upon something, with what more there is to tell.
    ///
    /// # Errors
    /// Those of the database.
    pub fn audit(
        &self,
        action: Action,
        subject: &str,
        detail: &impl Serialize,
    ) -> Result<(), StoreError> {
        let detail = serde_json::to_string(detail).expect("details are plain data");
        self.transaction
            .prepare_cached(
                "INSERT INTO audit (at, actor, action, subject, detail)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((&self.now, COMMAND_LINE, action.name(), subject, detail))?;
        Ok(())
    }
}

impl Store {
    /// The log as (time, actor, action, subject, detail), oldest first.
    ///
    /// # Errors
    /// Those of the database.
    pub fn audit_log(&self) -> Result<Vec<[String; 5]>, StoreError> {
        let mut all = self
            .connection
            .prepare_cached("SELECT at, actor, action, subject, detail FROM audit ORDER BY id")?;
        let row = |row: &rusqlite::Row<'_>| {
            Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?])
        };
        Ok(all.query_map((), row)?.collect::<Result<_, _>>()?)
    }
}
