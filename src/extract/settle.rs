//! Claims with their places to statements, once the whole text is known: which levels the
//! report has, which of them it mentions, and what an addendum supersedes.

use smallvec::SmallVec;

use super::finding::{ClauseSpan, Finding, Mention};
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
    Whole { levels: LevelSet, scope: usize },
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
    /// The clauses, and the levels that each is about.
    clauses: Vec<ClauseSpan>,
}

/// What a text comes to.
#[derive(Debug)]
pub(super) struct Settled {
    pub statements: Vec<Statement>,
    pub clauses: Vec<ClauseSpan>,
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

    /// Notes a clause and the levels that it is about.
    pub fn clause(&mut self, levels: LevelSet, span: Span) {
        self.clauses.push(ClauseSpan { span, levels });
    }

    /// The statements that follow, in the order of the text.
    pub fn settle(self, mentions: &[Mention]) -> Settled {
        let transitional =
            mentions.iter().any(|m| m.finding == Finding::TransitionalAnatomy && !m.negated);
        let six = transitional
            && (self.mentioned.contains(Level::L5L6) || self.mentioned.contains(Level::L6S1));
        let lumbar = if six { LevelSet::SIX_LUMBAR } else { LevelSet::LUMBAR };
        let universal =
            if self.mentioned.contains(Level::T12L1) { lumbar.with(Level::T12L1) } else { lumbar };
        let known = Known { lumbar, universal, mentioned: self.mentioned, said: self.said() };
        let own = self.own_scopes();
        let exists = |level: Level| {
            transitional || !matches!(level, Level::L5L6 | Level::L6S1 | Level::S1S2)
        };

        let mut superseded = [false; Cell::COUNT];
        let mut order: Vec<(bool, Statement)> = Vec::new();
        for draft in &self.drafts {
            let (levels, naming) = known.levels(draft, &own);
            let levels: LevelSet = levels.iter().filter(|&level| exists(level)).collect();
            for statement in statements(draft, levels, naming) {
                superseded[statement.cell.index()] |= draft.addendum;
                order.push((draft.addendum, statement));
            }
        }
        order.retain(|(addendum, statement)| *addendum || !superseded[statement.cell.index()]);
        let statements = order.into_iter().map(|(_, statement)| statement).collect();
        Settled { statements, clauses: self.clauses, universal, transitional }
    }

    /// The levels of which something named is said, by structure.
    fn said(&self) -> [LevelSet; 3] {
        let mut said = [LevelSet::EMPTY; 3];
        for draft in &self.drafts {
            if let Where::Named(levels) | Where::Whole { levels, .. } = draft.place {
                let of = &mut said[stenosis_of(draft.anatomy) as usize];
                *of = of.union(levels);
            }
        }
        said
    }

    /// The scopes whose lines about the canal as a whole are their level's own: a further line
    /// about that level follows, or such lines stand under several levels (rule 3).
    fn own_scopes(&self) -> Vec<usize> {
        let whole = self.drafts.iter().filter_map(|draft| match draft.place {
            Where::Whole { levels, scope } => {
                Some((scope, levels, draft.evidence.last().map_or(0, |span| span.end)))
            }
            _ => None,
        });
        // Scopes come in the order of the text, so their last lines do too.
        let mut scopes: Vec<(usize, LevelSet, u32)> = Vec::new();
        for (scope, levels, end) in whole {
            match scopes.last_mut() {
                Some(last) if last.0 == scope => last.2 = last.2.max(end),
                _ => scopes.push((scope, levels, end)),
            }
        }
        if scopes.len() > 1 {
            return scopes.into_iter().map(|(scope, ..)| scope).collect();
        }
        let follows = |levels: LevelSet, end: u32| {
            self.clauses.iter().any(|clause| clause.levels == levels && clause.span.start > end)
        };
        scopes.retain(|&(_, levels, end)| follows(levels, end));
        scopes.into_iter().map(|(scope, ..)| scope).collect()
    }
}

/// What is known of a text's levels once all of it is read.
struct Known {
    lumbar: LevelSet,
    universal: LevelSet,
    mentioned: LevelSet,
    said: [LevelSet; 3],
}

impl Known {
    /// The levels of a draft. `own` are the scopes of lines that are their level's own, sorted.
    fn levels(&self, draft: &Draft, own: &[usize]) -> (LevelSet, Naming) {
        match draft.place {
            Where::Named(levels) => (levels, Naming::Named),
            Where::Universal { except } => (self.universal.difference(except), Naming::Universal),
            Where::Remaining { except } => {
                let said = self.said[stenosis_of(draft.anatomy) as usize];
                (self.lumbar.difference(except).difference(said), Naming::Named)
            }
            Where::Unmentioned { except } => {
                (self.lumbar.difference(except).difference(self.mentioned), Naming::Named)
            }
            Where::Whole { levels, scope } => match own.binary_search(&scope) {
                Ok(_) => (levels, Naming::Named),
                Err(_) => (self.universal, Naming::Universal),
            },
            Where::Nowhere => (LevelSet::EMPTY, Naming::Named),
        }
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
