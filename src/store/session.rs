//! Sessions of browsers, tokens of programs, and failed attempts to get in.

use rusqlite::OptionalExtension;

use super::secret::{Secret, hash};
use super::user::find_user;
use super::{Action, Store, StoreError, User, Writer, unix_now};

/// A token of someone's, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its number.
    pub id: u64,
    /// What its owner calls it.
    pub name: String,
    /// When it was made, in RFC 3339.
    pub created_at: String,
}

/// For how many seconds failed attempts count.
const MEMORY: i64 = 15 * 60;

impl Writer<'_> {
    /// Keeps a session of someone for so many seconds from now.
    ///
    /// # Errors
    /// Those of the database.
    pub fn put_session(
        &self,
        key: &str,
        user: u64,
        state: &str,
        seconds: i64,
    ) -> Result<(), StoreError> {
        self.transaction
            .prepare_cached("DELETE FROM sessions WHERE expires <= ?1")?
            .execute([self.unix])?;
        self.transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO sessions (key_hash, user, state, expires)
                 VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute((hash(key), user, state, self.unix + seconds))?;
        Ok(())
    }

    /// Lets a session go on for so many seconds from now.
    ///
    /// # Errors
    /// Those of the database.
    pub fn extend_session(&self, key: &str, seconds: i64) -> Result<(), StoreError> {
        self.transaction
            .prepare_cached("UPDATE sessions SET expires = ?2 WHERE key_hash = ?1")?
            .execute((hash(key), self.unix + seconds))?;
        Ok(())
    }

    /// Ends a session.
    ///
    /// # Errors
    /// Those of the database.
    pub fn end_session(&self, key: &str) -> Result<(), StoreError> {
        self.transaction.execute("DELETE FROM sessions WHERE key_hash = ?1", [hash(key)])?;
        Ok(())
    }

    /// Ends every session of someone.
    ///
    /// # Errors
    /// Those of the database.
    pub fn end_sessions(&self, user: u64) -> Result<(), StoreError> {
        self.transaction.execute("DELETE FROM sessions WHERE user = ?1", [user])?;
        Ok(())
    }

    /// Makes a token for someone and returns its secret.
    ///
    /// # Errors
    /// Those of the database.
    pub fn add_token(&self, user: &User, name: &str) -> Result<Secret, StoreError> {
        let secret = Secret::new()?;
        self.transaction.execute(
            "INSERT INTO tokens (user, name, secret_hash, created_at) VALUES (?1, ?2, ?3, ?4)",
            (user.id, name, hash(secret.reveal()), &self.now),
        )?;
        self.audit(Action::AddToken, &user.name, &name)?;
        Ok(secret)
    }

    /// Takes a token back.
    ///
    /// # Errors
    /// Those of the database.
    pub fn delete_token(&self, user: &User, token: u64) -> Result<(), StoreError> {
        self.transaction
            .execute("DELETE FROM tokens WHERE id = ?1 AND user = ?2", (token, user.id))?;
        self.audit(Action::DeleteToken, &user.name, &token)
    }

    /// Remembers that someone failed to get in.
    ///
    /// # Errors
    /// Those of the database.
    pub fn failed_sign_in(&self, keys: &[&str]) -> Result<(), StoreError> {
        self.transaction
            .execute("DELETE FROM failed_sign_ins WHERE at <= ?1", [self.unix - MEMORY])?;
        for key in keys {
            self.transaction.execute(
                "INSERT INTO failed_sign_ins (key, at) VALUES (?1, ?2)",
                (hash(key), self.unix),
            )?;
        }
        Ok(())
    }

    /// Forgets failed attempts, once someone got in.
    ///
    /// # Errors
    /// Those of the database.
    pub fn forget_failures(&self, key: &str) -> Result<(), StoreError> {
        self.transaction.execute("DELETE FROM failed_sign_ins WHERE key = ?1", [hash(key)])?;
        Ok(())
    }
}

impl Store {
    /// The state of a session that has not run out, and until when it lasts.
    ///
    /// # Errors
    /// Those of the database.
    pub fn session(&self, key: &str) -> Result<Option<(String, i64)>, StoreError> {
        let mut find = self.connection.prepare_cached(
            "SELECT s.state, s.expires FROM sessions s JOIN users u ON u.id = s.user
             WHERE s.key_hash = ?1 AND s.expires > ?2 AND u.active",
        )?;
        let session = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        Ok(find.query_row((hash(key), unix_now()), session).optional()?)
    }

    /// The person of this number, where they may sign in.
    ///
    /// # Errors
    /// Those of the database.
    pub fn active_user(&self, id: u64) -> Result<Option<User>, StoreError> {
        find_user(&self.connection, "WHERE u.id = ?1 AND u.active", [id])
    }

    /// Whose token this is, where they may sign in.
    ///
    /// # Errors
    /// Those of the database.
    pub fn user_of_token(&self, secret: &str) -> Result<Option<User>, StoreError> {
        find_user(
            &self.connection,
            "JOIN tokens t ON t.user = u.id WHERE t.secret_hash = ?1 AND u.active",
            [hash(secret)],
        )
    }

    /// Someone's tokens, oldest first.
    ///
    /// # Errors
    /// Those of the database.
    pub fn tokens(&self, user: u64) -> Result<Vec<Token>, StoreError> {
        let mut all = self.connection.prepare_cached(
            "SELECT id, name, created_at FROM tokens WHERE user = ?1 ORDER BY id",
        )?;
        let token = |row: &rusqlite::Row<'_>| {
            Ok(Token { id: row.get(0)?, name: row.get(1)?, created_at: row.get(2)? })
        };
        Ok(all.query_map([user], token)?.collect::<Result<_, _>>()?)
    }

    /// How often a name or an address failed to get in of late.
    ///
    /// # Errors
    /// Those of the database.
    pub fn failures(&self, key: &str) -> Result<u64, StoreError> {
        let mut count = self
            .connection
            .prepare_cached("SELECT count(*) FROM failed_sign_ins WHERE key = ?1 AND at > ?2")?;
        Ok(count.query_row((hash(key), unix_now() - MEMORY), |row| row.get(0))?)
    }
}
