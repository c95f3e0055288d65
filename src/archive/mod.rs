//! The archive: the store and its index, kept in step.
//!
//! Every change goes to the store; [`Archive::catch_up`] brings the index after it, by whichever
//! process gets the one writer lock. A search says how far behind the index is, so that nobody
//! takes an old answer for a new one.

mod agreement;
pub mod annotation;
mod batch;
mod catch_up;
mod cohort;
mod cohort_images;
mod error;
mod import;
mod label_file;
mod link;
mod order;
mod record;
mod reread;
mod search;

use std::path::{Path, PathBuf};

use crate::search::Index;
use crate::store::Store;

pub use agreement::{BatchAgreement, Choice, Disagreement, Drift, PairAgreement};
pub use batch::{BatchPlan, Origin, add_batch};
pub use catch_up::CaughtUp;
pub use cohort::{Combination, Keep, Plan, Recipe, Sample, Selection, Split, Step};
pub use cohort_images::CohortImages;
pub use error::ArchiveError;
pub use import::{Imported, Incoming, Read};
pub use label_file::{BadLabels, ImportedLabels, LabelFile, LabelledReport};
pub use link::{LABEL_STATUSES, LinkedStudy, Linking, MapRow};
pub use order::{ORDERS, Order};
pub use reread::{CellChange, Change, Reread};
pub use search::{Asked, Found, Hit};

/// Where the index lies within the data folder.
const INDEX: &str = "index";

/// An open archive.
#[derive(Debug)]
pub struct Archive {
    folder: PathBuf,
    store: Store,
    index: Index,
    /// The archive that the index was opened for.
    epoch: String,
}

impl Archive {
    /// Opens the archive in a data folder.
    ///
    /// # Errors
    /// Where there is none, or it cannot be used.
    pub fn open(folder: &Path) -> Result<Self, ArchiveError> {
        Self::with(folder, Store::open(folder)?)
    }

    /// Opens the archive in a data folder, and makes one where there is none.
    ///
    /// # Errors
    /// Where it cannot be made or used.
    pub fn open_or_create(folder: &Path) -> Result<Self, ArchiveError> {
        Self::with(folder, Store::open_or_create(folder)?)
    }

    fn with(folder: &Path, store: Store) -> Result<Self, ArchiveError> {
        let index = open_index(folder, &store)?;
        let epoch = store.epoch()?;
        Ok(Self { folder: folder.to_owned(), store, index, epoch })
    }

    /// The same archive once more, for another thread.
    ///
    /// # Errors
    /// Where it can no longer be opened.
    pub fn another(&self) -> Result<Self, ArchiveError> {
        Self::open(&self.folder)
    }

    /// The store.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// The store, to be changed. The index follows with [`Self::catch_up`].
    pub const fn store_mut(&mut self) -> &mut Store {
        &mut self.store
    }

    /// Empties the index, to be made anew by [`Self::catch_up`].
    ///
    /// # Errors
    /// Where another process writes it.
    pub fn empty_index(&mut self) -> Result<(), ArchiveError> {
        Index::start_anew(&self.folder.join(INDEX), &self.store.epoch()?)?;
        self.index = open_index(&self.folder, &self.store)?;
        Ok(())
    }

    /// Whether another process has restored a backup since this was opened. Then it must be opened
    /// anew, or its searches are of what was.
    ///
    /// # Errors
    /// Those of the store.
    pub fn is_outdated(&self) -> Result<bool, ArchiveError> {
        Ok(self.store.epoch()? != self.epoch)
    }

    /// Puts a backup in the place of what is stored. The index is made anew by the next
    /// [`Self::catch_up`].
    ///
    /// # Errors
    /// Where the file is no backup; then nothing has changed.
    pub fn restore(
        &mut self,
        backup: &Path,
        progress: impl FnMut(u64, u64),
    ) -> Result<(), ArchiveError> {
        self.store.restore(backup, progress)?;
        self.index = open_index(&self.folder, &self.store)?;
        self.epoch = self.store.epoch()?;
        Ok(())
    }
}

fn open_index(folder: &Path, store: &Store) -> Result<Index, ArchiveError> {
    Ok(Index::open(&folder.join(INDEX), &store.epoch()?, store.change()?)?)
}
