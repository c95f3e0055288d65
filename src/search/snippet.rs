//! The words of a text that a query found it by, and the stretch of the text around them.

use std::ops::Range;

use super::query::{CellQuery, FindingQuery, LevelPick, Query, Section};
use super::words::{Token, Words, tokens};
use super::{document, mark};
use crate::extract::{Mention, SectionSpan};
use crate::label::{CellLabel, Certainty, Span};

/// What of a text to light up for a query.
#[derive(Debug, Clone)]
pub struct Highlighter {
    words: Vec<(Option<Section>, Words)>,
    findings: Vec<FindingQuery>,
    cells: Vec<CellQuery>,
}

impl Highlighter {
    /// Everything that a query asks for. What it excludes is not there to be lit up.
    pub fn new(query: &Query) -> Self {
        let mut all = Self { words: Vec::new(), findings: Vec::new(), cells: Vec::new() };
        all.add(query);
        all
    }

    fn add(&mut self, query: &Query) {
        match query {
            Query::And(queries) | Query::Or(queries) => queries.iter().for_each(|q| self.add(q)),
            Query::Text(text) => self.words.push((text.section, Words::of(&text.pattern))),
            Query::Finding(finding) => self.findings.push(*finding),
            Query::Cell(cell) => self.cells.push(*cell),
            _ => {}
        }
    }

    /// Whether the evidence of this label is to be lit up.
    pub fn wants(&self, label: &CellLabel) -> bool {
        self.cells.iter().any(|query| {
            let level = match query.level {
                LevelPick::One(level) => level == label.cell.level,
                LevelPick::Any | LevelPick::All => true,
            };
            let target = query.target.targets().any(|target| target == label.cell.target);
            level && target && mark::passes(label, query.test)
        })
    }

    /// The words and findings of a text that the query asks for, in no order.
    pub fn spans(&self, text: &str, sections: &[SectionSpan], mentions: &[Mention]) -> Vec<Span> {
        let mut spans: Vec<Span> =
            mentions.iter().filter(|m| self.asks_for(m)).map(|m| m.span).collect();
        let all = tokens(text);
        for (section, words) in &self.words {
            match section {
                None => found(words, &all, &mut spans),
                Some(section) => {
                    for part in
                        sections.iter().filter(|s| document::to_query(s.section) == *section)
                    {
                        let range = part.span.range();
                        let inside = |t: &&Token| range.contains(&t.start) && t.end <= range.end;
                        let inside: Vec<_> = all.iter().filter(inside).cloned().collect();
                        found(words, &inside, &mut spans);
                    }
                }
            }
        }
        spans
    }

    fn asks_for(&self, mention: &Mention) -> bool {
        self.findings.iter().any(|query| {
            query.finding == mention.finding
                && query.level.is_none_or(|level| mention.level == Some(level))
                && !mention.negated
                && (query.or_hedged || mention.certainty == Certainty::Stated)
        })
    }
}

/// Adds the places of a pattern among words.
fn found(words: &Words, tokens: &[Token], spans: &mut Vec<Span>) {
    let mut add = |token: &Token| {
        spans.push(Span { start: token.start as u32, end: token.end as u32 });
    };
    match words {
        Words::None => {}
        Words::One(stem) => tokens.iter().filter(|t| t.stem == *stem).for_each(add),
        Words::Starting { with, stem } => {
            let starts = |t: &&Token| t.stem.starts_with(with.as_str()) || t.stem == *stem;
            tokens.iter().filter(starts).for_each(add);
        }
        Words::Like { stem, distance } => {
            let like = |t: &&Token| strsim::osa_distance(&t.stem, stem) <= usize::from(*distance);
            tokens.iter().filter(like).for_each(add);
        }
        Words::Near { stems, slop: 0 } => {
            for at in 0..tokens.len() {
                let phrase = tokens[at..].get(..stems.len()).unwrap_or_default();
                let same = |(token, (_, stem)): (&Token, &(usize, String))| token.stem == *stem;
                if !phrase.is_empty() && phrase.iter().zip(stems).all(same) {
                    phrase.iter().for_each(&mut add);
                }
            }
        }
        Words::Near { stems, .. } => {
            let among = |t: &&Token| stems.iter().any(|(_, stem)| t.stem == *stem);
            tokens.iter().filter(among).for_each(add);
        }
    }
}

/// A stretch of a text in pieces, each lit up or not. Line breaks are spaces in it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Snippet {
    /// The pieces in order.
    pub pieces: Vec<Piece>,
}

/// A piece of a snippet.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Piece {
    /// Its text.
    pub text: String,
    /// Whether the query asks for it.
    pub lit: bool,
}

impl Snippet {
    /// The stretch of about `length` bytes with the most of `spans` in it; the beginning of the
    /// text where there are none. A span that does not lie in the text, on character bounds, is
    /// left out: no search fails by a reading that was kept with the wrong text.
    pub fn new(text: &str, mut spans: Vec<Span>, length: usize) -> Self {
        spans.retain(|span| text.get(span.range()).is_some());
        spans.sort_unstable();
        spans.dedup_by(|next, last| {
            let overlaps = next.start < last.end;
            if overlaps {
                last.end = last.end.max(next.end);
            }
            overlaps
        });
        let range = stretch(text, &spans, length);
        let mut pieces = Vec::new();
        let mut push = |range: Range<usize>, lit| {
            let words: Vec<_> = text[range.clone()].split_whitespace().collect();
            let spaced = |c: Option<char>| c.is_some_and(char::is_whitespace);
            let mut piece = words.join(" ");
            if spaced(text[range.clone()].chars().next()) {
                piece.insert(0, ' ');
            }
            if piece.len() > 1 && spaced(text[range].chars().next_back()) {
                piece.push(' ');
            }
            if !piece.is_empty() {
                pieces.push(Piece { text: piece, lit });
            }
        };
        let mut at = range.start;
        for span in
            spans.iter().filter(|s| s.range().start >= range.start && s.range().end <= range.end)
        {
            push(at..span.range().start, false);
            push(span.range(), true);
            at = span.range().end;
        }
        push(at..range.end, false);
        let mut snippet = Self { pieces };
        snippet.trim(range.start > 0, range.end < text.trim_end().len());
        snippet
    }

    /// Takes the spaces from both ends, and says with dots where the text goes on.
    fn trim(&mut self, before: bool, after: bool) {
        if let Some(first) = self.pieces.first_mut() {
            let dots = if before { "… " } else { "" };
            first.text = format!("{dots}{}", first.text.trim_start());
        }
        if let Some(last) = self.pieces.last_mut() {
            let dots = if after { " …" } else { "" };
            last.text = format!("{}{dots}", last.text.trim_end());
        }
    }
}

/// Where the stretch begins and ends: at words' bounds.
fn stretch(text: &str, spans: &[Span], length: usize) -> Range<usize> {
    let inside = |first: usize| {
        let start = spans[first].range().start;
        spans[first..].iter().take_while(|s| s.range().end <= start + length).count()
    };
    // The first of the best: a reader goes on from there.
    let best = (0..spans.len()).max_by_key(|&first| (inside(first), std::cmp::Reverse(first)));
    let (start, end) = match best {
        None => (0, length.min(text.len())),
        Some(first) => {
            let last = spans[first + inside(first).max(1) - 1].range().end;
            let start = spans[first].range().start;
            let room = length.saturating_sub(last - start) / 2;
            (start.saturating_sub(room), (last + room).min(text.len()))
        }
    };
    let start = text.floor_char_boundary(start);
    let end = text.ceil_char_boundary(end);
    let start = if start == 0 { 0 } else { after_space(text, start, best.map(|b| &spans[b])) };
    let end = if end == text.len() { end } else { before_space(text, end, start) };
    start..end
}

/// The beginning of the next word, or of this one where the next would cut off what is lit up.
fn after_space(text: &str, start: usize, first: Option<&Span>) -> usize {
    let limit = first.map_or(text.len(), |span| span.range().start);
    match text[start..limit].find(char::is_whitespace) {
        Some(at) => start + at,
        None => text[..start].rfind(char::is_whitespace).unwrap_or(0),
    }
}

fn before_space(text: &str, end: usize, start: usize) -> usize {
    text[end..].find(char::is_whitespace).map_or(text.len(), |at| end + at).max(start)
}
