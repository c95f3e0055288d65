//! Training of the transformer that reads reports.

mod course;
mod example;
mod fit;

pub use course::{Course, CourseError, Order, Record};
pub use example::{Example, examples};
pub use fit::{Fit, Plan, Progress};
