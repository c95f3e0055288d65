//! The index brought after the store while an import goes on.

use std::fmt;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};
use indicatif::HumanCount;

use crate::archive::{Archive, ArchiveError, CaughtUp};

/// A thread that catches the index up whenever it is woken.
pub(super) struct Indexing {
    wake: SyncSender<()>,
    thread: JoinHandle<Result<(), ArchiveError>>,
}

/// What there is to tell of the index in the end.
pub(super) struct Indexed {
    behind: u64,
}

/// How often the index is tried while another process is at it, and how long is waited between.
const TRIES: usize = 20;
const PAUSE: Duration = Duration::from_millis(100);

impl Indexing {
    pub(super) fn start(archive: &Archive) -> Result<Self> {
        let archive = archive.another()?;
        let (wake, woken) = sync_channel(1);
        let thread = thread::spawn(move || {
            while woken.recv().is_ok() {
                archive.catch_up(|_| ())?;
            }
            Ok(())
        });
        Ok(Self { wake, thread })
    }

    /// Tells that there is more to index. One call that waits is as good as several.
    pub(super) fn wake(&self) {
        let _ = self.wake.try_send(());
    }

    /// Waits until everything is indexed, here or by another process.
    pub(super) fn finish(self, archive: &Archive) -> Result<Indexed> {
        const CONTEXT: &str = "the reports are stored, but not all indexed";
        drop(self.wake);
        let ended = self.thread.join();
        ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic)).context(CONTEXT)?;
        for _ in 0..TRIES {
            match archive.catch_up(|_| ()).context(CONTEXT)? {
                CaughtUp::Indexed(_) => break,
                // It may have let go just before the last reports were stored.
                CaughtUp::Elsewhere => thread::sleep(PAUSE),
            }
        }
        Ok(Indexed { behind: archive.behind().context(CONTEXT)? })
    }
}

impl fmt::Display for Indexed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.behind {
            0 => write!(f, "all of it can be searched"),
            behind => write!(
                f,
                "another process is indexing; {} changes cannot be searched yet",
                HumanCount(behind)
            ),
        }
    }
}
