//! People who sign in: their names, roles and passwords.

use std::fmt;
use std::str::FromStr;

use rusqlite::{OptionalExtension, Row};

use super::secret::{Secret, hash};
use super::{Action, Store, StoreError, Writer};
use crate::label::{ReaderKind, UnknownName};

/// What a person may do. Each role may do all that those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Annotates, searches.
    Annotator,
    /// Settles what annotators disagree on.
    Adjudicator,
    /// Makes batches and cohorts, sees progress and agreement, exports.
    Lead,
    /// Keeps users, reads the audit log.
    Admin,
}

impl Role {
    /// Every role, the least first.
    pub const ALL: [Self; 4] = [Self::Annotator, Self::Adjudicator, Self::Lead, Self::Admin];

    /// The name on pages and the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Annotator => "annotator",
            Self::Adjudicator => "adjudicator",
            Self::Lead => "lead",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Role {
    type Err = UnknownName;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|role| role.name() == s)
            .ok_or_else(|| UnknownName::new("role", s, Self::ALL.iter()))
    }
}

/// Someone who may sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Their number.
    pub id: u64,
    /// Their name, which is also that of the reader that they are.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whether they may sign in at all.
    pub active: bool,
    /// Whether they have chosen a password.
    pub has_password: bool,
    /// When they were added, in RFC 3339.
    pub created_at: String,
}

/// Checks that a name can be someone's: it stands in URLs, files and queries.
///
/// # Errors
/// What is wrong with it.
pub fn check_name(name: &str) -> Result<(), String> {
    let fits = |c: char| c.is_alphanumeric() || ".-_@ ".contains(c);
    let length = name.chars().count();
    if !(1..=64).contains(&length) || !name.chars().all(fits) || name.trim() != name {
        return Err(format!(
            "`{name}` cannot be a name: it has 1 to 64 letters, digits, spaces and . - _ @"
        ));
    }
    if ReaderKind::ALL.iter().any(|kind| kind.name() == name) {
        return Err(format!("`{name}` is what a machine's readings go by; choose another name"));
    }
    Ok(())
}

/// How long a one-time link is good for, in seconds.
const INVITATION: i64 = 7 * 24 * 3600;

impl Writer<'_> {
    /// Adds someone and returns the secret of the link by which they choose a password.
    ///
    /// # Errors
    /// Where the name is taken.
    pub fn add_user(&self, name: &str, role: Role) -> Result<(u64, Secret), StoreError> {
        let mut taken = self.transaction.prepare_cached("SELECT 1 FROM users WHERE name = ?1")?;
        if taken.exists([name])? {
            return Err(StoreError::Taken { what: "user", name: name.to_owned() });
        }
        self.transaction.execute(
            "INSERT INTO users (name, role, active, created_at) VALUES (?1, ?2, 1, ?3)",
            (name, role.name(), &self.now),
        )?;
        let id = self.transaction.last_insert_rowid() as u64;
        self.audit(Action::AddUser, name, &role.name())?;
        Ok((id, self.invite(id, name)?))
    }

    /// Makes a new one-time link for someone, in place of an earlier one.
    ///
    /// # Errors
    /// Those of the database.
    pub fn invite(&self, user: u64, name: &str) -> Result<Secret, StoreError> {
        let secret = Secret::new()?;
        self.transaction.execute("DELETE FROM invitations WHERE user = ?1", [user])?;
        self.transaction.execute(
            "INSERT INTO invitations (secret_hash, user, expires) VALUES (?1, ?2, ?3)",
            (hash(secret.reveal()), user, self.unix + INVITATION),
        )?;
        self.audit(Action::Invite, name, &())?;
        Ok(secret)
    }

    /// Sets the password of whoever the one-time link is for; the link is then used up and all
    /// their sessions end. None where the link is not, or no longer, good.
    ///
    /// # Errors
    /// Those of the database.
    pub fn use_invitation(&self, secret: &str, password: &str) -> Result<Option<User>, StoreError> {
        let Some(user) = invited(&self.transaction, secret, self.unix)? else {
            return Ok(None);
        };
        self.transaction.execute("DELETE FROM invitations WHERE user = ?1", [user.id])?;
        self.set_password(&user, password)?;
        Ok(Some(user))
    }

    /// Sets someone's password, given as PHC string, and ends all their sessions.
    ///
    /// # Errors
    /// Those of the database.
    pub fn set_password(&self, user: &User, password: &str) -> Result<(), StoreError> {
        self.transaction
            .execute("UPDATE users SET password = ?2 WHERE id = ?1", (user.id, password))?;
        self.end_sessions(user.id)?;
        self.audit(Action::SetPassword, &user.name, &())
    }

    /// Changes what someone may do. Who may no longer sign in is signed out.
    ///
    /// # Errors
    /// Where they are the last admin and would be none any more: nobody would be left to keep users.
    pub fn change_user(&self, user: &User, role: Role, active: bool) -> Result<(), StoreError> {
        let before = self.admins()?;
        self.transaction.execute(
            "UPDATE users SET role = ?2, active = ?3 WHERE id = ?1",
            (user.id, role.name(), active),
        )?;
        // Where the server never ran there is no admin yet, and nothing to keep.
        if before > 0 && self.admins()? == 0 {
            return Err(StoreError::LastAdmin);
        }
        if !active {
            self.end_sessions(user.id)?;
            self.transaction.execute("DELETE FROM tokens WHERE user = ?1", [user.id])?;
            self.transaction.execute("DELETE FROM invitations WHERE user = ?1", [user.id])?;
        }
        let detail = serde_json::json!({ "role": role.name(), "active": active });
        self.audit(Action::ChangeUser, &user.name, &detail)
    }

    /// How many admins may sign in.
    fn admins(&self) -> Result<u64, StoreError> {
        Ok(self.transaction.query_row(
            "SELECT count(*) FROM users WHERE role = 'admin' AND active",
            (),
            |row| row.get(0),
        )?)
    }
}

const USER: &str = "SELECT u.id, u.name, u.role, u.active, u.password IS NOT NULL, u.created_at
                    FROM users u";

pub(super) fn user(row: &Row<'_>) -> Result<User, StoreError> {
    let role: String = row.get(2)?;
    Ok(User {
        id: row.get(0)?,
        name: row.get(1)?,
        role: role.parse().map_err(|_| StoreError::Damaged(format!("role `{role}`")))?,
        active: row.get(3)?,
        has_password: row.get(4)?,
        created_at: row.get(5)?,
    })
}

/// The one row that a query for someone gives.
pub(super) fn find_user(
    database: &rusqlite::Connection,
    condition: &str,
    parameters: impl rusqlite::Params,
) -> Result<Option<User>, StoreError> {
    let mut find = database.prepare_cached(&format!("{USER} {condition}"))?;
    find.query_and_then(parameters, user)?.next().transpose()
}

fn invited(
    database: &rusqlite::Connection,
    secret: &str,
    now: i64,
) -> Result<Option<User>, StoreError> {
    find_user(
        database,
        "JOIN invitations i ON i.user = u.id
         WHERE i.secret_hash = ?1 AND i.expires > ?2 AND u.active",
        (hash(secret), now),
    )
}

impl Store {
    /// Everyone, by name.
    ///
    /// # Errors
    /// Those of the database.
    pub fn users(&self) -> Result<Vec<User>, StoreError> {
        let mut all = self.connection.prepare_cached(&format!("{USER} ORDER BY u.name"))?;
        all.query_and_then((), user)?.collect()
    }

    /// The person with this name.
    ///
    /// # Errors
    /// Those of the database.
    pub fn user(&self, name: &str) -> Result<Option<User>, StoreError> {
        find_user(&self.connection, "WHERE u.name = ?1", [name])
    }

    /// Whom a one-time link is for; none where it is not, or no longer, good.
    ///
    /// # Errors
    /// Those of the database.
    pub fn invited(&self, secret: &str) -> Result<Option<User>, StoreError> {
        invited(&self.connection, secret, super::unix_now())
    }

    /// The hash of a person's password, as PHC string, where they have chosen one.
    ///
    /// # Errors
    /// Those of the database.
    pub fn password(&self, user: u64) -> Result<Option<String>, StoreError> {
        let mut find =
            self.connection.prepare_cached("SELECT password FROM users WHERE id = ?1")?;
        Ok(find.query_row([user], |row| row.get(0)).optional()?.flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::check_name;

    #[test]
    fn names_stand_in_urls_and_for_nobody_else() {
        for good in ["anna", "Ö. Müller-Lüdenscheidt", "a@b.example"] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for bad in ["", " anna", "a/b", "<b>", "rules", "a\nb", &"x".repeat(65)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
