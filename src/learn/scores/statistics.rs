//! What is computed of cells, all of it for each resample anew.

use super::rsna::{self, weighted_log_loss};
use super::{Classes, Judged};
use crate::label::agreement::{Table, Weights, cohen_kappa};
use crate::label::{GradeSet, likeliest};

/// How many statistics there are.
pub(super) const COUNT: usize = 8;

/// Accuracy, class average, balanced accuracy, linear and quadratic κ, AUC, log loss and calibration
/// error: each where it is defined.
pub(super) fn statistics(cells: &[&Judged], classes: Classes) -> [Option<f64>; COUNT] {
    let counts = confusion(cells, classes);
    let kappa = |weights| match classes {
        Classes::Four => cohen_kappa(&table::<4>(&counts), weights),
        Classes::Three => cohen_kappa(&table::<3>(&counts), weights),
    };
    let all: u64 = counts.iter().flatten().sum();
    let right: u64 = (0..counts.len()).map(|class| counts[class][class]).sum();
    // Without a cell κ is no number.
    let if_any = |value: Option<f64>| value.filter(|value| value.is_finite() && all > 0);
    [
        share(right, all),
        mean(&by_class(&counts)),
        balanced(cells),
        if_any(kappa(Weights::Linear)),
        if_any(kappa(Weights::Quadratic)),
        mean(&areas(cells, classes)),
        weighted_log_loss(cells.iter().copied().filter_map(rsna::surprise)),
        calibration_error(cells),
    ]
}

/// How often each class was taken for which.
pub(super) fn confusion(cells: &[&Judged], classes: Classes) -> Vec<Vec<u64>> {
    let size = classes.sets().len();
    let mut counts = vec![vec![0; size]; size];
    for cell in cells {
        let given = classes.class(GradeSet::only(cell.grade));
        if let Some((truth, given)) = classes.class(cell.truth).zip(given) {
            counts[truth][given] += 1;
        }
    }
    counts
}

fn table<const N: usize>(counts: &[Vec<u64>]) -> Table<N> {
    std::array::from_fn(|row| std::array::from_fn(|column| counts[row][column] as f64))
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// The mean of those that are defined.
fn mean(values: &[Option<f64>]) -> Option<f64> {
    let values: Vec<f64> = values.iter().flatten().copied().collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The share of each class that was graded right.
fn by_class(counts: &[Vec<u64>]) -> Vec<Option<f64>> {
    counts.iter().enumerate().map(|(class, row)| share(row[class], row.iter().sum())).collect()
}

/// The mean of sensitivity and specificity for moderate or worse.
fn balanced(cells: &[&Judged]) -> Option<f64> {
    let (least, most) = (GradeSet::NORMAL_MILD, 2);
    let (mut right, mut all) = ([0, 0], [0, 0]);
    for cell in cells {
        let is_narrow = !cell.truth.meets(least);
        if is_narrow || cell.truth.is_within(least) {
            let side = usize::from(is_narrow);
            all[side] += 1;
            right[side] += u64::from((cell.grade >= most) == is_narrow);
        }
    }
    let [wide, narrow] = [0, 1].map(|side| share(right[side], all[side]));
    Some((wide? + narrow?) / 2.0)
}

/// The area under the curve of each class against the rest: how often a cell of it seems more
/// probably of it than one of another class.
fn areas(cells: &[&Judged], classes: Classes) -> Vec<Option<f64>> {
    let of_class = |class: usize| {
        let mut scored: Vec<(f32, bool)> = cells
            .iter()
            .filter_map(|cell| {
                let is = classes.class(cell.truth)? == class;
                Some((classes.sets()[class].share(&cell.probabilities?), is))
            })
            .collect();
        scored.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let positive = scored.iter().filter(|(_, is)| *is).count() as f64;
        let negative = scored.len() as f64 - positive;
        let (mut before, mut won) = (0.0, 0.0);
        for equals in scored.chunk_by(|a, b| a.0 == b.0) {
            let own = equals.iter().filter(|(_, is)| *is).count() as f64;
            let others = equals.len() as f64 - own;
            won += own * (before + others / 2.0);
            before += others;
        }
        (positive > 0.0 && negative > 0.0).then(|| won / (positive * negative))
    };
    (0..classes.sets().len()).map(of_class).collect()
}

/// How far what is said to be probable is from how often it is true.
fn calibration_error(cells: &[&Judged]) -> Option<f64> {
    const BINS: usize = 10;
    let (mut said, mut held, mut all) = ([0.0; BINS], [0.0; BINS], 0.0);
    for cell in cells {
        let Some(probabilities) = cell.probabilities else { continue };
        let likeliest = likeliest(&probabilities);
        let probability = f64::from(probabilities[likeliest]);
        let bin = ((probability * BINS as f64) as usize).min(BINS - 1);
        said[bin] += probability;
        held[bin] += f64::from(u8::from(cell.truth.contains(likeliest)));
        all += 1.0;
    }
    let apart: f64 = said.iter().zip(held).map(|(said, held)| (said - held).abs()).sum();
    (all > 0.0).then(|| apart / all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::{Level, Shares, Target};

    fn cell(truth: GradeSet, grade: usize, probabilities: Option<Shares>) -> Judged {
        let of = |name: &str| name.to_owned();
        Judged {
            patient: of("p"),
            study: of("s"),
            level: Level::L5S1,
            target: Target::Central,
            truth,
            grade,
            probabilities,
            sets: Vec::new(),
        }
    }

    fn close(found: Option<f64>, wanted: f64) -> bool {
        found.is_some_and(|found| (found - wanted).abs() < 1e-6)
    }

    #[test]
    fn areas_count_pairs_in_the_right_order_and_ties_half() {
        let normal = |p: f32| [p, 1.0 - p, 0.0, 0.0];
        let cells = [(0, 0.9), (0, 0.5), (1, 0.5), (1, 0.1)]
            .map(|(truth, p)| cell(GradeSet::only(truth), 0, Some(normal(p))));
        let cells: Vec<&Judged> = cells.iter().collect();
        let areas = areas(&cells, Classes::Four);
        assert!(close(areas[0], 3.5 / 4.0) && close(areas[1], 3.5 / 4.0), "{areas:?}");
        assert_eq!(areas[2], None);
    }

    #[test]
    fn half_grades_count_where_they_leave_nothing_open() {
        let half = GradeSet::admitted(crate::label::Grade::ModerateSevere);
        let cells = [cell(half, 3, None), cell(GradeSet::only(0), 1, None)];
        let cells: Vec<&Judged> = cells.iter().collect();
        let [accuracy, _, balanced, .., auc, loss, error] = statistics(&cells, Classes::Four);
        assert!(close(accuracy, 0.0), "moderate to severe is no class");
        assert!(close(balanced, 1.0), "but it is a stenosis");
        assert_eq!([auc, loss, error], [None; 3], "nobody told of probabilities");
    }

    #[test]
    fn who_says_seven_in_ten_and_is_right_as_often_is_calibrated() {
        let said = Some([0.1, 0.7, 0.1, 0.1]);
        let cells: Vec<Judged> =
            (0..10).map(|n| cell(GradeSet::only(if n < 7 { 1 } else { 2 }), 1, said)).collect();
        let cells: Vec<&Judged> = cells.iter().collect();
        assert!(close(calibration_error(&cells), 0.0));
        assert!(calibration_error(&cells[..7]).unwrap() > 0.29);
    }
}
