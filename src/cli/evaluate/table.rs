//! Scores as aligned text.

use std::io::{self, Write};

use crate::label::Grade;
use crate::learn::{Confusion, Measure, Ratio, Scores};

/// Prints everything that a reader of a terminal wants to know.
pub(super) fn scores(scores: &Scores, out: &mut impl Write) -> io::Result<()> {
    let Scores { reports, exact, cells, graded, detection, hedged, targets, grades, confusion } =
        scores;
    writeln!(out, "{reports} reports, exactly right in percent: {}\n", ratio(exact))?;
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
pub(super) fn ratio(ratio: &Ratio) -> String {
    let Some(value) = ratio.value else { return "–".to_owned() };
    match ratio.interval {
        Some([low, high]) => {
            format!("{:.1} ({:.1}–{:.1})", 100.0 * value, 100.0 * low, 100.0 * high)
        }
        None => format!("{:.1}", 100.0 * value),
    }
}

/// Columns two spaces apart: names to the left, numbers to the right.
pub(super) fn aligned(table: &[Vec<String>], out: &mut impl Write) -> io::Result<()> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::{Certainty, Target};
    use crate::learn::{Bootstrap, Label, Labels, score};

    fn label(grade: Grade) -> Label {
        Label { grade, certainty: Certainty::Stated }
    }

    #[test]
    fn the_tables_are_aligned() {
        let cell = |name: &str| name.parse().unwrap();
        let mut gold = Labels::default();
        gold.set(cell("L4-L5/central"), label(Grade::ModerateSevere));
        gold.set(cell("L5-S1/foraminal_left"), label(Grade::Normal));
        let mut predicted = gold.clone();
        predicted.set(cell("L4-L5/central"), label(Grade::Mild));
        let bootstrap = Bootstrap { resamples: 10, seed: 1 };
        let mut scores = score([(&gold, &predicted)], Some(bootstrap));
        scores.targets.retain(|(target, _)| *target == Target::Central);
        scores.grades.retain(|(grade, _)| *grade == Grade::Mild);
        let mut out = Vec::new();
        super::scores(&scores, &mut out).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r"
        1 reports, exactly right in percent: 0.0 (0.0–0.0)

        measure              precision               recall                   F1  gold  predicted  correct
        cells         50.0 (50.0–50.0)     50.0 (50.0–50.0)     50.0 (50.0–50.0)     2          2        1
        graded           0.0 (0.0–0.0)        0.0 (0.0–0.0)        0.0 (0.0–0.0)     1          1        0
        detection  100.0 (100.0–100.0)  100.0 (100.0–100.0)  100.0 (100.0–100.0)     2          2        2
        hedged                       –                    –                    –     0          0        0

        target   precision  recall   F1  gold  predicted  correct
        central        0.0     0.0  0.0     1          1        0

        grade  precision  recall   F1  gold  predicted  correct
        mild         0.0       –  0.0     0          1        0

        gold \ predicted  normal  mild  moderate_severe
        normal                 1     ·                ·
        mild                   ·     ·                ·
        moderate_severe        ·     1                ·
        ");
    }
}
