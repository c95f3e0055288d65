//! The transformer that reads reports: words to numbers, and numbers to verdicts.

mod base;
mod batch;
mod input;
mod network;
mod reader;

pub use base::{Base, BaseError};
pub use batch::{Batch, batches};
pub use input::{Sequence, Vocabulary, VocabularyError};
pub use network::{CLASSES, Config, Network, Output};
pub use reader::{LevelView, ModelError, Reader, TargetView};
