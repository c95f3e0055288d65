//! One reader's verdict on one cell, and rule 22, which turns statements into one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, de};
use smallvec::SmallVec;

use super::{Cell, Certainty, Directness, Doubt, Grade, Naming, Span, Statement, UnknownName};

/// What a reader concludes about a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
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

impl FromStr for Verdict {
    type Err = UnknownName;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match s {
            "not_mentioned" => Ok(Self::NotMentioned),
            "unassessable" => Ok(Self::Unassessable),
            grade => Ok(Self::Graded(grade.parse()?)),
        }
    }
}

/// By hand, as what serde derives for such an enum does not say which word it did not know.
impl<'de> Deserialize<'de> for Verdict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;

        impl de::Visitor<'_> for Name {
            type Value = Verdict;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a grade, `not_mentioned` or `unassessable`")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Verdict, E> {
                name.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Name)
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
    /// Why the cell should be looked at first, where the reader is in doubt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
    /// What the verdict rests on.
    pub evidence: Evidence,
}

impl Opinion {
    /// How probable the verdict is, where the reader tells.
    pub fn probability(&self) -> Option<f32> {
        let grades = self.distribution?;
        match self.verdict {
            Verdict::Graded(grade) => Some(grades[grade as usize]),
            Verdict::NotMentioned => Some(1.0 - grades.iter().sum::<f32>()),
            Verdict::Unassessable => None,
        }
    }
}

/// A filter of rule 22, named for the statements that it sets aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Filter {
    /// (a) Normal and stenosis both occur, and a direct statement speaks.
    Indirect,
    /// (b) Another statement names its level.
    Universal,
    /// (c) Another stenosis has a degree.
    Ungraded,
    /// (d) Another statement is more severe: the only filter that makes a conflict.
    Milder,
}

impl Filter {
    /// The letter in the guideline.
    pub const fn letter(self) -> char {
        match self {
            Self::Indirect => 'a',
            Self::Universal => 'b',
            Self::Ungraded => 'c',
            Self::Milder => 'd',
        }
    }

    /// Why a statement that the filter sets aside gives way, in a few words.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Indirect => "indirect, where a direct statement settles normal or not",
            Self::Universal => "universal, where another statement names the level",
            Self::Ungraded => "without a degree, where another stenosis has one",
            Self::Milder => "less severe than another statement",
        }
    }
}

/// The statements of one cell, and which filter has set which of them aside so far.
struct Sieve<'a> {
    statements: &'a [Statement],
    aside: SmallVec<[Option<Filter>; 8]>,
}

impl Sieve<'_> {
    fn standing(&self) -> impl Iterator<Item = &Statement> {
        self.statements.iter().zip(&self.aside).filter(|(_, aside)| aside.is_none()).map(|(s, _)| s)
    }

    fn any(&self, test: impl Fn(&Statement) -> bool) -> bool {
        self.standing().any(test)
    }

    fn set_aside(&mut self, filter: Filter, test: impl Fn(&Statement) -> bool) {
        for (statement, aside) in self.statements.iter().zip(&mut self.aside) {
            if aside.is_none() && test(statement) {
                *aside = Some(filter);
            }
        }
    }
}

/// Rule 22 statement by statement: for each statement of one cell the filter that sets it aside,
/// or none where it stands.
///
/// The filters run in the guideline's order: (a) where normal and stenosis both occur and any is
/// direct, indirect ones go; (b) where any names its level, universal ones go; (c) where any
/// stenosis is graded, `present` goes; (d) the most severe stays.
pub fn sift(statements: &[Statement]) -> SmallVec<[Option<Filter>; 8]> {
    let mut sieve = Sieve { statements, aside: SmallVec::from_elem(None, statements.len()) };
    if sieve.any(|s| s.grade.is_stenosis())
        && sieve.any(|s| !s.grade.is_stenosis())
        && sieve.any(|s| s.directness == Directness::Direct)
    {
        sieve.set_aside(Filter::Indirect, |s| s.directness == Directness::Indirect);
    }
    if sieve.any(|s| s.naming == Naming::Named) {
        sieve.set_aside(Filter::Universal, |s| s.naming == Naming::Universal);
    }
    if sieve.any(|s| s.grade.is_stenosis() && s.grade.rank().is_some()) {
        sieve.set_aside(Filter::Ungraded, |s| s.grade == Grade::Present);
    }
    let severity = |grade: Grade| match grade {
        // Filter (c) leaves `present` only beside `normal`, which it outweighs.
        Grade::Present => 1,
        graded => graded as u8,
    };
    if let Some(worst) = sieve.standing().map(|s| s.grade).max_by_key(|&grade| severity(grade)) {
        sieve.set_aside(Filter::Milder, |s| s.grade != worst);
    }
    sieve.aside
}

/// Rule 22: the opinion that follows from all statements of a text about `cell`.
///
/// [`sift`] decides which statements stand. The others are kept as evidence too; statements
/// about other cells are not.
pub fn resolve(cell: Cell, mut statements: Vec<Statement>) -> Opinion {
    statements.retain(|s| s.cell == cell);
    let aside = sift(&statements);
    let standing = || statements.iter().zip(&aside).filter(|(_, f)| f.is_none()).map(|(s, _)| s);
    Opinion {
        cell,
        verdict: standing().next().map_or(Verdict::NotMentioned, |s| Verdict::Graded(s.grade)),
        // Hedged only where nobody says it plainly: one plain statement of the same grade suffices.
        certainty: standing().map(|s| s.certainty).min().unwrap_or_default(),
        conflict: aside.contains(&Some(Filter::Milder)),
        distribution: None,
        doubt: None,
        evidence: Evidence::Statements(statements),
    }
}

/// Rule 22 over all statements of a text: an opinion for each cell that any of them is about, in the
/// order of cells.
pub fn resolve_all(statements: &[Statement]) -> Vec<Opinion> {
    let mut by_cell: [Vec<Statement>; Cell::COUNT] = std::array::from_fn(|_| Vec::new());
    for statement in statements {
        by_cell[statement.cell.index()].push(statement.clone());
    }
    by_cell
        .into_iter()
        .filter_map(|statements| Some(resolve(statements.first()?.cell, statements)))
        .filter(|opinion| opinion.verdict != Verdict::NotMentioned)
        .collect()
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
    fn each_filter_names_the_statements_that_it_sets_aside() {
        let statements = [
            statement(Grade::Severe),
            statement(Grade::Mild),
            statement(Grade::Present),
            universal(Grade::Normal),
            indirect(Grade::Severe),
        ];
        assert_eq!(
            sift(&statements).as_slice(),
            [
                None,
                Some(Filter::Milder),
                Some(Filter::Ungraded),
                Some(Filter::Universal),
                Some(Filter::Indirect)
            ]
        );
    }

    #[test]
    fn statements_about_other_cells_are_no_evidence() {
        let elsewhere = Cell { level: Level::L1L2, ..CELL };
        let other = Statement { cell: elsewhere, ..statement(Grade::Severe) };
        let opinion = resolve(CELL, vec![other, statement(Grade::Mild)]);
        assert_eq!(opinion.verdict, Verdict::Graded(Grade::Mild));
        assert_eq!(opinion.evidence, Evidence::Statements(vec![statement(Grade::Mild)]));
    }

    #[test]
    fn verdicts_are_plain_words_in_json() {
        let words: Vec<_> =
            [Verdict::NotMentioned, Verdict::Unassessable, Verdict::Graded(Grade::ModerateSevere)]
                .map(|v| serde_json::to_value(v).unwrap())
                .into();
        assert_eq!(words, ["not_mentioned", "unassessable", "moderate_severe"]);
        assert_eq!(Verdict::Unassessable.name(), words[1]);
        for word in words {
            let back: Verdict = serde_json::from_value(word.clone()).unwrap();
            assert_eq!(back.name(), word);
        }
        let unknown = serde_json::from_str::<Verdict>("\"awful\"").unwrap_err().to_string();
        assert!(unknown.starts_with("`awful` is not a grade; known are: normal"), "{unknown}");
        assert!(serde_json::from_str::<Verdict>("3").is_err());
    }
}
