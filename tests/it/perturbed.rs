//! Masks of spines with something amiss, whose levels are known.

use deepspine::imaging::spine::Column;
use deepspine::imaging::{Mask, Tissue};
use deepspine::label::Level;
use fastrand::Rng;

/// What is amiss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amiss {
    Nothing,
    BodyMissing,
    BodiesMerged,
    Fragments,
    SacrumCutOff,
    Scoliosis,
    SixthLumbarBody,
    Belly,
}

impl Amiss {
    /// All but nothing.
    pub const ALL: [Self; 7] = [
        Self::BodyMissing,
        Self::BodiesMerged,
        Self::Fragments,
        Self::SacrumCutOff,
        Self::Scoliosis,
        Self::SixthLumbarBody,
        Self::Belly,
    ];
}

/// A mask, and the middles of its discs from the lowest up, in voxels, with their true names.
#[derive(Debug, Clone)]
pub struct Spine {
    pub mask: Mask,
    pub discs: Vec<([f64; 3], Option<Level>)>,
}

/// The name of a disc of five lumbar vertebrae, counted from the lowest, 0, up.
fn usual_name(from_below: usize) -> Option<Level> {
    Level::ALL[..=Level::L5S1 as usize].iter().rev().nth(from_below).copied()
}

const SIX: [Level; 6] =
    [Level::L6S1, Level::L5L6, Level::L4L5, Level::L3L4, Level::L2L3, Level::L1L2];

impl Spine {
    /// A reference mask, whose lowest disc is L5-S1, at half its resolution in plane.
    pub fn of(mask: &Mask) -> Self {
        let mask = halved(mask);
        let column = Column::find(&mask).expect("a reference mask has a column");
        let discs = column.discs.iter().rev().enumerate();
        let discs = discs
            .map(|(from_below, disc)| (mask.geometry.to_voxel(disc.centre), usual_name(from_below)))
            .collect();
        Self { mask, discs }
    }

    /// The same spine with something amiss.
    pub fn with(&self, amiss: Amiss, random: &mut Rng) -> Self {
        match amiss {
            Amiss::Nothing => self.jittered(random),
            Amiss::BodyMissing => self.without_body(random),
            Amiss::BodiesMerged => self.merged(random),
            Amiss::Fragments => self.fragmented(random),
            Amiss::SacrumCutOff => self.cut_off(random),
            Amiss::Scoliosis => self.bent(random),
            Amiss::SixthLumbarBody => self.with_sixth(random),
            Amiss::Belly => self.with_belly(random),
        }
    }

    fn size(&self) -> [usize; 3] {
        self.mask.geometry.size
    }

    /// Changes each voxel by its place.
    fn edit(&mut self, change: impl Fn([usize; 3], u8) -> u8) {
        let [width, height, _] = self.size();
        for (place, value) in self.mask.values.iter_mut().enumerate() {
            let at = [place % width, place / width % height, place / (width * height)];
            *value = change(at, *value);
        }
    }

    /// Moved by some pixels, so that no two are the same.
    fn jittered(&self, random: &mut Rng) -> Self {
        let (x, y) = (random.i64(-12..=12), random.i64(-3..=3));
        self.resampled(
            |[i, j, k]| Some([i - x, j - y, k]),
            |[i, j, k]| [i + x as f64, j + y as f64, k],
        )
    }

    /// Each voxel from another; `moved` says where discs go.
    fn resampled(
        &self,
        from: impl Fn([i64; 3]) -> Option<[i64; 3]>,
        moved: impl Fn([f64; 3]) -> [f64; 3],
    ) -> Self {
        let mut new = self.clone();
        let size = self.size();
        new.edit(|at, _| {
            let Some(old) = from(at.map(|place| place as i64)) else { return 0 };
            let inside = (0..3).all(|axis| (0..size[axis] as i64).contains(&old[axis]));
            if inside { self.mask.at(old[0] as usize, old[1] as usize, old[2] as usize) } else { 0 }
        });
        for (centre, _) in &mut new.discs {
            *centre = moved(*centre);
        }
        new.discs.retain(|(centre, _)| (0.0..size[1] as f64).contains(&centre[1]));
        new
    }

    /// Whether a voxel lies between two discs, the lower of which is given by its place from below.
    fn between(&self, lower: usize, at: [usize; 3]) -> bool {
        let (below, above) = (self.discs[lower].0, self.discs[lower + 1].0);
        let along = [above[0] - below[0], above[1] - below[1]];
        let length = along[0].hypot(along[1]);
        let from = [at[0] as f64 - below[0], at[1] as f64 - below[1]];
        let share = (from[0] * along[0] + from[1] * along[1]) / (length * length);
        let beside = (from[0] * along[1] - from[1] * along[0]).abs() / length;
        (0.0..1.0).contains(&share) && beside < 26.0
    }

    fn without_body(&self, random: &mut Rng) -> Self {
        let lower = random.usize(..self.discs.len() - 1);
        let mut new = self.clone();
        new.edit(|at, value| {
            let gone = value == Tissue::Vertebra.number() && self.between(lower, at);
            if gone { 0 } else { value }
        });
        new
    }

    /// A disc becomes vertebra, and the gaps beside it too.
    fn merged(&self, random: &mut Rng) -> Self {
        let lost = random.usize(1..self.discs.len() - 1);
        let centre = self.discs[lost].0;
        let mut new = self.clone();
        new.edit(|at, value| {
            let near =
                (at[1] as f64 - centre[1]).abs() < 14.0 && (at[0] as f64 - centre[0]).abs() < 20.0;
            let beside_disc = near && value == 0 && self.near_disc(at);
            let is_disc = value == Tissue::Disc.number() && near;
            if is_disc || beside_disc { Tissue::Vertebra.number() } else { value }
        });
        new
    }

    fn near_disc(&self, [i, j, k]: [usize; 3]) -> bool {
        let rows = j.saturating_sub(3)..(j + 4).min(self.size()[1]);
        rows.into_iter().any(|row| self.mask.at(i, row, k) == Tissue::Disc.number())
    }

    /// Bands and blots without tissue, lost slices, blots where there is none.
    fn fragmented(&self, random: &mut Rng) -> Self {
        let mut new = self.clone();
        let [width, height, depth] = self.size();
        let bands: Vec<(usize, usize)> =
            (0..random.usize(2..6)).map(|_| (random.usize(..height), random.usize(2..7))).collect();
        let blots: Vec<([usize; 3], usize, u8)> = (0..random.usize(10..60))
            .map(|_| {
                let at = [random.usize(..width), random.usize(..height), random.usize(..depth)];
                (at, random.usize(2..9), random.u8(0..3))
            })
            .collect();
        let lost: Vec<usize> = (0..depth).filter(|_| random.f64() < 0.2).collect();
        new.edit(|[i, j, k], value| {
            let in_band = bands.iter().any(|(row, thick)| (*row..row + thick).contains(&j));
            if lost.contains(&k) || in_band && value == Tissue::Vertebra.number() {
                return 0;
            }
            let blot = blots.iter().find(|(at, radius, _)| {
                let away = [at[0].abs_diff(i), at[1].abs_diff(j), at[2].abs_diff(k)];
                away[2] <= 1 && away[0] * away[0] + away[1] * away[1] < radius * radius
            });
            match blot {
                Some((_, _, tissue)) if *tissue > 0 && value == 0 => *tissue,
                Some((_, _, 0)) => 0,
                _ => value,
            }
        });
        new
    }

    /// The image ends anywhere from L3-L4 down.
    fn cut_off(&self, random: &mut Rng) -> Self {
        let highest = self.discs[2].0[1] + 8.0;
        let end = highest + random.f64() * (self.discs[0].0[1] + 6.0 - highest);
        let rows = end as usize;
        let mut new = self.clone();
        let [width, height, depth] = self.size();
        new.mask.geometry.size = [width, rows.min(height), depth];
        new.mask.values = (0..depth)
            .flat_map(|k| self.mask.slice(k)[..width * rows.min(height)].to_vec())
            .collect();
        new.discs.retain(|(centre, _)| centre[1] < end);
        new
    }

    /// Bent to a side, in a stack that is wide enough for it.
    fn bent(&self, random: &mut Rng) -> Self {
        let [width, height, depth] = self.size();
        let aside = self.mask.geometry.spacing()[2];
        let wide = (25.0 / aside) as i64;
        let bend = (10.0 + 12.0 * random.f64()) / aside * if random.bool() { 1.0 } else { -1.0 };
        let phase = random.f64() * 2.0;
        let off =
            |row: f64| bend * ((row / height as f64 * std::f64::consts::PI * 1.2 + phase).sin());
        let mut new = self.clone();
        new.mask.geometry.size = [width, height, depth + 2 * wide as usize];
        new.mask.values = vec![0; new.mask.geometry.count()];
        new.edit(|[i, j, k], _| {
            let old = k as i64 - wide - off(j as f64).round() as i64;
            if (0..depth as i64).contains(&old) { self.mask.at(i, j, old as usize) } else { 0 }
        });
        for (centre, _) in &mut new.discs {
            centre[2] += wide as f64 + off(centre[1]);
        }
        new
    }

    /// Gut before the sacrum is taken for vertebra and disc, and the aorta for canal.
    fn with_belly(&self, random: &mut Rng) -> Self {
        let [lowest, above] = [self.discs[0].0, self.discs[1].0];
        let gut: Vec<[f64; 3]> = (0..3)
            .map(|_| {
                let before = 45.0 + 35.0 * random.f64();
                let below = -10.0 + 60.0 * random.f64();
                [lowest[0] - before, lowest[1] + below, 8.0 + 8.0 * random.f64()]
            })
            .collect();
        let aorta = 20.0 + 4.0 * random.f64();
        let mut new = self.clone();
        new.edit(|[i, j, _], value| {
            if value != 0 {
                return value;
            }
            let (i, j) = (i as f64, j as f64);
            let within =
                |share: f64| gut.iter().any(|[x, y, radius]| (i - x).hypot(j - y) < share * radius);
            let is_aorta = j < above[1] && (aorta..aorta + 6.0).contains(&(above[0] - i));
            match (within(0.5), within(1.0), is_aorta) {
                (true, ..) => Tissue::Disc.number(),
                (_, true, _) => Tissue::Vertebra.number(),
                (.., true) => Tissue::Canal.number(),
                _ => value,
            }
        });
        new
    }

    /// A lumbar body comes twice, and all above it moves up.
    fn with_sixth(&self, random: &mut Rng) -> Self {
        let lower = random.usize(1..4);
        let (below, above) = (self.discs[lower].0, self.discs[lower + 1].0);
        let (up, forth) =
            ((below[1] - above[1]).round() as i64, (below[0] - above[0]).round() as i64);
        let middle = (below[1] + above[1]) / 2.0;
        let mut new = self.resampled(
            |[i, j, k]| {
                let moves = (j as f64) < middle;
                Some(if moves { [i + forth, j + up, k] } else { [i, j, k] })
            },
            |centre| centre,
        );
        let mut discs = Vec::new();
        for (centre, _) in &self.discs {
            if centre[1] > middle {
                discs.push(*centre);
            }
            let moved = [centre[0] - forth as f64, centre[1] - up as f64, centre[2]];
            if moved[1] < middle && moved[1] > 0.0 {
                discs.push(moved);
            }
        }
        discs.sort_by(|a, b| b[1].total_cmp(&a[1]));
        let name = |from_below: usize| match from_below {
            0..6 => Some(SIX[from_below]),
            _ => usual_name(from_below - 1),
        };
        new.discs = discs.into_iter().enumerate().map(|(n, centre)| (centre, name(n))).collect();
        new
    }
}

/// Every other pixel of every slice.
fn halved(mask: &Mask) -> Mask {
    let mut geometry = mask.geometry;
    let [width, height, depth] = geometry.size;
    geometry.size = [width / 2, height / 2, depth];
    for axis in 0..2 {
        geometry.steps[axis] = geometry.steps[axis].map(|part| part * 2.0);
    }
    let mut values = Vec::with_capacity(geometry.count());
    for k in 0..depth {
        for j in 0..height / 2 {
            values.extend((0..width / 2).map(|i| mask.at(2 * i, 2 * j, k)));
        }
    }
    Mask { geometry, values }
}
