//! Runs of modifiers: how far the degrees, sides and places before and after a claim belong to it.

use super::Binder;
use crate::extract::item::degree_of;
use crate::extract::scan::Tag;
use crate::extract::sense::{Anatomy, Sense};

impl Binder<'_> {
    /// The modifiers to the left of `from`, in order, not before `bound`.
    pub(super) fn left_run(&self, from: usize, bound: usize) -> Vec<usize> {
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
                    let before_noun = at + 1 == from
                        || run.last().is_some_and(|&next| {
                            next == at + 1
                                && matches!(self.sense(next), Some(Sense::Side(_) | Sense::Filler))
                        })
                        || self.tag(at + 1) == Some(Tag::Other);
                    if strangers > STRANGERS || !before_noun {
                        break;
                    }
                }
                Tag::Greater => run.push(at),
                Tag::Term(sense) => match sense {
                    Sense::Degree(_)
                    | Sense::Significant
                    | Sense::Borderline
                    | Sense::Side(_)
                    | Sense::Worse => {
                        run.push(at);
                    }
                    Sense::Previously | Sense::Now => run.push(at),
                    Sense::Not if self.clause.is_listed_no(at) => run.push(at),
                    Sense::Filler
                    | Sense::LevelWord
                    | Sense::Unchanged
                    | Sense::Complete
                    | Sense::Diffuse => {}
                    Sense::Of | Sense::Over if at + 1 == from || !run.is_empty() => {}
                    _ => break,
                },
                _ => break,
            }
        }
        run.reverse();
        while run.first().is_some_and(|&at| {
            matches!(
                self.tag(at),
                Some(Tag::Comma | Tag::Slash | Tag::Term(Sense::And | Sense::Or))
            )
        }) {
            run.remove(0);
        }
        run
    }

    /// Whether a separator stands between modifiers of one noun: "moderate right and mild left".
    pub(super) fn parts_modifiers(&self, at: usize) -> bool {
        let mut before = at;
        while before > 0 {
            before -= 1;
            match self.sense(before) {
                Some(Sense::Filler) => {}
                // "left, and mild right"
                None if before + 1 == at
                    && self.tag(before) == Some(Tag::Comma)
                    && self.sense(at) == Some(Sense::And) => {}
                Some(
                    Sense::Side(_) | Sense::Degree(_) | Sense::Significant | Sense::Borderline,
                ) => {
                    // "narrowing of the left and mild narrowing of the right"
                    let of = (0..before)
                        .rev()
                        .find(|&i| self.sense(i) != Some(Sense::Filler))
                        .is_some_and(|i| self.sense(i) == Some(Sense::Of));
                    return !self.used[before] && !of;
                }
                _ => return self.is_place(before) && self.place_has_degree(before),
            }
        }
        false
    }

    /// Whether a degree stands right before a place: "mild at L3-4 and severe at L4-5 stenosis".
    pub(super) fn place_has_degree(&self, at: usize) -> bool {
        (at.saturating_sub(3)..at)
            .rev()
            .take_while(|&i| {
                matches!(
                    self.sense(i),
                    Some(Sense::Of | Sense::Over | Sense::Side(_) | Sense::Degree(_))
                )
            })
            .any(|i| {
                self.tag(i).and_then(degree_of).is_some()
                    || matches!(self.sense(i), Some(Sense::Side(_)))
            })
    }

    /// The modifiers after the core of a claim, in order.
    pub(super) fn trailing_run(&self, core_last: usize) -> Vec<usize> {
        let mut run = Vec::new();
        let mut at = core_last + 1;
        while at < self.clause.marks.len() {
            // "stenosis, which had been severe, is now mild"
            if let Some(close) = self.aside(at) {
                at = close;
                continue;
            }
            let trails = self.is_place(at)
                || match self.tag(at) {
                    Some(
                        Tag::Comma
                        | Tag::Colon
                        | Tag::Dash
                        | Tag::Open
                        | Tag::Close
                        | Tag::Slash
                        | Tag::Greater
                        | Tag::Question,
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
                            || (sense == Sense::ThereIs && at == core_last + 1)
                            || (matches!(sense, Sense::Hedge | Sense::Not) && self.ends_after(at))
                            || (sense == Sense::Hedge
                                && self.tag(at + 1).is_some_and(|t| degree_of(t).is_some()))
                            || (sense == Sense::Anaphor
                                && (at == core_last + 1 || self.is_relative(at)))
                    }
                    // "seen in 2020", "in March"
                    Some(Tag::Number) if self.tag(at + 1) == Some(Tag::Other) => true,
                    // "7 mm"
                    Some(Tag::Other) if self.tag(at - 1) == Some(Tag::Number) => true,
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
        self.without_far_places(run)
    }

    /// Whether the clause or a part of it ends after this mark.
    pub(super) fn ends_after(&self, at: usize) -> bool {
        at + 1 == self.clause.marks.len()
            || matches!(self.tag(at + 1), Some(Tag::Comma | Tag::Open | Tag::Close))
    }

    /// Whether "which is", "where it is" begins here.
    pub(super) fn is_relative(&self, at: usize) -> bool {
        let next = if self.sense(at + 1) == Some(Sense::Anaphor) { at + 2 } else { at + 1 };
        self.sense(next) == Some(Sense::Be)
    }

    pub(super) fn is_noun(&self, at: usize) -> bool {
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
    pub(super) fn without_forward(&self, mut run: Vec<usize>, next: usize) -> Vec<usize> {
        if next >= self.clause.marks.len() || !self.is_noun(next) {
            return run;
        }
        // "mild following surgery": a preposition keeps the degree from the noun after it.
        let last = run.iter().rev().find(|&&at| self.sense(at) != Some(Sense::Filler));
        if last.is_some_and(|&at| matches!(self.sense(at), Some(Sense::Of | Sense::Over))) {
            return run;
        }
        let separator = |at: usize| {
            matches!(
                self.tag(at),
                Some(
                    Tag::Comma
                        | Tag::Colon
                        | Tag::Dash
                        | Tag::Open
                        | Tag::Close
                        | Tag::Term(Sense::Be | Sense::ThereIs)
                )
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
            // "stenosis at L4-5" keeps its place whatever follows.
            let is_own_place = self.is_place(at)
                && at > 0
                && matches!(self.sense(at - 1), Some(Sense::Of | Sense::Over));
            if is_cue || is_own_place {
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

    pub(super) fn sided_noun(&self, at: usize) -> bool {
        matches!(self.anatomy(at), Some((Anatomy::Foramen | Anatomy::Recess, _)))
    }

    /// Leaves out a place after a comma or "and" that begins something new: "mild stenosis, at
    /// L4-5 moderate".
    pub(super) fn without_far_places(&self, run: Vec<usize>) -> Vec<usize> {
        let mut kept = Vec::new();
        let mut separated = false;
        for (n, &at) in run.iter().enumerate() {
            match self.tag(at) {
                Some(Tag::Comma | Tag::Dash | Tag::Term(Sense::And)) => separated = true,
                Some(tag)
                    if degree_of(tag).is_some()
                        || matches!(
                            tag,
                            Tag::Term(
                                Sense::None
                                    | Sense::Worst
                                    | Sense::Patent
                                    | Sense::Normal
                                    | Sense::Absent
                                    | Sense::Side(_)
                            )
                        ) =>
                {
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
