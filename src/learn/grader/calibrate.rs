//! What is learned after the weights, on levels that they have not seen: how warm probabilities are,
//! and what sets of grades have to hold.

use super::fit::Lesson;
use super::row::Row;
use crate::engine::grader::{Calibration, Config, TypeCalibration};
use crate::label::{GradeSet, OrdinalConformal, Shares, StenosisType, Target};
use crate::learn::least::{TEMPERATURES, least};

/// Calibrates a network that answered levels so.
pub(super) fn calibrate(
    config: &Config,
    lesson: &Lesson,
    levels: &[&Row],
    answers: &[Vec<Shares>],
) -> Calibration {
    let of_type = |(of, weights): &(StenosisType, Shares)| {
        let known: Vec<(Shares, GradeSet)> = levels
            .iter()
            .zip(answers)
            .flat_map(|(row, logs)| {
                let of_type = move |(target, logs): (Target, &Shares)| {
                    let truth = row.truth(target).filter(|_| target.row().stenosis == *of)?;
                    Some((*logs, truth))
                };
                config.targets().zip(logs).filter_map(of_type)
            })
            .collect();
        let calibration = TypeCalibration {
            weights: *weights,
            temperature: temperature(&known, *weights),
            ..TypeCalibration::default()
        };
        let even: Vec<(Shares, GradeSet)> =
            known.iter().map(|(logs, truth)| (calibration.even(logs), *truth)).collect();
        let sets = Calibration::COVERAGES.map(|coverage| OrdinalConformal::fit(coverage, &even));
        (*of, TypeCalibration { sets: sets.into(), ..calibration })
    };
    Calibration(lesson.weights.iter().map(of_type).collect())
}

/// The temperature under which what is true is the least surprising.
fn temperature(known: &[(Shares, GradeSet)], weights: Shares) -> f32 {
    if known.is_empty() {
        return 1.0;
    }
    least(TEMPERATURES, |temperature| {
        let calibration = TypeCalibration { temperature, weights, ..TypeCalibration::default() };
        let surprise = |(logs, truth): &(Shares, GradeSet)| {
            -f64::from(truth.share(&calibration.probable(logs)).max(1e-9).ln())
        };
        known.iter().map(surprise).sum()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::LADDER;

    #[test]
    fn too_sure_a_network_is_cooled_down() {
        // It says 0.97 and is right in seven of ten.
        let sure = [0.97f32, 0.01, 0.01, 0.01].map(f32::ln);
        let known: Vec<_> = (0..100)
            .map(|n| (sure, GradeSet::only(if n % 10 < 7 { 0 } else { 1 + n % 3 })))
            .collect();
        let temperature = temperature(&known, [1.0; LADDER.len()]);
        let calibration = TypeCalibration { temperature, ..TypeCalibration::default() };
        let said = calibration.probable(&sure)[0];
        assert!((said - 0.7).abs() < 0.02, "{said}");
    }
}
