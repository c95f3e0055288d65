//! Facets as tables.

use std::fmt::Display;
use std::io::{self, Write};

use indicatif::HumanCount;

use crate::label::{Cell, Verdict};
use crate::search::{CellCounts, Facets};

/// Prints how what was found is spread.
pub(super) fn print(facets: &Facets, out: &mut dyn Write) -> io::Result<()> {
    let verdicts: Vec<Verdict> = CellCounts::verdicts().collect();
    let widths: Vec<usize> = verdicts.iter().map(|v| v.name().len().max(9)).collect();
    write!(out, "\n{:24}", "")?;
    for (verdict, width) in verdicts.iter().zip(&widths) {
        write!(out, "  {:>width$}", verdict.name())?;
    }
    writeln!(out)?;
    for cell in Cell::all() {
        let counts: Vec<u64> = verdicts.iter().map(|v| facets.cells.get(cell, *v)).collect();
        if counts.iter().all(|count| *count == 0) {
            continue;
        }
        write!(out, "{:8}{:16}", cell.level, cell.target)?;
        for (count, width) in counts.into_iter().zip(&widths) {
            let shown = if count == 0 { "·".to_owned() } else { HumanCount(count).to_string() };
            write!(out, "  {shown:>width$}")?;
        }
        writeln!(out)?;
    }
    writeln!(out)?;
    line("modality", facets.modalities.iter(), out)?;
    line("year", facets.years.iter(), out)?;
    line("sex", facets.sexes.iter(), out)?;
    line("age", facets.ages.iter(), out)
}

fn line<'a, K: Display + 'a>(
    name: &str,
    counts: impl Iterator<Item = (K, &'a u64)>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let shown = counts.map(|(key, count)| format!("{key} {}", HumanCount(*count)));
    let shown = shown.collect::<Vec<_>>().join("   ");
    if shown.is_empty() { Ok(()) } else { writeln!(out, "{name:10}{shown}") }
}
