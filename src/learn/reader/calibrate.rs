//! What is learned after the weights, on text that they were not trained on: the gate's threshold,
//! the temperature, how rules and transformer are fused, and the thresholds of conformal sets.

use crate::engine::encoder::{Calibration, Reader};
use crate::extract::{Extraction, Extractor};
use crate::label::{
    Belief, Case, Conformal, Fusion, Ground, Opinion, Outcome, Seen, cases, resolve_all,
};
use crate::learn::Gold;
use crate::learn::least::{TEMPERATURES, least};
use crate::simulate::{Part, Simulation};

/// Which share of the levels that mention a target the gate may close.
const MISSED_BY_GATE: f64 = 0.001;

/// How much real reports count beside dictated ones, however many there are of each: real ones are
/// what is read, dictated ones show what no lexicon foresaw.
const REAL: f64 = 0.91;

/// How many texts are read in one go: enough for batches of like length, and few enough that whoever
/// stops does not wait for long.
const TEXTS: usize = 16;

/// A text as rules and transformer read it, and what is true.
struct Known<'a> {
    gold: &'a Gold,
    rules: Vec<Opinion>,
    seen: Vec<Seen>,
}

/// Dictated reports that are half in phrases which no training learns from.
pub fn dictated(seed: u64, reports: u64) -> Vec<Gold> {
    let simulation = Simulation::new(seed);
    (0..reports)
        // Those that the rounds of a training are judged on have the highest numbers.
        .map(|number| simulation.dictation(u64::MAX / 2 + number, Part::HeldOut).into())
        .collect()
}

/// Calibrates a model that has no calibration yet. Conformal sets, which promise something of one
/// kind of text, are learned on the second half of the dictated reports, and the rest on all others.
/// `read` is told how many more reports are read, each time that a caller may stop: no network is at
/// work then.
pub fn calibrate(
    model: Reader,
    extractor: &mut Extractor,
    dictated: &[Gold],
    real: &[Gold],
    mut read: impl FnMut(usize),
) -> Calibration {
    let golds: Vec<&Gold> = dictated.iter().chain(real).collect();
    let mut extractions: Vec<Extraction> = Vec::with_capacity(golds.len());
    for gold in &golds {
        extractions.push(extractor.extract(&gold.text));
        read(0);
    }
    let mut calibration = Calibration {
        temperature: 1.0,
        gate: gate(&model, &golds, &extractions, || read(0)),
        fusion: Fusion([TRUSTING; Ground::COUNT]),
        conformal: Vec::new(),
    };
    let model = model.calibrated(calibration.clone());
    let texts: Vec<(&str, &Extraction)> =
        golds.iter().zip(&extractions).map(|(gold, e)| (gold.text.as_str(), e)).collect();
    let mut seen = Vec::with_capacity(texts.len());
    for some in texts.chunks(TEXTS) {
        seen.extend(model.read(some));
        read(some.len());
    }
    let mut known: Vec<Known<'_>> = golds
        .into_iter()
        .zip(extractions)
        .zip(seen)
        .map(|((gold, extraction), seen)| Known {
            gold,
            rules: resolve_all(&extraction.statements),
            seen,
        })
        .collect();

    let real = known.split_off(dictated.len());
    let promised = known.split_off(dictated.len() / 2);
    let beliefs = [weighed(&known, 1.0 - REAL, beliefs), weighed(&real, REAL, beliefs)].concat();
    calibration.temperature = temperature(&beliefs);
    let [known, real, promised] =
        [known, real, promised].map(|all| tempered(all, calibration.temperature));

    let both = [weighed(&known, 1.0 - REAL, fusible), weighed(&real, REAL, fusible)].concat();
    calibration.fusion = fusion(&both);
    let promised: Vec<(Belief, Outcome)> = promised
        .iter()
        .flat_map(fusible)
        .map(|(case, truth)| (calibration.fusion.belief(&case), truth))
        .collect();
    calibration.conformal =
        Calibration::COVERAGES.map(|coverage| Conformal::fit(coverage, &promised)).into();
    calibration
}

/// The logit that all but a few of the levels with a mention are above.
fn gate(
    model: &Reader,
    golds: &[&Gold],
    extractions: &[Extraction],
    mut scored: impl FnMut(),
) -> f32 {
    let mut scores = Vec::new();
    for (gold, extraction) in golds.iter().zip(extractions) {
        scored();
        for passage in extraction.passages() {
            if gold.labels.iter().any(|(cell, _)| cell.level == passage.level) {
                scores.push(model.gate_score(&gold.text, &passage, extraction));
            }
        }
    }
    scores.sort_unstable_by(f32::total_cmp);
    let missed = (scores.len() as f64 * MISSED_BY_GATE) as usize;
    scores.get(missed).copied().unwrap_or(f32::MIN)
}

fn truth(gold: &Gold, seen: &Seen) -> Outcome {
    gold.labels.get(seen.cell).map(|label| label.grade)
}

fn beliefs(known: &Known<'_>) -> Vec<(Belief, Outcome)> {
    known.seen.iter().map(|seen| (seen.belief, truth(known.gold, seen))).collect()
}

fn fusible(known: &Known<'_>) -> Vec<(Case, Outcome)> {
    let truths = known.seen.iter().map(|seen| truth(known.gold, seen));
    cases(&known.rules, &known.seen).into_iter().zip(truths).collect()
}

/// Cells with what is true of them and how much they count: those of a source `all_count` together.
fn weighed<'a, T>(
    source: &[Known<'a>],
    all_count: f64,
    cells: impl Fn(&Known<'a>) -> Vec<(T, Outcome)>,
) -> Vec<(T, Outcome, f64)> {
    let all: Vec<(T, Outcome)> = source.iter().flat_map(cells).collect();
    let weight = all_count / all.len().max(1) as f64;
    all.into_iter().map(|(cell, truth)| (cell, truth, weight)).collect()
}

fn tempered(mut all: Vec<Known<'_>>, temperature: f32) -> Vec<Known<'_>> {
    for seen in all.iter_mut().flat_map(|known| &mut known.seen) {
        seen.belief = seen.belief.tempered(temperature);
    }
    all
}

/// The temperature under which what is true is the least surprising.
fn temperature(cells: &[(Belief, Outcome, f64)]) -> f32 {
    let surprise = |temperature: f32| -> f64 {
        let one = |(belief, truth, weight): &(Belief, Outcome, f64)| {
            let logs = belief.tempered(temperature).logs();
            -weight * f64::from(logs[Belief::place(*truth)])
        };
        cells.iter().map(one).sum()
    };
    least(TEMPERATURES, surprise)
}

/// The weights to start from, and to stay near where there is little to learn from: the
/// transformer's.
const TRUSTING: [f32; Case::TERMS] = [1.0, 0.0, 0.0, 0.0];

/// The weights under which what is true is the least surprising. Each ground has its own, and the
/// surprise is convex in them, so Newton's steps along one weight at a time end at the least.
fn fusion(cells: &[(Case, Outcome, f64)]) -> Fusion {
    const ROUNDS: usize = 60;
    let mut fusion = Fusion([TRUSTING; Ground::COUNT]);
    for ground in 0..Ground::COUNT {
        let own: Vec<_> = cells
            .iter()
            .filter(|(case, ..)| case.ground as usize == ground)
            .map(|(case, truth, weight)| (case, case.terms(), Belief::place(*truth), *weight))
            .collect();
        for _ in 0..ROUNDS {
            for term in 0..Case::TERMS {
                let drawn = f64::from(fusion.0[ground][term] - TRUSTING[term]);
                let (mut slope, mut bend) = (STAY * drawn, STAY);
                for (case, terms, truth, weight) in &own {
                    let belief = fusion.belief(case);
                    let (mut mean, mut square) = (0.0, 0.0);
                    for (outcome, value) in Belief::outcomes().zip(terms[term]) {
                        let share = f64::from(belief.of(outcome));
                        mean += share * f64::from(value);
                        square += share * f64::from(value).powi(2);
                    }
                    slope += weight * (mean - f64::from(terms[term][*truth]));
                    bend += weight * (square - mean * mean);
                }
                let step = (slope / bend).clamp(-1.0, 1.0);
                fusion.0[ground][term] -= step as f32;
            }
        }
    }
    fusion
}

/// How strongly weights are held where they start.
const STAY: f64 = 1e-5;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::Grade;

    fn belief(outcome: Outcome, odds: f32) -> Belief {
        let mut scores = [0.0; Belief::OUTCOMES];
        scores[Belief::place(outcome)] = odds.ln();
        Belief::softmax(scores)
    }

    #[test]
    fn too_sure_a_reader_is_cooled_down() {
        // It says 0.93 and is right in half of the cells.
        let (sure, even) = (belief(Some(Grade::Mild), 100.0), 1.0 / 200.0);
        let cells: Vec<_> = (0..200)
            .map(|n| (sure, Some(if n % 2 == 0 { Grade::Mild } else { Grade::Severe }), even))
            .collect();
        let found = temperature(&cells);
        assert!(found > 1.5, "{found}");
        let said = sure.tempered(found).of(Some(Grade::Mild));
        assert!((said - 0.5).abs() < 0.05, "{said}");
    }

    #[test]
    fn the_reader_that_is_right_more_often_is_trusted_more() {
        let case = |ground| Case {
            ground,
            found: Some(Grade::Mild),
            belief: belief(Some(Grade::Severe), 4.0),
            agreement: 0.5,
        };
        let one = |n: usize| {
            // Direct statements are right nine times in ten, indirect ones once.
            let (ground, rules) = match n % 2 {
                0 => (Ground::Direct, !n.is_multiple_of(20)),
                _ => (Ground::Indirect, n % 20 == 1),
            };
            (case(ground), Some(if rules { Grade::Mild } else { Grade::Severe }), 1.0 / 400.0)
        };
        let cells: Vec<_> = (0..400).map(one).collect();
        let fusion = fusion(&cells);
        let of = |ground| fusion.belief(&case(ground)).of(Some(Grade::Mild));
        assert!((of(Ground::Direct) - 0.9).abs() < 0.03, "{}", of(Ground::Direct));
        assert!((of(Ground::Indirect) - 0.1).abs() < 0.03, "{}", of(Ground::Indirect));
    }
}
