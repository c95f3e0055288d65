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
    FourLumbarBodies,
    Belly,
}

impl Amiss {
    /// All but nothing.
    pub const ALL: [Self; 8] = [
        Self::BodyMissing,
        Self::BodiesMerged,
        Self::Fragments,
        Self::SacrumCutOff,
        Self::Scoliosis,
        Self::SixthLumbarBody,
        Self::FourLumbarBodies,
        Self::Belly,
    ];
}

/// A disc that is known.
#[derive(Debug, Clone, Copy)]
pub struct Disc {
    /// Its middle, in voxels; it may be beyond the end of the image.
    pub centre: [f64; 3],
    /// Its true name.
    pub level: Option<Level>,
    /// How many voxels of disc were around its middle before something was amiss.
    voxels: usize,
}

/// A mask and its discs from the lowest up.
#[derive(Debug, Clone)]
pub struct Spine {
    pub mask: Mask,
    pub discs: Vec<Disc>,
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
            .map(|(from_below, disc)| {
                let centre = mask.geometry.to_voxel(disc.centre);
                Disc { centre, level: usual_name(from_below), voxels: around(&mask, centre) }
            })
            .collect();
        Self { mask, discs }
    }

    /// How far a place is from a disc's middle in mm, seen from the side.
    pub fn away(&self, disc: &Disc, at: [f64; 3]) -> f64 {
        aside(&self.mask, disc.centre, at)
    }

    /// Whether the mask still has most of a disc. Where slices are lost, it has less of every disc.
    pub fn shows(&self, disc: &Disc) -> bool {
        const MOST: f64 = 0.7;
        disc.voxels > 0 && around(&self.mask, disc.centre) as f64 >= MOST * disc.voxels as f64
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
            Amiss::SixthLumbarBody => self.with_lumbar(6, random),
            Amiss::FourLumbarBodies => self.with_lumbar(4, random),
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
        for disc in &mut new.discs {
            disc.centre = moved(disc.centre);
        }
        new
    }

    /// Whether a voxel lies between two discs, the lower of which is given by its place from below.
    fn between(&self, lower: usize, at: [usize; 3]) -> bool {
        let (below, above) = (self.discs[lower].centre, self.discs[lower + 1].centre);
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
        let centre = self.discs[lost].centre;
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
        let highest = self.discs[2].centre[1] + 8.0;
        let end = highest + random.f64() * (self.discs[0].centre[1] + 6.0 - highest);
        let rows = end as usize;
        let mut new = self.clone();
        let [width, height, depth] = self.size();
        new.mask.geometry.size = [width, rows.min(height), depth];
        new.mask.values = (0..depth)
            .flat_map(|k| self.mask.slice(k)[..width * rows.min(height)].to_vec())
            .collect();
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
        for Disc { centre, .. } in &mut new.discs {
            centre[2] += wide as f64 + off(centre[1]);
        }
        new
    }

    /// Gut before the sacrum is taken for vertebra and disc, and the aorta for canal.
    fn with_belly(&self, random: &mut Rng) -> Self {
        let [lowest, above] = [self.discs[0].centre, self.discs[1].centre];
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

    /// A lumbar body comes twice, and all above it moves up; or one is taken out with its disc, and all
    /// above it moves down.
    fn with_lumbar(&self, lumbar: u8, random: &mut Rng) -> Self {
        let lower = random.usize(1..4);
        let (below, above) = (self.discs[lower].centre, self.discs[lower + 1].centre);
        let middle = (below[1] + above[1]) / 2.0;
        let times = if lumbar == 6 { 1.0 } else { -1.0 };
        let [forth, up] = [0, 1].map(|axis| (times * (below[axis] - above[axis])).round());
        let mut new = self.resampled(
            |[i, j, k]| {
                let moves = (j as f64) < middle;
                Some(if moves { [i + forth as i64, j + up as i64, k] } else { [i, j, k] })
            },
            |centre| centre,
        );
        let stays = |disc: &&Disc| disc.centre[1] > middle;
        let moved = self.discs.iter().filter_map(|disc| {
            let [x, y, z] = disc.centre;
            (y - up < middle).then_some(Disc { centre: [x - forth, y - up, z], ..*disc })
        });
        new.discs = self.discs.iter().filter(stays).copied().chain(moved).collect();
        for (from_below, disc) in new.discs.iter_mut().enumerate() {
            disc.level = match (lumbar, from_below) {
                (6, 0..6) => Some(SIX[from_below]),
                (6, _) => usual_name(from_below - 1),
                // The fifth is part of the sacrum.
                _ => usual_name(from_below + 1),
            };
        }
        new
    }
}

/// How far apart two voxels are in mm, seen from the side.
fn aside(mask: &Mask, one: [f64; 3], other: [f64; 3]) -> f64 {
    let spacing = mask.geometry.spacing();
    ((one[0] - other[0]) * spacing[0]).hypot((one[1] - other[1]) * spacing[1])
}

/// How many voxels of disc are around a place, no further than to where the next disc may be.
fn around(mask: &Mask, place: [f64; 3]) -> usize {
    const NEAR: f64 = 12.0;
    let [width, height, _] = mask.geometry.size;
    let is_near = |voxel: usize| {
        let at = [voxel % width, voxel / width % height, 0].map(|at| at as f64);
        aside(mask, at, place) < NEAR
    };
    let values = mask.values.iter().enumerate();
    values.filter(|(voxel, value)| **value == Tissue::Disc.number() && is_near(*voxel)).count()
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
