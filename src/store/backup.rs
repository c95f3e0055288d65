//! Backups of a database that others are using, and their restoring under those others.

use std::fs::File;
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use tempfile::NamedTempFile;

use super::{Action, PATIENCE, Store, StoreError, prepare};

/// How many pages of 4 KiB are copied at a time, between which others may write.
const PAGES: i32 = 4096;

impl Store {
    /// Copies the archive as it is at one moment to `target`, which appears when it is complete
    /// and which only its owner can read. `progress` is told of pages done and pages in all.
    ///
    /// # Errors
    /// Where the copy cannot be written, and those of the database.
    pub fn back_up(&self, target: &Path, progress: impl FnMut(u64, u64)) -> Result<(), StoreError> {
        let part = beside(target)?;
        let mut copy = Connection::open(part.path())?;
        // Held for as long as it takes, so that what others write meanwhile starts nothing anew.
        let snapshot = self.connection.unchecked_transaction()?;
        snapshot.query_row("SELECT change FROM archive", (), |_| Ok(()))?;
        copy_pages(&self.connection, &mut copy, PAGES, progress)?;
        drop(snapshot);
        // A single file, without journals beside it.
        copy.pragma_update(None, "journal_mode", "delete")?;
        check(&copy)?;
        copy.close().map_err(|(_, error)| error)?;
        part.as_file().sync_all()?;
        part.persist(target).map_err(|error| error.error)?;
        Ok(())
    }

    /// Puts a backup in the place of the archive, in one transaction: others that have the archive
    /// open, a server too, go on with what the backup holds.
    ///
    /// The backup itself is left alone. A copy is brought to the newest schema first, and is given
    /// a new epoch, so that the index of what was there before does not pass for its own.
    ///
    /// # Errors
    /// Where the file is no backup or is damaged; then nothing has changed.
    pub fn restore(
        &mut self,
        backup: &Path,
        progress: impl FnMut(u64, u64),
    ) -> Result<(), StoreError> {
        let copy = beside(&self.path)?;
        io::copy(&mut File::open(backup)?, &mut copy.as_file())?;
        let opened = || -> Result<Connection, StoreError> {
            let mut from = Connection::open(copy.path())?;
            check(&from)?;
            prepare(&mut from)?;
            from.execute("UPDATE archive SET epoch = lower(hex(randomblob(16)))", ())?;
            Ok(from)
        };
        let from = opened().map_err(|error| error.while_opening(backup))?;
        // In one step: between two, others would see neither the old archive nor the new one.
        copy_pages(&from, &mut self.connection, -1, progress)?;
        let name = backup.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.write(|writer| writer.audit(Action::Restore, &name, &()))
    }
}

/// Copies a database into another, so many pages at a time; all at once where `pages` is negative.
fn copy_pages(
    from: &Connection,
    to: &mut Connection,
    pages: i32,
    mut progress: impl FnMut(u64, u64),
) -> Result<(), StoreError> {
    const PAUSE: Duration = Duration::from_millis(50);
    let start = Instant::now();
    let backup = Backup::new(from, to)?;
    loop {
        let step = backup.step(pages)?;
        let done = backup.progress();
        progress((done.pagecount - done.remaining) as u64, done.pagecount as u64);
        match step {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            _ if start.elapsed() > PATIENCE => return Err(StoreError::Busy),
            _ => thread::sleep(PAUSE),
        }
    }
}

/// Reads a database through, and makes sure that it is an archive.
fn check(database: &Connection) -> Result<(), StoreError> {
    let verdict: String = database.pragma_query_value(None, "quick_check", |row| row.get(0))?;
    if verdict != "ok" {
        return Err(StoreError::Damaged(verdict));
    }
    database
        .query_row("SELECT change FROM archive", (), |_| Ok(()))
        .map_err(|_| StoreError::NoArchive)
}

/// A file beside `target`, which can take its place; only its owner can read it.
fn beside(target: &Path) -> io::Result<NamedTempFile> {
    let folder = match target.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    tempfile::Builder::new().prefix(".deepspine-").suffix(".part").tempfile_in(folder)
}
