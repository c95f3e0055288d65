//! Training of the transformer that reads reports.

mod calibrate;
mod course;
mod example;
mod fit;
mod record;
mod start;

pub use calibrate::{calibrate, dictated};
pub use course::{Course, CourseError, Order};
pub use example::{Example, examples};
pub use fit::{Fit, Plan, Progress};
pub use record::{Point, Record, Source};
pub use start::Start;
