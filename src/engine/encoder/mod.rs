//! The transformer that reads reports: words to numbers, and numbers to verdicts.

mod input;
mod network;

pub use input::{Sequence, Vocabulary, VocabularyError};
pub use network::{CLASSES, Config, Network, Output};
