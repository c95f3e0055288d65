//! A folder of patients' data that takes its place once it is complete.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::store::owner_only;

/// The folder in the making, beside its place. Where it is never completed it goes again.
pub(super) struct NewFolder {
    target: PathBuf,
    part: PathBuf,
}

impl NewFolder {
    /// Begins a folder that only its owner can look into. What is in its place goes once it is complete, so
    /// that whoever begins one has to have looked at that.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub(super) fn begin(target: &Path) -> Result<Self> {
        let name = target.file_name().context("the output needs a name")?.to_string_lossy();
        let part = target.with_file_name(format!(".{name}.part"));
        let unwritable = || format!("`{}` cannot be written", target.display());
        // A run that was stopped may have left a part of it.
        clear(&part).with_context(unwritable)?;
        owner_only().create(&part).with_context(unwritable)?;
        Ok(Self { target: target.to_owned(), part })
    }

    /// Where it is in the meantime.
    pub(super) fn path(&self) -> &Path {
        &self.part
    }

    /// Takes a file in that will not be changed: the same file under another name where the disk is
    /// the same, else a copy.
    pub(super) fn take(&self, file: &Path, name: &str) -> io::Result<()> {
        let to = self.part.join(name);
        fs::hard_link(file, &to).or_else(|_| fs::copy(file, &to).map(drop))
    }

    /// Puts it in its place.
    pub(super) fn complete(&self) -> io::Result<()> {
        clear(&self.target)?;
        fs::rename(&self.part, &self.target)
    }

    /// Takes it away.
    pub(super) fn give_up(&self) {
        // What cannot be taken away now is by the next run.
        let _ = clear(&self.part);
    }
}

impl Drop for NewFolder {
    fn drop(&mut self) {
        self.give_up();
    }
}

/// Takes a folder away, where there is one.
fn clear(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}
