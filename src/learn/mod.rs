//! How well a reader reads: gold labels, and the scores of a reader's labels against them.
//!
//! Predictions are passed in: what made them, rules or a network, is not known here.

#[cfg(feature = "neural")]
mod adamw;
mod bootstrap;
mod gold;
mod labels;
mod metrics;
#[cfg(feature = "neural")]
pub mod reader;
mod tally;

pub use bootstrap::{Bootstrap, Interval, paired};
pub use gold::{Gold, GoldError, read_gold};
pub use labels::{Label, Labels};
pub use metrics::{Confusion, Measure, Ratio, Scores, score};
pub use tally::Tally;
