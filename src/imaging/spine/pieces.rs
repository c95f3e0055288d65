//! Connected pieces of a mask.

use crate::imaging::Mask;

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

    /// Whether a voxel belongs to a piece of at least so large a share of the largest.
    pub fn is_large(&self, place: usize, share: f64) -> bool {
        let largest = self.sizes.iter().copied().max().unwrap_or(0);
        let size = self.sizes[self.of[place] as usize];
        size > 0 && size as f64 >= share * largest as f64
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
