//! Masks that were made elsewhere.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use flate2::bufread::MultiGzDecoder;

use crate::imaging::{Mask, Volume, nifti};

/// Where the mask of a study may be: NAME.nii.gz, or mask.nii.gz in the folder NAME, as this program
/// writes it.
pub(super) fn places(folder: &Path, study: &str) -> [PathBuf; 2] {
    [folder.join(format!("{study}.nii.gz")), folder.join(study).join("mask.nii.gz")]
}

/// The mask of a study.
pub(super) fn read(folder: &Path, study: &str) -> Result<Mask> {
    let places = places(folder, study);
    let path = places.iter().find(|path| path.is_file());
    let path = path.with_context(|| {
        format!("it has no mask: neither `{}` nor `{}`", places[0].display(), places[1].display())
    })?;
    let unreadable = || format!("the mask `{}` cannot be read", path.display());
    let file = BufReader::new(File::open(path).with_context(unreadable)?);
    let Volume { geometry, values } =
        nifti::read(&mut MultiGzDecoder::new(file)).with_context(unreadable)?;
    Ok(Mask { geometry, values: values.into_iter().map(|value| value as u8).collect() })
}
