//! Files of gold labels, which `evaluate` scores against and `train` learns from.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::learn::{Gold, read_gold};

/// The reports of all files, in their order.
pub(super) fn read(paths: &[PathBuf]) -> Result<Vec<Gold>> {
    let mut all = Vec::new();
    for path in paths {
        let name = || format!("`{}`", path.display());
        let file = File::open(path)
            .context("cannot be opened; check its name and your rights")
            .with_context(name)?;
        for gold in read_gold(BufReader::new(file)) {
            all.push(gold.with_context(name)?);
        }
    }
    Ok(all)
}
