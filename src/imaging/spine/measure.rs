//! What is measured at each level and on each body: on planes normal to the curve of what is
//! measured, between voxels.

use serde::{Deserialize, Serialize};

use super::column::{Column, Disc};
use super::curve::Frame;
use super::foramen::Foramen;
use super::section::{Section, share};
use crate::imaging::geometry::{Lps, dot, length};
use crate::imaging::{Mask, Tissue, median};

/// All measures of a spine, level by level and body by body as its [`Column`] has them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measures {
    /// Of each level.
    pub levels: Vec<LevelMeasures>,
    /// Of the body above each level.
    pub bodies: Vec<BodyMeasures>,
}

/// What is measured at a disc level. What cannot be measured is none.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct LevelMeasures {
    /// The canal behind the middle of the disc.
    pub canal: Option<Section>,
    /// The canal where its area is smallest near the disc. Beside the plane behind the disc its diameter
    /// is the mean of five planes, a millimetre apart.
    pub narrowest: Option<Section>,
    /// The foramen on the left.
    pub left_foramen: Foramen,
    /// The foramen on the right.
    pub right_foramen: Foramen,
    /// The mean height of the disc on its median plane, in mm.
    pub disc_height: Option<f64>,
    /// The depth of the disc from front to back on its median plane, in mm.
    pub disc_depth: Option<f64>,
    /// Its height over the mean of the discs above and below.
    pub height_ratio: Option<f64>,
    /// How far the body above has slipped to the front over the body below, in mm; negative to the
    /// back.
    pub listhesis: Option<f64>,
    /// The same in percent of the depth of the body below.
    pub listhesis_percent: Option<f64>,
}

/// What is measured on a vertebral body, on its median plane, in mm.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct BodyMeasures {
    /// Its middle.
    pub centre: Option<Lps>,
    /// Its height at the front.
    pub front: Option<f64>,
    /// In the middle.
    pub middle: Option<f64>,
    /// At the back.
    pub back: Option<f64>,
    /// Its depth from front to back.
    pub depth: Option<f64>,
}

/// Lines beside the median plane over which lengths are averaged, in mm.
const BESIDE: [f64; 5] = [-3.0, -1.5, 0.0, 1.5, 3.0];
/// Samples along a line are so many mm apart.
const STEP: f64 = 0.25;

impl Measures {
    /// Measures a mask whose column is known.
    pub fn of(mask: &Mask, column: &Column) -> Self {
        let bodies: Vec<BodyMeasures> =
            (0..column.discs.len()).map(|place| body(mask, column, place)).collect();
        let mut levels: Vec<LevelMeasures> = column
            .discs
            .iter()
            .enumerate()
            .map(|(place, disc)| {
                let canal = canal(mask, column, disc);
                let frame = disc.frame();
                // The median plane is where the canal is, however the column is turned.
                let median = canal.canal.map(|canal| frame.offsets(canal.centre)[0]);
                let frame = frame.moved(median.unwrap_or(0.0));
                let (height, depth) = disc_size(mask, disc, &frame).unzip();
                let wall = height.filter(|_| median.is_some());
                let listhesis = wall.and_then(|height| listhesis(mask, &frame, height));
                let foramen = |side| {
                    let half = wall.map(|height| height / 2.0);
                    half.map_or_else(Foramen::default, |half| Foramen::of(mask, &frame, half, side))
                };
                let below = bodies.get(place + 1).and_then(|body| body.depth);
                LevelMeasures {
                    left_foramen: foramen(1.0),
                    right_foramen: foramen(-1.0),
                    disc_height: height,
                    disc_depth: depth,
                    listhesis,
                    listhesis_percent: listhesis.zip(below).map(|(mm, depth)| 100.0 * mm / depth),
                    ..canal
                }
            })
            .collect();
        let heights: Vec<Option<f64>> = levels.iter().map(|level| level.disc_height).collect();
        for (place, level) in levels.iter_mut().enumerate() {
            let beside = [place.checked_sub(1), Some(place + 1)];
            let beside: Vec<f64> =
                beside.into_iter().flatten().filter_map(|at| *heights.get(at)?).collect();
            let mean = beside.iter().sum::<f64>() / beside.len() as f64;
            level.height_ratio = level.disc_height.map(|height| height / mean);
            level.height_ratio = level.height_ratio.filter(|ratio| ratio.is_finite());
        }
        Self { levels, bodies }
    }
}

/// The canal behind a disc, and where it is narrowest.
fn canal(mask: &Mask, column: &Column, disc: &Disc) -> LevelMeasures {
    /// Disc, facets and ligaments narrow the canal within so many mm of the disc's plane.
    const REACH: f64 = 12.0;
    const EVERY: f64 = 1.0;
    /// Planes that are taken together.
    const TOGETHER: usize = 5;
    let Some(canal) = &column.canal else { return LevelMeasures::default() };
    let at = behind(&canal.curve, disc);
    let section = |along: f64| {
        let within = (0.0..=canal.curve.length()).contains(&along);
        within.then(|| Section::of(mask, &canal.curve.frame(along))).flatten()
    };
    let is_lowest = column.discs.last().is_some_and(|last| last.along <= disc.along);
    // Below the lowest disc the dural sac tapers to its end.
    let below = if is_lowest { 0.0 } else { REACH };
    let sections: Vec<Section> = (-(REACH / EVERY) as i64..=(below / EVERY) as i64)
        .filter_map(|step| section(at + step as f64 * EVERY))
        .collect();
    let canal = section(at);
    // The least of many is the one that voxels make too small: what is narrow on one plane alone is
    // not counted, but behind the disc itself. A diameter is found less finely than an area, so there it
    // is the mean of the planes.
    let middling = sections.windows(TOGETHER).filter_map(|planes| {
        let ap = planes.iter().map(|section| section.ap).sum::<f64>() / TOGETHER as f64;
        let mut planes = planes.to_vec();
        planes.sort_by(|a, b| a.area.total_cmp(&b.area));
        planes.get(TOGETHER / 2).map(|middle| Section { ap, ..*middle })
    });
    let narrowest = middling
        .chain(canal)
        .filter(|section| !section.is_cut)
        .min_by(|a, b| a.area.total_cmp(&b.area));
    LevelMeasures { canal, narrowest, ..LevelMeasures::default() }
}

/// How far along a curve behind a disc the plane through the disc's middle meets it.
pub fn behind(curve: &super::Curve, disc: &Disc) -> f64 {
    let mut along = curve.nearest(disc.centre);
    for _ in 0..12 {
        let frame = curve.frame(along);
        let steep = dot(frame.down, disc.down).max(0.3);
        along -= disc.below(frame.at) / steep;
    }
    along
}

/// Height and depth of a disc.
fn disc_size(mask: &Mask, disc: &Disc, frame: &Frame) -> Option<(f64, f64)> {
    if disc.seen <= 0.0 {
        return None;
    }
    const HALF: f64 = 12.0;
    const DEPTH: f64 = 30.0;
    let sizes = BESIDE.iter().filter_map(|&left| {
        // A disc's area over its depth is its mean height.
        let heights: Vec<f64> = steps(DEPTH)
            .map(|front| height(mask, Tissue::Disc, frame, [left, front], HALF, |_| true))
            .collect();
        // Where a disc ends, its outline goes through half a voxel.
        let usual = median(heights.iter().copied().filter(|height| *height > 0.5).collect())?;
        let inside = heights.iter().filter(|height| **height > 0.4 * usual).count();
        let area = heights.iter().sum::<f64>() * STEP;
        let depth = inside as f64 * STEP;
        (depth > 5.0).then(|| (area / depth, depth))
    });
    let (heights, depths): (Vec<f64>, Vec<f64>) = sizes.unzip();
    Some((median(heights)?, median(depths)?))
}

/// The body above a disc.
fn body(mask: &Mask, column: &Column, place: usize) -> BodyMeasures {
    /// How far inside of its front and back its heights are measured, as a share of its depth.
    const INSIDE: f64 = 0.12;
    let Some(above) = place.checked_sub(1) else { return BodyMeasures::default() };
    let (above, below) = (&column.discs[above], &column.discs[place]);
    let middle = (above.along + below.along) / 2.0;
    let frame = column.curve.frame(middle);
    let behind = column.canal.as_ref().map(|canal| {
        let centre = canal.curve.at(canal.curve.nearest(frame.at));
        frame.offsets(centre)[0]
    });
    // Where the canal ends high, its curve goes on but says nothing.
    let frame = frame.moved(behind.filter(|left| left.abs() < 10.0).unwrap_or(0.0));
    let half = (below.along - above.along) / 2.0;
    let over_lines = |of: &dyn Fn(f64) -> Option<f64>| {
        median(BESIDE.iter().filter_map(|&left| of(left)).collect())
    };
    let back_edge = over_lines(&|left| edge(mask, &frame, left, 0.0, -1.0));
    let front_edge = over_lines(&|left| edge(mask, &frame, left, 0.0, 1.0));
    let Some((back, front)) = back_edge.zip(front_edge).filter(|(back, front)| front > back) else {
        return BodyMeasures::default();
    };
    let depth = front - back;
    // Only this body is between the planes of its discs.
    let between = |at: Lps| above.below(at) > 0.0 && below.below(at) < 0.0;
    let height = |share: f64| {
        let front = back + share * depth;
        over_lines(&|left| {
            let reach = half + 6.0;
            let height = height(mask, Tissue::Vertebra, &frame, [left, front], reach, between);
            (height > 4.0).then_some(height)
        })
    };
    BodyMeasures {
        centre: Some(frame.place(0.0, (front + back) / 2.0, 0.0)),
        front: height(1.0 - INSIDE),
        middle: height(0.5),
        back: height(INSIDE),
        depth: Some(depth),
    }
}

/// How far the body above a disc is before the body below: both back walls are drawn on to the middle
/// of the disc.
fn listhesis(mask: &Mask, frame: &Frame, height: f64) -> Option<f64> {
    const FROM: f64 = 3.0;
    const COUNT: i64 = 6;
    let wall = |side: f64| {
        let points: Vec<(f64, f64)> = (0..COUNT)
            .filter_map(|step| {
                let down = side * (height / 2.0 + FROM + step as f64 * 1.5);
                let edges = BESIDE.iter().filter_map(|&left| edge(mask, frame, left, down, -1.0));
                Some((down, median(edges.collect())?))
            })
            .collect();
        if points.len() < 4 { None } else { at_zero(&points) }
    };
    Some(wall(-1.0)? - wall(1.0)?)
}

/// Where vertebra ends to the front (1) or to the back (-1) of the axis of a frame, in mm; none where
/// there is none on the axis.
fn edge(mask: &Mask, frame: &Frame, left: f64, down: f64, towards: f64) -> Option<f64> {
    const FARTHEST: f64 = 35.0;
    /// Vessels in a body are no edge of it.
    const GAP: f64 = 2.0;
    let value = |front: f64| share(mask, Tissue::Vertebra, frame.place(left, front, down));
    if value(0.0) < 0.5 {
        return None;
    }
    let (mut last, mut at, mut before) = (0.0, 0.0, 1.0);
    while at < FARTHEST && at - last <= GAP {
        at += STEP;
        let now = value(towards * at);
        if now >= 0.5 {
            last = at;
        } else if before >= 0.5 {
            // Between two samples, where half of it is vertebra.
            last = at - STEP + STEP * (before - 0.5) / (before - now);
        }
        before = now;
    }
    (at < FARTHEST).then_some(towards * last)
}

/// The value at 0 of the line through most points (Theil 1950, Sen 1968).
fn at_zero(points: &[(f64, f64)]) -> Option<f64> {
    let pairs = points.iter().enumerate().flat_map(|(place, one)| {
        points[place + 1..].iter().map(move |other| (other.1 - one.1) / (other.0 - one.0))
    });
    let slope = median(pairs.collect())?;
    median(points.iter().map(|point| point.1 - slope * point.0).collect())
}

/// How much of a tissue there is, in mm, on the line through a place of a frame's plane that is normal
/// to it, up to `reach` mm above and below and where `counts`.
fn height(
    mask: &Mask,
    tissue: Tissue,
    frame: &Frame,
    [left, front]: [f64; 2],
    reach: f64,
    counts: impl Fn(Lps) -> bool,
) -> f64 {
    let places = steps(reach).map(|down| frame.place(left, front, down));
    places.filter(|&at| counts(at)).map(|at| share(mask, tissue, at)).sum::<f64>() * STEP
}

/// Steps from so many mm before to so many mm behind.
fn steps(reach: f64) -> impl Iterator<Item = f64> {
    (0..=(2.0 * reach / STEP) as i64).map(move |step| step as f64 * STEP - reach)
}

/// The angle between two discs in degrees, positive where they open to the front.
pub(super) fn angle(above: &Disc, below: &Disc) -> f64 {
    let cosine = dot(above.down, below.down) / (length(above.down) * length(below.down));
    let opens = dot(above.down, below.frame().front) > 0.0;
    cosine.clamp(-1.0, 1.0).acos().to_degrees() * if opens { 1.0 } else { -1.0 }
}
