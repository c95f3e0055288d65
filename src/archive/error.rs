//! What can go wrong between the store and its index.

use std::io;

use crate::search::SearchError;
use crate::search::query::QueryError;
use crate::store::StoreError;

/// Why the archive could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each message says it")]
pub enum ArchiveError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Search(#[from] SearchError),
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error(
        "the index is {0} changes behind the archive and another process writes it; try again when it is done"
    )]
    Behind(u64),
    #[error("cohort `{0}`: its recipe cannot be read: {1}")]
    Recipe(String, serde_json::Error),
}
