//! Training of the grader on levels whose grades are known.

mod augment;
mod calibrate;
mod course;
mod examples;
mod fit;
mod outside;
mod record;
mod row;
mod rsna2024;

pub use course::{Course, CourseError, Order};
pub use examples::{Bad, Examples, ExamplesError, rows};
pub use fit::{Fit, Lesson};
pub use outside::Outside;
pub use record::{Point, Record};
pub use row::Row;
