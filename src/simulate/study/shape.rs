//! The shape of a spine: what each place of the patient is made of.

use fastrand::Rng;

use super::anatomy::Anatomy;
use super::around::Around;
use super::bone::Bones;
use super::canal::{Cauda, Section};
use super::column::{Column, Part, Rung};
use super::foramen::Foramina;
use super::matter::Matter;
use super::narrowing::Narrowing;
use crate::imaging::Tissue;
use crate::imaging::geometry::Lps;

/// A spine in its body.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub column: Column,
    /// The canal behind each disc.
    pub throats: Vec<Section>,
    pub foramina: Foramina,
    /// The canal at each rung, a mm apart.
    sections: Vec<Canal>,
    bones: Bones,
    around: Around,
    cauda: Cauda,
    discs: Vec<Disc>,
    /// Where cord and sac end, as far down as that is.
    cord_end: f64,
    sac_end: f64,
}

/// The canal at a height.
#[derive(Debug, Clone)]
struct Canal {
    section: Section,
    /// The place of the nearest disc.
    disc: usize,
    /// Half of the width and of the depth of the sac.
    half: [f64; 2],
    /// Whether there is a ligament rather than a lamina behind.
    is_gap: bool,
    /// The radius beyond which nothing of the sac is.
    reach: f64,
}

/// How a disc looks.
#[derive(Debug, Clone, Copy)]
struct Disc {
    /// How far it bulges all around, in mm.
    bulge: f64,
    /// Whether its nucleus is bright: 1 down to 0.
    moist: f64,
    modic: u8,
    /// How far endplates are hollow, above and below, in mm.
    hollow: [f64; 2],
    /// How far bone is drawn out at the rims, in mm.
    lip: f64,
    /// A bright cleft in the annulus.
    fissure: bool,
}

/// What is at a place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot {
    pub matter: Matter,
    /// How far a bright nucleus is dried out, 0 to 1, or how much of a muscle is fat.
    pub shade: f64,
    /// Whether small things are near.
    pub is_fine: bool,
    /// What is part of a named vertebra or disc rather than of the sacrum or of what is above.
    pub is_named: bool,
}

/// The canal is narrowest over so many mm at least to both sides of the middle of a disc, and up to so
/// many before the disc ends; over so many more it gets as wide as elsewhere.
const NARROWEST: [f64; 2] = [2.4, 1.5];
const WIDENS: f64 = 10.0;
/// The spine is within so many mm to both sides.
const BESIDE: f64 = 62.0;
/// The depth of fat before the sac at the lowest disc.
const FRONT_FAT: f64 = 3.6;

impl Shape {
    pub fn new(anatomy: &Anatomy, narrowings: &[Narrowing], metal: bool, random: &mut Rng) -> Self {
        let column = Column::new(anatomy, narrowings);
        let last = anatomy.vertebrae.len() - 1;
        let throats: Vec<Section> = narrowings
            .iter()
            .enumerate()
            .map(|(at, narrowing)| {
                let fat = if at == last { FRONT_FAT } else { 0.4 };
                let vertebra = &anatomy.vertebrae[at];
                Section::of_disc(vertebra, narrowing, anatomy.size, fat, random)
            })
            .collect();
        let discs = narrowings.iter().enumerate().map(|(at, n)| Disc::of(n, at, random)).collect();
        let conus = anatomy.levels.iter().position(|l| *l == crate::label::Level::L1L2);
        let cord_end = column.discs[conus.unwrap_or(3)].middle() + anatomy.conus;
        let sac_end = column.sacrum[1].middle() + 8.0 * (random.f64() - 0.5);
        let mut shape = Self {
            foramina: Foramina::new(&column, anatomy, narrowings, random),
            bones: Bones::new(&column, anatomy, narrowings, metal, random),
            around: Around::new(&column, anatomy, random),
            cauda: Cauda::new(anatomy.levels.len(), random),
            sections: Vec::new(),
            column,
            throats,
            discs,
            cord_end,
            sac_end,
        };
        let bodies: Vec<Section> = (0..=last + 3).map(|at| behind_body(at, anatomy)).collect();
        let length = shape.column.sacrum[4].bottom as usize + 20;
        shape.sections = (0..length * 2).map(|at| shape.canal(at as f64 / 2.0, &bodies)).collect();
        shape
    }

    /// The canal so far down.
    fn canal(&self, down: f64, bodies: &[Section]) -> Canal {
        let away = |disc: usize| (down - self.column.discs[disc].middle()).abs();
        let disc = (0..self.throats.len()).min_by(|&a, &b| away(a).total_cmp(&away(b)));
        let disc = disc.unwrap_or(0);
        let span = self.column.discs[disc];
        let [least, before] = NARROWEST;
        let narrowest = (span.height() / 2.0 - before).max(least);
        let open = ((away(disc) - narrowest) / WIDENS).clamp(0.0, 1.0);
        let open = open * open * (3.0 - 2.0 * open);
        // Behind which body it is, counted on into the sacrum.
        let sacral = self.column.sacrum.iter().filter(|part| part.top <= down).count();
        let body = match sacral {
            0 => disc + usize::from(down > span.middle()),
            below => self.throats.len() + below - 1,
        };
        let mut section =
            Section::between(&self.throats[disc], &bodies[body.min(bodies.len() - 1)], open);
        let left = ((self.sac_end - down) / 22.0).clamp(0.0, 1.0).sqrt();
        section.sac.radii.iter_mut().for_each(|radius| *radius *= left);
        let [depth, width] = section.sac.extent();
        let lamina = self.bones.has_lamina(down);
        let reach = section.sac.radii.iter().copied().fold(0.0, f64::max) + 0.7;
        Canal { section, disc, half: [width / 2.0, depth / 2.0], is_gap: !lamina, reach }
    }

    /// What is at a place.
    pub fn at(&self, patient: Lps) -> Spot {
        let offsets = self.column.offsets(patient);
        let [down, left, front] = offsets;
        let rung = self.column.rung(down);
        self.of_spine(offsets, rung).unwrap_or_else(|| {
            let spot = self.around.at(patient, offsets, rung, &self.bones);
            let is_near = left.abs() < BESIDE && front < rung.half_depth + 8.0 && front > -70.0;
            Spot { is_fine: is_near, ..spot }
        })
    }

    /// What of the spine is at a place, if the place is in it.
    fn of_spine(&self, [down, left, front]: [f64; 3], rung: &Rung) -> Option<Spot> {
        if left.abs() > BESIDE || front.abs() > 90.0 {
            return None;
        }
        let is_named = down > self.column.bodies[0].top + 1.0;
        let spot = |matter| Spot { matter, shade: 0.0, is_fine: true, is_named };
        if let Some(matter) = self.inside_canal(down, left, front - rung.canal_shift, rung) {
            return Some(spot(matter));
        }
        let ahead = front - rung.shift;
        if let Some((matter, shade, is_named)) = self.in_column(down, left, ahead, rung) {
            return Some(Spot { shade, is_named, ..spot(matter) });
        }
        let back = -ahead - rung.half_depth;
        let bone = || self.bones.at(down, left, back, rung);
        self.foramina.at(down, left, back, rung).or_else(bone).map(spot)
    }

    /// What a perfect segmenter would call a place.
    pub fn tissue(&self, patient: Lps) -> Tissue {
        let offsets = self.column.offsets(patient);
        let [down, left, front] = offsets;
        let rung = self.column.rung(down);
        let Some(spot) = self.of_spine(offsets, rung) else { return Tissue::Background };
        let is_column = matches!(rung.part, Part::Body(_) | Part::Disc(_)) && spot.is_named;
        match spot.matter {
            matter if matter.is_sac() && self.is_in_sac(down, left, front, rung) => Tissue::Canal,
            matter if matter.is_disc() && is_column => Tissue::Disc,
            matter if matter.is_bone() && is_column => Tissue::Vertebra,
            _ => Tissue::Background,
        }
    }

    /// Whether a place is within the outline of the sac, rather than in a root beside it.
    fn is_in_sac(&self, down: f64, left: f64, front: f64, rung: &Rung) -> bool {
        let Some(canal) = self.sections.get((down * 2.0).round().max(0.0) as usize) else {
            return false;
        };
        let sac = &canal.section.sac;
        let back = -(front - rung.canal_shift) - rung.half_depth;
        let [l, b] = [left - sac.centre[0], back - sac.centre[1]];
        down < self.sac_end && l.hypot(b) < sac.radius(b.atan2(l))
    }

    /// What is in the canal, if the place is.
    fn inside_canal(&self, down: f64, left: f64, front: f64, rung: &Rung) -> Option<Matter> {
        let back = -front - rung.half_depth;
        if !(-3.0..27.0).contains(&back) || left.abs() > 17.0 {
            return None;
        }
        let canal = self.sections.get((down * 2.0).round().max(0.0) as usize)?;
        let section = &canal.section;
        let [l, b] = [left - section.sac.centre[0], back - section.sac.centre[1]];
        let away = (l * l + b * b).sqrt();
        if away < canal.reach && down < self.sac_end {
            let radius = section.sac.radius(b.atan2(l));
            if away < radius {
                let place = [l / canal.half[0].max(0.5), b / canal.half[1].max(0.5)];
                return Some(self.in_sac(canal, place, down));
            }
            if away < radius + 0.7 {
                return Some(Matter::Dura);
            }
        }
        self.beside_sac(canal, left, back, rung)
    }

    /// Fluid, cord and roots.
    fn in_sac(&self, canal: &Canal, place: [f64; 2], down: f64) -> Matter {
        let cord = (self.cord_end - down) / 26.0;
        if cord > 0.0 {
            // The cord lies a little to the front, and ends in a tip.
            let thick = cord.min(1.0).sqrt();
            let off = [place[0] * canal.half[0] / 4.6, (place[1] + 0.02) * canal.half[1] / 3.9];
            if off[0] * off[0] + off[1] * off[1] < thick * thick {
                return Matter::Cord;
            }
        }
        let severity = canal.section.severity;
        let level = canal.disc;
        match self.cauda.at(place, canal.half, severity, level, down) {
            share if share < 0.15 => Matter::Fluid,
            share if share < 0.45 => Matter::FewRoots,
            share if share < 0.75 => Matter::ManyRoots,
            _ => Matter::Root,
        }
    }

    /// Disc, fat, roots in recesses and flava around the sac.
    fn beside_sac(&self, canal: &Canal, left: f64, back: f64, rung: &Rung) -> Option<Matter> {
        let section = &canal.section;
        if left.abs() > section.half_width {
            return None;
        }
        let wall = -rung.hollow(left);
        let is_disc = matches!(rung.part, Part::Disc(_));
        let bulge = section.disc_behind(left) * rung.near_disc();
        if back < wall {
            return None;
        }
        if back < wall + bulge {
            // A little beyond the disc it is what bone and ligament make of it.
            return Some(if is_disc { Matter::Annulus } else { Matter::Ligament });
        }
        let end = section.ends_behind(left);
        let from_sac = {
            let [l, b] = [left - section.sac.centre[0], back - section.sac.centre[1]];
            l.hypot(b) - section.sac.radius(b.atan2(l))
        };
        if back < end || from_sac < 0.8 {
            let side = left.signum();
            let [at, behind, wide, deep] = section.root(side);
            let off = [(left - at) / wide, (back - behind) / deep];
            if off[0] * off[0] + off[1] * off[1] < 1.0 && rung.has_roots() {
                return Some(Matter::Root);
            }
            // A ligament runs down behind the bodies, and what is squeezed has no fat.
            let is_ligament = back < wall + bulge + 0.5 && left.abs() < 5.0;
            let depth = section.recess[usize::from(left > 0.0)];
            let is_squeezed = depth < 3.4 && from_sac > 0.4 * depth;
            let is_tight = section.severity > 2.6 && !self.is_fatty(canal);
            return Some(match is_ligament || is_squeezed || is_tight {
                true => Matter::Ligament,
                false => Matter::EpiduralFat,
            });
        }
        let thick = if canal.is_gap { section.flavum } else { 0.9 };
        // In the middle the flava meet, and fat is before their seam.
        (back < end + thick && canal.is_gap).then_some(Matter::Ligament)
    }

    fn is_fatty(&self, canal: &Canal) -> bool {
        canal.section.bulge < 0.5 && canal.section.sac.centre[1] > 9.0
    }

    /// Bodies, discs and sacrum: the matter, how dried out it is, and whether it has a name.
    fn in_column(
        &self,
        down: f64,
        left: f64,
        ahead: f64,
        rung: &Rung,
    ) -> Option<(Matter, f64, bool)> {
        let [u, v] = [left / rung.half_width, ahead / rung.half_depth];
        let hollow = if v < 0.0 { rung.hollow(left) / rung.half_depth } else { 0.0 };
        // Round before, flatter behind.
        let v = v - hollow;
        let out = match v > 0.0 {
            true => u * u + v * v,
            false => (u * u * u * u + v * v * v * v).sqrt(),
        };
        if out > 1.45 {
            return None;
        }
        let radius = out.sqrt();
        let to_rim = (1.0 - radius) * rung.half_depth;
        match rung.part {
            Part::Body(at) => {
                let above = at.checked_sub(1).map(|above| &self.discs[above]);
                let of_body = self.body(above, &self.discs[at], out, to_rim, [left, v], rung);
                of_body.map(|(matter, shade)| (matter, shade, true))
            }
            Part::Disc(at) => {
                let disc = &self.discs[at];
                (to_rim > -disc.bulge).then(|| {
                    // The endplates are hollow.
                    let dome = dome(out);
                    let [above, below] = [disc.hollow[1] * dome, disc.hollow[0] * dome];
                    let near = (rung.above + above).min(rung.below + below);
                    let (matter, shade) = disc.at(near, radius, to_rim, v);
                    (matter, shade, true)
                })
            }
            Part::Sacral(at) => {
                let top = if at == 0 { Some(&self.discs[self.discs.len() - 1]) } else { None };
                let bone = sacral(top, left, v, out, to_rim, rung);
                bone.map(|(matter, shade)| (matter, shade, false))
            }
            Part::SacralDisc(at) => {
                let matter = if at == 0 { Matter::Annulus } else { Matter::Cortex };
                (out < 1.0 && left.abs() < 20.0).then_some((matter, 0.6, false))
            }
            Part::Beyond => (out < 1.0 && down < self.column.bodies[0].top).then(|| {
                let is_disc = (self.column.bodies[0].top - down) % 25.0 < 4.5;
                (if is_disc { Matter::Annulus } else { Matter::Marrow }, 0.5, false)
            }),
        }
    }

    fn body(
        &self,
        above: Option<&Disc>,
        below: &Disc,
        out: f64,
        to_rim: f64,
        [left, v]: [f64; 2],
        rung: &Rung,
    ) -> Option<(Matter, f64)> {
        let dome = dome(out);
        let upper = rung.above - above.map_or(0.8, |disc| disc.hollow[0]) * dome;
        let lower = rung.below - below.hollow[1] * dome;
        let [lip_above, lip_below] = [above.map_or(0.0, |disc| disc.lip), below.lip];
        let lip = (lip_above * (1.0 - rung.above / 5.0)).max(lip_below * (1.0 - rung.below / 5.0));
        if to_rim < -lip.max(0.0) {
            return None;
        }
        if upper < 0.0 || lower < 0.0 {
            let disc = if upper < 0.0 { above? } else { below };
            return Some(disc.at(-upper.min(lower), out.sqrt(), to_rim, v));
        }
        let rim = (to_rim + lip.max(0.0)).min(upper).min(lower);
        if rim < 0.75 {
            return Some((Matter::Cortex, 0.0));
        }
        // The vein that leaves the body in the middle of its back.
        let middle = 0.5 * (rung.above - rung.below);
        if v < -0.35 && left.abs() < 3.5 && middle.abs() < 0.6 + 2.4 * (-v - 0.35) {
            return Some((Matter::Vein, 0.0));
        }
        let modic = [(above.map_or(0, |disc| disc.modic), upper), (below.modic, lower)];
        let worn = modic.into_iter().find(|(kind, near)| *kind > 0 && *near < 5.5 + 2.0 * v);
        Some((
            match worn {
                Some((1, _)) => Matter::Modic1,
                Some((2, _)) => Matter::Modic2,
                Some(_) => Matter::Modic3,
                None => Matter::Marrow,
            },
            0.0,
        ))
    }
}

impl Rung {
    /// How hollow the back of a body is at a place to the left, in mm.
    pub fn hollow(&self, left: f64) -> f64 {
        let share = left / 11.0;
        let deep = if matches!(self.part, Part::Body(_)) { 1.6 } else { 0.9 };
        deep * (1.0 - share * share).max(0.0)
    }

    /// 1 at a disc, less and less beyond it.
    fn near_disc(&self) -> f64 {
        match self.part {
            Part::Disc(_) => 1.0,
            Part::Body(_) => (1.0 - self.above.min(self.below) / 4.0).max(0.0),
            Part::Sacral(0) => (1.0 - self.above / 4.0).max(0.0),
            _ => 0.0,
        }
    }

    /// Whether roots lie beside the sac.
    fn has_roots(&self) -> bool {
        match self.part {
            // They leave under the pedicles, and come out of the sac above the next disc.
            Part::Body(_) => self.above < self.below * 2.0 || self.below < 7.0,
            _ => true,
        }
    }
}

/// How hollow an endplate is so far out, as a share of what it is in the middle.
fn dome(out: f64) -> f64 {
    ((1.0 - out) * 1.6).clamp(0.0, 1.0)
}

/// The sacrum: bodies in the middle, wings beside the upper ones.
fn sacral(
    disc: Option<&Disc>,
    left: f64,
    v: f64,
    out: f64,
    to_rim: f64,
    rung: &Rung,
) -> Option<(Matter, f64)> {
    let body = left.abs() < 24.0;
    let wing = (left.abs() - 24.0).max(0.0) * 0.35;
    // The wings fall off to the back and down.
    if out > 1.0 || !body && (rung.above < 1.0 + wing || v > 0.75) {
        return None;
    }
    let upper = rung.above - disc.map_or(0.0, |disc| disc.hollow[0] * dome(out));
    if upper < 0.0 {
        return disc.map(|disc| disc.at(-upper, out.sqrt(), to_rim, v));
    }
    let near = if body { upper.min(rung.below + 0.3).min(to_rim) } else { to_rim };
    Some((if near < 0.75 { Matter::Cortex } else { Matter::Marrow }, 0.0))
}

impl Disc {
    fn of(narrowing: &Narrowing, at: usize, random: &mut Rng) -> Self {
        let worn = narrowing.worn;
        let deep = 0.8 + 0.17 * at as f64;
        Self {
            bulge: 0.6 + 2.2 * worn * random.f64(),
            moist: ((0.75 - worn) / 0.6 + 0.25 * (random.f64() - 0.5)).clamp(0.0, 1.0),
            modic: narrowing.modic,
            hollow: [deep * (0.6 + 0.5 * random.f64()), deep * (0.9 + 0.7 * random.f64())],
            lip: (5.5 * (worn - 0.35)).max(0.0) * (0.5 + random.f64()),
            fissure: random.f64() < 0.16,
        }
    }

    /// What is so near to an endplate in a disc, so far out, and how dried out it is.
    fn at(&self, near: f64, radius: f64, to_rim: f64, v: f64) -> (Matter, f64) {
        if near < 0.45 && to_rim > 0.0 {
            return (Matter::Cortex, 0.0);
        }
        let dry = 1.0 - self.moist;
        if self.fissure && (-0.93..-0.84).contains(&v) && near > 1.5 {
            return (Matter::Fissure, 0.0);
        }
        match radius < 0.72 && near > 0.8 {
            true => (Matter::Nucleus, dry),
            false => (Matter::Annulus, 0.0),
        }
    }
}

/// The canal behind a body, or, beyond the last, in a segment of the sacrum.
fn behind_body(at: usize, anatomy: &Anatomy) -> Section {
    let size = anatomy.size;
    let Some(vertebra) = anatomy.vertebrae.get(at) else {
        let segment = (at - anatomy.vertebrae.len()) as f64;
        let (width, depth) = (28.0 - 4.0 * segment, 15.0 - 3.0 * segment);
        return Section::of_body(width * size, depth * size, (150.0 - 55.0 * segment) * size, 2.5);
    };
    let lumbar = at as f64 / anatomy.vertebrae.len() as f64;
    let area = (205.0 + 10.0 * (1.0 - lumbar)) * size;
    let fat = if at + 1 == anatomy.vertebrae.len() { 1.6 } else { 0.5 };
    Section::of_body(vertebra.canal_width, vertebra.canal_depth, area, fat)
}
