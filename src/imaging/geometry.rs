//! Where voxels are in the patient: millimetres to the Left, to the back (Posterior) and up
//! (Superior), as DICOM counts them.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

/// A point or a direction in the patient, in mm: left, posterior, superior.
pub type Lps = [f64; 3];

/// The inner product.
pub fn dot(a: Lps, b: Lps) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// The vector product, normal to both.
pub fn cross(a: Lps, b: Lps) -> Lps {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

/// From `b` to `a`.
pub fn minus(a: Lps, b: Lps) -> Lps {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

/// `from`, and `times` the way along `along`.
pub fn along(from: Lps, along: Lps, times: f64) -> Lps {
    [from[0] + along[0] * times, from[1] + along[1] * times, from[2] + along[2] * times]
}

/// The length in mm.
pub fn length(a: Lps) -> f64 {
    dot(a, a).sqrt()
}

/// The direction of a vector; none where it has no length.
pub fn direction(a: Lps) -> Option<Lps> {
    let length = length(a);
    (length.is_finite() && length > 1e-9).then(|| a.map(|part| part / length))
}

/// A grid of voxels in the patient: voxel (i, j, k) has its centre at
/// `origin + i * steps[0] + j * steps[1] + k * steps[2]`.
///
/// In memory i is fastest: columns of a row, rows of a slice, slices of a stack.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Geometry {
    /// Voxels along i, j and k.
    pub size: [usize; 3],
    /// The centre of voxel (0, 0, 0) in mm.
    pub origin: Lps,
    /// The way from a voxel to the next along i, j and k in mm.
    pub steps: [Lps; 3],
}

/// Why there can be no such grid.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what each is")]
pub enum GeometryError {
    #[error("a grid of {0}×{1}×{2} voxels holds nothing", size[0], size[1], size[2])]
    Empty { size: [usize; 3] },
    #[error("a grid of {0}×{1}×{2} voxels is larger than any study", size[0], size[1], size[2])]
    TooLarge { size: [usize; 3] },
    #[error("its position or its axes have values that are no numbers")]
    NoNumbers,
    #[error("its three axes lie in one plane, so that voxels have no volume")]
    Flat,
    #[error(
        "its voxels are {:.4}×{:.4}×{:.4} mm large, where 0.01 to 100 mm make sense; look whether \
         it is written in another unit", .0[0], .0[1], .0[2]
    )]
    Spacing([f64; 3]),
    #[error(
        "it is {:.0}×{:.0}×{:.0} mm large, where nobody is larger than 2000 mm; look whether it is \
         written in another unit", .0[0], .0[1], .0[2]
    )]
    LargerThanLife([f64; 3]),
}

impl Geometry {
    /// No series has so many voxels: 1 GB of them in single precision.
    const MOST_VOXELS: usize = 1 << 28;
    /// From voxel to voxel in mm: finer than any scanner resolves, and coarser than any localizer.
    const SPACINGS: RangeInclusive<f64> = 0.01..=100.0;
    /// How much of a patient a grid shows at most, in mm.
    const LONGEST: f64 = 2000.0;

    /// A grid with these voxels, once it is known to make sense.
    ///
    /// # Errors
    /// Where it has no voxels or too many, is flat, or as large as nothing in a patient.
    pub fn new(size: [usize; 3], origin: Lps, steps: [Lps; 3]) -> Result<Self, GeometryError> {
        if size.contains(&0) {
            return Err(GeometryError::Empty { size });
        }
        let count = size.iter().try_fold(1usize, |count, &side| count.checked_mul(side));
        if count.is_none_or(|count| count > Self::MOST_VOXELS) {
            return Err(GeometryError::TooLarge { size });
        }
        if origin.iter().chain(steps.iter().flatten()).any(|value| !value.is_finite()) {
            return Err(GeometryError::NoNumbers);
        }
        let geometry = Self { size, origin, steps };
        let box_of = geometry.spacing().iter().product::<f64>();
        if geometry.volume().abs() <= 1e-3 * box_of || box_of <= 0.0 {
            return Err(GeometryError::Flat);
        }
        let spacing = geometry.spacing();
        if !spacing.iter().all(|spacing| Self::SPACINGS.contains(spacing)) {
            return Err(GeometryError::Spacing(spacing));
        }
        let extent = [0, 1, 2].map(|axis| size[axis] as f64 * spacing[axis]);
        if extent.iter().any(|side| *side > Self::LONGEST) {
            return Err(GeometryError::LargerThanLife(extent));
        }
        Ok(geometry)
    }

    /// How many voxels there are.
    pub const fn count(&self) -> usize {
        self.size[0] * self.size[1] * self.size[2]
    }

    /// Where a voxel is in memory.
    pub const fn place(&self, i: usize, j: usize, k: usize) -> usize {
        (k * self.size[1] + j) * self.size[0] + i
    }

    /// The distance between neighbours along i, j and k in mm.
    pub fn spacing(&self) -> [f64; 3] {
        self.steps.map(length)
    }

    /// The volume of a voxel in mm³, negative where i, j and k are left-handed.
    pub fn volume(&self) -> f64 {
        dot(cross(self.steps[0], self.steps[1]), self.steps[2])
    }

    /// Where in the patient a voxel is; places between voxels count too.
    pub fn to_patient(&self, voxel: [f64; 3]) -> Lps {
        let [i, j, k] = voxel;
        let at = along(self.origin, self.steps[0], i);
        along(along(at, self.steps[1], j), self.steps[2], k)
    }

    /// Which voxel is there, or which place between voxels.
    pub fn to_voxel(&self, patient: Lps) -> [f64; 3] {
        let [a, b, c] = self.steps;
        let from = minus(patient, self.origin);
        let volume = self.volume();
        // Cramer's rule: there are only three.
        [
            dot(from, cross(b, c)) / volume,
            dot(from, cross(c, a)) / volume,
            dot(from, cross(a, b)) / volume,
        ]
    }

    /// Whether a place between voxels is within the grid. Half a voxel over the outermost centre is
    /// still inside of the outermost voxel.
    pub fn holds(&self, voxel: [f64; 3]) -> bool {
        (0..3).all(|axis| (-0.5..=self.size[axis] as f64 - 0.5).contains(&voxel[axis]))
    }

    /// The middle of the grid.
    pub fn centre(&self) -> Lps {
        self.to_patient(self.size.map(|side| (side as f64 - 1.0) / 2.0))
    }

    /// The same grid seen with its axes in another order, some of them reversed: the new axis `n` is
    /// the old axis `order[n].0`, from its end where `order[n].1`.
    #[must_use]
    pub fn reordered(&self, order: [(usize, bool); 3]) -> Self {
        let mut first = [0.0; 3];
        for (axis, reversed) in order {
            first[axis] = if reversed { self.size[axis] as f64 - 1.0 } else { 0.0 };
        }
        Self {
            size: order.map(|(axis, _)| self.size[axis]),
            origin: self.to_patient(first),
            steps: order.map(|(axis, reversed)| {
                self.steps[axis].map(|part| if reversed { -part } else { part })
            }),
        }
    }

    /// Which axis comes closest to each direction of the patient - left, posterior, superior - and
    /// whether it points away from it.
    pub fn nearest_axes(&self) -> [(usize, bool); 3] {
        const ORDERS: [[usize; 3]; 6] =
            [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        let spacing = self.spacing();
        let along = |axis: usize, side: usize| self.steps[axis][side] / spacing[axis];
        let sum =
            |order: &[usize; 3]| (0..3).map(|side| along(order[side], side).abs()).sum::<f64>();
        let best = ORDERS
            .into_iter()
            .max_by(|a, b| sum(a).total_cmp(&sum(b)))
            .expect("there are six orders");
        [0, 1, 2].map(|side| (best[side], along(best[side], side) < 0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oblique() -> Geometry {
        let (sin, cos) = 0.3f64.sin_cos();
        let steps = [[0.0, 0.5 * cos, -0.5 * sin], [0.0, -0.6 * sin, -0.6 * cos], [-4.0, 0.0, 0.0]];
        Geometry::new([64, 80, 15], [30.0, -40.0, 500.0], steps).unwrap()
    }

    fn close(a: Lps, b: Lps) -> bool {
        length(minus(a, b)) < 1e-9
    }

    #[test]
    fn there_and_back_is_nowhere_else() {
        let geometry = oblique();
        for voxel in [[0.0, 0.0, 0.0], [63.0, 79.0, 14.0], [-3.5, 12.25, 7.75]] {
            assert!(close(geometry.to_voxel(geometry.to_patient(voxel)), voxel));
        }
    }

    #[test]
    fn another_order_of_axes_is_the_same_place() {
        let geometry = oblique();
        let turned = geometry.reordered([(2, true), (0, false), (1, true)]);
        assert_eq!(turned.size, [15, 64, 80]);
        let same = turned.to_patient([14.0 - 3.0, 5.0, 79.0 - 7.0]);
        assert!(close(same, geometry.to_patient([5.0, 7.0, 3.0])));
    }

    #[test]
    fn axes_are_named_after_where_they_lead() {
        assert_eq!(oblique().nearest_axes(), [(2, true), (0, false), (1, true)]);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let identity = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
        let new = |size, steps| Geometry::new(size, [0.0; 3], steps);
        assert!(matches!(new([0, 1, 1], identity), Err(GeometryError::Empty { .. })));
        assert!(matches!(new([usize::MAX, 9, 1], identity), Err(GeometryError::TooLarge { .. })));
        let flat = [identity[0], identity[1], [1.0, 1.0, 0.0]];
        assert_eq!(new([2, 2, 2], flat), Err(GeometryError::Flat));
        let none = [identity[0], identity[1], [0.0; 3]];
        assert_eq!(new([2, 2, 2], none), Err(GeometryError::Flat));
        let wild = [identity[0], identity[1], [f64::NAN, 0.0, 1.0]];
        assert_eq!(new([2, 2, 2], wild), Err(GeometryError::NoNumbers));
        let spaced = |size, spacing: f64| new(size, identity.map(|step| step.map(|s| s * spacing)));
        assert!(matches!(spaced([2, 2, 2], 0.005), Err(GeometryError::Spacing(_))));
        assert!(matches!(spaced([2, 2, 2], 250.0), Err(GeometryError::Spacing(_))));
        assert!(matches!(spaced([2, 300, 2], 7.0), Err(GeometryError::LargerThanLife(_))));
        assert!(spaced([200, 512, 512], 1.0).is_ok());
    }
}
