//! Latin and Greek plurals, which radiology is full of and no English stemmer knows.

use tantivy::tokenizer::{Token, TokenFilter, TokenStream, Tokenizer};

/// Endings of plurals with those of their singulars: stenoses, foramina, vertebrae.
const ENDINGS: [(&str, &str); 3] = [("oses", "osis"), ("mina", "men"), ("ae", "a")];

/// Shorter words keep their endings: "roses" is no "rosis".
const SHORTEST: usize = 6;

/// Turns plurals to singulars. Letters are small ones by then.
#[derive(Debug, Clone)]
pub(super) struct LatinPlurals;

impl TokenFilter for LatinPlurals {
    type Tokenizer<T: Tokenizer> = Filtered<T>;

    fn transform<T: Tokenizer>(self, inner: T) -> Filtered<T> {
        Filtered { inner }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Filtered<T> {
    inner: T,
}

impl<T: Tokenizer> Tokenizer for Filtered<T> {
    type TokenStream<'a> = Stream<T::TokenStream<'a>>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Self::TokenStream<'a> {
        Stream { tail: self.inner.token_stream(text) }
    }
}

pub(super) struct Stream<T> {
    tail: T,
}

impl<T: TokenStream> TokenStream for Stream<T> {
    fn advance(&mut self) -> bool {
        let is_token = self.tail.advance();
        if is_token {
            to_singular(&mut self.tail.token_mut().text);
        }
        is_token
    }

    fn token(&self) -> &Token {
        self.tail.token()
    }

    fn token_mut(&mut self) -> &mut Token {
        self.tail.token_mut()
    }
}

fn to_singular(word: &mut String) {
    if word.len() < SHORTEST {
        return;
    }
    if let Some((plural, singular)) = ENDINGS.iter().find(|(plural, _)| word.ends_with(plural)) {
        word.truncate(word.len() - plural.len());
        word.push_str(singular);
    }
}

#[cfg(test)]
mod tests {
    use super::super::words::tokens;

    #[test]
    fn plurals_are_found_by_their_singulars() {
        for (plural, singular) in [
            ("Stenoses", "stenosis"),
            ("FORAMINA", "foramen"),
            ("vertebrae", "vertebra"),
            ("radiculopathies", "radiculopathy"),
            ("discs", "disc"),
        ] {
            assert_eq!(tokens(plural)[0].stem, tokens(singular)[0].stem, "{plural}");
        }
        assert_ne!(tokens("roses")[0].stem, tokens("rosis")[0].stem);
    }
}
