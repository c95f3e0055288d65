//! What a pattern of words comes to once it is cut and stemmed like the texts themselves.

use std::cell::RefCell;

use tantivy::tokenizer::{TextAnalyzer, TokenStream};

use super::query::Pattern;
use super::schema;

/// A pattern in terms of stems.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Words {
    /// No word at all: nothing is found by punctuation.
    None,
    /// A word.
    One(String),
    /// Words, each with its place in the phrase, that stand together but for `slop`.
    Near { stems: Vec<(usize, String)>, slop: u32 },
    /// Words whose stem begins like that; the word itself too, whose stem may be shorter.
    Starting { with: String, stem: String },
    /// Words whose stem differs by so many letters at most.
    Like { stem: String, distance: u8 },
}

impl Words {
    /// Cuts and stems a pattern.
    pub fn of(pattern: &Pattern) -> Self {
        match pattern {
            Pattern::Word(text) => Self::near(text, 0),
            Pattern::Phrase { words, slop } => Self::near(words, *slop),
            Pattern::Prefix(text) => match (Self::near(text, 0), folded(text)) {
                (Self::One(stem), with) => Self::Starting { with, stem },
                (several, _) => several,
            },
            Pattern::Fuzzy { word, distance } => match Self::near(word, 0) {
                Self::One(stem) => Self::Like { stem, distance: *distance },
                several => several,
            },
        }
    }

    /// What has several parts, such as `L4-L5`, is a phrase.
    fn near(text: &str, slop: u32) -> Self {
        let mut stems: Vec<_> = tokens(text).into_iter().map(|t| (t.position, t.stem)).collect();
        match stems.len() {
            0 => Self::None,
            1 => Self::One(stems.remove(0).1),
            _ => Self::Near { stems, slop },
        }
    }
}

/// A word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub stem: String,
    /// Its place among the words.
    pub position: usize,
    /// Its bytes in the text.
    pub start: usize,
    pub end: usize,
}

/// Cuts a text into stems as the index does.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    thread_local! {
        static ANALYZER: RefCell<TextAnalyzer> = RefCell::new(schema::words());
    }
    ANALYZER.with_borrow_mut(|analyzer| {
        let mut tokens = Vec::new();
        analyzer.token_stream(text).process(&mut |token| {
            tokens.push(Token {
                stem: token.text.clone(),
                position: token.position,
                start: token.offset_from,
                end: token.offset_to,
            });
        });
        tokens
    })
}

/// A word as the index has it before stemming.
fn folded(text: &str) -> String {
    let mut analyzer = schema::unstemmed();
    let mut folded = String::new();
    analyzer.token_stream(text).process(&mut |token| folded.push_str(&token.text));
    folded
}
