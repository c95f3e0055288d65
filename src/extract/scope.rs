//! The walk over a text: which levels each clause is about, and what it states of them.

use smallvec::SmallVec;

use super::claim::{Around, Binder, Claim};
use super::finding::{Extraction, Passage};
use super::layout::{Line, label_end};
use super::mention;
use super::place::{Clause, Mark, Place};
use super::scan::{Item, Scan, Tag};
use super::sense::{Anatomy, Region, Section, Sense};
use super::settle::{Draft, Drafts, Where};
use super::table;
use crate::label::{Certainty, Grade, Level, LevelSet, Side, Span, Trace};

/// The levels that hold for the clauses after the words that named them.
#[derive(Debug, Clone, Default)]
struct Scope {
    levels: SmallVec<[Level; 4]>,
    /// Which scope of the text this is, for lines about the canal as a whole (rule 3).
    id: usize,
    /// The indent of the bullet of the line that set it.
    bullet: Option<u32>,
    /// Whether nothing but the heading has been read so far.
    fresh: bool,
}

/// A target that a heading or label sets for what follows it.
type Target = (Anatomy, Option<Side>);

/// The reader's place in a text.
pub(super) struct Walk<'a> {
    scan: &'a Scan,
    text: &'a str,
    clause: Clause,
    drafts: Drafts,
    out: Extraction,
    /// Levels that a line alone, or a label at its beginning, set for the lines after it.
    heading: Option<Scope>,
    heading_target: Option<Target>,
    /// A side alone on its line ("Left:") with the indent of its bullet.
    heading_side: Option<(Side, Option<u32>)>,
    /// Levels that a clause of this line named last.
    line_levels: Option<SmallVec<[Level; 4]>>,
    line_target: Option<Target>,
    /// Every level named on this line, for "both levels".
    line_named: SmallVec<[Level; 4]>,
    /// The levels named last anywhere, for "the former".
    last_named: SmallVec<[Level; 4]>,
    /// The structure spoken of last in this line.
    before: Option<Anatomy>,
    /// The side of the disc lesion of the sentence before (rule 17).
    lesion: Option<Side>,
    scopes: usize,
}

impl<'a> Walk<'a> {
    /// Reads everything out of a scanned text.
    pub fn read(scan: &'a Scan, lines: &[Line], text: &'a str) -> Extraction {
        let mut walk = Self {
            scan,
            text,
            clause: Clause::default(),
            drafts: Drafts::default(),
            out: Extraction::default(),
            heading: None,
            heading_target: None,
            heading_side: None,
            line_levels: None,
            line_target: None,
            line_named: SmallVec::new(),
            last_named: SmallVec::new(),
            before: None,
            lesion: None,
            scopes: 0,
        };
        let mut at = 0;
        while at < lines.len() {
            at += walk.table(&lines[at..]).unwrap_or_else(|| {
                walk.line(&lines[at]);
                1
            });
        }
        walk.finish()
    }

    fn finish(mut self) -> Extraction {
        let settled = self.drafts.settle(&self.out.mentions);
        self.out.mentions.retain(|mention| mention.level.is_none_or(|l| settled.exists(l)));
        self.out.measurements.retain(|m| m.level.is_none_or(|l| settled.exists(l)));
        self.out.statements = settled.statements;
        self.out.passages = passages(settled.bearing, settled.universal);
        self.out
    }

    /// Reads a table that begins at the first line; how many lines it takes.
    fn table(&mut self, lines: &[Line]) -> Option<usize> {
        if lines[0].section == Section::Ignored {
            return None;
        }
        let table = table::find(self.scan, lines, self.text)?;
        for cell in &table.cells {
            self.line_levels = Some(cell.levels.clone());
            self.line_target = Some(cell.target);
            self.last_named = cell.levels.clone();
            self.drafts.mention(cell.levels.iter().copied().collect());
            for part in sentences(&self.scan.items[cell.items.clone()]) {
                let items = cell.items.start + part.start..cell.items.start + part.end;
                self.clause(&lines[0], items.clone(), items);
            }
        }
        self.line_levels = None;
        self.line_target = None;
        Some(table.lines)
    }

    fn line(&mut self, line: &Line) {
        let fresh = self.heading.as_ref().is_some_and(|scope| scope.fresh);
        if line.opens_section || (line.after_blank && !fresh) {
            self.heading = None;
            self.heading_target = None;
            self.heading_side = None;
        }
        self.line_levels = None;
        self.line_target = None;
        self.line_named.clear();
        self.before = None;
        if line.section == Section::Ignored || line.items.is_empty() {
            return;
        }
        let items = &self.scan.items[line.items.clone()];
        // A list of levels goes on with the next bullet, and ends with a line that has none.
        if self.heading.as_ref().is_some_and(|scope| {
            scope.bullet.is_some_and(|bullet| line.bullet.is_none_or(|own| own <= bullet))
        }) {
            self.heading = None;
        }
        if self.heading_side.is_some_and(|(_, bullet)| line.bullet <= bullet) {
            self.heading_side = None;
        }
        if self.is_level_heading(line, items)
            || self.is_side_heading(line, items)
            || self.is_target_heading(items)
        {
            return;
        }
        if let Some(scope) = &mut self.heading {
            scope.fresh = false;
        }
        self.label(line, items, true);
        let base = line.items.start;
        let mut sentence = base..base;
        for part in sentences(items) {
            let clause = base + part.start..base + part.end;
            if clause.start == base || self.scan.items[clause.start - 1].tag != Tag::Semicolon {
                sentence = clause.clone();
            }
            sentence.end = clause.end;
            if clause.start > base {
                self.label(line, &items[part.clone()], false);
            }
            self.clause(line, clause, sentence.clone());
        }
    }

    /// A line of levels alone sets them for the lines after it (rule 3).
    fn is_level_heading(&mut self, line: &Line, items: &[Item]) -> bool {
        let mut named = None;
        for item in items {
            match item.tag {
                Tag::Levels(index) => named = Some(index),
                Tag::Colon | Tag::Comma | Tag::Dash | Tag::Stop | Tag::Open | Tag::Close => {}
                Tag::Term(
                    Sense::LevelWord | Sense::Disc | Sense::Filler | Sense::Of | Sense::And,
                ) => {}
                _ => return false,
            }
        }
        let Some(index) = named else { return false };
        let levels = self.scan.levels[index as usize].named.clone();
        self.drafts.mention(levels.iter().copied().collect());
        self.last_named = levels.clone();
        self.set_heading(levels, line.bullet, true);
        true
    }

    fn set_heading(&mut self, levels: SmallVec<[Level; 4]>, bullet: Option<u32>, fresh: bool) {
        self.scopes += 1;
        self.heading = Some(Scope { levels, id: self.scopes, bullet, fresh });
    }

    /// A line of a side alone ("- Left:") sets it for the deeper bullets after it.
    fn is_side_heading(&mut self, line: &Line, items: &[Item]) -> bool {
        let side = match items {
            [Item { tag: Tag::Term(Sense::Side(side)), .. }, Item { tag: Tag::Colon, .. }] => side,
            _ => return false,
        };
        self.heading_side = match side {
            super::sense::Sides::Left => Some((Side::Left, line.bullet)),
            super::sense::Sides::Right => Some((Side::Right, line.bullet)),
            super::sense::Sides::Both => None,
        };
        true
    }

    /// A line of a structure alone ("Foraminal stenosis") sets it for the lines after it; a
    /// line of another noun alone ends that.
    fn is_target_heading(&mut self, items: &[Item]) -> bool {
        const LONGEST: usize = 8;
        let bare = items.iter().all(|item| {
            matches!(
                item.tag,
                Tag::Colon
                    | Tag::Dash
                    | Tag::Open
                    | Tag::Close
                    | Tag::Slash
                    | Tag::Other
                    | Tag::Term(
                        Sense::Anatomy(..)
                            | Sense::Change(..)
                            | Sense::Side(_)
                            | Sense::Filler
                            | Sense::Finding(_)
                            | Sense::Noun
                            | Sense::And
                            | Sense::LevelWord
                            | Sense::Of
                            | Sense::Disc
                            | Sense::Region(_)
                    )
            )
        });
        if !bare || items.len() > LONGEST {
            return false;
        }
        let target = target_of(items);
        let other = items.iter().any(|item| {
            matches!(item.tag, Tag::Other | Tag::Term(Sense::Finding(_) | Sense::Noun))
        });
        let labelled = items.last().is_some_and(|item| item.tag == Tag::Colon);
        // "Neural foramina narrowed" says something; "Neural foramina" sets the target.
        let says = items.iter().any(|item| {
            matches!(
                item.tag,
                Tag::Term(Sense::Change(
                    _,
                    super::sense::Class::Verb | super::sense::Class::Adjective
                ))
            )
        });
        // Under a level "Canal stenosis" alone says that there is one.
        let states = items.iter().any(|item| matches!(item.tag, Tag::Term(Sense::Change(..))));
        let under_level = self.heading.is_some() && states;
        if (target.is_some() && (other || under_level) && !labelled) || says {
            return false;
        }
        if target.is_some() && !labelled {
            self.heading = None;
        }
        self.heading_target = target;
        target.is_some()
    }

    /// A label at the beginning of a line sets its levels or structure for the line, and its
    /// levels for the lines after it.
    fn label(&mut self, line: &Line, items: &[Item], at_line_start: bool) {
        let Some(colon) = label_end(items).or_else(|| dash_label(items)) else { return };
        let label = &items[..colon];
        let levels = label.iter().find_map(|item| match item.tag {
            Tag::Levels(index) => Some(self.scan.levels[index as usize].named.clone()),
            _ => None,
        });
        if let Some(levels) = levels {
            let says = label.iter().any(|item| {
                matches!(
                    item.tag,
                    Tag::Term(Sense::Anatomy(..) | Sense::Change(..) | Sense::Finding(_))
                )
            });
            if !says {
                self.line_levels = None;
                self.line_named.clear();
                self.set_heading(levels, line.bullet, false);
            }
        } else if colon + 1 < items.len() && (at_line_start || self.line_target.is_some()) {
            self.line_target = target_of(label);
        }
    }

    fn clause(
        &mut self,
        line: &Line,
        items: std::ops::Range<usize>,
        sentence: std::ops::Range<usize>,
    ) {
        if items.is_empty() {
            return;
        }
        let slice = &self.scan.items[items.clone()];
        let mut clause = std::mem::take(&mut self.clause);
        clause.fill(self.scan, slice);
        let around =
            Around { target: self.line_target.or(self.heading_target), before: self.before };
        let candidates = self.candidates(&clause);
        let mut claims = Binder::claims(&clause, &around);
        if let Some(past) = past(&clause, self.scan, self.text) {
            claims.retain(|claim| !past.contains(&claim.last));
        }
        let lesion = self.lesion_side(&self.scan.items[sentence]);
        let span = Span {
            start: self.scan.span(slice[0]).start,
            end: self.scan.span(slice[slice.len() - 1]).end,
        };
        let context =
            Context { line, clause: &clause, candidates: &candidates, claims: &claims, lesion };
        let levels = self.governing(&context, 0, clause.marks.len());
        if claims.is_empty() {
            self.whole_level(&context, &around);
        }
        let respective = respective(&clause, &claims, &candidates);
        for (n, claim) in claims.iter().enumerate() {
            let place = match respective {
                Some(ref levels) => Where::Named(levels[n].into()),
                None => self.place(&context, claim),
            };
            self.draft(&context, claim, place);
            self.before = Some(claim.anatomy);
        }
        mention::read(self.scan, self.text, &clause, levels, &mut self.out);
        self.drafts.bear(levels, span);
        self.remember(&context);
        self.lesion = lesion;
        self.clause = clause;
    }

    /// The places of a clause that can govern a claim: no conus, no worst one among others.
    fn candidates(&self, clause: &Clause) -> Vec<(usize, Place)> {
        let conus = clause.marks.iter().position(|&m| m == Mark::Tag(Tag::Term(Sense::Conus)));
        let mut places: Vec<(usize, Place, bool)> = Vec::new();
        for (at, mark) in clause.marks.iter().enumerate() {
            let Mark::Place(index) = mark else { continue };
            let place = clause.places[*index as usize].clone();
            let of_conus = conus.is_some_and(|conus| {
                conus < at && !clause.marks[conus..at].contains(&Mark::Tag(Tag::Term(Sense::And)))
                    || conus == at + 1
            });
            if !of_conus {
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
            .filter(|(at, _, worst)| !(*worst && (scoped || named_before(*at, &places))))
            .map(|(at, place, _)| (*at, place.clone()))
            .collect();
        let named = kept.iter().any(|(_, place)| matches!(place, Place::Named(_)));
        kept.into_iter().filter(|(_, place)| !(named && matches!(place, Place::Several))).collect()
    }

    /// The place of a claim: its own, one of its clause, or that of the scope.
    fn place(&self, context: &Context<'_>, claim: &Claim) -> Where {
        if let Some(at) = claim.place {
            let own = context.candidates.iter().find(|(i, _)| *i == at).map(|(_, place)| place);
            if let Some(place) = own.filter(|place| **place != Place::Vertebra) {
                return self.resolve(context, at, place);
            }
        }
        let usable = |place: &&(usize, Place)| place.1 != Place::Vertebra;
        let before = context.candidates.iter().filter(usable).rfind(|(at, _)| *at < claim.first);
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
            return self.resolve(context, *at, place);
        }
        if context.has_vertebra() && self.scope().is_none() {
            return Where::Nowhere;
        }
        self.fallback(context, claim)
    }

    /// Without a place of its own a claim is about the level in scope, or, if it says that
    /// something is wide, about the whole lumbar spine (rules 3, 5, 6).
    fn fallback(&self, context: &Context<'_>, claim: &Claim) -> Where {
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

    fn scope(&self) -> Option<&SmallVec<[Level; 4]>> {
        self.line_levels.as_ref().or(self.heading.as_ref().map(|scope| &scope.levels))
    }

    /// What a place comes to that stands at mark `at`.
    fn resolve(&self, context: &Context<'_>, at: usize, place: &Place) -> Where {
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
    fn governing(&self, context: &Context<'_>, first: usize, end: usize) -> LevelSet {
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

    fn draft(&mut self, context: &Context<'_>, claim: &Claim, place: Where) {
        let mut side = claim.side.or(self.heading_side.map(|(side, _)| side));
        let mut trace = claim.trace;
        if claim.one_of_two
            && let Some(lesion) = context.lesion
        {
            side = Some(lesion);
            trace = trace.and(Trace::of(&[17]));
        }
        let mut evidence: Vec<Span> =
            claim.evidence.iter().map(|&at| self.scan.span(context.clause.items[at])).collect();
        evidence.sort_unstable();
        self.drafts.add(Draft {
            anatomy: claim.anatomy,
            side,
            grade: claim.grade,
            certainty: claim.certainty,
            place,
            trace,
            evidence: joined(evidence, self.text),
            addendum: context.line.section == Section::Addendum,
        });
    }

    /// "L1-2: normal", "remaining levels are unremarkable": every target normal (rules 7, 8).
    fn whole_level(&mut self, context: &Context<'_>, around: &Around) {
        let mut says = None;
        let mut named_here = false;
        let mut lead = true;
        for (at, mark) in context.clause.marks.iter().enumerate() {
            // "Starting from the top, L1/2 is normal."
            if lead && matches!(mark, Mark::Tag(Tag::Other | Tag::Term(Sense::From))) {
                continue;
            }
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

    /// Sets the scope for the clauses after this one.
    fn remember(&mut self, context: &Context<'_>) {
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

    /// The side of the disc lesion in a sentence where it has exactly one (rule 17).
    fn lesion_side(&self, items: &[Item]) -> Option<Side> {
        let anaphor = matches!(items[0].tag, Tag::Term(Sense::Anaphor));
        let found = mention::lesion_side(items);
        if found.is_none() && anaphor && !mention::has_lesion(items) { self.lesion } else { found }
    }
}

/// A clause and what is known around it.
struct Context<'c> {
    line: &'c Line,
    clause: &'c Clause,
    candidates: &'c [(usize, Place)],
    claims: &'c [Claim],
    lesion: Option<Side>,
}

impl Context<'_> {
    fn has_vertebra(&self) -> bool {
        self.clause.places.contains(&Place::Vertebra)
    }

    /// Whether the clause is about another region than the lumbar spine, so that "no stenosis"
    /// says nothing of it.
    fn is_elsewhere(&self) -> bool {
        let names = |region| has(self.clause, |sense| sense == Sense::Region(region));
        let foreign =
            self.clause.places.iter().any(|p| matches!(p, Place::Named(n) if n.is_empty()));
        foreign
            || (names(Region::Elsewhere) && !names(Region::Lumbar))
            || (self.line.elsewhere && !names(Region::Lumbar))
    }
}

fn has(clause: &Clause, test: impl Fn(Sense) -> bool) -> bool {
    clause.marks.iter().any(|mark| matches!(mark, Mark::Tag(Tag::Term(sense)) if test(*sense)))
}

/// The marks of a clause that tell what an earlier study showed (rule 1): from the cue to the
/// end, or to a word that returns to the present.
fn past(clause: &Clause, scan: &Scan, text: &str) -> Option<std::ops::Range<usize>> {
    let is_year = |at: usize| {
        clause.tag(at) == Some(Tag::Number)
            && matches!(text[scan.span(clause.items[at]).range()].parse(), Ok(1950..=2100))
    };
    let cue = (0..clause.marks.len()).find(|&at| match clause.sense(at) {
        Some(Sense::PriorStudy) => true,
        Some(Sense::Exam) => {
            let earlier =
                at > 0 && (is_year(at - 1) || clause.sense(at - 1) == Some(Sense::Previously));
            let compared = at > 1
                && (at.saturating_sub(4)..at).any(|i| clause.sense(i) == Some(Sense::Unchanged));
            earlier && !compared
        }
        _ => false,
    })?;
    let end = (cue..clause.marks.len()).find(|&at| {
        let resumes = clause.tag(at) == Some(Tag::Comma) && clause.sense(at + 1) == Some(Sense::Be);
        resumes || clause.sense(at) == Some(Sense::Now)
    });
    Some(cue..end.unwrap_or(clause.marks.len()))
}

/// The structure that a heading or label names, with its side.
fn target_of(items: &[Item]) -> Option<Target> {
    let sense = |item: &Item| match item.tag {
        Tag::Term(sense) => Some(sense),
        _ => None,
    };
    let anatomy = items.iter().filter_map(sense).find_map(|sense| match sense {
        Sense::Anatomy(anatomy, _) => Some(anatomy),
        _ => None,
    });
    let sides: SmallVec<[_; 2]> = items
        .iter()
        .filter_map(sense)
        .filter_map(|sense| match sense {
            Sense::Side(super::sense::Sides::Left) => Some(Side::Left),
            Sense::Side(super::sense::Sides::Right) => Some(Side::Right),
            _ => None,
        })
        .collect();
    let side = if let [side] = sides[..] { Some(side) } else { None };
    anatomy.map(|anatomy| (anatomy, side))
}

/// The items before a dash that sets off a label: "L3-4 - ".
fn dash_label(items: &[Item]) -> Option<usize> {
    let dash = items.iter().take(4).position(|item| item.tag == Tag::Dash)?;
    let levels = matches!(items[0].tag, Tag::Levels(_));
    (dash > 0 && levels).then_some(dash)
}

/// Cuts items into clauses: at full stops, semicolons and cell borders, and before a label that
/// names levels ("... patent L5-S1: ...").
fn sentences(items: &[Item]) -> Vec<std::ops::Range<usize>> {
    // Binding looks around within a clause, so a bound on its length keeps the whole linear.
    const LONGEST: usize = 400;
    let mut parts = Vec::new();
    let mut first = 0;
    for (at, item) in items.iter().enumerate() {
        if at - first >= LONGEST {
            parts.push(first..at);
            first = at;
        }
        let ends = matches!(item.tag, Tag::Stop | Tag::Semicolon | Tag::Border);
        let labels = at > first && matches!(item.tag, Tag::Levels(_)) && {
            let next = items[at + 1..]
                .iter()
                .find(|i| !matches!(i.tag, Tag::Term(Sense::LevelWord | Sense::Disc)));
            let listed = matches!(
                items[at - 1].tag,
                Tag::Comma | Tag::Term(Sense::And | Sense::Of | Sense::Filler | Sense::LevelWord)
            );
            next.is_some_and(|i| i.tag == Tag::Colon) && !listed
        };
        if ends || labels {
            if at > first {
                parts.push(first..at);
            }
            first = if ends { at + 1 } else { at };
        }
    }
    if first < items.len() {
        parts.push(first..items.len());
    }
    parts
}

/// "moderate and severe, respectively": a level for each claim.
fn respective(
    clause: &Clause,
    claims: &[Claim],
    candidates: &[(usize, Place)],
) -> Option<Vec<Level>> {
    if !has(clause, |sense| sense == Sense::Respectively) {
        return None;
    }
    let levels = candidates.iter().find_map(|(_, place)| match place {
        Place::Named(levels) if levels.len() > 1 => Some(levels),
        _ => None,
    })?;
    (levels.len() == claims.len()).then(|| levels.to_vec())
}

/// Spans in order, touching ones joined.
fn joined(mut spans: Vec<Span>, text: &str) -> SmallVec<[Span; 4]> {
    spans.sort_unstable();
    let mut joined: SmallVec<[Span; 4]> = SmallVec::new();
    for span in spans {
        match joined.last_mut() {
            Some(last) if span.start <= last.end || is_blank(text, last.end, span.start) => {
                last.end = last.end.max(span.end);
            }
            _ => joined.push(span),
        }
    }
    joined
}

fn is_blank(text: &str, from: u32, to: u32) -> bool {
    text[from as usize..to as usize].chars().all(|c| c == ' ')
}

/// The passages of each level: its own clauses and the universal ones, in order.
fn passages(mut bearing: Vec<(LevelSet, Span)>, universal: LevelSet) -> Vec<Passage> {
    bearing.sort_by_key(|(_, span)| *span);
    let named = bearing.iter().fold(LevelSet::EMPTY, |all, (levels, _)| all.union(*levels));
    named
        .union(universal)
        .iter()
        .map(|level| {
            let mut spans: Vec<Span> = bearing
                .iter()
                .filter(|(levels, _)| levels.contains(level))
                .map(|(_, span)| *span)
                .collect();
            spans.dedup();
            Passage { level, spans }
        })
        .filter(|passage| !passage.spans.is_empty())
        .collect()
}
