//! A folder of PNG slices with a small file beside them that says what pictures cannot:
//! `spacing.json` with `{"across": 0.5, "down": 0.5, "apart": 4.0, "cut": "sagittal"}`, in mm.

use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::geometry::{Geometry, GeometryError};
use super::gray::{Gray, GrayError};
use super::grid::Volume;

/// The file that makes pictures a volume.
pub const SIDECAR: &str = "spacing.json";

/// Why a folder of pictures is no volume.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what each is")]
pub enum PicturesError {
    #[error("`{path}` cannot be read")]
    Io { path: PathBuf, source: io::Error },
    #[error(
        "`{path}` should be like {{\"across\": 0.5, \"down\": 0.5, \"apart\": 4.0, \"cut\": \
         \"sagittal\"}}, in mm"
    )]
    Malformed { path: PathBuf, source: serde_json::Error },
    #[error("`{path}` holds no PNG file")]
    None { path: PathBuf },
    #[error(transparent)]
    Gray(#[from] GrayError),
    #[error("`{path}` is not of the size of the pictures before it")]
    OtherSize { path: PathBuf },
    #[error(transparent)]
    Geometry(#[from] GeometryError),
}

/// What pictures do not say.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Spacing {
    across: f64,
    down: f64,
    apart: f64,
    cut: Cut,
}

/// How the pictures lie in the patient, and in which order: from the right to the left, or from
/// the feet to the head.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Cut {
    Sagittal,
    Axial,
}

/// Reads the pictures of a folder, in the order of the last number in their names.
///
/// # Errors
/// Where the pictures or what is said of them cannot be read.
pub fn read(folder: &Path) -> Result<Volume, PicturesError> {
    let path = folder.join(SIDECAR);
    let text = std::fs::read_to_string(&path)
        .map_err(|source| PicturesError::Io { path: path.clone(), source })?;
    let spacing: Spacing =
        serde_json::from_str(&text).map_err(|source| PicturesError::Malformed { path, source })?;
    let mut values = Vec::new();
    let (mut size, mut count) = (None, 0);
    for path in pictures(folder)? {
        let picture = Gray::read(&path)?;
        if *size.get_or_insert((picture.width, picture.height)) != (picture.width, picture.height) {
            return Err(PicturesError::OtherSize { path });
        }
        values.extend(picture.pixels.iter().map(|&value| f32::from(value)));
        count += 1;
    }
    let (width, height) = size.ok_or_else(|| PicturesError::None { path: folder.to_owned() })?;
    let Spacing { across, down, apart, cut } = spacing;
    let steps = match cut {
        Cut::Sagittal => [[0.0, across, 0.0], [0.0, 0.0, -down], [apart, 0.0, 0.0]],
        Cut::Axial => [[across, 0.0, 0.0], [0.0, down, 0.0], [0.0, 0.0, apart]],
    };
    let geometry = Geometry::new([width, height, count], [0.0; 3], steps)?;
    Ok(Volume { geometry, values })
}

fn pictures(folder: &Path) -> Result<Vec<PathBuf>, PicturesError> {
    let failed = |source| PicturesError::Io { path: folder.to_owned(), source };
    let mut numbered = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("png")) {
            numbered.push((last_number(&path), path));
        }
    }
    numbered.sort();
    Ok(numbered.into_iter().map(|(_, path)| path).collect())
}

/// The last number in a file's name: 17 in `7_slice17.png`.
fn last_number(path: &Path) -> Option<u64> {
    let stem = path.file_stem()?.to_str()?;
    let end = stem.rfind(|c: char| c.is_ascii_digit())? + 1;
    let start = stem[..end].rfind(|c: char| !c.is_ascii_digit()).map_or(0, |at| at + 1);
    stem[start..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_stacked_by_their_numbers() {
        let folder = tempfile::tempdir().unwrap();
        for number in [2u8, 10, 9] {
            let picture = image::GrayImage::from_pixel(3, 2, image::Luma([number]));
            picture.save(folder.path().join(format!("s_slice{number}.png"))).unwrap();
        }
        let refused = read(folder.path()).unwrap_err();
        assert!(matches!(refused, PicturesError::Io { .. }));
        let sidecar = folder.path().join(SIDECAR);
        std::fs::write(&sidecar, r#"{"across": 0.5}"#).unwrap();
        assert!(matches!(read(folder.path()).unwrap_err(), PicturesError::Malformed { .. }));
        let spacing = r#"{"across": 0.5, "down": 0.6, "apart": 4, "cut": "sagittal"}"#;
        std::fs::write(&sidecar, spacing).unwrap();
        let volume = read(folder.path()).unwrap();
        assert_eq!(volume.geometry.size, [3, 2, 3]);
        assert_eq!(volume.geometry.spacing(), [0.5, 0.6, 4.0]);
        assert_eq!([0, 1, 2].map(|k| volume.slice(k)[0]), [2.0, 9.0, 10.0]);
        let other = image::GrayImage::new(4, 2);
        other.save(folder.path().join("s_slice11.png")).unwrap();
        let refused = read(folder.path()).unwrap_err().to_string();
        assert!(refused.contains("s_slice11.png"), "{refused}");
    }
}
