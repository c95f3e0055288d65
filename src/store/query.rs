//! Saved queries: a name for a query that is asked again.

use rusqlite::Row;

use super::{Action, Store, StoreError, Writer};

/// A query under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedQuery {
    /// Its name.
    pub name: String,
    /// The query as it was typed.
    pub query: String,
    /// When it was saved, in RFC 3339.
    pub saved_at: String,
}

impl Writer<'_> {
    /// Saves a query, in place of an earlier one of that name.
    ///
    /// # Errors
    /// Those of the database.
    pub fn save_query(&self, name: &str, query: &str) -> Result<(), StoreError> {
        self.transaction.execute(
            "INSERT OR REPLACE INTO saved_queries (name, query, saved_at) VALUES (?1, ?2, ?3)",
            (name, query, &self.now),
        )?;
        self.audit(Action::SaveQuery, name, &query)
    }

    /// Forgets a saved query.
    ///
    /// # Errors
    /// Where there is none of that name.
    pub fn delete_query(&self, name: &str) -> Result<(), StoreError> {
        match self.transaction.execute("DELETE FROM saved_queries WHERE name = ?1", [name])? {
            0 => Err(StoreError::Unknown {
                what: "saved query",
                name: name.to_owned(),
                known: Vec::new(),
            }),
            _ => self.audit(Action::DeleteQuery, name, &()),
        }
    }
}

impl Store {
    /// Every saved query, by name.
    ///
    /// # Errors
    /// Those of the database.
    pub fn saved_queries(&self) -> Result<Vec<SavedQuery>, StoreError> {
        let mut all = self
            .connection
            .prepare_cached("SELECT name, query, saved_at FROM saved_queries ORDER BY name")?;
        let saved = |row: &Row<'_>| {
            Ok(SavedQuery { name: row.get(0)?, query: row.get(1)?, saved_at: row.get(2)? })
        };
        Ok(all.query_map((), saved)?.collect::<Result<_, _>>()?)
    }

    /// The saved query of this name.
    ///
    /// # Errors
    /// Where there is none.
    pub fn saved_query(&self, name: &str) -> Result<SavedQuery, StoreError> {
        let all = self.saved_queries()?;
        let known = all.iter().map(|saved| saved.name.clone()).collect();
        all.into_iter().find(|saved| saved.name == name).ok_or_else(|| StoreError::Unknown {
            what: "saved query",
            name: name.to_owned(),
            known,
        })
    }
}
