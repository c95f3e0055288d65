//! Reports with their labels, in the shape of a gold file: what `evaluate` scores against and what
//! `train` learns from. It holds the text, so it may go only where the reports may.

use std::io::{self, Write};

use serde::Serialize;

use super::Labelled;
use super::jsonl::{CellList, Cells};

#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    text: &'a str,
    cells: Cells<'a>,
    hedged: CellList<'a>,
}

pub(super) fn report(labelled: &Labelled, out: &mut dyn Write) -> io::Result<()> {
    let &Labelled { report, opinions, .. } = labelled;
    let line = Line {
        id: &report.id,
        text: &report.text,
        cells: Cells(opinions),
        hedged: CellList::hedged(opinions),
    };
    serde_json::to_writer(&mut *out, &line)?;
    out.write_all(b"\n")
}
