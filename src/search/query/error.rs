//! What can be wrong with a query, and where.

use std::fmt::Write;
use std::ops::Range;

/// A query that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {problem}")]
pub struct QueryError {
    /// The first character of what is wrong, counted from 1.
    pub column: usize,
    /// How many characters are wrong; at least 1, so that there is something to point at.
    pub length: usize,
    /// What is wrong with them.
    pub problem: Problem,
}

/// What is wrong, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "each message says it")]
pub enum Problem {
    #[error("this quote is never closed; add `\"` at the end of the phrase")]
    OpenQuote,
    #[error("this parenthesis is never closed; add `)`")]
    OpenParenthesis,
    #[error("this parenthesis closes none; remove it")]
    StrayParenthesis,
    #[error("a term is missing here; after AND, OR, NOT and `(` something has to be asked for")]
    MissingTerm,
    #[error("parentheses and NOTs are nested more than {0} deep; simplify the query")]
    TooDeep(usize),
    #[error("`{0}:` is no field; known are: {1}{2}")]
    UnknownField(String, String, Suggestion),
    #[error("`{0}` is no {1}; known are: {2}{3}")]
    UnknownName(String, &'static str, String, Suggestion),
    #[error("`{0}:` needs a value, such as {1}")]
    MissingValue(String, &'static str),
    #[error("`present` has no place on the scale of grades; only `=present` finds it")]
    PresentIsNoOrder,
    #[error("a cell begins with its level: L4-L5.{0}, any.{0} or all.{0}")]
    MissingLevel(String),
    #[error("a comparison needs a grade after `{0}`, such as `{0}moderate`")]
    MissingGrade(&'static str),
    #[error("`!=` is not known; write NOT before the cell: NOT L4-L5.central=severe")]
    NotEqual,
    #[error("findings are asked for at one level or anywhere; write `{0}`")]
    FindingAtAll(String),
    #[error("`{0}` is no date; write 2020, 2020-01 or 2020-01-31, or a range 2020..2021-06")]
    BadDate(String),
    #[error("`{0}` is no age in years; write 67, or a range such as 50..70, 50.. or ..70")]
    BadAge(String),
    #[error("the range ends before it begins; swap its ends")]
    EmptyRange,
    #[error("a fuzzy word differs by 1 or 2 letters; write `~` or `~2`")]
    BadDistance,
    #[error("after `\"...\"~` comes the number of places, up to {0}")]
    BadSlop(u32),
    #[error("`*` and `~` stand at the end of a word with letters or digits")]
    StrayMark,
    #[error("`{0}` is neither a word nor a sign that is understood here; remove it")]
    StraySign(char),
}

/// A known name that is much like the one that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion(Option<String>);

impl Suggestion {
    /// The name most like `word`, if any is much like it.
    pub(super) fn among<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Self {
        const LEAST: f64 = 0.7;
        let likeness = |name: &str| strsim::normalized_damerau_levenshtein(word, name);
        let best = names.max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        Self(best.filter(|best| likeness(best) >= LEAST).map(str::to_owned))
    }
}

impl std::fmt::Display for Suggestion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Some(name) => write!(f, "; did you mean `{name}`?"),
            None => Ok(()),
        }
    }
}

impl QueryError {
    /// The error about the bytes `range` of the query.
    pub(super) fn at(query: &str, range: Range<usize>, problem: Problem) -> Self {
        let characters = |text: &str| text.chars().count();
        Self {
            column: characters(&query[..range.start]) + 1,
            length: characters(&query[range]).max(1),
            problem,
        }
    }

    /// The query, with carets beneath what is wrong, and the message. For a fixed-width font.
    pub fn pointed(&self, query: &str) -> String {
        let line: String = query.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let mut pointed = format!("  {line}\n  ");
        pointed.extend(std::iter::repeat_n(' ', self.column - 1));
        pointed.extend(std::iter::repeat_n('^', self.length));
        write!(pointed, "\n{self}").expect("a String takes what is written to it");
        pointed
    }
}
