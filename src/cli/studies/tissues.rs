//! Where the tissues of studies come from: the network, or masks that were made elsewhere.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use flate2::bufread::MultiGzDecoder;

use crate::cli::model;
use crate::engine::Device;
use crate::engine::unet::Segmenter;
use crate::imaging::{Mask, Volume, nifti};
use crate::pipeline::study::TissueSource;

/// What tells the tissues of every study.
pub(super) enum Tissues {
    Network(Box<Segmenter>),
    /// A folder of masks.
    Masks(PathBuf),
}

impl Tissues {
    /// Masks where their folder is given, else the network.
    pub(super) fn new(
        masks: Option<&Path>,
        model: Option<&Path>,
        mirrored: bool,
        device: Device,
    ) -> Result<Self> {
        if let Some(masks) = masks {
            return Ok(Self::Masks(masks.to_owned()));
        }
        let folder = model::folder("segmenter", "--model", model)?;
        Ok(Self::Network(Box::new(Segmenter::load(&folder, device)?.mirrored(mirrored))))
    }

    /// What tells one from another where what was measured is kept.
    pub(super) fn content_hash(&self) -> &str {
        match self {
            Self::Network(segmenter) => segmenter.content_hash(),
            Self::Masks(_) => "masks",
        }
    }

    /// What tells those of a study.
    pub(super) fn of(&self, study: &str) -> Result<TissueSource<'_>> {
        match self {
            Self::Network(segmenter) => Ok(TissueSource::Network(segmenter)),
            Self::Masks(folder) => read(folder, study).map(TissueSource::Mask),
        }
    }
}

/// The mask of a study: NAME.nii.gz, or mask.nii.gz in the folder NAME, as this program writes it.
fn read(folder: &Path, study: &str) -> Result<Mask> {
    let places = [folder.join(format!("{study}.nii.gz")), folder.join(study).join("mask.nii.gz")];
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
