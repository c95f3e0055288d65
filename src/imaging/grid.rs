//! Values on a grid in the patient: images, and masks of tissues.

use super::geometry::{Geometry, Lps};

/// A value at each voxel of a grid.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid<T> {
    /// Where the voxels are.
    pub geometry: Geometry,
    /// Their values, along i first, then j, then k.
    pub values: Vec<T>,
}

/// Brightness.
pub type Volume = Grid<f32>;

/// Numbers of tissues, see [`Tissue::number`](super::Tissue::number), or of levels.
pub type Mask = Grid<u8>;

impl<T: Copy> Grid<T> {
    /// The same value at each voxel.
    pub fn filled(geometry: Geometry, value: T) -> Self {
        Self { geometry, values: vec![value; geometry.count()] }
    }

    /// The value of a voxel.
    pub fn at(&self, i: usize, j: usize, k: usize) -> T {
        self.values[self.geometry.place(i, j, k)]
    }

    /// The values of a slice, along i first.
    pub fn slice(&self, k: usize) -> &[T] {
        let area = self.geometry.size[0] * self.geometry.size[1];
        &self.values[k * area..(k + 1) * area]
    }

    /// The value of the voxel that is nearest to a place in the patient; none outside.
    pub fn nearest(&self, patient: Lps) -> Option<T> {
        let voxel = self.geometry.to_voxel(patient);
        let mut at = [0; 3];
        for axis in 0..3 {
            let rounded = voxel[axis].round();
            if !(0.0..self.geometry.size[axis] as f64).contains(&rounded) {
                return None;
            }
            at[axis] = rounded as usize;
        }
        Some(self.at(at[0], at[1], at[2]))
    }

    /// The same values with axes in another order, as [`Geometry::reordered`] has them.
    #[must_use]
    pub fn reordered(&self, order: [(usize, bool); 3]) -> Self {
        let geometry = self.geometry.reordered(order);
        let mut values = Vec::with_capacity(self.values.len());
        let mut old = [0; 3];
        for k in 0..geometry.size[2] {
            for j in 0..geometry.size[1] {
                for i in 0..geometry.size[0] {
                    for ((axis, reversed), new) in order.into_iter().zip([i, j, k]) {
                        let last = self.geometry.size[axis] - 1;
                        old[axis] = if reversed { last - new } else { new };
                    }
                    values.push(self.at(old[0], old[1], old[2]));
                }
            }
        }
        Self { geometry, values }
    }
}

impl Volume {
    /// The brightness at a place in the patient, between voxels in lines; none outside.
    pub fn interpolated(&self, patient: Lps) -> Option<f32> {
        self.between(self.geometry.to_voxel(patient))
    }

    /// The same at a place between voxels.
    pub(super) fn between(&self, voxel: [f64; 3]) -> Option<f32> {
        if !self.geometry.holds(voxel) {
            return None;
        }
        let size = self.geometry.size;
        let strides = [1, size[0], size[0] * size[1]];
        let (mut low, mut share, mut step) = (0, [0.0; 3], [0; 3]);
        for axis in 0..3 {
            let within = voxel[axis].clamp(0.0, size[axis] as f64 - 1.0);
            let before = (within as usize).min(size[axis].saturating_sub(2));
            low += before * strides[axis];
            share[axis] = within - before as f64;
            step[axis] = if size[axis] > 1 { strides[axis] } else { 0 };
        }
        let between = |axis: usize, low: f64, high: f64| low + share[axis] * (high - low);
        let value = |at: usize| f64::from(self.values[at]);
        let line = |at: usize| between(0, value(at), value(at + step[0]));
        let plane = |at: usize| between(1, line(at), line(at + step[1]));
        Some(between(2, plane(low), plane(low + step[2])) as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp() -> Volume {
        let steps = [[0.5, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, -3.0]];
        let geometry = Geometry::new([4, 3, 2], [1.0, 2.0, 3.0], steps).unwrap();
        let mut volume = Volume::filled(geometry, 0.0);
        for k in 0..2 {
            for j in 0..3 {
                for i in 0..4 {
                    let place = geometry.place(i, j, k);
                    volume.values[place] = (i + 10 * j + 100 * k) as f32;
                }
            }
        }
        volume
    }

    #[test]
    fn between_voxels_values_go_in_lines_and_end_with_the_grid() {
        let volume = ramp();
        let at = |voxel| volume.interpolated(volume.geometry.to_patient(voxel));
        assert_eq!(at([1.5, 1.0, 0.25]), Some(1.5 + 10.0 + 25.0));
        assert_eq!(at([3.0, 2.0, 1.0]), Some(123.0));
        assert_eq!(at([3.4, 2.0, 1.0]), Some(123.0));
        assert_eq!(at([3.6, 2.0, 1.0]), None);
        assert_eq!(volume.nearest(volume.geometry.to_patient([1.4, 0.6, 0.0])), Some(11.0));
        assert_eq!(volume.nearest(volume.geometry.to_patient([-0.6, 0.0, 0.0])), None);
    }

    #[test]
    fn another_order_of_axes_keeps_every_value_where_it_is() {
        let volume = ramp();
        let turned = volume.reordered([(1, true), (2, false), (0, true)]);
        for voxel in [[0.0, 0.0, 0.0], [3.0, 1.0, 1.0], [2.0, 2.0, 0.0]] {
            let patient = volume.geometry.to_patient(voxel);
            assert_eq!(turned.nearest(patient), volume.nearest(patient));
        }
    }
}
