//! A query cut into pieces.

use std::ops::Range;

use super::{Problem, QueryError};

/// A piece of a query, with its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub kind: Kind,
    pub range: Range<usize>,
}

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    And,
    Or,
    Not,
    Open,
    Close,
    /// Anything else, up to the next space or parenthesis that does not stand in quotes.
    Term,
}

/// Cuts a query into pieces.
pub(super) fn pieces(query: &str) -> Result<Vec<Piece>, QueryError> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(sign) = query[at..].chars().next() {
        let next = at + sign.len_utf8();
        match sign {
            _ if sign.is_whitespace() => at = next,
            '(' => {
                pieces.push(Piece { kind: Kind::Open, range: at..next });
                at = next;
            }
            ')' => {
                pieces.push(Piece { kind: Kind::Close, range: at..next });
                at = next;
            }
            '-' if starts_term(&query[next..]) => {
                pieces.push(Piece { kind: Kind::Not, range: at..next });
                at = next;
            }
            _ => {
                let end = term_end(query, at)?;
                let kind = match &query[at..end] {
                    "AND" => Kind::And,
                    "OR" => Kind::Or,
                    "NOT" => Kind::Not,
                    _ => Kind::Term,
                };
                pieces.push(Piece { kind, range: at..end });
                at = end;
            }
        }
    }
    Ok(pieces)
}

/// Whether a minus before this text excludes what follows.
fn starts_term(text: &str) -> bool {
    text.chars().next().is_some_and(|c| c.is_alphanumeric() || matches!(c, '"' | '(' | '*'))
}

/// Where the term that begins at `start` ends.
fn term_end(query: &str, start: usize) -> Result<usize, QueryError> {
    let mut quote = None;
    for (at, sign) in query[start..].char_indices().map(|(at, sign)| (start + at, sign)) {
        match sign {
            '"' => quote = if quote.is_some() { None } else { Some(at) },
            _ if quote.is_some() => {}
            '(' | ')' => return Ok(at),
            _ if sign.is_whitespace() => return Ok(at),
            _ => {}
        }
    }
    match quote {
        Some(at) => Err(QueryError::at(query, at..at + 1, Problem::OpenQuote)),
        None => Ok(query.len()),
    }
}
