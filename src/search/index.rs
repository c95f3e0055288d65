//! The index on disk: opened, healed, caught up.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tantivy::directory::{Directory, DirectoryLock, INDEX_WRITER_LOCK, MmapDirectory};
use tantivy::{IndexReader, IndexWriter, ReloadPolicy, TantivyError, Term};

use super::schema::{Fields, SCHEMA_VERSION, schema, tokenizers};
use super::searcher::Searcher;
use super::{Document, SearchError};

/// What the index has of the archive. It is kept with each commit, so it is never ahead of what
/// is committed nor behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The archive that it is of.
    pub epoch: String,
    /// The last change of the archive that it has.
    pub change: u64,
    /// The highest number of a report that it has: a report above it is new to it.
    pub highest: u64,
    /// The version of the schema that it was written in.
    schema: u32,
}

impl Progress {
    fn none(epoch: &str) -> Self {
        Self { epoch: epoch.to_owned(), change: 0, highest: 0, schema: SCHEMA_VERSION }
    }
}

/// An open index.
pub struct Index {
    index: tantivy::Index,
    reader: IndexReader,
    fields: Fields,
    /// The progress that the reader shows.
    shown: Mutex<Option<Progress>>,
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index").field("index", &self.index).finish_non_exhaustive()
    }
}

/// Memory that each thread fills before it writes a segment.
const MEMORY_PER_THREAD: usize = 128 << 20;

/// How long to wait for another process that heals the index at this moment.
const PATIENCE: Duration = Duration::from_secs(10);

impl Index {
    /// Opens the index in `folder` of the archive `epoch`, which has come to `change`. Where there
    /// is none, or it is torn, of another archive, or written by another version of deepspine, an
    /// empty one takes its place, to be caught up.
    ///
    /// # Errors
    /// Where the folder cannot be used.
    pub fn open(folder: &Path, epoch: &str, change: u64) -> Result<Self, SearchError> {
        let start = Instant::now();
        loop {
            match Self::open_whole(folder, epoch, change) {
                Ok(index) => return Ok(index),
                Err(fault) => match Healing::begin(folder)? {
                    // Whoever held the lock before may have healed it.
                    Some(healing) if Self::open_whole(folder, epoch, change).is_err() => {
                        healing.start_anew(epoch)?;
                    }
                    Some(_) => {}
                    None if start.elapsed() < PATIENCE => {
                        thread::sleep(Duration::from_millis(50));
                    }
                    None => return Err(fault),
                },
            }
        }
    }

    /// Opens the index, where it is whole and the archive's.
    fn open_whole(folder: &Path, epoch: &str, change: u64) -> Result<Self, SearchError> {
        let (schema, fields) = schema();
        let mut index = tantivy::Index::open_in_dir(folder)?;
        if index.schema() != schema {
            return Err(SearchError::Stale);
        }
        index.set_tokenizers(tokenizers());
        let progress = progress(&index)?;
        if progress.epoch != epoch || progress.schema != SCHEMA_VERSION || progress.change > change
        {
            return Err(SearchError::Stale);
        }
        let threads = thread::available_parallelism().map_or(1, usize::from);
        index.set_multithread_executor(threads)?;
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        Ok(Self { index, reader, fields, shown: Mutex::new(None) })
    }

    /// Empties the index in `folder`, so that it is made anew from the archive `epoch`.
    ///
    /// # Errors
    /// Where another process writes it, or the folder cannot be used.
    pub fn start_anew(folder: &Path, epoch: &str) -> Result<(), SearchError> {
        Healing::begin(folder)?.ok_or(SearchError::Busy)?.start_anew(epoch)
    }

    /// The index as it is now.
    ///
    /// # Errors
    /// Where it is torn.
    pub fn searcher(&self) -> Result<Searcher, SearchError> {
        let newest = progress(&self.index)?;
        let mut shown = self.shown.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if shown.as_ref() != Some(&newest) {
            self.reader.reload()?;
            *shown = Some(newest.clone());
        }
        Ok(Searcher::new(self.reader.searcher(), self.fields, newest.change))
    }

    /// Takes the one writer lock; none where another process has it.
    ///
    /// # Errors
    /// Where the index is torn.
    pub fn writer(&self) -> Result<Option<Writer>, SearchError> {
        let threads = thread::available_parallelism().map_or(1, usize::from).clamp(1, 4);
        let budget = threads * MEMORY_PER_THREAD;
        match self.index.writer_with_num_threads(threads, budget) {
            Ok(writer) => {
                let progress = progress(&self.index)?;
                Ok(Some(Writer { writer, fields: self.fields, progress }))
            }
            Err(TantivyError::LockFailure(..)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// The right to change the index, until it is dropped.
pub struct Writer {
    writer: IndexWriter,
    fields: Fields,
    progress: Progress,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("progress", &self.progress).finish_non_exhaustive()
    }
}

impl Writer {
    /// The last change of the archive that was put in.
    pub const fn change(&self) -> u64 {
        self.progress.change
    }

    /// Puts a report in, in place of what the index had of it. Reports come in the order of their
    /// changes.
    ///
    /// # Errors
    /// Where the index cannot be written.
    pub fn put(&mut self, document: &Document, change: u64) -> Result<(), SearchError> {
        if document.number <= self.progress.highest {
            self.writer.delete_term(Term::from_field_u64(self.fields.report, document.number));
        }
        self.writer.add_document(document.to_tantivy(&self.fields))?;
        self.progress.highest = self.progress.highest.max(document.number);
        self.progress.change = change;
        Ok(())
    }

    /// Makes what was put in durable, and shows it to searches.
    ///
    /// # Errors
    /// Where the index cannot be written.
    pub fn commit(&mut self) -> Result<(), SearchError> {
        let mut commit = self.writer.prepare_commit()?;
        commit.set_payload(&serde_json::to_string(&self.progress).expect("plain data"));
        commit.commit()?;
        Ok(())
    }

    /// Lets go once segments are merged.
    ///
    /// # Errors
    /// Where the index cannot be written.
    pub fn finish(self) -> Result<(), SearchError> {
        Ok(self.writer.wait_merging_threads()?)
    }
}

/// What the index's newest commit has.
fn progress(index: &tantivy::Index) -> Result<Progress, SearchError> {
    let payload = index.load_metas()?.payload.ok_or(SearchError::Stale)?;
    serde_json::from_str(&payload).map_err(|_| SearchError::Stale)
}

/// The writer lock, held while an index is replaced that may be too broken to be opened.
struct Healing {
    folder: PathBuf,
    directory: MmapDirectory,
    lock: DirectoryLock,
}

impl Healing {
    /// Takes the lock; none where another process has it.
    fn begin(folder: &Path) -> Result<Option<Self>, SearchError> {
        make_folder(folder)
            .map_err(|cause| SearchError::Folder { folder: folder.into(), cause })?;
        let directory = MmapDirectory::open(folder).map_err(TantivyError::from)?;
        match directory.acquire_lock(&INDEX_WRITER_LOCK) {
            Ok(lock) => Ok(Some(Self { folder: folder.to_owned(), directory, lock })),
            Err(tantivy::directory::error::LockError::LockBusy) => Ok(None),
            Err(error) => Err(TantivyError::from(error).into()),
        }
    }

    /// Puts an empty index in the place of whatever is there.
    fn start_anew(self, epoch: &str) -> Result<(), SearchError> {
        let Self { folder, directory, lock } = self;
        wipe(&folder).map_err(|cause| SearchError::Folder { folder, cause })?;
        let index = tantivy::Index::builder().schema(schema().0).open_or_create(directory)?;
        // The writer takes the lock itself. Who gets it in between heals likewise.
        drop(lock);
        match index.writer_with_num_threads::<tantivy::TantivyDocument>(1, MEMORY_PER_THREAD) {
            Ok(mut writer) => {
                let mut commit = writer.prepare_commit()?;
                let progress = serde_json::to_string(&Progress::none(epoch)).expect("plain data");
                commit.set_payload(&progress);
                commit.commit()?;
                Ok(writer.wait_merging_threads()?)
            }
            Err(TantivyError::LockFailure(..)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(folder)
}

/// Removes all files but the lock, first the one without which the others are none.
fn wipe(folder: &Path) -> io::Result<()> {
    let is_missing = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    let remove = |path: &Path| {
        fs::remove_file(path).or_else(|e| if is_missing(&e) { Ok(()) } else { Err(e) })
    };
    remove(&folder.join("meta.json"))?;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() && path.file_name() != Some(INDEX_WRITER_LOCK.filepath.as_os_str()) {
            remove(&path)?;
        }
    }
    Ok(())
}
