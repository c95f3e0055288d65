//! The lexicon made ready to read with: words by number, misspelt ones mended, and the phrases
//! as one automaton over word numbers.
//!
//! The automaton runs over two bytes a token instead of over the text, so that phrases match
//! whole words only, and spelling, case, hyphens and line breaks are settled before it starts.

use std::collections::HashMap;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use foldhash::fast::FixedState;

use super::finding::Section;
use super::lexicon::{Lexicon, Place, Term};
use super::sense::{Column, Sense};
use super::spelling::Speller;
use super::token::{Kind, Token};

/// A token that no phrase can hold.
pub(super) const UNKNOWN: u16 = 0;
/// A sign or line end that no phrase goes across.
const BARRIER: u16 = 1;
/// The first number of a word of the lexicon.
const FIRST: u16 = 2;

/// The most words that a lexicon can have: numbers take two bytes of seven bits.
pub(super) const MOST_WORDS: usize = (1 << 14) - FIRST as usize;

type Map<K, V> = HashMap<K, V, FixedState>;

/// A compiled lexicon, shared by all threads.
#[derive(Debug)]
pub(super) struct Vocabulary {
    numbers: Map<Box<str>, u16>,
    columns: Vec<Option<Column>>,
    numerals: Vec<Option<u8>>,
    abbreviations: Vec<bool>,
    headings: Map<Vec<u16>, Section>,
    longest_heading: usize,
    phrases: AhoCorasick,
    senses: Vec<Sense>,
    /// The sense of each word that is a phrase by itself.
    alone: Vec<Option<Sense>>,
    speller: Speller,
}

/// What a misspelt or run-together word stands for, remembered between texts.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory(Map<Box<str>, Mended>);

/// More misspellings than this are forgotten at once, which bounds a thread's memory.
const MEMORY_LIMIT: usize = 1 << 16;

#[derive(Debug, Clone)]
enum Mended {
    Unknown,
    Word(u16),
    /// Run-together words: the numbers and where each ends.
    Split(Arc<[(u16, u32)]>),
}

impl Vocabulary {
    pub fn new(lexicon: &Lexicon) -> Self {
        let mut numbers: Map<Box<str>, u16> = Map::default();
        let mut number = |word: &str| {
            let next = FIRST + numbers.len() as u16;
            *numbers.entry(word.into()).or_insert(next)
        };
        let numbered: Vec<(Vec<u16>, &Term)> = lexicon
            .terms
            .iter()
            .map(|term| (term.words.iter().map(|word| number(word)).collect(), term))
            .collect();
        let size = FIRST as usize + numbers.len();
        let mut columns = vec![None; size];
        let mut numerals = vec![None; size];
        let mut abbreviations = vec![false; size];
        let mut headings = Map::default();
        let mut alone = vec![None; size];
        let mut patterns = Vec::new();
        let mut senses = Vec::new();
        for (words, term) in &numbered {
            match (Place::of(term.sense), term.sense) {
                (Place::Column, Sense::Column(column)) => columns[words[0] as usize] = Some(column),
                (Place::Numeral, Sense::Numeral(n)) => numerals[words[0] as usize] = Some(n),
                (Place::Abbreviation, _) => {
                    abbreviations[words[words.len() - 1] as usize] = true;
                }
                (Place::Heading, Sense::Heading(section)) => {
                    headings.insert(words.clone(), section);
                }
                _ => {
                    if let [word] = words[..] {
                        alone[word as usize] = Some(term.sense);
                    }
                    patterns.push(words.iter().flat_map(|&w| encode(w)).collect::<Vec<u8>>());
                    senses.push(term.sense);
                }
            }
        }
        let phrases = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .kind(Some(AhoCorasickKind::DFA))
            .build(patterns)
            .expect("a lexicon is far below the automaton's limits");
        let speller = Speller::new(
            lexicon
                .terms
                .iter()
                // "sever" is rather "severe" than "seven".
                .filter(|term| !matches!(term.sense, Sense::Ordinary | Sense::Numeral(_)))
                .flat_map(|term| &term.words)
                .map(|word| (word.as_str(), numbers[word.as_str()])),
        );
        let longest_heading = headings.keys().map(Vec::len).max().unwrap_or(0);
        Self {
            numbers,
            columns,
            numerals,
            abbreviations,
            headings,
            longest_heading,
            phrases,
            senses,
            alone,
            speller,
        }
    }

    /// The vertebral column that a letter such as "L" names.
    pub fn column(&self, word: u16) -> Option<Column> {
        self.columns[word as usize]
    }

    /// The number that a word such as "four" says.
    pub fn numeral(&self, word: u16) -> Option<u8> {
        self.numerals[word as usize]
    }

    /// Whether a full stop after this word ends no sentence.
    pub fn is_abbreviation(&self, word: u16) -> bool {
        self.abbreviations[word as usize]
    }

    /// The sense of a word that is a phrase by itself.
    pub fn alone(&self, word: u16) -> Option<Sense> {
        self.alone[word as usize]
    }

    /// The section that a heading opens: the words as a whole, else the known heading that they
    /// end with ("cervical spine findings") or, where it does not open an ignored section, begin
    /// with ("findings continued").
    pub fn heading(&self, words: &[u16]) -> Option<Section> {
        let longest = self.longest_heading.min(words.len());
        let known = |part: &[u16]| self.headings.get(part).copied();
        known(words)
            .or_else(|| (1..=longest).rev().find_map(|n| known(&words[words.len() - n..])))
            .or_else(|| {
                let begins = (1..=longest).rev().find_map(|n| known(&words[..n]));
                begins.filter(|&section| section != Section::Background)
            })
    }

    /// Whether these words are exactly a heading.
    pub fn exact_heading(&self, words: &[u16]) -> Option<Section> {
        self.headings.get(words).copied()
    }

    /// Gives every token its word number; run-together words part into several tokens.
    ///
    /// `parted` is scratch space.
    pub fn look_up(
        &self,
        text: &str,
        tokens: &mut Vec<Token>,
        memory: &mut Memory,
        parted: &mut Vec<Token>,
    ) {
        let mut lower = String::new();
        parted.clear();
        let mut next = 0;
        while next < tokens.len() {
            let i = next;
            next += 1;
            let mut token = tokens[i];
            if let Some((word, last)) = self.hyphenated(text, tokens, i, &mut lower) {
                parted.push(Token { end: tokens[last].end, word, ..token });
                next = last + 1;
                continue;
            }
            match token.kind {
                Kind::Newline | Kind::Sign(_) => token.word = BARRIER,
                Kind::Number => {
                    token.word = self.numbers.get(token.text(text)).copied().unwrap_or(UNKNOWN);
                }
                Kind::Word => {
                    lower_case(token.text(text), &mut lower);
                    match self.numbers.get(lower.as_str()) {
                        Some(&number) => token.word = number,
                        None => {
                            let before_digit = tokens
                                .get(i + 1)
                                .is_some_and(|n| n.kind == Kind::Number && !n.spaced);
                            match self.mend(&lower, before_digit, memory) {
                                Mended::Unknown => token.word = UNKNOWN,
                                Mended::Word(number) => token.word = number,
                                // Small letters may take other bytes than the capitals in the text.
                                Mended::Split(parts) if !fits(token.text(text), &parts) => {
                                    token.word = UNKNOWN;
                                }

                                Mended::Split(parts) => {
                                    part(token, &parts, parted);
                                    continue;
                                }
                            }
                        }
                    }
                }
            }
            parted.push(token);
        }
        std::mem::swap(tokens, parted);
    }

    /// A word parted by a hyphen at the end of a line, over a page number if need be: its word
    /// number and last token.
    fn hyphenated(
        &self,
        text: &str,
        tokens: &[Token],
        at: usize,
        joined: &mut String,
    ) -> Option<(u16, usize)> {
        const LONGEST_FOOTER: usize = 16;
        if tokens[at].kind != Kind::Word {
            return None;
        }
        let is_newline = |i: usize| tokens.get(i).is_some_and(|t| t.kind == Kind::Newline);
        let hyphened = tokens.get(at + 1).is_some_and(|t| t.is_sign(b'-') && !t.spaced);
        lower_case(tokens[at].text(text), joined);
        let after = if hyphened && is_newline(at + 2) {
            at + 3
        } else if is_newline(at + 1) && !self.numbers.contains_key(joined.as_str()) {
            // The hyphen may be lost too, where neither half is a word.
            at + 2
        } else {
            return None;
        };
        let is_rest =
            |&i: &usize| tokens[i].kind == Kind::Word && tokens[i - 1].kind == Kind::Newline;
        let rest = (after..tokens.len().min(after + LONGEST_FOOTER)).filter(is_rest);
        let mut lower = String::new();
        for last in rest {
            lower_case(tokens[at].text(text), joined);
            lower_case(tokens[last].text(text), &mut lower);
            joined.push_str(&lower);
            let half = !hyphened && self.numbers.contains_key(lower.as_str());
            if let Some(&number) = self.numbers.get(joined.as_str()).filter(|_| !half) {
                return Some((number, last));
            }
        }
        None
    }

    fn mend(&self, lower: &str, before_digit: bool, memory: &mut Memory) -> Mended {
        if before_digit {
            // "atL4", "noted at levelL5": the last letter belongs to the vertebra.
            let split = lower.len().checked_sub(1).filter(|&at| lower.is_char_boundary(at));
            if let Some((head, tail)) = split.map(|at| lower.split_at(at))
                && let (Some(&a), Some(&b)) = (self.numbers.get(head), self.numbers.get(tail))
                && self.column(b).is_some()
            {
                let ends = [(a, head.len() as u32), (b, lower.len() as u32)];
                return Mended::Split(ends.into());
            }
        }
        if let Some(known) = memory.0.get(lower) {
            return known.clone();
        }
        let mended = match self.speller.nearest(lower) {
            Some(number) => Mended::Word(number),
            None => self.split(lower).map_or(Mended::Unknown, Mended::Split),
        };
        if memory.0.len() >= MEMORY_LIMIT {
            memory.0.clear();
        }
        memory.0.insert(lower.into(), mended.clone());
        mended
    }

    /// Parts a run-together word into words of the lexicon, the longest first.
    fn split(&self, lower: &str) -> Option<Arc<[(u16, u32)]>> {
        const SHORTEST: usize = 7;
        const LONGEST: usize = 40;
        if !(SHORTEST..=LONGEST).contains(&lower.len()) {
            return None;
        }
        let mut parts = Vec::new();
        self.split_rest(lower, 0, &mut parts).then(|| parts.into())
    }

    fn split_rest(&self, lower: &str, start: usize, parts: &mut Vec<(u16, u32)>) -> bool {
        const MOST_PARTS: usize = 4;
        if start == lower.len() {
            // Two scraps of two letters prove nothing; a real word must be among the parts.
            let mut from = 0;
            let long = parts.iter().any(|&(_, end)| {
                let length = end - from;
                from = end;
                length >= 4
            });
            return long && parts.len() > 1;
        }
        if parts.len() == MOST_PARTS {
            return false;
        }
        for end in (start + 2..=lower.len()).rev() {
            if !lower.is_char_boundary(end) {
                continue;
            }
            let known = self.numbers.get(&lower[start..end]).copied();
            if let Some(number) = known.filter(|&n| self.is_joined_word(n)) {
                parts.push((number, end as u32));
                if self.split_rest(lower, end, parts) {
                    return true;
                }
                parts.pop();
            }
        }
        false
    }

    /// Ordinary words take no part in run-together ones: they would part too much.
    fn is_joined_word(&self, number: u16) -> bool {
        self.alone[number as usize] != Some(Sense::Ordinary)
    }

    /// Every phrase in the stretch of `words`, as start, end and sense, leftmost-longest.
    pub fn phrases<'a>(
        &'a self,
        words: &'a [u8],
    ) -> impl Iterator<Item = (usize, usize, Sense)> + 'a {
        self.phrases
            .find_iter(words)
            .map(|m| (m.start() / 2, m.end() / 2, self.senses[m.pattern().as_usize()]))
    }
}

/// Whether every part of a run-together word ends on a character of the word in the text.
fn fits(word: &str, parts: &[(u16, u32)]) -> bool {
    parts.last().is_some_and(|&(_, end)| end as usize == word.len())
        && parts.iter().all(|&(_, end)| word.is_char_boundary(end as usize))
}

/// Adds the parts of a run-together word to `parted`, as if white space stood between them.
fn part(token: Token, parts: &[(u16, u32)], parted: &mut Vec<Token>) {
    let mut start = token.start;
    for &(word, end) in parts {
        let end = token.start + end;
        let spaced = start > token.start || token.spaced;
        parted.push(Token { start, end, word, spaced, ..token });
        start = end;
    }
}

/// A word number as two bytes of which the first alone has its high bit set, so that a match
/// never starts or ends inside a word.
pub(super) const fn encode(word: u16) -> [u8; 2] {
    [0x80 | (word >> 7) as u8, (word & 0x7f) as u8]
}

/// The two bytes of a sign that no phrase goes across.
pub(super) const fn barrier() -> [u8; 2] {
    encode(BARRIER)
}

fn lower_case(word: &str, lower: &mut String) {
    lower.clear();
    // A scanner takes the I of capitals for a small L: "MlLD", "SPlNE".
    let misread = |byte: u8| matches!(byte, b'l' | b'0') || byte.is_ascii_uppercase();
    let is_misread = word.len() > 1
        && word.contains(['l', '0'])
        && word.bytes().all(misread)
        && word.bytes().any(|byte| byte.is_ascii_uppercase());
    if is_misread {
        lower.extend(word.chars().map(|c| match c {
            'l' => 'i',
            '0' => 'o',
            c => c.to_ascii_lowercase(),
        }));
    } else if word.is_ascii() {
        lower.push_str(word);
        lower.make_ascii_lowercase();
    } else {
        lower.extend(word.chars().flat_map(char::to_lowercase));
    }
}
