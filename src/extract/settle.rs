//! Claims with their places to statements, once the whole text is known: which levels the
//! report has, which of them it mentions, and what an addendum supersedes.

use smallvec::SmallVec;

use super::finding::{Finding, Mention};
use super::sense::Anatomy;
use crate::label::{
    Cell, Certainty, Directness, Grade, Level, LevelSet, Naming, Side, Span, Statement,
    StenosisType, Target, Trace,
};

/// Where a claim holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Where {
    /// At these levels; at none where they get no label.
    Named(LevelSet),
    /// At every lumbar level but these (rule 5).
    Universal { except: LevelSet },
    /// At the levels of which nothing else is said for this structure.
    Remaining { except: LevelSet },
    /// At the levels that are not mentioned at all (rule 7).
    Unmentioned { except: LevelSet },
    /// A line about the canal as a whole under a level's heading (rule 3).
    Whole { levels: LevelSet, scope: usize, line: usize },
    /// No label (rule 6).
    Nowhere,
}

/// A claim with its place.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub anatomy: Anatomy,
    pub side: Option<Side>,
    pub grade: Grade,
    pub certainty: Certainty,
    pub place: Where,
    pub trace: Trace,
    pub evidence: SmallVec<[Span; 4]>,
    pub addendum: bool,
}

/// All claims of a text.
#[derive(Debug, Default)]
pub(super) struct Drafts {
    drafts: Vec<Draft>,
    mentioned: LevelSet,
    bearing: Vec<(LevelSet, Span)>,
    /// The scope and line of each clause about a level that is not about the canal as a whole.
    lines: Vec<(LevelSet, Span)>,
}

/// What a text comes to.
#[derive(Debug)]
pub(super) struct Settled {
    pub statements: Vec<Statement>,
    /// The clauses that bear on each level.
    pub bearing: Vec<(LevelSet, Span)>,
    /// The levels that a universal statement covers.
    pub universal: LevelSet,
    transitional: bool,
}

impl Settled {
    /// Whether the report has such a level: a sixth lumbar one must be stated.
    pub fn exists(&self, level: Level) -> bool {
        self.transitional || !matches!(level, Level::L5L6 | Level::L6S1 | Level::S1S2)
    }
}

impl Drafts {
    pub fn add(&mut self, draft: Draft) {
        self.drafts.push(draft);
    }

    /// Notes that the text names these levels.
    pub fn mention(&mut self, levels: LevelSet) {
        self.mentioned = self.mentioned.union(levels);
    }

    /// Notes that a clause is about these levels.
    pub fn bear(&mut self, levels: LevelSet, span: Span) {
        if !levels.is_empty() {
            self.bearing.push((levels, span));
            self.lines.push((levels, span));
        }
    }

    /// The statements that follow, in the order of the text.
    pub fn settle(self, mentions: &[Mention]) -> Settled {
        let transitional =
            mentions.iter().any(|m| m.finding == Finding::TransitionalAnatomy && !m.negated);
        let six = transitional
            && (self.mentioned.contains(Level::L5L6) || self.mentioned.contains(Level::L6S1));
        let mut universal = if six { LevelSet::SIX_LUMBAR } else { LevelSet::LUMBAR };
        if self.mentioned.contains(Level::T12L1) {
            universal = universal.with(Level::T12L1);
        }
        let lumbar = if six { LevelSet::SIX_LUMBAR } else { LevelSet::LUMBAR };
        let mut settled =
            Settled { statements: Vec::new(), bearing: self.bearing.clone(), universal, transitional };
        let mut superseding: SmallVec<[Cell; 8]> = SmallVec::new();
        let mut order: Vec<(bool, Statement)> = Vec::new();
        for draft in &self.drafts {
            let (levels, naming) = self.levels(draft, universal, lumbar);
            let levels: LevelSet = levels.iter().filter(|&l| settled.exists(l)).collect();
            for statement in statements(draft, levels, naming) {
                if draft.addendum {
                    superseding.push(statement.cell);
                }
                order.push((draft.addendum, statement));
            }
            if naming == Naming::Universal && let Some(span) = covering(draft) {
                settled.bearing.push((levels, span));
            }
        }
        settled.statements = order
            .into_iter()
            .filter(|(addendum, statement)| *addendum || !superseding.contains(&statement.cell))
            .map(|(_, statement)| statement)
            .collect();
        settled
    }

    fn levels(&self, draft: &Draft, universal: LevelSet, lumbar: LevelSet) -> (LevelSet, Naming) {
        match draft.place {
            Where::Named(levels) => (levels, Naming::Named),
            Where::Universal { except } => (universal.difference(except), Naming::Universal),
            Where::Remaining { except } => {
                let said = self.said_of(draft.anatomy);
                (lumbar.difference(except).difference(said), Naming::Named)
            }
            Where::Unmentioned { except } => {
                (lumbar.difference(except).difference(self.mentioned), Naming::Named)
            }
            Where::Whole { levels, scope, line } => {
                if self.is_own(draft, scope, line) {
                    (levels, Naming::Named)
                } else {
                    (universal, Naming::Universal)
                }
            }
            Where::Nowhere => (LevelSet::EMPTY, Naming::Named),
        }
    }

    /// The levels of which something named is said for the same structure.
    fn said_of(&self, anatomy: Anatomy) -> LevelSet {
        self.drafts
            .iter()
            .filter(|draft| stenosis_of(draft.anatomy) == stenosis_of(anatomy))
            .fold(LevelSet::EMPTY, |all, draft| match draft.place {
                Where::Named(levels) | Where::Whole { levels, .. } => all.union(levels),
                _ => all,
            })
    }

    /// Whether a line about the canal as a whole is its level's own: a further line about that
    /// level follows, or such lines stand under several levels (rule 3).
    fn is_own(&self, draft: &Draft, scope: usize, _line: usize) -> bool {
        let several = self.drafts.iter().any(|other| {
            matches!(other.place, Where::Whole { scope: s, .. } if s != scope)
        });
        let Where::Whole { levels, .. } = draft.place else { return several };
        let end = draft.evidence.last().map_or(0, |span| span.end);
        let next_heading = self
            .drafts
            .iter()
            .filter_map(|other| match other.place {
                Where::Whole { scope: s, .. } if s == scope => other.evidence.last(),
                _ => None,
            })
            .map(|span| span.end)
            .max()
            .unwrap_or(end);
        let follows = self
            .lines
            .iter()
            .any(|(about, span)| *about == levels && span.start > next_heading.max(end));
        several || follows
    }
}

fn statements(
    draft: &Draft,
    levels: LevelSet,
    naming: Naming,
) -> impl Iterator<Item = Statement> + '_ {
    let rule: &[u8] = match (naming, levels.len()) {
        (Naming::Universal, _) => &[5],
        (Naming::Named, 2..) => &[4],
        (Naming::Named, _) => &[],
    };
    let trace = draft.trace.and(Trace::of(rule));
    levels.iter().flat_map(move |level| {
        Target::of(stenosis_of(draft.anatomy), draft.side).map(move |target| Statement {
            cell: Cell { level, target },
            grade: draft.grade,
            certainty: draft.certainty,
            directness: match draft.anatomy {
                Anatomy::Sac => Directness::Indirect,
                _ => Directness::Direct,
            },
            naming,
            evidence: draft.evidence.clone(),
            trace,
        })
    })
}

const fn stenosis_of(anatomy: Anatomy) -> StenosisType {
    match anatomy {
        Anatomy::Canal | Anatomy::Sac => StenosisType::Central,
        Anatomy::Foramen => StenosisType::Foraminal,
        Anatomy::Recess => StenosisType::Recess,
    }
}

fn covering(draft: &Draft) -> Option<Span> {
    let (first, last) = (draft.evidence.first()?, draft.evidence.last()?);
    Some(Span { start: first.start, end: last.end })
}
