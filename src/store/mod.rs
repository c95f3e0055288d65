//! The archive's database: everything that must not be lost, in one SQLite file.
//!
//! A file a noun. [`Store`] reads; whatever changes the archive goes through a [`Writer`], which
//! is one transaction: all of it happens or nothing. Texts, readings and the audit log are
//! append-only, which triggers keep; opinions, labels, mentions and measurements are derived from
//! readings and can be made anew ([`Writer::derive_again`]).
//!
//! Every process may write; SQLite's lock lets one do so at a time. Nobody waits to read.

mod audit;
mod backup;
mod batch;
mod carried;
mod code;
mod cohort;
mod error;
mod finding;
mod images;
mod kept_link;
mod keys;
mod label;
mod naming;
mod query;
mod reading;
mod report;
mod rights;
mod secret;
mod segment;
mod segmentation;
mod session;
mod slot;
mod study;
mod suggestion;
mod user;

use std::cell::{Cell, RefCell};
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};
use rusqlite_migration::{M, Migrations};

pub use audit::{Action, Entry};
pub use batch::{Batch, DayOfWork, Item, NewBatch, NewItem, Progress};
pub use cohort::{Candidate, Cohort, Member};
pub use error::StoreError;
pub use finding::Body;
pub use images::{DiscReadings, Seen, StudyImages};
pub use keys::{ImageKeys, ReportKeys};
pub use label::StoredLabel;
pub use naming::{NamedDisc, NamingError};
pub use query::SavedQuery;
pub use reading::{CurrentReading, NewReading, ReaderId, ReadingRow};
pub use report::{Outcome, Stored, StoredReport, Version};
pub use rights::owner_only;
pub use secret::Secret;
pub use segment::WrittenSegments;
pub use segmentation::{Kept, NewDisc, NewRun, StoredDisc};
pub use session::Token;
pub use slot::{LEASE, Saved, Slot};
pub use study::StudyKeys;
pub use suggestion::Suggestion;
pub use user::{Role, User, check_name};

/// What the database file is called within the data folder.
pub const FILE: &str = "deepspine.db";

/// Every schema there ever was, oldest first. Released ones never change.
const MIGRATIONS: [&str; 4] = [
    include_str!("migrations/001_archive.sql"),
    include_str!("migrations/002_annotation.sql"),
    include_str!("migrations/003_segments.sql"),
    include_str!("migrations/004_images.sql"),
];

/// How long a writer waits for its turn before it gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// An open archive.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
}

impl Store {
    /// Opens the archive in `folder`.
    ///
    /// # Errors
    /// Where there is none, or it cannot be used.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(FILE);
        if !path.is_file() {
            return Err(StoreError::Missing(folder.to_owned()));
        }
        Self::open_file(path)
    }

    /// Opens the archive in `folder`, and makes one where there is none.
    ///
    /// # Errors
    /// Where it cannot be made or used.
    pub fn open_or_create(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(FILE);
        if !path.is_file() {
            create_owner_only(folder, &path)
                .map_err(|cause| StoreError::Create { folder: folder.to_owned(), cause })?;
        }
        Self::open_file(path)
    }

    fn open_file(path: PathBuf) -> Result<Self, StoreError> {
        let open = || -> Result<Connection, StoreError> {
            keep_owner_only(&path)?;
            let mut connection = Connection::open(&path)?;
            prepare(&mut connection)?;
            Ok(connection)
        };
        match open() {
            Ok(connection) => Ok(Self { connection, path }),
            Err(cause) => Err(cause.while_opening(&path)),
        }
    }

    /// Another connection to the same archive, for another thread.
    ///
    /// # Errors
    /// Where the file can no longer be opened.
    pub fn another(&self) -> Result<Self, StoreError> {
        Self::open_file(self.path.clone())
    }

    /// Which archive this is. Another one, or the same restored from a backup, has another.
    ///
    /// # Errors
    /// Those of the database.
    pub fn epoch(&self) -> Result<String, StoreError> {
        Ok(self.connection.query_row("SELECT epoch FROM archive", (), |row| row.get(0))?)
    }

    /// The last change number given out: how far an index has to be.
    ///
    /// # Errors
    /// Those of the database.
    pub fn change(&self) -> Result<u64, StoreError> {
        Ok(self.connection.query_row("SELECT change FROM archive", (), |row| row.get(0))?)
    }

    /// The key of the hashes that stand for ids where identifiers must not leave the archive.
    ///
    /// # Errors
    /// Those of the database.
    pub fn secret(&self) -> Result<Vec<u8>, StoreError> {
        Ok(self.connection.query_row("SELECT secret FROM archive", (), |row| row.get(0))?)
    }

    /// Lets `work` read the archive as it is at one moment, whatever is written meanwhile.
    ///
    /// # Errors
    /// Those of the database and of `work`.
    pub fn snapshot<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let transaction = self.connection.unchecked_transaction().map_err(StoreError::from)?;
        let result = work(self)?;
        transaction.finish().map_err(StoreError::from)?;
        Ok(result)
    }

    /// Lets `work` change the archive in one transaction, which is durable once this returns.
    /// Where `work` fails, nothing has happened.
    ///
    /// # Errors
    /// Those of the database and of `work`.
    pub fn write<T, E: From<StoreError>>(
        &mut self,
        work: impl FnOnce(&Writer<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let writer = Writer::begin(&mut self.connection)?;
        let result = work(&writer)?;
        writer.commit()?;
        Ok(result)
    }
}

/// One transaction that changes the archive.
#[derive(Debug)]
pub struct Writer<'a> {
    transaction: Transaction<'a>,
    /// The last change number given out.
    change: Cell<u64>,
    /// In whose name, for the audit log.
    actor: RefCell<String>,
    now: String,
    /// The same in Unix seconds.
    unix: i64,
}

impl<'a> Writer<'a> {
    fn begin(connection: &'a mut Connection) -> Result<Self, StoreError> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let change = transaction.query_row("SELECT change FROM archive", (), |row| row.get(0))?;
        let actor = RefCell::new(audit::COMMAND_LINE.to_owned());
        Ok(Self { transaction, change: Cell::new(change), actor, now: now(), unix: unix_now() })
    }

    /// Lets `work` change the archive in someone's name as a part of the transaction. Where it
    /// fails, that part has not happened, and the rest may go on.
    ///
    /// # Errors
    /// Those of the database and of `work`.
    pub fn attempt<T, E: From<StoreError>>(
        &self,
        actor: &str,
        work: impl FnOnce(&Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let run = |sql: &str| self.transaction.execute_batch(sql).map_err(StoreError::from);
        let change = self.change.get();
        run("SAVEPOINT attempt")?;
        let before = self.actor.replace(actor.to_owned());
        let result = work(self);
        self.actor.replace(before);
        if result.is_err() {
            run("ROLLBACK TO attempt")?;
            self.change.set(change);
        }
        run("RELEASE attempt")?;
        result
    }

    fn commit(self) -> Result<(), StoreError> {
        self.transaction
            .prepare_cached("UPDATE archive SET change = ?1")?
            .execute([self.change.get()])?;
        Ok(self.transaction.commit()?)
    }

    /// The next change number.
    fn next_change(&self) -> u64 {
        self.change.set(self.change.get() + 1);
        self.change.get()
    }

    /// Tells the index that a report is not what it was.
    fn touch(&self, report: u64) -> Result<(), StoreError> {
        self.transaction
            .prepare_cached("UPDATE reports SET change = ?2 WHERE id = ?1")?
            .execute((report, self.next_change()))?;
        Ok(())
    }
}

/// The time, in RFC 3339 to the second.
fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The time, in Unix seconds.
fn unix_now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// Sets a connection up and brings its database to the newest schema.
fn prepare(connection: &mut Connection) -> Result<(), StoreError> {
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(128);
    connection.pragma_update(None, "journal_mode", "wal")?;
    // Each commit reaches the disk, so that not even a power failure loses what was acknowledged.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -(64 << 10))?;
    connection.pragma_update(None, "temp_store", "memory")?;
    let found: usize = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = MIGRATIONS.len();
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    if found < known {
        Migrations::new(MIGRATIONS.map(M::up).into()).to_latest(connection)?;
    }
    let fresh: Option<u64> =
        connection.query_row("SELECT change FROM archive", (), |row| row.get(0)).optional()?;
    if fresh.is_none() {
        connection.execute(
            "INSERT OR IGNORE INTO archive (id, epoch, change, secret)
             VALUES (1, lower(hex(randomblob(16))), 0, randomblob(32))",
            (),
        )?;
    }
    Ok(())
}

/// Makes the folder and an empty database in it, which SQLite then gives its journals' rights too.
fn create_owner_only(folder: &Path, path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    owner_only().recursive(true).create(folder)?;
    options.open(path)?;
    Ok(())
}

/// Takes from others the rights that a copy or a careless hand gave them.
fn keep_owner_only(path: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let permissions = fs::metadata(path)?.permissions();
        if permissions.mode() & 0o077 != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        }
    }
    Ok(())
}
