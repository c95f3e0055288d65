//! deepspine: lumbar spine MRI reports and studies to level-by-level stenosis labels.
//!
//! Modules in reading order, lower ones first. A module names only those above it in this list
//! that stand on a lower floor of ARCHITECTURE.md's table; a test keeps that.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod cli;
pub mod export;
pub mod extract;
pub mod label;
pub mod learn;
pub mod page;
pub mod pipeline;
pub mod report;
