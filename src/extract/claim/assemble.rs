//! A binding and its modifiers put together to claims, one a structure and part.

use smallvec::SmallVec;

use super::{Binder, Binding, Claim, State};
use crate::extract::context::{Polarity, Reach, Stance, polarity};
use crate::extract::modifier::{Part, fill_backward, pair_respectively, parts};
use crate::extract::scan::Tag;
use crate::extract::sense::{Anatomy, Change, Class, Form, Sense, Sides};
use crate::label::{Certainty, Grade, Side, Trace};

impl Binder<'_> {
    pub(super) fn claim(&mut self, binding: Binding) {
        let members: SmallVec<[_; 4]> = binding
            .members
            .iter()
            .filter_map(|&at| self.anatomy(at).map(|(anatomy, form)| (anatomy, form, Some(at))))
            .collect();
        self.claim_members(&binding, &members, None);
    }

    /// Turns a binding into claims, one a structure and part.
    pub(super) fn claim_members(
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
            if binding.root && run.iter().all(|&at| !matches!(self.sense(at), Some(Sense::Side(_))))
            {
                run.extend(self.root_side(binding.at));
            }
            run
        } else {
            Vec::new()
        };
        let trailing = self.trailing_run(core_last);
        let head =
            self.left_run(left_from, 0).first().copied().unwrap_or(core_first).min(core_first);
        // A value after a label stands by itself: a negation before the label does not reach it.
        let wide = matches!(binding.state, State::Wide | State::Degree);
        let reach = Reach { head, first: core_first, last: core_last, trailing: &trailing, wide };
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
            if binding.leftward { Vec::new() } else { self.unused(last_member + 1, binding.at) };
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
                State::Change(change, _) => {
                    (binding.root && change != Change::Contact) || change.narrows(anatomy)
                }
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
            let before = if is_now {
                overlay(without_degrees(own), &without_degrees(between.clone()))
            } else {
                overlay(own, &between)
            };
            let mut merged = if is_of_other_side(&before, &after) {
                [before, after.clone()].concat()
            } else {
                merge(before, &after, anatomy)
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
                let claim = self.assemble(
                    binding,
                    (anatomy, form, at),
                    part,
                    polarity,
                    side,
                    (core_first, core_last),
                );
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

    /// The marks from `from` to before `to` that no aside has set apart.
    fn unused(&self, from: usize, to: usize) -> Vec<usize> {
        (from..to).filter(|&at| !self.used[at]).collect()
    }

    pub(super) fn use_up(&mut self, shared: &[usize], trailing: &[usize]) {
        for &at in shared.iter().chain(trailing) {
            // Separators at the end of a run part it from what follows.
            self.used[at] = true;
        }
    }

    /// The degree of the claim before, where only "and" or a comma stands between (rule 19).
    pub(super) fn listed_degree(
        &self,
        head: usize,
        binding: &Binding,
    ) -> Option<(Grade, Option<usize>)> {
        let (end, grade, degree) = self.listed?;
        let noun = matches!(binding.state, State::Change(_, Class::Noun));
        let joined = end < head
            && (end + 1..head).all(|at| {
                matches!(self.tag(at), Some(Tag::Comma | Tag::Term(Sense::And | Sense::Filler)))
            })
            && end + 1 < head
            || (end + 1 == head
                && matches!(self.tag(end), Some(Tag::Comma | Tag::Term(Sense::And))));
        (noun && joined).then_some((grade, degree))
    }

    pub(super) fn assemble(
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
        // "The right foramen is patent, the left mild"
        let own_degree = part.grade.filter(|grade| {
            grade.is_stenosis()
                && part.side().is_some()
                && part.degree.is_some_and(|d| d > core_last)
        });
        let (grade, rule) = match (polarity.stance == Stance::Negated, wide) {
            (false, true) if let Some(grade) = own_degree => (grade, 18),
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
        let side = side
            .or(resumed)
            .or_else(|| self.topic.filter(|_| sided && part.sides.is_none() && !part.worse));
        if sided && side.is_none() {
            trace = trace.and(Trace::of(if part.worse { &[16] } else { &[15] }));
        }
        if trailing_first || binding.members.len() > 1 {
            trace = trace.and(Trace::of(&[19]));
        }
        let hedged = part.hedged || polarity.hedge.is_some();
        let mut evidence: SmallVec<[usize; 8]> = SmallVec::new();
        evidence.extend(at);
        evidence.push(binding.at);
        evidence.extend(part.marks.iter().copied());
        evidence.extend(polarity.cue);
        evidence.extend(polarity.hedge);
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
    pub(super) fn side_before(&self, at: usize, anatomy: Anatomy) -> Option<Side> {
        let earlier =
            (0..at).rev().find(|&i| self.anatomy(i).is_some_and(|(a, _)| a == anatomy))?;
        (earlier.saturating_sub(3)..earlier).rev().find_map(|i| match self.sense(i) {
            Some(Sense::Side(Sides::Left)) => Some(Side::Left),
            Some(Sense::Side(Sides::Right)) => Some(Side::Right),
            _ => None,
        })
    }
}

/// The parts of one structure: its modifiers up to its state, and those that trail, which win where they
/// say a degree.
fn merge(before: Vec<Part>, after: &[Part], anatomy: Anatomy) -> Vec<Part> {
    let sided = matches!(anatomy, Anatomy::Foramen | Anatomy::Recess);
    let mut parts = overlay(before, after);
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

/// Whether what trails is said of the other side alone: "narrowing of the right foramen, left free".
fn is_of_other_side(before: &[Part], after: &[Part]) -> bool {
    let [own] = before else { return false };
    let is_other = |part: &Part| {
        part.grade.is_some() && part.side().is_some_and(|side| own.side() != Some(side))
    };
    own.side().is_some() && own.grade.is_none() && !after.is_empty() && after.iter().all(is_other)
}

/// The parts with their degrees taken off.
pub(super) fn without_degrees(mut parts: Vec<Part>) -> Vec<Part> {
    for part in &mut parts {
        (part.grade, part.degree) = (None, None);
    }
    parts
}

pub(super) fn overlay(base: Vec<Part>, later: &[Part]) -> Vec<Part> {
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
pub(super) const fn rule_of(anatomy: Anatomy) -> u8 {
    match anatomy {
        Anatomy::Canal => 10,
        Anatomy::Sac => 11,
        Anatomy::Foramen => 12,
        Anatomy::Recess => 13,
    }
}
