//! Where a clause says something is: levels, universal and remaining levels, ranges cut out.

use smallvec::SmallVec;

use super::level::Vertebra;
use super::scan::{Item, Scan, Tag};
use super::sense::{Anatomy, Sense};
use crate::label::{Level, LevelSet};

/// Which levels a phrase names, before scope and transitional anatomy are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// Named levels in the order of the text; none of them where they get no label.
    Named(SmallVec<[Level; 4]>),
    /// Every lumbar level but these.
    All {
        /// "except L5-S1"
        except: LevelSet,
    },
    /// Levels that the report does not mention otherwise, but these.
    Remaining {
        /// "remaining levels except ..."
        except: LevelSet,
    },
    /// Levels over (or under) this one, itself included or not.
    Beyond {
        /// The level.
        level: Level,
        /// Over it, else under it.
        above: bool,
        /// "L3-4 and above".
        inclusive: bool,
    },
    /// Several levels, none named (rule 6).
    Several,
    /// "this level".
    Same,
    /// "both levels", "these levels".
    SameSeveral,
    /// The first (or last) of the levels named last.
    Ordered {
        /// "the former", else "the latter".
        first: bool,
    },
    /// A single vertebra, which names no disc level (rule 9).
    Vertebra,
}

/// A sign or phrase of a clause, places put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// As scanned.
    Tag(Tag),
    /// A place: an index into [`Clause::places`].
    Place(u16),
}

/// A stretch of items that is bound on its own: a sentence, or the part up to a semicolon.
#[derive(Debug, Clone, Default)]
pub(super) struct Clause {
    pub marks: Vec<Mark>,
    /// The items of each mark.
    pub items: Vec<Item>,
    pub places: Vec<Place>,
    /// Places that pick the worst of several levels ("noticeably at").
    pub worst: Vec<bool>,
}

impl Clause {
    /// Fills the clause with these items.
    pub fn fill(&mut self, scan: &Scan, items: &[Item]) {
        self.marks.clear();
        self.items.clear();
        self.places.clear();
        self.worst.clear();
        let mut at = 0;
        while at < items.len() {
            let (mark, used) = match self.place(scan, &items[at..]) {
                Some((place, used)) => {
                    let worst = self.is_worst();
                    self.places.push(place);
                    self.worst.push(worst);
                    (Mark::Place(self.places.len() as u16 - 1), used)
                }
                None => (Mark::Tag(items[at].tag), 1),
            };
            self.marks.push(mark);
            self.items.push(Item { end: items[at + used - 1].end, ..items[at] });
            at += used;
        }
    }

    /// The sign or phrase at a mark; none for a place or past the end.
    pub fn tag(&self, at: usize) -> Option<Tag> {
        match self.marks.get(at)? {
            Mark::Tag(tag) => Some(*tag),
            Mark::Place(_) => None,
        }
    }

    /// The sense of the phrase at a mark.
    pub fn sense(&self, at: usize) -> Option<Sense> {
        match self.tag(at)? {
            Tag::Term(sense) => Some(sense),
            _ => None,
        }
    }

    /// Whether "no" at a mark is a value in a list: "moderate left and no right stenosis".
    pub fn is_listed_no(&self, at: usize) -> bool {
        let before = |n: usize| at.checked_sub(n).and_then(|i| self.tag(i));
        self.sense(at) == Some(Sense::Not)
            && matches!(self.sense(at + 1), Some(Sense::Side(_)))
            && matches!(before(1), Some(Tag::Comma | Tag::Slash | Tag::Term(Sense::And)))
            && matches!(before(2), Some(Tag::Term(Sense::Side(_) | Sense::Degree(_))))
    }

    /// Whether a place stands at a mark.
    pub fn is_place(&self, at: usize) -> bool {
        matches!(self.marks.get(at), Some(Mark::Place(_)))
    }

    /// Whether "worst at" or the like stands right before the place to be added.
    fn is_worst(&self) -> bool {
        let is_filler = |mark: &Mark| {
            matches!(
                mark,
                Mark::Tag(Tag::Term(
                    Sense::Of | Sense::Be | Sense::Filler | Sense::Over | Sense::Disc
                ))
            )
        };
        let mut before = self.marks.iter().rev().skip_while(|mark| is_filler(mark));
        before.next() == Some(&Mark::Tag(Tag::Term(Sense::Worst)))
    }

    /// The place that begins at the first item, and how many items it takes.
    fn place(&self, scan: &Scan, items: &[Item]) -> Option<(Place, usize)> {
        match items[0].tag {
            Tag::Levels(index) => Some(named(scan, items, index)),
            Tag::Vertebra(vertebra) => Some(vertebra_place(items, vertebra)),
            Tag::Term(Sense::NamedLevel(level)) => {
                Some((Place::Named(SmallVec::from_iter([level])), 1))
            }
            Tag::Term(Sense::Ordinal(number)) => ordinal(items, number),
            Tag::Term(Sense::Universal) => {
                let (except, used) = except(scan, &items[1..]);
                Some((Place::All { except }, 1 + used))
            }
            // "patent except at L4-5"
            Tag::Term(Sense::Except) => {
                let (except, used) = except(scan, items);
                (!except.is_empty()).then_some((Place::All { except }, used))
            }
            Tag::Term(Sense::Remaining) => {
                let (except, used) = except(scan, &items[1..]);
                Some((Place::Remaining { except }, 1 + used))
            }
            Tag::Term(Sense::Above) => beyond(scan, items, true),
            Tag::Term(Sense::Below) => beyond(scan, items, false),
            Tag::Term(Sense::Multilevel) => Some((Place::Several, 1)),
            Tag::Term(Sense::SameLevel) => Some((Place::Same, 1)),
            Tag::Term(Sense::SameLevels) => Some((Place::SameSeveral, 1)),
            Tag::Term(Sense::Former) => Some((Place::Ordered { first: true }, 1)),
            Tag::Term(Sense::Latter) => Some((Place::Ordered { first: false }, 1)),
            _ => None,
        }
    }
}

/// "L4-5", "L3-4 and above".
fn named(scan: &Scan, items: &[Item], index: u32) -> (Place, usize) {
    let levels = &scan.levels[index as usize].named;
    let tag = |i: usize| items.get(i).map(|item| item.tag);
    if tag(1) == Some(Tag::Term(Sense::And))
        && let Some(Tag::Term(direction @ (Sense::Above | Sense::Below))) = tag(2)
        && !matches!(tag(3), Some(Tag::Levels(_)))
        && let Some(&level) = levels.first()
    {
        return (Place::Beyond { level, above: direction == Sense::Above, inclusive: true }, 3);
    }
    (Place::Named(levels.clone()), 1)
}

/// The foramen of a vertebra is that of the disc under it; else a vertebra names no level.
fn vertebra_place(items: &[Item], vertebra: Vertebra) -> (Place, usize) {
    let next = items[1..]
        .iter()
        .find(|item| !matches!(item.tag, Tag::Term(Sense::Side(_) | Sense::Filler)));
    let is_foramen =
        matches!(next.map(|item| item.tag), Some(Tag::Term(Sense::Anatomy(Anatomy::Foramen, _))));
    match vertebra.disc_below().filter(|_| is_foramen) {
        Some(level) => (Place::Named(SmallVec::from_iter([level])), 1),
        None => (Place::Vertebra, 1),
    }
}

/// "fourth lumbar interspace".
fn ordinal(items: &[Item], number: u8) -> Option<(Place, usize)> {
    let tag = |i: usize| items.get(i).map(|item| item.tag);
    let is_disc = |i: usize| matches!(tag(i), Some(Tag::Term(Sense::Disc)));
    let lumbar = matches!(tag(1), Some(Tag::Term(Sense::Region(super::sense::Region::Lumbar))));
    let used = if lumbar && is_disc(2) { 3 } else { return None };
    let vertebra = Vertebra { column: super::sense::Column::Lumbar, number };
    Some((Place::Named(SmallVec::from_iter([vertebra.disc_below()?])), used))
}

/// "except at L5-S1": the levels left out, and how many items say so.
fn except(scan: &Scan, items: &[Item]) -> (LevelSet, usize) {
    let mut cue = items.iter().enumerate().skip_while(|(_, item)| {
        matches!(
            item.tag,
            Tag::Comma | Tag::Open | Tag::Term(Sense::LevelWord | Sense::Disc | Sense::Filler)
        )
    });
    let is_except = |tag| tag == Tag::Term(Sense::Except);
    if !cue.next().is_some_and(|(_, item)| is_except(item.tag)) {
        return (LevelSet::EMPTY, 0);
    }
    for (at, item) in cue {
        match item.tag {
            Tag::Levels(index) => return (scan.levels[index as usize].set(), at + 1),
            Tag::Term(Sense::Of | Sense::Filler | Sense::Except | Sense::Over | Sense::Side(_)) => {
            }
            _ => break,
        }
    }
    (LevelSet::EMPTY, 0)
}

/// "above L3-4", "below L1".
fn beyond(scan: &Scan, items: &[Item], above: bool) -> Option<(Place, usize)> {
    let at = items.iter().skip(1).position(|item| {
        !matches!(item.tag, Tag::Term(Sense::Of | Sense::Filler | Sense::LevelWord | Sense::Over))
    })? + 1;
    let (level, inclusive) = match items[at].tag {
        Tag::Levels(index) => {
            let levels = scan.levels[index as usize].set();
            (if above { levels.iter().next() } else { levels.iter().next_back() }?, false)
        }
        // The disc under a vertebra is below it.
        Tag::Vertebra(vertebra) => (vertebra.disc_below()?, !above),
        _ => return None,
    };
    Some((Place::Beyond { level, above, inclusive }, at + 1))
}

impl Place {
    /// The levels over or under `level` within `lumbar`.
    pub fn beyond(level: Level, above: bool, inclusive: bool, lumbar: LevelSet) -> LevelSet {
        lumbar
            .iter()
            .filter(|&other| {
                (if above { other < level } else { other > level }) || (inclusive && other == level)
            })
            .collect()
    }
}
