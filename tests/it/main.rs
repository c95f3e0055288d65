//! The integration tests: one binary, a module for each part of the crate.

mod explain;
mod page;
