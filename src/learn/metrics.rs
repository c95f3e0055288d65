//! Scores of a reader's labels against gold labels: pure functions over pairs of labels.
//!
//! Every measure is precision, recall and F1 over cells that are counted and compared as follows.
//!
//! | measure     | counts                                              | correct where             |
//! |-------------|-----------------------------------------------------|---------------------------|
//! | `cells`     | every labelled cell                                 | the grade is the same     |
//! | `graded`    | cells whose grade has a degree, `mild` to `severe`  | the grade is the same     |
//! | `detection` | every labelled cell                                 | both or neither is normal |
//! | `hedged`    | hedged cells among the correct ones of `cells`      | both are hedged           |
//!
//! A cell counts as gold where gold has it and as predicted where the reader has it: a wrong grade
//! costs precision and recall, an invented cell precision, a missed one recall. Cells that
//! neither has count nowhere. `hedged` looks only at cells whose grade is right, so it judges
//! certainty alone. A report is *exact* where all its cells are, whatever their certainty.

use std::fmt::Display;

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::Labels;
use super::bootstrap::{Bootstrap, Interval, intervals};
use super::tally::{Headline, Tally};
use crate::label::{Cell, Grade, Target};

/// A share, and where it lies in 95 % of resamples.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Ratio {
    /// None where nothing was counted.
    pub value: Option<f64>,
    /// None without resamples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
}

/// Precision, recall and F1 with the counts behind them.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Measure {
    /// The counts.
    #[serde(flatten)]
    pub tally: Tally,
    /// Which share of the reader's cells is correct.
    pub precision: Ratio,
    /// Which share of the gold cells the reader has correctly.
    pub recall: Ratio,
    /// The harmonic mean of both.
    pub f1: Ratio,
}

impl Measure {
    /// `intervals` of precision, recall and F1, where there are any.
    fn new(tally: Tally, intervals: &[Option<Interval>]) -> Self {
        let [precision, recall, f1] = tally.ratios();
        let interval = |i: usize| intervals.get(i).copied().flatten();
        Self {
            tally,
            precision: Ratio { value: precision, interval: interval(0) },
            recall: Ratio { value: recall, interval: interval(1) },
            f1: Ratio { value: f1, interval: interval(2) },
        }
    }
}

/// All scores of a reader over a set of reports.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Scores {
    /// How many reports were compared.
    pub reports: u64,
    /// The share of reports whose cells are all right.
    pub exact: Ratio,
    /// Cells with the right level, target and grade.
    pub cells: Measure,
    /// The same over cells whose grade has a degree.
    pub graded: Measure,
    /// Normal told from stenosis, whatever its degree.
    pub detection: Measure,
    /// Hedged told from stated, over cells whose grade is right.
    pub hedged: Measure,
    /// `cells` for each target.
    #[serde(serialize_with = "as_map")]
    pub targets: Vec<(Target, Measure)>,
    /// `cells` for each grade.
    #[serde(serialize_with = "as_map")]
    pub grades: Vec<(Grade, Measure)>,
    /// Which grade was taken for which.
    pub confusion: Confusion,
}

fn as_map<K: Display, S: Serializer>(
    rows: &[(K, Measure)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(rows.iter().map(|(name, measure)| (name.to_string(), measure)))
}

/// How often each grade, or none, was taken for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Confusion([[u64; Self::SIZE]; Self::SIZE]);

impl Confusion {
    const SIZE: usize = Grade::ALL.len() + 1;

    /// Rows and columns in order: the grades, then none for cells that are not mentioned.
    pub fn labels() -> impl Iterator<Item = Option<Grade>> {
        Grade::ALL.into_iter().map(Some).chain([None])
    }

    /// How many cells gold gives the one label and the reader the other. Cells that neither
    /// mentions are not counted.
    pub const fn get(&self, gold: Option<Grade>, predicted: Option<Grade>) -> u64 {
        self.0[Self::place(gold)][Self::place(predicted)]
    }

    const fn place(label: Option<Grade>) -> usize {
        match label {
            Some(grade) => grade as usize,
            None => Self::SIZE - 1,
        }
    }

    fn count(&mut self, gold: Option<Grade>, predicted: Option<Grade>) {
        self.0[Self::place(gold)][Self::place(predicted)] += 1;
    }

    fn tally(&self, grade: Grade) -> Tally {
        Tally {
            gold: self.0[grade as usize].iter().sum(),
            predicted: self.0.iter().map(|row| row[grade as usize]).sum(),
            correct: self.get(Some(grade), Some(grade)),
        }
    }
}

/// `{"labels": [...], "counts": [[...]]}`, a row a gold label.
impl Serialize for Confusion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let labels: Vec<_> =
            Self::labels().map(|label| label.map_or("not_mentioned", Grade::name)).collect();
        let mut confusion = serializer.serialize_struct("Confusion", 2)?;
        confusion.serialize_field("labels", &labels)?;
        confusion.serialize_field("counts", &self.0)?;
        confusion.end()
    }
}

/// Compares gold labels with a reader's, report by report.
pub fn score<'a>(
    pairs: impl IntoIterator<Item = (&'a Labels, &'a Labels)>,
    bootstrap: Option<Bootstrap>,
) -> Scores {
    let mut reports = Vec::new();
    let mut targets = [Tally::default(); Target::ALL.len()];
    let mut confusion = Confusion::default();
    for (gold, predicted) in pairs {
        reports.push(Headline::of(gold, predicted));
        for cell in Cell::all() {
            let grade = |labels: &Labels| labels.get(cell).map(|label| label.grade);
            let (gold, predicted) = (grade(gold), grade(predicted));
            if gold.is_some() || predicted.is_some() {
                confusion.count(gold, predicted);
                targets[cell.target as usize].count(
                    gold.is_some(),
                    predicted.is_some(),
                    gold == predicted,
                );
            }
        }
    }
    let intervals = bootstrap.map_or([None; _], |bootstrap| intervals(&reports, bootstrap));
    let sum = reports.into_iter().fold(Headline::default(), |mut sum, report| {
        sum += report;
        sum
    });
    let measure = |tally| Measure::new(tally, &[]);
    Scores {
        reports: sum.reports,
        exact: Ratio { value: sum.ratios()[0], interval: intervals[0] },
        cells: Measure::new(sum.cells, &intervals[1..4]),
        graded: Measure::new(sum.graded, &intervals[4..7]),
        detection: Measure::new(sum.detection, &intervals[7..10]),
        hedged: Measure::new(sum.hedged, &intervals[10..13]),
        targets: Target::ALL.map(|target| (target, measure(targets[target as usize]))).into(),
        grades: Grade::ALL.map(|grade| (grade, measure(confusion.tally(grade)))).into(),
        confusion,
    }
}
