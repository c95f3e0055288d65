//! Search over reports and their labels: the query language, and the index that answers it.
//!
//! A [`query::Query`] is pure and says what is asked. `mark` spells the facts that a report is
//! found by, the same for the report as it is indexed (`document`) and for the query (`compile`).
//! The index is derived from the archive: [`Index`] opens it, heals it where it is torn or stale,
//! and lets one [`Writer`] at a time catch it up; a [`Searcher`] counts, pages and gathers.

mod collect;
mod compile;
mod document;
mod facets;
mod index;
mod latin;
mod mark;
mod near;
mod pairs;
pub mod query;
mod schema;
mod searcher;
mod snippet;
mod without;
mod words;

use std::io;
use std::path::PathBuf;

pub use document::Document;
pub use facets::{AgeBand, CellCounts, Facets};
pub use index::{Index, Writer};
pub use schema::{Fields, empty_index};
pub use searcher::Searcher;
pub use snippet::{Highlighter, Piece, Snippet};

/// In what order a query's reports are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// Those that its words fit best, first.
    #[default]
    Relevance,
    /// By date of examination, the latest first.
    Newest,
    /// By date of examination, the earliest first.
    Oldest,
    /// In the order in which they were imported.
    Number,
}

impl Sort {
    /// Every order.
    pub const ALL: [Self; 4] = [Self::Relevance, Self::Newest, Self::Oldest, Self::Number];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Relevance => "relevance",
            Self::Newest => "newest",
            Self::Oldest => "oldest",
            Self::Number => "number",
        }
    }
}

/// How much a query finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Counts {
    /// Reports.
    pub reports: u64,
    /// Studies that they are of.
    pub studies: u64,
    /// Patients that they are of, as far as they are known.
    pub patients: u64,
}

/// Why the index could not answer.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each message says it")]
pub enum SearchError {
    #[error("the index in `{}` cannot be made: {cause}; check the folder and your rights", .folder.display())]
    Folder { folder: PathBuf, cause: io::Error },
    #[error("the index is out of date; `deepspine index --rebuild` makes it anew")]
    Stale,
    #[error("another process writes the index; try again when it is done")]
    Busy,
    #[error("the index: {0}; `deepspine index --rebuild` makes it anew")]
    Index(#[from] tantivy::TantivyError),
}
