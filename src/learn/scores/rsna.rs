//! The score of the RSNA 2024 Lumbar Spine Degenerative Classification challenge: log loss over three
//! severities in which moderate counts twice and severe four times, by condition, and with it whether
//! any level's canal is severe.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Classes, Judged};
use crate::label::StenosisType;

/// What normal or mild, moderate and severe count.
const WEIGHTS: [f64; 3] = [1.0, 2.0, 4.0];

/// Probabilities are kept this far from 0 and 1, as the challenge's scorer does.
const LEAST: f64 = 1e-15;

/// The score of the challenge; less is better.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RsnaScore {
    /// The log loss of each condition.
    pub conditions: Vec<(StenosisType, f64)>,
    /// The log loss of whether any level of a study has a severe canal.
    pub any_severe_canal: Option<f64>,
    /// The mean of all of them.
    pub score: f64,
}

impl RsnaScore {
    /// Of cells with probabilities; none where there are none.
    pub(super) fn of(cells: &[Judged]) -> Option<Self> {
        let conditions: Vec<(StenosisType, f64)> = StenosisType::ALL
            .into_iter()
            .filter_map(|of| {
                let own = cells.iter().filter(|cell| cell.target.row().stenosis == of);
                Some((of, weighted_log_loss(own.filter_map(surprise))?))
            })
            .collect();
        let any_severe_canal = any_severe_canal(cells);
        let all: Vec<f64> =
            conditions.iter().map(|(_, loss)| *loss).chain(any_severe_canal).collect();
        let score = all.iter().sum::<f64>() / all.len() as f64;
        (!all.is_empty()).then_some(Self { conditions, any_severe_canal, score })
    }
}

/// What a cell counts, and how surprising its truth is; none where it is of no severity or the reader
/// does not tell.
pub(super) fn surprise(cell: &Judged) -> Option<(f64, f64)> {
    let severity = Classes::Three.class(cell.truth)?;
    let probable = Classes::Three.sets()[severity].share(&cell.probabilities?);
    Some((WEIGHTS[severity], log_loss(f64::from(probable))))
}

fn log_loss(probable: f64) -> f64 {
    -probable.clamp(LEAST, 1.0 - LEAST).ln()
}

/// The mean of surprises, weighted.
pub(super) fn weighted_log_loss(surprises: impl Iterator<Item = (f64, f64)>) -> Option<f64> {
    let (mut all, mut sum) = (0.0, 0.0);
    for (weight, surprise) in surprises {
        all += weight;
        sum += weight * surprise;
    }
    (all > 0.0).then(|| sum / all)
}

fn any_severe_canal(cells: &[Judged]) -> Option<f64> {
    const SEVERE: usize = 2;
    // By study: what it counts, whether it is severe anywhere, and how probably.
    let mut studies: BTreeMap<&str, (f64, bool, f64)> = BTreeMap::new();
    for cell in cells.iter().filter(|cell| cell.target.row().stenosis == StenosisType::Central) {
        let Some(severity) = Classes::Three.class(cell.truth) else { continue };
        let Some(probabilities) = cell.probabilities else { continue };
        let severe = f64::from(Classes::Three.sets()[SEVERE].share(&probabilities));
        let (weight, any, most) = studies.entry(&cell.study).or_insert((0.0, false, 0.0));
        *weight = weight.max(WEIGHTS[severity]);
        *any |= severity == SEVERE;
        *most = most.max(severe);
    }
    weighted_log_loss(studies.into_values().map(|(weight, any, probable)| {
        (weight, log_loss(if any { probable } else { 1.0 - probable }))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::{GradeSet, Level, Shares, Target};

    fn cell(study: &str, target: Target, truth: GradeSet, probabilities: Shares) -> Judged {
        Judged {
            patient: study.to_owned(),
            study: study.to_owned(),
            level: Level::L3L4,
            target,
            truth,
            grade: 0,
            probabilities: Some(probabilities),
            sets: Vec::new(),
        }
    }

    /// Worked by hand: canals of two studies, one severe; a recess that is mild.
    #[test]
    fn severe_counts_four_times_and_any_severe_canal_once_more() {
        let cells = [
            cell("a", Target::Central, GradeSet::NORMAL_MILD, [0.5, 0.3, 0.1, 0.1]),
            cell("a", Target::Central, GradeSet::only(3), [0.1, 0.1, 0.3, 0.5]),
            cell("b", Target::Central, GradeSet::only(2), [0.2, 0.2, 0.4, 0.2]),
            cell("b", Target::RecessLeft, GradeSet::only(1), [0.6, 0.3, 0.1, 0.0]),
        ];
        let score = RsnaScore::of(&cells).unwrap();
        let canal = -(0.8f64.ln() + 4.0 * 0.5f64.ln() + 2.0 * 0.4f64.ln()) / 7.0;
        let any = -(4.0 * 0.5f64.ln() + 2.0 * 0.8f64.ln()) / 6.0;
        let recess = -(0.9f64.ln());
        let wanted = (canal + any + recess) / 3.0;
        assert!((score.conditions[0].1 - canal).abs() < 1e-6, "{score:?} {canal}");
        assert!((score.any_severe_canal.unwrap() - any).abs() < 1e-6, "{score:?} {any}");
        assert!((score.score - wanted).abs() < 1e-6, "{score:?} {wanted}");
        assert_eq!(RsnaScore::of(&[]), None);
    }
}
