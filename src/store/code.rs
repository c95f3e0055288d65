//! The numbers that stand for cells, verdicts and levels in the database. They are part of the
//! schema: a change of one needs a migration.

use rusqlite::Row;

use super::StoreError;
use crate::extract::{Finding, Section};
use crate::label::{Cell, CellLabel, Certainty, Grade, Level, Target, Verdict};

/// Leaves room for more targets than there are.
pub(super) const TARGETS_PER_LEVEL: u16 = 16;

/// The number of [`Verdict::Unassessable`]; grades come before it.
const UNASSESSABLE: u8 = 7;
const NOT_MENTIONED: u8 = 8;

pub(super) const fn cell(cell: Cell) -> u16 {
    cell.level as u16 * TARGETS_PER_LEVEL + cell.target as u16
}

pub(super) fn to_cell(code: u16) -> Result<Cell, StoreError> {
    let level = Level::ALL.get((code / TARGETS_PER_LEVEL) as usize);
    let target = Target::ALL.get((code % TARGETS_PER_LEVEL) as usize);
    match (level, target) {
        (Some(&level), Some(&target)) => Ok(Cell { level, target }),
        _ => Err(unknown("cell", code)),
    }
}

pub(super) const fn verdict(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Graded(grade) => grade as u8,
        Verdict::Unassessable => UNASSESSABLE,
        Verdict::NotMentioned => NOT_MENTIONED,
    }
}

pub(super) fn to_verdict(code: u8) -> Result<Verdict, StoreError> {
    match code {
        UNASSESSABLE => Ok(Verdict::Unassessable),
        NOT_MENTIONED => Ok(Verdict::NotMentioned),
        grade => match Grade::ALL.get(grade as usize) {
            Some(&grade) => Ok(Verdict::Graded(grade)),
            None => Err(unknown("verdict", code.into())),
        },
    }
}

pub(super) const fn certainty(certainty: Certainty) -> u8 {
    match certainty {
        Certainty::Stated => 0,
        Certainty::Hedged => 1,
    }
}

pub(super) const fn to_certainty(code: u8) -> Certainty {
    if code == 0 { Certainty::Stated } else { Certainty::Hedged }
}

pub(super) fn to_level(code: u8) -> Result<Level, StoreError> {
    Level::ALL.get(code as usize).copied().ok_or_else(|| unknown("level", code.into()))
}

pub(super) fn to_finding(code: u8) -> Result<Finding, StoreError> {
    Finding::ALL.get(code as usize).copied().ok_or_else(|| unknown("finding", code.into()))
}

pub(super) fn to_section(code: u8) -> Result<Section, StoreError> {
    Section::ALL.get(code as usize).copied().ok_or_else(|| unknown("section", code.into()))
}

/// The cell, verdict, certainty and conflict in four columns from `first` on.
pub(super) fn to_cell_label(row: &Row<'_>, first: usize) -> Result<CellLabel, StoreError> {
    Ok(CellLabel {
        cell: to_cell(row.get(first)?)?,
        verdict: to_verdict(row.get(first + 1)?)?,
        certainty: to_certainty(row.get(first + 2)?),
        conflict: row.get(first + 3)?,
    })
}

fn unknown(what: &str, code: u16) -> StoreError {
    StoreError::Damaged(format!("no {what} has the number {code}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_as_what_they_stand_for() {
        for each in Cell::all() {
            assert_eq!(to_cell(cell(each)).unwrap(), each);
        }
        let graded = Grade::ALL.map(Verdict::Graded);
        for each in graded.into_iter().chain([Verdict::Unassessable, Verdict::NotMentioned]) {
            assert_eq!(to_verdict(verdict(each)).unwrap(), each);
        }
    }

    /// What databases in hospitals hold. Where this fails, a migration is due.
    #[test]
    fn numbers_are_those_of_the_schema() {
        let central = Cell { level: Level::L4L5, target: Target::Central };
        let recess = Cell { level: Level::S1S2, target: Target::RecessRight };
        assert_eq!((cell(central), cell(recess)), (112, 180));
        assert_eq!(Grade::ALL.map(|grade| verdict(Verdict::Graded(grade))), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(to_finding(2).unwrap(), Finding::Extrusion);
        assert_eq!(to_finding(13).unwrap(), Finding::TransitionalAnatomy);
        assert_eq!(to_section(3).unwrap(), Section::Background);
    }

    #[test]
    fn unknown_numbers_are_damage() {
        assert!(to_cell(5).is_err() && to_cell(12 * 16).is_err() && to_verdict(9).is_err());
    }
}
