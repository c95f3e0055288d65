//! "L1-2: normal": a whole level, or all that remain, normal in every target (rules 7, 8).

use super::{Context, Walk, joined};
use crate::extract::claim::Around;
use crate::extract::finding::Section;
use crate::extract::place::Mark;
use crate::extract::scan::Tag;
use crate::extract::sense::{Anatomy, Region, Sense};
use crate::extract::settle::{Draft, Where};
use crate::label::{Certainty, Grade, Span, Trace};

impl Walk<'_> {
    /// "L1-2: normal", "remaining levels are unremarkable": every target normal (rules 7, 8).
    pub(super) fn whole_level(&mut self, context: &Context<'_>, around: &Around) {
        let mut says = None;
        let mut named_here = false;
        let mut lead = true;
        let mut is_otherwise = false;
        for (at, mark) in context.clause.marks.iter().enumerate() {
            // "Starting from the top, L1/2 is normal."
            if lead && matches!(mark, Mark::Tag(Tag::Other | Tag::Term(Sense::From))) {
                continue;
            }
            is_otherwise |= *mark == Mark::Tag(Tag::Term(Sense::But));
            lead &= !matches!(mark, Mark::Place(_) | Mark::Tag(Tag::Colon));
            match mark {
                Mark::Place(_) => named_here = true,
                Mark::Tag(Tag::Term(Sense::Normal | Sense::NoAbnormality)) => says = Some(at),
                Mark::Tag(
                    Tag::Colon | Tag::Dash | Tag::Comma | Tag::Stop | Tag::Open | Tag::Close,
                ) => {}
                Mark::Tag(Tag::Term(
                    Sense::LevelWord
                    | Sense::Be
                    | Sense::Filler
                    | Sense::And
                    | Sense::Of
                    | Sense::Over
                    | Sense::Unchanged
                    | Sense::But
                    | Sense::Region(Region::Lumbar),
                )) => {}
                _ => return,
            }
        }
        let Some(at) = says else { return };
        let place = match context.candidates.last() {
            Some((at, place)) => self.resolve(context, *at, place),
            None if named_here => return,
            None => match self.scope() {
                // "Alignment: listhesis at L4-5. Otherwise normal." is told of the alignment.
                Some(_) if is_otherwise && !self.begins_with_level(context) => return,
                Some(levels) => Where::Named(levels.iter().copied().collect()),
                None => return,
            },
        };
        let remaining = matches!(place, Where::Remaining { .. });
        let evidence: Vec<Span> = context
            .clause
            .marks
            .iter()
            .enumerate()
            .filter(|(i, mark)| *i == at || matches!(mark, Mark::Place(_)))
            .map(|(i, _)| self.scan.span(context.clause.items[i]))
            .collect();
        let trace = Trace::of(if remaining { &[7] } else { &[8] });
        let targets: &[Anatomy] = match around.target {
            Some((anatomy, _)) => &[anatomy],
            None => &[Anatomy::Canal, Anatomy::Foramen, Anatomy::Recess],
        };
        for &anatomy in targets {
            let whole = around.target.is_none();
            let place = match &place {
                Where::Remaining { except } if whole => Where::Unmentioned { except: *except },
                other => other.clone(),
            };
            self.drafts.add(Draft {
                anatomy,
                side: None,
                grade: Grade::Normal,
                certainty: Certainty::Stated,
                place,
                trace,
                evidence: joined(evidence.clone(), self.text),
                addendum: context.line.section == Section::Addendum,
            });
        }
    }

    /// Whether the line of a clause begins with a level, or stands under one.
    fn begins_with_level(&self, context: &Context<'_>) -> bool {
        let items = &self.scan.items[context.line.items.clone()];
        self.line_levels.is_none()
            || items
                .iter()
                .find(|item| item.tag != Tag::Term(Sense::Of))
                .is_some_and(|item| matches!(item.tag, Tag::Levels(_)))
    }
}
