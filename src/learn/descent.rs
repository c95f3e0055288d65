//! Steps down a loss: the rate of each, and a running mean of the weights, which is what is kept.

use std::f64::consts::PI;
use std::path::Path;

use tch::{Tensor, nn::VarStore};

use super::adamw::AdamW;
use super::keep;
use crate::engine::{WeightsError, load};

/// How fast to go.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Steps in all.
    pub steps: i32,
    /// Steps until the rate is at its highest.
    pub warm_up: i32,
    /// The highest rate.
    pub rate: f64,
}

impl Pace {
    /// The rate at a step: up in a line, then down half a wave of the cosine.
    fn rate_at(&self, step: i32) -> f64 {
        let up = f64::from(step + 1) / f64::from(self.warm_up.max(1));
        let through =
            f64::from(step - self.warm_up) / f64::from((self.steps - self.warm_up).max(1));
        let down = 0.5 * (1.0 + (PI * through.clamp(0.0, 1.0)).cos());
        self.rate * up.min(down).clamp(0.0, 1.0)
    }
}

/// The weights of a network on their way.
#[derive(Debug)]
pub struct Descent {
    /// The weights that steps change.
    pub weights: VarStore,
    /// Their mean over the last steps.
    pub mean: VarStore,
    optimizer: AdamW,
    pace: Pace,
    /// Steps that the mean goes over at most.
    memory: f64,
}

impl Descent {
    const CLIP: f64 = 5.0;

    /// Begins with the weights as they are, which become those of `mean` too: a network of the same
    /// shape.
    ///
    /// # Panics
    /// Where `mean` is of another shape.
    pub fn new(weights: VarStore, mut mean: VarStore, pace: Pace, memory: f64) -> Self {
        mean.freeze();
        tch::no_grad(|| mean.copy(&weights)).expect("both have the same variables");
        let optimizer = AdamW::new(&weights, &weights);
        Self { weights, mean, optimizer, pace, memory }
    }

    /// Begins with a model's weights instead.
    ///
    /// # Errors
    /// Where the file is missing or of another network.
    pub fn begin_with(&mut self, weights: &Path) -> Result<(), WeightsError> {
        load(&self.weights, weights)?;
        load(&self.mean, weights)
    }

    /// How many steps were taken.
    pub const fn steps(&self) -> i32 {
        self.optimizer.steps()
    }

    /// The share of all steps that was taken.
    pub fn done(&self) -> f64 {
        f64::from(self.steps()) / f64::from(self.pace.steps.max(1))
    }

    /// Whether all steps were taken.
    pub const fn is_over(&self) -> bool {
        self.optimizer.steps() >= self.pace.steps
    }

    /// Takes a step down a loss.
    pub fn step(&mut self, loss: &Tensor) {
        let rate = self.pace.rate_at(self.steps());
        self.optimizer.step(loss, rate, Self::CLIP);
        self.renew_mean();
    }

    /// Moves the mean towards the weights; faster at first, when they are far from good.
    fn renew_mean(&self) {
        let steps = f64::from(self.steps());
        let memory = self.memory.min((steps + 1.0) / 4.0).max(1.0);
        let weights = self.weights.variables();
        tch::no_grad(|| {
            for (name, mut mean) in self.mean.variables() {
                let _ = mean.lerp_(&weights[&name], 1.0 / memory);
            }
        });
    }

    /// Everything that a resumed training needs, by name.
    pub fn state(&self) -> Vec<(String, Tensor)> {
        let mut tensors = keep::variables("variable.", &self.weights);
        tensors.extend(keep::variables("mean.", &self.mean));
        tensors.extend(self.optimizer.state());
        tensors
    }

    /// Goes on from a state after so many steps.
    pub fn resume(&mut self, state: Vec<(String, Tensor)>, steps: i32) {
        keep::fill("variable.", &self.weights, &state);
        keep::fill("mean.", &self.mean, &state);
        self.optimizer.restore(state, steps);
    }
}
