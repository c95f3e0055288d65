//! What verbs of models share: where the models are, and which measures they can be given.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// The folder of a model: the one given with `flag`, else the one that comes with the program.
pub(super) fn folder(name: &str, flag: &str, given: Option<&Path>) -> Result<PathBuf> {
    let folder = given.map(Path::to_owned).or_else(|| bundled(name));
    folder
        .with_context(|| format!("no {name} lies beside the program; name its folder with {flag}"))
}

/// The model that comes with the program: beside the binary, or where the binary was built.
fn bundled(name: &str) -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let folders = program.ancestors().skip(1).take(3);
    folders.map(|folder| folder.join("models").join(name)).find(|folder| folder.is_dir())
}

/// A length in mm, which is more than nothing.
pub(super) fn millimetres(argument: &str) -> Result<f64> {
    let length: f64 = argument.parse()?;
    ensure!(length.is_finite() && length > 0.0, "a length in mm is more than 0");
    Ok(length)
}

/// A share of a whole, neither none nor all of it.
pub(super) fn share(argument: &str) -> Result<f64> {
    let share: f64 = argument.parse()?;
    ensure!(share > 0.0 && share < 1.0, "write a number between 0 and 1");
    Ok(share)
}
