//! Phrases that the rules misread, as people marked them.

use rusqlite::Row;

use super::{Action, Store, StoreError, Writer};

/// A phrase, and how often it was marked.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Suggestion {
    /// The phrase, in small letters with single spaces.
    pub phrase: String,
    /// How often it was marked.
    pub count: u64,
    /// How many people marked it.
    pub people: u64,
    /// In how many reports.
    pub reports: u64,
    /// One of those reports.
    pub example: u64,
    /// What people said of it.
    pub notes: Vec<String>,
    /// Whether whoever keeps the lexicon has dealt with it.
    pub settled: bool,
}

impl Writer<'_> {
    /// Marks a phrase of a version as misread.
    ///
    /// # Errors
    /// Those of the database.
    pub fn suggest(
        &self,
        version: u64,
        user: u64,
        phrase: &str,
        note: &str,
    ) -> Result<(), StoreError> {
        let phrase = phrase.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        self.transaction
            .prepare_cached(
                "INSERT INTO suggestions (report_version, user, phrase, note, at, settled)
                 VALUES (?1, ?2, ?3, ?4, ?5, 0)",
            )?
            .execute((version, user, phrase, note, &self.now))?;
        self.audit(Action::Suggest, &format!("report version {version}"), &())
    }

    /// Settles every mark of a phrase, or opens them again.
    ///
    /// # Errors
    /// Those of the database.
    pub fn settle_suggestion(&self, phrase: &str, settled: bool) -> Result<(), StoreError> {
        self.transaction
            .prepare_cached("UPDATE suggestions SET settled = ?2 WHERE phrase = ?1")?
            .execute((phrase, settled))?;
        self.audit(Action::SettleSuggestion, "phrase", &settled)
    }
}

impl Store {
    /// Every phrase that was marked, the most often marked first, settled ones last.
    ///
    /// # Errors
    /// Those of the database.
    pub fn suggestions(&self) -> Result<Vec<Suggestion>, StoreError> {
        let mut all = self.connection.prepare_cached(
            "SELECT s.phrase, count(*), count(DISTINCT s.user), count(DISTINCT v.report),
                    min(v.report), json_group_array(DISTINCT s.note) FILTER (WHERE s.note != ''),
                    min(s.settled)
             FROM suggestions s JOIN report_versions v ON v.id = s.report_version
             GROUP BY s.phrase ORDER BY min(s.settled), count(*) DESC, s.phrase",
        )?;
        let suggestion = |row: &Row<'_>| {
            let notes: String = row.get(5)?;
            Ok(Suggestion {
                phrase: row.get(0)?,
                count: row.get(1)?,
                people: row.get(2)?,
                reports: row.get(3)?,
                example: row.get(4)?,
                notes: serde_json::from_str(&notes)
                    .map_err(|error| StoreError::Damaged(format!("suggestions: {error}")))?,
                settled: row.get(6)?,
            })
        };
        all.query_and_then((), suggestion)?.collect()
    }
}
