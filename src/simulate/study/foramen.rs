//! The foramina: a root in fat between two pedicles, and what takes the fat's place.
//!
//! Grades go by Lee et al. 2010 (AJR 194:1095): mild where fat is gone on two opposite sides of the
//! root, moderate where it is gone on all four, severe where the root has lost its shape.

use fastrand::Rng;

use super::anatomy::Anatomy;
use super::bone::pedicle;
use super::column::{Column, Part, Rung};
use super::matter::Matter;
use super::narrowing::Narrowing;
use crate::label::StenosisType;
use crate::simulate::{chance, normal};

/// A foramen; lengths in mm.
#[derive(Debug, Clone)]
pub(super) struct Foramen {
    /// Where the pedicle above ends, and where the one below begins.
    pub top: f64,
    pub bottom: f64,
    /// Where it begins and ends to the side.
    inner: f64,
    outer: f64,
    /// Half of the height and of the depth of the root.
    pub root: [f64; 2],
    /// The fat above and below the root, and before and behind it.
    pub fat: [f64; 2],
    /// How far the disc or bone reaches into it from the front.
    front: f64,
    /// Half of the depth of its lower part.
    slit: f64,
}

/// Half of the height and of the depth of an exiting root with its ganglion.
const ROOT: [f64; 2] = [2.7, 2.4];
/// Fat around it on all sides of a wide foramen.
const FAT: f64 = 2.4;
/// The depth of a wide foramen.
const DEPTH: f64 = 2.0 * (ROOT[1] + FAT);

/// All foramina.
#[derive(Debug, Clone)]
pub(super) struct Foramina {
    /// Right and left, disc by disc.
    pub of: Vec<[Foramen; 2]>,
}

impl Foramina {
    pub fn new(
        column: &Column,
        anatomy: &Anatomy,
        narrowings: &[Narrowing],
        random: &mut Rng,
    ) -> Self {
        let of = (0..narrowings.len()).map(|disc| {
            let upper = pedicle(column, anatomy, disc);
            let lower = pedicle(column, anatomy, disc + 1);
            let vertebra = &anatomy.vertebrae[disc];
            [-1.0, 1.0].map(|side| {
                let severity = narrowings[disc].of_side(StenosisType::Foraminal, side);
                let across_first = chance(random, 0.7);
                let from_front = (0.5 + 0.2 * normal(random)).clamp(0.1, 0.9);
                let fat = fat(severity, across_first).map(|fat| fat * anatomy.size);
                let shrunk = root(severity);
                let mut half = ROOT.map(|half| half * anatomy.size);
                half[usize::from(across_first)] *= shrunk;
                let depth = DEPTH * anatomy.size;
                let lost = (depth - 2.0 * (half[1] + fat[1])).max(0.0);
                Foramen {
                    top: upper.bottom,
                    bottom: lower.top,
                    inner: vertebra.canal_width / 2.0 - 1.5,
                    outer: vertebra.canal_width / 2.0 + vertebra.pedicle.max(9.0) + 1.0,
                    root: half,
                    fat,
                    front: lost * from_front,
                    slit: 2.6 * (1.0 - severity / 2.2).max(0.0),
                }
            })
        });
        Self { of: of.collect() }
    }

    /// What is in a foramen, where a place so far behind the bodies is in one.
    pub fn at(&self, down: f64, left: f64, back: f64, rung: &Rung) -> Option<Matter> {
        let beside = left.abs();
        if !(8.0..38.0).contains(&beside) || !(-9.0..13.0).contains(&back) {
            return None;
        }
        let disc = match rung.part {
            Part::Body(at) if rung.above < rung.below => at.checked_sub(1)?,
            Part::Body(at) | Part::Disc(at) => at,
            Part::Sacral(0) => self.of.len() - 1,
            _ => return None,
        };
        let foramen = &self.of[disc][usize::from(left > 0.0)];
        if !(foramen.top..foramen.bottom).contains(&down) || beside < foramen.inner {
            return None;
        }
        // The backs of bodies fall off to the side.
        let x = beside / rung.half_width;
        let wall = rung.half_depth * ((1.0 - x * x * x * x).max(0.0).sqrt().sqrt() - 1.0);
        foramen.at(down, beside, back - wall.max(-8.0), matches!(rung.part, Part::Disc(_)))
    }
}

impl Foramen {
    /// How high it is, and how deep where the root is.
    pub fn size(&self) -> [f64; 2] {
        [self.bottom - self.top, 2.0 * (self.root[1] + self.fat[1])]
    }

    fn at(&self, down: f64, beside: f64, back: f64, is_disc: bool) -> Option<Matter> {
        // The root goes down and to the front on its way out.
        let way = beside - self.inner;
        let is_outside = beside > self.outer;
        let root_down = self.top + 0.5 + self.fat[0] + self.root[0] + 0.33 * way;
        let half_depth = self.root[1] + self.fat[1];
        let root_back = self.front + half_depth - 0.13 * way;
        let off = [down - root_down, back - root_back];
        let within = |half: [f64; 2]| {
            let [a, b] = [off[0] / half[0], off[1] / half[1]];
            a * a + b * b < 1.0
        };
        let slim = if is_outside { 0.8 } else { 1.0 };
        if within(self.root.map(|half| half * slim)) {
            return Some(Matter::Root);
        }
        if is_outside {
            return None;
        }
        // Pockets of fat are not round where they end at the pedicle.
        if within([self.root[0] + self.fat[0] + 0.3, half_depth]) {
            return Some(Matter::EpiduralFat);
        }
        if !(0.0..DEPTH).contains(&back) {
            return None;
        }
        let below = down - root_down;
        if below > 0.0 && off[1].abs() < self.slit {
            return Some(if below > 4.0 && (down * 1.3).sin() > 0.6 {
                Matter::SlowBlood
            } else {
                Matter::EpiduralFat
            });
        }
        let is_front = back < root_back;
        // Behind there is flavum first, then the facet.
        let behind = off[1] - if below > 0.0 { self.slit.max(0.5) } else { half_depth * 0.7 };
        Some(match (is_front, is_disc) {
            (true, true) => Matter::Annulus,
            (true, false) => Matter::Ligament,
            (false, _) if behind < 1.8 => Matter::Ligament,
            (false, _) if behind < 2.6 => Matter::Cortex,
            (false, _) => Matter::Marrow,
        })
    }
}

/// The fat that is left at a severity above and below, and before and behind, in someone of usual size.
fn fat(severity: f64, across_first: bool) -> [f64; 2] {
    let first = FAT * (1.0 - severity / 1.1).clamp(0.0, 1.0);
    let second = FAT * (1.0 - severity / 2.15).clamp(0.0, 1.0);
    if across_first { [second, first] } else { [first, second] }
}

/// How much of the width of a root is left at a severity.
fn root(severity: f64) -> f64 {
    (1.0 - 0.5 * (severity - 2.7) / 1.3).clamp(0.4, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fat_goes_by_the_criteria_of_lee() {
        assert!(fat(0.0, true) == [FAT, FAT] && root(2.0) == 1.0);
        let [along, across] = fat(1.1, true);
        assert!(along > 1.0 && across == 0.0, "two opposite sides");
        assert_eq!(fat(2.2, false), [0.0, 0.0], "all four sides");
        assert!(root(3.0) < 0.9 && root(4.0) < 0.51, "the root loses its shape");
    }
}
