//! The index brought after the store.

use std::thread;
use std::time::{Duration, Instant};

use super::{Archive, ArchiveError};
use crate::search::Document;
use crate::store::{Store, StoreError, StoredReport};

/// How many reports are read from the store at a time.
const BATCH: usize = 1000;

/// After how many reports what is indexed is made durable and shown to searches.
const COMMIT: usize = 200_000;

/// How long to wait for another process, and how often to look after it.
const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(20);

/// Whether the index has what the store has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaughtUp {
    /// It does, after this many reports were indexed.
    Indexed(u64),
    /// Another process is at it.
    Elsewhere,
}

impl Archive {
    /// Indexes whatever the store has and the index has not, unless another process does so
    /// already. `progress` is told how many reports are done.
    ///
    /// # Errors
    /// Those of the store and of the index.
    pub fn catch_up(&self, mut progress: impl FnMut(u64)) -> Result<CaughtUp, ArchiveError> {
        if self.behind()? == 0 {
            return Ok(CaughtUp::Indexed(0));
        }
        let Some(mut writer) = self.index.writer()? else { return Ok(CaughtUp::Elsewhere) };
        let (mut done, mut pending) = (0, 0);
        loop {
            let documents = self.documents_after(writer.change(), BATCH)?;
            for (change, document) in &documents {
                writer.put(document, *change)?;
            }
            done += documents.len() as u64;
            pending += documents.len();
            progress(done);
            if pending >= COMMIT || (documents.is_empty() && pending > 0) {
                writer.commit()?;
                pending = 0;
            }
            if documents.is_empty() {
                break;
            }
        }
        writer.finish()?;
        Ok(CaughtUp::Indexed(done))
    }

    /// Brings the index to where the store is now, or waits until another process has.
    ///
    /// # Errors
    /// Those of the store and of the index, and where it takes another process too long.
    pub(super) fn catch_up_now(&self) -> Result<(), ArchiveError> {
        let (wanted, begun) = (self.store.change()?, Instant::now());
        loop {
            self.catch_up(|_| ())?;
            match wanted.saturating_sub(self.index.searcher()?.change()) {
                0 => return Ok(()),
                behind if begun.elapsed() > PATIENCE => return Err(ArchiveError::Behind(behind)),
                _ => thread::sleep(PAUSE),
            }
        }
    }

    /// What the index is told of up to `limit` reports that have changed after `change`, each with
    /// the number of its change.
    ///
    /// # Errors
    /// Those of the store.
    pub fn documents_after(
        &self,
        change: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Document)>, ArchiveError> {
        self.store.snapshot(|store| {
            let reports = store.reports_after(change, limit)?;
            let indexed = |report: StoredReport| Ok((report.change, document(store, report)?));
            reports.into_iter().map(indexed).collect()
        })
    }

    /// How many changes of the store the index does not have yet.
    ///
    /// # Errors
    /// Those of the store and of the index.
    pub fn behind(&self) -> Result<u64, ArchiveError> {
        let change = self.store.change()?;
        Ok(change.saturating_sub(self.index.searcher()?.change()))
    }
}

/// What the index is told of a report.
fn document(store: &Store, stored: StoredReport) -> Result<Document, StoreError> {
    let labels = store.label(stored.number)?;
    let mut decided_by: Vec<_> = labels
        .iter()
        .flat_map(|label| {
            let name = (label.reader != label.kind.name()).then(|| label.reader.clone());
            [Some(label.kind.name().to_owned()), name]
        })
        .flatten()
        .collect();
    decided_by.sort_unstable();
    decided_by.dedup();
    Ok(Document {
        number: stored.number,
        study: stored.study,
        patient: stored.patient,
        sections: store.sections(stored.version)?,
        labels: labels.into_iter().map(|label| label.label).collect(),
        status: Some(stored.status),
        decided_by,
        mentions: store.mentions(stored.version)?,
        report: stored.report,
    })
}
