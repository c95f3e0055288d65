//! What is around a spine: muscles, fat, great vessels, bowel, skin.

use fastrand::Rng;

use super::anatomy::Anatomy;
use super::bone::Bones;
use super::column::{Column, Part, Rung};
use super::matter::Matter;
use super::shape::Spot;
use super::texture::grain;
use crate::imaging::geometry::Lps;

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Around {
    /// How far back the muscles of the back reach at each height, [`APART`] apart from [`HIGHEST`] down.
    fascia: Vec<f64>,
    /// The fat under the skin of the back, in mm.
    fat: f64,
    /// The belly's depth before the bodies, and half of the width of the trunk.
    front: f64,
    half_width: f64,
    /// How much of the back's muscles is fat, 0 to 1.
    fatty: f64,
    size: f64,
    /// Where the aorta divides, mm below the middle of L3.
    divides: f64,
    /// Where textures begin.
    phase: f64,
}

/// The fascia is known from so far up, every so many mm.
const HIGHEST: f64 = 250.0;
const APART: f64 = 5.0;

impl Around {
    pub fn new(column: &Column, anatomy: &Anatomy, random: &mut Rng) -> Self {
        Self {
            fascia: fascia(column, anatomy.size),
            fat: anatomy.fat,
            front: 75.0 + 70.0 * random.f64(),
            half_width: 150.0 + 40.0 * random.f64(),
            fatty: random.f64() * random.f64(),
            size: anatomy.size,
            divides: 38.0 + 8.0 * (random.f64() - 0.5),
            phase: 400.0 * random.f64(),
        }
    }

    /// How far back the muscles of the back reach at a height.
    fn fascia(&self, up: f64) -> f64 {
        let at = ((HIGHEST - up) / APART).clamp(0.0, self.fascia.len() as f64 - 1.001);
        let (low, share) = (at as usize, at.fract());
        self.fascia[low] + share * (self.fascia[low + 1] - self.fascia[low])
    }

    /// What is at a place of the patient, so far down, to the left and to the front of the column.
    pub fn at(
        &self,
        patient: Lps,
        [down, left, front]: [f64; 3],
        rung: &Rung,
        bones: &Bones,
    ) -> Spot {
        let spot = |matter| Spot { matter, shade: 0.0, is_fine: false, is_named: false };
        let back = -front - rung.half_depth;
        let x = patient[0] / self.half_width;
        // The back is hollow along its middle.
        let hollow = 5.0 * (-(patient[0] / 15.0).powi(2)).exp();
        let fascia = self.fascia(patient[2]) - 26.0 * x * x - hollow * 0.4;
        let skin = fascia + self.fat - hollow;
        if patient[1] > skin || x.abs() > 1.0 || front > self.front {
            return spot(Matter::Air);
        }
        if patient[1] > fascia {
            let is_skin = patient[1] > skin - 1.6;
            return spot(if is_skin { Matter::Muscle } else { Matter::SkinFat });
        }
        if patient[1] > fascia - 1.2 {
            return spot(Matter::Ligament);
        }
        if back > -6.0
            && let Some(spot) = self.behind(fascia - patient[1], [down, left, back], rung, bones)
        {
            return spot;
        }
        spot(self.before(patient, left, front, rung))
    }

    /// Muscles of the back, and what lies between bones and them; `deep` is how far under the fascia.
    fn behind(
        &self,
        deep: f64,
        [down, left, back]: [f64; 3],
        rung: &Rung,
        bones: &Bones,
    ) -> Option<Spot> {
        let beside = left.abs();
        let spot =
            |matter, shade| Some(Spot { matter, shade, is_fine: beside < 45.0, is_named: false });
        if bones.is_open(down) && beside < 12.0 && back > 12.0 {
            return spot(Matter::Scar, 0.0);
        }
        // Between spinous processes there are ligaments with fat, before them fat of the canal.
        if beside < 2.6 && back > 12.0 {
            let fatty = if back < 22.0 { 0.95 } else { 0.62 };
            return spot(Matter::Muscle, if deep < 4.0 { 0.0 } else { fatty });
        }
        if back < 15.0 && beside < 9.0 {
            return spot(Matter::EpiduralFat, 0.0);
        }
        // The iliac bones beside the sacrum.
        if matches!(rung.part, Part::Sacral(_) | Part::SacralDisc(_)) && beside > 44.0 {
            let across = (beside - 52.0 - 0.35 * (back - 10.0)).abs();
            if across < 7.0 {
                return spot(if across > 5.6 { Matter::Cortex } else { Matter::Marrow }, 0.0);
            }
        }
        // The quadratus lumborum is before the erector spinae, which ends round to the side.
        let square = ((beside - 60.0) / 17.0).hypot((back - 2.0) / 8.0);
        let edge =
            ((beside - 20.0).max(0.0) / 58.0).powi(2) + ((back - 34.0).min(0.0) / 26.0).powi(2);
        let is_muscle = square < 1.0 || edge < 1.0 && back > 6.0 + 0.04 * beside;
        if !is_muscle {
            return None;
        }
        // Septa between multifidus, longissimus and iliocostalis.
        let bent = 2.5 * f64::from(grain([left, back, down], 16.0));
        let septum = [beside - 15.0 - 0.32 * (back - 14.0), beside - 45.0 + 0.1 * back];
        let lower = (down - 190.0).max(0.0) * 0.003;
        let fatty = (self.fatty * 0.6 + lower + (16.0 - beside).max(0.0) * 0.016).min(1.0);
        if square > 1.0 && septum.iter().any(|off| (off + bent).abs() < 0.35 + 0.9 * fatty) {
            return spot(Matter::Muscle, 0.8);
        }
        spot(Matter::Muscle, fatty)
    }

    /// Psoas, great vessels, bowel.
    fn before(&self, patient: Lps, left: f64, front: f64, rung: &Rung) -> Matter {
        let beside = left.abs();
        let below = -patient[2];
        let half = [rung.half_width, rung.half_depth];
        // The psoas grows from L1 down, and leaves the spine at the sacrum.
        let size = ((below + 95.0) / 110.0).clamp(0.0, 1.0) * 19.0 * self.size;
        if size > 2.0 {
            let aside = half[0] + size * 0.72 + (below - 70.0).max(0.0) * 0.32;
            let off = [beside - aside, front + 4.0 - (below - 40.0).max(0.0) * 0.16];
            let radius = (off[0] / size).hypot(off[1] / (size * 1.25));
            if radius < 1.0 {
                return Matter::Muscle;
            }
        }
        let ahead = front - half[1];
        // The ligament before the column follows it round.
        let round = (left / half[0]).hypot(front / half[1]);
        if front > 0.0 && (round - 1.0) * half[1] < 1.5 && beside < half[0] * 0.75 {
            return Matter::Ligament;
        }
        // Aorta to the left, vena cava to the right; both divide before L4.
        let apart = (below - self.divides).max(0.0) * 0.42;
        let vessel = |at: f64, radius: f64| {
            let off = [left - at, ahead - 3.5 - radius];
            off[0] * off[0] + off[1] * off[1] < radius * radius
        };
        let is_divided = below > self.divides;
        let thin = if is_divided { 0.62 } else { 1.0 };
        if matches!(rung.part, Part::Body(_) | Part::Disc(_) | Part::Beyond | Part::Sacral(0)) {
            let aorta = 8.2 * self.size * thin;
            let cava = 10.0 * self.size * thin;
            if vessel(6.0 + apart, aorta) || is_divided && vessel(6.0 - apart, aorta) {
                return Matter::Vessel;
            }
            if vessel(-15.0 - apart, cava) || is_divided && vessel(-15.0 + apart, cava) {
                return Matter::SlowBlood;
            }
        }
        if ahead < 24.0 {
            return Matter::Fat;
        }
        // Kidneys beside the upper levels.
        let kidney = [(beside - 64.0) / 26.0, (front + 2.0) / 21.0, (below + 45.0) / 55.0];
        let kidney = kidney.iter().map(|part| part * part).sum::<f64>();
        if kidney < 1.0 {
            return if kidney < 0.15 { Matter::Fat } else { Matter::Kidney };
        }
        if ahead < 24.0 && beside < 70.0 || beside > 0.86 * self.half_width {
            return Matter::Fat;
        }
        let [x, y, z] = patient;
        let loops = grain([x + self.phase, y, z * 0.8], 21.0);
        match loops {
            wave if wave > 0.55 => Matter::Bowel,
            wave if wave > 0.35 => Matter::Muscle,
            _ => Matter::Fat,
        }
    }
}

/// How far back the tips of spinous processes and the sacrum reach at each height, and a little more,
/// smoothed as a fascia is.
fn fascia(column: &Column, size: f64) -> Vec<f64> {
    let count = (2.0 * HIGHEST / APART) as usize;
    let mut tips: Vec<Option<f64>> = vec![None; count];
    let end = column.sacrum[4].bottom as usize;
    for down in (20..end).step_by(2) {
        let down = down as f64;
        let rung = column.rung(down);
        let below = ((down - column.sacrum[0].top) / 30.0).clamp(0.0, 1.0);
        let reach = (54.0 - 27.0 * below) * size;
        let [_, back, up] = column.place([down, 0.0, -rung.half_depth - reach]);
        let at = ((HIGHEST - up) / APART).clamp(0.0, count as f64 - 1.0) as usize;
        tips[at] = Some(tips[at].map_or(back, |tip: f64| tip.max(back)));
    }
    // Above and below what is known it goes straight on.
    let first = tips.iter().flatten().next().copied().unwrap_or(70.0);
    let mut last = first;
    let filled: Vec<f64> = tips
        .into_iter()
        .map(|tip| {
            last = tip.unwrap_or(last);
            last
        })
        .collect();
    let near = |at: usize, half: usize| {
        filled[at.saturating_sub(half)..(at + half + 1).min(count)].iter().copied()
    };
    let taut: Vec<f64> =
        (0..count).map(|at| near(at, 4).fold(f64::NEG_INFINITY, f64::max)).collect();
    (0..count)
        .map(|at| {
            let near = &taut[at.saturating_sub(7)..(at + 8).min(count)];
            4.0 + near.iter().sum::<f64>() / near.len() as f64
        })
        .collect()
}
