//! The index kept after the store while people work.

use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::archive::{Archive, ArchiveError};

/// How long after one look at the store the next one follows.
const PAUSE: Duration = Duration::from_secs(3);

/// Catches the index up every so often, on a thread that ends with the process. The lock is let go
/// in between, so that an import may do the same.
pub(super) fn start(folder: &Path, mut archive: Archive) {
    let folder = folder.to_owned();
    let spawned = thread::Builder::new().name("index".to_owned()).spawn(move || {
        loop {
            if let Err(error) = freshen(&folder, &mut archive) {
                tracing::warn!(%error, "the index could not be caught up");
            }
            thread::sleep(PAUSE);
        }
    });
    if let Err(error) = spawned {
        tracing::warn!(%error, "searches will lag behind: no thread can be started");
    }
}

fn freshen(folder: &Path, archive: &mut Archive) -> Result<(), ArchiveError> {
    if archive.is_outdated()? {
        *archive = Archive::open(folder)?;
    }
    archive.catch_up(|_| ())?;
    Ok(())
}
