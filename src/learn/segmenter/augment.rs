//! Slices as other scanners, other sequences and other people would have made them: the shapes are
//! bent and cut with their masks, the brightness is changed alone.

use fastrand::Rng;
use tch::{Device, Kind, Tensor};

use super::slices::{Subject, unit};
use crate::engine::unet::Config;
use crate::simulate::normal;

/// What one view of a slice is worth learning from.
#[derive(Debug)]
pub struct View {
    /// Brightness, [3, side, side].
    pub images: Tensor,
    /// Numbers of tissues, [side, side], 64-bit.
    pub mask: Tensor,
}

/// Makes views of slices.
#[derive(Debug)]
pub struct Viewer<'a> {
    /// The network that they are for.
    pub config: &'a Config,
    /// The width of a pixel of the slices in mm.
    pub pixel: f64,
    /// How far the slices are apart in mm.
    pub apart: f64,
    /// Pixels on a side of a view.
    pub side: i64,
}

const NEAREST: i64 = 1;
const BILINEAR: i64 = 0;
const ZEROS: i64 = 0;

/// What is changed, and how much at most.
mod spread {
    /// Degrees that a view is turned by.
    pub const TURN: f64 = 18.0;
    /// The logarithm of how much larger or smaller it is.
    pub const SCALE: f64 = 0.35;
    /// The same for its width against its height.
    pub const ASPECT: f64 = 0.12;
    /// How askew it is.
    pub const SHEAR: f64 = 0.12;
    /// How far from the middle of the slice it is, as a share of the slice.
    pub const SHIFT: f64 = 0.22;
    /// The deviation in mm by which points are pulled about, at the corners of a coarse net.
    pub const PULL: f64 = 2.2;
    /// Corners on a side of that net.
    pub const NET: i64 = 6;
    /// The binary logarithm of the exponent that brightness is raised to.
    pub const GAMMA: f64 = 0.9;
    /// The deviation of the logarithm of a coil's unevenness.
    pub const BIAS: f64 = 0.35;
    /// Noise, of a brightness of 1.
    pub const NOISE: f64 = 0.08;
    /// How many times coarser a scanner's pixels may be.
    pub const COARSE: f64 = 3.2;
    /// The share of views that stay close to their slice: outlines are learned from these, other
    /// scanners from the rest.
    pub const CLOSE: f64 = 0.6;
    /// The same at the end, when outlines become as fine as they can.
    pub const CLOSE_AT_LAST: f64 = 0.9;
    /// The share of a training that comes before its end.
    pub const BEFORE_LAST: f64 = 0.75;
    /// How much of all the above the views get that stay close.
    pub const LITTLE: f64 = 0.3;
}

impl Viewer<'_> {
    /// A view of a slice of a subject, for a training of which such a share is done.
    pub fn view(&self, subject: &Subject, at: usize, done: f64, random: &mut Rng) -> View {
        let is_last = done > spread::BEFORE_LAST;
        let close = if is_last { spread::CLOSE_AT_LAST } else { spread::CLOSE };
        let much = if random.f64() < close { spread::LITTLE } else { 1.0 };
        let images = unit(&subject.around(at, self.places(random)));
        let images = if random.f64() < 0.2 * much { alone(&images) } else { images };
        let images = if random.bool() { images.flip([0]) } else { images };
        let grid = self.grid(&images, much, random);
        let sample = |values: &Tensor, mode| {
            values.unsqueeze(0).grid_sampler(&grid, mode, ZEROS, false).squeeze_dim(0)
        };
        let mask = subject.slices[at].mask.to_kind(Kind::Float).unsqueeze(0);
        let mask = sample(&mask, NEAREST).squeeze_dim(0).to_kind(Kind::Int64);
        let images = coarsened(&sample(&images, BILINEAR), much, random);
        let images = relit(&images, much, random);
        let (images, mask) = cut(images, mask, much, random);
        View { images, mask }
    }

    /// How many places away the neighbours are: about as far as the network wants them.
    fn places(&self, random: &mut Rng) -> i64 {
        let wanted = self.config.neighbour / self.apart;
        (wanted * (0.5 + random.f64())).round().max(1.0) as i64
    }

    /// Where on the slice each pixel of the view is. `much` is the share of all changes that it
    /// gets.
    fn grid(&self, images: &Tensor, much: f64, random: &mut Rng) -> Tensor {
        let (height, width) = (images.size()[1] as f64, images.size()[2] as f64);
        let turn = (even(random) * spread::TURN * much).to_radians();
        let scale = (even(random) * spread::SCALE * much).exp();
        let aspect = (even(random) * spread::ASPECT * much).exp();
        let shear = even(random) * spread::SHEAR * much;
        let flip = if random.bool() { -1.0 } else { 1.0 };
        let (sin, cos) = turn.sin_cos();
        let (across, down) = (scale * aspect * flip, scale / aspect);
        let turned = [
            [cos * across, (cos * shear - sin) * down],
            [sin * across, (sin * shear + cos) * down],
        ];
        // libtorch counts from -1 to 1 over the slice and over the view alike.
        let over = [2.0 / (width * self.pixel), 2.0 / (height * self.pixel)];
        let half = self.side as f64 * self.config.pixel / 2.0;
        let mut row = |i: usize| {
            let shift = 2.0 * even(random) * spread::SHIFT;
            let of = |j: usize| (turned[i][j] * over[i] * half) as f32;
            [of(0), of(1), shift as f32]
        };
        let theta = [row(0), row(1)].concat();
        let theta = Tensor::from_slice(&theta).view([1, 2, 3]);
        let grid = Tensor::affine_grid_generator(&theta, [1, 3, self.side, self.side], false);
        let net = coarse(2, spread::NET, self.side, random) * spread::PULL * much;
        let over = Tensor::from_slice(&over.map(|value| value as f32)).view([1, 2, 1, 1]);
        grid + (net.unsqueeze(0) * over).permute([0, 2, 3, 1])
    }
}

/// Between -1 and 1.
fn even(random: &mut Rng) -> f64 {
    2.0 * random.f64() - 1.0
}

/// The slice without its neighbours, as single pictures come.
fn alone(images: &Tensor) -> Tensor {
    images.narrow(0, 1, 1).expand_as(images)
}

/// Smooth random values of deviation about 1, [channels, side, side].
fn coarse(channels: i64, net: i64, side: i64, random: &mut Rng) -> Tensor {
    let corners: Vec<f32> = (0..channels * net * net).map(|_| normal(random) as f32).collect();
    let corners = Tensor::from_slice(&corners).view([1, channels, net, net]);
    corners.upsample_bicubic2d([side, side], true, None, None).squeeze_dim(0)
}

/// Half of the views, or fewer, as a scanner with larger pixels makes them, on one axis or both.
fn coarsened(images: &Tensor, much: f64, random: &mut Rng) -> Tensor {
    if random.f64() > 0.5 * much {
        return images.shallow_clone();
    }
    let side = images.size()[1];
    let mut coarser = || (side as f64 / spread::COARSE.powf(random.f64())).round() as i64;
    let small = [coarser(), coarser()];
    let images = images.unsqueeze(0);
    let small = images.internal_upsample_bilinear2d_aa(small, false, None, None);
    small.upsample_bilinear2d([side, side], false, None, None).squeeze_dim(0)
}

/// Another contrast, another coil, more noise.
fn relit(images: &Tensor, much: f64, random: &mut Rng) -> Tensor {
    let side = images.size()[1];
    let gamma = (even(random) * spread::GAMMA * much).exp2();
    let mut images = images.clamp(0.0, 1.0).pow_tensor_scalar(gamma);
    if random.f64() < 0.3 * much {
        images = mapped(&images, random);
    } else if random.f64() < 0.12 * much {
        images = images.neg() + 1.0;
    }
    if random.f64() < 0.7 {
        let net = 2 + random.i64(0..4);
        images *= (coarse(1, net, side, random) * (spread::BIAS * random.f64())).exp();
    }
    let noise = spread::NOISE * random.f64() * random.f64();
    let shape = images.size();
    images + Tensor::randn(shape, (Kind::Float, Device::Cpu)) * noise
}

/// Brightness through a random curve: what is bright in one sequence is dark in another.
fn mapped(images: &Tensor, random: &mut Rng) -> Tensor {
    const KNOTS: usize = 6;
    const STEPS: usize = 256;
    let knots: Vec<f64> = (0..KNOTS).map(|_| random.f64()).collect();
    let curve: Vec<f32> = (0..STEPS)
        .map(|step| {
            let at = step as f64 / STEPS as f64 * (KNOTS - 1) as f64;
            let (knot, rest) = (at as usize, at.fract());
            (knots[knot] * (1.0 - rest) + knots[knot + 1] * rest) as f32
        })
        .collect();
    let places = (images * (STEPS - 1) as f64).to_kind(Kind::Int64).reshape([-1]);
    Tensor::from_slice(&curve).index_select(0, &places).view_as(images)
}

/// One view in five, or fewer, with a border where the scanner saw nothing.
fn cut(images: Tensor, mask: Tensor, much: f64, random: &mut Rng) -> (Tensor, Tensor) {
    if random.f64() > 0.2 * much {
        return (images, mask);
    }
    let side = mask.size()[0];
    for axis in [0, 1] {
        let seen = (side as f64 * (0.55 + 0.45 * random.f64())) as i64;
        let start = random.i64(0..=side - seen);
        for (from, length) in [(0, start), (start + seen, side - start - seen)] {
            let _ = images.narrow(axis + 1, from, length).zero_();
            let _ = mask.narrow(axis, from, length).zero_();
        }
    }
    (images, mask)
}
