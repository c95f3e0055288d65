//! One reader's verdict on one cell, and rule 22, which turns statements into one.

use serde::{Deserialize, Serialize};

use super::{Cell, Certainty, Directness, Grade, Naming, Span, Statement};

/// What a reader concludes about a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The subject was read and says nothing about the cell. Never the same as normal.
    NotMentioned,
    /// The cell cannot be judged, for example behind a metal artifact.
    Unassessable,
    /// A grade.
    #[serde(untagged)]
    Graded(Grade),
}

impl Verdict {
    /// The grade, where there is one.
    pub const fn grade(self) -> Option<Grade> {
        match self {
            Self::Graded(grade) => Some(grade),
            Self::NotMentioned | Self::Unassessable => None,
        }
    }

    /// The name in files, such as `not_mentioned` or `mild_moderate`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotMentioned => "not_mentioned",
            Self::Unassessable => "unassessable",
            Self::Graded(grade) => grade.name(),
        }
    }
}

/// What an opinion rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// Statements of a text.
    Statements(Vec<Statement>),
    /// Words of a text, as a person marks them or a transformer attends to them.
    Spans(Vec<Span>),
    /// A place in an image.
    Image(ImageEvidence),
}

/// Where in a study a verdict was read off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageEvidence {
    /// SeriesInstanceUID, or the file's name where a format carries no UID.
    pub series: String,
    /// Slice index within the series, from 0.
    pub slice: u32,
    /// Left, top, right, bottom in pixels of that slice.
    pub bounds: [u32; 4],
}

/// One reader's verdict on one cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Opinion {
    /// The cell.
    pub cell: Cell,
    /// The verdict.
    pub verdict: Verdict,
    /// Stated or hedged.
    pub certainty: Certainty,
    /// Rule 22(d) decided between different grades.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub conflict: bool,
    /// Probabilities by [`Grade::ALL`] where the reader has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distribution: Option<[f32; Grade::ALL.len()]>,
    /// What the verdict rests on.
    pub evidence: Evidence,
}

/// Rule 22: the opinion that follows from all statements of a text about `cell`.
///
/// The filters run in the guideline's order: (a) where normal and stenosis both occur and any is
/// direct, indirect ones go; (b) where any names its level, universal ones go; (c) where any
/// stenosis is graded, `present` goes; (d) the most severe stays. All statements are kept as
/// evidence, also those that a filter set aside. Statements about other cells are ignored.
pub fn resolve(cell: Cell, statements: Vec<Statement>) -> Opinion {
    let mut kept: Vec<&Statement> = statements.iter().filter(|s| s.cell == cell).collect();

    let has = |kept: &[&Statement], test: fn(&Statement) -> bool| kept.iter().any(|s| test(s));
    if has(&kept, |s| s.grade.is_stenosis())
        && has(&kept, |s| !s.grade.is_stenosis())
        && has(&kept, |s| s.directness == Directness::Direct)
    {
        kept.retain(|s| s.directness == Directness::Direct);
    }
    if has(&kept, |s| s.naming == Naming::Named) {
        kept.retain(|s| s.naming == Naming::Named);
    }
    if has(&kept, |s| s.grade.is_stenosis() && s.grade.rank().is_some()) {
        kept.retain(|s| s.grade != Grade::Present);
    }
    let severity = |grade: Grade| match grade {
        // Filter (c) leaves `present` only beside `normal`, which it outweighs.
        Grade::Present => 1,
        graded => graded as u8,
    };
    let Some(worst) = kept.iter().map(|s| s.grade).max_by_key(|&g| severity(g)) else {
        return Opinion {
            cell,
            verdict: Verdict::NotMentioned,
            certainty: Certainty::Stated,
            conflict: false,
            distribution: None,
            evidence: Evidence::Statements(Vec::new()),
        };
    };
    let conflict = kept.iter().any(|s| s.grade != worst);
    kept.retain(|s| s.grade == worst);
    // Hedged only where nobody says it plainly: one plain statement of the same grade suffices.
    let certainty = kept.iter().map(|s| s.certainty).min().unwrap_or_default();
    Opinion {
        cell,
        verdict: Verdict::Graded(worst),
        certainty,
        conflict,
        distribution: None,
        evidence: Evidence::Statements(statements),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Level, Target};
    use super::*;

    const CELL: Cell = Cell { level: Level::L4L5, target: Target::Central };

    fn statement(grade: Grade) -> Statement {
        Statement {
            cell: CELL,
            grade,
            certainty: Certainty::Stated,
            directness: Directness::Direct,
            naming: Naming::Named,
            evidence: Default::default(),
            trace: Default::default(),
        }
    }

    fn indirect(grade: Grade) -> Statement {
        Statement { directness: Directness::Indirect, ..statement(grade) }
    }

    fn universal(grade: Grade) -> Statement {
        Statement { naming: Naming::Universal, ..statement(grade) }
    }

    fn verdict(statements: &[Statement]) -> (Verdict, bool) {
        let opinion = resolve(CELL, statements.to_vec());
        (opinion.verdict, opinion.conflict)
    }

    #[test]
    fn nothing_said_is_not_mentioned() {
        assert_eq!(verdict(&[]), (Verdict::NotMentioned, false));
    }

    #[test]
    fn a_direct_normal_outweighs_an_indirect_stenosis() {
        let both = [indirect(Grade::Mild), universal(Grade::Normal)];
        assert_eq!(verdict(&both), (Verdict::Graded(Grade::Normal), false));
    }

    #[test]
    fn indirect_statements_stand_where_no_direct_one_does() {
        let both = [indirect(Grade::Mild), indirect(Grade::Normal)];
        assert_eq!(verdict(&both), (Verdict::Graded(Grade::Mild), true));
    }

    #[test]
    fn an_indirect_degree_stays_beside_a_direct_stenosis() {
        let both = [indirect(Grade::Severe), statement(Grade::Present)];
        assert_eq!(verdict(&both), (Verdict::Graded(Grade::Severe), false));
    }

    #[test]
    fn a_named_statement_outweighs_a_universal_one() {
        let both = [statement(Grade::Mild), universal(Grade::Severe)];
        assert_eq!(verdict(&both), (Verdict::Graded(Grade::Mild), false));
    }

    #[test]
    fn a_degree_outweighs_present_but_normal_does_not() {
        let graded = [statement(Grade::Present), statement(Grade::Mild)];
        assert_eq!(verdict(&graded), (Verdict::Graded(Grade::Mild), false));
        let normal = [statement(Grade::Present), statement(Grade::Normal)];
        assert_eq!(verdict(&normal), (Verdict::Graded(Grade::Present), true));
    }

    #[test]
    fn the_most_severe_stays_and_the_difference_is_a_conflict() {
        let both = [statement(Grade::Moderate), statement(Grade::Severe)];
        assert_eq!(verdict(&both), (Verdict::Graded(Grade::Severe), true));
    }

    #[test]
    fn certainty_is_that_of_the_statements_kept() {
        let hedged = Statement { certainty: Certainty::Hedged, ..statement(Grade::Severe) };
        let opinion = resolve(CELL, vec![hedged.clone(), statement(Grade::Mild)]);
        assert_eq!(opinion.certainty, Certainty::Hedged);
        let opinion = resolve(CELL, vec![hedged, statement(Grade::Severe)]);
        assert_eq!(opinion.certainty, Certainty::Stated);
    }

    #[test]
    fn verdicts_are_plain_words_in_json() {
        let words: Vec<_> =
            [Verdict::NotMentioned, Verdict::Unassessable, Verdict::Graded(Grade::ModerateSevere)]
                .map(|v| serde_json::to_value(v).unwrap())
                .into();
        assert_eq!(words, ["not_mentioned", "unassessable", "moderate_severe"]);
        assert_eq!(Verdict::Unassessable.name(), words[1]);
        let back: Verdict = serde_json::from_value(words[2].clone()).unwrap();
        assert_eq!(back, Verdict::Graded(Grade::ModerateSevere));
    }
}
