//! Binding: which structure a clause says is narrow or wide, how much, and on which side.
//!
//! A structure is bound to what happens to it either leftward ("narrowing of the canal",
//! "compressing the sac", "patent foramina") or rightward ("canal stenosis", "the canal is
//! narrowed", "canal: severe"). Structures joined by "and" share what happens to them. Around
//! both stand modifiers, which `modifier` cuts into parts; `context` says what is negated or
//! hedged.

use smallvec::SmallVec;

use super::context::{Polarity, Reach, Stance, doubted, polarity};
use super::modifier::{Part, fill_backward, pair_respectively, parts};
use super::place::Clause;
use super::scan::{Tag, degree_of};
use super::sense::{Anatomy, Change, Class, Form, Sense, Sides};
use crate::label::{Certainty, Grade, Side, Trace};

/// A claim of a clause, before its place is known.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    pub anatomy: Anatomy,
    /// None means both sides.
    pub side: Option<Side>,
    pub grade: Grade,
    pub certainty: Certainty,
    /// The mark of the place that stands with it; none where the clause must tell.
    pub place: Option<usize>,
    /// First and last mark that it is made of.
    pub first: usize,
    pub last: usize,
    /// Whether rule 17 may give it a side.
    pub one_of_two: bool,
    pub trace: Trace,
    /// The marks that carry it.
    pub evidence: SmallVec<[usize; 8]>,
}

/// What the lines around a clause add to it.
#[derive(Debug, Clone, Default)]
pub(super) struct Around {
    /// The structure and side of a heading, label or table column over it.
    pub target: Option<(Anatomy, Option<Side>)>,
    /// The structure that the clause before spoke of.
    pub before: Option<Anatomy>,
}

/// What happens to a group of structures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Change(Change, Class),
    /// Patent, normal, none.
    Wide,
    /// "Canal: mild": only a degree.
    Degree,
    Unassessable,
}

/// A group of structures bound to a state.
struct Binding {
    members: SmallVec<[usize; 4]>,
    state: State,
    /// The mark of the state; that of the degree where there is nothing else.
    at: usize,
    leftward: bool,
    /// A nerve root within the foramen (rule 12).
    root: bool,
}

/// A clause being bound.
pub(super) struct Binder<'a> {
    clause: &'a Clause,
    /// Marks that a claim has used up.
    used: Vec<bool>,
    claims: Vec<Claim>,
    /// The last claim with a degree, for lists (rule 19): its last mark and its degree.
    listed: Option<(usize, Grade, Option<usize>)>,
}

impl<'a> Binder<'a> {
    /// All claims of a clause in the order of the text.
    pub fn claims(clause: &'a Clause, around: &Around) -> Vec<Claim> {
        let used = vec![false; clause.marks.len()];
        let mut binder = Self { clause, used, claims: Vec::new(), listed: None };
        binder.set_asides_apart();
        binder.bind_structures();
        binder.bind_bare_changes(around);
        binder.bind_values(around);
        binder.claims.sort_by_key(|claim| claim.first);
        binder.claims
    }

    fn tag(&self, at: usize) -> Option<Tag> {
        self.clause.tag(at)
    }

    fn sense(&self, at: usize) -> Option<Sense> {
        self.clause.sense(at)
    }

    fn is_place(&self, at: usize) -> bool {
        self.clause.is_place(at)
    }

    fn anatomy(&self, at: usize) -> Option<(Anatomy, Form)> {
        match self.sense(at)? {
            Sense::Anatomy(anatomy, form) => Some((anatomy, form)),
            _ => None,
        }
    }

    /// Uses up what stands in an aside about the past: it is said of nothing present.
    fn set_asides_apart(&mut self) {
        for comma in 0..self.clause.marks.len() {
            if let Some(close) = self.aside(comma) {
                self.used[comma + 1..close].fill(true);
            }
        }
    }

    fn bind_structures(&mut self) {
        let mut at = 0;
        while at < self.clause.marks.len() {
            if self.anatomy(at).is_none() || self.used[at] {
                at += 1;
                continue;
            }
            let group = self.group(at);
            let last = *group.last().unwrap_or(&at);
            let left = self.leftward(at);
            let right = self.rightward(last);
            match (left, right) {
                (Some((state, from, root)), right) => {
                    let own = right.filter(|_| group.len() > 1 && self.has_own_state(last, right));
                    let shared = if own.is_some() { &group[..group.len() - 1] } else { &group[..] };
                    let members = shared.iter().copied().collect();
                    self.claim(Binding { members, state, at: from, leftward: true, root });
                    if let Some((state, to)) = own {
                        let members = SmallVec::from_iter([last]);
                        self.claim(Binding { members, state, at: to, leftward: false, root: false });
                    }
                }
                (None, Some((state, to))) => {
                    self.claim(Binding { members: group, state, at: to, leftward: false, root: false });
                }
                (None, None) => self.claim_alike(&group),
            }
            at = last + 1;
        }
    }

    /// "The canal is narrowed, and so are the recesses": the claim before, of other structures.
    fn claim_alike(&mut self, group: &[usize]) {
        let Some(&first) = group.first() else { return };
        let cue = (0..first)
            .rev()
            .find(|&at| !matches!(self.sense(at), Some(Sense::Filler | Sense::Side(_))));
        let Some(cue) = cue.filter(|&at| self.sense(at) == Some(Sense::Alike)) else { return };
        let Some(model) = self.claims.last().cloned() else { return };
        for &at in group {
            let Some((anatomy, _)) = self.anatomy(at) else { continue };
            let side = parts(self.clause, &self.left_run(at, cue)).iter().find_map(Part::side);
            let mut evidence = model.evidence.clone();
            evidence.extend([cue, at]);
            let trace = model.trace.and(Trace::of(&[rule_of(anatomy)]));
            self.claims.push(Claim {
                anatomy,
                side,
                first: cue,
                last: at,
                one_of_two: false,
                trace,
                evidence,
                ..model.clone()
            });
            self.used[at] = true;
        }
    }

    /// The structures that "and" joins to the one at `first`.
    fn group(&self, first: usize) -> SmallVec<[usize; 4]> {
        let mut group = SmallVec::from_iter([first]);
        let mut at = first + 1;
        let mut joined = false;
        while let Some(tag) = self.tag(at) {
            match tag {
                Tag::Term(Sense::Anatomy(..)) if joined => {
                    group.push(at);
                    joined = false;
                }
                Tag::Comma | Tag::Slash | Tag::Term(Sense::And | Sense::Or) => joined = true,
                Tag::Term(
                    Sense::Of
                    | Sense::Over
                    | Sense::Filler
                    | Sense::Side(_)
                    | Sense::Degree(_)
                    | Sense::Significant
                    | Sense::Borderline,
                ) => {}
                _ => break,
            }
            at += 1;
        }
        // A value after a structure ends the group: "central mild, foraminal severe".
        let cut = group.windows(2).position(|pair| self.is_valued(pair[0], pair[1]));
        if let Some(cut) = cut {
            group.truncate(cut + 1);
        }
        group
    }

    /// Whether a degree between two structures belongs to the first: "central mild, foraminal".
    fn is_valued(&self, a: usize, b: usize) -> bool {
        let degree = (a + 1..b).find(|&i| self.tag(i).and_then(degree_of).is_some());
        let comma = (a + 1..b)
            .find(|&i| matches!(self.tag(i), Some(Tag::Comma | Tag::Term(Sense::And | Sense::Or))));
        matches!((degree, comma), (Some(degree), Some(comma)) if degree < comma)
    }

    /// What happens to the structure at `first`, said before it, and whether to a root in it.
    fn leftward(&self, first: usize) -> Option<(State, usize, bool)> {
        let (anatomy, form) = self.anatomy(first)?;
        if form == Form::Adjective {
            return None;
        }
        let mut within = false;
        let mut root = false;
        for at in (0..first).rev() {
            if self.is_place(at) {
                continue;
            }
            match self.tag(at)? {
                Tag::Term(sense) => match sense {
                    Sense::Within => within = true,
                    Sense::Root if within && anatomy == Anatomy::Foramen => root = true,
                    Sense::Filler
                    | Sense::Of
                    | Sense::Over
                    | Sense::Side(_)
                    | Sense::LevelWord
                    | Sense::Disc
                    | Sense::To
                    | Sense::Degree(_) => {}
                    Sense::And if self.joins_sides(at) => {}
                    Sense::Change(change, Class::Adjective) if self.is_of_root(at) => {
                        let change = State::Change(change, Class::Adjective);
                        return (anatomy == Anatomy::Foramen).then_some((change, at, true));
                    }
                    Sense::Change(change, class) if !self.used[at] => {
                        return (root || !within || change == Change::Stenosis || class == Class::Noun)
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

    /// The side of the nerve root before a change: "the left L3 nerve root is compressed".
    fn root_side(&self, change: usize) -> Option<usize> {
        let root = (0..change).rev().find(|&at| self.sense(at) == Some(Sense::Root))?;
        (root.saturating_sub(3)..root).find(|&at| matches!(self.sense(at), Some(Sense::Side(_))))
    }

    /// Whether it is a nerve root that is said to be compressed (rule 12).
    fn is_of_root(&self, change: usize) -> bool {
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
                Some(Sense::Root) => return at + 1 < change,
                _ => return false,
            }
        }
        false
    }

    /// "left and right".
    fn joins_sides(&self, at: usize) -> bool {
        let side = |i: usize| matches!(self.sense(i), Some(Sense::Side(_)));
        at > 0 && side(at - 1) && (side(at + 1) || side(at + 2))
    }

    /// Whether a word of normality is what a "be" before it says of something else.
    fn is_predicate(&self, at: usize) -> bool {
        at > 0
            && matches!(self.tag(at - 1), Some(Tag::Term(Sense::Be | Sense::Anatomy(..) | Sense::Noun | Sense::Disc)))
    }

    /// Whether the last of several structures goes with the state after it rather than with the
    /// one before the group: "narrowing of the canal and foraminal stenosis".
    fn has_own_state(&self, last: usize, right: Option<(State, usize)>) -> bool {
        let adjective = matches!(self.anatomy(last), Some((_, Form::Adjective)));
        match right {
            Some((State::Change(..) | State::Wide | State::Unassessable, _)) => true,
            Some((State::Degree, _)) => adjective,
            None => false,
        }
    }

    /// What happens to the structure at `last`, said after it.
    fn rightward(&self, last: usize) -> Option<(State, usize)> {
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
                Tag::Open => {}
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
                    Sense::Change(_, Class::Verb) => break,
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
        let adjacent = !linked && (last + 1..degree).all(|i| {
            self.is_place(i) || matches!(self.sense(i), Some(Sense::Side(_) | Sense::Filler | Sense::Of))
        });
        let sac = matches!(self.anatomy(last), Some((Anatomy::Sac, _)));
        ((linked || adjacent) && !sac && self.is_value(degree)).then_some((State::Degree, last))
    }

    /// The comma that ends an aside about the past or a relative clause: "the recess, formerly
    /// patent, is now narrowed".
    fn aside(&self, comma: usize) -> Option<usize> {
        const LONGEST: usize = 12;
        if self.tag(comma) != Some(Tag::Comma) {
            return None;
        }
        let close = (comma + 2..self.clause.marks.len().min(comma + LONGEST))
            .find(|&at| self.tag(at) == Some(Tag::Comma))?;
        let goes_on = matches!(self.sense(close + 1), Some(Sense::Be | Sense::Now | Sense::Progressed));
        let opens = self.sense(comma + 1) == Some(Sense::Anaphor)
            || (comma + 1..close)
                .any(|at| matches!(self.sense(at), Some(Sense::Previously | Sense::Exam)));
        (opens && goes_on).then_some(close)
    }

    /// Whether what follows a comma or "and" still speaks of the same structure.
    fn goes_on(&self, at: usize) -> bool {
        let at = self.skip_filler(at);
        match self.tag(at) {
            None => self.is_place(at),
            Some(Tag::Term(sense)) => match sense {
                Sense::Change(_, Class::Adjective) | Sense::Hedge | Sense::Now | Sense::Previously => true,
                Sense::Patent | Sense::Normal => !self.is_attribute(at),
                Sense::Degree(_) | Sense::Significant | Sense::Side(_) => {
                    let next = (at + 1..self.clause.marks.len()).find(|&i| {
                        !self.is_place(i)
                            && !matches!(
                                self.tag(i),
                                Some(Tag::Comma | Tag::Term(
                                    Sense::Degree(_) | Sense::Significant | Sense::Side(_) | Sense::Filler | Sense::And
                                ))
                            )
                    });
                    !next.is_some_and(|i| {
                        self.anatomy(i).is_some()
                            || matches!(self.sense(i), Some(Sense::Finding(_) | Sense::Noun | Sense::Disc))
                            || matches!(self.tag(i), Some(Tag::Other))
                    })
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether a nerve root shares what happens: "thecal sac or nerve root compression".
    fn joins_root(&self, from: usize) -> bool {
        let mut at = from;
        while matches!(self.sense(at), Some(Sense::Filler | Sense::Side(_))) {
            at += 1;
        }
        self.sense(at) == Some(Sense::Root)
            && matches!(self.sense(at + 1), Some(Sense::Change(..) | Sense::Be))
    }

    /// Whether "with" is followed by a change of the structure before it, not of another one.
    fn is_own_change(&self, from: usize) -> bool {
        let mut at = from;
        while matches!(
            self.sense(at),
            Some(Sense::Degree(_) | Sense::Side(_) | Sense::Filler | Sense::Significant | Sense::Not)
        ) {
            at += 1;
        }
        let change = matches!(self.sense(at), Some(Sense::Change(_, Class::Noun)));
        let of = matches!(self.sense(at + 1), Some(Sense::Of));
        let other = (at + 1..self.clause.marks.len().min(at + 5)).any(|i| self.anatomy(i).is_some());
        change && !(of && other)
    }

    fn skip_filler(&self, mut at: usize) -> usize {
        while matches!(self.sense(at), Some(Sense::Filler | Sense::Complete)) {
            at += 1;
        }
        at
    }

    /// Whether "normal" belongs to the noun after it: "canal, normal cord".
    fn is_attribute(&self, at: usize) -> bool {
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
    fn is_value(&self, at: usize) -> bool {
        let next = (at + 1..self.clause.marks.len()).find(|&i| {
            !self.is_place(i)
                && !matches!(self.sense(i), Some(Sense::Side(_) | Sense::Filler | Sense::Of | Sense::Over | Sense::Degree(_) | Sense::LevelWord))
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

    /// Change words without a structure: "severe stenosis" is central (rule 10), "narrowing of
    /// the left" and "it is narrowed" go on about the structure before.
    fn bind_bare_changes(&mut self, around: &Around) {
        for at in 0..self.clause.marks.len() {
            let Some(Sense::Change(change, class)) = self.sense(at) else { continue };
            if self.used[at] {
                continue;
            }
            let subject = self.subject(at);
            let object = matches!(self.sense(at + 1), Some(Sense::Anaphor));
            if class == Class::Verb && !object {
                continue;
            }
            let refers = object
                || subject.iter().any(|&i| self.sense(i) == Some(Sense::Anaphor));
            let modifiers = [self.left_run(at, 0), self.trailing_run(at), subject.clone()].concat();
            let sided =
                modifiers.iter().any(|&i| matches!(self.sense(i), Some(Sense::Side(_))));
            let before = self.anatomy_before(at).or(around.before);
            let target = match (around.target, before) {
                (Some(target), _) => Some(target),
                (None, Some(anatomy)) if refers => Some((anatomy, None)),
                (None, Some(anatomy @ (Anatomy::Foramen | Anatomy::Recess))) if sided => {
                    Some((anatomy, None))
                }
                (None, _) => (change == Change::Stenosis).then_some((Anatomy::Canal, None)),
            };
            let Some((anatomy, side)) = target else { continue };
            if change.narrows(anatomy) && !self.is_attributive(at, class) {
                let side = side.or_else(|| {
                    let part = parts(self.clause, &subject);
                    part.iter().find_map(Part::side)
                });
                self.claim_unnamed(anatomy, side, State::Change(change, class), at);
            }
        }
    }

    /// The structure named last before a mark.
    fn anatomy_before(&self, at: usize) -> Option<Anatomy> {
        (0..at).rev().find_map(|i| self.anatomy(i)).map(|(anatomy, _)| anatomy)
    }

    /// The words before a "be" that a bare change is said of: "the right is", "it is", "its
    /// fellow on the left is".
    fn subject(&self, change: usize) -> Vec<usize> {
        const STRANGERS: usize = 2;
        let mut subject = Vec::new();
        let mut strangers = 0;
        let mut linked = false;
        for at in (0..change).rev() {
            if self.is_place(at) {
                continue;
            }
            match self.tag(at) {
                Some(Tag::Term(sense)) => match sense {
                    Sense::Be | Sense::Unchanged | Sense::Not => linked = true,
                    Sense::Side(_) | Sense::Anaphor if linked => subject.push(at),
                    Sense::Anaphor if subject.is_empty() => subject.push(at),
                    Sense::Degree(_)
                    | Sense::Significant
                    | Sense::Filler
                    | Sense::Now
                    | Sense::Hedge
                    | Sense::Complete => {}
                    Sense::And if linked && subject.is_empty() => {}
                    _ => break,
                },
                Some(Tag::Other) if linked && strangers < STRANGERS => strangers += 1,
                _ => break,
            }
        }
        if linked || subject.iter().any(|&i| self.sense(i) == Some(Sense::Anaphor)) {
            subject.reverse();
            subject
        } else {
            Vec::new()
        }
    }

    /// Whether an adjective of change belongs to the noun after it: "narrowed disc space".
    fn is_attributive(&self, at: usize, class: Class) -> bool {
        let next = self.skip_filler(at + 1);
        class == Class::Adjective
            && (matches!(self.sense(next), Some(Sense::Noun | Sense::Disc | Sense::Finding(_)))
                || self.tag(next) == Some(Tag::Other))
    }

    /// Degrees without a noun of their own, under a heading or after a structure: "L3-4: mild",
    /// "the right from minimal to mild".
    fn bind_values(&mut self, around: &Around) {
        let mut at = 0;
        while at < self.clause.marks.len() {
            let start = at;
            while at < self.clause.marks.len() && !self.used[at] && self.is_modifier(at) {
                at += 1;
            }
            if at > start {
                self.bind_value_run(start, at, around);
            }
            at += 1;
        }
    }

    fn is_modifier(&self, at: usize) -> bool {
        if self.is_place(at) {
            return true;
        }
        match self.tag(at) {
            Some(Tag::Comma | Tag::Dash | Tag::Colon | Tag::Open | Tag::Close | Tag::Slash | Tag::Greater) => true,
            Some(Tag::Term(sense)) => {
                degree_of(Tag::Term(sense)).is_some()
                    || matches!(
                        sense,
                        Sense::Side(_)
                            | Sense::None
                            | Sense::Normal
                            | Sense::Patent
                            | Sense::Filler
                            | Sense::Of
                            | Sense::Over
                            | Sense::Be
                            | Sense::And
                            | Sense::LevelWord
                            | Sense::Worse
                            | Sense::Now
                            | Sense::Progressed
                            | Sense::Unchanged
                            | Sense::Previously
                            | Sense::Hedge
                            | Sense::Not
                            | Sense::To
                            | Sense::From
                            | Sense::ThereIs
                            | Sense::Anaphor
                            | Sense::Disc
                    )
            }
            _ => false,
        }
    }

    fn bind_value_run(&mut self, start: usize, end: usize, around: &Around) {
        let run: Vec<usize> = (start..end).collect();
        let run = self.without_forward(run, end);
        let is_value = |at: usize| {
            self.tag(at).and_then(degree_of).is_some()
                || matches!(self.sense(at), Some(Sense::None | Sense::Normal | Sense::Patent))
        };
        let Some(&value) = run.iter().find(|&&at| is_value(at)) else { return };
        if run.iter().any(|&at| self.sense(at) == Some(Sense::Not)) {
            return;
        }
        let before = self
            .claims
            .iter()
            .rev()
            .find(|claim| claim.first < start)
            .map(|claim| claim.anatomy)
            .or(self.anatomy_before(start))
            .or(around.before.filter(|_| start == 0 && end == self.clause.marks.len()));
        let has_side = run.iter().any(|&at| matches!(self.sense(at), Some(Sense::Side(_))));
        let has_place = run.iter().any(|&at| self.is_place(at));
        let (anatomy, side) = match (around.target, before) {
            (Some((anatomy, side)), _) => (anatomy, side),
            (None, Some(anatomy)) => {
                let sided = matches!(anatomy, Anatomy::Foramen | Anatomy::Recess) && has_side;
                let refers =
                    run.iter().any(|&at| at < value && self.sense(at) == Some(Sense::Anaphor));
                // A wide word alone says nothing of the structure before: "facets normal". "The
                // right is patent" and "at L5-S1 it is normal" do.
                let wide = matches!(self.sense(value), Some(Sense::Normal | Sense::Patent));
                let linked = run.iter().any(|&at| at < value && self.sense(at) == Some(Sense::Be));
                let after_noun = start > 0
                    && self.is_noun(start - 1)
                    && !matches!(self.tag(start), Some(Tag::Comma));
                let says = if wide { linked && (sided || refers) } else { sided || has_place || refers };
                if !says || after_noun {
                    return;
                }
                (anatomy, None)
            }
            (None, None) => return,
        };
        let mut parts = parts(self.clause, &run);
        fill_backward(&mut parts);
        parts.retain(|part| part.grade.is_some());
        let hedged = run.iter().any(|&at| self.sense(at) == Some(Sense::Hedge));
        for part in parts {
            let certainty =
                if hedged || part.hedged { Certainty::Hedged } else { Certainty::Stated };
            let rule = if around.target.is_some() { &[3, 18][..] } else { &[18, 19] };
            let side = part.side().or(side);
            self.claims.push(Claim {
                anatomy,
                side,
                grade: part.grade.unwrap_or(Grade::Present),
                certainty,
                place: part.place,
                first: *run.first().unwrap_or(&start),
                last: end - 1,
                one_of_two: false,
                trace: Trace::of(rule).and(Trace::of(&[rule_of(anatomy)])),
                evidence: part.marks,
            });
        }
        for at in run {
            self.used[at] = true;
        }
    }

    /// A claim for a structure that no word of the clause names.
    fn claim_unnamed(&mut self, anatomy: Anatomy, side: Option<Side>, state: State, at: usize) {
        let members = SmallVec::new();
        let binding = Binding { members, state, at, leftward: true, root: false };
        self.claim_members(&binding, &[(anatomy, Form::Plural, None)], side);
    }

    fn claim(&mut self, binding: Binding) {
        let members: SmallVec<[_; 4]> = binding
            .members
            .iter()
            .filter_map(|&at| self.anatomy(at).map(|(anatomy, form)| (anatomy, form, Some(at))))
            .collect();
        self.claim_members(&binding, &members, None);
    }

    /// Turns a binding into claims, one a structure and part.
    fn claim_members(
        &mut self,
        binding: &Binding,
        members: &[(Anatomy, Form, Option<usize>)],
        side: Option<Side>,
    ) {
        let first_member = binding.members.first().copied().unwrap_or(binding.at);
        let last_member = binding.members.last().copied().unwrap_or(binding.at);
        let core_first = first_member.min(binding.at);
        let core_last = last_member.max(binding.at);
        let left_from = if binding.leftward { binding.at } else { first_member };
        let shared = if binding.leftward {
            let mut run = self.left_run(binding.at, 0);
            run.extend(binding.at + 1..first_member);
            if binding.root && run.iter().all(|&at| !matches!(self.sense(at), Some(Sense::Side(_)))) {
                run.extend(self.root_side(binding.at));
            }
            run
        } else {
            Vec::new()
        };
        let trailing = self.trailing_run(core_last);
        let head = self.left_run(left_from, 0).first().copied().unwrap_or(core_first).min(core_first);
        // A value after a label stands by itself: a negation before the label does not reach it.
        let wide = matches!(binding.state, State::Wide | State::Degree);
        let reach =
            Reach { head, first: core_first, last: core_last, trailing: &trailing, wide };
        let polarity = polarity(self.clause, reach);
        self.used[binding.at] = true;
        if binding.state == State::Unassessable || polarity.stance == Stance::Void {
            self.use_up(&shared, &trailing);
            for &(.., at) in members {
                self.used[at.unwrap_or(binding.at)] = true;
            }
            return;
        }
        let after = parts(self.clause, &trailing);
        let is_now = trailing.iter().any(|&at| self.sense(at) == Some(Sense::Now))
            && after.iter().any(|part| part.grade.is_some());
        let between: Vec<usize> =
            if binding.leftward { Vec::new() } else { (last_member + 1..binding.at).collect() };
        let between = parts(self.clause, &between);
        let mut carried: Option<Part> = None;
        let mut previous = None;
        let listed = self.listed_degree(head, binding);
        let mut last_grade = None;
        for &(anatomy, form, at) in members {
            let own = match (binding.leftward, at) {
                (true, Some(at)) => {
                    let from = previous.map_or(at, |p: usize| p + 1);
                    let mut run = shared.clone();
                    if previous.is_some() {
                        run = (from..at).collect();
                    }
                    parts(self.clause, &run)
                }
                (true, None) => parts(self.clause, &shared),
                (false, Some(at)) => {
                    parts(self.clause, &self.left_run(at, previous.map_or(0, |p| p + 1)))
                }
                (false, None) => Vec::new(),
            };
            previous = at;
            let applies = match binding.state {
                State::Change(change, _) => binding.root || change.narrows(anatomy),
                State::Wide | State::Degree => true,
                State::Unassessable => false,
            };
            if let Some(at) = at {
                self.used[at] = true;
            }
            let own = pair_respectively(&own, &between)
                .filter(|_| trailing.iter().any(|&at| self.sense(at) == Some(Sense::Respectively)))
                .unwrap_or(own);
            // "was severe and is now mild": the present degree stands alone (rule 1).
            let mut merged = if is_now {
                merge(without_degrees(own), &without_degrees(between.clone()), &after, anatomy)
            } else {
                merge(own, &between, &after, anatomy)
            };
            for part in &mut merged {
                if part.grade.is_none()
                    && let Some(c) = &carried
                {
                    (part.grade, part.degree, part.hedged) = (c.grade, c.degree, c.hedged);
                }
                if part.grade.is_none()
                    && let Some((grade, degree)) = listed
                {
                    (part.grade, part.degree) = (Some(grade), degree);
                }
            }
            carried = merged.iter().rev().find(|part| part.grade.is_some()).cloned().or(carried);
            if !applies {
                continue;
            }
            for part in merged {
                let claim = self.assemble(binding, (anatomy, form, at), part, polarity, side, (core_first, core_last));
                last_grade = Some((claim.grade, None));
                self.claims.push(claim);
            }
        }
        let noun = matches!(binding.state, State::Change(_, Class::Noun) | State::Degree);
        let end = trailing.last().copied().unwrap_or(core_last).max(core_last);
        self.listed = last_grade
            .filter(|(grade, _)| noun && grade.is_stenosis() && grade.rank().is_some())
            .map(|(grade, degree)| (end, grade, degree));
        self.use_up(&shared, &trailing);
        for at in core_first..=core_last {
            if self.anatomy(at).is_none() && !matches!(self.sense(at), Some(Sense::Change(..))) {
                self.used[at] = true;
            }
        }
    }

    fn use_up(&mut self, shared: &[usize], trailing: &[usize]) {
        for &at in shared.iter().chain(trailing) {
            // Separators at the end of a run part it from what follows.
            self.used[at] = true;
        }
    }

    /// The degree of the claim before, where only "and" or a comma stands between (rule 19).
    fn listed_degree(&self, head: usize, binding: &Binding) -> Option<(Grade, Option<usize>)> {
        let (end, grade, degree) = self.listed?;
        let noun = matches!(binding.state, State::Change(_, Class::Noun));
        let joined = end < head
            && (end + 1..head).all(|at| {
                matches!(self.tag(at), Some(Tag::Comma | Tag::Term(Sense::And | Sense::Filler)))
            })
            && end + 1 < head
            || (end + 1 == head && matches!(self.tag(end), Some(Tag::Comma | Tag::Term(Sense::And))));
        (noun && joined).then_some((grade, degree))
    }

    fn assemble(
        &self,
        binding: &Binding,
        (anatomy, form, at): (Anatomy, Form, Option<usize>),
        part: Part,
        polarity: Polarity,
        side: Option<Side>,
        (core_first, core_last): (usize, usize),
    ) -> Claim {
        let complete = matches!(binding.state, State::Change(Change::Effacement, _))
            && (core_first.saturating_sub(2)..=core_last + 1)
                .any(|i| self.sense(i) == Some(Sense::Complete));
        let wide = binding.state == State::Wide;
        let (grade, rule) = match (polarity.stance == Stance::Negated, wide) {
            (false, true) => (Grade::Normal, if matches!(anatomy, Anatomy::Sac) { 11 } else { 14 }),
            (true, true) => (Grade::Present, 20),
            (true, false) => (Grade::Normal, 20),
            (false, false) if polarity.stance == Stance::Resolved => (Grade::Normal, 1),
            (false, false) => match part.grade {
                Some(grade) => (grade, 18),
                None if complete => (Grade::Severe, 18),
                None => (Grade::Present, 18),
            },
        };
        let trailing_first = part.degree.is_some_and(|degree| degree > core_last);
        let mut trace = Trace::of(&[rule_of(anatomy), rule]);
        let sided = matches!(anatomy, Anatomy::Foramen | Anatomy::Recess);
        let side = if sided { part.side().or(side) } else { None };
        let resumed = at
            .filter(|_| form == Form::Singular && part.sides.is_none() && !part.worse)
            .and_then(|at| self.side_before(at, anatomy));
        let side = side.or(resumed);
        if sided && side.is_none() {
            trace = trace.and(Trace::of(if part.worse { &[16] } else { &[15] }));
        }
        if trailing_first || binding.members.len() > 1 {
            trace = trace.and(Trace::of(&[19]));
        }
        let hedged = part.hedged
            || polarity.hedged
            || doubted(self.clause, core_last);
        let mut evidence: SmallVec<[usize; 8]> = SmallVec::new();
        evidence.extend(at);
        evidence.push(binding.at);
        evidence.extend(part.marks.iter().copied());
        evidence.extend(polarity.cue);
        evidence.sort_unstable();
        evidence.dedup();
        Claim {
            anatomy,
            side,
            grade,
            certainty: if hedged { Certainty::Hedged } else { Certainty::Stated },
            place: part.place,
            first: evidence.first().copied().unwrap_or(core_first),
            last: core_last,
            one_of_two: form == Form::Singular
                && part.sides.is_none()
                && !part.worse
                && resumed.is_none()
                && grade.is_stenosis(),
            trace,
            evidence,
        }
    }

    /// The side of the same structure earlier in the clause, which "the foramen" takes up.
    fn side_before(&self, at: usize, anatomy: Anatomy) -> Option<Side> {
        let earlier = (0..at).rev().find(|&i| self.anatomy(i).is_some_and(|(a, _)| a == anatomy))?;
        (earlier.saturating_sub(3)..earlier).rev().find_map(|i| match self.sense(i) {
            Some(Sense::Side(Sides::Left)) => Some(Side::Left),
            Some(Sense::Side(Sides::Right)) => Some(Side::Right),
            _ => None,
        })
    }

    /// The modifiers to the left of `from`, in order, not before `bound`.
    fn left_run(&self, from: usize, bound: usize) -> Vec<usize> {
        const STRANGERS: usize = 2;
        let mut run = Vec::new();
        let mut strangers = 0;
        let mut at = from;
        while at > bound {
            at -= 1;
            if self.used[at] {
                break;
            }
            if self.is_place(at) {
                run.push(at);
                continue;
            }
            let Some(tag) = self.tag(at) else { break };
            match tag {
                Tag::Comma | Tag::Slash | Tag::Term(Sense::And | Sense::Or) => {
                    if !self.parts_modifiers(at) {
                        break;
                    }
                    run.push(at);
                }
                // An adjective that the lexicon does not have may stand right before its noun,
                // but a noun before "and" takes the degree for itself.
                Tag::Other => {
                    strangers += 1;
                    let before_noun = at + 1 == from || run.last().is_some_and(|&next| {
                        next == at + 1 && matches!(self.sense(next), Some(Sense::Side(_) | Sense::Filler))
                    }) || self.tag(at + 1) == Some(Tag::Other);
                    if strangers > STRANGERS || !before_noun {
                        break;
                    }
                }
                Tag::Greater => run.push(at),
                Tag::Term(sense) => match sense {
                    Sense::Degree(_) | Sense::Significant | Sense::Borderline | Sense::Side(_) | Sense::Worse => {
                        run.push(at);
                    }
                    Sense::Previously | Sense::Now => run.push(at),
                    Sense::Filler | Sense::LevelWord | Sense::Unchanged | Sense::Complete | Sense::Diffuse => {}
                    Sense::Of | Sense::Over if at + 1 == from || !run.is_empty() => {}
                    _ => break,
                },
                _ => break,
            }
        }
        run.reverse();
        while run.first().is_some_and(|&at| {
            matches!(self.tag(at), Some(Tag::Comma | Tag::Slash | Tag::Term(Sense::And | Sense::Or)))
        }) {
            run.remove(0);
        }
        run
    }

    /// Whether a separator stands between modifiers of one noun: "moderate right and mild left".
    fn parts_modifiers(&self, at: usize) -> bool {
        let mut before = at;
        while before > 0 {
            before -= 1;
            match self.sense(before) {
                Some(Sense::Filler) => {}
                Some(Sense::Side(_) | Sense::Degree(_) | Sense::Significant | Sense::Borderline) => {
                    return !self.used[before];
                }
                _ => return self.is_place(before) && self.place_has_degree(before),
            }
        }
        false
    }

    /// Whether a degree stands right before a place: "mild at L3-4 and severe at L4-5 stenosis".
    fn place_has_degree(&self, at: usize) -> bool {
        (at.saturating_sub(3)..at).rev().take_while(|&i| {
            matches!(self.sense(i), Some(Sense::Of | Sense::Over | Sense::Side(_) | Sense::Degree(_)))
        }).any(|i| self.tag(i).and_then(degree_of).is_some())
    }

    /// The modifiers after the core of a claim, in order.
    fn trailing_run(&self, core_last: usize) -> Vec<usize> {
        let mut run = Vec::new();
        let mut at = core_last + 1;
        while at < self.clause.marks.len() {
            let trails = self.is_place(at)
                || match self.tag(at) {
                    Some(
                        Tag::Comma | Tag::Colon | Tag::Dash | Tag::Open | Tag::Close | Tag::Slash
                        | Tag::Greater | Tag::Question,
                    ) => true,
                    Some(Tag::Term(sense)) => {
                        degree_of(Tag::Term(sense)).is_some()
                            || matches!(
                                sense,
                                Sense::Side(_)
                                    | Sense::None
                                    | Sense::Be
                                    | Sense::Filler
                                    | Sense::Of
                                    | Sense::Over
                                    | Sense::To
                                    | Sense::From
                                    | Sense::And
                                    | Sense::LevelWord
                                    | Sense::Disc
                                    | Sense::Normal
                                    | Sense::Patent
                                    | Sense::Unassessable
                                    | Sense::Worse
                                    | Sense::Worst
                                    | Sense::Now
                                    | Sense::Previously
                                    | Sense::Unchanged
                                    | Sense::Progressed
                                    | Sense::Complete
                                    | Sense::Absent
                                    | Sense::Resolved
                                    | Sense::HedgeAfter
                                    | Sense::Respectively
                            )
                            || (matches!(sense, Sense::Hedge | Sense::Not) && self.ends_after(at))
                            || (sense == Sense::Hedge
                                && self.tag(at + 1).is_some_and(|t| degree_of(t).is_some()))
                            || (sense == Sense::Anaphor
                                && (at == core_last + 1 || self.is_relative(at)))
                    }
                    // "seen in 2020", "in March"
                    Some(Tag::Number | Tag::Other) => self.sense(at - 1) == Some(Sense::Of),
                    _ => false,
                };
            if !trails {
                break;
            }
            run.push(at);
            at += 1;
        }
        let run = self.without_forward(run, at);
        self.without_far_places(run, core_last)
    }

    /// Whether the clause or a part of it ends after this mark.
    fn ends_after(&self, at: usize) -> bool {
        at + 1 == self.clause.marks.len()
            || matches!(self.tag(at + 1), Some(Tag::Comma | Tag::Open | Tag::Close))
    }

    /// Whether "which is", "where it is" begins here.
    fn is_relative(&self, at: usize) -> bool {
        let next = if self.sense(at + 1) == Some(Sense::Anaphor) { at + 2 } else { at + 1 };
        self.sense(next) == Some(Sense::Be)
    }

    fn is_noun(&self, at: usize) -> bool {
        matches!(self.tag(at), Some(Tag::Other | Tag::Number))
            || matches!(
                self.sense(at),
                Some(
                    Sense::Anatomy(..)
                        | Sense::Change(..)
                        | Sense::Finding(_)
                        | Sense::Noun
                        | Sense::Root
                        | Sense::Disc
                        | Sense::Diffuse
                        | Sense::Conus
                )
            )
    }

    /// Leaves out the modifiers at the end of a run that belong to the noun at `next`.
    fn without_forward(&self, mut run: Vec<usize>, next: usize) -> Vec<usize> {
        if next >= self.clause.marks.len() || !self.is_noun(next) {
            return run;
        }
        let separator = |at: usize| {
            matches!(
                self.tag(at),
                Some(Tag::Comma | Tag::Colon | Tag::Dash | Tag::Open | Tag::Close | Tag::Term(Sense::Be))
            )
        };
        let and = |at: usize| matches!(self.tag(at), Some(Tag::Slash | Tag::Term(Sense::And)));
        while let Some(at) = run.pop() {
            if separator(at) {
                break;
            }
            let is_cue = matches!(
                self.sense(at),
                Some(Sense::Resolved | Sense::Absent | Sense::HedgeAfter | Sense::Unassessable)
            );
            if is_cue {
                run.push(at);
                break;
            }
            if and(at) {
                // "X is mild and moderate left foraminal": what is before "and" may be a pair of
                // its own with what is after it, if it has a side.
                let pair = run
                    .iter()
                    .rev()
                    .take_while(|&&i| !separator(i) && !and(i))
                    .any(|&i| matches!(self.sense(i), Some(Sense::Side(_))));
                if !pair || !self.sided_noun(next) {
                    break;
                }
            }
        }
        run
    }

    fn sided_noun(&self, at: usize) -> bool {
        matches!(self.anatomy(at), Some((Anatomy::Foramen | Anatomy::Recess, _)))
    }

    /// Leaves out a place after a comma or "and" that begins something new: "mild stenosis, at
    /// L4-5 moderate".
    fn without_far_places(&self, run: Vec<usize>, _core_last: usize) -> Vec<usize> {
        let mut kept = Vec::new();
        let mut separated = false;
        for (n, &at) in run.iter().enumerate() {
            match self.tag(at) {
                Some(Tag::Comma | Tag::Dash | Tag::Term(Sense::And)) => separated = true,
                Some(tag) if degree_of(tag).is_some() || matches!(tag, Tag::Term(Sense::None | Sense::Worst | Sense::Patent | Sense::Normal | Sense::Absent)) => {
                    separated = false;
                }
                _ => {}
            }
            if separated && self.is_place(at) {
                let degree_after = run[n + 1..]
                    .iter()
                    .take_while(|&&i| !matches!(self.tag(i), Some(Tag::Comma)))
                    .any(|&i| self.tag(i).and_then(degree_of).is_some());
                if !degree_after {
                    break;
                }
            }
            kept.push(at);
        }
        kept
    }
}

/// The parts of one structure: its own modifiers, those between it and its state, and those that
/// trail, which win where they say a degree.
fn merge(own: Vec<Part>, between: &[Part], after: &[Part], anatomy: Anatomy) -> Vec<Part> {
    let sided = matches!(anatomy, Anatomy::Foramen | Anatomy::Recess);
    let mut parts = overlay(own, between);
    parts = overlay(parts, after);
    fill_backward(&mut parts);
    if parts.is_empty() {
        parts.push(Part::default());
    }
    if !sided {
        // What is said of one side alone is not said of the canal.
        let unsided = parts.iter().any(|part| part.sides.is_none() && part.grade.is_some());
        if unsided {
            parts.retain(|part| part.side().is_none());
        }
    }
    parts
}

/// The parts with their degrees taken off.
fn without_degrees(mut parts: Vec<Part>) -> Vec<Part> {
    for part in &mut parts {
        (part.grade, part.degree) = (None, None);
    }
    parts
}

fn overlay(base: Vec<Part>, later: &[Part]) -> Vec<Part> {
    if later.is_empty() {
        return base;
    }
    if base.is_empty() {
        return later.to_vec();
    }
    let graded = later.iter().any(|part| part.grade.is_some());
    let base_graded = base.iter().any(|part| part.grade.is_some());
    if !graded {
        return base
            .into_iter()
            .map(|mut part| {
                for later in later {
                    if part.sides.is_none() && !part.worse {
                        part.sides = later.sides;
                        part.worse = later.worse;
                    }
                    part.place = part.place.or(later.place);
                    part.marks.extend(later.marks.iter().copied());
                }
                part
            })
            .collect();
    }
    if !base_graded {
        let base = &base[0];
        return later
            .iter()
            .cloned()
            .map(|mut part| {
                if part.sides.is_none() && !part.worse {
                    part.sides = base.sides;
                    part.worse = base.worse;
                }
                part.place = part.place.or(base.place);
                part.marks.extend(base.marks.iter().copied());
                part
            })
            .collect();
    }
    // Both say degrees: a later one holds for the side or place that it names, and one without
    // a degree takes the first.
    let mut later: Vec<Part> = later.to_vec();
    let (grade, degree, hedged) = (base[0].grade, base[0].degree, base[0].hedged);
    let borrowed = later.iter().any(|part| part.grade.is_none());
    for part in later.iter_mut().filter(|part| part.grade.is_none()) {
        (part.grade, part.degree, part.hedged) = (grade, degree, hedged);
    }
    let mut parts = if borrowed { Vec::new() } else { base };
    for part in later {
        if part.place.is_none() && !borrowed {
            match part.sides {
                None => continue,
                Some(Sides::Both) => parts.clear(),
                Some(_) => parts.retain(|other| other.sides != part.sides),
            }
        }
        parts.push(part);
    }
    // The other side keeps what was said of both.
    let named: Vec<Side> = parts.iter().filter_map(Part::side).collect();
    if let [side] = named[..] {
        for part in parts.iter_mut().filter(|part| part.side().is_none() && part.place.is_none()) {
            part.sides = Some(match side {
                Side::Left => Sides::Right,
                Side::Right => Sides::Left,
            });
        }
    }
    parts
}

/// The rule that tells the words of a structure.
const fn rule_of(anatomy: Anatomy) -> u8 {
    match anatomy {
        Anatomy::Canal => 10,
        Anatomy::Sac => 11,
        Anatomy::Foramen => 12,
        Anatomy::Recess => 13,
    }
}
