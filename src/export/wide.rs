//! A CSV row a report, a column a cell, for those who join and model.
//!
//! The columns are the six discs that every lumbar report may speak of, `T12-L1` to `L5-S1`,
//! each with every target. Whatever a report says of another disc, lower thoracic or
//! transitional, stands in `other_levels` as `LEVEL/target=grade`, so that no label is lost. A
//! grade column holds nothing but a grade (or `unassessable`; blank is not mentioned): which of
//! the grades are hedged, and which were picked out of contradictory ones, is told in `hedged`
//! and `conflicts` as `LEVEL/target`. Lists are parted by semicolons.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::table::{ColumnName, Row};
use super::{Labelled, graded};
use crate::label::{Cell, Certainty, Level, Opinion, Target, Verdict};

const LEVELS: [Level; 6] =
    [Level::T12L1, Level::L1L2, Level::L2L3, Level::L3L4, Level::L4L5, Level::L5S1];

pub(super) fn header(out: &mut dyn Write) -> io::Result<()> {
    let mut row = Row::new(out);
    row.field("id")?;
    for level in LEVELS {
        for target in Target::ALL {
            row.display(format_args!("{}_{target}", ColumnName(level)))?;
        }
    }
    for column in ["other_levels", "hedged", "conflicts"] {
        row.field(column)?;
    }
    row.end()?;
    row.finish()
}

pub(super) fn report(labelled: &Labelled, out: &mut dyn Write) -> io::Result<()> {
    let opinions = labelled.opinions;
    let mut row = Row::new(out);
    row.field(&labelled.report.id)?;
    for level in LEVELS {
        for target in Target::ALL {
            let cell = Cell { level, target };
            let opinion = mentioned(opinions).find(|opinion| opinion.cell == cell);
            row.field(opinion.map_or("", |opinion| opinion.verdict.name()))?;
        }
    }
    let others = mentioned(opinions).filter(|opinion| !LEVELS.contains(&opinion.cell.level));
    row.list(others, |text, opinion| write!(text, "{}={}", opinion.cell, opinion.verdict.name()))?;
    cells(opinions, |opinion| opinion.certainty == Certainty::Hedged, &mut row)?;
    cells(opinions, |opinion| opinion.conflict, &mut row)?;
    row.end()?;
    row.finish()
}

/// A cell that is not mentioned stays blank, whether an opinion says so or there is none.
fn mentioned(opinions: &[Opinion]) -> impl Iterator<Item = &Opinion> {
    opinions.iter().filter(|opinion| opinion.verdict != Verdict::NotMentioned)
}

fn cells(opinions: &[Opinion], test: fn(&Opinion) -> bool, row: &mut Row) -> io::Result<()> {
    let listed = graded(opinions).filter(|(opinion, _)| test(opinion));
    row.list(listed, |text, (opinion, _)| write!(text, "{}", opinion.cell))
}
