//! The index kept after the store while people work.

use std::thread;
use std::time::Duration;

use crate::archive::Archive;

/// How long after one look at the store the next one follows.
const PAUSE: Duration = Duration::from_secs(3);

/// Catches the index up every so often, on a thread that ends with the process. The lock is let go
/// in between, so that an import may do the same.
pub(super) fn start(archive: Archive) {
    let spawned = thread::Builder::new().name("index".to_owned()).spawn(move || {
        loop {
            if let Err(error) = archive.catch_up(|_| ()) {
                tracing::warn!(%error, "the index could not be caught up");
            }
            thread::sleep(PAUSE);
        }
    });
    if let Err(error) = spawned {
        tracing::warn!(%error, "searches will lag behind: no thread can be started");
    }
}
