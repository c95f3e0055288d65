//! What the levels are called: from the sacrum up, with how sure that is.
//!
//! A mask does not say where the sacrum is: it is background. So each way to name the lowest disc is
//! weighed: by what is seen below it, and by how well the column then looks like columns do, level by
//! level.

use serde::Serialize;

use super::column::Column;
use super::measure::{Measures, angle};
use crate::label::Level;

/// The names of a column's levels.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Naming {
    /// The name of each disc of the column, from head to foot, and how sure it is; no name above
    /// T9-T10.
    pub levels: Vec<Named>,
    /// All ways to name it, the likeliest first.
    pub candidates: Vec<Candidate>,
    /// What makes it doubtful.
    pub doubts: Vec<Doubt>,
}

/// A level's name.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Named {
    /// The name.
    pub level: Option<Level>,
    /// How probably it is right.
    pub confidence: f64,
}

/// A way to name a column.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Candidate {
    /// The name of its lowest disc.
    pub lowest: Level,
    /// How many lumbar vertebrae there are then.
    pub lumbar: u8,
    /// How probable it is.
    pub probability: f64,
}

/// What makes a naming doubtful.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case", tag = "kind")]
#[allow(missing_docs, reason = "the messages say what each is")]
pub enum Doubt {
    #[error(
        "the image ends {image_below:.0} mm below the lowest disc; the sacrum may be out of view"
    )]
    SacrumOutOfView { image_below: f64 },
    #[error("a vertebra is seen below the lowest disc; its lower disc is not")]
    VertebraBelow,
    #[error(
        "the column looks like one with {lumbar} lumbar vertebrae (probability {probability:.2})"
    )]
    Transitional { lumbar: u8, probability: f64 },
    #[error("disc {from_below} from below is not in the mask; its place was inferred")]
    DiscInferred { from_below: usize },
    #[error("the vertebra above disc {from_below} from below is not in the mask")]
    BodyMissing { from_below: usize },
    #[error(
        "discs {from_below} and {} from below are {times:.1} times as far apart as their neighbours",
        from_below + 1
    )]
    Spacing { from_below: usize, times: f64 },
}

/// What a level usually looks like, counted from the lowest disc up. Means over the reference masks
/// of 33 subjects of SPIDER (van der Graaf et al. 2024).
struct Norm {
    /// Degrees by which it opens to the front against the disc above.
    angle: f64,
    /// The height of the body above at its front over that at its back.
    wedge: f64,
    /// Its distance to the disc above over that disc's to the next.
    pitch: f64,
    /// Its depth over that of the disc above.
    depth: f64,
}

#[rustfmt::skip]
const NORMS: [Norm; 8] = [
    Norm { angle: 17.0, wedge: 1.22, pitch: 1.02, depth: 0.95 },
    Norm { angle: 10.0, wedge: 1.06, pitch: 1.00, depth: 1.02 },
    Norm { angle:  8.0, wedge: 1.04, pitch: 1.02, depth: 1.02 },
    Norm { angle:  3.0, wedge: 0.99, pitch: 1.05, depth: 1.08 },
    Norm { angle:  1.0, wedge: 0.94, pitch: 1.09, depth: 1.06 },
    Norm { angle: -2.0, wedge: 0.92, pitch: 1.09, depth: 1.02 },
    Norm { angle: -5.0, wedge: 0.91, pitch: 1.06, depth: 1.04 },
    Norm { angle: -5.0, wedge: 0.93, pitch: 1.06, depth: 1.04 },
];
/// How much levels differ from that, in the order of a [`Norm`].
const SPREADS: [f64; 4] = [5.5, 0.10, 0.06, 0.09];
/// What one of these says is partly said by the others.
const WEIGHT: f64 = 0.8;

/// Names of discs from the lowest up, with five lumbar vertebrae.
const NAMES: [Level; 9] = [
    Level::L5S1,
    Level::L4L5,
    Level::L3L4,
    Level::L2L3,
    Level::L1L2,
    Level::T12L1,
    Level::T11T12,
    Level::T10T11,
    Level::T9T10,
];

/// The lowest disc is nearly never above this one of [`NAMES`].
const HIGHEST: i32 = 4;
/// The share of people who have six or four lumbar vertebrae.
const TRANSITIONAL: f64 = 0.02;
/// With less of image than this below the lowest structure, in mm, the sacrum is out of view.
const SACRUM: f64 = 15.0;
/// More vertebra than this below the lowest disc, in mm, is a vertebra.
const VERTEBRA: f64 = 8.0;

impl Naming {
    /// A naming with less confidence asks for a person.
    pub const SURE: f64 = 0.88;

    /// Names a column.
    pub fn of(column: &Column, measures: &Measures) -> Self {
        let (mut doubts, unsure) = structural(column);
        let view = View::of(column);
        doubts.extend(view.doubt(column));
        let mut candidates = Vec::new();
        for lumbar in [5, 6, 4] {
            for lowest in -1..=HIGHEST {
                let Some(name) = name(lowest, lumbar) else { continue };
                let usual = if lumbar == 5 { 1.0 - 2.0 * TRANSITIONAL } else { TRANSITIONAL };
                let prior = view.prior(lowest) * usual;
                let fit = fit(column, measures, lowest, lumbar);
                candidates.push((
                    lowest,
                    Candidate { lowest: name, lumbar, probability: prior.ln() + fit },
                ));
            }
        }
        normalize(&mut candidates);
        let (lowest, best) = candidates[0];
        let transitional = candidates.iter().filter(|(_, other)| other.lumbar != 5);
        for (_, other) in transitional.filter(|(_, other)| other.probability > 0.2) {
            let Candidate { lumbar, probability, .. } = *other;
            doubts.push(Doubt::Transitional { lumbar, probability });
        }
        let count = column.discs.len();
        let mut confidence = best.probability;
        let mut levels: Vec<Named> = (0..count)
            .map(|from_below| {
                confidence *= 1.0 - unsure[from_below];
                Named { level: name(lowest + from_below as i32, best.lumbar), confidence }
            })
            .collect();
        levels.reverse();
        let candidates = candidates.into_iter().map(|(_, candidate)| candidate);
        Self { levels, candidates: candidates.filter(|c| c.probability >= 0.005).collect(), doubts }
    }

    /// Whether a person should look at the names.
    pub fn needs_a_person(&self) -> bool {
        let is_unsure = |named: &Named| named.level.is_some() && named.confidence < Self::SURE;
        self.candidates.first().is_none_or(|best| best.lumbar != 5)
            || self.levels.iter().any(is_unsure)
    }
}

/// The name of a disc counted from the usual lowest one, 0, up.
fn name(from_below: i32, lumbar: u8) -> Option<Level> {
    let usual = match (lumbar, from_below) {
        (5, -1) => return Some(Level::S1S2),
        (6, 0) => return Some(Level::L6S1),
        (6, 1) => return Some(Level::L5L6),
        (6, _) => from_below - 1,
        // The fifth is part of the sacrum.
        (4, 0..) => from_below + 1,
        _ => from_below,
    };
    NAMES.get(usize::try_from(usual).ok()?).copied()
}

/// What is seen below the lowest disc.
enum View {
    /// Enough image without a vertebra: the sacrum, which is background.
    Sacrum,
    /// The image ends.
    Ends,
    /// A vertebra, and image below it: the first sacral one, or the fifth lumbar one whose disc was
    /// not found.
    Vertebra,
}

impl View {
    fn of(column: &Column) -> Self {
        let has_vertebra = column.vertebra_below >= VERTEBRA;
        let below = column.image_below - if has_vertebra { column.vertebra_below } else { 0.0 };
        match (has_vertebra, below >= SACRUM) {
            (_, false) => Self::Ends,
            (true, true) => Self::Vertebra,
            (false, true) => Self::Sacrum,
        }
    }

    fn doubt(&self, column: &Column) -> Option<Doubt> {
        match self {
            Self::Sacrum => None,
            Self::Ends => Some(Doubt::SacrumOutOfView { image_below: column.image_below }),
            Self::Vertebra => Some(Doubt::VertebraBelow),
        }
    }

    /// How probable it is before the column is looked at that the lowest disc is this one, counted from
    /// L5-S1 up.
    fn prior(&self, lowest: i32) -> f64 {
        match (self, lowest) {
            (Self::Sacrum, 0) => 0.985,
            (Self::Sacrum, 1 | -1) => 0.007,
            (Self::Sacrum, _) => 1e-5,
            (Self::Ends, 0..=3) => 0.23,
            (Self::Ends, _) => 0.04,
            (Self::Vertebra, 0) => 0.35,
            (Self::Vertebra, 1) => 0.55,
            (Self::Vertebra, _) => 0.03,
        }
    }
}

/// What in the column may have been counted wrongly, and how probably, disc by disc from below.
fn structural(column: &Column) -> (Vec<Doubt>, Vec<f64>) {
    const FEW: f64 = 0.3;
    let count = column.discs.len();
    let (mut doubts, mut unsure) = (Vec::new(), vec![0.0; count]);
    for (from_below, disc) in column.discs.iter().rev().enumerate() {
        if disc.seen <= 0.0 {
            doubts.push(Doubt::DiscInferred { from_below: from_below + 1 });
            unsure[from_below] += 0.03;
        }
        let Some(above) = (count - from_below).checked_sub(2) else { continue };
        if disc.body_above < FEW {
            doubts.push(Doubt::BodyMissing { from_below: from_below + 1 });
            // Below a gap at the end, the lowest disc may be none.
            unsure[if from_below == 0 { 0 } else { from_below + 1 }] +=
                if from_below == 0 { 0.2 } else { 0.03 };
        }
        let times = (disc.along - column.discs[above].along) / column.pitch;
        if !(0.6..1.27).contains(&times) {
            doubts.push(Doubt::Spacing { from_below: from_below + 1, times });
            // A fractured body is seen; what is not seen may be none or two.
            unsure[from_below + 1] += if disc.body_above < 0.7 || times > 1.0 { 0.2 } else { 0.03 };
        }
    }
    (doubts, unsure)
}

/// How well a column looks like one that is named so: the logarithm of a likelihood.
fn fit(column: &Column, measures: &Measures, lowest: i32, lumbar: u8) -> f64 {
    let count = column.discs.len();
    let mut sum = 0.0;
    for from_below in 0..count.saturating_sub(1) {
        let place = count - 1 - from_below;
        let norm = norm(lowest + from_below as i32, lumbar);
        let (disc, above) = (&column.discs[place], &column.discs[place - 1]);
        let is_seen = |at: usize| column.discs[at].seen > 0.0;
        let gap = disc.along - above.along;
        let next = place.checked_sub(2).map(|at| above.along - column.discs[at].along);
        let body = &measures.bodies[place];
        let depth = |at: usize| measures.levels[at].disc_depth;
        let seen = [
            (is_seen(place) && is_seen(place - 1)).then(|| angle(above, disc)),
            body.front.zip(body.back).map(|(front, back)| front / back),
            next.map(|next| gap / next),
            depth(place).zip(depth(place - 1)).map(|(own, above)| own / above),
        ];
        let usual = [norm.angle, norm.wedge, norm.pitch, norm.depth];
        for ((seen, usual), spread) in seen.into_iter().zip(usual).zip(SPREADS) {
            sum += seen.map_or(0.0, |seen| student((seen - usual) / spread));
        }
    }
    WEIGHT * sum
}

/// The logarithm of Student's density with four degrees of freedom, but for its constant: what is far
/// off, as at a fracture, says no more than what is off.
fn student(off: f64) -> f64 {
    -2.5 * (1.0 + off * off / 4.0).ln()
}

/// What a level looks like; a sixth lumbar vertebra, or the want of a fifth, is taken to be in the
/// middle.
fn norm(from_below: i32, lumbar: u8) -> &'static Norm {
    const MIDDLE: i32 = 2;
    let like = match lumbar {
        6 if from_below > MIDDLE => from_below - 1,
        4 if from_below >= MIDDLE => from_below + 1,
        _ => from_below,
    };
    &NORMS[like.clamp(0, NORMS.len() as i32 - 1) as usize]
}

/// From logarithms to probabilities, the likeliest first.
fn normalize(candidates: &mut [(i32, Candidate)]) {
    let most = candidates.iter().map(|(_, c)| c.probability).fold(f64::NEG_INFINITY, f64::max);
    for (_, candidate) in candidates.iter_mut() {
        candidate.probability = (candidate.probability - most).exp();
    }
    let sum: f64 = candidates.iter().map(|(_, candidate)| candidate.probability).sum();
    for (_, candidate) in candidates.iter_mut() {
        candidate.probability /= sum;
    }
    candidates.sort_by(|(_, a), (_, b)| b.probability.total_cmp(&a.probability));
}
