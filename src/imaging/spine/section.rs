//! The canal cut across its own course.
//!
//! Slices of a sagittal series are several times as far apart as their pixels are wide, and a narrow
//! canal shows on few of them. So the canal's chord, from its front to its back, is measured on each
//! slice where the plane meets it, and what lies between slices follows from the squares of chords:
//! those of an ellipse lie on a parabola.

use serde::{Deserialize, Serialize};

use super::curve::Frame;
use crate::imaging::geometry::{Lps, minus};
use crate::imaging::{Mask, Tissue};

/// A cut through the canal, normal to its curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Section {
    /// The middle of the canal.
    pub centre: Lps,
    /// From the front to the back on the median line, in mm.
    pub ap: f64,
    /// From the right to the left where it is widest, in mm.
    pub width: f64,
    /// In mm².
    pub area: f64,
    /// Whether the image ends beside the canal, so that width and area are less than they are.
    pub is_cut: bool,
}

/// The canal where a plane meets a slice.
#[derive(Debug, Clone, Copy)]
struct Chord {
    /// How far to the left.
    left: f64,
    /// Its square, in mm².
    square: f64,
    /// How far to the front its middle is.
    front: f64,
}

/// How far from the curve is looked, in mm.
const REACH: f64 = 18.0;
/// How far apart samples on a chord are, in mm.
const STEP: f64 = 0.25;
/// Chords are means over planes so far below the one in question, in mm: an outline that is aslant
/// to the voxels is found more finely than a voxel.
const PLANES: [f64; 5] = [-1.6, -0.8, 0.0, 0.8, 1.6];
/// A shorter chord, in mm, is none.
const SHORTEST: f64 = 0.4;

impl Section {
    /// The canal in the plane of a frame; none where there is none.
    pub(super) fn of(mask: &Mask, frame: &Frame) -> Option<Self> {
        let (all, apart) = chords(mask, frame);
        let is_canal = |chord: &Chord| chord.square >= SHORTEST * SHORTEST;
        let first = all.iter().position(is_canal)?;
        let last = all.iter().rposition(is_canal)?;
        let outline = Outline { chords: &all[first..=last], apart };
        let (from, to) = outline.ends();
        let steps = ((to - from) / 0.1).ceil().max(1.0) as usize;
        let step = (to - from) / steps as f64;
        let (mut area, mut beside) = (0.0, 0.0);
        for place in 0..steps {
            let left = from + (place as f64 + 0.5) * step;
            let chord = outline.chord(left);
            area += chord * step;
            beside += left * chord * step;
        }
        let beside = beside / area;
        Some(Self {
            centre: frame.place(beside, outline.front(beside), 0.0),
            ap: outline.chord(beside),
            width: to - from,
            area,
            is_cut: first == 0 || last + 1 == all.len(),
        })
    }
}

/// The canal's chords on all slices within reach, from the right to the left, and how far they are
/// apart.
fn chords(mask: &Mask, frame: &Frame) -> (Vec<Chord>, f64) {
    // Which axis of voxels leads from side to side, and how many voxels a mm to the left are.
    let here = mask.geometry.to_voxel(frame.at);
    let there = mask.geometry.to_voxel(frame.place(1.0, 0.0, 0.0));
    let across = minus(there, here);
    let axis = (0..3).max_by(|&a, &b| across[a].abs().total_cmp(&across[b].abs())).unwrap_or(2);
    let slices = 0..mask.geometry.size[axis] as i64;
    let left = |slice: i64| (slice as f64 - here[axis]) / across[axis];
    let mut near: Vec<f64> = slices.map(left).filter(|left| left.abs() <= REACH).collect();
    near.sort_by(f64::total_cmp);
    let chords = near.into_iter().map(|left| chord(mask, frame, left)).collect();
    (chords, 1.0 / across[axis].abs())
}

fn chord(mask: &Mask, frame: &Frame, left: f64) -> Chord {
    let (mut sum, mut before) = (0.0, 0.0);
    for down in PLANES {
        for step in 0..=(2.0 * REACH / STEP) as i64 {
            let front = step as f64 * STEP - REACH;
            let share = share(mask, Tissue::Canal, frame.place(left, front, down));
            sum += share;
            before += share * front;
        }
    }
    let length = sum * STEP / PLANES.len() as f64;
    Chord { left, square: length * length, front: if sum > 0.0 { before / sum } else { 0.0 } }
}

/// The canal's outline between slices.
struct Outline<'a> {
    /// At least one.
    chords: &'a [Chord],
    /// How far slices are apart in mm.
    apart: f64,
}

impl Outline<'_> {
    /// Where the canal ends to the right and to the left: where squares of chords come to nothing,
    /// which is no further than on the next slice.
    fn ends(&self) -> (f64, f64) {
        const STEPS: usize = 50;
        let end = |outer: &Chord, side: f64| {
            let at = |step: usize| outer.left + side * self.apart * step as f64 / STEPS as f64;
            let is_gone = |step: &usize| self.square(at(*step)) <= 0.0;
            match self.chords.len() {
                // Too few slices for a curve: each stands for its own thickness.
                ..3 => outer.left + side * self.apart / 2.0,
                _ => at((1..STEPS).find(is_gone).unwrap_or(STEPS)),
            }
        };
        (end(&self.chords[0], -1.0), end(&self.chords[self.chords.len() - 1], 1.0))
    }

    /// The canal's chord so far to the left.
    fn chord(&self, left: f64) -> f64 {
        self.square(left).max(0.0).sqrt()
    }

    /// Its square: on the parabola through the three nearest chords, or between the two parabolas
    /// that a place is on.
    fn square(&self, left: f64) -> f64 {
        let count = self.chords.len();
        let below = self.below(left);
        if count < 3 {
            let end = below.min(count - 1);
            let next = (end + 1).min(count - 1);
            let share = ((left - self.chords[end].left) / self.apart).clamp(0.0, 1.0);
            return self.chords[end].square * (1.0 - share) + self.chords[next].square * share;
        }
        let parabola = |first: usize| parabola(&self.chords[first..first + 3], left);
        match below {
            _ if left < self.chords[0].left => self.beyond(&self.chords[..3], 0, left),
            _ if left > self.chords[count - 1].left => {
                self.beyond(&self.chords[count - 3..], 2, left)
            }
            0 => parabola(0),
            _ if below + 2 >= count => parabola(count - 3),
            _ => {
                let share = (left - self.chords[below].left)
                    / (self.chords[below + 1].left - self.chords[below].left);
                parabola(below - 1) * (1.0 - share) + parabola(below) * share
            }
        }
    }

    /// The square beyond the outer one of three chords: on their parabola, but bent so that it comes to
    /// nothing on the next slice at the furthest, as there is no canal there.
    fn beyond(&self, three: &[Chord], outer: usize, left: f64) -> f64 {
        let off = (left - three[outer].left) / self.apart;
        let next = three[outer].left + off.signum() * self.apart;
        parabola(three, left) - parabola(three, next).max(0.0) * off * off
    }

    /// How far to the front the middle of the chord is.
    fn front(&self, left: f64) -> f64 {
        let one = &self.chords[self.below(left)];
        let other = &self.chords[(self.below(left) + 1).min(self.chords.len() - 1)];
        let share = ((left - one.left) / self.apart).clamp(0.0, 1.0);
        one.front * (1.0 - share) + other.front * share
    }

    /// The last chord that is not to the left of a place, else the first.
    fn below(&self, left: f64) -> usize {
        self.chords.iter().rposition(|chord| chord.left <= left).unwrap_or(0)
    }
}

/// The value of the parabola through three points (Lagrange).
fn parabola(points: &[Chord], at: f64) -> f64 {
    let weight = |own: usize| {
        let others = (0..3).filter(|&other| other != own);
        others
            .map(|other| (at - points[other].left) / (points[own].left - points[other].left))
            .product::<f64>()
    };
    (0..3).map(|own| weight(own) * points[own].square).sum()
}

/// How much of a tissue there is at a place, 0 to 1, between voxels in lines; none beyond the image.
pub(super) fn share(mask: &Mask, tissue: Tissue, patient: Lps) -> f64 {
    let voxel = mask.geometry.to_voxel(patient);
    let (mut low, mut high, mut rest) = ([0; 3], [0; 3], [0.0; 3]);
    for axis in 0..3 {
        let last = mask.geometry.size[axis] as f64 - 1.0;
        if !(-0.5..=last + 0.5).contains(&voxel[axis]) {
            return 0.0;
        }
        let within = voxel[axis].clamp(0.0, last);
        low[axis] = within as usize;
        high[axis] = (low[axis] + 1).min(last as usize);
        rest[axis] = within - low[axis] as f64;
    }
    let number = tissue.number();
    let mut sum = 0.0;
    for corner in 0..8 {
        let (mut at, mut weight) = (low, 1.0);
        for axis in 0..3 {
            if corner >> axis & 1 == 1 {
                at[axis] = high[axis];
                weight *= rest[axis];
            } else {
                weight *= 1.0 - rest[axis];
            }
        }
        if weight > 0.0 && mask.at(at[0], at[1], at[2]) == number {
            sum += weight;
        }
    }
    sum
}
