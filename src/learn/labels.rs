//! One report's labels, ready to be compared.

use crate::label::{Cell, CellLabel, Certainty, Grade, Opinion};

/// What one cell is labelled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    /// The grade.
    pub grade: Grade,
    /// Stated or hedged.
    pub certainty: Certainty,
}

/// The labels of one report: at most one a cell, and none where the cell is not mentioned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels([Option<Label>; Cell::COUNT]);

impl Default for Labels {
    fn default() -> Self {
        Self([None; Cell::COUNT])
    }
}

impl Labels {
    /// The label of a cell.
    pub const fn get(&self, cell: Cell) -> Option<Label> {
        self.0[cell.index()]
    }

    /// Labels a cell, anew where it was labelled before.
    pub const fn set(&mut self, cell: Cell, label: Label) {
        self.0[cell.index()] = Some(label);
    }

    /// The labelled cells, level by level from top to bottom.
    pub fn iter(&self) -> impl Iterator<Item = (Cell, Label)> {
        Cell::all().filter_map(|cell| Some((cell, self.get(cell)?)))
    }
}

/// Verdicts that are no grade (not mentioned, unassessable) label nothing.
impl FromIterator<CellLabel> for Labels {
    fn from_iter<I: IntoIterator<Item = CellLabel>>(all: I) -> Self {
        let mut labels = Self::default();
        for CellLabel { cell, verdict, certainty, .. } in all {
            if let Some(grade) = verdict.grade() {
                labels.set(cell, Label { grade, certainty });
            }
        }
        labels
    }
}

impl<'a> FromIterator<&'a Opinion> for Labels {
    fn from_iter<I: IntoIterator<Item = &'a Opinion>>(opinions: I) -> Self {
        opinions.into_iter().map(CellLabel::from).collect()
    }
}
