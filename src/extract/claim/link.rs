//! What happens to a structure: the word of change or width that it is bound to, before it
//! ("narrowing of the canal") or after it ("the canal is narrowed").

use super::{Binder, State};
use crate::extract::scan::Tag;
use crate::extract::sense::{Anatomy, Change, Class, Form, Sense};

impl Binder<'_> {
    /// What happens to the structure at `first`, said before it, and whether to a root in it.
    pub(super) fn leftward(&self, first: usize) -> Option<(State, usize, bool)> {
        let (anatomy, form) = self.anatomy(first)?;
        // "adequate spinal." has lost its noun.
        if form == Form::Adjective && first + 1 < self.clause.marks.len() {
            return None;
        }
        let mut within = false;
        let mut root = false;
        let mut shared = false;
        for at in (0..first).rev() {
            if self.is_place(at) {
                continue;
            }
            match self.tag(at)? {
                Tag::Term(sense) => match sense {
                    Sense::Within => within = true,
                    // "compression of the root inside its foramen"
                    Sense::Anaphor if at + 1 == first => {}
                    Sense::Root
                        if (within || self.sense(at + 1) == Some(Sense::Of))
                            && anatomy == Anatomy::Foramen =>
                    {
                        root = true;
                        within = true;
                    }
                    Sense::Filler
                    | Sense::Of
                    | Sense::Over
                    | Sense::Side(_)
                    | Sense::LevelWord
                    | Sense::Disc
                    | Sense::To
                    | Sense::Degree(_) => {}
                    Sense::And if self.joins_sides(at) => {}
                    // "compressing the nerve root and the sac"
                    Sense::And | Sense::Or if self.follows_root(at) => shared = true,
                    Sense::Root if shared => {}
                    Sense::Change(change, Class::Adjective) if self.is_of_root(at) => {
                        let change = State::Change(change, Class::Adjective);
                        return (anatomy == Anatomy::Foramen).then_some((change, at, true));
                    }
                    Sense::Change(change, class) if !self.used[at] => {
                        return (root
                            || !within
                            || change == Change::Stenosis
                            || class == Class::Noun)
                            .then_some((State::Change(change, class), at, root));
                    }
                    Sense::Patent | Sense::Normal if !self.used[at] && !self.is_predicate(at) => {
                        return Some((State::Wide, at, false));
                    }
                    _ => return None,
                },
                Tag::Other if root => {}
                _ => return None,
            }
        }
        None
    }

    /// Whether a structure only tells where a nerve root is: "the root in the recess".
    pub(super) fn locates_root(&self, at: usize) -> bool {
        let place =
            (0..at).rev().find(|&i| !matches!(self.sense(i), Some(Sense::Filler | Sense::Side(_))));
        place.is_some_and(|i| {
            matches!(self.sense(i), Some(Sense::Of | Sense::Within))
                && i > 0
                && self.sense(i - 1) == Some(Sense::Root)
        })
    }

    /// Whether a nerve root stands right before an "and".
    fn follows_root(&self, and: usize) -> bool {
        and > 0 && self.sense(and - 1) == Some(Sense::Root)
    }

    /// Whether it is a nerve root that is said to be compressed (rule 12).
    pub(super) fn is_of_root(&self, change: usize) -> bool {
        let mut at = change;
        while at > 0 {
            at -= 1;
            match self.sense(at) {
                Some(
                    Sense::Be
                    | Sense::Degree(_)
                    | Sense::Filler
                    | Sense::Hedge
                    | Sense::Significant
                    | Sense::And
                    | Sense::Noun
                    | Sense::Change(Change::Contact, _),
                ) => {}
                Some(Sense::Root) => return true,
                _ => return false,
            }
        }
        false
    }

    /// The side of the nerve root before a change: "the left L3 nerve root is compressed".
    pub(super) fn root_side(&self, change: usize) -> Option<usize> {
        let root = (0..change).rev().find(|&at| self.sense(at) == Some(Sense::Root))?;
        (root.saturating_sub(3)..root).find(|&at| matches!(self.sense(at), Some(Sense::Side(_))))
    }

    /// "left and right".
    pub(super) fn joins_sides(&self, at: usize) -> bool {
        let side = |i: usize| matches!(self.sense(i), Some(Sense::Side(_)));
        at > 0 && side(at - 1) && (side(at + 1) || side(at + 2))
    }

    /// Whether a word of normality is what a "be" before it says of something else.
    pub(super) fn is_predicate(&self, at: usize) -> bool {
        at > 0
            && matches!(
                self.tag(at - 1),
                Some(Tag::Term(Sense::Be | Sense::Anatomy(..) | Sense::Noun | Sense::Disc))
            )
    }

    /// Whether the last of several structures goes with the state after it rather than with the
    /// one before the group: "narrowing of the canal and foraminal stenosis".
    pub(super) fn has_own_state(&self, last: usize, right: Option<(State, usize)>) -> bool {
        let adjective = matches!(self.anatomy(last), Some((_, Form::Adjective)));
        match right {
            Some((State::Change(..) | State::Wide | State::Unassessable, _)) => true,
            Some((State::Degree, _)) => adjective,
            None => false,
        }
    }

    /// What happens to the structure at `last`, said after it.
    pub(super) fn rightward(&self, last: usize) -> Option<(State, usize)> {
        const STRANGERS: usize = 3;
        let (_, form) = self.anatomy(last)?;
        let mut strangers = 0;
        let mut linked = false;
        // A list of values may follow a label: "foramina: left mild, right patent".
        let mut labelled = false;
        let mut degree = None;
        let mut at = last + 1;
        loop {
            if self.is_place(at) {
                at += 1;
                continue;
            }
            let Some(tag) = self.tag(at) else { break };
            match tag {
                Tag::Colon | Tag::Dash => {
                    linked = true;
                    labelled = true;
                }
                // "canal 7 mm (severe)"
                Tag::Open => linked = true,
                Tag::Close => {}
                Tag::Number => strangers += 1,
                Tag::Other => strangers += 1,
                Tag::Comma if self.aside(at).is_some() => {
                    at = self.aside(at).unwrap_or(at);
                    linked = true;
                }
                Tag::Comma | Tag::Slash if self.goes_on(at + 1) => {}
                Tag::Greater => {}
                Tag::Term(sense) => match sense {
                    Sense::Be | Sense::Progressed | Sense::Unchanged => linked = true,
                    // "... narrowed, but the canal is not"
                    Sense::Not if linked && self.ends_after(at) => degree = degree.or(Some(at)),
                    // "the foramina there are narrowed"
                    Sense::ThereIs if at == last + 1 => linked = true,
                    Sense::To if linked => {}
                    Sense::Filler
                    | Sense::Of
                    | Sense::Over
                    | Sense::Side(_)
                    | Sense::Worse
                    | Sense::LevelWord
                    | Sense::Now
                    | Sense::Previously
                    | Sense::Hedge
                    | Sense::Not
                    | Sense::Complete
                    | Sense::Within
                    | Sense::Limit
                    | Sense::Anaphor => {}
                    Sense::Disc if form != Form::Adjective => {}
                    Sense::And | Sense::Or if self.goes_on(at + 1) || self.joins_root(at + 1) => {}
                    Sense::Root if self.joins_root(at) => {}
                    Sense::With if form != Form::Adjective && self.is_own_change(at + 1) => {}
                    Sense::Degree(_) | Sense::Significant | Sense::Borderline => {
                        degree = degree.or(Some(at));
                    }
                    Sense::Change(_, Class::Verb) if at + 1 < self.clause.marks.len() => break,
                    Sense::Change(change, class) => {
                        let attributive = class == Class::Adjective
                            && !linked
                            && self.anatomy(self.skip_filler(at + 1)).is_some();
                        if attributive {
                            break;
                        }
                        if change == Change::Contact && self.sense(at + 1) == Some(Sense::And) {
                            at += 1;
                            continue;
                        }
                        return Some((State::Change(change, class), at));
                    }
                    Sense::Patent | Sense::Normal
                        if let Some(now) = self.changed(at).filter(|_| linked) =>
                    {
                        at = now;
                    }
                    Sense::Patent | Sense::Normal => {
                        if !linked && self.is_attribute(at) {
                            break;
                        }
                        if labelled {
                            degree = degree.or(Some(at));
                            at += 1;
                            continue;
                        }
                        return Some((State::Wide, at));
                    }
                    Sense::None => {
                        linked = true;
                        degree = degree.or(Some(at));
                    }
                    Sense::Unassessable => return Some((State::Unassessable, at)),
                    _ => break,
                },
                _ => break,
            }
            if strangers > STRANGERS {
                break;
            }
            at += 1;
        }
        let degree = degree?;
        let adjacent = !linked
            && (last + 1..degree).all(|i| {
                self.is_place(i)
                    || matches!(self.sense(i), Some(Sense::Side(_) | Sense::Filler | Sense::Of))
            });
        let sac = matches!(self.anatomy(last), Some((Anatomy::Sac, _)));
        ((linked || adjacent) && !sac && self.is_value(degree)).then_some((State::Degree, last))
    }

    /// Where the present state begins after a word of normality that told of an earlier one: "was normal,
    /// now mildly narrowed".
    fn changed(&self, at: usize) -> Option<usize> {
        let is_between = |&at: &usize| {
            matches!(
                self.tag(at),
                Some(Tag::Comma | Tag::Term(Sense::And | Sense::But | Sense::Be | Sense::Filler))
            )
        };
        let next = (at + 1..self.clause.marks.len()).find(|at| !is_between(at));
        let now = next.filter(|&at| self.sense(at) == Some(Sense::Now))?;
        (now + 1..self.clause.marks.len())
            .take_while(|&at| self.anatomy(at).is_none())
            .any(|at| matches!(self.sense(at), Some(Sense::Change(_, Class::Adjective))))
            .then_some(now)
    }

    /// The comma that ends an aside about the past or a relative clause: "the recess, formerly
    /// patent, is now narrowed".
    pub(super) fn aside(&self, comma: usize) -> Option<usize> {
        const LONGEST: usize = 12;
        if self.tag(comma) != Some(Tag::Comma) {
            return None;
        }
        let close = (comma + 2..self.clause.marks.len().min(comma + LONGEST))
            .find(|&at| self.tag(at) == Some(Tag::Comma))?;
        let goes_on =
            matches!(self.sense(close + 1), Some(Sense::Be | Sense::Now | Sense::Progressed));
        let opens = self.sense(comma + 1) == Some(Sense::Anaphor)
            || (comma + 1..close)
                .any(|at| matches!(self.sense(at), Some(Sense::Previously | Sense::Exam)));
        (opens && goes_on).then_some(close)
    }

    /// Whether what follows a comma or "and" still speaks of the same structure.
    pub(super) fn goes_on(&self, at: usize) -> bool {
        let at = self.skip_filler(at);
        match self.tag(at) {
            None => self.is_place(at),
            Some(Tag::Term(sense)) => match sense {
                Sense::Change(_, Class::Adjective)
                | Sense::Hedge
                | Sense::Now
                | Sense::Previously => true,
                Sense::Patent | Sense::Normal => !self.is_attribute(at),
                Sense::Degree(_) | Sense::Significant | Sense::Side(_) => {
                    let next = (at + 1..self.clause.marks.len()).find(|&i| {
                        !self.is_place(i)
                            && !matches!(
                                self.tag(i),
                                Some(
                                    Tag::Comma
                                        | Tag::Term(
                                            Sense::Degree(_)
                                                | Sense::Significant
                                                | Sense::Side(_)
                                                | Sense::Filler
                                                | Sense::And
                                        )
                                )
                            )
                    });
                    !next.is_some_and(|i| {
                        self.anatomy(i).is_some()
                            || matches!(
                                self.sense(i),
                                Some(Sense::Finding(_) | Sense::Noun | Sense::Disc)
                            )
                            || matches!(self.tag(i), Some(Tag::Other))
                    })
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether a nerve root shares what happens: "thecal sac or nerve root compression".
    pub(super) fn joins_root(&self, from: usize) -> bool {
        let mut at = from;
        while matches!(self.sense(at), Some(Sense::Filler | Sense::Side(_))) {
            at += 1;
        }
        let first = at;
        while self.sense(at) == Some(Sense::Root) {
            at += 1;
        }
        at > first && matches!(self.sense(at), Some(Sense::Change(..) | Sense::Be))
    }

    /// Whether "with" is followed by a change of the structure before it, not of another one.
    pub(super) fn is_own_change(&self, from: usize) -> bool {
        let mut at = from;
        while matches!(
            self.sense(at),
            Some(
                Sense::Degree(_) | Sense::Side(_) | Sense::Filler | Sense::Significant | Sense::Not
            )
        ) {
            at += 1;
        }
        let change = matches!(self.sense(at), Some(Sense::Change(_, Class::Noun)));
        let of = matches!(self.sense(at + 1), Some(Sense::Of));
        let other =
            (at + 1..self.clause.marks.len().min(at + 5)).any(|i| self.anatomy(i).is_some());
        change && !(of && other)
    }

    pub(super) fn skip_filler(&self, mut at: usize) -> usize {
        while matches!(self.sense(at), Some(Sense::Filler | Sense::Complete)) {
            at += 1;
        }
        at
    }

    /// Whether "normal" belongs to the noun after it: "canal, normal cord".
    pub(super) fn is_attribute(&self, at: usize) -> bool {
        let mut next = at + 1;
        while matches!(self.sense(next), Some(Sense::Filler | Sense::Side(_))) {
            next += 1;
        }
        self.anatomy(next).is_some()
            || matches!(
                self.sense(next),
                Some(Sense::Noun | Sense::Finding(_) | Sense::Disc | Sense::Root | Sense::Conus)
            )
    }

    /// Whether the degree at `at` stands by itself and not before a noun of its own.
    pub(super) fn is_value(&self, at: usize) -> bool {
        let next = (at + 1..self.clause.marks.len()).find(|&i| {
            !self.is_place(i)
                && !matches!(
                    self.sense(i),
                    Some(
                        Sense::Side(_)
                            | Sense::Filler
                            | Sense::Of
                            | Sense::Over
                            | Sense::Degree(_)
                            | Sense::LevelWord
                    )
                )
        });
        let noun = next.is_some_and(|i| {
            matches!(self.tag(i), Some(Tag::Other | Tag::Number))
                || matches!(
                    self.sense(i),
                    Some(
                        Sense::Finding(_)
                            | Sense::Noun
                            | Sense::Disc
                            | Sense::Root
                            | Sense::Diffuse
                            | Sense::Conus
                            | Sense::Change(..)
                    )
                )
                || self.anatomy(i).is_some()
        });
        !noun
    }

    /// Uses up what stands in an aside about the past: it is said of nothing present.
    pub(super) fn set_asides_apart(&mut self) {
        for comma in 0..self.clause.marks.len() {
            if let Some(close) = self.aside(comma) {
                self.used[comma + 1..close].fill(true);
            }
        }
    }
}
