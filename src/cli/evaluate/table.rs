//! Scores as aligned text.

use std::io::{self, Write};

use crate::label::Grade;
use crate::learn::{Confusion, Measure, Ratio, Scores};

/// Prints everything that a reader of a terminal wants to know.
pub(super) fn scores(scores: &Scores, out: &mut impl Write) -> io::Result<()> {
    let Scores { reports, exact, cells, graded, detection, hedged, targets, grades, confusion } =
        scores;
    writeln!(out, "{reports} reports, {} % of them exactly right\n", ratio(exact))?;
    let headline =
        [("cells", cells), ("graded", graded), ("detection", detection), ("hedged", hedged)];
    measures("measure", headline, out)?;
    measures("target", targets.iter().map(|(target, m)| (target.name(), m)), out)?;
    measures("grade", grades.iter().map(|(grade, m)| (grade.name(), m)), out)?;
    confused(confusion, out)
}

fn measures<'a>(
    heading: &str,
    rows: impl IntoIterator<Item = (&'a str, &'a Measure)>,
    out: &mut impl Write,
) -> io::Result<()> {
    let columns = [heading, "precision", "recall", "F1", "gold", "predicted", "correct"];
    let mut table = vec![columns.map(str::to_owned).to_vec()];
    for (name, measure) in rows {
        table.push(vec![
            name.to_owned(),
            ratio(&measure.precision),
            ratio(&measure.recall),
            ratio(&measure.f1),
            measure.tally.gold.to_string(),
            measure.tally.predicted.to_string(),
            measure.tally.correct.to_string(),
        ]);
    }
    aligned(&table, out)?;
    writeln!(out)
}

/// The confusion matrix, without rows and columns in which nothing is.
fn confused(confusion: &Confusion, out: &mut impl Write) -> io::Result<()> {
    let used: Vec<Option<Grade>> = Confusion::labels()
        .filter(|&a| Confusion::labels().any(|b| confusion.get(a, b) + confusion.get(b, a) > 0))
        .collect();
    let name = |label: &Option<Grade>| label.map_or("not_mentioned", Grade::name).to_owned();
    let heading = ["gold \\ predicted".to_owned()];
    let mut table = vec![heading.into_iter().chain(used.iter().map(name)).collect::<Vec<_>>()];
    for gold in &used {
        let counts = used.iter().map(|predicted| match confusion.get(*gold, *predicted) {
            0 => "·".to_owned(),
            count => count.to_string(),
        });
        table.push([name(gold)].into_iter().chain(counts).collect());
    }
    aligned(&table, out)
}

/// In percent, with the interval where there is one.
fn ratio(ratio: &Ratio) -> String {
    let Some(value) = ratio.value else { return "–".to_owned() };
    match ratio.interval {
        Some([low, high]) => {
            format!("{:.1} ({:.1}–{:.1})", 100.0 * value, 100.0 * low, 100.0 * high)
        }
        None => format!("{:.1}", 100.0 * value),
    }
}

/// Columns two spaces apart: names to the left, numbers to the right.
fn aligned(table: &[Vec<String>], out: &mut impl Write) -> io::Result<()> {
    let widths: Vec<usize> = (0..table.first().map_or(0, Vec::len))
        .map(|column| table.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
        .collect();
    for row in table {
        for (column, (field, &width)) in row.iter().zip(&widths).enumerate() {
            match column {
                0 => write!(out, "{field:<width$}")?,
                _ => write!(out, "  {field:>width$}")?,
            }
        }
        writeln!(out)?;
    }
    Ok(())
}
