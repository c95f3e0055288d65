//! The rule reader: a report's text to statements about cells, as a pure function of text and
//! lexicon.

mod finding;

pub use finding::{Extraction, Finding, Measurement, Mention, Passage, Quantity};

/// A lexicon made ready to read texts with. One a thread: it carries scratch memory.
#[derive(Debug, Clone, Default)]
pub struct Extractor {}

impl Extractor {
    /// Reads one text.
    pub fn extract(&mut self, _text: &str) -> Extraction {
        Extraction::default()
    }

    /// Name and version of the lexicon, such as `en 1`.
    pub fn lexicon_version(&self) -> &str {
        ""
    }
}
