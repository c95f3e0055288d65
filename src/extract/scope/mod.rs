//! The walk over a text: which levels each clause is about, and what it states of them.

mod clauses;
mod heading;
mod locate;
mod normal;

use smallvec::SmallVec;

use clauses::{LONGEST_CLAUSE, past, respective, sentences};

use super::claim::{Around, Binder, Claim};
use super::finding::{Extraction, Section};
use super::layout::Line;
use super::mention;
use super::place::{Clause, Mark, Place};
use super::scan::{Item, Scan, Tag};
use super::sense::{Anatomy, Region, Sense};
use super::settle::{Draft, Drafts, Where};
use super::table;
use crate::label::{Level, Side, Span, Trace};

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
    /// The levels that the last line before this one which names any has named.
    named_before: SmallVec<[Level; 4]>,
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
            named_before: SmallVec::new(),
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
        self.out.clauses = settled.clauses;
        self.out.lumbar = settled.universal;
        self.out.namings = self.scan.namings();
        self.out
    }

    /// Reads a table that begins at the first line; how many lines it takes.
    fn table(&mut self, lines: &[Line]) -> Option<usize> {
        if lines[0].section == Section::Background {
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
        if !self.line_named.is_empty() {
            self.named_before = std::mem::take(&mut self.line_named);
        }
        self.before = None;
        if line.section == Section::Background || line.items.is_empty() {
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
            if clause.start == base
                || clause.end - sentence.start > LONGEST_CLAUSE
                || self.scan.items[clause.start - 1].tag != Tag::Semicolon
            {
                sentence = clause.clone();
            }
            sentence.end = clause.end;
            if clause.start > base {
                self.label(line, &items[part.clone()], false);
            }
            self.clause(line, clause, sentence.clone());
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
        let mut spoken_of = claims.last().map(|claim| claim.anatomy);
        if let Some(past) = past(&clause, self.scan, self.text) {
            // "Before surgery the canal was stenosed. It is now patent."
            let anatomy = |at| match clause.sense(at) {
                Some(Sense::Anatomy(anatomy, _)) => Some(anatomy),
                _ => None,
            };
            spoken_of = spoken_of.or(past.clone().rev().find_map(anatomy));
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
        }
        self.before = spoken_of.or(self.before);
        mention::read(self.scan, self.text, &clause, levels, &mut self.out);
        if !levels.is_empty() || !context.is_elsewhere() {
            self.drafts.clause(levels, span);
        }
        self.remember(&context);
        self.lesion = lesion;
        self.clause = clause;
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
        if context.candidates.is_empty() && matches!(place, Where::Named(_)) {
            trace = trace.and(Trace::of(&[3]));
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
    /// Whether the place at a mark was picked out of several as the worst.
    fn is_worst(&self, at: usize) -> bool {
        matches!(self.clause.marks[at], Mark::Place(index) if self.clause.worst[index as usize])
    }

    fn has_vertebra(&self) -> bool {
        self.candidates.iter().any(|(_, place)| *place == Place::Vertebra)
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
