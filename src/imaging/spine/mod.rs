//! The spine in a mask of tissues, without weights and without files: its curve, its discs and
//! vertebral bodies one by one, their names, their measures.

mod canal;
mod central;
mod column;
mod curve;
mod designate;
mod foramen;
mod measure;
mod parts;
mod pieces;
mod profile;
mod section;
mod terms;

pub use canal::Canal;
pub use central::{Thresholds, ThresholdsError};
pub use column::{Column, Disc};
pub use curve::{Curve, Frame};
pub use designate::{Candidate, Doubt, Named, Naming, names, ways};
pub use foramen::Foramen;
pub use measure::{BodyMeasures, LevelMeasures, Measures, behind};
pub use parts::{Part, bodies, parts, tissues};
pub use section::Section;
pub use terms::segments;

use std::collections::BTreeMap;

use curve::Sight;
use measure::angle;

use crate::imaging::geometry::{Lps, along};
use crate::imaging::{Mask, Tissue, median};
use crate::label::Level;

/// What a mask shows of a spine.
#[derive(Debug, Clone)]
pub struct Spine {
    /// Its discs and bodies.
    pub column: Column,
    /// Their measures.
    pub measures: Measures,
    /// Their names.
    pub naming: Naming,
}

impl Spine {
    /// The spine of a mask of tissues; none where there is too little of one.
    pub fn of(mask: &Mask) -> Option<Self> {
        let column = Column::find(mask)?;
        let measures = Measures::of(mask, &column);
        let naming = Naming::of(&column, &measures);
        Some(Self { column, measures, naming })
    }

    /// The angle between the discs T12-L1 and L5-S1 in degrees, where both are seen.
    pub fn lordosis(&self) -> Option<f64> {
        let disc = |level: Level| {
            let place = self.naming.levels.iter().position(|named| named.level == Some(level))?;
            Some(&self.column.discs[place]).filter(|disc| disc.seen > 0.0)
        };
        Some(angle(disc(Level::T12L1)?, disc(Level::L5S1)?))
    }
}

/// Voxels of tissue with their places in memory and in the patient, no denser than a curve needs
/// them.
fn places(mask: &Mask) -> impl Iterator<Item = (usize, Lps)> + '_ {
    const DENSITY: f64 = 1.5;
    let geometry = mask.geometry;
    let stride = geometry.spacing().map(|spacing| ((DENSITY / spacing) as usize).max(1));
    let [width, height, depth] = geometry.size;
    let background = Tissue::Background.number();
    (0..depth).step_by(stride[2]).flat_map(move |k| {
        (0..height).step_by(stride[1]).flat_map(move |j| {
            (0..width).step_by(stride[0]).filter_map(move |i| {
                let place = geometry.place(i, j, k);
                let patient = || geometry.to_patient([i as f64, j as f64, k as f64]);
                (mask.values[place] != background).then(|| (place, patient()))
            })
        })
    })
}

/// A curve through places, by their height alone.
fn by_height(places: &[Lps]) -> Option<Curve> {
    let highest = places.iter().map(|place| place[2]).fold(f64::NEG_INFINITY, f64::max);
    let level: Vec<Sight> = places.iter().map(|&at| Sight { along: highest - at[2], at }).collect();
    Curve::through(&sights(&level))
}

/// The middle of all places of each mm. Where there are few, as where a shape ends aslant, there is
/// none.
fn sights(places: &[Sight]) -> Vec<Sight> {
    const FEW: f64 = 0.12;
    let mut bins: BTreeMap<i64, (f64, Lps)> = BTreeMap::new();
    for place in places {
        let bin = bins.entry(place.along.round() as i64).or_default();
        *bin = (bin.0 + 1.0, along(bin.1, place.at, 1.0));
    }
    let usual = median(bins.values().map(|bin| bin.0).collect()).unwrap_or(0.0);
    bins.into_iter()
        .filter(|(_, (count, _))| *count >= FEW * usual)
        .map(|(bin, (count, sum))| Sight { along: bin as f64, at: sum.map(|sum| sum / count) })
        .collect()
}
