//! One test binary for all modules: linking is what tests mostly wait for.

mod report;
