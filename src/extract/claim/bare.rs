//! Claims about a structure that their words do not name: it stands in a heading, a label or the
//! words before.

use smallvec::SmallVec;

use super::assemble::rule_of;
use super::{Around, Binder, Binding, Claim, State};
use crate::extract::item::degree_of;
use crate::extract::modifier::{Part, fill_backward, parts};
use crate::extract::scan::Tag;
use crate::extract::sense::{Anatomy, Change, Class, Form, Sense};
use crate::label::{Certainty, Grade, Side, Trace};

impl Binder<'_> {
    /// Change words without a structure: "severe stenosis" is central (rule 10), "narrowing of
    /// the left" and "it is narrowed" go on about the structure before.
    pub(super) fn bind_bare_changes(&mut self, around: &Around) {
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
            let refers = object || subject.iter().any(|&i| self.sense(i) == Some(Sense::Anaphor));
            let modifiers = [self.left_run(at, 0), self.trailing_run(at), subject.clone()].concat();
            let sided = modifiers.iter().any(|&i| matches!(self.sense(i), Some(Sense::Side(_))));
            let is_sided = |a: &Anatomy| matches!(a, Anatomy::Foramen | Anatomy::Recess);
            // "narrowing of the left and mild narrowing of the right foramen"
            let after = (at + 1..self.clause.marks.len())
                .find_map(|i| self.anatomy(i))
                .map(|(anatomy, _)| anatomy)
                .filter(|anatomy| sided && is_sided(anatomy));
            let before = self.anatomy_before(at).or(around.before);
            let before = before.filter(is_sided).or(after).or(before);
            let target = match (around.target, before) {
                (Some(target), _) => Some(target),
                (None, Some(anatomy)) if refers => Some((anatomy, None)),
                (None, Some(anatomy)) if self.is_said_again(at, class) => {
                    Some((anatomy, self.side_before(at, anatomy)))
                }
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

    /// Whether a change goes on about the structure before, with a degree or a place of its own: "compressed
    /// at L4-5 and slightly compressed at L3-4", "is tight, moderately narrowed overall".
    fn is_said_again(&self, at: usize, class: Class) -> bool {
        let is_modifier = |i: &usize| {
            matches!(
                self.sense(*i),
                Some(
                    Sense::Degree(_)
                        | Sense::Significant
                        | Sense::Filler
                        | Sense::Be
                        | Sense::Now
                        | Sense::Hedge
                )
            )
        };
        let joint = (0..at).rev().find(|i| !is_modifier(i)).and_then(|i| self.tag(i));
        let is_graded = at > 0 && self.tag(at - 1).and_then(degree_of).is_some();
        class == Class::Adjective
            && matches!(joint, Some(Tag::Comma | Tag::Term(Sense::And | Sense::But)))
            && self.anatomy_before(at).is_some()
            && (is_graded || self.trailing_run(at).iter().any(|&i| self.is_place(i)))
    }

    /// The structure named last before a mark.
    pub(super) fn anatomy_before(&self, at: usize) -> Option<Anatomy> {
        (0..at).rev().find_map(|i| self.anatomy(i)).map(|(anatomy, _)| anatomy)
    }

    /// The words before a "be" that a bare change is said of: "the right is", "it is", "its
    /// fellow on the left is".
    pub(super) fn subject(&self, change: usize) -> Vec<usize> {
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
    pub(super) fn is_attributive(&self, at: usize, class: Class) -> bool {
        let next = self.skip_filler(at + 1);
        class == Class::Adjective
            && (matches!(self.sense(next), Some(Sense::Noun | Sense::Disc | Sense::Finding(_)))
                || self.tag(next) == Some(Tag::Other))
    }

    /// Degrees without a noun of their own, under a heading or after a structure: "L3-4: mild",
    /// "the right from minimal to mild".
    pub(super) fn bind_values(&mut self, around: &Around) {
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

    pub(super) fn is_modifier(&self, at: usize) -> bool {
        if self.is_place(at) {
            return true;
        }
        match self.tag(at) {
            Some(
                Tag::Comma
                | Tag::Dash
                | Tag::Colon
                | Tag::Open
                | Tag::Close
                | Tag::Slash
                | Tag::Greater,
            ) => true,
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

    pub(super) fn bind_value_run(&mut self, start: usize, end: usize, around: &Around) {
        let run: Vec<usize> = (start..end).collect();
        let run = self.without_forward(run, end);
        let is_value = |at: usize| {
            self.tag(at).and_then(degree_of).is_some()
                || matches!(self.sense(at), Some(Sense::None | Sense::Normal | Sense::Patent))
        };
        let Some(&value) = run.iter().find(|&&at| is_value(at)) else { return };
        let says = |sense: Sense| run.iter().any(|&at| self.sense(at) == Some(sense));
        // "whereas it was severe before" is told of an earlier state.
        let is_past = run.iter().any(|&at| at > value && self.sense(at) == Some(Sense::Previously));
        if says(Sense::Not) || (is_past && says(Sense::Be) && !says(Sense::Now)) {
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
                let says =
                    if wide { linked && (sided || refers) } else { sided || has_place || refers };
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
    pub(super) fn claim_unnamed(
        &mut self,
        anatomy: Anatomy,
        side: Option<Side>,
        state: State,
        at: usize,
    ) {
        let members = SmallVec::new();
        let binding = Binding { members, state, at, leftward: true, root: false };
        self.claim_members(&binding, &[(anatomy, Form::Plural, None)], side);
    }
}
