//! Smooth random textures.

use std::sync::OnceLock;

use fastrand::Rng;

use crate::imaging::geometry::Lps;
use crate::simulate::normal;

const SIDE: usize = 64;

/// A texture at a place, with so many mm from grain to grain: about normal. It repeats itself after
/// [`SIDE`] grains.
pub(super) fn grain(place: Lps, step: f64) -> f32 {
    let values = values();
    let (mut low, mut share) = ([0; 3], [0.0f32; 3]);
    for axis in 0..3 {
        // All places are within a few metres, and this many grains are a whole number of rounds.
        let at = place[axis] / step + (SIDE * 256) as f64;
        low[axis] = at as usize;
        share[axis] = (at - low[axis] as f64) as f32;
    }
    let value = |i: usize, j: usize, k: usize| {
        let wrap = |at: usize| at % SIDE;
        values[(wrap(low[2] + k) * SIDE + wrap(low[1] + j)) * SIDE + wrap(low[0] + i)]
    };
    let row = |j, k| value(0, j, k) + share[0] * (value(1, j, k) - value(0, j, k));
    let face = |k| row(0, k) + share[1] * (row(1, k) - row(0, k));
    // Means of neighbours differ less than they.
    1.4 * (face(0) + share[2] * (face(1) - face(0)))
}

fn values() -> &'static [f32] {
    static VALUES: OnceLock<Vec<f32>> = OnceLock::new();
    VALUES.get_or_init(|| {
        let mut random = Rng::with_seed(11);
        (0..SIDE.pow(3)).map(|_| normal(&mut random) as f32).collect()
    })
}

/// Normal numbers in a ring: noise without end.
pub(super) fn noise() -> &'static [f32] {
    static NOISE: OnceLock<Vec<f32>> = OnceLock::new();
    NOISE.get_or_init(|| {
        let mut random = Rng::with_seed(7);
        (0..(1 << 18) + 3).map(|_| normal(&mut random) as f32).collect()
    })
}
