//! What is behind the bodies: pedicles, facets, laminae, spinous and transverse processes.

use fastrand::Rng;

use super::anatomy::{Anatomy, Vertebra};
use super::column::{Column, Part, Rung, Span};
use super::matter::Matter;
use super::narrowing::Narrowing;
use crate::label::StenosisType;

/// The height of a pedicle as a share of its body's, and where it begins.
const PEDICLE: [f64; 2] = [0.06, 0.55];

/// From where to where the pedicles of a vertebra go; those of S1 where it has that number.
pub(super) fn pedicle(column: &Column, anatomy: &Anatomy, vertebra: usize) -> Span {
    let Some(body) = column.bodies.get(vertebra) else {
        let top = column.sacrum[0].top;
        return Span { top: top + 2.5, bottom: top + 17.0 * anatomy.size };
    };
    let top = body.top + PEDICLE[0] * body.height();
    Span { top, bottom: top + PEDICLE[1] * body.height() }
}

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Bones {
    arches: Vec<Arch>,
    /// Facet joints below each vertebra, right and left.
    joints: Vec<[Joint; 2]>,
    /// Where the sacrum begins, and where its crest ends.
    sacrum: Span,
    sacral_back: f64,
}

/// The arch of a vertebra; lengths in mm.
#[derive(Debug, Clone)]
struct Arch {
    pedicle: Span,
    lamina: Span,
    body: Span,
    canal: [f64; 2],
    pedicle_width: f64,
    /// How far the spinous process reaches, and half of its height.
    spine: [f64; 2],
    is_open: bool,
    has_metal: bool,
}

/// A facet joint.
#[derive(Debug, Clone)]
struct Joint {
    /// Its middle beside and behind, and where it is in height.
    at: [f64; 2],
    span: Span,
    /// The sine and cosine of its angle to the median plane.
    turned: [f64; 2],
    /// How thick its two bones are, and half of its length.
    thick: [f64; 2],
    long: f64,
    /// Half of its gap, and what is in it.
    gap: f64,
    is_wet: bool,
}

impl Bones {
    pub fn new(
        column: &Column,
        anatomy: &Anatomy,
        narrowings: &[Narrowing],
        metal: bool,
        random: &mut Rng,
    ) -> Self {
        let operated = |at: usize| narrowings[at].laminectomy;
        let arch = |(at, vertebra): (usize, &Vertebra)| {
            let body = column.bodies[at];
            let height = body.height();
            let is_operated = operated(at) || at > 0 && operated(at - 1);
            Arch {
                pedicle: pedicle(column, anatomy, at),
                lamina: Span {
                    top: body.top + 0.32 * height,
                    bottom: body.bottom + 0.35 * column.discs[at].height(),
                },
                body,
                canal: [vertebra.canal_width / 2.0, vertebra.canal_depth],
                pedicle_width: vertebra.pedicle,
                spine: [30.0 * anatomy.size, if at + 1 == narrowings.len() { 8.0 } else { 11.0 }],
                is_open: operated(at),
                has_metal: metal && is_operated,
            }
        };
        let joints = narrowings.iter().enumerate().map(|(at, narrowing)| {
            let vertebra = &anatomy.vertebrae[at];
            let lumbar = at as f64 / narrowings.len() as f64;
            [-1.0, 1.0].map(|side| {
                let recess = narrowing.of_side(StenosisType::Recess, side);
                let worn = (recess / 3.0).min(1.0) * 0.6 + 0.4 * narrowing.worn;
                Joint::new(vertebra, column.discs[at], lumbar, worn, random)
            })
        });
        Self {
            joints: joints.collect(),
            arches: anatomy.vertebrae.iter().enumerate().map(arch).collect(),
            sacrum: Span { top: column.sacrum[0].top, bottom: column.sacrum[4].bottom },
            sacral_back: 15.0 * anatomy.size,
        }
    }

    /// Whether a lamina is behind the canal so far down.
    pub fn has_lamina(&self, down: f64) -> bool {
        let of =
            |arch: &Arch| !arch.is_open && (arch.lamina.top..arch.lamina.bottom).contains(&down);
        down > self.sacrum.top + 8.0 || self.arches.iter().any(of)
    }

    /// Whether laminae were taken away here.
    pub fn is_open(&self, down: f64) -> bool {
        let of = |arch: &Arch| {
            arch.is_open && (arch.lamina.top - 4.0..arch.lamina.bottom + 8.0).contains(&down)
        };
        self.arches.iter().any(of)
    }

    /// The bone at a place so far behind the bodies.
    pub fn at(&self, down: f64, left: f64, back: f64, rung: &Rung) -> Option<Matter> {
        if back < -8.0 {
            return None;
        }
        let at = match rung.part {
            Part::Body(at) | Part::Disc(at) => at,
            Part::Sacral(_) | Part::SacralDisc(_) => self.arches.len(),
            Part::Beyond => 0,
        };
        let beside = left.abs();
        let side = usize::from(left > 0.0);
        for at in at.saturating_sub(1)..(at + 2).min(self.arches.len()) {
            let found = self.arches[at]
                .at(down, beside, back)
                .or_else(|| self.joints[at][side].at(down, beside, back));
            if found.is_some() {
                return found;
            }
        }
        if down > self.sacrum.top {
            return self.sacral(down, beside, back);
        }
        None
    }

    /// Behind and beside the sacral canal.
    fn sacral(&self, down: f64, beside: f64, back: f64) -> Option<Matter> {
        let below = down - self.sacrum.top;
        if down > self.sacrum.bottom - 12.0 {
            return None;
        }
        let taper = 1.0 - below / 130.0;
        let canal = self.sacral_back * taper;
        let crest = if beside < 3.0 { 7.0 } else { 0.0 };
        let behind = canal - 0.12 * beside;
        // Holes for the roots between the segments.
        let is_hole = (9.0..19.0).contains(&beside) && (below % 27.0) > 17.0;
        let is_wall = beside > 13.0 * taper && beside < 40.0 * taper && back < behind + 4.0;
        let is_roof = below > 9.0 && back > behind && back < behind + 5.0 + crest && beside < 38.0;
        if is_hole && is_wall {
            return Some(if (below % 27.0) > 20.0 { Matter::Root } else { Matter::EpiduralFat });
        }
        let edge = (back - behind).min(behind + 5.0 + crest - back);
        match (is_wall, is_roof) {
            (true, _) => Some(Matter::Marrow),
            (_, true) if edge < 1.0 => Some(Matter::Cortex),
            (_, true) => Some(Matter::Marrow),
            _ => None,
        }
    }
}

/// Bone with a rim of cortex, by how far inside a place is in mm.
fn bone(inside: f64) -> Option<Matter> {
    match inside {
        inside if inside < 0.0 => None,
        inside if inside < 0.95 => Some(Matter::Cortex),
        _ => Some(Matter::Marrow),
    }
}

/// How far inside of an ellipse a place is, in mm, about.
fn inside(off: [f64; 2], half: [f64; 2]) -> f64 {
    let radius = (off[0] / half[0]).hypot(off[1] / half[1]);
    (1.0 - radius) * half[0].min(half[1])
}

impl Arch {
    fn at(&self, down: f64, beside: f64, back: f64) -> Option<Matter> {
        let [half_canal, depth] = self.canal;
        if let Some(metal) = self.metal(down, beside, back) {
            return Some(metal);
        }
        // Pedicles.
        if back < depth * 0.75 {
            let half = [self.pedicle_width / 2.0, self.pedicle.height() / 2.0];
            let off = [beside - half_canal - half[0], down - self.pedicle.middle()];
            if let Some(bone) = bone(inside(off, half)) {
                return Some(bone);
            }
        }
        let height = self.body.height();
        let below = down - self.body.top;
        // Transverse processes.
        let from = half_canal + self.pedicle_width;
        if beside > from - 3.0 && beside < from + 20.0 {
            let off = [down - self.pedicle.middle() - 1.0, back - 8.0 - 0.12 * (beside - from)];
            let thin = 1.0 - 0.02 * (beside - from);
            if let Some(bone) = bone(inside(off, [5.0 * thin, 3.6 * thin])) {
                return Some(bone);
            }
        }
        if self.is_open {
            return None;
        }
        // From the pedicle to the lamina.
        let axis = depth + 3.4 - 0.42 * beside + 0.10 * (down - self.lamina.middle());
        if beside < half_canal + 6.0 && (self.lamina.top..self.lamina.bottom).contains(&down) {
            let ends = (down - self.lamina.top).min(self.lamina.bottom - down);
            let across = 3.3 - (back - axis).abs();
            if let Some(bone) = bone(across.min(ends).min(half_canal + 6.0 - beside)) {
                return Some(bone);
            }
        }
        // The spinous process points back and down.
        let behind = back - depth - 2.0;
        let [reach, half_height] = self.spine;
        if (0.0..reach).contains(&behind) && beside < 6.0 {
            let share = behind / reach;
            let middle = 0.72 * height + 0.22 * behind;
            let half = [half_height * (0.75 + 0.3 * share), 3.0 + 1.4 * share * share];
            let along = half[0] - (below - middle).abs();
            let ends = (reach - behind).min(along).min(half[1] - beside);
            let round = (reach - behind).min(7.0) / 7.0;
            if along > half[0] * (1.0 - (1.0 - (1.0 - round) * (1.0 - round)).sqrt()) {
                return bone(ends);
            }
        }
        None
    }

    /// Screws through the pedicles.
    fn metal(&self, down: f64, beside: f64, back: f64) -> Option<Matter> {
        if !self.has_metal || !(-24.0..26.0).contains(&back) {
            return None;
        }
        let axis = self.canal[0] + self.pedicle_width / 2.0 + 0.12 * back;
        let off = [beside - axis, down - self.pedicle.middle()];
        let away = off[0].hypot(off[1]);
        let head = if back > 12.0 { 5.0 } else { 0.0 };
        match away {
            away if away < 5.5 + head => Some(Matter::Metal),
            away if away < 7.2 + head && off[1] < 0.0 => Some(Matter::Flare),
            _ => None,
        }
    }
}

impl Joint {
    /// Joints turn from the median to the frontal plane from head to foot (Van Schaik 1985).
    fn new(vertebra: &Vertebra, disc: Span, lumbar: f64, worn: f64, random: &mut Rng) -> Self {
        let angle = (22.0 + 28.0 * lumbar + 12.0 * (random.f64() - 0.5)).to_radians();
        Self {
            at: [
                vertebra.canal_width / 2.0 + 3.2 + 1.5 * lumbar - 1.6 * worn,
                vertebra.canal_depth - 2.2,
            ],
            span: Span { top: disc.top - 10.0, bottom: disc.bottom + 8.0 },
            turned: [angle.sin(), angle.cos()],
            thick: [6.0 + 2.2 * worn, 6.5 + 2.6 * worn],
            long: 7.0 + 2.0 * worn,
            gap: 0.55 + 0.5 * random.f64() * worn,
            is_wet: random.f64() < 0.15 + 0.3 * worn,
        }
    }

    fn at(&self, down: f64, beside: f64, back: f64) -> Option<Matter> {
        if !(self.span.top..self.span.bottom).contains(&down) {
            return None;
        }
        let off = [beside - self.at[0], back - self.at[1]];
        let [sine, cosine] = self.turned;
        // Along the joint, and across it to the bone of the vertebra above, which is inside.
        let along = off[0] * sine + off[1] * cosine;
        let across = off[1] * sine - off[0] * cosine;
        if along.abs() > self.long + 0.8 {
            return None;
        }
        // Ends of the processes are round.
        let upper = (down - self.span.top).min(12.0) / 12.0;
        let lower = (self.span.bottom - down).min(12.0) / 12.0;
        let is_inner = across > 0.0;
        let end = if is_inner { lower } else { upper };
        let full = (1.0 - (1.0 - end) * (1.0 - end)).max(0.0).sqrt();
        let gap = self.gap;
        if across.abs() < gap && along.abs() < self.long && upper.min(lower) > 0.3 {
            return Some(if self.is_wet { Matter::Fluid } else { Matter::Cartilage });
        }
        let thick = self.thick[usize::from(is_inner)] * full;
        let deep = inside([along, across.abs()], [self.long + 0.8, thick.max(0.5)]);
        match across.abs() - gap {
            away if away < 1.1 && deep > 0.0 => Some(Matter::Cortex),
            _ => bone(deep),
        }
    }
}
