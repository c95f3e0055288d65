//! The cells that a reader is uncertain of, a CSV row each, for people to look at first.
//!
//! A cell is uncertain where several outcomes may be true, where rules and transformer differ, or where
//! the text was too long for the transformer to see all of it.

use std::io::{self, Write};

use super::Labelled;
use super::table::Row;
use crate::label::{Cell, Opinion, ReaderKind};

pub(super) fn header(out: &mut dyn Write) -> io::Result<()> {
    let names = [
        "id",
        "source",
        "level",
        "target",
        "verdict",
        "probability",
        "may_be",
        "rules",
        "transformer",
        "readers_differ",
        "text_cut",
    ];
    let mut row = Row::new(out);
    for name in names {
        row.field(name)?;
    }
    row.end()?;
    row.finish()
}

pub(super) fn report(labelled: &Labelled, out: &mut dyn Write) -> io::Result<()> {
    let report = labelled.report;
    let mut row = Row::new(out);
    for opinion in labelled.opinions {
        let Some(doubt) = opinion.doubt else { continue };
        row.field(&report.id)?;
        row.field(report.source.as_deref().unwrap_or_default())?;
        row.field(opinion.cell.level.name())?;
        row.field(opinion.cell.target.name())?;
        row.field(opinion.verdict.name())?;
        row.display(format_args!("{:.3}", opinion.probability().unwrap_or(1.0)))?;
        row.display(doubt.may_be)?;
        row.field(said(labelled, ReaderKind::Rules, opinion.cell))?;
        row.field(said(labelled, ReaderKind::Transformer, opinion.cell))?;
        row.display(doubt.readers_differ)?;
        row.display(doubt.is_cut)?;
        row.end()?;
    }
    row.finish()
}

fn said(labelled: &Labelled, kind: ReaderKind, cell: Cell) -> &'static str {
    let reading = labelled.readings.iter().find(|(of, _)| *of == kind);
    let opinion = reading.and_then(|(_, all)| all.iter().find(|opinion| opinion.cell == cell));
    opinion.map_or("not_mentioned", |opinion: &Opinion| opinion.verdict.name())
}
