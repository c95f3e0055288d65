//! Which levels a claim is about: those beside it, those of its clause, or those in scope.

use smallvec::SmallVec;

use super::{Context, Walk};
use crate::extract::claim::Claim;
use crate::extract::layout::label_end;
use crate::extract::place::{Clause, Mark, Place};
use crate::extract::scan::Tag;
use crate::extract::sense::{Anatomy, Sense};
use crate::extract::settle::Where;
use crate::label::{Grade, Level, LevelSet};

impl Walk<'_> {
    /// The places of a clause that can govern a claim: no conus, no worst one among others.
    pub(super) fn candidates(&self, clause: &Clause) -> Vec<(usize, Place)> {
        let mut conus = clause.marks.iter().position(|&m| m == Mark::Tag(Tag::Term(Sense::Conus)));
        let mut places: Vec<(usize, Place, bool)> = Vec::new();
        for (at, mark) in clause.marks.iter().enumerate() {
            let Mark::Place(index) = mark else { continue };
            let place = clause.places[*index as usize].clone();
            let of_conus = conus.is_some_and(|conus| {
                conus < at && !clause.marks[conus..at].contains(&Mark::Tag(Tag::Term(Sense::And)))
                    || conus == at + 1
            });
            if of_conus {
                // It ends at one place: "the conus ends at L1 the L1-2 and L2-3 levels are normal".
                conus = None;
            } else {
                places.push((at, place, clause.worst[*index as usize]));
            }
        }
        let scoped = self.line_levels.is_some() || self.heading.is_some();
        let named_before = |at: usize, places: &[(usize, Place, bool)]| {
            places
                .iter()
                .any(|(i, place, _)| *i < at && matches!(place, Place::Named(n) if !n.is_empty()))
        };
        let kept: Vec<(usize, Place)> = places
            .iter()
            .filter(|(at, _, worst)| {
                // "noticeably at L4-5, where ..." is the place of what "where" says.
                let relative = clause.sense(at + 1) == Some(Sense::Anaphor)
                    || clause.sense(at + 2) == Some(Sense::Anaphor);
                !*worst || relative || !(scoped || named_before(*at, &places))
            })
            .map(|(at, place, _)| (*at, place.clone()))
            .collect();
        let named = kept.iter().any(|(_, place)| matches!(place, Place::Named(_)));
        kept.into_iter().filter(|(_, place)| !(named && matches!(place, Place::Several))).collect()
    }

    /// The place of a claim: its own, one of its clause, or that of the scope.
    pub(super) fn place(&self, context: &Context<'_>, claim: &Claim) -> Where {
        if let Some(at) = claim.place {
            let own = context.candidates.iter().find(|(i, _)| *i == at).map(|(_, place)| place);
            let picked = context.is_worst(at) && context.candidates.len() > 1;
            if let Some(place) = own.filter(|place| **place != Place::Vertebra && !picked) {
                return self.resolve(context, at, place);
            }
        }
        let usable = |place: &&(usize, Place)| place.1 != Place::Vertebra;
        let parted_by_comma =
            |from: usize, to: usize| (from..to).any(|i| context.clause.tag(i) == Some(Tag::Comma));
        // "Worst at L4-5, severe at L3-4": the worst place does not reach over to what has its own.
        let has_own = context
            .candidates
            .iter()
            .any(|(at, _)| *at > claim.last && !parted_by_comma(claim.last + 1, *at));
        let governs =
            |at: usize| !(context.is_worst(at) && has_own && parted_by_comma(at, claim.first));
        let before = context
            .candidates
            .iter()
            .filter(usable)
            .rfind(|(at, _)| *at < claim.first && governs(*at));
        let after = context.candidates.iter().filter(usable).find(|(at, _)| *at > claim.last);
        let inside = context
            .candidates
            .iter()
            .filter(usable)
            .find(|(at, _)| (claim.first..=claim.last).contains(at));
        let claims_between = |from: usize, to: usize| {
            context.claims.iter().any(|other| (from + 1..to).contains(&other.first))
        };
        // A place between an earlier claim and this one is rather the earlier one's.
        let parted = |from: usize, to: usize| {
            (from..to).any(|i| {
                matches!(
                    context.clause.tag(i),
                    Some(Tag::Comma | Tag::Term(Sense::And | Sense::But))
                )
            })
        };
        let taken = before.is_some_and(|(at, _)| {
            context.claims.iter().any(|other| {
                other.first < *at && other.last < claim.first && !parted(other.last + 1, *at)
            })
        });
        let after_free = after.filter(|(at, _)| !claims_between(claim.last, *at));
        let before = if taken && after_free.is_some() { None } else { before };
        if let Some((at, place)) = inside.or(before).or(after) {
            // "at all levels except L4-5, where ..." goes on about the exception.
            if *at < claim.first
                && let Place::All { except } | Place::Remaining { except } = place
                && !except.is_empty()
                && (*at..claim.first).any(|i| {
                    matches!(context.clause.sense(i), Some(Sense::Anaphor | Sense::ThereIs))
                })
            {
                return Where::Named(*except);
            }
            return match (place, self.resolve(context, *at, place)) {
                // "Remaining levels: no stenosis" is about levels not mentioned (rule 7); "no
                // stenosis elsewhere" about those of which no stenosis is told.
                (Place::Remaining { except }, _) if *at < claim.first => {
                    Where::Unmentioned { except: *except }
                }
                (Place::Named(_), Where::Named(levels)) if *at < claim.first => {
                    Where::Named(levels.union(self.added(context, claim)))
                }
                (_, found) => found,
            };
        }
        if context.has_vertebra() && self.scope().is_none() {
            return Where::Nowhere;
        }
        self.fallback(context, claim)
    }

    /// The levels that the end of a sentence adds to those of its last claim: "L4-5: moderate stenosis, as
    /// well as, to a lesser degree, at L3-4". After a plain "and" a line that ends may go on with what is
    /// told of them.
    fn added(&self, context: &Context<'_>, claim: &Claim) -> LevelSet {
        let after = claim.last + 1..context.clause.marks.len();
        let mut is_added = false;
        let mut levels = LevelSet::EMPTY;
        let mut may_go_on = true;
        for (at, mark) in after.clone().zip(&context.clause.marks[after]) {
            match mark {
                Mark::Tag(Tag::Term(Sense::And)) => {
                    let item = context.clause.items[at];
                    (is_added, may_go_on) = (true, may_go_on && item.end - item.first == 1);
                }
                Mark::Tag(Tag::Comma | Tag::Term(Sense::LevelWord | Sense::Disc)) => {}
                Mark::Tag(Tag::Term(Sense::To | Sense::Of | Sense::Filler)) if is_added => {}
                Mark::Place(_) if is_added && levels.is_empty() => {
                    levels = self.governing(context, at, at + 1);
                }
                _ => return LevelSet::EMPTY,
            }
        }
        let is_over = match self.after(context.clause) {
            None | Some(Tag::Stop) => true,
            Some(Tag::Newline | Tag::Paragraph) => !may_go_on,
            _ => false,
        };
        if is_over { levels } else { LevelSet::EMPTY }
    }

    /// What comes after a clause in the text.
    fn after(&self, clause: &Clause) -> Option<Tag> {
        let end = clause.items.last()?.end;
        let next = self.scan.items.partition_point(|item| item.first < end);
        self.scan.items.get(next).map(|item| item.tag)
    }

    /// Without a place of its own a claim is about the level in scope, or, if it says that
    /// something is wide, about the whole lumbar spine (rules 3, 5, 6).
    pub(super) fn fallback(&self, context: &Context<'_>, claim: &Claim) -> Where {
        let universal = claim.grade == Grade::Normal && !context.is_elsewhere();
        if let Some(levels) = &self.line_levels {
            return Where::Named(levels.iter().copied().collect());
        }
        if let Some(scope) = &self.heading {
            let whole = claim.side.is_none()
                && matches!(claim.anatomy, Anatomy::Canal | Anatomy::Sac)
                && universal
                && label_end(&self.scan.items[context.line.items.clone()]).is_none();
            let levels = scope.levels.iter().copied().collect();
            return if whole {
                Where::Whole { levels, scope: scope.id }
            } else {
                Where::Named(levels)
            };
        }
        if universal { Where::Universal { except: LevelSet::EMPTY } } else { Where::Nowhere }
    }

    pub(super) fn scope(&self) -> Option<&SmallVec<[Level; 4]>> {
        self.line_levels.as_ref().or(self.heading.as_ref().map(|scope| &scope.levels))
    }

    /// What a place comes to that stands at mark `at`.
    pub(super) fn resolve(&self, context: &Context<'_>, at: usize, place: &Place) -> Where {
        let earlier = |many: bool| {
            context.candidates.iter().rev().find_map(|(i, place)| match place {
                Place::Named(levels) if *i < at && levels.len() > usize::from(many) => Some(levels),
                _ => None,
            })
        };
        let named = |levels: &SmallVec<[Level; 4]>| Where::Named(levels.iter().copied().collect());
        match place {
            Place::Named(levels) => Where::Named(levels.iter().copied().collect()),
            Place::All { except } => Where::Universal { except: *except },
            Place::Remaining { except } => Where::Remaining { except: *except },
            &Place::Beyond { level, above, inclusive } => {
                Where::Named(Place::beyond(level, above, inclusive, LevelSet::LUMBAR))
            }
            Place::Several | Place::Vertebra => Where::Nowhere,
            Place::Same => earlier(false)
                .or(self.scope())
                .or((!self.last_named.is_empty()).then_some(&self.last_named))
                .map_or(Where::Nowhere, named),
            Place::SameSeveral => {
                let label = self.heading.as_ref().map(|scope| &scope.levels);
                earlier(true)
                    .or(label.filter(|levels| levels.len() > 1))
                    .or((self.line_named.len() > 1).then_some(&self.line_named))
                    .or((self.line_named.is_empty() && self.named_before.len() > 1)
                        .then_some(&self.named_before))
                    .or((!self.last_named.is_empty()).then_some(&self.last_named))
                    .map_or(Where::Nowhere, named)
            }
            Place::Ordered { first } => {
                let levels = earlier(true).unwrap_or(&self.last_named);
                let level = if *first { levels.first() } else { levels.last() };
                level.map_or(Where::Nowhere, |&level| Where::Named(level.into()))
            }
        }
    }

    /// The levels that the marks from `first` to `end` are about, for findings and passages.
    pub(super) fn governing(&self, context: &Context<'_>, first: usize, end: usize) -> LevelSet {
        let mut levels = LevelSet::EMPTY;
        for (at, place) in context.candidates {
            if (first..end).contains(at)
                && let Where::Named(named) = self.resolve(context, *at, place)
            {
                levels = levels.union(named);
            }
        }
        if levels.is_empty()
            && let Some(scope) = self.scope()
            && context.candidates.is_empty()
        {
            levels = scope.iter().copied().collect();
        }
        levels
    }

    /// Sets the scope for the clauses after this one.
    pub(super) fn remember(&mut self, context: &Context<'_>) {
        for (_, place) in context.candidates {
            match place {
                Place::Named(levels) => {
                    // Levels of a label that one clause picks from hold again after it.
                    let picked = self.heading.as_ref().is_some_and(|scope| {
                        levels.len() < scope.levels.len()
                            && levels.iter().all(|level| scope.levels.contains(level))
                    });
                    self.line_levels = (!picked).then(|| levels.clone());
                    for &level in levels {
                        if !self.line_named.contains(&level) {
                            self.line_named.push(level);
                        }
                    }
                    if !levels.is_empty() {
                        self.last_named = levels.clone();
                        self.drafts.mention(levels.iter().copied().collect());
                    }
                }
                Place::Ordered { .. } | Place::Same | Place::Vertebra => {}
                Place::SameSeveral => {
                    if self.heading.is_none() && self.line_named.len() > 1 {
                        self.line_levels = Some(self.line_named.clone());
                    }
                }
                Place::All { except } | Place::Remaining { except } => {
                    self.line_levels = (!except.is_empty()).then(|| except.iter().collect());
                }
                Place::Several | Place::Beyond { .. } => self.line_levels = None,
            }
        }
    }
}
