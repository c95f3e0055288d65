//! A folder that takes its place once it is complete.

use std::fs::{self, DirBuilder};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::export::segments::FILE;

/// The folder in the making, beside its place. Where it is never completed it goes again.
pub(super) struct NewFolder {
    target: PathBuf,
    part: PathBuf,
}

impl NewFolder {
    /// Begins a folder.
    ///
    /// # Errors
    /// Where something else than a manifest is in its place, and where it cannot be made.
    pub(super) fn begin(target: &Path) -> Result<Self> {
        if target.exists() && !target.join(FILE).is_file() && !is_empty(target)? {
            bail!("`{}` has other files than a manifest's; name another folder", target.display());
        }
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

/// It holds patients' data.
fn owner_only() -> DirBuilder {
    #[allow(unused_mut, reason = "elsewhere there are no such rights")]
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder
}

fn is_empty(folder: &Path) -> Result<bool> {
    let unlisted = || format!("`{}` is no folder that can be listed", folder.display());
    Ok(fs::read_dir(folder).with_context(unlisted)?.next().is_none())
}

fn clear(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}
