//! Tokens to items: every phrase of the lexicon, level, number and sign of a text in order.

use super::finding::ClauseSpan;
use super::item::{
    fold_degrees, hear_dictation, join_levels, part_run_on_levels, part_run_on_lines,
    unwrap_brackets,
};
use super::level::{Found, Grammar, Levels, Vertebra};
use super::sense::Sense;
use super::token::{Kind, Token, tokenize};
use super::vocabulary::{Memory, Vocabulary, barrier, encode};
use crate::label::Span;

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    /// A phrase of the lexicon.
    Term(Sense),
    /// Levels named together: an index into [`Scan::levels`].
    Levels(u32),
    /// A single vertebra.
    Vertebra(Vertebra),
    /// A number.
    Number,
    /// `,`
    Comma,
    /// `:` or `=`
    Colon,
    /// `;`
    Semicolon,
    /// A full stop that ends a sentence.
    Stop,
    /// A dash with white space around it.
    Dash,
    /// `/`
    Slash,
    /// `(` or `[`
    Open,
    /// `)` or `]`
    Close,
    /// `?`
    Question,
    /// `>` or `<`: one side more than the other.
    Greater,
    /// The border of a table's cell: `|` or a tab.
    Border,
    /// The end of a line.
    Newline,
    /// `//`, or a paragraph that was dictated: what follows stands on a line of its own.
    Paragraph,
    /// A word that the lexicon does not have, or a sign without meaning.
    Other,
}

/// An item and the tokens that it covers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    pub tag: Tag,
    /// First token.
    pub first: u32,
    /// One past the last token.
    pub end: u32,
}

/// A text in items. Its vectors are reused from text to text.
#[derive(Debug, Clone, Default)]
pub(super) struct Scan {
    pub tokens: Vec<Token>,
    pub items: Vec<Item>,
    pub levels: Vec<Levels>,
    parted: Vec<Token>,
    memory: Memory,
    /// Word numbers for the automaton, two bytes each, and the token of each.
    stream: Vec<u8>,
    stream_tokens: Vec<u32>,
    /// Levels and vertebrae by first token, with the token after them.
    found: Vec<Item>,
}

impl Scan {
    /// Fills the scan with the items of `text`.
    pub fn read(&mut self, vocabulary: &Vocabulary, text: &str) {
        tokenize(text, &mut self.tokens);
        vocabulary.look_up(text, &mut self.tokens, &mut self.memory, &mut self.parted);
        self.find_levels(vocabulary, text);
        self.fill_stream(vocabulary, text);
        self.fill_items(vocabulary, text);
    }

    /// The bytes that an item covers.
    pub fn span(&self, item: Item) -> Span {
        Span {
            start: self.tokens[item.first as usize].start,
            end: self.tokens[item.end as usize - 1].end,
        }
    }

    /// Where the text names levels, and which.
    pub fn namings(&self) -> Vec<ClauseSpan> {
        let naming = |item: &Item| match item.tag {
            Tag::Levels(index) => Some(ClauseSpan {
                span: self.span(*item),
                levels: self.levels[index as usize].set(),
            }),
            _ => None,
        };
        self.items.iter().filter_map(naming).collect()
    }

    fn find_levels(&mut self, vocabulary: &Vocabulary, text: &str) {
        self.levels.clear();
        self.found.clear();
        let grammar = Grammar { text, tokens: &self.tokens, vocabulary };
        let mut at = 0;
        while at < self.tokens.len() {
            match grammar.find(at) {
                Some(Found::Levels(levels, end)) => {
                    let tag = Tag::Levels(self.levels.len() as u32);
                    self.levels.push(levels);
                    self.found.push(Item { tag, first: at as u32, end: end as u32 });
                    at = end;
                }
                Some(Found::Vertebra(vertebra, end)) => {
                    let tag = Tag::Vertebra(vertebra);
                    self.found.push(Item { tag, first: at as u32, end: end as u32 });
                    at = end;
                }
                None => at += 1,
            }
        }
    }

    fn fill_stream(&mut self, vocabulary: &Vocabulary, text: &str) {
        self.stream.clear();
        self.stream_tokens.clear();
        let mut found = self.found.iter().peekable();
        let mut at = 0;
        while at < self.tokens.len() {
            if let Some(level) = found.next_if(|item| item.first as usize == at) {
                self.stream.extend(barrier());
                self.stream_tokens.push(at as u32);
                at = level.end as usize;
                continue;
            }
            if is_wide_gap(text, &self.tokens, at) {
                self.stream.extend(barrier());
                self.stream_tokens.push(GAP);
            }
            if !is_transparent(text, &self.tokens, at)
                && !is_abbreviation(vocabulary, text, &self.tokens, at)
            {
                self.stream.extend(encode(self.tokens[at].word));
                self.stream_tokens.push(at as u32);
            }
            at += 1;
        }
    }

    fn fill_items(&mut self, vocabulary: &Vocabulary, text: &str) {
        self.items.clear();
        let mut phrases = vocabulary.phrases(&self.stream).peekable();
        let mut found = self.found.iter().peekable();
        let mut at = 0;
        while at < self.stream_tokens.len() {
            let first = self.stream_tokens[at];
            if first == GAP {
                at += 1;
                continue;
            }
            // The end of a line that phrases may cross is still one where none does.
            let covered = self.items.last().map_or(0, |item| item.end);
            for skipped in covered..first {
                if self.tokens[skipped as usize].kind == Kind::Newline {
                    self.items.push(Item { tag: Tag::Newline, first: skipped, end: skipped + 1 });
                }
            }
            if let Some((_, end, sense)) = phrases.next_if(|&(start, ..)| start == at) {
                let last = self.stream_tokens[end - 1];
                let tag = if is_compound(vocabulary, &self.tokens, last as usize, sense) {
                    Tag::Other
                } else {
                    outside_levels(sense)
                };
                self.items.push(Item { tag, first, end: last + 1 });
                at = end;
            } else if let Some(&level) = found.next_if(|item| item.first == first) {
                self.items.push(level);
                at += 1;
            } else {
                let tag = sign_tag(vocabulary, text, &self.tokens, first as usize);
                self.items.push(Item { tag, first, end: first + 1 });
                at += 1;
            }
        }
        part_run_on_lines(&mut self.items, &self.tokens);
        hear_dictation(&mut self.items);
        part_run_on_levels(&mut self.items);
        unwrap_brackets(&mut self.items);
        join_levels(&mut self.items, &mut self.levels);
        let tokens = &self.tokens;
        // A slash that was dictated has blanks around it as all words have.
        fold_degrees(&mut self.items, |item| {
            let token = &tokens[item.first as usize];
            token.spaced && !(item.tag == Tag::Slash && token.kind == Kind::Word)
        });
    }
}

/// What a phrase is where the grammar of levels has no use for it.
const fn outside_levels(sense: Sense) -> Tag {
    match sense {
        Sense::Between => Tag::Term(Sense::Of),
        Sense::VertebraWord => Tag::Other,
        sense => Tag::Term(sense),
    }
}

/// Stands in the stream for a gap between the columns of a table.
const GAP: u32 = u32::MAX;

/// Whether a tab or a run of blanks before this token sets it in another column.
fn is_wide_gap(text: &str, tokens: &[Token], at: usize) -> bool {
    const COLUMN_GAP: usize = 3;
    if at == 0 || !tokens[at].spaced {
        return false;
    }
    let gap = &text[tokens[at - 1].end as usize..tokens[at].start as usize];
    gap.len() >= COLUMN_GAP || gap.contains('\t')
}

/// Whether phrases go across this token as if it were white space: a hyphen or apostrophe inside
/// a word, the slash of "b/l", and the end of a line inside a paragraph.
fn is_transparent(text: &str, tokens: &[Token], at: usize) -> bool {
    let is_word = |i: usize| tokens.get(i).is_some_and(|t| t.kind == Kind::Word);
    let between_words = || {
        at > 0
            && (is_word(at - 1) || tokens[at - 1].kind == Kind::Newline)
            && is_word(at + 1)
            && !tokens[at].spaced
            && !tokens[at + 1].spaced
    };
    match tokens[at].kind {
        Kind::Sign(b'.') => {
            // "L.S. spine", "e.g.": only between single letters.
            between_words() && tokens[at - 1].text(text).len() == 1
        }
        Kind::Sign(b'-') if ends_line(tokens, at) || is_suspended(tokens, at) => true,
        Kind::Sign(b'-' | b'\'') => between_words(),
        Kind::Newline if at > 0 && ends_line(tokens, at - 1) => true,
        Kind::Newline => {
            // A phrase wraps only in mid-sentence: in a column, "mild" over "moderate" are two.
            let starts_lower = |t: &Token| t.text(text).starts_with(char::is_lowercase);
            at > 0 && is_word(at - 1) && is_word(at + 1) && starts_lower(&tokens[at + 1])
        }
        Kind::Sign(b'/') => {
            between_words()
                && tokens[at - 1].text(text).len() == 1
                && tokens[at + 1].text(text).len() == 1
        }
        _ => false,
    }
}

/// Whether a full stop only shortens the word before it: "lat. recess", "mod. on the left".
fn is_abbreviation(vocabulary: &Vocabulary, text: &str, tokens: &[Token], at: usize) -> bool {
    tokens[at].is_sign(b'.')
        && at > 0
        && vocabulary.is_abbreviation(tokens[at - 1].word)
        && !is_leader(tokens, at)
        && !ends_sentence(vocabulary, text, tokens, at)
}

/// Whether a hyphen stands for the rest of a word that follows: "mittel- bis hochgradig".
fn is_suspended(tokens: &[Token], at: usize) -> bool {
    let is_word = |i: usize| tokens.get(i).is_some_and(|t| t.kind == Kind::Word);
    !tokens[at].spaced && at > 0 && is_word(at - 1) && is_word(at + 1) && tokens[at + 1].spaced
}

/// Whether a hyphen glued to a word ends its line, and a word begins the next.
fn ends_line(tokens: &[Token], at: usize) -> bool {
    let is_word = |i: usize| tokens.get(i).is_some_and(|t| t.kind == Kind::Word);
    tokens[at].is_sign(b'-')
        && !tokens[at].spaced
        && at > 0
        && is_word(at - 1)
        && tokens.get(at + 1).is_some_and(|t| t.kind == Kind::Newline)
        && is_word(at + 2)
}

/// Whether a noun is only the first half of an adjective: "spur-related".
fn is_compound(vocabulary: &Vocabulary, tokens: &[Token], last: usize, sense: Sense) -> bool {
    let hyphen = tokens.get(last + 1).is_some_and(|t| t.is_sign(b'-') && !t.spaced);
    let next = tokens.get(last + 2).filter(|t| t.kind == Kind::Word && !t.spaced);
    matches!(sense, Sense::Noun | Sense::Finding(_))
        && hyphen
        && next.is_some_and(|t| matches!(vocabulary.alone(t.word), None | Some(Sense::Filler)))
}

fn sign_tag(vocabulary: &Vocabulary, text: &str, tokens: &[Token], at: usize) -> Tag {
    let token = tokens[at];
    match token.kind {
        Kind::Number => Tag::Number,
        Kind::Newline => Tag::Newline,
        Kind::Word => Tag::Other,
        Kind::Sign(b',') => Tag::Comma,
        Kind::Sign(b':' | b'=') => Tag::Colon,
        Kind::Sign(b';') => Tag::Semicolon,
        Kind::Sign(b'(' | b'[') => Tag::Open,
        Kind::Sign(b')' | b']') => Tag::Close,
        Kind::Sign(b'?') => Tag::Question,
        Kind::Sign(b'>' | b'<') => {
            // ">>" and "->" set off a label.
            let is_arrow = |i: usize| tokens.get(i).is_some_and(|t| t.is_sign(b'>') && !t.spaced);
            let shaft = |t: &Token| matches!(t.kind, Kind::Sign(b'>' | b'-' | b'='));
            let after = at > 0 && !token.spaced && shaft(&tokens[at - 1]);
            if is_arrow(at + 1) || after { Tag::Colon } else { Tag::Greater }
        }
        Kind::Sign(b'|') => Tag::Border,
        Kind::Sign(b'&' | b'+') => Tag::Term(Sense::And),
        Kind::Sign(b'-') => Tag::Dash,
        Kind::Sign(b'.') if is_leader(tokens, at) => Tag::Colon,
        Kind::Sign(b'.' | b'!') => {
            if ends_sentence(vocabulary, text, tokens, at) {
                Tag::Stop
            } else {
                Tag::Other
            }
        }
        Kind::Sign(b'/') => {
            let doubled = |i: usize| tokens.get(i).is_some_and(|t| t.is_sign(b'/') && !t.spaced);
            let second = at > 0 && !token.spaced && tokens[at - 1].is_sign(b'/');
            if doubled(at + 1) || second { Tag::Paragraph } else { Tag::Slash }
        }
        Kind::Sign(_) => Tag::Other,
    }
}

/// Whether a full stop belongs to a row of them that leads to a value: "Canal ..... patent".
fn is_leader(tokens: &[Token], at: usize) -> bool {
    const SHORTEST: usize = 4;
    let dots = |range: &mut dyn Iterator<Item = usize>| {
        range.take(SHORTEST).take_while(|&i| tokens.get(i).is_some_and(|t| t.is_sign(b'.'))).count()
    };
    dots(&mut (0..at).rev()) + dots(&mut (at..tokens.len())) >= SHORTEST
}

fn ends_sentence(vocabulary: &Vocabulary, text: &str, tokens: &[Token], at: usize) -> bool {
    let Some(next) = tokens.get(at + 1) else { return true };
    let Some(last) = at.checked_sub(1).map(|i| &tokens[i]) else { return false };
    let glued = !tokens[at].spaced;
    let is_next_lower = next.text(text).starts_with(|c: char| c.is_lowercase());
    if next.kind == Kind::Newline {
        return true;
    }
    if last.kind == Kind::Word && glued {
        let initial = last.text(text).len() == 1 && last.text(text) != "s";
        if initial && !next.spaced {
            return false;
        }
        // "No." and "mod." end a sentence only before a capital; where all is in capitals
        // nothing tells, and an abbreviation is likelier.
        let is_capital = last.text(text).chars().all(char::is_uppercase);
        if vocabulary.is_abbreviation(last.word)
            && next.kind == Kind::Word
            && (is_next_lower || is_capital)
        {
            return false;
        }
    }
    // "1." before an item of a list is no end, and neither is "No. 3".
    true
}
