//! Levels as other scanners would have shown them, as other people would have cut them out, and as
//! they are where something is missing. Left stays left: the network looks into the mirror itself.

use fastrand::Rng;
use tch::{Device, Kind, Tensor};

use crate::engine::grader::{Config, Input, View, unit};

const BILINEAR: i64 = 0;
const ZEROS: i64 = 0;

/// What is changed, and how much at most.
mod spread {
    /// Degrees that a crop is turned by.
    pub const TURN: f64 = 8.0;
    /// The logarithm of how much larger or smaller it is.
    pub const SCALE: f64 = 0.1;
    /// How far it is moved in mm.
    pub const SHIFT: f64 = 4.0;
    /// The binary logarithm of the exponent that brightness is raised to.
    pub const GAMMA: f64 = 0.4;
    /// The logarithm of what brightness is multiplied by.
    pub const GAIN: f64 = 0.2;
    /// What is added to it.
    pub const LIFT: f64 = 0.05;
    /// Noise, of a brightness of 1.
    pub const NOISE: f64 = 0.06;
    /// The share of crops of which a slice is missing.
    pub const LOST_SLICE: f64 = 0.1;
    /// The share of levels that lose their axial crop, where there are sagittal ones, and the other
    /// way round.
    pub const LOST_CROP: f64 = 0.2;
    /// The share of levels that lose one of two sagittal sequences.
    pub const LOST_SEQUENCE: f64 = 0.1;
}

/// A view of a level.
pub(super) fn view(config: &Config, input: &Input, random: &mut Rng) -> View {
    let (mut axial, mut sagittal) = (input.axial.is_some(), input.sagittal.is_some());
    if axial && sagittal && random.f64() < 2.0 * spread::LOST_CROP {
        *(if random.bool() { &mut axial } else { &mut sagittal }) = false;
    }
    let mut sequences = input.sequences;
    if sequences == [true, true] && random.f64() < 2.0 * spread::LOST_SEQUENCE {
        sequences[random.usize(..2)] = false;
    }
    let crop_of =
        |crop: &Option<Tensor>, is: bool| crop.as_ref().filter(|_| is).map(Tensor::shallow_clone);
    View {
        axial: crop_of(&input.axial, axial).map(|crop| self::axial(config, &crop, random)),
        sagittal: crop_of(&input.sagittal, sagittal)
            .map(|crop| self::sagittal(config, &crop, sequences, random)),
        sequences,
    }
}

fn axial(config: &Config, crop: &Tensor, random: &mut Rng) -> Tensor {
    let seen = &config.axial;
    let crop = with_neighbours(crop, random);
    let moved = moved(&unit(&crop), [seen.side; 2], seen.pixel, random);
    relit(&without_a_slice(&moved, random), random)
}

fn sagittal(config: &Config, crop: &Tensor, sequences: [bool; 2], random: &mut Rng) -> Tensor {
    let seen = &config.sagittal;
    let spare = crop.size()[1] - seen.slices;
    let crop = crop.narrow(1, random.i64(0..=spare), seen.slices);
    let moved = moved(&unit(&crop).flatten(0, 1), [seen.height, seen.width], seen.pixel, random);
    let moved = moved.view([2, seen.slices, seen.height, seen.width]);
    let each = [0, 1].map(|at| {
        let sequence = moved.get(at as i64);
        match sequences[at] {
            true => relit(&without_a_slice(&sequence, random), random),
            false => sequence.zeros_like(),
        }
    });
    Tensor::stack(&each, 0)
}

/// Between -1 and 1.
fn even(random: &mut Rng) -> f64 {
    2.0 * random.f64() - 1.0
}

/// One crop in three a slice further up or down, with its last slice twice.
fn with_neighbours(crop: &Tensor, random: &mut Rng) -> Tensor {
    if random.f64() > 1.0 / 3.0 {
        return crop.shallow_clone();
    }
    let (count, by) = (crop.size()[0], if random.bool() { 1 } else { -1 });
    let places: Vec<i64> = (0..count).map(|at| (at + by).clamp(0, count - 1)).collect();
    crop.index_select(0, &Tensor::from_slice(&places))
}

/// So many pixels of a crop, [slices, rows, columns], turned, scaled and moved about its middle.
fn moved(crop: &Tensor, [height, width]: [i64; 2], pixel: f64, random: &mut Rng) -> Tensor {
    let turn = (even(random) * spread::TURN).to_radians();
    let scale = (even(random) * spread::SCALE).exp();
    let (sin, cos) = turn.sin_cos();
    let from = [crop.size()[2] as f64, crop.size()[1] as f64];
    let to = [width as f64, height as f64];
    let turned = [[cos, -sin], [sin, cos]];
    // libtorch counts from -1 to 1 over the crop and over the view alike.
    let mut row = |i: usize| {
        let shift = 2.0 * even(random) * spread::SHIFT / pixel / from[i];
        let of = |j: usize| (turned[i][j] * scale * to[j] / from[i]) as f32;
        [of(0), of(1), shift as f32]
    };
    let theta = [row(0), row(1)].concat();
    let theta = Tensor::from_slice(&theta).view([1, 2, 3]);
    let slices = crop.size()[0];
    let grid = Tensor::affine_grid_generator(&theta, [1, slices, height, width], false);
    crop.unsqueeze(0).grid_sampler(&grid, BILINEAR, ZEROS, false).squeeze_dim(0)
}

/// A few crops with a slice on which there is nothing.
fn without_a_slice(crop: &Tensor, random: &mut Rng) -> Tensor {
    if random.f64() < spread::LOST_SLICE {
        let _ = crop.get(random.i64(0..crop.size()[0])).zero_();
    }
    crop.shallow_clone()
}

/// Another contrast and more noise.
fn relit(crop: &Tensor, random: &mut Rng) -> Tensor {
    let gamma = (even(random) * spread::GAMMA).exp2();
    let gain = (even(random) * spread::GAIN).exp();
    let lift = even(random) * spread::LIFT;
    let mut crop = crop.clamp_min(0.0).pow_tensor_scalar(gamma);
    crop *= gain;
    crop += lift;
    let noise = spread::NOISE * random.f64() * random.f64();
    let shape = crop.size();
    crop + Tensor::randn(shape, (Kind::Float, Device::Cpu)) * noise
}
