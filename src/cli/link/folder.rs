//! The folder of a manifest.

use std::fs::{self, DirBuilder};
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::cli::new_folder::NewFolder;
use crate::export::segments::FILE;

/// Begins the folder of a manifest.
///
/// # Errors
/// Where something else than a manifest is in its place, and where it cannot be made.
pub(super) fn begin(target: &Path) -> Result<NewFolder> {
    if target.exists() && !target.join(FILE).is_file() && !is_empty(target)? {
        bail!("`{}` has other files than a manifest's; name another folder", target.display());
    }
    NewFolder::begin(target, &owner_only())
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
