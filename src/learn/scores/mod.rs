//! How well grades of images agree with what is known: the grader's, or those of any other reader.

mod rsna;
mod statistics;

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;

use self::statistics::{COUNT, confusion, statistics};
use super::bootstrap::{Bootstrap, Interval, resampled};
use super::metrics::Ratio;
use crate::label::{GradeSet, Level, Shares, StenosisType, Target};

pub use rsna::RsnaScore;

/// A cell whose grade is known, as a reader graded it.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// Whose it is: patients are what is drawn for intervals.
    pub patient: String,
    /// Which study shows it.
    pub study: String,
    /// Its level.
    pub level: Level,
    /// Its target.
    pub target: Target,
    /// Which grades are true, or may be where a label leaves it open.
    pub truth: GradeSet,
    /// The place on the ladder of the grade that the reader gave.
    pub grade: usize,
    /// How probable the reader thinks each grade, where it tells.
    pub probabilities: Option<Shares>,
    /// Which grades may be true as the reader sees it, for each coverage that was asked for.
    pub sets: Vec<GradeSet>,
}

/// Which grades are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Classes {
    /// Normal, mild, moderate, severe.
    Four,
    /// Normal or mild, moderate, severe: those of the RSNA 2024 challenge.
    Three,
}

impl Classes {
    /// Those that the truths tell apart: three where any of them says normal or mild.
    fn of(cells: &[Judged]) -> Self {
        match cells.iter().any(|cell| cell.truth == GradeSet::NORMAL_MILD) {
            true => Self::Three,
            false => Self::Four,
        }
    }

    /// Their grades, in order.
    pub const fn sets(self) -> &'static [GradeSet] {
        const FOUR: [GradeSet; 4] =
            [GradeSet::only(0), GradeSet::only(1), GradeSet::only(2), GradeSet::only(3)];
        const THREE: [GradeSet; 3] = [GradeSet::NORMAL_MILD, FOUR[2], FOUR[3]];
        match self {
            Self::Four => &FOUR,
            Self::Three => &THREE,
        }
    }

    /// The class that grades belong to, where it is one.
    fn class(self, grades: GradeSet) -> Option<usize> {
        self.sets().iter().position(|class| grades.is_within(*class))
    }
}

/// All scores of a reader.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GradeScores {
    /// Which grades are told apart.
    pub classes: Classes,
    /// The coverages that sets were asked for.
    pub coverages: Vec<f64>,
    /// Over all cells, then by stenosis type, by target, by level, and by level and type.
    pub groups: Vec<Group>,
    /// As the RSNA 2024 challenge scores, where the reader gives probabilities.
    pub rsna: Option<RsnaScore>,
}

/// Scores over some cells.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// Which: `all`, or the names of a type, target, level, or level and type.
    pub group: String,
    /// How many cells there are.
    pub cells: usize,
    /// Cells whose truth is one class: what all but log loss and calibration are about.
    pub of_one_class: usize,
    /// The share that is graded right.
    pub accuracy: Ratio,
    /// The mean over classes of the share of their cells that is graded right.
    pub class_average: Ratio,
    /// Moderate and severe told from normal and mild: the mean of sensitivity and specificity.
    pub balanced: Ratio,
    /// Cohen's κ with linear weights.
    pub kappa_linear: Ratio,
    /// Cohen's κ with quadratic weights.
    pub kappa_quadratic: Ratio,
    /// The area under the receiver operating characteristic, each class against the rest, the mean
    /// over classes.
    pub auc: Ratio,
    /// The log loss of the RSNA 2024 challenge: moderate counts twice, severe four times.
    pub log_loss: Ratio,
    /// How far the probability of the most probable grade is from how often it is true, the mean
    /// over tenths (Guo et al. 2017).
    pub calibration_error: Ratio,
    /// How often each class (rows) was taken for which (columns).
    pub confusion: Vec<Vec<u64>>,
    /// Of sets, for each coverage.
    pub sets: Vec<SetScore>,
}

/// How sets of grades did that were asked for one coverage.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SetScore {
    /// What was asked for.
    pub coverage: f64,
    /// The share of cells whose set holds a true grade.
    pub held: Ratio,
    /// The same by class.
    pub held_by_class: Vec<Option<f64>>,
    /// The mean number of grades in a set.
    pub size: f64,
}

/// Scores a reader's cells, whose sets, where it gives any, were asked for these coverages.
pub fn grade_scores(
    cells: &[Judged],
    coverages: &[f64],
    bootstrap: Option<Bootstrap>,
) -> GradeScores {
    let classes = Classes::of(cells);
    let groups = groups(cells)
        .into_par_iter()
        .map(|(name, cells)| group(name, &cells, classes, coverages, bootstrap))
        .collect();
    GradeScores { classes, coverages: coverages.into(), groups, rsna: RsnaScore::of(cells) }
}

/// Cells that are scored together.
fn groups(cells: &[Judged]) -> Vec<(String, Vec<&Judged>)> {
    let mut groups = vec![("all".to_owned(), cells.iter().collect())];
    let mut add = |name: String, is_in: &dyn Fn(&Judged) -> bool| {
        let own: Vec<&Judged> = cells.iter().filter(|cell| is_in(cell)).collect();
        if !own.is_empty() {
            groups.push((name, own));
        }
    };
    let stenosis = |cell: &Judged| cell.target.row().stenosis;
    for of in StenosisType::ALL {
        add(of.to_string(), &|cell| stenosis(cell) == of);
    }
    for target in Target::ALL {
        // The only target of a type is that type.
        if target.row().side.is_some() {
            add(target.to_string(), &|cell| cell.target == target);
        }
    }
    for level in Level::ALL {
        add(level.to_string(), &|cell| cell.level == level);
    }
    for level in Level::ALL {
        for of in StenosisType::ALL {
            let is_in = |cell: &Judged| cell.level == level && stenosis(cell) == of;
            add(format!("{level}/{of}"), &is_in);
        }
    }
    groups
}

fn group(
    group: String,
    cells: &[&Judged],
    classes: Classes,
    coverages: &[f64],
    bootstrap: Option<Bootstrap>,
) -> Group {
    let values = statistics(cells, classes);
    let intervals = bootstrap.map_or([None; COUNT], |bootstrap| {
        by_patient(cells, bootstrap, |cells| statistics(cells, classes))
    });
    let mut ratios = values.into_iter().zip(intervals);
    let mut next = || {
        let (value, interval) = ratios.next().unwrap_or_default();
        Ratio { value, interval: value.and(interval) }
    };
    Group {
        group,
        cells: cells.len(),
        of_one_class: cells.iter().filter(|cell| classes.class(cell.truth).is_some()).count(),
        accuracy: next(),
        class_average: next(),
        balanced: next(),
        kappa_linear: next(),
        kappa_quadratic: next(),
        auc: next(),
        log_loss: next(),
        calibration_error: next(),
        confusion: confusion(cells, classes),
        sets: coverages
            .iter()
            .enumerate()
            .filter_map(|(at, &coverage)| set_score(cells, at, coverage, classes, bootstrap))
            .collect(),
    }
}

/// Intervals of statistics over cells, patients being drawn.
fn by_patient<const N: usize>(
    cells: &[&Judged],
    bootstrap: Bootstrap,
    statistics: impl Fn(&[&Judged]) -> [Option<f64>; N],
) -> [Option<Interval>; N] {
    let mut patients: BTreeMap<&str, Vec<&Judged>> = BTreeMap::new();
    for cell in cells {
        patients.entry(&cell.patient).or_default().push(cell);
    }
    let patients: Vec<Vec<&Judged>> = patients.into_values().collect();
    resampled(patients.len(), bootstrap, |drawn| {
        let drawn: Vec<&Judged> =
            drawn.iter().flat_map(|&patient| patients[patient].iter().copied()).collect();
        statistics(&drawn)
    })
}

fn set_score(
    cells: &[&Judged],
    at: usize,
    coverage: f64,
    classes: Classes,
    bootstrap: Option<Bootstrap>,
) -> Option<SetScore> {
    let holds = |cell: &Judged| cell.sets.get(at).map(|set| set.meets(cell.truth));
    let held = |cells: &[&Judged]| {
        let told: Vec<bool> = cells.iter().filter_map(|cell| holds(cell)).collect();
        let held = told.iter().filter(|held| **held).count();
        (!told.is_empty()).then(|| held as f64 / told.len() as f64)
    };
    let value = Some(held(cells)?);
    let interval = bootstrap.and_then(|bootstrap| {
        let [interval] = by_patient(cells, bootstrap, |cells| [held(cells)]);
        interval
    });
    let of_class = |class: usize| {
        let own = cells.iter().filter(|cell| classes.class(cell.truth) == Some(class));
        held(&own.copied().collect::<Vec<_>>())
    };
    let sizes: Vec<usize> =
        cells.iter().filter_map(|cell| cell.sets.get(at)).map(|set| set.len()).collect();
    Some(SetScore {
        coverage,
        held: Ratio { value, interval },
        held_by_class: (0..classes.sets().len()).map(of_class).collect(),
        size: sizes.iter().sum::<usize>() as f64 / sizes.len() as f64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(patient: usize, target: Target, truth: usize, grade: usize) -> Judged {
        let mut probabilities = [0.1; 4];
        probabilities[grade] = 0.7;
        Judged {
            patient: patient.to_string(),
            study: patient.to_string(),
            level: Level::L4L5,
            target,
            truth: GradeSet::only(truth),
            grade,
            probabilities: Some(probabilities),
            sets: vec![GradeSet::only(grade), GradeSet::ALL],
        }
    }

    #[test]
    fn groups_and_intervals_are_those_of_their_cells() {
        let mut cells: Vec<Judged> = (0..80)
            .map(|n| cell(n / 4, Target::Central, n % 4, if n % 8 == 0 { 1 } else { n % 4 }))
            .collect();
        cells.push(cell(0, Target::RecessLeft, 3, 0));
        let bootstrap = Some(Bootstrap { resamples: 200, seed: 1 });
        let scores = grade_scores(&cells, &[0.5, 0.9], bootstrap);
        let names: Vec<&str> = scores.groups.iter().map(|group| group.group.as_str()).collect();
        let wanted =
            ["all", "central", "recess", "recess_left", "L4-L5", "L4-L5/central", "L4-L5/recess"];
        assert_eq!(names, wanted);
        let central = &scores.groups[1];
        assert_eq!((central.cells, central.accuracy.value), (80, Some(0.875)));
        assert_eq!(central.class_average.value, Some(0.875));
        assert_eq!(central.confusion[0], [10, 10, 0, 0]);
        let [low, high] = central.accuracy.interval.unwrap();
        assert!(low < 0.875 && 0.875 < high && high - low < 0.2, "{low} {high}");
        assert_eq!((central.sets[0].held.value, central.sets[0].size), (Some(0.875), 1.0));
        assert_eq!(central.sets[0].held_by_class[0], Some(0.5));
        assert_eq!((central.sets[1].held.value, central.sets[1].size), (Some(1.0), 4.0));
        assert_eq!(scores.groups[2].accuracy.value, Some(0.0));
        assert_eq!(scores.groups[2].kappa_quadratic.value, Some(0.0));
    }

    #[test]
    fn where_normal_and_mild_are_not_parted_there_are_three_classes() {
        let mut cells: Vec<Judged> =
            [(0, 1), (2, 2), (3, 3)].map(|(t, g)| cell(t, Target::Central, t, g)).into();
        assert_eq!(grade_scores(&cells, &[], None).groups[0].confusion.len(), 4);
        cells[0].truth = GradeSet::NORMAL_MILD;
        let scores = grade_scores(&cells, &[], None);
        assert_eq!(scores.classes, Classes::Three);
        assert_eq!(scores.groups[0].accuracy.value, Some(1.0));
        assert_eq!(scores.groups[0].confusion, [[1, 0, 0], [0, 1, 0], [0, 0, 1]]);
    }
}
