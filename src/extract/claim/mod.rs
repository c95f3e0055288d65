//! Binding: which structure a clause says is narrow or wide, how much, and on which side.
//!
//! A structure is bound to what happens to it either leftward ("narrowing of the canal",
//! "compressing the sac", "patent foramina") or rightward ("canal stenosis", "the canal is
//! narrowed", "canal: severe"). Structures joined by "and" share what happens to them. Around
//! both stand modifiers, which `modifier` cuts into parts; `context` says what is negated or
//! hedged.

mod assemble;
mod bare;
mod link;
mod run;

use smallvec::SmallVec;

use super::item::degree_of;
use super::modifier::{Part, parts};
use super::place::Clause;
use super::scan::Tag;
use super::sense::{Anatomy, Change, Class, Form, Sense, Sides};
use crate::label::{Certainty, Grade, Side, Trace};
use assemble::rule_of;

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
    /// The side that the clause begins with: "On the left, narrowing is mild".
    topic: Option<Side>,
    /// The last claim with a degree, for lists (rule 19): its last mark and its degree.
    listed: Option<(usize, Grade, Option<usize>)>,
}

impl<'a> Binder<'a> {
    /// All claims of a clause in the order of the text.
    pub fn claims(clause: &'a Clause, around: &Around) -> Vec<Claim> {
        let used = vec![false; clause.marks.len()];
        let topic = topic(clause);
        let mut binder = Self { clause, used, claims: Vec::new(), topic, listed: None };
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

    fn bind_structures(&mut self) {
        let mut at = 0;
        while at < self.clause.marks.len() {
            if self.anatomy(at).is_none() || self.used[at] {
                at += 1;
                continue;
            }
            if self.locates_root(at) && self.leftward(at).is_none() {
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
                        self.claim(Binding {
                            members,
                            state,
                            at: to,
                            leftward: false,
                            root: false,
                        });
                    }
                }
                (None, Some((state, to))) => {
                    self.claim(Binding {
                        members: group,
                        state,
                        at: to,
                        leftward: false,
                        root: false,
                    });
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
        loop {
            if self.is_place(at) && self.has_one_place() {
                at += 1;
                continue;
            }
            let Some(tag) = self.tag(at) else { break };
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

    /// Whether the clause names one place alone, though more than once: "the canal at L4-5 and the left
    /// L4-5 foramen are normal".
    fn has_one_place(&self) -> bool {
        let places = &self.clause.places;
        places.len() > 1 && places.iter().all(|place| *place == places[0])
    }

    /// Whether a degree between two structures belongs to the first: "central mild, foraminal".
    fn is_valued(&self, a: usize, b: usize) -> bool {
        let degree = (a + 1..b).find(|&i| self.tag(i).and_then(degree_of).is_some());
        let comma = (a + 1..b)
            .find(|&i| matches!(self.tag(i), Some(Tag::Comma | Tag::Term(Sense::And | Sense::Or))));
        matches!((degree, comma), (Some(degree), Some(comma)) if degree < comma)
    }
}

/// The side that a clause begins with, set off by a comma.
fn topic(clause: &Clause) -> Option<Side> {
    let first = (0..clause.marks.len())
        .find(|&at| !matches!(clause.sense(at), Some(Sense::Filler | Sense::Over | Sense::Of)))?;
    let side = match clause.sense(first) {
        Some(Sense::Side(Sides::Left)) => Side::Left,
        Some(Sense::Side(Sides::Right)) => Side::Right,
        _ => return None,
    };
    (clause.tag(first + 1) == Some(Tag::Comma)).then_some(side)
}
