//! The training loop of the grader, a step at a time.

use fastrand::Rng;
use tch::{Kind, Tensor, nn::VarStore};

use super::augment;
use super::examples::Examples;
use crate::engine::Device;
use crate::engine::grader::{Config, Features, Network, Place, View, Views, rows};
use crate::label::{GradeSet, LADDER, Shares, StenosisType};
use crate::learn::descent::{Descent, Pace};

/// What a step makes of grades: those of a type that are rare count more.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesson {
    /// By stenosis type, in the order of the network's heads.
    pub weights: Vec<(StenosisType, Shares)>,
}

impl Lesson {
    /// Nothing counts more than so many times what it would by itself.
    const MOST: f64 = 12.0;

    /// How much each grade counts: as much more as it is rarer than others, raised to the power
    /// `balance`, 0 for not at all. Together they count what they would by themselves.
    pub fn new(examples: &Examples, learned: &[usize], config: &Config, balance: f64) -> Self {
        let weights = config.types.iter().map(|&of| {
            let mut counts = [0.0f64; LADDER.len()];
            let targets = || config.targets().filter(|target| target.row().stenosis == of);
            for &at in learned {
                let truths = targets().filter_map(|target| examples.rows[at].truth(target));
                for truth in truths {
                    truth.places().for_each(|place| counts[place] += 1.0 / truth.len() as f64);
                }
            }
            let all: f64 = counts.iter().sum::<f64>().max(1.0);
            let wanted = counts.map(|count| {
                (all / LADDER.len() as f64 / count.max(1.0)).powf(balance).min(Self::MOST)
            });
            let sum: f64 = counts.iter().zip(wanted).map(|(count, weight)| count * weight).sum();
            let scale = if sum > 0.0 { all / sum } else { 1.0 };
            (of, wanted.map(|weight| (weight * scale) as f32))
        });
        Self { weights: weights.collect() }
    }

    /// How much a label counts.
    fn weight(&self, of: StenosisType, truth: GradeSet) -> f32 {
        let weights = self.weights.iter().find(|(own, _)| *own == of);
        let weights = weights.map_or([1.0; LADDER.len()], |(_, weights)| *weights);
        truth.share(&weights) / truth.len() as f32
    }
}

/// A training under way.
#[derive(Debug)]
pub struct Fit {
    /// Its weights.
    pub descent: Descent,
    /// What grades count.
    pub lesson: Lesson,
    config: Config,
    network: Network,
    mean_network: Network,
    device: Device,
    /// Levels of a step.
    batch: usize,
}

impl Fit {
    /// Steps that the mean of the weights goes over.
    const MEMORY: f64 = 200.0;

    /// Levels that are judged together.
    const JUDGED: usize = 8;

    /// Begins a training with random weights.
    pub fn new(config: &Config, pace: Pace, batch: usize, lesson: Lesson, device: Device) -> Self {
        let [weights, mean] = [(); 2].map(|()| VarStore::new(device.torch()));
        let network = Network::new(&weights.root(), config);
        let mean_network = Network::new(&mean.root(), config);
        let descent = Descent::new(weights, mean, pace, Self::MEMORY);
        let config = config.clone();
        Self { descent, lesson, config, network, mean_network, device, batch }
    }

    /// Takes a step on some levels and returns its loss.
    pub fn step(&mut self, examples: &Examples, learned: &[usize], random: &mut Rng) -> f64 {
        let drawn = self.draw(examples, learned, random);
        let views: Vec<View> = drawn
            .iter()
            .map(|&at| augment::view(&self.config, &examples.inputs[at], random))
            .collect();
        let views = Views::new(&views, self.device.torch());
        let seen = self.network.see(&views, self.device.precision(), true);
        let logs = self.network.answer(&seen, &places(examples, &drawn), true);
        let (admitted, weights) = self.truths(examples, &drawn);
        let loss = loss(&logs, &admitted, &weights);
        self.descent.step(&loss);
        f64::try_from(loss).unwrap_or(f64::NAN)
    }

    /// The levels of a step: any, or where context is looked at all of some studies.
    fn draw(&self, examples: &Examples, learned: &[usize], random: &mut Rng) -> Vec<usize> {
        let mut one = || learned[random.usize(..learned.len())];
        if !self.config.context {
            return (0..self.batch).map(|_| one()).collect();
        }
        let mut drawn: Vec<usize> = Vec::with_capacity(self.batch);
        // There may be fewer levels than a step has room for.
        for _ in 0..4 * self.batch {
            let study = &examples.rows[one()].study;
            let of_study = |at: &usize| examples.rows[*at].study == *study;
            if drawn.len() < self.batch && !drawn.iter().any(of_study) {
                drawn.extend(learned.iter().copied().filter(of_study));
            }
        }
        drawn
    }

    /// What is true of levels: 0 for each grade that is admitted and much less for others,
    /// [levels, targets, grades], and what each label counts, 0 where there is none.
    fn truths(&self, examples: &Examples, drawn: &[usize]) -> (Tensor, Tensor) {
        const EXCLUDED: f32 = -1e4;
        let (mut admitted, mut weights) = (Vec::new(), Vec::new());
        for &at in drawn {
            for target in self.config.targets() {
                let truth = examples.rows[at].truth(target);
                let is_in = |place| truth.is_none_or(|truth| truth.contains(place));
                admitted.extend((0..LADDER.len()).map(|g| if is_in(g) { 0.0 } else { EXCLUDED }));
                let of = target.row().stenosis;
                weights.push(truth.map_or(0.0, |truth| self.lesson.weight(of, truth)));
            }
        }
        let levels = drawn.len() as i64;
        let device = self.device.torch();
        let admitted = Tensor::from_slice(&admitted).view([levels, -1, LADDER.len() as i64]);
        let weights = Tensor::from_slice(&weights).view([levels, -1]);
        (admitted.to_device(device), weights.to_device(device))
    }

    /// What the mean of the weights answers to levels: the logarithms of probabilities, target by
    /// target.
    pub fn answers(&self, examples: &Examples, levels: &[usize]) -> Vec<Vec<Shares>> {
        let see = |some: &[usize]| {
            let views: Vec<View> =
                some.iter().map(|&at| examples.inputs[at].view(&self.config)).collect();
            let views = Views::new(&views, self.device.torch());
            tch::no_grad(|| self.mean_network.see(&views, self.device.precision(), false))
        };
        let seen: Vec<Features> = levels.chunks(Self::JUDGED).map(see).collect();
        if seen.is_empty() {
            return Vec::new();
        }
        let (seen, places) = (Features::together(&seen), places(examples, levels));
        rows(&tch::no_grad(|| self.mean_network.answer(&seen, &places, false)))
    }
}

fn places<'a>(examples: &'a Examples, levels: &[usize]) -> Vec<Place<'a>> {
    levels.iter().map(|&at| examples.rows[at].place()).collect()
}

/// How surprising labels are: that one of the grades is true which they admit.
fn loss(logs: &Tensor, admitted: &Tensor, weights: &Tensor) -> Tensor {
    let surprise = (logs + admitted).logsumexp([2i64].as_slice(), false).neg();
    (surprise * weights).sum(Kind::Float) / weights.sum(Kind::Float).clamp_min(1e-6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_of_two_grades_is_as_surprising_as_both_are_improbable() {
        let logs = Tensor::from_slice(&[0.1f32, 0.2, 0.3, 0.4]).log().view([1, 1, 4]);
        let admitted = Tensor::from_slice(&[0.0f32, 0.0, -1e4, -1e4]).view([1, 1, 4]);
        let weights = Tensor::from_slice(&[2.0f32]).view([1, 1]);
        let found = f64::try_from(loss(&logs, &admitted, &weights)).unwrap();
        assert!((found + 0.3f64.ln()).abs() < 1e-5, "{found}");
        let none = f64::try_from(loss(&logs, &admitted, &(weights * 0.0))).unwrap();
        assert_eq!(none, 0.0);
    }
}
