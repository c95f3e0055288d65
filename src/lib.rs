//! deepspine: lumbar spine MRI reports and studies to level-by-level stenosis labels.
//!
//! In reading order:
//!
//! - [`pipeline`]: a report to opinions, the whole main job on one page
//! - [`label`]: what a label is, for every reader
//! - [`report`]: reports as data teams have them
//! - [`extract`]: the rules, from a text to statements
//! - [`imaging`]: MRI studies in patient millimetres
//! - [`export`]: labels as files
//! - [`link`]: which report speaks of which study
//! - [`store`]: the archive's database
//! - [`search`]: the query language and its index
//! - [`archive`]: store and index kept in step
//! - `engine`: the networks (with the feature `neural`)
//! - [`page`]: one reading shown to a person
//! - [`simulate`]: invented reports whose labels are known
//! - [`learn`]: gold labels and scores
//! - [`web`]: the annotation server
//! - [`cli`]: the verbs
//!
//! ARCHITECTURE.md has the table that says which of them may name which; a test keeps it.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod archive;
pub mod cli;
#[cfg(feature = "neural")]
pub mod engine;
pub mod export;
pub mod extract;
pub mod imaging;
pub mod label;
pub mod learn;
pub mod link;
pub mod page;
pub mod pipeline;
pub mod report;
pub mod search;
pub mod simulate;
pub mod store;
pub mod web;
