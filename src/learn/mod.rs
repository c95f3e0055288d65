//! How well a reader reads: gold labels, and the scores of a reader's labels against them.
//!
//! Predictions are passed in: what made them, rules or a network, is not known here.

#[cfg(feature = "neural")]
mod adamw;
mod bootstrap;
#[cfg(feature = "neural")]
mod descent;
mod gold;
#[cfg(feature = "neural")]
pub mod grader;
#[cfg(feature = "neural")]
mod keep;
mod labels;
#[cfg(feature = "neural")]
mod least;
mod metrics;
mod outline;
mod overlap;
#[cfg(feature = "neural")]
pub mod reader;
pub mod scores;
#[cfg(feature = "neural")]
pub mod segmenter;
mod tally;

pub use bootstrap::{Bootstrap, Interval, paired};
#[cfg(feature = "neural")]
pub use descent::{Descent, Pace};
pub use gold::{Gold, GoldError, read_gold};
#[cfg(feature = "neural")]
pub use keep::KeepError;
pub use labels::{Label, Labels};
pub use metrics::{Confusion, Measure, Ratio, Scores, score};
pub use outline::Outlines;
pub use overlap::Overlap;
pub use tally::Tally;
