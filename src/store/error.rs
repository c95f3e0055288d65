//! What can go wrong with an archive.

use std::io;
use std::path::{Path, PathBuf};

/// Why the archive could not be read or changed.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each message says it")]
pub enum StoreError {
    #[error("`{}` holds no archive; import reports first, or name its folder with --data", .0.display())]
    Missing(PathBuf),
    #[error(
        "`{}` cannot be made an archive: {cause}; check the folder and your rights",
        .folder.display()
    )]
    Create { folder: PathBuf, cause: io::Error },
    #[error(
        "the archive was written by a newer deepspine (schema {found}, this one knows {known}); \
         use that version"
    )]
    Newer { found: usize, known: usize },
    #[error("the archive's database: {0}")]
    Database(#[from] rusqlite::Error),
    #[error("the archive's schema cannot be brought up to date: {0}")]
    Migration(#[from] rusqlite_migration::Error),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("the archive is damaged: {0}; restore a backup")]
    Damaged(String),
    #[error("the archive is busy; try again when other work on it is done")]
    Busy,
    #[error("this is a database, but no archive of deepspine; name a file that `backup` wrote")]
    NoArchive,
    #[error("there is no {what} `{name}`{}", remedy(.known))]
    Unknown { what: &'static str, name: String, known: Vec<String> },
    #[error("there is a {what} `{name}` already; choose another name")]
    Taken { what: &'static str, name: String },
    #[error(transparent)]
    Naming(#[from] super::NamingError),
    #[error("this would leave no admin to keep users; make someone else admin first")]
    LastAdmin,
    #[error("`{}`: {cause}", .path.display())]
    Opening { path: PathBuf, cause: Box<StoreError> },
}

impl StoreError {
    /// The error with the file that it is about.
    pub(super) fn while_opening(self, path: &Path) -> Self {
        Self::Opening { path: path.to_owned(), cause: Box::new(self) }
    }
}

fn remedy(known: &[String]) -> String {
    if known.is_empty() { String::new() } else { format!("; there are: {}", known.join(", ")) }
}
