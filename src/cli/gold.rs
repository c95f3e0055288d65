//! Files of gold labels, which `evaluate` scores against and `train` learns from.

use std::fs::File;
use std::io::BufReader;
#[cfg(feature = "neural")]
use std::path::Path;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
#[cfg(feature = "neural")]
use sha2::{Digest, Sha256};

#[cfg(feature = "neural")]
use crate::learn::reader::Source;
use crate::learn::{Gold, read_gold};

/// What a file of so many gold reports is known by in the record of a training.
#[cfg(feature = "neural")]
pub(super) fn source(path: &Path, reports: usize, learned_from: bool) -> Result<Source> {
    let name = || format!("`{}`", path.display());
    let bytes = std::fs::read(path).with_context(name)?;
    Ok(Source {
        name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        sha256: Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect(),
        reports,
        learned_from,
    })
}

/// The reports of all files, in their order.
///
/// # Errors
/// Where a file cannot be read, or holds no report: scores of nothing would look like bad ones.
pub(super) fn read(paths: &[PathBuf]) -> Result<Vec<Gold>> {
    let mut all = Vec::new();
    for path in paths {
        let name = || format!("`{}`", path.display());
        ensure!(!path.is_dir(), "{} is a folder; name the files in it", name());
        let file = File::open(path)
            .context("cannot be opened; check its name and your rights")
            .with_context(name)?;
        let before = all.len();
        for gold in read_gold(BufReader::new(file)) {
            all.push(gold.with_context(name)?);
        }
        ensure!(
            all.len() > before,
            "{} holds no labelled report; `deepspine evaluate reader --help` shows how a line of \
             gold labels looks",
            name()
        );
    }
    Ok(all)
}
