//! The training loop of the grader, a step at a time.

use fastrand::Rng;
use tch::{Kind, Tensor, nn::VarStore};

use super::augment;
use super::examples::Examples;
use crate::engine::Device;
use crate::engine::grader::{Config, Look, Network, Place, View, Views, answers};
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
        let loss = loss(&logs, &self.truths(examples, &drawn));
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

    /// What is true of levels.
    fn truths(&self, examples: &Examples, drawn: &[usize]) -> Truths {
        const EXCLUDED: f32 = -1e4;
        let (mut admitted, mut weights, mut own) = (Vec::new(), Vec::new(), Vec::new());
        for row in drawn.iter().map(|&at| &examples.rows[at]) {
            for target in self.config.targets() {
                let truth = row.truth(target);
                let is_in = |place| truth.is_none_or(|truth| truth.contains(place));
                admitted.extend((0..LADDER.len()).map(|g| if is_in(g) { 0.0 } else { EXCLUDED }));
                let weight = |truth| self.lesson.weight(target.row().stenosis, truth);
                weights.push(truth.map_or(0.0, weight));
                own.push(row.own[target as usize]);
            }
        }
        let tensor = |values: &[f32]| Tensor::from_slice(values).to_device(self.device.torch());
        let levels = drawn.len() as i64;
        Truths {
            admitted: tensor(&admitted).view([levels, -1, LADDER.len() as i64]),
            weights: tensor(&weights).view([levels, -1]),
            own: tensor(&own).view([levels, -1]),
        }
    }

    /// What the mean of the weights answers to levels, looked at from `looks`: the logarithms of
    /// probabilities, target by target.
    pub fn answers(
        &self,
        examples: &Examples,
        levels: &[usize],
        looks: &[Look],
    ) -> Vec<Vec<Shares>> {
        let level = |&at: &usize| (examples.rows[at].place(), &examples.inputs[at]);
        let levels: Vec<_> = levels.iter().map(level).collect();
        answers(&self.mean_network, &self.config, &levels, looks, self.device, |_| ())
    }
}

fn places<'a>(examples: &'a Examples, levels: &[usize]) -> Vec<Place<'a>> {
    levels.iter().map(|&at| examples.rows[at].place()).collect()
}

/// What is true of levels.
#[derive(Debug)]
struct Truths {
    /// 0 for each grade that is admitted and much less for others, [levels, targets, grades].
    admitted: Tensor,
    /// What each label counts, 0 where there is none, [levels, targets].
    weights: Tensor,
    /// How probably each label is of its level, [levels, targets].
    own: Tensor,
}

/// How surprising labels are: that one of the grades is true which they admit. One that may be of
/// another level teaches less, and what others teach does not become more by it.
fn loss(logs: &Tensor, truths: &Truths) -> Tensor {
    let Truths { admitted, weights, own } = truths;
    let surprise = (logs + admitted).logsumexp([2i64].as_slice(), false).neg();
    (surprise * weights * own).sum(Kind::Float) / weights.sum(Kind::Float).clamp_min(1e-6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(admitted: [f32; 4], weight: f32, own: f32) -> f64 {
        let logs = Tensor::from_slice(&[0.1f32, 0.2, 0.3, 0.4]).log().view([1, 1, 4]);
        let truths = Truths {
            admitted: Tensor::from_slice(&admitted).view([1, 1, 4]),
            weights: Tensor::from_slice(&[weight]).view([1, 1]),
            own: Tensor::from_slice(&[own]).view([1, 1]),
        };
        f64::try_from(loss(&logs, &truths)).unwrap()
    }

    #[test]
    fn a_label_of_two_grades_is_as_surprising_as_both_are_improbable() {
        let two = [0.0, 0.0, -1e4, -1e4];
        assert!((found(two, 2.0, 1.0) + 0.3f64.ln()).abs() < 1e-5);
        assert_eq!(found(two, 0.0, 1.0), 0.0);
    }

    #[test]
    fn a_label_that_may_be_of_another_level_teaches_less() {
        let one = [-1e4, -1e4, -1e4, 0.0];
        assert!((found(one, 1.0, 0.25) - 0.25 * found(one, 1.0, 1.0)).abs() < 1e-5);
    }
}
