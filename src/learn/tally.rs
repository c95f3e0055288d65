//! Counts that scores are made of. They add up over reports, so a resample of reports is a sum.

use std::ops::AddAssign;

use serde::Serialize;

use super::{Label, Labels};
use crate::label::{Cell, Certainty};

/// How many cells gold has, the reader has, and both have alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Tally {
    /// Cells of the gold labels.
    pub gold: u64,
    /// Cells of the reader's labels.
    pub predicted: u64,
    /// Cells of both that are the same.
    pub correct: u64,
}

impl Tally {
    pub(super) fn count(&mut self, gold: bool, predicted: bool, correct: bool) {
        self.gold += u64::from(gold);
        self.predicted += u64::from(predicted);
        self.correct += u64::from(correct);
    }

    /// Precision, recall and F1, each where it is defined.
    pub(super) fn ratios(self) -> [Option<f64>; 3] {
        [
            share(self.correct, self.predicted),
            share(self.correct, self.gold),
            share(2 * self.correct, self.gold + self.predicted),
        ]
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.gold += other.gold;
        self.predicted += other.predicted;
        self.correct += other.correct;
    }
}

/// The counts behind the measures that get an interval.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Headline {
    pub(super) reports: u64,
    pub(super) exact: u64,
    pub(super) cells: Tally,
    pub(super) graded: Tally,
    pub(super) detection: Tally,
    pub(super) hedged: Tally,
}

impl Headline {
    /// How many ratios follow from the counts.
    pub(super) const RATIOS: usize = 13;

    /// The counts of one report.
    pub(super) fn of(gold: &Labels, predicted: &Labels) -> Self {
        let mut counts = Self { reports: 1, ..Self::default() };
        for cell in Cell::all() {
            counts.count(gold.get(cell), predicted.get(cell));
        }
        let Tally { gold, predicted, correct } = counts.cells;
        counts.exact = u64::from(gold == correct && predicted == correct);
        counts
    }

    fn count(&mut self, gold: Option<Label>, predicted: Option<Label>) {
        let same = |test: fn(Label, Label) -> bool| match (gold, predicted) {
            (Some(gold), Some(predicted)) => test(gold, predicted),
            _ => false,
        };
        let right = same(|a, b| a.grade == b.grade);
        let detected = same(|a, b| a.grade.is_stenosis() == b.grade.is_stenosis());
        self.cells.count(gold.is_some(), predicted.is_some(), right);
        self.detection.count(gold.is_some(), predicted.is_some(), detected);

        let graded = |label: Option<Label>| label.is_some_and(|label| label.grade.has_degree());
        self.graded.count(graded(gold), graded(predicted), right && graded(gold));

        if right {
            let hedged = |label: Option<Label>| {
                label.is_some_and(|label| label.certainty == Certainty::Hedged)
            };
            let both = hedged(gold) && hedged(predicted);
            self.hedged.count(hedged(gold), hedged(predicted), both);
        }
    }

    /// The share of exact reports, then precision, recall and F1 of each tally in the order of
    /// the fields.
    pub(super) fn ratios(&self) -> [Option<f64>; Self::RATIOS] {
        let mut ratios = [None; Self::RATIOS];
        ratios[0] = share(self.exact, self.reports);
        let tallies = [self.cells, self.graded, self.detection, self.hedged];
        for (place, ratio) in
            ratios[1..].iter_mut().zip(tallies.into_iter().flat_map(Tally::ratios))
        {
            *place = ratio;
        }
        ratios
    }
}

impl AddAssign for Headline {
    fn add_assign(&mut self, other: Self) {
        self.reports += other.reports;
        self.exact += other.exact;
        self.cells += other.cells;
        self.graded += other.graded;
        self.detection += other.detection;
        self.hedged += other.hedged;
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
