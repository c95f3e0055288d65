//! Gray pictures in files.

use std::path::{Path, PathBuf};

use image::{DynamicImage, ImageError, ImageReader, Limits};

/// A picture without colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gray {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Brightness, row after row, from 0 to [`most`](Self::most).
    pub pixels: Vec<u16>,
    /// What a pixel can be at most: 255 or 65,535.
    pub most: u16,
}

/// Why a picture cannot be read.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what each is")]
pub enum GrayError {
    #[error("`{path}` cannot be read")]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("`{path}` is no whole picture")]
    Malformed { path: PathBuf, source: ImageError },
    #[error("`{path}` has colours; a slice is gray")]
    Coloured { path: PathBuf },
}

impl Gray {
    /// No slice is so large.
    const LARGEST_SIDE: u32 = 16_384;

    /// Reads a PNG of 8 or 16 bits; one with colours whose channels are all alike is gray too.
    ///
    /// # Errors
    /// Where the file is no gray picture, or larger than any slice.
    pub fn read(path: &Path) -> Result<Self, GrayError> {
        let path_of = || path.to_owned();
        let mut reader = ImageReader::open(path)
            .and_then(ImageReader::with_guessed_format)
            .map_err(|source| GrayError::Unreadable { path: path_of(), source })?;
        let mut limits = Limits::default();
        limits.max_image_width = Some(Self::LARGEST_SIDE);
        limits.max_image_height = Some(Self::LARGEST_SIDE);
        reader.limits(limits);
        let image =
            reader.decode().map_err(|source| GrayError::Malformed { path: path_of(), source })?;
        let (width, height) = (image.width() as usize, image.height() as usize);
        let (pixels, most) = match image {
            DynamicImage::ImageLuma8(image) => (widened(image.into_raw()), 255),
            DynamicImage::ImageLuma16(image) => (image.into_raw(), u16::MAX),
            image => {
                let rgb = image.into_rgb8();
                if rgb.pixels().any(|pixel| pixel.0.iter().any(|&value| value != pixel.0[0])) {
                    return Err(GrayError::Coloured { path: path_of() });
                }
                (rgb.pixels().map(|pixel| u16::from(pixel.0[0])).collect(), 255)
            }
        };
        Ok(Self { width, height, pixels, most })
    }

    /// Its pixels from 0 to 255.
    pub fn bytes(&self) -> Vec<u8> {
        let scale = (self.most / 255).max(1);
        self.pixels.iter().map(|&value| (value / scale) as u8).collect()
    }
}

fn widened(bytes: Vec<u8>) -> Vec<u16> {
    bytes.into_iter().map(u16::from).collect()
}
