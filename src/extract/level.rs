//! The grammar of disc levels: "L4-5", "L4/L5", "LS-S1", "L2-3 through L4-5", "L1-L4", "L four five".

use smallvec::SmallVec;

use super::sense::{Column, Region, Sense};
use super::token::{Kind, Token};
use super::vocabulary::Vocabulary;
use crate::label::{Level, LevelSet};

/// A vertebra, `L4` being column lumbar and number 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Vertebra {
    pub column: Column,
    pub number: u8,
}

impl Vertebra {
    /// The next one downward. A sixth lumbar vertebra is only ever named, so L5 leads to S1.
    fn next(self) -> Self {
        let Self { column, number } = self;
        let last = match column {
            Column::Cervical => 7,
            Column::Thoracic => 12,
            Column::Lumbar => 5,
            Column::Sacral => u8::MAX,
        };
        if number < last {
            return Self { column, number: number + 1 };
        }
        let column = match column {
            Column::Cervical => Column::Thoracic,
            Column::Thoracic => Column::Lumbar,
            Column::Lumbar | Column::Sacral => Column::Sacral,
        };
        Self { column, number: 1 }
    }

    /// Whether `below` is the next one, L6 between L5 and S1 allowed.
    fn is_above(self, below: Self) -> bool {
        let l6 = Self { column: Column::Lumbar, number: 6 };
        self.next() == below
            || (self.next().number == 1 && self.column == Column::Lumbar && below == l6)
            || (self == l6 && below == Self { column: Column::Sacral, number: 1 })
    }

    /// The disc under this vertebra, which its foramen belongs to (rule 9); none where levels
    /// get no label.
    pub fn disc_below(self) -> Option<Level> {
        disc(self, self.next())
    }

    fn exists(self) -> bool {
        let most = match self.column {
            Column::Cervical => 8,
            Column::Thoracic => 12,
            Column::Lumbar => 6,
            Column::Sacral => 5,
        };
        (1..=most).contains(&self.number)
    }
}

/// The disc between two neighbours; none where levels get no label.
fn disc(upper: Vertebra, lower: Vertebra) -> Option<Level> {
    use Column::{Lumbar, Sacral, Thoracic};
    Some(match ((upper.column, upper.number), (lower.column, lower.number)) {
        ((Thoracic, 9), (Thoracic, 10)) => Level::T9T10,
        ((Thoracic, 10), (Thoracic, 11)) => Level::T10T11,
        ((Thoracic, 11), (Thoracic, 12)) => Level::T11T12,
        ((Thoracic, 12), (Lumbar, 1)) => Level::T12L1,
        ((Lumbar, 1), (Lumbar, 2)) => Level::L1L2,
        ((Lumbar, 2), (Lumbar, 3)) => Level::L2L3,
        ((Lumbar, 3), (Lumbar, 4)) => Level::L3L4,
        ((Lumbar, 4), (Lumbar, 5)) => Level::L4L5,
        ((Lumbar, 5), (Sacral, 1)) => Level::L5S1,
        ((Lumbar, 5), (Lumbar, 6)) => Level::L5L6,
        ((Lumbar, 6), (Sacral, 1)) => Level::L6S1,
        ((Sacral, 1), (Sacral, 2)) => Level::S1S2,
        _ => return None,
    })
}

/// One or several levels named together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Levels {
    /// In the order of the text, as "respectively" needs it. Empty for levels that get no
    /// label, such as C5-C6.
    pub named: SmallVec<[Level; 4]>,
}

impl Levels {
    pub fn set(&self) -> LevelSet {
        self.named.iter().copied().collect()
    }

    pub fn extend(&mut self, other: Self) {
        for level in other.named {
            if !self.named.contains(&level) {
                self.named.push(level);
            }
        }
    }
}

/// What the grammar found at a token.
#[derive(Debug)]
pub(super) enum Found {
    /// Levels, and the token after them.
    Levels(Levels, usize),
    /// A single vertebra, which names no level (rule 9), and the token after it.
    Vertebra(Vertebra, usize),
}

/// Reads levels in a run of tokens.
pub(super) struct Grammar<'a> {
    pub text: &'a str,
    pub tokens: &'a [Token],
    pub vocabulary: &'a Vocabulary,
}

impl Grammar<'_> {
    /// The levels or the vertebra that begin at token `at`.
    pub fn find(&self, at: usize) -> Option<Found> {
        let Some((mut levels, mut end)) = self.disc(at).or_else(|| self.between(at)) else {
            let (vertebra, end) = self.vertebra(at)?;
            return Some(Found::Vertebra(vertebra, end));
        };
        loop {
            if let Some((through, next)) = self.range_end(end) {
                let from = levels.named.last().copied();
                levels.extend(range(from, through.named.first().copied()));
                levels.extend(through);
                end = next;
            } else if let Some((more, next)) = self.list_next(end) {
                levels.extend(more);
                end = next;
            } else {
                return Some(Found::Levels(levels, end));
            }
        }
    }

    fn sense(&self, at: usize) -> Option<Sense> {
        self.vocabulary.alone(self.tokens.get(at)?.word)
    }

    fn is_sign(&self, at: usize, signs: &[u8]) -> bool {
        self.tokens.get(at).is_some_and(|t| matches!(t.kind, Kind::Sign(s) if signs.contains(&s)))
    }

    fn whole_number(&self, at: usize) -> Option<u8> {
        let token = self.tokens.get(at).filter(|token| token.kind == Kind::Number)?;
        token.text(self.text).parse().ok()
    }

    /// "four", as some dictations are written down.
    fn numeral(&self, at: usize) -> Option<u8> {
        let token = self.tokens.get(at).filter(|token| token.kind == Kind::Word)?;
        self.vocabulary.numeral(token.word)
    }

    fn column(&self, at: usize) -> Option<Column> {
        let token = self.tokens.get(at).filter(|token| token.kind == Kind::Word)?;
        self.vocabulary.column(token.word)
    }

    /// Whether a dash or slash was dictated here.
    fn is_spoken_joint(&self, at: usize) -> bool {
        matches!(self.sense(at), Some(Sense::Spoken('-' | '/')))
    }

    /// "L4", "L 4", "L-4", "L four".
    fn vertebra(&self, at: usize) -> Option<(Vertebra, usize)> {
        let column = self.column(at)?;
        let mut next = at + 1;
        if self.is_sign(next, b"-.") && !self.tokens[next].spaced {
            next += 1;
        }
        let number = self.whole_number(next).or_else(|| self.numeral(next))?;
        let apart = self.tokens[next].spaced;
        let vertebra = Vertebra { column, number };
        // "T 2" with a space is seldom a vertebra, and "s 1" may be seconds. Spelt out, "t two" may be a
        // sequence, and "s one" is a vertebra after another.
        let loose = matches!(column, Column::Lumbar)
            || self.tokens[at].text(self.text).starts_with(['S', 'T', 'D'])
            || self.numeral(next).is_some_and(|number| match column {
                Column::Thoracic => number > 2,
                _ => at > 0 && self.ends_vertebra(at - 1),
            });
        (vertebra.exists() && (!apart || loose)).then_some((vertebra, next + 1))
    }

    /// Whether the number of a vertebra, or what joins it to the next, may stand here.
    fn ends_vertebra(&self, at: usize) -> bool {
        self.numeral(at).is_some()
            || self.whole_number(at).is_some()
            || self.is_spoken_joint(at)
            || self.is_sign(at, b"-/")
    }

    /// "LS" and "SI" where a scanner took S for 5 and I for 1.
    fn misread_vertebra(&self, at: usize) -> Option<(Vertebra, usize)> {
        let token = self.tokens.get(at).filter(|token| token.kind == Kind::Word)?;
        let (column, number) = match token.text(self.text) {
            "LS" | "Ls" | "ls" => (Column::Lumbar, 5),
            "SI" | "Sl" | "SL" | "si" => (Column::Sacral, 1),
            "Ll" | "LI" | "ll" => (Column::Lumbar, 1),
            _ => return None,
        };
        Some((Vertebra { column, number }, at + 1))
    }

    /// One disc level, or the discs of a span of vertebrae (rule 4).
    fn disc(&self, at: usize) -> Option<(Levels, usize)> {
        if let Some(joined) = self.joined_numbers(at) {
            return Some(joined);
        }
        let plain = self.vertebra(at);
        let (upper, after) = plain.or_else(|| self.misread_vertebra(at))?;
        let joint = self.joint(after)?;
        let (mut lower, mut end) = self.lower(upper, joint)?;
        if plain.is_none() && !(joint > after && upper.is_above(lower)) {
            return None;
        }
        if upper.column == Column::Thoracic && upper.number == 1 && lower.number == 2 {
            // "T1/T2" are weightings of an MR sequence.
            return None;
        }
        // "L3-L4-L5" spans two discs.
        while let Some(joint) = self.joint(end).filter(|&joint| joint > end) {
            match self.vertebra(joint) {
                Some((further, next)) if lower.is_above(further) && !self.begins_disc(joint) => {
                    (lower, end) = (further, next);
                }
                _ => break,
            }
        }
        let spaced = joint == after;
        if spaced && !upper.is_above(lower) {
            return None;
        }
        Some((span(upper.min(lower), upper.max(lower))?, end))
    }

    /// "between L4 and L5", "between the fourth and fifth lumbar vertebrae".
    fn between(&self, at: usize) -> Option<(Levels, usize)> {
        if self.sense(at) != Some(Sense::Between) {
            return None;
        }
        let upper_at = self.skip_filler(at + 1);
        let (upper, after) = self.vertebra(upper_at).or_else(|| self.ordinal(upper_at))?;
        if !self.is_connector(after) {
            return None;
        }
        let lower_at = self.skip_filler(after + 1);
        let (lower, mut end) = self.vertebra(lower_at).or_else(|| self.ordinal(lower_at))?;
        let worded = [upper_at, lower_at].map(|at| self.ordinal(at).is_some());
        if worded[0] != worded[1] || !upper.is_above(lower) {
            return None;
        }
        if worded[1] {
            // "the first and second patient" are no vertebrae.
            if self.sense(end) != Some(Sense::Region(Region::Lumbar)) {
                return None;
            }
            end += 1;
        }
        end += usize::from(self.sense(end) == Some(Sense::VertebraWord));
        Some((span(upper, lower)?, end))
    }

    /// "fourth", which is L4 where lumbar vertebrae are counted.
    fn ordinal(&self, at: usize) -> Option<(Vertebra, usize)> {
        match self.sense(at)? {
            Sense::Ordinal(number) => Some((Vertebra { column: Column::Lumbar, number }, at + 1)),
            _ => None,
        }
    }

    fn begins_disc(&self, at: usize) -> bool {
        self.vertebra(at).is_some_and(|(_, after)| {
            self.is_sign(after, b"-/") && self.whole_number(after + 1).is_some()
        })
    }

    /// The token after what joins two vertebrae: a sign, "to", "on", or nothing.
    fn joint(&self, at: usize) -> Option<usize> {
        let token = self.tokens.get(at)?;
        match token.kind {
            Kind::Sign(b'-' | b'/' | b'\\' | b'_' | b'.' | b'~') => {
                let mut next = at + 1;
                if self.is_sign(next, b"/") && self.is_sign(at, b"/") {
                    // "//" parts paragraphs.
                    return None;
                }
                if self.is_sign(next, b"-") {
                    next += 1;
                }
                let follows = self.tokens.get(next)?;
                if self.is_sign(at, b".~") && (token.spaced || follows.spaced) {
                    return None;
                }
                if follows.kind == Kind::Newline {
                    if !self.is_sign(at, b"-/") {
                        return None;
                    }
                    next = self.over_line_end(next)?;
                }
                Some(next)
            }
            Kind::Word if self.is_spoken_joint(at) => Some(at + 1),
            Kind::Word => match self.sense(at) {
                Some(Sense::Through | Sense::To | Sense::Over) => Some(at + 1),
                _ => Some(at),
            },
            Kind::Number => Some(at),
            _ => None,
        }
    }

    /// The token after a line end where a level goes on, over the foot of a page if need be.
    fn over_line_end(&self, at: usize) -> Option<usize> {
        const LONGEST_FOOTER: usize = 14;
        let is_rest =
            |&i: &usize| self.tokens[i - 1].kind == Kind::Newline && self.vertebra(i).is_some();
        (at + 1..self.tokens.len().min(at + LONGEST_FOOTER)).find(is_rest)
    }

    /// The lower vertebra: "L5", "5", "S1", "1" after L5 and T12, or "five" after "L four".
    fn lower(&self, upper: Vertebra, at: usize) -> Option<(Vertebra, usize)> {
        if let Some(found) = self.vertebra(at) {
            return Some(found);
        }
        if let Some((misread, next)) = self.misread_vertebra(at)
            && upper.is_above(misread)
        {
            return Some((misread, next));
        }
        let number = self.whole_number(at).or_else(|| self.numeral(at))?;
        // "L4 5 mm" is a vertebra and a length, "L4 5" a level, and "L5 one" is none.
        let [spelled, follows_spelled] = [at, at - 1].map(|at| self.numeral(at).is_some());
        let to = matches!(self.sense(at - 1), Some(Sense::Through | Sense::To));
        let follows_spelled = follows_spelled || to && self.numeral(at.saturating_sub(2)).is_some();
        let joined = (!spelled && !self.tokens[at].spaced)
            || (spelled && follows_spelled)
            || self.is_sign(at - 1, b"-/\\_")
            || self.is_spoken_joint(at - 1)
            || (!spelled && number == upper.next().number && self.ends_level(at + 1));
        let below = upper.next();
        let same = Vertebra { column: upper.column, number };
        let lower = if number == 1 && below.number == 1 {
            below
        } else if same.exists() && number > upper.number {
            same
        } else {
            return None;
        };
        joined.then_some((lower, at + 1))
    }

    /// Whether the level of "L4 5" may end before this token, and the number be no measure: a sign or a
    /// word of the lexicon, which has no units, goes on.
    fn ends_level(&self, at: usize) -> bool {
        let Some(token) = self.tokens.get(at) else { return true };
        match token.kind {
            Kind::Newline | Kind::Sign(b':' | b',' | b';' | b')') => true,
            Kind::Word => self.sense(at).is_some_and(|sense| sense != Sense::Of),
            _ => false,
        }
    }

    /// "L45" and "L51" without any sign.
    fn joined_numbers(&self, at: usize) -> Option<(Levels, usize)> {
        let column = self.column(at).filter(|&column| column == Column::Lumbar)?;
        let number = self.whole_number(at + 1).filter(|&n| n >= 12)?;
        let upper = Vertebra { column, number: number / 10 };
        let lower = match number % 10 {
            1 if upper.number == 5 => upper.next(),
            n => Vertebra { column, number: n },
        };
        if !upper.is_above(lower) {
            return None;
        }
        // "L23-L3" repeats the lower vertebra.
        let mut end = at + 2;
        if let Some((again, next)) =
            self.is_sign(end, b"-/").then(|| self.vertebra(end + 1)).flatten()
            && again == lower
        {
            end = next;
        }
        Some((Levels { named: SmallVec::from_iter(disc(upper, lower)) }, end))
    }

    /// "through L5-S1": the levels at the end of a range.
    fn range_end(&self, at: usize) -> Option<(Levels, usize)> {
        let mut next = self.skip_filler(at);
        if !matches!(self.sense(next), Some(Sense::Through | Sense::To)) {
            return None;
        }
        next = self.skip_filler(next + 1);
        self.disc(next)
    }

    /// ", L4-5", "and at L5-S1", "& 4-5": further levels of a list.
    fn list_next(&self, at: usize) -> Option<(Levels, usize)> {
        let mut next = self.skip_filler(at);
        let mut connected = next == at && self.begins_next_in_run(at);
        while self.is_connector(next) {
            connected = true;
            let wrapped = self.tokens.get(next + 1).is_some_and(|t| t.kind == Kind::Newline);
            next = self.skip_filler(next + 1 + usize::from(wrapped));
            // "and, to a lesser degree, at L3-4"
            while self.sense(next) == Some(Sense::To) {
                next = self.skip_filler(next + 1);
            }
        }
        if !connected {
            return None;
        }
        self.disc(next).or_else(|| self.bare_disc(next))
    }

    /// "L4-5 L5-S1" without anything between.
    fn begins_next_in_run(&self, at: usize) -> bool {
        const COLUMN_GAP: u32 = 3;
        let near = |token: &Token| token.start - self.tokens[at - 1].end < COLUMN_GAP;
        self.tokens.get(at).is_some_and(near)
            && self.disc(at).is_some_and(|(levels, _)| !levels.named.is_empty())
    }

    fn is_connector(&self, at: usize) -> bool {
        self.is_sign(at, b",&/+>") || matches!(self.sense(at), Some(Sense::And | Sense::Or))
    }

    /// Words that may stand between the levels of a list: "level", "at", "the", "disc".
    fn skip_filler(&self, mut at: usize) -> usize {
        while matches!(
            self.sense(at),
            Some(Sense::LevelWord | Sense::Disc | Sense::Of | Sense::Filler)
        ) {
            at += 1;
        }
        at
    }

    /// "4-5" or "four five" after a level has set the column.
    fn bare_disc(&self, at: usize) -> Option<(Levels, usize)> {
        let spelled = self.numeral(at);
        let number = self.whole_number(at).or(spelled)?;
        let upper = Vertebra { column: Column::Lumbar, number };
        let joint = self.is_sign(at + 1, b"-/") || self.is_spoken_joint(at + 1);
        if !joint && spelled.is_none() {
            return None;
        }
        let (lower, end) = self.lower(upper, at + 1 + usize::from(joint))?;
        let level = disc(upper, lower).filter(|_| upper.exists() && upper.is_above(lower))?;
        Some((Levels { named: SmallVec::from_iter([level]) }, end))
    }
}

/// The discs between two vertebrae; empty where levels get no label, none where `upper` is not
/// above `lower`.
fn span(upper: Vertebra, lower: Vertebra) -> Option<Levels> {
    let mut named = SmallVec::new();
    let mut at = upper;
    if at.is_above(lower) {
        named.extend(disc(at, lower));
        return Some(Levels { named });
    }
    while at < lower {
        named.extend(disc(at, at.next()));
        at = at.next();
    }
    (at == lower && at != upper).then_some(Levels { named })
}

/// The levels after `from` down to `to`.
fn range(from: Option<Level>, to: Option<Level>) -> Levels {
    let (Some(from), Some(to)) = (from, to) else { return Levels::default() };
    let six = matches!(to, Level::L5L6 | Level::L6S1);
    let skipped = |level: &Level| match level {
        Level::L5S1 => six,
        Level::L5L6 | Level::L6S1 => !six,
        _ => false,
    };
    let (top, bottom) = (from.min(to), from.max(to));
    let named = Level::ALL
        .into_iter()
        .filter(|level| (top..=bottom).contains(level) && !skipped(level))
        .collect();
    Levels { named }
}
