//! Each vertebra and each disc by a number of its own.

use std::collections::VecDeque;

use rayon::prelude::*;

use super::canal::Canal;
use super::column::Column;
use super::pieces::{Pieces, for_each_neighbour};
use crate::imaging::geometry::{Lps, along, length, minus};
use crate::imaging::{Geometry, Mask, Tissue};

/// A part of a spine. Its number in masks is SPIDER's (van der Graaf et al. 2024).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The vertebra above a disc that is counted from the lowest, 1, up.
    Vertebra(u8),
    /// The vertebra below the lowest disc, where the mask shows one.
    VertebraBelow,
    /// The canal.
    Canal,
    /// A disc, counted from the lowest, 1, up.
    Disc(u8),
}

impl Part {
    /// Its number in masks, where 0 is no part.
    pub const fn number(self) -> u8 {
        match self {
            Self::Vertebra(from_below) => from_below,
            Self::VertebraBelow => 99,
            Self::Canal => 100,
            Self::Disc(from_below) => 200 + from_below,
        }
    }

    /// The part of a number.
    pub const fn of(number: u8) -> Option<Self> {
        match number {
            0 => None,
            99 => Some(Self::VertebraBelow),
            100 => Some(Self::Canal),
            201.. => Some(Self::Disc(number - 200)),
            _ => Some(Self::Vertebra(number)),
        }
    }
}

/// The tissues of the voxels of `geometry` by a mask that has a number a part, or a number a
/// [`Tissue`]. Where the mask does not reach is background.
pub fn tissues(mask: &Mask, geometry: Geometry) -> Mask {
    let has_parts = mask.values.iter().any(|&number| number >= Part::VertebraBelow.number());
    let tissue = |number: u8| match (has_parts, Part::of(number)) {
        (false, _) => number,
        (true, None) => Tissue::Background.number(),
        (true, Some(Part::Vertebra(_) | Part::VertebraBelow)) => Tissue::Vertebra.number(),
        (true, Some(Part::Canal)) => Tissue::Canal.number(),
        (true, Some(Part::Disc(_))) => Tissue::Disc.number(),
    };
    let [width, height, _] = geometry.size;
    let mut tissues = Mask::filled(geometry, Tissue::Background.number());
    tissues.values.par_chunks_mut(width * height).enumerate().for_each(|(k, slice)| {
        for (place, value) in slice.iter_mut().enumerate() {
            let voxel = [place % width, place / width, k].map(|at| at as f64);
            *value = mask.nearest(geometry.to_patient(voxel)).map_or(*value, tissue);
        }
    });
    tissues
}

/// A part that is further from the column's curve than this, in mm, is none of it.
const REACH: f64 = 75.0;
/// A voxel of canal further from its curve than this, in mm, is none.
const WIDE: f64 = 22.0;
/// A voxel of disc further from the plane of its disc than this, in mm, belongs to none.
const THICK: f64 = 14.0;
/// A voxel of a body further to the front or to a side than this, in mm, is none.
const DEPTH: f64 = 48.0;

/// The number of the part that each voxel belongs to; 0 for none. Pieces of a vertebra belong to it
/// whether they touch or not; what touches but is beyond a disc's plane does not.
pub fn parts(mask: &Mask, column: &Column) -> Mask {
    let mut parts = cores(mask, column);
    grow(mask, &mut parts);
    rest(mask, column, &mut parts);
    parts
}

/// The number of the vertebra whose body each voxel is in; 0 elsewhere.
pub fn bodies(mask: &Mask, column: &Column) -> Mask {
    let mut cores = cores(mask, column);
    let is_body = |part| matches!(part, Some(Part::Vertebra(_) | Part::VertebraBelow));
    cores.values.iter_mut().filter(|number| !is_body(Part::of(**number))).for_each(|n| *n = 0);
    cores
}

/// Canal, discs and bodies, without what is behind the canal's front.
fn cores(mask: &Mask, column: &Column) -> Mask {
    let [width, height, _] = mask.geometry.size;
    let mut parts = Mask::filled(mask.geometry, Tissue::Background.number());
    parts.values.par_chunks_mut(width * height).enumerate().for_each(|(k, slice)| {
        let mut finder = Finder { column, guess: 0.0, behind: 0.0 };
        for (place, part) in slice.iter_mut().enumerate() {
            let (i, j) = (place % width, place / width);
            let value = mask.at(i, j, k);
            if value != Tissue::Background.number() {
                let patient = mask.geometry.to_patient([i as f64, j as f64, k as f64]);
                *part = finder.part(value, patient);
            }
        }
    });
    parts
}

/// Finds the parts of voxels that follow each other.
struct Finder<'a> {
    column: &'a Column,
    /// How far along the column's curve the last voxel was.
    guess: f64,
    /// The same along the canal's.
    behind: f64,
}

impl Finder<'_> {
    /// The part of a voxel; 0 where it is none, or not known yet.
    fn part(&mut self, value: u8, patient: Lps) -> u8 {
        self.guess = self.column.curve.nearest_from(self.guess, patient);
        let off = length(minus(patient, self.column.curve.at(self.guess)));
        if value == Tissue::Canal.number() {
            return self.canal(patient);
        }
        if off > DEPTH {
            return 0;
        }
        if value == Tissue::Disc.number() { self.disc(patient) } else { self.body(patient) }
    }

    fn canal(&mut self, patient: Lps) -> u8 {
        let Some(canal) = &self.column.canal else { return 0 };
        self.behind = canal.curve.nearest_from(self.behind, patient);
        let off = length(minus(patient, canal.curve.at(self.behind)));
        if off < WIDE && canal.curve.beyond(self.behind) < 5.0 { Part::Canal.number() } else { 0 }
    }

    fn disc(&self, patient: Lps) -> u8 {
        let count = self.column.discs.len();
        let nearest = self
            .column
            .discs
            .iter()
            .map(|disc| disc.below(patient).abs())
            .enumerate()
            .min_by(|(_, a), (_, b)| a.total_cmp(b));
        match nearest {
            Some((place, off)) if off < THICK => Part::Disc((count - place) as u8).number(),
            _ => 0,
        }
    }

    /// The vertebra whose body a place is in; 0 behind the canal's front.
    fn body(&mut self, patient: Lps) -> u8 {
        let is_before = match &self.column.canal {
            Some(canal) => self.is_before(canal, patient),
            // Without a canal the column's curve is that of its discs.
            None => self.column.curve.frame(self.guess).offsets(patient)[1] > -20.0,
        };
        if !is_before {
            return 0;
        }
        let above = self.column.discs.iter().filter(|disc| disc.below(patient) > 0.0).count();
        number(self.column, above, self.guess)
    }

    fn is_before(&mut self, canal: &Canal, patient: Lps) -> bool {
        self.behind = canal.curve.nearest_from(self.behind, patient);
        canal.before_at(self.behind, patient) > 0.0
    }
}

/// Posterior elements belong to the body that they hang together with, along the shortest way.
fn grow(mask: &Mask, parts: &mut Mask) {
    let vertebra = Tissue::Vertebra.number();
    let is_body = |place: &usize| parts.values[*place] != 0 && mask.values[*place] == vertebra;
    let mut waiting: VecDeque<usize> = (0..mask.values.len()).filter(is_body).collect();
    while let Some(place) = waiting.pop_front() {
        let part = parts.values[place];
        for_each_neighbour(mask, place, |next| {
            if mask.values[next] == vertebra && parts.values[next] == 0 {
                parts.values[next] = part;
                waiting.push_back(next);
            }
        });
    }
}

/// What hangs together with no body belongs, piece by piece, to the one before it: spinous processes
/// point downwards, by about a third of a level.
fn rest(mask: &Mask, column: &Column, parts: &mut Mask) {
    let [width, height, _] = mask.geometry.size;
    let vertebra = Tissue::Vertebra.number();
    let left = Mask {
        geometry: mask.geometry,
        values: mask
            .values
            .iter()
            .zip(&parts.values)
            .map(|(&value, &part)| if part == 0 { value } else { Tissue::Background.number() })
            .collect(),
    };
    let pieces = Pieces::of(&left, |value| value == vertebra);
    let mut sums = vec![[0.0; 3]; pieces.sizes.len()];
    for (place, &piece) in pieces.of.iter().enumerate() {
        let at = [place % width, place / width % height, place / (width * height)];
        sums[piece as usize] = along(sums[piece as usize], at.map(|at| at as f64), 1.0);
    }
    let numbers: Vec<u8> = sums
        .iter()
        .zip(&pieces.sizes)
        .map(|(sum, &size)| {
            let centre = sum.map(|sum| sum / size.max(1) as f64);
            if size == 0 { 0 } else { before(column, mask.geometry.to_patient(centre)) }
        })
        .collect();
    for (part, &piece) in parts.values.iter_mut().zip(&pieces.of) {
        if piece != 0 {
            *part = numbers[piece as usize];
        }
    }
}

/// The vertebra whose posterior elements are there; 0 where it is too far away.
fn before(column: &Column, patient: Lps) -> u8 {
    let along = column.curve.nearest(patient);
    if length(minus(patient, column.curve.at(along))) > REACH {
        return 0;
    }
    let level = along - column.pitch / 3.0;
    let above = column.discs.iter().filter(|disc| disc.along < level).count();
    number(column, above, along)
}

/// The number of the vertebra with so many discs above it, so far along the curve; 0 beyond the last
/// vertebra that there can be.
fn number(column: &Column, above: usize, along: f64) -> u8 {
    let last = column.discs.last().map_or(0.0, |disc| disc.along);
    match column.discs.len() - above {
        0 if column.vertebra_below > 0.0 && along < last + column.pitch => {
            Part::VertebraBelow.number()
        }
        // The lowest spinous process reaches further down than its disc.
        0 if along < last + column.pitch / 2.0 => Part::Vertebra(1).number(),
        0 => 0,
        from_below => Part::Vertebra(from_below as u8).number(),
    }
}
