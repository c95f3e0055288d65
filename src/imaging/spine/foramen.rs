//! The foramina: where nerve roots leave between the pedicles of two vertebrae.
//!
//! On a sagittal slice through the pedicles a foramen has bone all around: a pedicle above and one
//! below, bodies and disc before, facet joint behind. Its height is that of most lines from pedicle
//! to pedicle, its width the line from the body to the facet just above the disc, where the root is.

use serde::{Deserialize, Serialize};

use super::curve::Frame;
use super::section::share;
use crate::imaging::geometry::minus;
use crate::imaging::{Mask, Tissue, median};

/// The foramen of a level on one side.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Foramen {
    /// No pedicles were found on this side, though the image goes on.
    #[default]
    NotFound,
    /// The image ends before it.
    OutOfView,
    /// Its size in mm.
    Measured {
        /// From the pedicle above to the pedicle below.
        height: f64,
        /// From the front to the back, just above the disc.
        width: f64,
    },
}

/// Pedicles are so far aside of the middle of the canal, in mm.
const ASIDE: std::ops::RangeInclusive<usize> = 9..=24;
/// What is further aside than this, in mm, has to be in view.
const IN_VIEW: f64 = 18.0;
/// How far aside foramina are measured on, in mm.
const APART: f64 = 1.0;
/// A foramen is seen over so many mm from side to side, or it is a gap in the mask.
const LEAST_WIDE: usize = 3;
/// Samples along a line are so many mm apart.
const STEP: f64 = 0.25;
/// Pedicles are nearer than this above and below, in mm.
const TALLEST: f64 = 26.0;
/// Facets are nearer than this behind the body, in mm.
const WIDEST: f64 = 26.0;

impl Foramen {
    /// The foramen on the left (1) or on the right (-1) of a level. The frame is of its disc, in the
    /// middle of the canal; `half` is half of the height of the disc.
    pub(super) fn of(mask: &Mask, frame: &Frame, half: f64, side: f64) -> Self {
        let sizes: Vec<(f64, f64)> = ASIDE
            .filter_map(|aside| size(mask, &frame.moved(side * aside as f64 * APART), half))
            .collect();
        if !is_in_view(mask, frame, side) {
            return Self::OutOfView;
        }
        if sizes.len() < LEAST_WIDE {
            return Self::NotFound;
        }
        let (mut heights, widths): (Vec<f64>, Vec<f64>) = sizes.into_iter().unzip();
        // Beside the pedicles lines are longer, as they pass them by.
        heights.sort_by(f64::total_cmp);
        let height = heights[heights.len() / 4];
        median(widths).map_or(Self::NotFound, |width| Self::Measured { height, width })
    }
}

/// Whether there are slices as far aside as pedicles are.
fn is_in_view(mask: &Mask, frame: &Frame, side: f64) -> bool {
    let there = mask.geometry.to_voxel(frame.place(side * IN_VIEW, 0.0, 0.0));
    let across = minus(there, mask.geometry.to_voxel(frame.at));
    let slices = (0..3).max_by(|&a, &b| across[a].abs().total_cmp(&across[b].abs())).unwrap_or(2);
    let last = mask.geometry.size[slices] as f64 - 0.5;
    (-0.5..=last).contains(&there[slices])
}

/// Height and width on the slice of a frame; none where there is no pedicle above or below.
fn size(mask: &Mask, frame: &Frame, half: f64) -> Option<(f64, f64)> {
    /// The root is so far above the disc, in mm.
    const ABOVE_DISC: f64 = 3.0;
    let is =
        |tissue, front: f64, down: f64| share(mask, tissue, frame.place(0.0, front, down)) >= 0.5;
    let is_solid = |front, down| is(Tissue::Vertebra, front, down) || is(Tissue::Disc, front, down);
    let above = -half - ABOVE_DISC;
    // Where the body above ends to the back.
    let back =
        (0..160).map(|step| -f64::from(step) * STEP).find(|&front| !is_solid(front, above))?;
    is_solid(0.0, above).then_some(())?;
    let free = |from: f64, length: f64, is_free: &dyn Fn(f64) -> bool| {
        let steps = (length / STEP) as usize;
        (0..steps).map(|step| from + step as f64 * STEP).find(|&at| !is_free(at))
    };
    let facet = free(0.0, WIDEST, &|behind| !is_solid(back - behind, above));
    // Up to where there is a facet, or it is not known how wide the foramen is.
    let width = facet.filter(|width| *width >= 1.0)?;
    let lines = (1..(width / STEP) as usize).filter_map(|step| {
        let front = back - step as f64 * STEP;
        let up = free(0.0, TALLEST, &|up| !is_solid(front, above - up))?;
        let down = free(0.0, TALLEST, &|down| !is_solid(front, above + down))?;
        Some(up + down)
    });
    // The longest may run through a gap of the mask.
    let mut heights: Vec<f64> = lines.collect();
    heights.sort_by(f64::total_cmp);
    let height = *heights.get(heights.len() * 3 / 4)?;
    (height > 2.0 * half).then_some((height, width))
}
