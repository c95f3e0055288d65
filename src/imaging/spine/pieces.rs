//! Connected pieces of a mask.

use std::collections::BTreeMap;

use super::by_height;
use crate::imaging::Mask;
use crate::imaging::geometry::{Lps, length, minus};

/// Pieces of voxels that touch each other, be it at a corner.
#[derive(Debug)]
pub(super) struct Pieces {
    /// The number of each voxel's piece, from 1 on; 0 where it belongs to none.
    pub of: Vec<u32>,
    /// How many voxels each piece has; at 0, none.
    pub sizes: Vec<usize>,
}

impl Pieces {
    /// The pieces of the voxels whose values are `wanted`.
    pub fn of(mask: &Mask, wanted: impl Fn(u8) -> bool) -> Self {
        let mut pieces = Self { of: vec![0; mask.values.len()], sizes: vec![0] };
        let mut waiting = Vec::new();
        for place in 0..mask.values.len() {
            if pieces.of[place] != 0 || !wanted(mask.values[place]) {
                continue;
            }
            let number = pieces.sizes.len() as u32;
            let mut size = 0;
            pieces.of[place] = number;
            waiting.push(place);
            while let Some(at) = waiting.pop() {
                size += 1;
                for_each_neighbour(mask, at, |next| {
                    if pieces.of[next] == 0 && wanted(mask.values[next]) {
                        pieces.of[next] = number;
                        waiting.push(next);
                    }
                });
            }
            pieces.sizes.push(size);
        }
        pieces
    }

    /// Where the pieces are that have at least so large a share of the largest's voxels.
    pub fn places(&self, mask: &Mask, share: f64) -> Vec<Vec<Lps>> {
        let largest = self.sizes.iter().copied().max().unwrap_or(0);
        let is_large = |size: usize| size > 0 && size as f64 >= share * largest as f64;
        let mut pieces: BTreeMap<u32, Vec<Lps>> = BTreeMap::new();
        for (place, patient) in super::places(mask) {
            let piece = self.of[place];
            if is_large(self.sizes[piece as usize]) {
                pieces.entry(piece).or_default().push(patient);
            }
        }
        pieces.into_values().collect()
    }
}

/// How far pieces of the same may be apart, in mm.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reach {
    /// Beside the course of those that are known.
    pub off: f64,
    /// Beyond its ends.
    pub beyond: f64,
}

/// The places of the first of some pieces, and of all that lie in line with it; its ends move with each
/// piece that joins. `unbent` moves places to where they would be if the spine were straight, as far as
/// is known.
pub(super) fn in_line(
    pieces: Vec<Vec<Lps>>,
    reach: Reach,
    unbent: impl Fn(Lps) -> Lps,
) -> Option<Vec<Lps>> {
    let unbend = |piece: Vec<Lps>| {
        let places: Vec<Lps> = piece.iter().map(|&place| unbent(place)).collect();
        (piece, places)
    };
    let mut pieces = pieces.into_iter().map(unbend);
    let (mut joined, mut places) = pieces.next()?;
    let mut left: Vec<(Vec<Lps>, Vec<Lps>)> = pieces.collect();
    loop {
        let course = by_height(&places)?;
        let is_near = |&place: &Lps| {
            let along = course.nearest(place);
            length(minus(place, course.at(along))) <= reach.off
                && course.beyond(along) <= reach.beyond
        };
        let joins = |(_, piece): &(Vec<Lps>, Vec<Lps>)| {
            2 * piece.iter().filter(|place| is_near(place)).count() > piece.len()
        };
        let (more, others): (Vec<_>, Vec<_>) = left.into_iter().partition(joins);
        if more.is_empty() {
            return Some(joined);
        }
        for (piece, unbent) in more {
            joined.extend(piece);
            places.extend(unbent);
        }
        left = others;
    }
}

/// Calls for each of the up to 26 voxels around a voxel.
pub(super) fn for_each_neighbour(mask: &Mask, place: usize, mut call: impl FnMut(usize)) {
    let [width, height, depth] = mask.geometry.size;
    let (i, j, k) = (place % width, place / width % height, place / (width * height));
    for z in k.saturating_sub(1)..(k + 2).min(depth) {
        for y in j.saturating_sub(1)..(j + 2).min(height) {
            for x in i.saturating_sub(1)..(i + 2).min(width) {
                let next = mask.geometry.place(x, y, z);
                if next != place {
                    call(next);
                }
            }
        }
    }
}
