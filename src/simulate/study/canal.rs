//! The canal: the dural sac with what is in it, and what narrows it around.
//!
//! The sac of a level is a closed curve about its centre whose area is exact. What the curve leaves of
//! the canal is filled by what narrows it: disc before, flavum and facets behind and beside, fat.
//! Areas by grade are those of Schönström et al. 1984 (Spine 9:604) and 1985 (Spine 10:806): below
//! 130 mm² a canal is narrowed, below 100 narrow, below 75 severely so. How much of the sac the roots
//! take up is what Schizas et al. 2010 (Spine 35:1919) grade by: they lie at the back (A), fill it but
//! can be told apart (B), cannot be told apart (C), and no fat is left behind the sac (D). A recess is
//! 5 mm and more deep, is narrow from 3 mm on, and presses on its root below (Bartynski & Lin 2003,
//! AJNR 24:348).

use std::f64::consts::{FRAC_PI_2, PI, TAU};

use fastrand::Rng;

use super::anatomy::Vertebra;
use super::narrowing::Narrowing;
use crate::label::{StenosisType, Target};
use crate::simulate::normal;

/// A curve around a centre is given by its radii in so many directions, from the left over the back.
pub(super) const DIRECTIONS: usize = 64;

/// A closed curve around a centre, in mm.
#[derive(Debug, Clone)]
pub(super) struct Outline {
    /// The centre: to the left, and behind the vertebral bodies.
    pub centre: [f64; 2],
    pub radii: [f64; DIRECTIONS],
}

impl Outline {
    /// The radius in a direction, between those that are given in lines.
    pub fn radius(&self, angle: f64) -> f64 {
        let place = angle.rem_euclid(TAU) / TAU * DIRECTIONS as f64;
        let (low, share) = (place as usize % DIRECTIONS, place.fract());
        self.radii[low] + share * (self.radii[(low + 1) % DIRECTIONS] - self.radii[low])
    }

    /// In mm².
    pub fn area(&self) -> f64 {
        const FINE: usize = 1024;
        let step = TAU / FINE as f64;
        (0..FINE).map(|at| self.radius(at as f64 * step).powi(2) * step / 2.0).sum()
    }

    /// Makes the area this.
    fn sized(mut self, area: f64) -> Self {
        let times = (area / self.area()).sqrt();
        self.radii.iter_mut().for_each(|radius| *radius *= times);
        self
    }

    /// From the front to the back, and from the right to the left.
    pub fn extent(&self) -> [f64; 2] {
        let span = |toward: fn(f64) -> f64| {
            let ends = (0..DIRECTIONS).map(|at| {
                let angle = at as f64 * TAU / DIRECTIONS as f64;
                self.radii[at] * toward(angle)
            });
            let (least, most) =
                ends.fold((0.0f64, 0.0f64), |(least, most), end| (least.min(end), most.max(end)));
            most - least
        };
        [span(f64::sin), span(f64::cos)]
    }

    /// Between two outlines.
    pub fn between(a: &Self, b: &Self, share: f64) -> Self {
        let mix = |a: f64, b: f64| a + share * (b - a);
        Self {
            centre: [0, 1].map(|axis| mix(a.centre[axis], b.centre[axis])),
            radii: std::array::from_fn(|at| mix(a.radii[at], b.radii[at])),
        }
    }
}

/// The canal at a height: behind the bodies, in mm.
#[derive(Debug, Clone)]
pub(super) struct Section {
    pub sac: Outline,
    /// How far the disc, or what is worn off the bodies, reaches back into the canal in the middle.
    pub bulge: f64,
    /// The same beside, right and left.
    pub bulge_beside: [f64; 2],
    /// A protrusion: how far back, where, and how wide.
    pub protrusion: [f64; 3],
    /// Where the canal ends behind in the middle.
    pub back: f64,
    /// Half of its width.
    pub half_width: f64,
    /// How deep the recesses are, right and left.
    pub recess: [f64; 2],
    /// From 1, a straight back wall on each side, to 2, a round one.
    pub round: f64,
    /// How thick the flavum is.
    pub flavum: f64,
    /// How severe the canal's stenosis is.
    pub severity: f64,
}

/// The area of the dural sac in mm² at a severity, in someone of usual size.
pub(super) fn sac_area(severity: f64) -> f64 {
    // Wide canals differ much.
    const KNOTS: [(f64, f64); 6] =
        [(0.0, 225.0), (0.45, 175.0), (1.0, 130.0), (2.0, 100.0), (3.0, 75.0), (4.0, 36.0)];
    between(&KNOTS, severity)
}

/// The depth of a recess in mm at a severity.
pub(super) fn recess_depth(severity: f64) -> f64 {
    const KNOTS: [(f64, f64); 6] =
        [(0.0, 8.5), (0.5, 6.6), (1.0, 5.0), (2.0, 3.6), (3.0, 2.4), (4.0, 0.9)];
    between(&KNOTS, severity)
}

fn between(knots: &[(f64, f64)], at: f64) -> f64 {
    let last = knots[knots.len() - 1];
    let pair = knots.windows(2).find(|pair| at < pair[1].0);
    pair.map_or(last.1, |pair| {
        let share = ((at - pair[0].0) / (pair[1].0 - pair[0].0)).max(0.0);
        pair[0].1 + share * (pair[1].1 - pair[0].1)
    })
}

/// The root of a nerve, uncompressed, has this radius in mm in its recess.
pub(super) const ROOT: f64 = 1.6;

/// Between the sac and what is around it there are at least so many mm.
const AROUND: f64 = 0.7;

impl Section {
    /// The canal at a disc.
    pub fn of_disc(
        vertebra: &Vertebra,
        narrowing: &Narrowing,
        size: f64,
        front_fat: f64,
        random: &mut Rng,
    ) -> Self {
        let severity = narrowing.of_target(Target::Central);
        let causes = narrowing.causes;
        let area = sac_area(severity) * size;
        let depth = vertebra.canal_depth + if narrowing.laminectomy { 3.0 } else { 0.5 };
        let usual = (area * 4.0 / PI).sqrt();
        // Facets and flava press from the sides, short pedicles from front and back.
        let flat = 0.19 + 0.25 * causes.short_pedicles - 0.3 * causes.facets;
        let flat = (flat + 0.07 * normal(random)).clamp(0.02, 0.42);
        let half = [usual * (1.0 + flat) / 2.0, usual / (1.0 + flat) / 2.0];
        let narrow = (severity / 3.0).min(1.0);
        let side = causes.protrusion * 0.5 * narrow;
        let dent = Dent {
            behind: 0.05 + 0.35 * (causes.flavum + 0.6 * causes.facets) * narrow,
            before: side,
            at: -FRAC_PI_2 + 0.11 * narrowing.protrusion_at,
        };
        let sac = Outline { centre: [0.0; 2], radii: dent.radii(half) }.sized(area);
        let [before, behind] = [-FRAC_PI_2, FRAC_PI_2].map(|angle| sac.radius(angle));
        let lost = (depth - before - behind - 2.0 * AROUND).max(0.0);
        // A wide sac lies near the disc, and fat takes what is left behind it.
        let near = (0.6 + 2.4 * narrowing.worn).min(lost * causes.front_share());
        let from_front = near + narrow * (lost * causes.front_share() - near);
        let front = from_front.max(front_fat.min(lost * 0.8));
        let back = lost - front;
        let solid = (front - front_fat).max(0.0) * (1.0 - causes.fat);
        let thick = (0.3 + 0.55 * narrow) * (1.0 - causes.fat);
        let short = lost * causes.short_pedicles;
        let centre = [0.0, AROUND + front + before];
        let recess = [-1.0, 1.0]
            .map(|side| recess_depth(narrowing.of_side(StenosisType::Recess, side)) * size);
        let worn = 1.4 * narrowing.worn;
        Self {
            bulge: solid,
            bulge_beside: [0, 1].map(|_| 0.4 + worn * (0.5 + random.f64())),
            protrusion: [
                1.5 * solid * causes.protrusion + 2.5 * causes.protrusion * narrow,
                narrowing.protrusion_at,
                4.0,
            ],
            back: depth - back * thick - 0.4 * short,
            half_width: vertebra.canal_width / 2.0 - 0.5 - 1.0 * causes.facets * narrow,
            recess,
            round: 2.0 - 0.8 * narrow,
            flavum: 2.6 + 2.2 * narrowing.worn + 3.0 * causes.flavum * narrow,
            severity,
            sac: Outline { centre, ..sac },
        }
    }

    /// The canal behind the middle of a body, or within the sacrum.
    pub fn of_body(width: f64, depth: f64, area: f64, front_fat: f64) -> Self {
        let half = [width * 0.42, depth * 0.43];
        let round = Dent { behind: 0.06, before: 0.0, at: 0.0 };
        let sac = Outline { centre: [0.0; 2], radii: round.radii(half) }.sized(area);
        let front = sac.radius(-FRAC_PI_2);
        Self {
            bulge: 0.0,
            bulge_beside: [0.0; 2],
            protrusion: [0.0, 0.0, 4.0],
            back: depth,
            half_width: width / 2.0,
            recess: [depth * 0.62; 2],
            round: 2.0,
            flavum: 1.0,
            severity: 0.0,
            sac: Outline { centre: [0.0, AROUND + front_fat + front], ..sac },
        }
    }

    /// Between two sections.
    pub fn between(a: &Self, b: &Self, share: f64) -> Self {
        let mix = |a: f64, b: f64| a + share * (b - a);
        let pair = |a: [f64; 2], b: [f64; 2]| [mix(a[0], b[0]), mix(a[1], b[1])];
        Self {
            sac: Outline::between(&a.sac, &b.sac, share),
            bulge: mix(a.bulge, b.bulge),
            bulge_beside: pair(a.bulge_beside, b.bulge_beside),
            protrusion: std::array::from_fn(|at| mix(a.protrusion[at], b.protrusion[at])),
            back: mix(a.back, b.back),
            half_width: mix(a.half_width, b.half_width),
            recess: pair(a.recess, b.recess),
            round: mix(a.round, b.round),
            flavum: mix(a.flavum, b.flavum),
            severity: mix(a.severity, b.severity),
        }
    }

    /// How far back the disc reaches at a place to the left.
    pub fn disc_behind(&self, left: f64) -> f64 {
        let [most, at, wide] = self.protrusion;
        let beside = self.bulge_beside[usize::from(left > 0.0)];
        let share = (left.abs() / 9.0).min(1.0);
        let share = share * share;
        let off = (left - at) / wide;
        self.bulge + share * (beside - self.bulge) + most * (-off * off).exp()
    }

    /// Where the canal ends behind at a place to the left: flavum, facet or lamina.
    pub fn ends_behind(&self, left: f64) -> f64 {
        let side = usize::from(left > 0.0);
        let beside = self.bulge_beside[side] + self.recess[side];
        let share = (left.abs() / self.half_width).min(1.0);
        let share = share + (self.round - 1.0) * (share * share - share);
        self.back + share * (beside - self.back)
    }

    /// The centre of the root in the recess of a side, and its half width and half depth.
    pub fn root(&self, side: f64) -> [f64; 4] {
        let at = usize::from(side > 0.0);
        let depth = self.recess[at];
        let flat = ROOT.min(0.42 * depth).max(0.35);
        let wide = (ROOT * ROOT / flat).min(2.5);
        let floor = self.bulge_beside[at];
        let behind = floor + (0.5 * depth).min(ROOT + 0.9);
        let edge = self.sac.radius(((behind - self.sac.centre[1]) / 9.0).atan());
        let beside = (edge + wide + 0.5).max(self.half_width - 2.4).min(self.half_width - 1.0);
        [side * beside, behind, wide, flat]
    }
}

/// What presses an ellipse in.
struct Dent {
    /// From behind on both sides, as a share of the radius.
    behind: f64,
    /// From the front.
    before: f64,
    /// In which direction that is.
    at: f64,
}

impl Dent {
    fn radii(&self, half: [f64; 2]) -> [f64; DIRECTIONS] {
        std::array::from_fn(|direction| {
            let angle = direction as f64 * TAU / DIRECTIONS as f64;
            let (sine, cosine) = angle.sin_cos();
            let ellipse = 1.0 / (cosine / half[0]).hypot(sine / half[1]);
            let near = |at: f64, wide: f64| {
                let off = (angle - at + PI).rem_euclid(TAU) - PI;
                (-(off / wide).powi(2)).exp()
            };
            let behind = near(0.27 * PI, 0.5) + near(0.73 * PI, 0.5);
            ellipse * (1.0 - self.behind * behind - self.before * near(self.at, 0.6))
        })
    }
}

/// The roots in the sac: where each is as a share of the sac, uncrowded and crowded.
#[derive(Debug, Clone)]
pub(super) struct Cauda {
    roots: Vec<Strand>,
}

#[derive(Debug, Clone)]
struct Strand {
    /// Where it is as a share of the half width and half depth, lying at the back.
    lying: [f64; 2],
    /// Where it is when the sac is full.
    crowded: [f64; 2],
    /// The level that it leaves the sac above, from head to foot.
    until: usize,
    phase: f64,
}

/// A root within the sac has this radius in mm.
const STRAND: f64 = 0.62;

impl Cauda {
    /// The roots of someone with so many levels, of whom those from the third on have roots here.
    pub fn new(levels: usize, random: &mut Rng) -> Self {
        let mut roots = Vec::new();
        for until in 3..levels + 4 {
            for side in [-1.0, 1.0] {
                // Those that leave first lie aside; those of the sacrum lie in the middle.
                let aside = (1.05 - 0.17 * (until as f64 - 3.0)).max(0.08);
                for rank in 0..if until > levels { 1 } else { 2 } {
                    let rank = f64::from(rank);
                    let lying = [
                        side * (aside * 0.72 + 0.08 * random.f64()),
                        0.86 - 0.42 * aside * aside - 0.24 * rank - 0.1 * random.f64(),
                    ];
                    let angle = TAU * random.f64();
                    let radius = 0.86 * random.f64().sqrt();
                    let crowded = [radius * angle.cos(), radius * angle.sin()];
                    let crowded = [side * crowded[0].abs(), crowded[1]];
                    roots.push(Strand { lying, crowded, until, phase: TAU * random.f64() });
                }
            }
        }
        Self { roots }
    }

    /// How much of a place within the sac, given as shares of its half width and depth, is root: 0 to 1.
    pub fn at(
        &self,
        place: [f64; 2],
        half: [f64; 2],
        severity: f64,
        level: usize,
        down: f64,
    ) -> f64 {
        let crowd = ((severity - 0.35) / 1.5).clamp(0.0, 1.0);
        let mut most: f64 = 0.0;
        for root in &self.roots {
            if root.until <= level {
                continue;
            }
            let mix =
                |axis: usize| root.lying[axis] + crowd * (root.crowded[axis] - root.lying[axis]);
            let wander = 0.05 * (down * 0.11 + root.phase).sin();
            let off =
                [(place[0] - mix(0) - wander) * half[0], (place[1] - mix(1) - wander) * half[1]];
            let away = (off[0] * off[0] + off[1] * off[1]).sqrt();
            most = most.max(((STRAND + 0.25 - away) / 0.5).clamp(0.0, 1.0));
        }
        // No fluid is left between roots that cannot be told apart.
        let full = ((severity - 1.6) / 1.6).clamp(0.0, 0.85);
        most.max(full)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outline_has_the_area_that_it_was_given() {
        let dent = Dent { behind: 0.3, before: 0.2, at: -1.2 };
        let outline = Outline { centre: [0.0; 2], radii: dent.radii([9.0, 6.0]) }.sized(88.0);
        assert!((outline.area() - 88.0).abs() < 1e-6);
        let [depth, width] = outline.extent();
        assert!(width > depth && depth > 5.0, "{depth} {width}");
    }

    #[test]
    fn severity_narrows_without_a_step() {
        for of in [sac_area, recess_depth] {
            let all: Vec<f64> = (0..400).map(|at| of(f64::from(at) / 100.0)).collect();
            assert!(all.windows(2).all(|pair| pair[0] > pair[1] && pair[0] - pair[1] < 2.0));
        }
        assert_eq!([1.0, 2.0, 3.0].map(sac_area), [130.0, 100.0, 75.0]);
    }
}
