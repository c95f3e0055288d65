//! Whether the fused reader knows when it does not know.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::table::aligned;
use crate::label::{Cell, Grade, LevelSet, Opinion};
use crate::learn::Gold;
use crate::pipeline::TextReading;

/// Wrong and uncertain cells, over the cells of the lumbar discs.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Doubts {
    cells: u64,
    uncertain: u64,
    wrong: u64,
    wrong_and_uncertain: u64,
    /// Cells that the gold labels mention, and of those the uncertain ones.
    mentioned: u64,
    mentioned_and_uncertain: u64,
    /// By what is true: cells, those whose set holds it, outcomes in all sets, sets of one.
    sets: BTreeMap<&'static str, Sets>,
}

/// How sets of outcomes fare on some cells.
#[derive(Debug, Clone, Copy, Default, Serialize)]
struct Sets {
    cells: u64,
    covered: u64,
    outcomes: u64,
    single: u64,
}

const ALL: &str = "all";
const MENTIONED: &str = "mentioned";

impl Sets {
    fn count(&mut self, covered: bool, outcomes: u64) {
        self.cells += 1;
        self.covered += u64::from(covered);
        self.outcomes += outcomes;
        self.single += u64::from(outcomes == 1);
    }

    fn row(&self, name: &str) -> Vec<String> {
        let a_cell = |count: u64| count as f64 / self.cells.max(1) as f64;
        vec![
            name.to_owned(),
            self.cells.to_string(),
            format!("{:.1} %", 100.0 * a_cell(self.covered)),
            format!("{:.2}", a_cell(self.outcomes)),
            format!("{:.1} %", 100.0 * a_cell(self.single)),
        ]
    }
}

impl Doubts {
    pub(super) fn of(gold: &[Gold], readings: &[TextReading]) -> Self {
        let mut doubts = Self::default();
        for (gold, reading) in gold.iter().zip(readings) {
            for cell in Cell::all() {
                let opinion = reading.opinions().iter().find(|opinion| opinion.cell == cell);
                doubts.count(gold, cell, opinion);
            }
        }
        doubts
    }

    fn count(&mut self, gold: &Gold, cell: Cell, opinion: Option<&Opinion>) {
        let truth = gold.labels.get(cell).map(|label| label.grade);
        let said = opinion.and_then(|opinion| opinion.verdict.grade());
        if !LevelSet::LUMBAR.contains(cell.level) && truth.is_none() && opinion.is_none() {
            return;
        }
        let is_uncertain = opinion.is_some_and(|opinion| opinion.doubt.is_some());
        let is_wrong = truth != said;
        self.cells += 1;
        self.uncertain += u64::from(is_uncertain);
        self.wrong += u64::from(is_wrong);
        self.wrong_and_uncertain += u64::from(is_wrong && is_uncertain);
        self.mentioned += u64::from(truth.is_some());
        self.mentioned_and_uncertain += u64::from(truth.is_some() && is_uncertain);

        let set = opinion.and_then(|opinion| opinion.doubt).map(|doubt| doubt.may_be);
        let covered = set.map_or(truth == said, |set| set.contains(truth));
        let outcomes = set.map_or(1, |set| set.len() as u64);
        let name = truth.map_or("not_mentioned", Grade::name);
        for row in [ALL, if truth.is_some() { MENTIONED } else { "" }, name] {
            if !row.is_empty() {
                self.sets.entry(row).or_default().count(covered, outcomes);
            }
        }
    }

    pub(super) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let share = |part: u64, whole: u64| 100.0 * part as f64 / whole.max(1) as f64;
        let Self { cells, uncertain, wrong, wrong_and_uncertain, .. } = *self;
        writeln!(out)?;
        let columns = ["true outcome", "cells", "in the set", "outcomes a set", "sets of one"];
        let mut table = vec![columns.map(str::to_owned).to_vec()];
        let grades = Grade::ALL.into_iter().map(Grade::name);
        for name in [ALL, MENTIONED, "not_mentioned"].into_iter().chain(grades) {
            table.extend(self.sets.get(name).map(|sets| sets.row(name)));
        }
        aligned(&table, out)?;
        writeln!(out)?;
        writeln!(
            out,
            "uncertain: {:.1} % of {cells} cells of lumbar discs, {:.1} % of the {} that are mentioned",
            share(uncertain, cells),
            share(self.mentioned_and_uncertain, self.mentioned),
            self.mentioned,
        )?;
        writeln!(
            out,
            "wrong: {wrong} cells, {wrong_and_uncertain} of them uncertain ({:.1} %)",
            share(wrong_and_uncertain, wrong)
        )
    }
}
