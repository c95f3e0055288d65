//! The folder of a manifest.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::cli::new_folder::NewFolder;
use crate::export::segments::{FILE, FORMATS};

/// The folder of crops.
pub(super) const SEGMENTS: &str = "segments";

/// The tables of what goes with what, and of what goes with nothing.
pub(super) const LINKS: &str = "links.csv";
pub(super) const UNLINKED: &str = "unlinked.csv";

/// Begins the folder of a manifest.
///
/// # Errors
/// Where something else than a manifest is in its place, which would be lost, and where it cannot be
/// made.
pub(super) fn begin(target: &Path) -> Result<NewFolder> {
    if target.exists() {
        check_ours(target)?;
    }
    NewFolder::begin(target)
}

/// Makes sure that a folder is empty or a manifest's, with nothing in it that `link` does not write.
fn check_ours(target: &Path) -> Result<()> {
    let name = target.display();
    let unlisted = || format!("`{name}` is no folder that can be listed; name another with -o");
    let mut is_empty = true;
    for entry in fs::read_dir(target).with_context(unlisted)? {
        let entry = entry.with_context(unlisted)?.file_name();
        let entry = entry.to_string_lossy();
        if !is_written(&entry) {
            bail!(
                "`{name}` has other files than a manifest's, such as `{entry}`, which would be \
                 lost; name another folder with -o"
            );
        }
        is_empty = false;
    }
    ensure!(
        is_empty || target.join(FILE).is_file(),
        "`{name}` has other files than a manifest's, as it has no `{FILE}`; name another folder \
         with -o"
    );
    Ok(())
}

/// Whether an entry of a manifest's folder is called as what `link` writes.
fn is_written(entry: &str) -> bool {
    let others = [SEGMENTS, LINKS, UNLINKED];
    others.contains(&entry) || FORMATS.iter().any(|format| format.file == entry)
}
