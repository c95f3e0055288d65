//! The rule reader: a report's text to statements about cells, as a pure function of text and
//! lexicon.

mod finding;

pub use finding::{Extraction, Finding, Measurement, Mention, Passage, Quantity};
