//! The rule reader: a report's text to statements about cells, as a pure function of text and
//! lexicon.
//!
//! The way of a text: `token` cuts it into words, `vocabulary` numbers them and mends their
//! spelling, `scan` finds phrases and levels, `item` joins those that belong together, `layout`
//! undoes wraps, `section` tells what counts, `scope` walks the lines and knows which level each
//! clause is about, `claim` binds degrees, sides and negations to their nouns, and `settle` turns
//! the claims into statements.

mod claim;
mod context;
mod finding;
mod item;
mod layout;
mod level;
mod lexicon;
mod mention;
mod modifier;
mod place;
mod scan;
mod scope;
mod section;
mod sense;
mod settle;
mod spelling;
mod table;
mod token;
mod vocabulary;

use std::sync::Arc;

pub use finding::{
    ClauseSpan, Extraction, Finding, Measurement, Mention, Passage, Quantity, Section, SectionSpan,
};
pub use lexicon::{Lexicon, LexiconError};

/// A stage of the extraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Text to words, phrases and levels.
    Scan,
    /// Lines and sections.
    Layout,
    /// Clauses to statements.
    Binding,
}

/// A lexicon made ready to read texts with. One a thread: it carries scratch memory; clones
/// share the lexicon.
#[derive(Debug, Clone)]
pub struct Extractor {
    vocabulary: Arc<vocabulary::Vocabulary>,
    scan: scan::Scan,
    version: Arc<str>,
    content_hash: Arc<str>,
}

impl Extractor {
    /// Compiles a lexicon.
    pub fn new(lexicon: &Lexicon) -> Self {
        Self {
            vocabulary: Arc::new(vocabulary::Vocabulary::new(lexicon)),
            scan: scan::Scan::default(),
            version: lexicon.version().into(),
            content_hash: lexicon.content_hash().into(),
        }
    }

    /// Reads one text. The same text and lexicon always give the same result; no text, however
    /// odd, fails.
    pub fn extract(&mut self, text: &str) -> Extraction {
        self.extract_in_stages(text, |_| ())
    }

    /// Reads one text and calls `done` after each stage, so that a bench can tell where the time
    /// goes.
    pub fn extract_in_stages(&mut self, text: &str, mut done: impl FnMut(Stage)) -> Extraction {
        // Spans hold 32 bits; what no report has is not read.
        let text = &text[..text.floor_char_boundary(u32::MAX as usize)];
        self.scan.read(&self.vocabulary, text);
        done(Stage::Scan);
        let lines = layout::lines(&mut self.scan, &self.vocabulary, text);
        done(Stage::Layout);
        let mut extraction = scope::Walk::read(&self.scan, &lines, text);
        extraction.sections = section::sections(&lines, text);
        done(Stage::Binding);
        extraction
    }

    /// SHA-256 of the lexicon's words and their senses, in hexadecimal digits.
    pub fn content_hash(&self) -> &str {
        &self.content_hash
    }

    /// Language, version and hash of the lexicon.
    pub fn lexicon_version(&self) -> &str {
        &self.version
    }
}
