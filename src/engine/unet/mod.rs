//! The U-Net that finds vertebrae, discs and canal on sagittal slices.

mod network;
mod segmenter;

pub use network::{Config, Network};
pub use segmenter::{Segmenter, SegmenterError};
