//! The training loop, a step at a time.

use serde::{Deserialize, Serialize};
use tch::{Kind, Reduction, Tensor, nn::VarStore};

use super::Example;
use crate::engine::Device;
use crate::engine::encoder::{Batch, CLASSES, Config, Network, Output, batches};
use crate::label::Target;
use crate::learn::adamw::AdamW;

/// How to train.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Steps in all.
    pub steps: i32,
    /// Steps until the rate is at its highest.
    pub warm_up: i32,
    /// The highest rate.
    pub rate: f64,
    /// Tokens of a batch.
    pub tokens: usize,
}

impl Plan {
    /// The rate at a step: up in a line, then down in a line to nothing.
    fn rate_at(&self, step: i32) -> f64 {
        let up = f64::from(step + 1) / f64::from(self.warm_up.max(1));
        let down = f64::from(self.steps - step) / f64::from((self.steps - self.warm_up).max(1));
        self.rate * up.min(down).clamp(0.0, 1.0)
    }
}

/// A training under way.
#[allow(missing_debug_implementations, reason = "the network has none")]
pub struct Fit {
    /// The weights in full precision.
    pub weights: VarStore,
    /// The network, which works on a copy of them.
    network: Network,
    device: Device,
    optimizer: AdamW,
    plan: Plan,
}

/// How well examples are read.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// Mean loss of a target.
    pub loss: f64,
    /// Cells that the labels mention.
    pub gold: u64,
    /// Cells whose most probable class is a grade.
    pub read: u64,
    /// Cells of both whose grade is the same.
    pub right: u64,
}

impl Progress {
    /// The strict F1 over cells.
    pub fn f1(&self) -> f64 {
        2.0 * self.right as f64 / (self.gold + self.read).max(1) as f64
    }
}

impl Fit {
    const CLIP: f64 = 1.0;
    const HEDGED_WEIGHT: f64 = 0.3;

    /// Begins a training of a network of this shape, from these weights.
    pub fn new(weights: VarStore, config: &Config, plan: Plan, device: Device) -> Self {
        let mut working = VarStore::new(device.torch());
        let network = Network::new(&working.root(), config);
        working.set_kind(device.precision());
        let optimizer = AdamW::new(&weights, &working);
        Self { weights, network, device, optimizer, plan }
    }

    /// How many steps were taken.
    pub const fn steps(&self) -> i32 {
        self.optimizer.steps()
    }

    /// What the optimizer knows, by name.
    pub fn moments(&self) -> Vec<(String, Tensor)> {
        self.optimizer.state()
    }

    /// Goes on after so many steps, with what the optimizer knew then.
    pub fn resume(&mut self, moments: Vec<(String, Tensor)>, steps: i32) {
        self.optimizer.restore(moments, steps);
    }

    /// Whether all steps were taken.
    pub const fn is_over(&self) -> bool {
        self.optimizer.steps() >= self.plan.steps
    }

    /// Learns from each example once, in batches of like length that come in any order, and calls
    /// `stepped` with the loss of each.
    pub fn round(
        &mut self,
        mut examples: Vec<Example>,
        random: &mut fastrand::Rng,
        mut stepped: impl FnMut(f64),
    ) {
        random.shuffle(&mut examples);
        examples.sort_by_key(|example| example.sequence.tokens.len());
        let lengths: Vec<usize> = examples.iter().map(|e| e.sequence.tokens.len()).collect();
        let mut order = batches(&lengths, self.plan.tokens);
        random.shuffle(&mut order);
        for range in order {
            if self.is_over() {
                return;
            }
            let (loss, gate, ..) = self.loss(&examples[range], true);
            let rate = self.plan.rate_at(self.steps());
            self.optimizer.step(&(&loss + gate), rate, Self::CLIP);
            stepped(f64::try_from(&loss).unwrap_or(f64::NAN));
        }
    }

    /// The loss of the heads, that of the gate, what was read, and what is true.
    fn loss(&self, examples: &[Example], train: bool) -> (Tensor, Tensor, Output, Tensor) {
        let device = self.device;
        let Batch { tokens, mask, segments } =
            Batch::new(examples.iter().map(|example| &example.sequence)).to(device.torch());
        let output = self.network.forward(&tokens, &mask, &segments, train);
        let shape = [examples.len() as i64, Target::ALL.len() as i64];
        let stack = |of: fn(&Example) -> [i64; Target::ALL.len()]| {
            let all: Vec<i64> = examples.iter().flat_map(of).collect();
            Tensor::from_slice(&all).view(shape).to_device(device.torch())
        };
        let (classes, hedged) = (stack(|e| e.classes), stack(|e| e.hedged));
        let verdicts = output.verdicts.reshape([-1, CLASSES]);
        let verdict = verdicts.cross_entropy_loss::<Tensor>(
            &classes.reshape([-1]),
            None,
            Reduction::Mean,
            -100,
            0.0,
        );
        // Whether a cell is hedged is asked only where it is mentioned.
        let mentioned = classes.gt(0);
        let mentioned_anywhere = mentioned.any_dim(1, false);
        let mentioned = mentioned.to_kind(Kind::Float);
        let certainty = output.hedged.binary_cross_entropy_with_logits::<Tensor>(
            &hedged.to_kind(Kind::Float),
            Some(mentioned),
            None,
            Reduction::Mean,
        );
        let any = mentioned_anywhere.to_kind(Kind::Float);
        let gate = output.gate.binary_cross_entropy_with_logits::<Tensor>(
            &any,
            None,
            None,
            Reduction::Mean,
        );
        (verdict + certainty * Self::HEDGED_WEIGHT, gate, output, classes)
    }

    /// Reads examples without learning from them.
    pub fn judge(&self, examples: &[Example]) -> Progress {
        let mut sorted: Vec<&Example> = examples.iter().collect();
        sorted.sort_by_key(|example| example.sequence.tokens.len());
        let lengths: Vec<usize> = sorted.iter().map(|e| e.sequence.tokens.len()).collect();
        let mut progress = Progress::default();
        let mut loss = 0.0;
        let all = batches(&lengths, self.plan.tokens);
        for range in &all {
            let batch: Vec<Example> =
                sorted[range.clone()].iter().map(|&example| example.clone()).collect();
            let (mean, _, output, classes) = tch::no_grad(|| self.loss(&batch, false));
            loss += f64::try_from(mean).unwrap_or(f64::NAN);
            let read = output.verdicts.argmax(-1, false);
            let count = |test: &Tensor| {
                u64::try_from(i64::try_from(test.sum(Kind::Int64)).unwrap_or(0)).unwrap_or(0)
            };
            let mentioned = classes.gt(0);
            progress.gold += count(&mentioned);
            progress.read += count(&read.gt(0));
            progress.right += count(&read.eq_tensor(&classes).logical_and(&mentioned));
        }
        progress.loss = loss / all.len().max(1) as f64;
        progress
    }
}
