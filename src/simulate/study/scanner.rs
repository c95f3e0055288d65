//! The scanner: which slices a study has, and how they come out.
//!
//! Sizes and times are such as the 447 series of SPIDER have (van der Graaf et al. 2024): sagittal
//! pixels of 0.6 to 0.95 mm, slices 3.6 to 5 mm apart; axial ones of 0.55 to 0.75 mm, 3.5 to 5 mm apart.

use fastrand::Rng;
use rayon::prelude::*;

use super::Axial;
use super::anatomy::Anatomy;
use super::matter::{LOOKS, Matter};
use super::shape::Shape;
use super::texture::{grain, noise};
use crate::imaging::geometry::{Lps, along, cross, direction, dot, minus};
use crate::imaging::{Geometry, Mask, Plane};
use crate::simulate::{chance, normal};

/// A series as it is written.
#[derive(Debug, Clone)]
pub struct SimulatedSeries {
    /// The name of its folder.
    pub name: &'static str,
    /// Its description.
    pub description: &'static str,
    /// TE and TR in ms.
    pub times: [f64; 2],
    /// Its slices: where they are, and how bright their pixels are, along rows first.
    pub slices: Vec<(Plane, Vec<u16>)>,
}

/// How a study is made.
#[derive(Debug, Clone)]
pub(super) struct Scanner {
    /// The sagittal slices.
    pub sagittal: Geometry,
    thickness: f64,
    /// The axial ones, stack by stack.
    axial: Vec<Plane>,
    t2: Contrast,
    t1: Contrast,
    axial_t2: Contrast,
    coil: Coil,
    seed: u64,
}

/// How bright what is, and how the image is spoilt.
#[derive(Debug, Clone)]
struct Contrast {
    bright: [f32; Matter::COUNT],
    /// A nucleus that is dried out.
    dry: f32,
    times: [f64; 2],
    noise: f64,
    /// The share that a pixel has of each neighbour.
    soft: f32,
    /// How strong a ghost is, and by what share of the image it is moved.
    ghost: [f64; 2],
    scale: f64,
    is_axial: bool,
}

/// How strong the signal is where.
#[derive(Debug, Clone)]
struct Coil {
    /// It falls off from the back to the front over so many mm.
    reach: f64,
    /// And to head and feet from this height on.
    height: f64,
    middle: f64,
    waves: [f64; 4],
    /// What lies before the spine is darkened: where that begins, and how much is left.
    band: Option<[f64; 2]>,
}

impl Scanner {
    pub fn new(shape: &Shape, anatomy: &Anatomy, axial: Option<Axial>, random: &mut Rng) -> Self {
        let spread =
            |usual: f64, by: f64, random: &mut Rng| usual + by * (2.0 * random.f64() - 1.0);
        let field = spread(290.0, 22.0, random);
        let side = [320, 320, 352, 384, 288][random.usize(..5)];
        let pixel = rounded(field / side as f64);
        let apart = rounded([3.6, 4.0, 4.4, 4.4, 4.8][random.usize(..5)]);
        let count = (spread(68.0, 6.0, random) / apart) as usize | 1;
        let [yaw, roll] = [0.018 * normal(random), 0.015 * normal(random)];
        // Rows go to the back, columns to the feet, slices from right to left.
        let column = unit([-yaw, 1.0, 0.0]);
        let row =
            unit(minus([roll, 0.0, -1.0], column.map(|c| c * dot([roll, 0.0, -1.0], column))));
        let across = cross(row, column).map(|part| part * apart);
        let steps = [column.map(|c| c * pixel), row.map(|r| r * pixel), across];
        let middle = [2.0 * normal(random), spread(8.0, 10.0, random), spread(-14.0, 12.0, random)];
        let half = [side as f64 / 2.0 - 0.5, side as f64 / 2.0 - 0.5, (count as f64 - 1.0) / 2.0];
        let origin = (0..3).fold(middle, |at, axis| along(at, steps[axis], -half[axis]));
        let sagittal = Geometry::new([side, side, count], origin.map(rounded), steps)
            .expect("a scanner has slices");
        let field_strength = random.f64();
        let noise = 0.011 + 0.020 * (1.0 - field_strength) * random.f64();
        let person = Person::draw(random);
        let contrast = |is_t2, is_axial, random: &mut Rng| {
            Contrast::draw(is_t2, is_axial, noise, &person, random)
        };
        Self {
            sagittal,
            thickness: rounded(apart * spread(0.87, 0.05, random)),
            axial: axial.map_or_else(Vec::new, |axial| axial.planes(shape, anatomy, random)),
            t2: contrast(true, false, random),
            t1: contrast(false, false, random),
            axial_t2: contrast(true, true, random),
            coil: Coil::draw(random),
            seed: random.u64(..),
        }
    }

    /// Makes all series.
    pub fn scan(&self, shape: &Shape) -> Vec<SimulatedSeries> {
        let planes: Vec<Plane> =
            (0..self.sagittal.size[2]).map(|k| plane(&self.sagittal, k, self.thickness)).collect();
        let [t2, t1] = self.images(shape, &planes, [&self.t2, &self.t1]);
        let mut all = vec![
            series("sag_t2", "T2 TSE SAG", &self.t2, &planes, t2),
            series("sag_t1", "T1 TSE SAG", &self.t1, &planes, t1),
        ];
        if !self.axial.is_empty() {
            let [t2] = self.images(shape, &self.axial, [&self.axial_t2]);
            all.push(series("ax_t2", "T2 TSE TRA", &self.axial_t2, &self.axial, t2));
        }
        all
    }

    fn images<const N: usize>(
        &self,
        shape: &Shape,
        planes: &[Plane],
        contrasts: [&Contrast; N],
    ) -> [Vec<Vec<u16>>; N] {
        let slices: Vec<[Vec<u16>; N]> = planes
            .par_iter()
            .enumerate()
            .map(|(k, plane)| {
                let images = sampled(shape, plane, contrasts);
                let mut at = 0;
                images.map(|image| {
                    let seed = self.seed ^ (k as u64 * 4 + at as u64 + 1).wrapping_mul(0x9e37_79b9);
                    at += 1;
                    contrasts[at - 1].developed(image, plane, &self.coil, Rng::with_seed(seed))
                })
            })
            .collect();
        let mut series = [const { Vec::new() }; N];
        for slice in slices {
            for (at, image) in slice.into_iter().enumerate() {
                series[at].push(image);
            }
        }
        series
    }
}

/// The tissue of each voxel of a grid, as a perfect segmenter would have it.
pub(super) fn mask(shape: &Shape, geometry: Geometry) -> Mask {
    let [width, height, _] = geometry.size;
    let mut values = vec![0u8; geometry.count()];
    values.par_chunks_mut(width * height).enumerate().for_each(|(k, slice)| {
        for (place, value) in slice.iter_mut().enumerate() {
            let (i, j) = ((place % width) as f64, (place / width) as f64);
            *value = shape.tissue(geometry.to_patient([i, j, k as f64])).number();
        }
    });
    Mask { geometry, values }
}

fn series(
    name: &'static str,
    description: &'static str,
    contrast: &Contrast,
    planes: &[Plane],
    images: Vec<Vec<u16>>,
) -> SimulatedSeries {
    let slices = planes.iter().copied().zip(images).collect();
    SimulatedSeries { name, description, times: contrast.times, slices }
}

/// A slice of a stack.
fn plane(geometry: &Geometry, k: usize, thickness: f64) -> Plane {
    let [row, column, across] = geometry.steps;
    Plane {
        size: [geometry.size[0], geometry.size[1]],
        origin: along(geometry.origin, across, k as f64).map(rounded),
        steps: [row, column],
        normal: direction(cross(row, column)).unwrap_or([1.0, 0.0, 0.0]),
        thickness: Some(thickness),
    }
}

/// As many decimals as a header keeps.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

pub(super) fn unit(of: Lps) -> Lps {
    direction(of).unwrap_or([0.0, 0.0, -1.0])
}

/// Within a voxel, where it is looked at: turned, so that no two are in a line. The first two are at both
/// ends of its thickness.
const WITHIN: [[f64; 3]; 4] = [
    [-0.125, -0.125, -0.375],
    [0.125, 0.125, 0.375],
    [0.375, -0.375, -0.125],
    [-0.375, 0.375, 0.125],
];

/// The means over voxels of a plane, for each contrast.
fn sampled<const N: usize>(
    shape: &Shape,
    plane: &Plane,
    contrasts: [&Contrast; N],
) -> [Vec<f32>; N] {
    let [width, height] = plane.size;
    let across = plane.normal.map(|part| part * plane.thickness.unwrap_or(4.0));
    let offsets = WITHIN.map(|[i, j, k]| {
        let [row, column] = plane.steps;
        along(along(row.map(|part| part * i), column, j), across, k)
    });
    let mut images = [const { Vec::new() }; N];
    images.iter_mut().for_each(|image: &mut Vec<f32>| image.reserve(width * height));
    // What was above each pixel.
    let mut before = vec![Matter::Air; width];
    for j in 0..height {
        let start = along(plane.origin, plane.steps[1], j as f64);
        let mut last = Matter::Air;
        for (i, above) in before.iter_mut().enumerate() {
            let at = along(start, plane.steps[0], i as f64);
            let mut texture = Texture::default();
            let mut sums = [0.0f32; N];
            let mut count = 0;
            let mut first = Matter::Air;
            for offset in offsets {
                let spot = shape.at([at[0] + offset[0], at[1] + offset[1], at[2] + offset[2]]);
                if count == 0 {
                    texture = Texture::of(at, spot.matter);
                }
                for (sum, contrast) in sums.iter_mut().zip(contrasts) {
                    *sum += contrast.of(spot.matter, spot.shade as f32, &texture);
                }
                count += 1;
                // No edge is near where all around is alike.
                let is_even = |other: &Matter| *other == spot.matter;
                match count {
                    1 => first = spot.matter,
                    2 if is_even(&first) && is_even(&last) && is_even(above) => break,
                    _ => {}
                }
                if !spot.is_fine {
                    break;
                }
            }
            (last, *above) = (first, first);
            for (image, sum) in images.iter_mut().zip(sums) {
                image.push(sum / count as f32);
            }
        }
    }
    images
}

/// Textures at a place: of everything, and of muscles.
#[derive(Default)]
struct Texture {
    fine: f32,
    streak: f32,
}

impl Texture {
    /// The textures that show where this is.
    fn of(at: Lps, matter: Matter) -> Self {
        if matter == Matter::Air {
            return Self::default();
        }
        let [left, back, up] = at;
        let streak = match matter {
            Matter::Muscle => grain([left * 0.9, back * 1.2, up * 0.22], 3.4),
            _ => 0.0,
        };
        Self { fine: grain(at, 1.9), streak }
    }
}

/// How someone's tissues differ from those of others.
struct Person {
    marrow: f64,
    moist: f64,
    all: [f64; Matter::COUNT],
}

impl Person {
    fn draw(random: &mut Rng) -> Self {
        Self {
            marrow: (0.16 * normal(random)).exp(),
            moist: (0.15 * normal(random)).exp(),
            all: std::array::from_fn(|_| (0.05 * normal(random)).exp()),
        }
    }
}

impl Contrast {
    fn draw(is_t2: bool, is_axial: bool, noise: f64, person: &Person, random: &mut Rng) -> Self {
        let weight = (0.10 * normal(random)).exp();
        let bright = std::array::from_fn(|matter| {
            let look = &LOOKS[matter];
            let usual = if is_t2 { look.t2 } else { look.t1 };
            // A longer echo makes what is darker darker still.
            let weighted = usual.powf(weight) * person.all[matter];
            let is = |other: Matter| matter == other as usize;
            let times = match matter {
                _ if is(Matter::Marrow) => person.marrow,
                _ if is(Matter::Nucleus) && is_t2 => person.moist,
                _ => 1.0,
            };
            (weighted * times * (0.04 * normal(random)).exp()) as f32
        });
        let between = |from: f64, to: f64, random: &mut Rng| from + (to - from) * random.f64();
        let times = match is_t2 {
            true => [between(92.0, 125.0, random), between(2800.0, 4600.0, random)],
            false => [between(8.0, 14.0, random), between(480.0, 760.0, random)],
        };
        let has_ghost = chance(random, 0.3);
        Self {
            dry: bright[Matter::Annulus as usize] * 1.25,
            bright,
            times: times.map(|time| time.round()),
            noise: noise * between(0.8, 1.3, random),
            soft: between(0.09, 0.20, random) as f32,
            ghost: [
                if has_ghost { between(0.01, 0.05, random) } else { 0.0 },
                between(0.2, 0.5, random),
            ],
            scale: between(500.0, 1600.0, random),
            is_axial,
        }
    }

    fn of(&self, matter: Matter, shade: f32, texture: &Texture) -> f32 {
        let own = self.bright[matter as usize];
        let seen = match matter {
            Matter::Nucleus => own + shade * (self.dry - own),
            Matter::Muscle => {
                let fat = self.bright[Matter::Fat as usize];
                let share = ((texture.streak - 1.9 + 2.6 * shade) * 0.7).clamp(0.0, 1.0);
                own + share * (fat - own)
            }
            _ => own,
        };
        seen * (1.0 + LOOKS[matter as usize].grain as f32 * texture.fine)
    }

    /// What comes of brightness: coil, ghosts, noise, softness, whole numbers.
    fn developed(&self, image: Vec<f32>, plane: &Plane, coil: &Coil, mut random: Rng) -> Vec<u16> {
        let [width, height] = plane.size;
        let mut seen = image;
        for (place, value) in seen.iter_mut().enumerate() {
            let (i, j) = ((place % width) as f64, (place / width) as f64);
            let at = along(along(plane.origin, plane.steps[0], i), plane.steps[1], j);
            *value *= coil.at(at, self.is_axial) as f32;
        }
        let [strength, moved] = self.ghost;
        if strength > 0.0 {
            let rows = (moved * height as f64) as usize;
            let source = seen.clone();
            for (place, value) in seen.iter_mut().enumerate() {
                let (i, j) = (place % width, place / width);
                let from = |row: usize| source[(row % height) * width + i];
                *value +=
                    strength as f32 * (from(j + rows) + from(j + height - rows) - 2.0 * *value);
            }
        }
        let noise = noise();
        let mut next = random.usize(..noise.len());
        for value in &mut seen {
            // What is complex has a magnitude (Rice).
            let [a, b] = [noise[next], noise[(next + 7919) % noise.len()]];
            next += 1;
            if next == noise.len() {
                next = random.usize(..noise.len() / 2);
            }
            let sigma = self.noise as f32;
            *value = (*value + sigma * a).hypot(sigma * b);
        }
        let soft = softened(&seen, width, height, self.soft);
        let scale = self.scale as f32;
        soft.into_iter().map(|value| (value * scale).clamp(0.0, 4095.0) as u16).collect()
    }
}

/// Each pixel with a share of its neighbours.
fn softened(image: &[f32], width: usize, height: usize, share: f32) -> Vec<f32> {
    let keep = 1.0 - 2.0 * share;
    let mut rows = image.to_vec();
    for j in 0..height {
        let row = &image[j * width..(j + 1) * width];
        for i in 1..width - 1 {
            rows[j * width + i] = keep * row[i] + share * (row[i - 1] + row[i + 1]);
        }
    }
    let mut both = rows.clone();
    for j in 1..height - 1 {
        for i in 0..width {
            let at = j * width + i;
            both[at] = keep * rows[at] + share * (rows[at - width] + rows[at + width]);
        }
    }
    both
}

impl Coil {
    fn draw(random: &mut Rng) -> Self {
        Self {
            reach: 90.0 + 210.0 * random.f64(),
            height: 135.0 + 80.0 * random.f64(),
            middle: -20.0 + 40.0 * (random.f64() - 0.5),
            waves: std::array::from_fn(|_| random.f64() - 0.5),
            band: chance(random, 0.65)
                .then(|| [-36.0 - 26.0 * random.f64(), 0.06 + 0.25 * random.f64()]),
        }
    }

    fn at(&self, [left, back, up]: Lps, is_axial: bool) -> f64 {
        let near = ((back - 20.0) / self.reach).exp();
        let off = (up - self.middle) / self.height;
        let [a, b, c, d] = self.waves;
        let wave = 1.0
            + 0.16 * a * (up * 0.02 + 6.0 * b).sin()
            + 0.16 * c * (back * 0.025 + left * 0.02 + 6.0 * d).sin();
        let along = match is_axial {
            true => 1.0,
            false => 1.0 / (1.0 + off.powi(4)),
        };
        let band = self.band.filter(|_| !is_axial).map_or(1.0, |[from, kept]| {
            let share = ((back - from - 0.12 * up.min(0.0)) / 12.0 + 0.5).clamp(0.0, 1.0);
            kept + (1.0 - kept) * share
        });
        near * along * wave * band
    }
}
