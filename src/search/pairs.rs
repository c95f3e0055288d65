//! Neighbouring words as one term.
//!
//! Whether two words stand side by side is what phrases ask, and the words of this field stand
//! side by side in most reports. Looking at their places in each of half a million reports takes
//! a tenth of a second; looking up their pair takes a thousandth.

use tantivy::tokenizer::{Token, TokenFilter, TokenStream, Tokenizer};

/// Makes a pair of each two words that follow each other.
#[derive(Debug, Clone)]
pub(super) struct Pairs;

/// The term of two neighbours.
pub(super) fn pair(first: &str, second: &str) -> String {
    format!("{first} {second}")
}

impl TokenFilter for Pairs {
    type Tokenizer<T: Tokenizer> = Paired<T>;

    fn transform<T: Tokenizer>(self, inner: T) -> Paired<T> {
        Paired { inner }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Paired<T> {
    inner: T,
}

impl<T: Tokenizer> Tokenizer for Paired<T> {
    type TokenStream<'a> = Stream<T::TokenStream<'a>>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Self::TokenStream<'a> {
        let words = self.inner.token_stream(text);
        Stream { words, before: None, pair: Token::default() }
    }
}

pub(super) struct Stream<T> {
    words: T,
    /// The word before, with its place.
    before: Option<(String, usize)>,
    pair: Token,
}

impl<T: TokenStream> TokenStream for Stream<T> {
    fn advance(&mut self) -> bool {
        while self.words.advance() {
            let word = self.words.token();
            let place = word.position;
            let Some((before, at)) = &mut self.before else {
                self.before = Some((word.text.clone(), place));
                continue;
            };
            // A word that was left out stands between.
            let follows = *at + 1 == place;
            if follows {
                self.pair.text.clear();
                self.pair.text.push_str(before);
                self.pair.text.push(' ');
                self.pair.text.push_str(&word.text);
                self.pair.position = *at;
            }
            before.clone_from(&word.text);
            *at = place;
            if follows {
                return true;
            }
        }
        false
    }

    fn token(&self) -> &Token {
        &self.pair
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.pair
    }
}
