//! Where axial slices lie: along each disc, or all in one stack.

use fastrand::Rng;

use super::Axial;
use super::anatomy::Anatomy;
use super::scanner::{rounded, unit};
use super::shape::Shape;
use crate::imaging::Plane;
use crate::imaging::geometry::{Lps, along, cross, minus};
use crate::label::Level;
use crate::simulate::normal;

impl Axial {
    pub(super) fn planes(self, shape: &Shape, anatomy: &Anatomy, random: &mut Rng) -> Vec<Plane> {
        let side = [256, 256, 288, 320][random.usize(..4)];
        let pixel = rounded((176.0 + 24.0 * random.f64()) / side as f64);
        let first = anatomy.levels.iter().position(|level| *level == Level::L1L2).unwrap_or(0);
        let behind = |disc: usize| {
            let down = shape.column.discs[disc].middle();
            let back = shape.column.rung(down).half_depth;
            [down, 0.0, -back - 6.0]
        };
        let stacks: Vec<(Lps, Lps, usize, f64)> = match self {
            Self::Straight => {
                let apart = rounded(4.4 + 0.6 * random.f64());
                let last = anatomy.levels.len() - 1;
                let [top, end] = [first, last].map(|disc| shape.column.place(behind(disc)));
                let lean = 0.06 * normal(random);
                let height = top[2] - end[2] + 34.0;
                let middle = [0, 1, 2].map(|axis| f64::midpoint(top[axis], end[axis]));
                vec![(middle, unit([0.0, lean, -1.0]), (height / apart) as usize, apart)]
            }
            Self::Angled => {
                let apart = rounded(3.6 + 0.8 * random.f64());
                let count = [4, 5, 5][random.usize(..3)];
                (first..anatomy.levels.len())
                    .map(|disc| {
                        let at = behind(disc);
                        let down = shape.column.directions(at)[0];
                        let off = [0.02, 0.03, 0.0].map(|off| off * normal(random));
                        let tilt = unit([0, 1, 2].map(|axis| down[axis] + off[axis]));
                        // Scanners tilt about one axis alone, but for much scoliosis.
                        let tilt = unit([tilt[0] * 0.5, tilt[1], tilt[2]]);
                        (shape.column.place(at), tilt, count, apart)
                    })
                    .collect()
            }
        };
        let off_centre = [4.0 * normal(random), -14.0 + 8.0 * normal(random)];
        let stack = |(middle, down, count, apart): &(Lps, Lps, usize, f64)| {
            // Rows go to the left, columns to the back.
            let row = unit(minus([1.0, 0.0, 0.0], down.map(|part| part * down[0])));
            let column = cross(row, *down);
            let steps = [row, column].map(|way| way.map(|part| part * pixel));
            let half = (side as f64 - 1.0) / 2.0;
            let middle =
                along(along(*middle, row, off_centre[0]), column, -off_centre[1].abs() + 22.0);
            let corner = along(along(middle, steps[0], -half), steps[1], -half);
            (0..*count)
                .map(|k| {
                    let from_middle = (k as f64 - (*count as f64 - 1.0) / 2.0) * apart;
                    Plane {
                        size: [side, side],
                        origin: along(corner, *down, from_middle).map(rounded),
                        steps,
                        normal: cross(row, column),
                        thickness: Some(rounded(apart * 0.9)),
                    }
                })
                .collect::<Vec<_>>()
        };
        stacks.iter().flat_map(stack).collect()
    }
}
