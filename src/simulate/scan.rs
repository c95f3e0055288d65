//! A phantom as a T2-weighted sagittal series shows it: bright fluid and fat, gray marrow and discs,
//! dark bone and muscle, an uneven coil and noise.

use fastrand::Rng;
use rayon::prelude::*;

use super::normal;
use super::phantom::Placed;
use crate::imaging::{Geometry, Grid, Tissue};

/// Brightness, of what is brightest.
mod bright {
    pub const MARROW: f64 = 0.42;
    pub const CORTEX: f64 = 0.10;
    pub const NUCLEUS: f64 = 0.62;
    pub const ANNULUS: f64 = 0.14;
    pub const FLUID: f64 = 0.95;
    pub const ROOTS: f64 = 0.55;
    pub const FAT: f64 = 0.80;
    pub const MUSCLE: f64 = 0.20;
    pub const BOWEL: f64 = 0.30;
    pub const AIR: f64 = 0.01;
    /// The deviation of noise.
    pub const NOISE: f64 = 0.025;
}

/// Bodies and discs have a dark rim so many mm wide.
const RIM: f64 = 1.0;
/// The skin of the back and of the belly, in mm from the middle of the column.
const SKIN: [f64; 2] = [-95.0, 85.0];
/// Fat under the skin of the back, in mm.
const UNDER_SKIN: f64 = 22.0;

impl Placed<'_> {
    /// The phantom's image on a grid, 0 to 255. Pixels are means over nine places, as edges are soft.
    pub fn image(&self, geometry: Geometry, seed: u64) -> Grid<u8> {
        const AROUND: [f64; 3] = [-0.33, 0.0, 0.33];
        let [width, height, depth] = geometry.size;
        let mut values = vec![0; geometry.count()];
        values.par_chunks_mut(width * height).enumerate().for_each(|(k, slice)| {
            let mut random = Rng::with_seed(seed ^ (k as u64 + 1).wrapping_mul(0x9e37_79b9));
            let mut guess = 0.0;
            for (place, value) in slice.iter_mut().enumerate() {
                let (i, j) = ((place % width) as f64, (place / width) as f64);
                let mut sum = 0.0;
                for x in AROUND {
                    for y in AROUND {
                        let at = geometry.to_patient([i + x, j + y, k as f64]);
                        sum += self.brightness(at, &mut guess);
                    }
                }
                let coil = 1.1 - 0.45 * (i / width as f64 - 0.7).abs();
                let noise = bright::NOISE * normal(&mut random);
                let seen = (sum / 9.0 * coil + noise).abs();
                *value = (seen * 230.0).clamp(0.0, 255.0) as u8;
            }
        });
        debug_assert_eq!(values.len(), width * height * depth, "a value for each voxel");
        Grid { geometry, values }
    }

    /// How bright a place is. `guess` is where along the column the last one was.
    fn brightness(&self, at: [f64; 3], guess: &mut f64) -> f64 {
        *guess = self.curve().nearest_from(*guess, at);
        let offsets = self.curve().frame(*guess).offsets(at);
        let tissue = |along: f64, left: f64, front: f64| self.tissue(along, [left, front, 0.0]);
        let [left, front, _] = offsets;
        let own = tissue(*guess, left, front);
        match own {
            Tissue::Canal => self.sac(*guess, left, front),
            Tissue::Background => self.around(*guess, left, front),
            Tissue::Disc | Tissue::Vertebra => {
                let beside = [
                    tissue(*guess - RIM, left, front),
                    tissue(*guess + RIM, left, front),
                    tissue(*guess, left, front - RIM),
                    tissue(*guess, left, front + RIM),
                ];
                match own {
                    Tissue::Vertebra if beside.iter().any(|other| *other != own) => bright::CORTEX,
                    Tissue::Vertebra => bright::MARROW,
                    _ => self.disc(*guess, left, front),
                }
            }
        }
    }

    /// Fluid, with the roots of the cauda equina at the back.
    fn sac(&self, along: f64, left: f64, front: f64) -> f64 {
        let centre = -self.depth() / 2.0 - 9.0;
        let is_root = front < centre
            && (left * 1.9 + (along / 40.0).sin()).sin() > 0.2
            && (front * 2.3).cos() > -0.2;
        if is_root { bright::ROOTS } else { bright::FLUID }
    }

    /// A bright nucleus in a dark annulus.
    fn disc(&self, along: f64, left: f64, front: f64) -> f64 {
        let half = self.depth() / 2.0;
        let inside = (front / (half * 0.68)).powi(2) + (left / (half * 0.9)).powi(2);
        let at_edge = [-RIM, RIM]
            .iter()
            .any(|off| self.tissue(along + off, [left, front, 0.0]) != Tissue::Disc);
        if inside < 1.0 && !at_edge { bright::NUCLEUS } else { bright::ANNULUS }
    }

    /// What is beside, before and behind the spine, and the sacrum below it.
    fn around(&self, along: f64, left: f64, front: f64) -> f64 {
        let half = self.depth() / 2.0;
        let below = along - self.end();
        // The sacrum grows thin to its end, and its bones are one but for a dark line.
        let sacral = half * (1.0 - below / 85.0);
        let is_sacrum = below > 0.0 && (-half..2.0 * sacral - half).contains(&front);
        let is_rim = below < RIM || (below % 26.0) < 1.5 || front > 2.0 * sacral - half - RIM;
        let is_dura = [-RIM, RIM].iter().any(|off| {
            let beside = [[left + off, front, 0.0], [left, front + off, 0.0]];
            beside.iter().any(|place| self.tissue(along, *place) == Tissue::Canal)
        });
        if is_dura {
            return bright::CORTEX;
        }
        let is_behind = front < -half;
        match (is_sacrum, is_behind) {
            (true, _) if is_rim => bright::CORTEX,
            (true, _) => bright::MARROW,
            _ if !(SKIN[0]..=SKIN[1]).contains(&front) => bright::AIR,
            (_, true) if front < SKIN[0] + UNDER_SKIN => bright::FAT,
            // Fat lies between the ligaments, and beside the sac.
            (_, true) if left.abs() < 14.0 && front > -half - 26.0 => bright::FAT * 0.8,
            (_, true) => bright::MUSCLE,
            // The ligament before the column, then vessels and bowel.
            _ if front < half + 2.5 => bright::CORTEX,
            _ => bright::BOWEL + 0.12 * ((front * 0.21).sin() * (along * 0.13).cos()),
        }
    }
}
