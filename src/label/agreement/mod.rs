//! How far readers agree on cells, corrected for chance.
//!
//! Two questions are told apart. Do readers give the same *verdict*, of whatever kind: plain κ and
//! AC1, over cells that at least one of them mentions. And how far apart are their *grades*:
//! weighted κ, AC2 and α, over cells to which both give a grade with a place on the ordered scale;
//! `present` has none and is counted among verdicts alone.

mod coefficient;

pub use coefficient::{Table, Weights, alpha_ordinal, cohen_kappa, gwet_ac};

use super::{Grade, Verdict};

/// How many verdicts there are: grades, unassessable, not mentioned.
pub const VERDICTS: usize = Grade::ALL.len() + 2;

/// How many grades are ordered: all but `present`.
pub const ORDERED: usize = Grade::ALL.len() - 1;

/// The place of a verdict among [`VERDICTS`].
pub const fn place(verdict: Verdict) -> usize {
    match verdict {
        Verdict::Graded(grade) => grade as usize,
        Verdict::Unassessable => VERDICTS - 2,
        Verdict::NotMentioned => VERDICTS - 1,
    }
}

/// The verdict of a place, in the order of rows and columns of [`Agreement::confusion`].
pub fn verdict_at(place: usize) -> Verdict {
    match Grade::ALL.get(place) {
        Some(&grade) => Verdict::Graded(grade),
        None if place == VERDICTS - 2 => Verdict::Unassessable,
        None => Verdict::NotMentioned,
    }
}

/// A coefficient of agreement: 1 is perfect, 0 what chance would give.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize)]
pub struct Coefficient {
    /// None where nothing varies, so that chance explains everything.
    pub value: Option<f64>,
    /// Where 95 % of resamples of the reports lie.
    pub interval: Option<(f64, f64)>,
}

/// How far two readers agree.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Agreement {
    /// Reports that both have read.
    pub reports: u64,
    /// Cells that at least one of them mentions.
    pub cells: u64,
    /// Those to which both give the same verdict.
    pub same: u64,
    /// Cells that both give an ordered grade.
    pub graded: u64,
    /// Cohen's κ of verdicts.
    pub kappa: Coefficient,
    /// Gwet's AC1 of verdicts.
    pub ac1: Coefficient,
    /// Cohen's κ of grades with quadratic weights.
    pub weighted_kappa: Coefficient,
    /// Gwet's AC2 of grades with quadratic weights.
    pub ac2: Coefficient,
    /// Krippendorff's ordinal α of grades.
    pub alpha: Coefficient,
    /// How often the first reader (rows) and the second (columns) gave which verdicts.
    pub confusion: [[u64; VERDICTS]; VERDICTS],
}

/// How coefficients get their intervals: whole reports are drawn with replacement, since cells of
/// one report are not independent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resampling {
    /// How many times.
    pub resamples: usize,
    /// Decides the draws.
    pub seed: u64,
}

/// What two readers made of the cells of one report, the first reader first.
pub type ReportPairs = Vec<(Verdict, Verdict)>;

/// How far two readers agree over these reports.
pub fn between_two(reports: &[ReportPairs], resampling: Resampling) -> Agreement {
    let verdicts: Vec<Vec<Entry>> = reports.iter().map(verdict_entries).collect();
    let grades: Vec<Vec<Entry>> = reports.iter().map(grade_entries).collect();
    let mut confusion = [[0; VERDICTS]; VERDICTS];
    for entry in verdicts.iter().flatten() {
        confusion[entry.row][entry.column] += 1;
    }
    let [kappa, ac1] = coefficients::<VERDICTS, 2>(
        &verdicts,
        resampling,
        [|table| cohen_kappa(table, Weights::Identity), |table| gwet_ac(table, Weights::Identity)],
    );
    let [weighted_kappa, ac2, alpha] = coefficients::<ORDERED, 3>(
        &grades,
        resampling,
        [
            |table| cohen_kappa(table, Weights::Quadratic),
            |table| gwet_ac(table, Weights::Quadratic),
            |table| alpha_ordinal(&both_ways(table)),
        ],
    );
    Agreement {
        reports: reports.len() as u64,
        cells: verdicts.iter().map(|entries| entries.len() as u64).sum(),
        same: (0..VERDICTS).map(|place| confusion[place][place]).sum(),
        graded: grades.iter().map(|entries| entries.len() as u64).sum(),
        kappa,
        ac1,
        weighted_kappa,
        ac2,
        alpha,
        confusion,
    }
}

/// Krippendorff's ordinal α of the grades of any number of readers. Each report is a list of cells,
/// each cell what its readers made of it.
pub fn among_all(reports: &[Vec<Vec<Verdict>>], resampling: Resampling) -> Coefficient {
    let entries = |cell: &Vec<Verdict>| {
        let ranks: Vec<usize> = cell.iter().filter_map(|&verdict| rank(verdict)).collect();
        let weight = 1.0 / (ranks.len().max(2) - 1) as f64;
        let mut entries = Vec::new();
        for (i, &row) in ranks.iter().enumerate() {
            let others = ranks.iter().enumerate().filter(|(j, _)| *j != i);
            entries.extend(others.map(|(_, &column)| Entry { row, column, weight }));
        }
        entries
    };
    let coincidences: Vec<Vec<Entry>> =
        reports.iter().map(|cells| cells.iter().flat_map(entries).collect()).collect();
    let [alpha] = coefficients::<ORDERED, 1>(&coincidences, resampling, [alpha_ordinal]);
    alpha
}

/// What is added to a table.
#[derive(Debug, Clone, Copy)]
struct Entry {
    row: usize,
    column: usize,
    weight: f64,
}

fn rank(verdict: Verdict) -> Option<usize> {
    verdict.grade().and_then(Grade::rank).map(usize::from)
}

fn verdict_entries(pairs: &ReportPairs) -> Vec<Entry> {
    let unmentioned = (Verdict::NotMentioned, Verdict::NotMentioned);
    let entry = |&(first, second): &(Verdict, Verdict)| Entry {
        row: place(first),
        column: place(second),
        weight: 1.0,
    };
    pairs.iter().filter(|pair| **pair != unmentioned).map(entry).collect()
}

fn grade_entries(pairs: &ReportPairs) -> Vec<Entry> {
    let entry = |&(first, second): &(Verdict, Verdict)| {
        Some(Entry { row: rank(first)?, column: rank(second)?, weight: 1.0 })
    };
    pairs.iter().filter_map(entry).collect()
}

/// The coincidences of two readers: each pair both ways round.
fn both_ways<const N: usize>(table: &Table<N>) -> Table<N> {
    let mut sum = *table;
    for (row, counts) in table.iter().enumerate() {
        for (column, count) in counts.iter().enumerate() {
            sum[column][row] += count;
        }
    }
    sum
}

/// Statistics of the sum of all reports' tables, each with its bootstrap interval.
fn coefficients<const N: usize, const S: usize>(
    reports: &[Vec<Entry>],
    resampling: Resampling,
    statistics: [fn(&Table<N>) -> Option<f64>; S],
) -> [Coefficient; S] {
    let mut table = [[0.0; N]; N];
    reports.iter().for_each(|report| add(&mut table, report));
    let values = statistics.map(|statistic| statistic(&table));
    let mut drawn: [Vec<f64>; S] = std::array::from_fn(|_| Vec::new());
    if reports.len() > 1 {
        let mut random = fastrand::Rng::with_seed(resampling.seed);
        for _ in 0..resampling.resamples {
            let mut table = [[0.0; N]; N];
            for _ in 0..reports.len() {
                add(&mut table, &reports[random.usize(..reports.len())]);
            }
            for (drawn, statistic) in drawn.iter_mut().zip(statistics) {
                drawn.extend(statistic(&table));
            }
        }
    }
    let mut drawn = drawn.into_iter();
    values.map(|value| Coefficient {
        value,
        interval: value.and(interval(drawn.next().unwrap_or_default())),
    })
}

fn add<const N: usize>(table: &mut Table<N>, report: &[Entry]) {
    for entry in report {
        table[entry.row][entry.column] += entry.weight;
    }
}

/// Where the middle 95 % of these lie; none where there are none.
fn interval(mut drawn: Vec<f64>) -> Option<(f64, f64)> {
    drawn.sort_by(f64::total_cmp);
    let last = drawn.len().checked_sub(1)? as f64;
    let quantile = |share: f64| drawn[(last * share).round() as usize];
    Some((quantile(0.025), quantile(0.975)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESAMPLING: Resampling = Resampling { resamples: 200, seed: 1 };

    fn graded(grade: Grade) -> Verdict {
        Verdict::Graded(grade)
    }

    #[test]
    fn readers_who_say_the_same_agree_wholly() {
        let pairs: Vec<_> = Grade::ALL.map(|grade| (graded(grade), graded(grade))).into();
        let agreement = between_two(&[pairs.clone(), pairs], RESAMPLING);
        assert_eq!((agreement.cells, agreement.same, agreement.graded), (14, 14, 12));
        for found in [agreement.kappa, agreement.ac1, agreement.weighted_kappa, agreement.alpha] {
            assert!((found.value.unwrap() - 1.0).abs() < 1e-12, "{found:?}");
        }
    }

    #[test]
    fn cells_that_neither_mentions_say_nothing() {
        let silent = (Verdict::NotMentioned, Verdict::NotMentioned);
        let agreement = between_two(&[vec![silent; 30]], RESAMPLING);
        assert_eq!((agreement.cells, agreement.kappa.value), (0, None));
    }

    #[test]
    fn present_is_a_verdict_without_a_place_on_the_scale() {
        let pairs = vec![
            (graded(Grade::Present), graded(Grade::Mild)),
            (graded(Grade::Mild), graded(Grade::Mild)),
        ];
        let agreement = between_two(&[pairs], RESAMPLING);
        assert_eq!((agreement.cells, agreement.graded), (2, 1));
        assert_eq!(agreement.confusion[place(graded(Grade::Present))][1], 1);
    }

    #[test]
    fn the_interval_holds_the_value_and_narrows_with_reports() {
        let mixed = |n: usize| -> Vec<ReportPairs> {
            let grades = [Grade::Normal, Grade::Mild, Grade::Moderate, Grade::Severe];
            let pair = |i: usize| {
                let second = if i.is_multiple_of(5) { (i + 1) % 4 } else { i % 4 };
                (graded(grades[i % 4]), graded(grades[second]))
            };
            (0..n).map(|i| vec![pair(i), pair(i + 3)]).collect()
        };
        let width = |n: usize| {
            let kappa = between_two(&mixed(n), RESAMPLING).weighted_kappa;
            let (low, high) = kappa.interval.unwrap();
            assert!(low <= kappa.value.unwrap() && kappa.value.unwrap() <= high);
            high - low
        };
        assert!(width(400) < width(40));
    }

    #[test]
    fn alpha_takes_any_number_of_readers() {
        let cell = |grades: &[Grade]| grades.iter().map(|&g| graded(g)).collect::<Vec<_>>();
        use Grade::{Mild, Moderate, Normal};
        let same = vec![cell(&[Normal; 3]), cell(&[Mild; 2]), cell(&[Moderate])];
        let alpha = among_all(&[same], RESAMPLING);
        assert!((alpha.value.unwrap() - 1.0).abs() < 1e-12);
    }
}
