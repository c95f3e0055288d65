//! The column as a curve in the median plane, with what lies along it: a place in the patient becomes
//! so far down, to the left and to the front.

use std::sync::OnceLock;

use super::anatomy::{Anatomy, SACRAL_DISC, SACRUM};
use super::narrowing::Narrowing;
use crate::imaging::geometry::Lps;

/// What the column is at a height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Body(usize),
    Disc(usize),
    Sacral(usize),
    /// Between two sacral segments, the place of the upper one.
    SacralDisc(usize),
    /// Above the first vertebra, or below the sacrum.
    Beyond,
}

/// A height of the column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rung {
    pub part: Part,
    /// How far its part goes on above and below, in mm.
    pub above: f64,
    pub below: f64,
    /// Half of the depth and of the width.
    pub half_depth: f64,
    pub half_width: f64,
    /// How far to the front bones have slipped, and the canal with them.
    pub shift: f64,
    pub canal_shift: f64,
    /// How far to the left, and how steeply that changes.
    pub left: f64,
    pub lean: f64,
    /// How the bones are turned about the curve, in radians.
    pub twist: f64,
}

/// From where to where a part goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub top: f64,
    pub bottom: f64,
}

impl Span {
    pub const fn middle(&self) -> f64 {
        f64::midpoint(self.top, self.bottom)
    }

    pub const fn height(&self) -> f64 {
        self.bottom - self.top
    }
}

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub bodies: Vec<Span>,
    pub discs: Vec<Span>,
    pub sacrum: Vec<Span>,
    rungs: Vec<Rung>,
    track: Track,
    /// Made when images are.
    table: OnceLock<Table>,
}

/// Rungs are so many mm apart.
const STEP: f64 = 0.5;
/// Turns are spread over so many mm, or what lies far behind would fold.
const SPREAD: f64 = 8.0;
/// The canal slips more gently than bones, over so many mm.
const GENTLY: f64 = 16.0;
/// What is above the first vertebra, and below the sacrum, in mm.
const BEYOND: f64 = 40.0;
/// A worn disc loses this share of its height at most.
const LOST: f64 = 0.55;

impl Column {
    pub fn new(anatomy: &Anatomy, narrowings: &[Narrowing]) -> Self {
        let mut layout = Layout::default();
        layout.skip(BEYOND);
        let (mut bodies, mut discs, mut sacrum) = (Vec::new(), Vec::new(), Vec::new());
        for (vertebra, narrowing) in anatomy.vertebrae.iter().zip(narrowings) {
            bodies.push(layout.add(vertebra.height, vertebra.wedge));
            let height = vertebra.disc * (1.0 - LOST * narrowing.worn.powi(2));
            discs.push(layout.add(height, vertebra.disc_wedge * (1.0 - 0.4 * narrowing.worn)));
        }
        for [height, _, turn] in SACRUM {
            sacrum.push(layout.add(height * anatomy.size, turn));
            layout.skip(SACRAL_DISC);
        }
        layout.skip(BEYOND);
        let middle = bodies[bodies.len() - 3].middle();
        let track = Track::new(&layout, anatomy.sacral_slope, sacrum[0].top, middle);
        let mut column =
            Self { bodies, discs, sacrum, rungs: Vec::new(), track, table: OnceLock::new() };
        let count = (layout.length / STEP) as usize + 1;
        column.rungs = (0..count)
            .map(|rung| column.rung_of(rung as f64 * STEP, anatomy, narrowings))
            .collect();
        column
    }

    /// The rung at a height.
    pub fn rung(&self, down: f64) -> &Rung {
        let at = (down / STEP).round().clamp(0.0, self.rungs.len() as f64 - 1.0);
        &self.rungs[at as usize]
    }

    /// How far down, to the left and to the front a place in the patient is.
    pub fn offsets(&self, patient: Lps) -> [f64; 3] {
        let table = self.table.get_or_init(|| Table::new(&self.track));
        self.turned(table.at(patient[1], patient[2]), patient)
    }

    /// What a place in the median plane, so far down and to the front, is for one beside it.
    fn turned(&self, [down, front]: [f64; 2], patient: Lps) -> [f64; 3] {
        let rung = self.rung(down);
        let left = patient[0] - rung.left;
        let leaning = down + left * rung.lean;
        // A turned vertebra turns about the front of its canal.
        const AXIS: f64 = 18.0;
        let [across, ahead] = [left, front + AXIS];
        let twisted = [across + ahead * rung.twist, ahead - across * rung.twist - AXIS];
        [leaning, twisted[0], twisted[1]]
    }

    /// The place that lies so far down, to the left and to the front.
    pub fn place(&self, [down, left, front]: [f64; 3]) -> Lps {
        let mut at = [0.0; 3];
        let mut wanted = [down, left, front];
        // What `offsets` says of a place is wanted; it is nearly undone at once.
        for _ in 0..6 {
            at = self.straight(wanted);
            let is = self.turned(self.track.nearest(down, [at[1], at[2]]), at);
            for (axis, value) in [down, left, front].into_iter().enumerate() {
                wanted[axis] += value - is[axis];
            }
        }
        at
    }

    fn straight(&self, [down, left, front]: [f64; 3]) -> Lps {
        let [y, z] = self.track.place(down, front);
        [left + self.rung(down).left, y, z]
    }

    /// To the feet, to the left and to the front at a place.
    pub fn directions(&self, [down, left, front]: [f64; 3]) -> [Lps; 3] {
        const APART: f64 = 2.0;
        let between = |axis: usize| {
            let mut ends = [[down, left, front]; 2];
            ends[0][axis] -= APART;
            ends[1][axis] += APART;
            let [from, to] = ends.map(|end| self.place(end));
            let way = crate::imaging::geometry::minus(to, from);
            crate::imaging::geometry::direction(way).unwrap_or([0.0, 0.0, -1.0])
        };
        [between(0), between(1), between(2)]
    }

    fn rung_of(&self, down: f64, anatomy: &Anatomy, narrowings: &[Narrowing]) -> Rung {
        let part = self.part(down);
        let span = match part {
            Part::Body(at) => self.bodies[at],
            Part::Disc(at) => self.discs[at],
            Part::Sacral(at) => self.sacrum[at],
            Part::SacralDisc(at) => {
                Span { top: self.sacrum[at].bottom, bottom: self.sacrum[at].bottom + SACRAL_DISC }
            }
            Part::Beyond => Span { top: down, bottom: down },
        };
        let [depth, width] = self.size(part, down, anatomy);
        let slipped = |over: f64| {
            let slips = self.discs.iter().zip(narrowings).map(|(disc, narrowing)| {
                let over = over.max(disc.height());
                narrowing.slip * (0.5 - (down - disc.middle()) / over).clamp(0.0, 1.0)
            });
            slips.sum()
        };
        let [bend, apex, length] = anatomy.bend;
        let from_apex = self.sacrum[0].top - apex - down;
        let turn = std::f64::consts::PI * from_apex / length;
        let near = (-(from_apex / length).powi(2)).exp();
        Rung {
            part,
            above: down - span.top,
            below: span.bottom - down,
            half_depth: depth / 2.0,
            half_width: width / 2.0,
            shift: slipped(0.0),
            canal_shift: slipped(GENTLY),
            left: bend * turn.cos() * near,
            lean: bend * near * (std::f64::consts::PI * turn.sin() / length),
            twist: anatomy.twist.to_radians() * turn.cos() * near,
        }
    }

    fn part(&self, down: f64) -> Part {
        let within = |spans: &[Span]| spans.iter().position(|s| (s.top..s.bottom).contains(&down));
        if let Some(at) = within(&self.bodies) {
            Part::Body(at)
        } else if let Some(at) = within(&self.discs) {
            Part::Disc(at)
        } else if let Some(at) = within(&self.sacrum) {
            Part::Sacral(at)
        } else {
            let before = self.sacrum.iter().take_while(|span| span.bottom <= down).count();
            let is_between = (1..self.sacrum.len()).contains(&before);
            if is_between { Part::SacralDisc(before - 1) } else { Part::Beyond }
        }
    }

    /// Depth and width at a height: waisted in bodies, in lines from body to body else.
    fn size(&self, part: Part, down: f64, anatomy: &Anatomy) -> [f64; 2] {
        let sacral = |at: usize| {
            let depth = SACRUM[at][1] * anatomy.size;
            // The wings of the sacrum taper to its tip.
            [depth, (104.0 - 19.0 * at as f64) * anatomy.size]
        };
        let body = |at: usize| {
            let vertebra = &anatomy.vertebrae[at];
            [vertebra.depth, vertebra.width]
        };
        match part {
            Part::Body(at) => {
                let share = (down - self.bodies[at].top) / self.bodies[at].height();
                let waist = 1.0 - 0.13 * share * (1.0 - share);
                body(at).map(|side| side * waist)
            }
            Part::Disc(at) => {
                let share = (down - self.discs[at].top) / self.discs[at].height();
                let lower = match at + 1 < anatomy.vertebrae.len() {
                    true => body(at + 1),
                    false => [sacral(0)[0], body(at)[1]],
                };
                [0, 1].map(|side| body(at)[side] + share * (lower[side] - body(at)[side]))
            }
            Part::Sacral(at) | Part::SacralDisc(at) => {
                let next = (at + 1).min(SACRUM.len() - 1);
                let share = ((down - self.sacrum[at].top) / self.sacrum[at].height()).min(1.0);
                let (own, next) = (sacral(at), sacral(next));
                [0, 1].map(|side| own[side] + share * (next[side] - own[side]))
            }
            Part::Beyond if down < self.bodies[0].top => body(0),
            Part::Beyond => [8.0, 12.0],
        }
    }
}

/// Lengths along the column, and by how many degrees each turns it.
#[derive(Debug, Default)]
struct Layout {
    length: f64,
    turns: Vec<(f64, f64)>,
}

impl Layout {
    fn add(&mut self, length: f64, turn: f64) -> Span {
        let top = self.length;
        self.turns.push((length, turn));
        self.length += length;
        Span { top, bottom: self.length }
    }

    fn skip(&mut self, length: f64) {
        self.add(length, 0.0);
    }
}

/// The curve: at each rung its place (back, up), and its tilt.
#[derive(Debug, Clone)]
struct Track {
    places: Vec<[f64; 2]>,
    tilts: Vec<f64>,
}

impl Track {
    fn new(layout: &Layout, slope: f64, sacrum: f64, middle: f64) -> Self {
        let count = (layout.length / STEP) as usize + 2;
        let mut rates = Vec::with_capacity(count);
        for &(length, turn) in &layout.turns {
            let end = rates.len() as f64 * STEP + length;
            let until = (end / STEP).round().min(count as f64) as usize;
            rates.resize(until.max(rates.len()), turn.to_radians() / length);
        }
        rates.resize(count, 0.0);
        let rates = smooth(&smooth(&rates));
        let mut tilts = vec![0.0; count];
        for rung in 1..count {
            tilts[rung] = tilts[rung - 1] + rates[rung] * STEP;
        }
        let at_sacrum = tilts[(sacrum / STEP) as usize];
        tilts.iter_mut().for_each(|tilt| *tilt += slope.to_radians() - at_sacrum);
        let mut places = vec![[0.0; 2]; count];
        for rung in 1..count {
            let (sine, cosine) = tilts[rung].sin_cos();
            let [y, z] = places[rung - 1];
            places[rung] = [y + STEP * sine, z - STEP * cosine];
        }
        let [y, z] = places[(middle / STEP) as usize];
        places.iter_mut().for_each(|place| *place = [place[0] - y, place[1] - z]);
        Self { places, tilts }
    }

    /// Place and tilt so far down, and by how much it turns in a mm.
    fn at(&self, down: f64) -> ([f64; 2], f64, f64) {
        let last = self.tilts.len() - 2;
        let rung = (down / STEP).floor().clamp(0.0, last as f64) as usize;
        let share = down / STEP - rung as f64;
        let between = |a: f64, b: f64| a + share * (b - a);
        let [from, to] = [self.places[rung], self.places[rung + 1]];
        let place = [between(from[0], to[0]), between(from[1], to[1])];
        let turn = self.tilts[rung + 1] - self.tilts[rung];
        (place, self.tilts[rung] + share.clamp(0.0, 1.0) * turn, turn / STEP)
    }

    fn place(&self, down: f64, front: f64) -> [f64; 2] {
        let ([y, z], tilt, _) = self.at(down);
        let (sine, cosine) = tilt.sin_cos();
        [y - front * cosine, z - front * sine]
    }

    /// How far down and to the front a place is, where it is known about how far down.
    fn nearest(&self, guess: f64, [y, z]: [f64; 2]) -> [f64; 2] {
        let mut down = guess;
        let mut front = 0.0;
        for _ in 0..12 {
            let (at, tilt, turn) = self.at(down);
            let (sine, cosine) = tilt.sin_cos();
            let [back, up] = [y - at[0], z - at[1]];
            let ahead = back * sine - up * cosine;
            front = -back * cosine - up * sine;
            // Far behind a bent column planes would meet.
            down += ahead / (1.0 + turn * front).max(0.3);
            if ahead.abs() < 1e-3 {
                break;
            }
        }
        [down, front]
    }
}

/// Means over [`SPREAD`].
fn smooth(values: &[f64]) -> Vec<f64> {
    let half = (SPREAD / STEP / 2.0) as usize;
    (0..values.len())
        .map(|at| {
            let near = &values[at.saturating_sub(half)..(at + half + 1).min(values.len())];
            near.iter().sum::<f64>() / near.len() as f64
        })
        .collect()
}

/// How far down and to the front each place of the median plane is, to be looked up.
#[derive(Debug, Clone)]
struct Table {
    size: [usize; 2],
    values: Vec<[f64; 2]>,
}

impl Table {
    /// The first place, to the back and up, in mm, and the last.
    const FIRST: [f64; 2] = [-150.0, -250.0];
    const LAST: [f64; 2] = [150.0, 250.0];
    const APART: f64 = 1.5;

    fn new(track: &Track) -> Self {
        let size =
            [0, 1].map(|axis| ((Self::LAST[axis] - Self::FIRST[axis]) / Self::APART) as usize + 1);
        let place = |y: usize, z: usize| {
            [Self::FIRST[0] + y as f64 * Self::APART, Self::FIRST[1] + z as f64 * Self::APART]
        };
        let mut values = vec![[0.0; 2]; size[0] * size[1]];
        // Rows begin where the curve is, and go to both sides from there.
        let mut guess = track.tilts.len() as f64 * STEP;
        for z in 0..size[1] {
            let height = place(0, z)[1];
            while guess > 0.0 && track.at(guess).0[1] < height {
                guess -= STEP;
            }
            let on = track.at(guess).0[0];
            let start = ((on - Self::FIRST[0]) / Self::APART).clamp(0.0, size[0] as f64 - 1.0);
            let start = start as usize;
            let mut near = guess;
            for y in (0..start).rev() {
                values[z * size[0] + y] = track.nearest(near, place(y, z));
                near = values[z * size[0] + y][0];
            }
            near = guess;
            for y in start..size[0] {
                values[z * size[0] + y] = track.nearest(near, place(y, z));
                near = values[z * size[0] + y][0];
            }
        }
        Self { size, values }
    }

    fn at(&self, y: f64, z: f64) -> [f64; 2] {
        let along = |value: f64, axis: usize| {
            let last = self.size[axis] as f64 - 1.001;
            ((value - Self::FIRST[axis]) / Self::APART).clamp(0.0, last)
        };
        let (y, z) = (along(y, 0), along(z, 1));
        let (i, j) = (y as usize, z as usize);
        let (u, v) = (y - i as f64, z - j as f64);
        let row = |j: usize| {
            let [a, b] = [self.values[j * self.size[0] + i], self.values[j * self.size[0] + i + 1]];
            [a[0] + u * (b[0] - a[0]), a[1] + u * (b[1] - a[1])]
        };
        let (upper, lower) = (row(j), row(j + 1));
        [upper[0] + v * (lower[0] - upper[0]), upper[1] + v * (lower[1] - upper[1])]
    }
}
