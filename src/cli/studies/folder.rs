//! The folder of a study: its record, masks, pictures, page and segments.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};

use super::{RECORD, page};
use crate::cli::new_folder::NewFolder;
use crate::imaging::dicom_seg::{self, SegmentationError};
use crate::imaging::spine::segments;
use crate::imaging::{Cut, Study, nifti, npz};
use crate::page::spine_page;
use crate::pipeline::study::{Record, Segmented};

pub(super) const SEGMENTS: &str = "segments";

/// Writes a study's folder, whole or not at all, in place of one that is there and was looked at
/// ([`super::targets`]); with its segments where they are wanted.
pub(super) fn write(
    target: &Path,
    record: &Record,
    study: &Study,
    found: &Segmented<'_>,
    cuts: &[Cut],
    with_segments: bool,
) -> Result<()> {
    let unwritable = || format!("`{}` cannot be written", target.display());
    let folder = NewFolder::begin(target)?;
    if with_segments {
        write_segments(&folder.path().join(SEGMENTS), cuts).with_context(unwritable)?;
    }
    fill(folder.path(), record, study, found, cuts).with_context(unwritable)?;
    folder.complete().with_context(unwritable)
}

/// Writes what was cut out into a folder of its own.
fn write_segments(folder: &Path, cuts: &[Cut]) -> Result<()> {
    fs::create_dir(folder)?;
    npz::write_all(folder, &cuts.iter().map(|cut| &cut.segment).collect::<Vec<_>>())?;
    Ok(())
}

/// Writes all other files of a study into its folder.
fn fill(
    folder: &Path,
    record: &Record,
    study: &Study,
    found: &Segmented<'_>,
    cuts: &[Cut],
) -> Result<()> {
    let page = page::page(record, study, found, cuts);
    fs::write(folder.join("median.svg"), page.median.svg()?)?;
    fs::write(folder.join("spine.html"), spine_page(&page)?)?;
    // A mask is laid over the file that it is of, voxel by voxel.
    let back = found.series.stacks[0].back;
    let parts = back.map(|order| found.parts.reordered(order));
    let mask = fs::File::create(folder.join("mask.nii.gz"))?;
    nifti::write(parts.as_ref().unwrap_or(&found.parts), mask)?;
    if found.series.protocol.header.is_some() {
        write_dicom(&folder.join("mask.dcm"), found)?;
    }
    let mut file = fs::File::create(folder.join(RECORD))?;
    serde_json::to_writer_pretty(&mut file, record)?;
    writeln!(file)?;
    Ok(file.sync_all()?)
}

/// Writes a study's parts as a DICOM segmentation. A series that has no place in space gets none.
fn write_dicom(path: &Path, found: &Segmented<'_>) -> Result<()> {
    let now = jiff::Timestamp::now();
    let made = ["%Y%m%d", "%H%M%S"].map(|format| now.strftime(format).to_string());
    let made = [made[0].as_str(), &made[1]];
    let mut bytes = Vec::new();
    let parts = segments(&found.spine.naming);
    match dicom_seg::write(&found.parts, &parts, found.series, made, &mut bytes) {
        Ok(()) => Ok(fs::write(path, bytes)?),
        Err(SegmentationError::Nameless(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
