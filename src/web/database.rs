//! The archive as many requests at once use it: readers side by side, and one writer that makes
//! everything waiting durable with one commit.
//!
//! A commit waits for the disk. With a hundred people saving, each save on its own would wait for
//! all before it; together they wait once.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use actix_web::web;
use tokio::sync::{Semaphore, oneshot};

use super::WebError;
use crate::archive::Archive;
use crate::store::{Store, StoreError, Writer};

/// How many read at a time, for each core. Who comes later waits: more at once would only take each
/// other's time, and an open archive takes memory.
const READERS_A_CORE: usize = 4;

/// How many changes at most share a commit.
const TOGETHER: usize = 256;

/// What is done within the transaction; it returns what is to be done once it is durable, or is
/// known not to be.
type Job = Box<dyn FnOnce(&Writer<'_>) -> Reply + Send>;
type Reply = Box<dyn FnOnce(Result<(), &StoreError>) + Send>;

/// The archive, for every request.
#[derive(Clone)]
pub(super) struct Database {
    folder: PathBuf,
    /// Open archives that nobody reads in at the moment.
    idle: Arc<Mutex<Vec<Archive>>>,
    readers: Arc<Semaphore>,
    jobs: Sender<Job>,
}

impl Database {
    /// Opens the archive in a data folder and starts its writer, which ends with the last clone.
    pub fn open(folder: &Path) -> Result<Self, WebError> {
        let store = Store::open_or_create(folder)?;
        let (jobs, waiting) = channel();
        thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || write_all(store, &waiting))
            .map_err(StoreError::from)?;
        let first = Archive::open(folder)?;
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            folder: folder.to_owned(),
            idle: Arc::new(Mutex::new(vec![first])),
            readers: Arc::new(Semaphore::new(cores * READERS_A_CORE)),
            jobs,
        })
    }

    /// Lets `work` read, on a thread that may wait.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Archive) -> Result<T, WebError> + Send + 'static,
    ) -> Result<T, WebError> {
        let _turn = self.readers.acquire().await.map_err(|_| WebError::Busy)?;
        let this = self.clone();
        let result = web::block(move || {
            let idle = this.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let archive = match idle {
                Some(archive) if !archive.is_outdated()? => archive,
                _ => Archive::open(&this.folder)?,
            };
            let result = work(&archive);
            this.idle.lock().unwrap_or_else(PoisonError::into_inner).push(archive);
            result
        });
        result.await.map_err(|_| WebError::Busy)?
    }

    /// Lets `work` change the archive in someone's name. What it did is durable once this returns.
    pub async fn write<T: Send + 'static>(
        &self,
        actor: &str,
        work: impl FnOnce(&Writer<'_>) -> Result<T, WebError> + Send + 'static,
    ) -> Result<T, WebError> {
        let (answer, answered) = oneshot::channel();
        let actor = actor.to_owned();
        let job: Job = Box::new(move |writer| {
            let result = writer.attempt(&actor, work);
            Box::new(move |committed| {
                let result = match committed {
                    Ok(()) => result,
                    Err(error) => Err(WebError::NotSaved(error.to_string())),
                };
                // Whoever asked may have gone.
                let _ = answer.send(result);
            })
        });
        self.jobs.send(job).map_err(|_| WebError::Busy)?;
        answered.await.map_err(|_| WebError::Busy)?
    }
}

fn write_all(mut store: Store, waiting: &Receiver<Job>) {
    while let Ok(first) = waiting.recv() {
        let mut replies: Vec<Reply> = Vec::new();
        let committed = store.write(|writer| {
            let jobs = std::iter::once(first).chain(waiting.try_iter().take(TOGETHER - 1));
            replies.extend(jobs.map(|job| job(writer)));
            Ok::<_, StoreError>(())
        });
        for reply in replies {
            reply(committed.as_ref().copied());
        }
    }
}
