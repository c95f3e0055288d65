//! Why each cell has its verdict: the claims behind it, in words.

use std::collections::BTreeSet;

use askama::Template;

use super::claim::{Basis, Claim};
use super::highlight::Highlight;
use super::tone;
use crate::label::{
    Cell, Certainty, Directness, Doubt, Filter, Level, Naming, Opinion, Rule, Span, TARGETS,
    Verdict,
};

/// The reasons of all cells, level by level.
///
/// Its [`std::fmt::Display`] is the HTML fragment.
#[derive(Debug, Clone, Template)]
#[template(path = "why.html")]
pub struct Why {
    /// The levels that have opinions, top to bottom; neighbours that share their statements are
    /// one.
    pub levels: Vec<WhyLevel>,
}

/// The reasons of one level's cells, or of several levels that the text speaks of at once.
#[derive(Debug, Clone)]
pub struct WhyLevel {
    /// The levels.
    pub levels: Vec<Level>,
    /// Their cells, those together that have the same verdict for the same reasons.
    pub cells: Vec<WhyCells>,
}

/// Cells with the same verdict for the same reasons.
#[derive(Debug, Clone)]
pub struct WhyCells {
    /// The cells: every target of the first level, then of the next.
    pub cells: Vec<Cell>,
    /// What they share.
    pub head: Head,
    /// The reasons, those that stand first.
    pub reasons: Vec<Reason>,
}

/// The verdict that cells share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The verdict.
    pub verdict: Verdict,
    /// Whether it is only suspected.
    pub hedged: bool,
    /// Whether statements disagree.
    pub conflict: bool,
    /// Where the reader is in doubt, how probable the verdict is in percent, and why.
    pub doubt: Option<(u8, Doubt)>,
}

/// One claim, in words.
#[derive(Debug, Clone)]
pub struct Reason {
    /// What it says.
    pub said: Said,
    /// Its keys: one for each of the cells that share it.
    pub keys: Vec<u32>,
    /// The number of the segment where its words begin.
    pub anchor: Option<usize>,
}

/// What a claim says, whichever cell it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// What is claimed.
    pub verdict: Verdict,
    /// Certainty, directness and naming, as far as the claim has them.
    pub tags: Vec<&'static str>,
    /// Its words, or the place in an image.
    pub quote: String,
    /// The rules that made it.
    pub rules: Vec<Rule>,
    /// The filter of rule 22 that sets it aside.
    pub aside: Option<Filter>,
}

impl Why {
    /// The reasons behind these opinions on `text`. `claims` are theirs, and `highlight` is the
    /// text with them marked.
    pub fn new(
        text: &str,
        opinions: &[Opinion],
        claims: &[Claim<'_>],
        highlight: &Highlight<'_>,
    ) -> Self {
        let mut sorted: Vec<&Opinion> = opinions.iter().collect();
        sorted.sort_by_key(|opinion| opinion.cell);
        let mut levels: Vec<WhyLevel> = Vec::new();
        for of_level in sorted.chunk_by(|a, b| a.cell.level == b.cell.level) {
            let level = WhyLevel {
                levels: vec![of_level[0].cell.level],
                cells: gather(of_level.iter().map(|opinion| WhyCells {
                    cells: vec![opinion.cell],
                    head: Head::of(opinion),
                    reasons: reasons(opinion.cell, text, claims, highlight),
                })),
            };
            match levels.last_mut() {
                Some(above) if above.is_told_by_the_words_of(&level) => above.absorb(level),
                _ => levels.push(level),
            }
        }
        Self { levels }
    }

    /// Every rule that a reason names, once, in the order of the guideline.
    pub fn rules(&self) -> Vec<Rule> {
        let cells = self.levels.iter().flat_map(|level| &level.cells);
        let reasons = cells.flat_map(|cells| &cells.reasons);
        let rules: BTreeSet<Rule> =
            reasons.flat_map(|reason| reason.said.rules.iter().copied()).collect();
        rules.into_iter().collect()
    }
}

impl Head {
    fn of(opinion: &Opinion) -> Self {
        Self {
            verdict: opinion.verdict,
            hedged: opinion.certainty == Certainty::Hedged,
            conflict: opinion.conflict,
            doubt: opinion.doubt.map(|doubt| {
                let percent = 100.0 * opinion.probability().unwrap_or_default();
                (percent.round() as u8, doubt)
            }),
        }
    }
}

impl WhyLevel {
    /// The names of the levels, such as `L1-L2, L2-L3`.
    pub(super) fn names(&self) -> String {
        let names: Vec<_> = self.levels.iter().map(|level| level.name()).collect();
        names.join(", ")
    }

    /// Whether the same words say the same of both. Like words in another place do not count: a
    /// quote leads to one place.
    fn is_told_by_the_words_of(&self, other: &Self) -> bool {
        let anchors = |cells: &WhyCells| -> Vec<_> {
            cells.reasons.iter().map(|reason| reason.anchor).collect()
        };
        self.cells.len() == other.cells.len()
            && self.cells.iter().zip(&other.cells).all(|(mine, theirs)| {
                mine.is_like(theirs)
                    && mine.targets() == theirs.targets()
                    && anchors(mine) == anchors(theirs)
            })
    }

    fn absorb(&mut self, other: Self) {
        self.levels.extend(other.levels);
        for (mine, theirs) in self.cells.iter_mut().zip(other.cells) {
            mine.absorb(theirs);
        }
    }
}

impl WhyCells {
    /// The keys of all reasons, as an attribute lists them.
    fn spaced_keys(&self) -> String {
        let keys: Vec<_> =
            self.reasons.iter().flat_map(|reason| &reason.keys).map(u32::to_string).collect();
        keys.join(" ")
    }

    fn tone(&self) -> &'static tone::Tone {
        tone::of(self.head.verdict)
    }

    /// The names of the targets, such as `Foramen L, Foramen R`.
    pub(super) fn targets(&self) -> String {
        let level = self.cells[0].level;
        let of_level = self.cells.iter().take_while(|cell| cell.level == level);
        let names: Vec<_> = of_level.map(|cell| cell.target.row().short).collect();
        if names.len() == TARGETS.len() { "every target".to_owned() } else { names.join(", ") }
    }

    fn is_like(&self, other: &Self) -> bool {
        self.head == other.head
            && self.reasons.iter().map(|r| &r.said).eq(other.reasons.iter().map(|r| &r.said))
    }

    fn absorb(&mut self, other: Self) {
        self.cells.extend(other.cells);
        for (mine, theirs) in self.reasons.iter_mut().zip(other.reasons) {
            mine.keys.extend(theirs.keys);
        }
    }
}

/// Puts cells together that have the same verdict for the same reasons.
fn gather(cells: impl Iterator<Item = WhyCells>) -> Vec<WhyCells> {
    let mut gathered: Vec<WhyCells> = Vec::new();
    for cell in cells {
        match gathered.iter_mut().find(|known| known.is_like(&cell)) {
            Some(known) => known.absorb(cell),
            None => gathered.push(cell),
        }
    }
    gathered
}

fn reasons(cell: Cell, text: &str, claims: &[Claim<'_>], highlight: &Highlight<'_>) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = claims
        .iter()
        .filter(|claim| claim.cell == cell)
        .map(|claim| Reason {
            said: Said::of(claim, text),
            keys: vec![claim.key],
            anchor: highlight.anchor(claim.key),
        })
        .collect();
    reasons.sort_by_key(|reason| reason.said.aside);
    reasons
}

impl Said {
    fn of(claim: &Claim<'_>, text: &str) -> Self {
        let mut tags = vec![match claim.certainty {
            Certainty::Stated => "stated",
            Certainty::Hedged => "hedged",
        }];
        let mut rules = Vec::new();
        if let Basis::Statement(statement) = claim.basis {
            tags.push(match statement.directness {
                Directness::Direct => "direct",
                Directness::Indirect => "indirect",
            });
            tags.push(match statement.naming {
                Naming::Named => "level named",
                Naming::Universal => "universal",
            });
            rules.extend(statement.trace.rules());
        }
        let quote = match claim.basis {
            Basis::Image(image) => format!("series {}, slice {}", image.series, image.slice),
            Basis::Statement(_) | Basis::Spans(_) => quote(text, claim.spans()),
        };
        Self { verdict: claim.verdict, tags, quote, rules, aside: claim.aside }
    }

    fn tone(&self) -> &'static tone::Tone {
        tone::of(self.verdict)
    }
}

/// The words under `spans` in one line: `…` for what is left out between them.
fn quote(text: &str, spans: &[Span]) -> String {
    let mut quote = String::new();
    let mut end = None;
    for span in spans {
        let Some(words) = text.get(span.range()) else { continue };
        if let Some(end) = end {
            let between = text.get(end..span.range().start).unwrap_or_default();
            quote.push_str(if between.trim().is_empty() { between } else { " … " });
        }
        quote.push_str(words);
        end = Some(span.range().end);
    }
    quote.split_whitespace().collect::<Vec<_>>().join(" ")
}
