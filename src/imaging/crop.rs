//! Levels cut out of a study: what networks grade, and what people look at.
//!
//! A *segment* is a level with a crop of each series, on planes that hold the level's normal and its
//! AP direction (sagittal) or are normal to the one (axial). All series of a study share the
//! patient's millimetres. Sizes are those of Lu et al. 2018 (arXiv 1807.10215): 160×320×25 sagittal,
//! 360×360×8 axial.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use half::f16;
use rayon::prelude::*;

use super::geometry::{Lps, cross, direction, dot, minus};
use super::grid::{Grid, Volume};
use super::series::Kind;
use super::spine::{Canal, Column, Disc, Frame, LevelMeasures, Measures, behind};
use super::study::Study;
use super::{Geometry, median};

/// An image of a level, cut out of a series: brightness from 0, the 1st percentile of the whole
/// series, to 1, its 99th; 0 outside of the images. In memory columns are fastest, then rows, then
/// slices.
pub type Crop = Grid<f16>;

/// A level cut out of its study.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Segment {
    /// A crop of each series that shows the level.
    pub crops: BTreeMap<Kind, Crop>,
}

/// A level as it was cut out.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cut {
    /// The crops.
    pub segment: Segment,
    /// How much of the middle of each slice of each crop the images cover, 0 to 1. A series that
    /// does not show the level is among them too.
    pub covered: BTreeMap<Kind, Vec<f32>>,
}

/// How a crop lies in the patient, and how large it is.
#[derive(Debug)]
pub struct Shape {
    /// The kind of series that it is cut out of.
    pub kind: Kind,
    /// Columns, rows and slices.
    pub size: [usize; 3],
    /// The distance of columns, rows and slices in mm.
    pub spacing: [f64; 3],
    /// Where columns, rows and slices lead.
    axes: fn(&Frame) -> [Lps; 3],
}

impl Shape {
    const fn sagittal(kind: Kind) -> Self {
        // To the back, to the feet, to the left.
        let axes = |frame: &Frame| [backward(frame), frame.down, frame.left];
        Self { kind, size: [160, 320, 25], spacing: [0.5, 0.5, 2.5], axes }
    }

    const fn axial(kind: Kind) -> Self {
        // To the left, to the back, to the feet.
        let axes = |frame: &Frame| [frame.left, backward(frame), frame.down];
        Self { kind, size: [360, 360, 8], spacing: [0.4, 0.4, 3.0], axes }
    }

    /// Where the voxels of a crop are whose middle is at a frame.
    pub fn geometry(&self, frame: &Frame) -> Geometry {
        let axes = (self.axes)(frame);
        let steps = [0, 1, 2].map(|axis: usize| axes[axis].map(|part| part * self.spacing[axis]));
        let half = self.size.map(|side| -(side as f64 - 1.0) / 2.0);
        let from_middle = Geometry { size: self.size, origin: frame.at, steps };
        Geometry { origin: from_middle.to_patient(half), ..from_middle }
    }
}

fn backward(frame: &Frame) -> Lps {
    frame.front.map(|part| -part)
}

/// Every crop.
pub const SHAPES: [Shape; 3] = [
    Shape::sagittal(Kind::SagittalT2),
    Shape::sagittal(Kind::SagittalT1),
    Shape::axial(Kind::AxialT2),
];

/// The middles of the crops of all levels, from head to foot: where a disc meets the canal, with the
/// directions of the disc. Where the canal is not seen behind a disc, its curve leads anywhere: the
/// middle is as far behind the back of the disc as at other levels, or right there where the canal is
/// seen nowhere.
pub fn middles(column: &Column, measures: &Measures) -> Vec<Frame> {
    let backs = backs(column, measures);
    let at_canal = |(disc, level): (&Disc, &LevelMeasures)| {
        let canal = column.canal.as_ref().filter(|_| level.canal.is_some());
        canal.map(|canal| at_front(canal, disc))
    };
    let seen: Vec<Option<Frame>> =
        column.discs.iter().zip(&measures.levels).map(at_canal).collect();
    let from_back = |(back, at): (&Frame, &Option<Frame>)| Some(back.offsets(at.as_ref()?.at)[1]);
    let to_front = median(backs.iter().zip(&seen).filter_map(from_back).collect()).unwrap_or(0.0);
    let beside = |back: Frame| Frame { at: back.place(0.0, to_front, 0.0), ..back };
    backs.into_iter().zip(seen).map(|(back, at)| at.unwrap_or_else(|| beside(back))).collect()
}

/// Where the discs end to the back, with the directions of each.
fn backs(column: &Column, measures: &Measures) -> Vec<Frame> {
    /// The usual depth of a lumbar disc in mm, where none was measured.
    const DEPTH: f64 = 35.0;
    let depths = measures.levels.iter().map(|level| level.disc_depth);
    let usual = median(depths.clone().flatten().collect()).unwrap_or(DEPTH);
    let back = |(disc, depth): (&Disc, Option<f64>)| {
        let frame = disc.frame();
        Frame { at: frame.place(0.0, -depth.unwrap_or(usual) / 2.0, 0.0), ..frame }
    };
    column.discs.iter().zip(depths).map(back).collect()
}

/// Where a disc meets the front of the canal.
fn at_front(canal: &Canal, disc: &Disc) -> Frame {
    let frame = disc.frame();
    let centre = canal.curve.at(behind(&canal.curve, disc));
    let mut at = frame.moved(frame.offsets(centre)[0]);
    for _ in 0..4 {
        at.at = at.place(0.0, -canal.before(at.at), 0.0);
    }
    at
}

/// Volumes of a study that crops are cut out of, by kind, the largest first, each with the brightness
/// that becomes 0 and that which becomes 1.
#[derive(Debug)]
pub struct Sources<'a>(BTreeMap<Kind, Vec<Ranged<'a>>>);

/// A volume with what becomes 0 and 1.
type Ranged<'a> = (&'a Volume, [f32; 2]);

impl<'a> Sources<'a> {
    /// The volumes of a study that share their millimetres with the series of this
    /// FrameOfReferenceUID, or do not say whether they do.
    pub fn of(study: &'a Study, frame_of_reference: Option<&str>) -> Self {
        let is_wanted = |kind: Kind| SHAPES.iter().any(|shape| shape.kind == kind);
        let is_apart = |other: &str| frame_of_reference.is_some_and(|own| own != other);
        let series = study.series.par_iter().filter(|series| {
            let other = series.protocol.frame_of_reference.as_deref();
            is_wanted(series.kind) && !other.is_some_and(is_apart)
        });
        let found: Vec<(Kind, Vec<Ranged<'_>>)> = series
            .map(|series| {
                let volumes = series.stacks.iter().map(|stack| &stack.volume);
                let range = range(volumes.clone());
                (series.kind, volumes.map(|volume| (volume, range)).collect())
            })
            .collect();
        let mut sources: BTreeMap<Kind, Vec<_>> = BTreeMap::new();
        for (kind, volumes) in found {
            sources.entry(kind).or_default().extend(volumes);
        }
        for volumes in sources.values_mut() {
            volumes.sort_by_key(|(volume, _)| Reverse(volume.geometry.count()));
        }
        Self(sources)
    }

    /// Cuts a level out, whose crops have their middle at a frame.
    pub fn cut(&self, frame: &Frame) -> Cut {
        let mut cut = Cut::default();
        for shape in &SHAPES {
            let Some(volumes) = self.0.get(&shape.kind) else { continue };
            let geometry = shape.geometry(frame);
            let (crop, covered) = crop(volumes, geometry);
            let shows_middle = middle_of(shape.size[2]).any(|k| covered[k] >= HALF);
            if shows_middle {
                cut.segment.crops.insert(shape.kind, crop);
            }
            cut.covered.insert(shape.kind, covered);
        }
        cut
    }
}

/// A slice of a crop is of another volume than the rest where that one covers less of it.
const HALF: f32 = 0.5;

/// The slice in the middle of so many, or both where their number is even.
fn middle_of(slices: usize) -> RangeInclusive<usize> {
    (slices - 1) / 2..=slices / 2
}

/// The 1st and 99th percentile of all voxels of a series.
fn range<'a>(volumes: impl Iterator<Item = &'a Volume>) -> [f32; 2] {
    let finite = |value: &f32| value.is_finite();
    let mut values: Vec<f32> =
        volumes.flat_map(|volume| volume.values.iter().copied().filter(finite)).collect();
    let Some(last) = values.len().checked_sub(1) else { return [0.0, 0.0] };
    [0.01, 0.99].map(|share| {
        let place = (last as f64 * share).round() as usize;
        *values.select_nth_unstable_by(place, f32::total_cmp).1
    })
}

/// A crop, and how much of the middle of each of its slices is within the images.
///
/// The volume that shows its middle best - most of it, with slices that lie as the crop's do - is
/// taken for each slice that it covers half of; for the others, whichever shows that slice best.
fn crop(volumes: &[Ranged<'_>], geometry: Geometry) -> (Crop, Vec<f32>) {
    let slices = geometry.size[2];
    let covered: Vec<Vec<f32>> = volumes
        .iter()
        .map(|(volume, _)| (0..slices).map(|k| coverage(volume, &geometry, k)).collect())
        .collect();
    let alike: Vec<f32> = volumes.iter().map(|(of, _)| alike(&of.geometry, &geometry)).collect();
    let worth = |volume: usize, k: usize| covered[volume][k] * alike[volume];
    let of_middle = |volume: usize| middle_of(slices).map(|k| worth(volume, k)).sum::<f32>();
    // Of equals the first, which is the largest.
    let best = |value: &dyn Fn(usize) -> f32| {
        let all = (0..volumes.len()).rev();
        all.max_by(|&a, &b| value(a).total_cmp(&value(b))).expect("there is a volume")
    };
    let main = best(&of_middle);
    let chosen: Vec<usize> = (0..slices)
        .map(|k| if covered[main][k] >= HALF { main } else { best(&|of| worth(of, k)) })
        .collect();
    let mut crop = Crop::filled(geometry, f16::ZERO);
    let area = geometry.size[0] * geometry.size[1];
    crop.values.par_chunks_mut(area).enumerate().for_each(|(k, out)| {
        let (volume, range) = volumes[chosen[k]];
        fill(volume, range, &geometry, k, out);
    });
    let covered = chosen.iter().enumerate().map(|(k, &of)| covered[of][k]).collect();
    (crop, covered)
}

/// How much of the middle of a slice - half of its width and height - lies within a volume.
fn coverage(volume: &Volume, geometry: &Geometry, k: usize) -> f32 {
    const SAMPLES: usize = 9;
    let at = |axis: usize, sample: usize| {
        let share = 0.25 + 0.5 * sample as f64 / (SAMPLES as f64 - 1.0);
        (geometry.size[axis] as f64 - 1.0) * share
    };
    let inside = (0..SAMPLES * SAMPLES)
        .map(|sample| [at(0, sample % SAMPLES), at(1, sample / SAMPLES), k as f64])
        .filter(|&voxel| {
            volume.geometry.holds(volume.geometry.to_voxel(geometry.to_patient(voxel)))
        })
        .count();
    inside as f32 / (SAMPLES * SAMPLES) as f32
}

/// How far the slices of two grids lie alike: the square of the cosine of the angle between them.
fn alike(a: &Geometry, b: &Geometry) -> f32 {
    let normal = |of: &Geometry| direction(cross(of.steps[0], of.steps[1]));
    let cosine = normal(a).zip(normal(b)).map_or(0.0, |(a, b)| dot(a, b));
    (cosine * cosine) as f32
}

/// Fills a slice of a crop with what a volume shows there.
fn fill(volume: &Volume, [black, white]: [f32; 2], geometry: &Geometry, k: usize, out: &mut [f16]) {
    let scale = if white > black { 1.0 / (white - black) } else { 0.0 };
    // From pixel to pixel it is always the same way in voxels.
    let voxel = |i: f64, j: f64| volume.geometry.to_voxel(geometry.to_patient([i, j, k as f64]));
    let first = voxel(0.0, 0.0);
    let (right, down) = (minus(voxel(1.0, 0.0), first), minus(voxel(0.0, 1.0), first));
    let width = geometry.size[0];
    for (j, row) in out.chunks_mut(width).enumerate() {
        let start = [0, 1, 2].map(|axis: usize| first[axis] + down[axis] * j as f64);
        for (i, out) in row.iter_mut().enumerate() {
            let at = [0, 1, 2].map(|axis: usize| start[axis] + right[axis] * i as f64);
            if let Some(value) = volume.between(at).filter(|value| value.is_finite()) {
                *out = f16::from_f32((value - black) * scale);
            }
        }
    }
}

impl Segment {
    /// The crop of a kind of series, where the study has one that shows the level.
    pub fn get(&self, kind: Kind) -> Option<&Crop> {
        self.crops.get(&kind)
    }
}
