//! The course of the canal, and where the vertebral bodies before it end.

use std::cmp::Reverse;

use super::curve::{Curve, Sight};
use super::pieces::{Pieces, Reach, in_line};
use super::{by_height, sights};
use crate::imaging::geometry::Lps;
use crate::imaging::{Mask, Tissue, median};

/// The canal's course and its front.
#[derive(Debug, Clone, PartialEq)]
pub struct Canal {
    /// Through the middle of the canal.
    pub curve: Curve,
    /// How far the front of the canal is before its middle, for each mm of the curve.
    front: Vec<f64>,
}

impl Canal {
    /// Pieces of less than this share of the largest are no canal.
    const PIECE: f64 = 0.02;
    /// A piece behind the discs that is so many times smaller than the largest is not the canal.
    const LIKELY: usize = 4;
    /// How far another piece may be from the course of the largest.
    const REACH: Reach = Reach { off: 16.0, beyond: 50.0 };
    /// The front is looked for within so many mm beside the middle.
    const BESIDE: f64 = 5.0;
    /// It is the median over so many mm on both sides.
    const SPAN: usize = 8;

    /// The canal of a mask; none where there is too little of it.
    pub(super) fn find(mask: &Mask) -> Option<Self> {
        let places = Self::places(mask)?;
        let rough = by_height(&places)?;
        let normal: Vec<Sight> =
            places.iter().map(|&at| Sight { along: rough.nearest(at), at }).collect();
        let curve = Curve::through(&sights(&normal))?;
        let front = Self::front_of(&curve, &places);
        Some(Self { curve, front })
    }

    /// Places of the largest piece of canal behind the discs, and of those in line with it: vessels,
    /// the bladder and fat under the skin are taken for it too. None where all there is are such.
    fn places(mask: &Mask) -> Option<Vec<Lps>> {
        let (canal, disc) = (Tissue::Canal.number(), Tissue::Disc.number());
        let discs: Vec<Lps> = super::places(mask)
            .filter(|(place, _)| mask.values[*place] == disc)
            .map(|(_, patient)| patient)
            .collect();
        let column = by_height(&discs);
        let is_behind = |piece: &[Lps]| {
            let Some(column) = &column else { return true };
            let behind = |place: &&Lps| place[1] > column.at(column.nearest(**place))[1];
            2 * piece.iter().filter(behind).count() > piece.len()
        };
        let pieces = Pieces::of(mask, |value| value == canal);
        let mut pieces = pieces.places(mask, Self::PIECE);
        let most = pieces.iter().map(Vec::len).max()?;
        let is_likely = |piece: &[Lps]| Self::LIKELY * piece.len() >= most && is_behind(piece);
        pieces.sort_by_key(|piece| Reverse((is_likely(piece), piece.len())));
        if !is_likely(pieces.first()?) {
            return None;
        }
        in_line(pieces, Self::REACH, |place| place)
    }

    /// How far before a curve the front of these places is.
    fn front_of(curve: &Curve, places: &[Lps]) -> Vec<f64> {
        let count = curve.length() as usize + 1;
        let mut ahead: Vec<Vec<f64>> = vec![Vec::new(); count];
        for &place in places {
            let along = curve.nearest(place);
            let [left, front, _] = curve.frame(along).offsets(place);
            if left.abs() <= Self::BESIDE {
                let bin = (along.round().max(0.0) as usize).min(count - 1);
                ahead[bin].push(front);
            }
        }
        let fronts: Vec<Option<f64>> = ahead
            .into_iter()
            .map(|mut ahead| {
                ahead.sort_by(f64::total_cmp);
                ahead.get(ahead.len() * 19 / 20).copied()
            })
            .collect();
        let usual = median(fronts.iter().flatten().copied().collect()).unwrap_or(0.0);
        (0..count)
            .map(|bin| {
                let near = bin.saturating_sub(Self::SPAN)..(bin + Self::SPAN + 1).min(count);
                median(fronts[near].iter().flatten().copied().collect()).unwrap_or(usual)
            })
            .collect()
    }

    /// Where a place would be if the canal were straight.
    pub(super) fn unbent(&self, patient: Lps) -> Lps {
        let along = self.curve.nearest(patient);
        let left = self.curve.frame(along).offsets(patient)[0];
        [left, -self.before_at(along, patient), -along]
    }

    /// How far a place is before the front of the canal in mm; negative within and behind it.
    pub fn before(&self, patient: Lps) -> f64 {
        self.before_at(self.curve.nearest(patient), patient)
    }

    /// The same, where it is known how far along the curve the place is.
    pub(super) fn before_at(&self, along: f64, patient: Lps) -> f64 {
        let bin = (along.round().max(0.0) as usize).min(self.front.len() - 1);
        self.curve.frame(along).offsets(patient)[1] - self.front[bin]
    }
}
