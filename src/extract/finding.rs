//! What a report mentions beside stenosis, and what it measures. None of it is a label.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::label::{Certainty, Level, LevelSet, Naming, Side, Span, Statement};

/// A finding that search and cohorts ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "radiology's own words")]
pub enum Finding {
    Bulge,
    Protrusion,
    Extrusion,
    Sequestration,
    AnnularFissure,
    FacetArthropathy,
    FlavumThickening,
    Listhesis,
    NerveRootContact,
    NerveRootCompression,
    ModicChange,
    Fracture,
    PriorSurgery,
    TransitionalAnatomy,
}

impl Finding {
    /// Every finding, in the order of columns and facets.
    pub const ALL: [Self; 14] = [
        Self::Bulge,
        Self::Protrusion,
        Self::Extrusion,
        Self::Sequestration,
        Self::AnnularFissure,
        Self::FacetArthropathy,
        Self::FlavumThickening,
        Self::Listhesis,
        Self::NerveRootContact,
        Self::NerveRootCompression,
        Self::ModicChange,
        Self::Fracture,
        Self::PriorSurgery,
        Self::TransitionalAnatomy,
    ];

    /// The name in files and queries, such as `annular_fissure`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bulge => "bulge",
            Self::Protrusion => "protrusion",
            Self::Extrusion => "extrusion",
            Self::Sequestration => "sequestration",
            Self::AnnularFissure => "annular_fissure",
            Self::FacetArthropathy => "facet_arthropathy",
            Self::FlavumThickening => "flavum_thickening",
            Self::Listhesis => "listhesis",
            Self::NerveRootContact => "nerve_root_contact",
            Self::NerveRootCompression => "nerve_root_compression",
            Self::ModicChange => "modic_change",
            Self::Fracture => "fracture",
            Self::PriorSurgery => "prior_surgery",
            Self::TransitionalAnatomy => "transitional_anatomy",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One mention of a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mention {
    /// What is mentioned.
    pub finding: Finding,
    /// The level it is mentioned at; none where the text names none.
    pub level: Option<Level>,
    /// The side, where exactly one is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
    /// Meyerding grade of a listhesis, 1 to 5, or Modic type, 1 to 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<u8>,
    /// "no disc extrusion".
    pub negated: bool,
    /// Stated or hedged.
    pub certainty: Certainty,
    /// Where in the text.
    pub span: Span,
}

/// What was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// A diameter of the spinal canal, in mm.
    CanalDiameter,
    /// A diameter of the thecal sac, in mm.
    SacDiameter,
    /// The cross-sectional area of the canal or thecal sac, in mm².
    SacArea,
}

impl Quantity {
    /// The name in files, such as `canal_diameter`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CanalDiameter => "canal_diameter",
            Self::SacDiameter => "sac_diameter",
            Self::SacArea => "sac_area",
        }
    }
}

/// A length or area that a report gives (rule 21: no grade follows from it).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// What was measured.
    pub quantity: Quantity,
    /// The level; none where the text names none.
    pub level: Option<Level>,
    /// In mm or mm².
    pub value: f32,
    /// Where in the text.
    pub span: Span,
}

/// A clause of a part that counts, and the levels that it is about; none where it names none and
/// none is in scope, so that it may hold for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClauseSpan {
    /// Where in the text.
    pub span: Span,
    /// The levels.
    pub levels: LevelSet,
}

/// The text that bears on one level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// The level.
    pub level: Level,
    /// Clauses about the level, in the order of the text, without overlap.
    pub own: Vec<Span>,
    /// Clauses about no level in particular, which may hold for this one too.
    pub general: Vec<Span>,
}

/// What a section of a report is for (rule 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// Findings of the current examination; also what stands under no heading.
    Findings,
    /// Impression, conclusion.
    Impression,
    /// An addendum: supersedes what it corrects.
    Addendum,
    /// Indication, history, technique, comparison, plan: nothing in it counts.
    Background,
}

impl Section {
    /// Every section.
    pub const ALL: [Self; 4] = [Self::Findings, Self::Impression, Self::Addendum, Self::Background];
}

/// A stretch of a text that is one section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionSpan {
    /// The section.
    pub section: Section,
    /// From its heading to before the next section's.
    pub span: Span,
}

/// Everything that the rules read out of one text.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Extraction {
    /// Claims about cells, in the order of the text.
    pub statements: Vec<Statement>,
    /// Other findings.
    pub mentions: Vec<Mention>,
    /// Lengths and areas.
    pub measurements: Vec<Measurement>,
    /// The clauses of what counts, in the order of the text.
    #[serde(skip)]
    pub clauses: Vec<ClauseSpan>,
    /// Where levels are named, with the levels.
    #[serde(skip)]
    pub namings: Vec<ClauseSpan>,
    /// The levels that a statement about the whole lumbar spine covers in this report (rule 5).
    #[serde(skip)]
    pub lumbar: LevelSet,
    /// The sections, which together are the whole text.
    #[serde(default)]
    pub sections: Vec<SectionSpan>,
}

impl Extraction {
    /// The text that bears on each level that any text may bear on, from top to bottom.
    pub fn passages(&self) -> Vec<Passage> {
        let clauses = self.bearing_clauses();
        let named = clauses.iter().fold(LevelSet::EMPTY, |all, c| all.union(c.levels));
        let universal =
            if clauses.iter().any(|c| c.is_general) { self.lumbar } else { LevelSet::EMPTY };
        let passage = |level| {
            let (own, others): (Vec<_>, Vec<_>) =
                clauses.iter().partition(|clause| clause.levels.contains(level));
            Passage {
                level,
                own: own.into_iter().map(|clause| clause.span).collect(),
                general: others.into_iter().filter(|c| c.is_general).map(|c| c.span).collect(),
            }
        };
        named.union(universal).iter().map(passage).collect()
    }

    /// The clauses with what they bear on: also the levels that a statement in them reaches without
    /// naming them, as "the remaining levels" does.
    fn bearing_clauses(&self) -> Vec<BearingClause> {
        let mut clauses: Vec<BearingClause> = self
            .clauses
            .iter()
            .map(|&ClauseSpan { span, levels }| BearingClause {
                span,
                levels,
                is_general: levels.is_empty(),
            })
            .collect();
        for statement in &self.statements {
            let Some(evidence) = statement.evidence.first() else { continue };
            let after = clauses.partition_point(|clause| clause.span.start <= evidence.start);
            let Some(clause) = after.checked_sub(1).map(|at| &mut clauses[at]) else { continue };
            match statement.naming {
                Naming::Universal => clause.is_general = true,
                Naming::Named if clause.levels.is_empty() => {}
                Naming::Named => clause.levels = clause.levels.with(statement.cell.level),
            }
        }
        clauses
    }
}

/// A clause and what it bears on.
struct BearingClause {
    span: Span,
    levels: LevelSet,
    /// Whether it may hold for every level.
    is_general: bool,
}

#[cfg(test)]
mod tests {
    use super::super::{Extractor, Lexicon};
    use super::*;

    /// The words of each level's own clauses and of its general ones.
    fn passages(text: &str) -> Vec<(Level, String, String)> {
        let extraction = Extractor::new(&Lexicon::builtin("en").unwrap()).extract(text);
        let words = |spans: Vec<Span>| -> String {
            spans.into_iter().map(|span| &text[span.range()]).collect::<Vec<_>>().join(" | ")
        };
        extraction
            .passages()
            .into_iter()
            .map(|passage| (passage.level, words(passage.own), words(passage.general)))
            .collect()
    }

    #[test]
    fn a_line_about_the_whole_canal_under_one_level_is_in_the_passage_of_each() {
        let all = passages("L5-S1: Small bulge.\nThe canal is wide.");
        let levels: Vec<Level> = all.iter().map(|(level, ..)| *level).collect();
        assert_eq!(levels, [Level::L1L2, Level::L2L3, Level::L3L4, Level::L4L5, Level::L5S1]);
        let (last, above) = all.split_last().unwrap();
        assert!(last.1.contains("bulge") && last.1.contains("wide"), "{last:?}");
        for (_, own, general) in above {
            assert!(own.is_empty() && general.contains("wide"), "{all:?}");
        }
    }
}
