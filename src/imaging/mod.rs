//! Images of the spine: what they show and where in the patient.
//!
//! A [`Study`] is read from files ([`dicom`], [`nifti`], [`metaimage`], [`pictures`]) as [`Series`],
//! whose slices are put into [`Stack`]s by where they are: volumes in patient millimetres. Masks are
//! written as [`nifti`] and as [`dicom_seg`], slices as [`dicom_mr`]. What else is here is pure.

mod bytes;
pub mod crop;
pub mod dicom;
mod dicom_bounds;
pub mod dicom_mr;
pub mod dicom_seg;
mod distance;
pub mod geometry;
mod gray;
mod grid;
mod median;
pub mod metaimage;
pub mod nifti;
pub mod npz;
pub mod overview;
pub mod picture;
pub mod pictures;
mod sample;
mod series;
mod slice;
pub mod spine;
mod stack;
mod study;
mod tissue;

pub use crop::{Crop, Cut, Segment};
pub use distance::distances;
pub use geometry::{Geometry, GeometryError};
pub use gray::{Gray, GrayError};
pub use grid::{Grid, Mask, Volume};
pub use median::median;
pub use series::{Kind, Series};
pub use slice::{Instance, Plane, Protocol, Slice};
pub use stack::{Note, Source, Stack, stacks};
pub use study::{FileError, Refusal, Study, StudyError};
pub use tissue::Tissue;
