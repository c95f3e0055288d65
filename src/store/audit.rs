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
    Segment,
    Grade,
    Link,
    CorrectNaming,
    Amend,
    NewVersion,
    SaveQuery,
    DeleteQuery,
    FreezeCohort,
    DeleteCohort,
    Export,
    Restore,
    AddUser,
    Invite,
    SetPassword,
    ChangeUser,
    AddToken,
    DeleteToken,
    SignIn,
    SignInFailed,
    SignOut,
    AddBatch,
    ChangeBatch,
    Claim,
    Finish,
    SendBack,
    Restate,
    Suggest,
    SettleSuggestion,
    View,
    Search,
}

impl Action {
    /// The name in the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::ImportLabels => "import labels",
            Self::Reread => "reread",
            Self::Segment => "segment",
            Self::Grade => "grade",
            Self::Link => "link",
            Self::CorrectNaming => "correct naming",
            Self::Amend => "amend",
            Self::NewVersion => "new version",
            Self::SaveQuery => "save query",
            Self::DeleteQuery => "delete query",
            Self::FreezeCohort => "freeze cohort",
            Self::DeleteCohort => "delete cohort",
            Self::Export => "export",
            Self::Restore => "restore",
            Self::AddUser => "add user",
            Self::Invite => "invite",
            Self::SetPassword => "set password",
            Self::ChangeUser => "change user",
            Self::AddToken => "add token",
            Self::DeleteToken => "delete token",
            Self::SignIn => "sign in",
            Self::SignInFailed => "sign in failed",
            Self::SignOut => "sign out",
            Self::AddBatch => "add batch",
            Self::ChangeBatch => "change batch",
            Self::Claim => "claim",
            Self::Finish => "finish",
            Self::SendBack => "send back",
            Self::Restate => "restore reading",
            Self::Suggest => "suggest",
            Self::SettleSuggestion => "settle suggestion",
            Self::View => "view",
            Self::Search => "search",
        }
    }
}

/// Who acts where nobody has signed in.
pub(super) const COMMAND_LINE: &str = "command line";

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Entry {
    /// Its number, rising.
    pub id: u64,
    /// When, in RFC 3339.
    pub at: String,
    /// Who acted.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// To what.
    pub subject: String,
    /// What more there is to tell, as JSON.
    pub detail: String,
}

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
            .execute((&self.now, &*self.actor.borrow(), action.name(), subject, detail))?;
        Ok(())
    }
}

impl Store {
    /// Up to `limit` lines of the log before the one with number `before`, the newest first.
    ///
    /// # Errors
    /// Those of the database.
    pub fn audit_log(&self, before: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let mut all = self.connection.prepare_cached(
            "SELECT id, at, actor, action, subject, detail FROM audit
             WHERE id < ?1 ORDER BY id DESC LIMIT ?2",
        )?;
        let entry = |row: &rusqlite::Row<'_>| {
            Ok(Entry {
                id: row.get(0)?,
                at: row.get(1)?,
                actor: row.get(2)?,
                action: row.get(3)?,
                subject: row.get(4)?,
                detail: row.get(5)?,
            })
        };
        Ok(all.query_map((before, limit), entry)?.collect::<Result<_, _>>()?)
    }
}
