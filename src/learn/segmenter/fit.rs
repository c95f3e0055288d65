//! The training loop of the segmenter, a step at a time.

use std::f64::consts::PI;
use std::path::Path;

use fastrand::Rng;
use tch::{Kind, Reduction, Tensor, nn::VarStore};

use super::augment::{View, Viewer};
use super::slices::{Slices, bytes, unit};
use crate::engine::unet::{Config, Network};
use crate::engine::{Device, WeightsError, load};
use crate::imaging::Tissue;
use crate::learn::adamw::AdamW;
use crate::learn::overlap::Overlap;

/// How to train.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Steps in all.
    pub steps: i32,
    /// Steps until the rate is at its highest.
    pub warm_up: i32,
    /// The highest rate.
    pub rate: f64,
    /// Views of a step.
    pub views: usize,
}

impl Plan {
    /// The rate at a step: up in a line, then down half a wave of the cosine.
    fn rate_at(&self, step: i32) -> f64 {
        let up = f64::from(step + 1) / f64::from(self.warm_up.max(1));
        let through =
            f64::from(step - self.warm_up) / f64::from((self.steps - self.warm_up).max(1));
        let down = 0.5 * (1.0 + (PI * through.clamp(0.0, 1.0)).cos());
        self.rate * up.min(down).clamp(0.0, 1.0)
    }
}

/// A training under way.
#[derive(Debug)]
pub struct Fit {
    /// The weights that steps change.
    pub weights: VarStore,
    /// Their mean over the last steps, which is what is kept.
    pub mean: VarStore,
    network: Network,
    mean_network: Network,
    device: Device,
    optimizer: AdamW,
    plan: Plan,
}

impl Fit {
    const CLIP: f64 = 5.0;
    /// Steps that the mean goes over.
    const MEMORY: f64 = 400.0;

    /// Begins a training with random weights.
    pub fn new(config: &Config, plan: Plan, device: Device) -> Self {
        let weights = VarStore::new(device.torch());
        let network = Network::new(&weights.root(), config);
        let mut mean = VarStore::new(device.torch());
        let mean_network = Network::new(&mean.root(), config);
        mean.freeze();
        tch::no_grad(|| mean.copy(&weights)).expect("both have the same variables");
        let optimizer = AdamW::new(&weights, &weights);
        Self { weights, mean, network, mean_network, device, optimizer, plan }
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

    /// Whether all steps were taken.
    pub const fn is_over(&self) -> bool {
        self.optimizer.steps() >= self.plan.steps
    }

    /// What the optimizer knows, by name.
    pub fn moments(&self) -> Vec<(String, Tensor)> {
        self.optimizer.state()
    }

    /// Goes on after so many steps, with what the optimizer knew then.
    pub fn resume(&mut self, moments: Vec<(String, Tensor)>, steps: i32) {
        self.optimizer.restore(moments, steps);
    }

    /// Takes a step on views of some slices and returns its loss.
    pub fn step(
        &mut self,
        slices: &Slices,
        lessons: &[(usize, usize)],
        viewer: &Viewer<'_>,
        random: &mut Rng,
    ) -> f64 {
        let done = f64::from(self.steps()) / f64::from(self.plan.steps.max(1));
        let views: Vec<View> = (0..self.plan.views)
            .map(|_| {
                let (subject, at) = lessons[random.usize(..lessons.len())];
                viewer.view(&slices.subjects[subject], at, done, random)
            })
            .collect();
        let stack = |of: fn(&View) -> &Tensor| {
            let all: Vec<&Tensor> = views.iter().map(of).collect();
            Tensor::stack(&all, 0).to_device(self.device.torch())
        };
        let (images, mask) = (stack(|view| &view.images), stack(|view| &view.mask));
        let scores = self.network.forward(&images, self.device.precision(), true);
        let loss = loss(&scores.to_kind(Kind::Float), &mask);
        let rate = self.plan.rate_at(self.steps());
        self.optimizer.step(&loss, rate, Self::CLIP);
        self.renew_mean();
        f64::try_from(loss).unwrap_or(f64::NAN)
    }

    /// Moves the mean towards the weights; faster at first, when they are far from good.
    fn renew_mean(&self) {
        let steps = f64::from(self.steps());
        let memory = Self::MEMORY.min((steps + 1.0) / 4.0).max(1.0);
        let weights = self.weights.variables();
        tch::no_grad(|| {
            for (name, mut mean) in self.mean.variables() {
                let _ = mean.lerp_(&weights[&name], 1.0 / memory);
            }
        });
    }

    /// How the mean's masks overlap those of a subject's slices.
    pub fn judge(&self, slices: &Slices, subject: usize, places: i64) -> Overlap {
        let subject = &slices.subjects[subject];
        let mut overlap = Overlap::default();
        for (at, slice) in subject.slices.iter().enumerate() {
            let images = unit(&subject.around(at, places)).unsqueeze(0);
            let scores = tch::no_grad(|| {
                let images = images.to_device(self.device.torch());
                self.mean_network.padded(&images, self.device.precision())
            });
            let found = scores.max_dim(1, false).1.squeeze_dim(0).to_kind(Kind::Uint8);
            let found = found.to_device(tch::Device::Cpu);
            overlap.add(&bytes(&found), &bytes(&slice.mask));
        }
        overlap
    }
}

/// Cross-entropy, and one less the Dice coefficient of each tissue (Milletari et al. 2016).
fn loss(scores: &Tensor, mask: &Tensor) -> Tensor {
    let entropy = scores.cross_entropy_loss::<Tensor>(mask, None, Reduction::Mean, -100, 0.0);
    let found = scores.softmax(1, Kind::Float);
    let tissues = Tissue::ALL.len() as i64;
    let is = mask.one_hot(tissues).permute([0, 3, 1, 2]).to_kind(Kind::Float);
    let over = [0i64, 2, 3].as_slice();
    let both = (&found * &is).sum_dim_intlist(over, false, Kind::Float);
    let either = (found + is).sum_dim_intlist(over, false, Kind::Float);
    let dice = (both * 2.0 + 1.0) / (either + 1.0);
    let foreground = dice.narrow(0, 1, tissues - 1).mean(Kind::Float);
    entropy + foreground.neg() + 1.0
}
