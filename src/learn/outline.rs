//! How far the outlines of two masks are apart.

use crate::imaging::{Mask, Tissue, distances};

/// Distances in mm between outlines, pixel by pixel, from either to the other.
#[derive(Debug, Clone, Default)]
pub struct Outlines {
    apart: Vec<f32>,
}

impl Outlines {
    /// Takes the outlines of a tissue on every slice that both masks have it on, in the plane of
    /// the slice.
    pub fn of(found: &Mask, is: &Mask, tissue: Tissue) -> Self {
        let [width, _, count] = is.geometry.size;
        let [across, down, _] = is.geometry.spacing();
        let mut apart = Vec::new();
        for k in 0..count {
            let [found, is] = [found, is].map(|mask| outline(mask.slice(k), width, tissue));
            if !found.contains(&true) || !is.contains(&true) {
                continue;
            }
            for (from, to) in [(&found, &is), (&is, &found)] {
                let away = distances(to, width, [across, down]);
                let on = from.iter().zip(away).filter(|(on, _)| **on);
                apart.extend(on.map(|(_, away)| away));
            }
        }
        Self { apart }
    }

    /// The distance that so large a share of outline pixels does not exceed: at 0.95 the robust
    /// Hausdorff distance (Huttenlocher et al. 1993). None where no slice has both outlines.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let mut sorted = self.apart.clone();
        sorted.sort_by(f32::total_cmp);
        let at = (sorted.len() as f64 * share).ceil() as usize;
        sorted.get(at.saturating_sub(1)).map(|&apart| f64::from(apart))
    }
}

/// Pixels of a tissue with a neighbour that is none of it.
fn outline(slice: &[u8], width: usize, tissue: Tissue) -> Vec<bool> {
    let height = slice.len() / width;
    let is = |x: usize, y: usize| slice[y * width + x] == tissue.number();
    (0..slice.len())
        .map(|place| {
            let (x, y) = (place % width, place / width);
            let edge = x == 0 || y == 0 || x + 1 == width || y + 1 == height;
            is(x, y) && (edge || !is(x - 1, y) || !is(x + 1, y) || !is(x, y - 1) || !is(x, y + 1))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::Geometry;

    fn square(from: usize) -> Mask {
        let steps = [[0.5, 0.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 4.0]];
        let geometry = Geometry::new([20, 20, 1], [0.0; 3], steps).unwrap();
        let mut mask = Mask::filled(geometry, 0);
        for y in 5..15 {
            for x in from..from + 8 {
                mask.values[y * 20 + x] = Tissue::Disc.number();
            }
        }
        mask
    }

    #[test]
    fn a_shift_is_as_far_as_it_goes() {
        let apart = |from| Outlines::of(&square(from), &square(4), Tissue::Disc).quantile(1.0);
        assert_eq!(apart(4), Some(0.0));
        assert_eq!(apart(6), Some(1.0));
        assert_eq!(Outlines::of(&square(4), &square(4), Tissue::Canal).quantile(0.95), None);
    }
}
