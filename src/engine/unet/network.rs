//! The network: a U-Net (Ronneberger, Fischer & Brox 2015) whose skips are added rather than
//! concatenated (LinkNet, Chaurasia & Culurciello 2017), which halves what its decoder costs.
//!
//! It computes at half the resolution that it reads and writes: the image is folded into channels
//! at the door, and its scores are unfolded at the exit (Shi et al. 2016), so that outlines are as
//! fine as the image at a quarter of the cost.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use tch::nn::Path;
use tch::{Kind, Tensor};

use crate::engine::convolution::{Convolution, channels_last, he_normal};
use crate::imaging::Tissue;

/// The shape of a network, and what its pixels are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The width of a pixel in mm.
    pub pixel: f64,
    /// How far the slices on both sides, which are read beside the one in question, are from it in
    /// mm.
    pub neighbour: f64,
    /// Channels at half, quarter, ... of the resolution.
    pub widths: Vec<i64>,
}

impl Default for Config {
    fn default() -> Self {
        Self { pixel: 0.468_75, neighbour: 3.6, widths: vec![32, 64, 96, 128, 160] }
    }
}

impl Config {
    /// Slices that are read together: the one in question between its neighbours.
    pub const SLICES: i64 = 3;

    /// Images must be a multiple of so many pixels wide and high.
    pub fn multiple(&self) -> i64 {
        FOLD << (self.widths.len() - 1)
    }
}

/// How many pixels on a side become one with more channels.
const FOLD: i64 = 2;

/// Scores of tissues from slices.
#[derive(Debug)]
pub struct Network {
    /// Two convolutions at each resolution, the first of which halves it.
    down: Vec<[Convolution; 2]>,
    /// From the lowest resolution but one to the highest.
    up: Vec<Rise>,
    head: Convolution,
}

/// Doubles the resolution, adds what the way down found there, and convolves twice.
#[derive(Debug)]
struct Rise {
    weight: Tensor,
    bias: Tensor,
    after: [Convolution; 2],
}

impl Network {
    /// A network with its variables under `root`.
    pub fn new(root: &Path<'_>, config: &Config) -> Self {
        let widths = &config.widths;
        let folded = Config::SLICES * FOLD * FOLD;
        let before = std::iter::once(folded).chain(widths.iter().copied());
        let down = before.zip(widths).enumerate().map(|(i, (from, &to))| {
            let at = root / "down" / i;
            let stride = if i == 0 { 1 } else { 2 };
            [
                Convolution::normed(&(&at / 0), from, to, stride),
                Convolution::normed(&(&at / 1), to, to, 1),
            ]
        });
        let up = (0..widths.len() - 1).rev().map(|i| {
            let at = root / "up" / i;
            Rise::new(&at, widths[i + 1], widths[i])
        });
        let scores = Tissue::ALL.len() as i64 * FOLD * FOLD;
        let head = Convolution::plain(&(root / "head"), widths[0], scores);
        Self { down: down.collect(), up: up.collect(), head }
    }

    /// Scores of tissues, [slices, tissues, height, width], of images, [slices, 3, height, width],
    /// whose brightness may have any scale. It computes in the precision `kind`; `train` learns the
    /// statistics of normalization.
    pub fn forward(&self, images: &Tensor, kind: Kind, train: bool) -> Tensor {
        self.scores(&standardized(images), kind, train)
    }

    fn scores(&self, images: &Tensor, kind: Kind, train: bool) -> Tensor {
        let images = images.to_kind(kind);
        // Gradients of full floats are faster with channels apart: 3.5 s a step against 4.3 s.
        let apart = train && kind == Kind::Float;
        let images = if apart { images.contiguous() } else { channels_last(&images) };
        let mut x = images.pixel_unshuffle(FOLD);
        let mut found = Vec::with_capacity(self.down.len());
        for [first, second] in &self.down {
            x = second.forward(&first.forward(&x, train).relu_(), train).relu_();
            found.push(x.shallow_clone());
        }
        found.pop();
        for (rise, skip) in self.up.iter().zip(found.iter().rev()) {
            x = rise.forward(&x, skip, train);
        }
        self.head.forward(&x, train).pixel_shuffle(FOLD)
    }

    /// Scores of images of any size, without training.
    pub fn padded(&self, images: &Tensor, kind: Kind) -> Tensor {
        self.within(images, 0..images.size()[3], kind)
    }

    /// Scores of these columns of images of any size, without training. What is beside them is not seen,
    /// but for what makes them a multiple wide; brightness is that of the whole images.
    pub fn within(&self, images: &Tensor, columns: Range<i64>, kind: Kind) -> Tensor {
        let (height, width) = (images.size()[2], images.size()[3]);
        let multiple = FOLD << (self.down.len() - 1);
        let missing = |side: i64| (multiple - side % multiple) % multiple;
        let padding = [0, missing(width), 0, missing(height)];
        let padded = standardized(&images.constant_pad_nd(padding));
        let from = columns.start - columns.start % multiple;
        let to = columns.end + missing(columns.end);
        let scores = self.scores(&padded.narrow(3, from, to - from), kind, false);
        let count = columns.end - columns.start;
        scores.narrow(2, 0, height).narrow(3, columns.start - from, count)
    }

    /// The same network for reading alone: normalization is part of the convolutions, and all is in
    /// the precision `kind`.
    #[must_use]
    pub fn folded(&self, kind: Kind) -> Self {
        let pair = |pair: &[Convolution; 2]| [pair[0].folded(kind), pair[1].folded(kind)];
        let rise = |rise: &Rise| Rise {
            weight: rise.weight.detach().to_kind(kind),
            bias: rise.bias.detach().to_kind(kind),
            after: pair(&rise.after),
        };
        Self {
            down: self.down.iter().map(pair).collect(),
            up: self.up.iter().map(rise).collect(),
            head: self.head.folded(kind),
        }
    }
}

/// Each image with mean 0 and deviation 1, so that no scanner's scale matters.
fn standardized(images: &Tensor) -> Tensor {
    let over = [1i64, 2, 3].as_slice();
    let mut centred = images - images.mean_dim(over, true, Kind::Float);
    // libtorch's own deviation takes many times as long, a number at a time.
    let values = images.size()[1..].iter().product::<i64>() as f64;
    let deviation = centred.norm_scalaropt_dim(2, over, true) / values.sqrt();
    centred /= deviation + 1e-6;
    centred
}

impl Rise {
    fn new(root: &Path<'_>, from: i64, to: i64) -> Self {
        Self {
            weight: root.var("weight", &[from, to, 2, 2], he_normal(from)),
            bias: root.zeros("bias", &[to]),
            after: [
                Convolution::normed(&(root / 0), to, to, 1),
                Convolution::normed(&(root / 1), to, to, 1),
            ],
        }
    }

    fn forward(&self, x: &Tensor, skip: &Tensor, train: bool) -> Tensor {
        let weight = self.weight.to_kind(x.kind());
        let bias = self.bias.to_kind(x.kind());
        let mut raised =
            x.conv_transpose2d(&weight, Some(&bias), [2, 2], [0, 0], [0, 0], 1, [1, 1]);
        raised += skip;
        let [first, second] = &self.after;
        second.forward(&first.forward(&raised, train).relu_(), train).relu_()
    }
}
