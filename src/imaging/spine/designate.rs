//! What the levels are called: from the sacrum up, with how sure that is.
//!
//! A mask does not say where the sacrum is: it is background. So each way to name the lowest disc is
//! weighed: by what is seen below it, and by how well the column then looks like columns do, level by
//! level.

use serde::Serialize;

use super::column::{Column, Disc};
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

/// The lowest disc is nearly never higher than so many discs above L5-S1.
const HIGHEST: i32 = 4;
/// The share of people who have six or four lumbar vertebrae, as a transitional one shows on lumbar
/// images: of 418, eight had a sacralized L5 and four a lumbarized S1 (Tins and Balain 2016). Another 32
/// had one vertebra more or less than usual without any sign of it; no name accounts for that.
const TRANSITIONAL: f64 = 0.02;
/// A transitional spine that is more probable than this is told of.
const TOLD: f64 = 0.2;
/// Ways that are less probable than this are not listed.
const LEAST: f64 = 0.005;
/// With less of image than this below the lowest structure, in mm, the sacrum is out of view.
const SACRUM: f64 = 15.0;
/// More vertebra than this below the lowest disc, in mm, is a vertebra.
const VERTEBRA: f64 = 8.0;

impl Naming {
    /// A naming with less confidence asks for a person. If 0.9 were asked for, more than 2 % of reference
    /// masks would need one.
    pub const SURE: f64 = 0.88;

    /// Names a column.
    pub fn of(column: &Column, measures: &Measures) -> Self {
        let (mut doubts, unsure) = structural(column);
        let view = View::of(column);
        doubts.extend(view.doubt(column));
        let mut ways = Way::all();
        weigh(&mut ways, |way| {
            view.prior(way.lowest).ln() + way.prior().ln() + fit(column, measures, way)
        });
        let best = ways[0];
        for way in ways.iter().filter(|way| way.lumbar != 5 && way.probability > TOLD) {
            let Way { lumbar, probability, .. } = *way;
            doubts.push(Doubt::Transitional { lumbar, probability });
        }
        let count = column.discs.len();
        let mut confidence = best.probability;
        let mut levels: Vec<Named> = (0..count)
            .map(|from_below| {
                confidence *= 1.0 - unsure[from_below];
                Named { level: best.name(from_below), confidence }
            })
            .collect();
        levels.reverse();
        let candidates = ways.iter().filter(|way| way.probability >= LEAST);
        Self { levels, candidates: candidates.filter_map(Way::candidate).collect(), doubts }
    }

    /// Whether a person should look at the names.
    pub fn needs_a_person(&self) -> bool {
        let is_unsure = |named: &Named| named.level.is_some() && named.confidence < Self::SURE;
        self.candidates.first().is_none_or(|best| best.lumbar != 5)
            || self.levels.iter().any(is_unsure)
    }
}

/// The lowest disc and the number of lumbar vertebrae of every way to name a column.
pub fn ways() -> impl Iterator<Item = (Level, u8)> {
    Way::all().into_iter().filter_map(|way| Some((way.name(0)?, way.lumbar)))
}

/// What discs are called, from the lowest up, where the lowest is called so and there are so many
/// lumbar vertebrae; none where no column is like that.
pub fn names(lowest: Level, lumbar: u8, discs: usize) -> Option<Vec<Option<Level>>> {
    let is_meant = |way: &Way| way.lumbar == lumbar && way.name(0) == Some(lowest);
    let way = Way::all().into_iter().find(is_meant)?;
    Some((0..discs).map(|from_below| way.name(from_below)).collect())
}

/// A way to name a column, by numbers.
#[derive(Debug, Clone, Copy)]
struct Way {
    /// Its lowest disc, counted from the usual lowest one, 0, up.
    lowest: i32,
    lumbar: u8,
    probability: f64,
}

impl Way {
    fn all() -> Vec<Self> {
        let of =
            |lumbar| (-1..=HIGHEST).map(move |lowest| Self { lowest, lumbar, probability: 0.0 });
        let all = [5, 6, 4].into_iter().flat_map(of);
        all.filter(|way| way.name(0).is_some()).collect()
    }

    /// How probable it is that a person has so many lumbar vertebrae.
    fn prior(&self) -> f64 {
        if self.lumbar == 5 { 1.0 - 2.0 * TRANSITIONAL } else { TRANSITIONAL }
    }

    /// The name of a disc that is counted from the lowest, 0, up.
    fn name(&self, from_below: usize) -> Option<Level> {
        let from_usual = self.lowest + from_below as i32;
        let above = match (self.lumbar, from_usual) {
            (5, -1) => return Some(Level::S1S2),
            (6, 0) => return Some(Level::L6S1),
            (6, 1) => return Some(Level::L5L6),
            (6, _) => from_usual - 1,
            // The fifth is part of the sacrum.
            (4, 0..) => from_usual + 1,
            _ => from_usual,
        };
        // Levels are in the order from head to foot.
        let place = (Level::L5S1 as usize).checked_sub(usize::try_from(above).ok()?)?;
        Some(Level::ALL[place])
    }

    fn candidate(&self) -> Option<Candidate> {
        let Self { lumbar, probability, .. } = *self;
        Some(Candidate { lowest: self.name(0)?, lumbar, probability })
    }
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
    /// With a smaller one than this a body is not whole.
    const WHOLE_BODY: f64 = 0.7;
    /// How many times the usual distance discs may be apart.
    const USUAL: std::ops::Range<f64> = 0.6..1.27;
    /// How probably what is odd, but seen, was counted wrongly, and what may be none or two.
    const ODD: f64 = 0.03;
    const OPEN: f64 = 0.2;
    let count = column.discs.len();
    let (mut doubts, mut unsure) = (Vec::new(), vec![0.0; count]);
    for (from_below, disc) in column.discs.iter().rev().enumerate() {
        let number = from_below + 1;
        if disc.seen <= 0.0 {
            doubts.push(Doubt::DiscInferred { from_below: number });
            unsure[from_below] += ODD;
        }
        let Some(above) = (count - number).checked_sub(1) else { continue };
        if disc.body_above < Disc::NO_BODY {
            doubts.push(Doubt::BodyMissing { from_below: number });
            match from_below {
                // Below a gap at the end, the lowest disc may be none.
                0 => unsure[0] += OPEN,
                _ => unsure[number] += ODD,
            }
        }
        let times = (disc.along - column.discs[above].along) / column.pitch;
        if !USUAL.contains(&times) {
            doubts.push(Doubt::Spacing { from_below: number, times });
            // A fractured body is seen.
            let is_open = disc.body_above < WHOLE_BODY || times > 1.0;
            unsure[number] += if is_open { OPEN } else { ODD };
        }
    }
    (doubts, unsure)
}

/// How well a column looks like one that is named so: the logarithm of a likelihood.
fn fit(column: &Column, measures: &Measures, way: &Way) -> f64 {
    let count = column.discs.len();
    let mut sum = 0.0;
    for from_below in 0..count.saturating_sub(1) {
        let place = count - 1 - from_below;
        let norm = norm(way.lowest + from_below as i32, way.lumbar);
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

/// Gives each way its probability, of which `logarithm` knows the logarithm but for a constant, and
/// puts the likeliest first.
fn weigh(ways: &mut [Way], logarithm: impl Fn(&Way) -> f64) {
    let logarithms: Vec<f64> = ways.iter().map(logarithm).collect();
    let most = logarithms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logarithms.iter().map(|logarithm| (logarithm - most).exp()).sum();
    for (way, logarithm) in ways.iter_mut().zip(logarithms) {
        way.probability = (logarithm - most).exp() / sum;
    }
    ways.sort_by(|a, b| b.probability.total_cmp(&a.probability));
}
