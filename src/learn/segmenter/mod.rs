//! Training of the segmenter on slices with masks.

mod augment;
mod course;
mod fit;
mod record;
mod score;
mod slices;
mod volumes;

pub use augment::{View, Viewer};
pub use course::{Course, CourseError, Order};
pub use fit::Fit;
pub use record::{Point, Record};
pub use score::{LevelScore, SubjectScore, TissueScore};
pub use slices::{Slice, Slices, SlicesError, Subject};
pub use volumes::{Known, KnownError, Shows, VolumeScore};
