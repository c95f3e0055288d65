//! How what a query finds is spread.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Serialize, Serializer};

use crate::label::{Cell, Grade, Verdict};

/// How many reports of those that a query finds have what.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Facets {
    /// By cell and verdict.
    pub cells: CellCounts,
    /// By modality.
    pub modalities: BTreeMap<String, u64>,
    /// By the year of the examination.
    pub years: BTreeMap<u16, u64>,
    /// By sex.
    pub sexes: BTreeMap<String, u64>,
    /// By age at the examination.
    pub ages: BTreeMap<AgeBand, u64>,
}

/// How many verdicts are told apart: every grade, and unassessable.
const VERDICTS: usize = Grade::ALL.len() + 1;

/// The number of a cell with a verdict; none for *not mentioned*, which nobody counts.
pub(super) const fn verdict_code(cell: Cell, verdict: Verdict) -> Option<u64> {
    let verdict = match verdict {
        Verdict::Graded(grade) => grade as usize,
        Verdict::Unassessable => Grade::ALL.len(),
        Verdict::NotMentioned => return None,
    };
    Some((cell.index() * VERDICTS + verdict) as u64)
}

/// How many reports have which verdict in which cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellCounts(Vec<u64>);

impl Default for CellCounts {
    fn default() -> Self {
        Self(vec![0; Cell::COUNT * VERDICTS])
    }
}

impl CellCounts {
    /// How many reports have this verdict in this cell.
    pub fn get(&self, cell: Cell, verdict: Verdict) -> u64 {
        verdict_code(cell, verdict).map_or(0, |code| self.0[code as usize])
    }

    pub(super) fn count(&mut self, code: u64) {
        self.0[code as usize] += 1;
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(mine, theirs)| *mine += theirs);
    }

    /// The verdicts that are told apart, in the order of columns.
    pub fn verdicts() -> impl Iterator<Item = Verdict> {
        Grade::ALL.into_iter().map(Verdict::Graded).chain([Verdict::Unassessable])
    }
}

/// `{"L4-L5/central": {"mild": 12}}`: what occurs.
impl Serialize for CellCounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let counts = |cell: Cell| {
            let verdicts =
                Self::verdicts().map(|verdict| (verdict.name(), self.get(cell, verdict)));
            verdicts.filter(|&(_, count)| count > 0).collect::<BTreeMap<_, _>>()
        };
        let cells = Cell::all().map(|cell| (cell.to_string(), counts(cell)));
        serializer.collect_map(cells.filter(|(_, counts)| !counts.is_empty()))
    }
}

/// Ten years of age, by the first of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgeBand(u16);

impl AgeBand {
    /// The band that an age lies in.
    pub const fn of(age: u16) -> Self {
        Self(age / 10 * 10)
    }

    /// The first age of the band, and the last.
    pub const fn bounds(self) -> (u16, u16) {
        (self.0, self.0 + 9)
    }
}

impl fmt::Display for AgeBand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.0, self.0 + 9)
    }
}

impl Serialize for AgeBand {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
