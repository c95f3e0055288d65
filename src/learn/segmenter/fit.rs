//! The training loop of the segmenter, a step at a time.

use fastrand::Rng;
use tch::{Kind, Reduction, Tensor, nn::VarStore};

use super::augment::{View, Viewer};
use super::slices::{Slices, bytes, unit};
use crate::engine::Device;
use crate::engine::unet::{Config, Network};
use crate::imaging::Tissue;
use crate::learn::descent::{Descent, Pace};
use crate::learn::overlap::Overlap;

/// A training under way.
#[derive(Debug)]
pub struct Fit {
    /// Its weights.
    pub descent: Descent,
    network: Network,
    mean_network: Network,
    device: Device,
    /// Views of a step.
    views: usize,
}

impl Fit {
    /// Steps that the mean of the weights goes over.
    const MEMORY: f64 = 400.0;

    /// Begins a training with random weights.
    pub fn new(config: &Config, pace: Pace, views: usize, device: Device) -> Self {
        let [weights, mean] = [(); 2].map(|()| VarStore::new(device.torch()));
        let network = Network::new(&weights.root(), config);
        let mean_network = Network::new(&mean.root(), config);
        let descent = Descent::new(weights, mean, pace, Self::MEMORY);
        Self { descent, network, mean_network, device, views }
    }

    /// Takes a step on views of some slices and returns its loss.
    pub fn step(
        &mut self,
        slices: &Slices,
        lessons: &[(usize, usize)],
        viewer: &Viewer<'_>,
        random: &mut Rng,
    ) -> f64 {
        let done = self.descent.done();
        let views: Vec<View> = (0..self.views)
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
        self.descent.step(&loss);
        f64::try_from(loss).unwrap_or(f64::NAN)
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
