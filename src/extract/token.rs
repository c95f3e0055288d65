//! Text to tokens: words, numbers and signs with their bytes in the original text.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A run of letters.
    Word,
    /// Digits, with a decimal point between digits.
    Number,
    /// The end of a line.
    Newline,
    /// Any other sign, look-alikes folded: every dash is `-`, every bullet `*`.
    Sign(u8),
}

/// A token and where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub start: u32,
    pub end: u32,
    pub kind: Kind,
    /// Whether white space or the beginning of the text stands before it.
    pub spaced: bool,
    /// Its number in the vocabulary, set when the words are looked up.
    pub word: u16,
}

impl Token {
    pub fn text<'t>(&self, text: &'t str) -> &'t str {
        &text[self.start as usize..self.end as usize]
    }

    pub fn is_sign(&self, sign: u8) -> bool {
        self.kind == Kind::Sign(sign)
    }
}

/// Splits `text` into `tokens`, which is emptied first.
///
/// Letters and digits part ("L4" is two tokens), so that run-together words such as "L5level"
/// fall apart by themselves.
pub(super) fn tokenize(text: &str, tokens: &mut Vec<Token>) {
    tokens.clear();
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut spaced = true;
    while at < bytes.len() {
        let start = at;
        let byte = bytes[at];
        let kind = match byte {
            b'\n' => {
                at += 1;
                Kind::Newline
            }
            b' ' | b'\t' | b'\r' | 0x0b | 0x0c => {
                at += 1;
                spaced = true;
                continue;
            }
            b'0'..=b'9' => {
                at = number_end(bytes, at);
                Kind::Number
            }
            _ if byte.is_ascii_alphabetic() => {
                at = word_end(text, at);
                Kind::Word
            }
            _ if byte.is_ascii() => {
                at += 1;
                Kind::Sign(byte)
            }
            _ => {
                let Some(c) = text[at..].chars().next() else { break };
                match fold(c) {
                    Folded::Letter => {
                        at = word_end(text, at);
                        Kind::Word
                    }
                    Folded::Space => {
                        at += c.len_utf8();
                        spaced = true;
                        continue;
                    }
                    Folded::Nothing => {
                        at += c.len_utf8();
                        continue;
                    }
                    Folded::Sign(sign) => {
                        at += c.len_utf8();
                        Kind::Sign(sign)
                    }
                }
            }
        };
        tokens.push(Token { start: start as u32, end: at as u32, kind, spaced, word: 0 });
        spaced = kind == Kind::Newline;
    }
}

fn number_end(bytes: &[u8], mut at: usize) -> usize {
    let digits = |mut at: usize| {
        while at < bytes.len() && bytes[at].is_ascii_digit() {
            at += 1;
        }
        at
    };
    at = digits(at);
    if at + 1 < bytes.len() && bytes[at] == b'.' && bytes[at + 1].is_ascii_digit() {
        at = digits(at + 1);
    }
    at
}

fn word_end(text: &str, mut at: usize) -> usize {
    let bytes = text.as_bytes();
    let start = at;
    while at < bytes.len() {
        if is_zero_for_o(bytes, at) {
            at += 1;
        } else if bytes[at].is_ascii_alphabetic() {
            // "NoneFINDINGS" are two words that lost the line end between them.
            let is_seam = bytes[at].is_ascii_uppercase()
                && at >= start + 2
                && bytes[at - 1].is_ascii_lowercase()
                && bytes[at - 2].is_ascii_lowercase();
            if is_seam {
                break;
            }
            at += 1;
        } else if bytes[at].is_ascii() {
            break;
        } else {
            match text[at..].chars().next() {
                Some(c) if matches!(fold(c), Folded::Letter) => at += c.len_utf8(),
                _ => break,
            }
        }
    }
    at
}

/// Whether a scanner took the O of capitals for a zero: "N0", "STEN0SIS".
fn is_zero_for_o(bytes: &[u8], at: usize) -> bool {
    bytes[at] == b'0'
        && at > 0
        && bytes[at - 1].is_ascii_uppercase()
        && !bytes.get(at + 1).is_some_and(u8::is_ascii_digit)
}

enum Folded {
    Letter,
    Space,
    /// Marks without width, such as a byte order mark in mid-text or a soft hyphen.
    Nothing,
    Sign(u8),
}

fn fold(c: char) -> Folded {
    match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}' => {
            Folded::Sign(b'-')
        }
        '\u{2022}' | '\u{2023}' | '\u{2043}' | '\u{25aa}'..='\u{25ff}' | '\u{b7}' | '\u{2219}' => {
            Folded::Sign(b'*')
        }
        '\u{2018}' | '\u{2019}' | '\u{2b9}' | '\u{2bc}' | '\u{b4}' => Folded::Sign(b'\''),
        '\u{201c}' | '\u{201d}' | '\u{ab}' | '\u{bb}' => Folded::Sign(b'"'),
        '\u{200b}'..='\u{200f}' | '\u{feff}' | '\u{ad}' => Folded::Nothing,
        '\u{2265}' => Folded::Sign(b'>'),
        '\u{2264}' => Folded::Sign(b'<'),
        _ if c.is_alphabetic() => Folded::Letter,
        _ if c.is_whitespace() => Folded::Space,
        _ => Folded::Sign(b'~'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        let mut tokens = Vec::new();
        tokenize(text, &mut tokens);
        tokens.iter().map(|t| t.text(text)).collect()
    }

    #[test]
    fn letters_and_digits_part() {
        assert_eq!(words("L4/L5level"), ["L", "4", "/", "L", "5", "level"]);
    }

    #[test]
    fn words_part_where_small_letters_meet_capitals() {
        assert_eq!(words("stenosisCOMPARISON:None"), ["stenosis", "COMPARISON", ":", "None"]);
    }

    #[test]
    fn decimals_hold_together_and_full_stops_do_not() {
        assert_eq!(words("2.1 mm at L5."), ["2.1", "mm", "at", "L", "5", "."]);
    }

    #[test]
    fn signs_that_look_alike_are_one() {
        let text = "L4\u{2013}5 \u{2022} mild\u{a0}\u{2019}";
        let mut tokens = Vec::new();
        tokenize(text, &mut tokens);
        let signs: Vec<_> = tokens
            .iter()
            .filter_map(|t| match t.kind {
                Kind::Sign(sign) => Some(sign as char),
                _ => None,
            })
            .collect();
        assert_eq!(signs, ['-', '*', '\'']);
    }

    #[test]
    fn letters_of_any_script_make_words() {
        assert_eq!(words("mäßige Enge"), ["mäßige", "Enge"]);
    }
}
