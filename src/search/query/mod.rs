//! The query language, the same on the command line, in the browser and in cohorts.
//!
//! [`Query::parse`] makes a tree of a text; what the tree displays is the query in its canonical
//! spelling, which parses to the same tree. Nothing here knows of an index.

mod display;
mod error;
mod lexer;
mod parser;
mod range;
mod term;
#[cfg(test)]
mod tests;

use crate::extract::Finding;
use crate::label::{Grade, Level, ReaderKind, Status, StenosisType, TARGETS, Target};

pub use error::{Problem, QueryError};
pub use range::{AgeRange, DateRange};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// Everything.
    All,
    /// What all of them find.
    And(Vec<Query>),
    /// What any of them finds.
    Or(Vec<Query>),
    /// What it does not find.
    Not(Box<Query>),
    /// Reports with these words.
    Text(Text),
    /// Reports of which this is known.
    Field(Field),
    /// Reports labelled so.
    Cell(CellQuery),
    /// Reports that affirm a finding.
    Finding(FindingQuery),
    /// Reports whose label is settled so far.
    Status(Status),
    /// Reports that contradict themselves about a cell.
    Conflict,
    /// Reports whose label a reader decided: a kind of reader, or a person by name.
    By(String),
}

impl Query {
    /// Parses a query. A text without a word asks for everything.
    ///
    /// # Errors
    /// Where it cannot be understood; the error points at the place.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        parser::parse(text)
    }
}

impl Query {
    /// Whether it names a patient, a study, a report, a source or a person.
    pub fn names_someone(&self) -> bool {
        match self {
            Self::And(queries) | Self::Or(queries) => queries.iter().any(Self::names_someone),
            Self::Not(query) => query.names_someone(),
            Self::Field(field) => !matches!(
                field,
                Field::Modality(_) | Field::Sex(_) | Field::Date(_) | Field::Age(_)
            ),
            Self::By(reader) => reader.parse::<ReaderKind>().is_err(),
            _ => false,
        }
    }
}

/// Words in a report, or in one of its sections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The section; anywhere if none.
    pub section: Option<Section>,
    /// The words.
    pub pattern: Pattern,
}

/// Words as they were typed. They are cut and stemmed like the reports that they are looked for in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// A word.
    Word(String),
    /// Words that begin like this.
    Prefix(String),
    /// Words that differ from this one by some letters at most.
    Fuzzy {
        /// The word.
        word: String,
        /// How many letters may be wrong, missing, too many or swapped.
        distance: u8,
    },
    /// Words in this order.
    Phrase {
        /// The words.
        words: String,
        /// By how many places they may be out of place. What stands between two parts of a section
        /// counts as one.
        slop: u32,
    },
}

/// A part of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// Findings of the examination; also what stands under no heading.
    Findings,
    /// Impression, conclusion.
    Impression,
    /// What was added later.
    Addendum,
    /// Indication, history, technique, comparison: what is no finding of the examination.
    Background,
}

impl Section {
    /// Every section.
    pub const ALL: [Self; 4] = [Self::Findings, Self::Impression, Self::Addendum, Self::Background];

    /// The name in queries.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Findings => "findings",
            Self::Impression => "impression",
            Self::Addendum => "addendum",
            Self::Background => "background",
        }
    }
}

/// Something known about a report beside its text. Values are compared as they are, but for
/// modality and sex, which are in capitals.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Field {
    Modality(String),
    Sex(String),
    Patient(String),
    Accession(String),
    Source(String),
    Study(String),
    Id(String),
    Date(DateRange),
    Age(AgeRange),
}

/// Which levels a query of cells is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LevelPick {
    /// Some level.
    Any,
    /// Every lumbar level: `L1-L2` to `L5-S1`, and with six lumbar vertebrae to `L6-S1`.
    All,
    /// This level.
    One(Level),
}

/// Which targets a query of cells is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TargetPick {
    /// Whichever.
    Any,
    /// A type with sides, on whichever side; under *all* levels on both.
    Type(StenosisType),
    /// This target.
    One(Target),
}

impl TargetPick {
    /// Every pick that can be written, as [`TARGETS`] has them.
    pub fn all() -> impl Iterator<Item = Self> {
        let sided = TARGETS.iter().filter(|row| row.side.is_some());
        let mut types: Vec<_> = sided.map(|row| row.stenosis).collect();
        types.dedup();
        let ones = Target::ALL.into_iter().map(Self::One);
        [Self::Any].into_iter().chain(types.into_iter().map(Self::Type)).chain(ones)
    }

    /// The targets that it stands for.
    pub fn targets(self) -> impl Iterator<Item = Target> {
        Target::ALL.into_iter().filter(move |&target| match self {
            Self::Any => true,
            Self::Type(stenosis) => target.row().stenosis == stenosis,
            Self::One(one) => target == one,
        })
    }

    /// The name in queries.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Type(StenosisType::Central) => "central",
            Self::Type(StenosisType::Foraminal) => "foraminal",
            Self::Type(StenosisType::Recess) => "recess",
            Self::One(target) => target.name(),
        }
    }
}

/// What the labels of cells are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CellQuery {
    /// The levels.
    pub level: LevelPick,
    /// The targets.
    pub target: TargetPick,
    /// What holds of them.
    pub test: CellTest,
}

/// What may hold of a labelled cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CellTest {
    /// It has a verdict.
    Labelled,
    /// Its grade compares so. `present` is off the scale and only ever equals itself.
    Compare(Comparison, Grade),
    /// It cannot be judged.
    Unassessable,
    /// It is said with a hedge.
    Hedged,
    /// It is said plainly.
    Stated,
    /// The text contradicts itself about it.
    Conflict,
}

/// How a grade compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Comparison {
    Equal,
    AtLeast,
    More,
    AtMost,
    Less,
}

impl Comparison {
    /// Every comparison, longer signs before those that they begin with.
    pub const ALL: [Self; 5] = [Self::AtLeast, Self::AtMost, Self::Equal, Self::More, Self::Less];

    /// The sign in queries.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::AtLeast => ">=",
            Self::More => ">",
            Self::AtMost => "<=",
            Self::Less => "<",
        }
    }
}

/// A finding that is affirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FindingQuery {
    /// At this level; anywhere or without a level if none.
    pub level: Option<Level>,
    /// The finding.
    pub finding: Finding,
    /// Whether a hedged mention will do.
    pub or_hedged: bool,
}

/// The language by example, for help pages.
pub const SYNTAX: [(&str, &str); 22] = [
    ("stenosis", "a word, in any of its forms"),
    ("\"canal stenosis\"", "words in this order"),
    ("\"severe stenosis\"~3", "the same, up to 3 places apart"),
    ("sten*", "words that begin like this"),
    ("stenosys~", "words like this, one letter off; ~2 for two"),
    ("impression:severe", "in a section: findings, impression, addendum, background"),
    ("L4-L5.central>=moderate", "a cell's grade; also = > <= <, and =unassessable"),
    ("L4-L5.foraminal=severe", "on either side; foraminal_left, recess_right: on that side"),
    ("L4-L5.any>=mild", "whichever target"),
    ("any.foraminal=severe", "at some level"),
    ("all.central=normal", "at every lumbar level"),
    ("L5-S1.recess_left:hedged", "said with a hedge; :stated, :conflict; nothing: labelled at all"),
    ("conflict", "the text contradicts itself about some cell"),
    ("finding:extrusion", "affirmed, not merely mentioned; finding:extrusion? hedged too"),
    ("L4-L5.finding:listhesis", "the same at a level"),
    ("status:adjudicated", "how far people have settled the label: machine, agreed, to_adjudicate"),
    ("by:rules", "who decided the label: rules, person, or a person's name"),
    ("date:2020-01..2021-06", "date of examination; 2020, 2020.., ..2021-06-15"),
    ("age:50..70", "age in years; 67, 50.., ..70"),
    ("modality:MR sex:F", "also patient: accession: study: source: id:, \"quoted\" if need be"),
    ("a AND (b OR c)", "AND binds tighter than OR and may be left out"),
    ("NOT finding:fracture", "also -finding:fracture"),
];
