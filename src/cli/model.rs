//! Where models are: in the folder that is given, or where they come with the program.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The folder of a model: the one given, else the one that comes with the program.
pub(super) fn folder(name: &str, given: Option<&Path>) -> Result<PathBuf> {
    let folder = given.map(Path::to_owned).or_else(|| bundled(name));
    folder
        .with_context(|| format!("no {name} lies beside the program; name its folder with --model"))
}

/// The model that comes with the program: beside the binary, or where the binary was built.
fn bundled(name: &str) -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let folders = program.ancestors().skip(1).take(3);
    folders.map(|folder| folder.join("models").join(name)).find(|folder| folder.is_dir())
}
