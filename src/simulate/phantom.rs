//! A lumbar spine of simple shapes whose measures are known exactly: blocks on an arc, an elliptic
//! canal behind them. Measures are tested on it.

use std::f64::consts::PI;

use crate::imaging::geometry::Lps;
use crate::imaging::spine::Curve;
use crate::imaging::{Geometry, Mask, Tissue};

/// The shape of a phantom, in mm and degrees, from head to foot.
#[derive(Debug, Clone)]
pub struct Phantom {
    /// The height of each body.
    pub bodies: Vec<f64>,
    /// The height of the disc below each body.
    pub discs: Vec<f64>,
    /// The canal behind each disc.
    pub canals: Vec<Ellipse>,
    /// The canal elsewhere.
    pub canal: Ellipse,
    /// The depth of bodies and discs.
    pub depth: f64,
    /// Their width.
    pub width: f64,
    /// How much the column is tilted at its upper end, to the back, and at its lower, to the front.
    pub tilt: [f64; 2],
    /// How far the column is bent to the left in its middle.
    pub bend: f64,
}

/// The size of a canal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ellipse {
    /// From the front to the back in mm.
    pub ap: f64,
    /// From the right to the left in mm.
    pub width: f64,
}

impl Ellipse {
    /// In mm².
    pub fn area(self) -> f64 {
        PI / 4.0 * self.ap * self.width
    }
}

impl Default for Phantom {
    /// Seven bodies, T11 to L5, of usual sizes, with a narrow canal at L4-L5 and L3-L4.
    fn default() -> Self {
        let usual = Ellipse { ap: 14.0, width: 19.0 };
        let canal = |ap, width| Ellipse { ap, width };
        Self {
            bodies: vec![22.0, 24.0, 25.5, 26.5, 27.0, 27.0, 27.5],
            discs: vec![5.0, 6.0, 7.5, 8.5, 9.5, 10.0, 9.0],
            canals: vec![usual, usual, usual, usual, canal(11.0, 16.0), canal(7.5, 12.0), usual],
            canal: Ellipse { ap: 15.0, width: 20.0 },
            depth: 34.0,
            width: 46.0,
            tilt: [12.0, 34.0],
            bend: 0.0,
        }
    }
}

/// A phantom in a place, ready to be drawn.
#[derive(Debug)]
pub struct Placed<'a> {
    phantom: &'a Phantom,
    curve: Curve,
    /// Where each disc begins and ends along the curve.
    discs: Vec<[f64; 2]>,
}

/// Space between bodies and canal.
const BEHIND_BODIES: f64 = 2.0;
/// Over how many mm along the curve the canal is as narrow as behind the disc, and how far it takes to
/// be as wide as elsewhere.
const NARROW: [f64; 2] = [6.0, 9.0];
/// Column above the first body and below the last disc.
const BEYOND: f64 = 30.0;

impl Phantom {
    /// Where pedicles begin and end on a body, as shares of its height.
    pub const PEDICLE: [f64; 2] = [0.1, 0.55];

    /// Puts the phantom into the middle of a grid.
    pub fn placed(&self, geometry: &Geometry) -> Placed<'_> {
        let heights: f64 = self.bodies.iter().chain(&self.discs).sum();
        let count = (heights + 2.0 * BEYOND) as usize;
        let mut at = [0.0; 3];
        let mut points: Vec<Lps> = Vec::with_capacity(count);
        for point in 0..count {
            let share = point as f64 / count as f64;
            // The column turns more the lower it is, as lordosis does.
            let tilt = self.tilt[0] - (self.tilt[0] + self.tilt[1]) * share.powf(1.6);
            let (sine, cosine) = tilt.to_radians().sin_cos();
            let left = self.bend * (PI * share).sin();
            points.push([left, at[1], at[2]]);
            at = [0.0, at[1] - sine, at[2] - cosine];
        }
        let centre = geometry.centre();
        let middle = points[count / 2];
        let move_to_middle =
            |point: Lps| [0, 1, 2].map(|axis| point[axis] - middle[axis] + centre[axis]);
        let curve = Curve::new(points.into_iter().map(move_to_middle).collect());
        let mut along = BEYOND;
        let discs = self.bodies.iter().zip(&self.discs).map(|(body, disc)| {
            along += body + disc;
            [along - disc, along]
        });
        Placed { phantom: self, discs: discs.collect(), curve }
    }
}

impl Placed<'_> {
    /// The tissue of each voxel, as a perfect segmenter would have it.
    pub fn mask(&self, geometry: Geometry) -> Mask {
        let [width, height, depth] = geometry.size;
        let mut values = Vec::with_capacity(geometry.count());
        let mut guess = 0.0;
        for k in 0..depth {
            for j in 0..height {
                for i in 0..width {
                    let at = geometry.to_patient([i as f64, j as f64, k as f64]);
                    guess = self.curve.nearest_from(guess, at);
                    let offsets = self.curve.frame(guess).offsets(at);
                    values.push(self.tissue(guess, offsets).number());
                }
            }
        }
        Mask { geometry, values }
    }

    /// The curve through the middle of bodies and discs.
    pub(super) const fn curve(&self) -> &Curve {
        &self.curve
    }

    /// The depth of bodies and discs in mm.
    pub(super) const fn depth(&self) -> f64 {
        self.phantom.depth
    }

    /// How far along the curve the last disc ends.
    pub(super) fn end(&self) -> f64 {
        self.discs.last().map_or(0.0, |disc| disc[1])
    }

    /// What is so far along the curve, and so far to the left and to the front of it.
    pub(super) fn tissue(&self, along: f64, [left, front, _]: [f64; 3]) -> Tissue {
        let Phantom { depth, width, .. } = *self.phantom;
        let back = -front - depth / 2.0;
        let canal = self.canal(along);
        let behind = back - BEHIND_BODIES - canal.ap / 2.0;
        let is_canal =
            (2.0 * behind / canal.ap).powi(2) + (2.0 * left / canal.width).powi(2) <= 1.0;
        let is_column = (2.0 * front / depth).powi(4) + (2.0 * left / width).powi(4) <= 1.0;
        match (is_canal, is_column) {
            (true, _) => Tissue::Canal,
            (false, true) => self.column(along),
            (false, false) => self.behind(along, left, back, canal),
        }
    }

    /// Bodies and discs, from the first body to the last disc.
    fn column(&self, along: f64) -> Tissue {
        let first = self.discs[0][0] - self.phantom.bodies[0];
        let last = self.discs[self.discs.len() - 1][1];
        if self.discs.iter().any(|[from, to]| (*from..*to).contains(&along)) {
            Tissue::Disc
        } else if (first..last).contains(&along) {
            Tissue::Vertebra
        } else {
            Tissue::Background
        }
    }

    /// Pedicles beside the upper half of each body, laminae and spinous processes behind the canal.
    fn behind(&self, along: f64, left: f64, back: f64, canal: Ellipse) -> Tissue {
        let beside = left.abs();
        let far = BEHIND_BODIES + canal.ap;
        for (disc, body) in self.discs.iter().zip(&self.phantom.bodies) {
            let share = (along - (disc[0] - body)) / body;
            let [above, below] = Phantom::PEDICLE;
            let is_pedicle = (above..below).contains(&share)
                && (canal.width / 2.0 + 1.0..canal.width / 2.0 + 9.0).contains(&beside)
                && (0.0..far + 8.0).contains(&back);
            let is_lamina = (0.25..1.0).contains(&share)
                && beside < canal.width / 2.0 + 9.0
                && (far + 2.0..far + 8.0).contains(&back);
            let is_spinous = (0.45..1.05).contains(&share)
                && beside < 4.0
                && (far + 2.0..far + 30.0).contains(&back);
            if is_pedicle || is_lamina || is_spinous {
                return Tissue::Vertebra;
            }
        }
        Tissue::Background
    }

    /// The canal so far along the curve.
    fn canal(&self, along: f64) -> Ellipse {
        let usual = self.phantom.canal;
        for (disc, canal) in self.discs.iter().zip(&self.phantom.canals) {
            let off = (along - (disc[0] + disc[1]) / 2.0).abs();
            let [narrow, over] = NARROW;
            if off < narrow + over {
                let share = ((off - narrow) / over).clamp(0.0, 1.0);
                let share = 0.5 - 0.5 * (PI * share).cos();
                let between = |own: f64, usual: f64| own + share * (usual - own);
                return Ellipse {
                    ap: between(canal.ap, usual.ap),
                    width: between(canal.width, usual.width),
                };
            }
        }
        usual
    }
}
