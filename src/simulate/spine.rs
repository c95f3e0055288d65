//! What a spine is like: how much each cell is narrowed, and by what.

use super::chance;
use crate::extract::Finding;
use crate::label::{Cell, Grade, Level, LevelSet, Side, StenosisType, Target};

/// A spine at one time.
#[derive(Debug, Clone)]
pub(super) struct Spine {
    /// Its lumbar levels, from top to bottom: five, or six with a further vertebra.
    pub levels: Vec<LevelState>,
    /// A level that was decompressed by an operation.
    pub operated: Option<Level>,
}

/// One level of a spine.
#[derive(Debug, Clone)]
pub(super) struct LevelState {
    pub level: Level,
    /// How narrow each target is, 0 for not at all to about 1 for severely.
    narrow: [f64; Target::ALL.len()],
    /// How worn the disc is, on the same scale.
    pub worn: f64,
    /// Whether the upper vertebra has slipped, and how far by Meyerding.
    pub slipped: Option<u8>,
    /// What is seen at its disc and joints; not known where only wear is.
    pub seen: Option<Seen>,
}

/// What is seen at a disc and its joints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub findings: Vec<Finding>,
    /// The side of what has one.
    pub side: Side,
    /// The Modic type of its endplates, 0 for none.
    pub modic: u8,
}

impl Seen {
    /// Whether words that tell of a finding are true.
    pub fn allows(&self, words: &str, finding: Finding) -> bool {
        let other = if self.side == Side::Left { "Right" } else { "Left" };
        let type_of = format!("type {}", self.modic);
        self.findings.contains(&finding)
            && !words.starts_with(other)
            && (finding != Finding::ModicChange || words.contains(&type_of))
    }
}

impl LevelState {
    /// A level whose cells have these grades, in the order of targets; none is without a degree.
    pub const fn graded(level: Level, grades: [Grade; Target::ALL.len()], worn: f64) -> Self {
        let mut narrow = [0.0; Target::ALL.len()];
        let mut at = 0;
        while at < narrow.len() {
            // In the middle of what `Spine::grade` calls so.
            narrow[at] = match grades[at] {
                Grade::Normal => 0.2,
                Grade::Mild | Grade::Present => 0.45,
                Grade::MildModerate => 0.55,
                Grade::Moderate => 0.66,
                Grade::ModerateSevere => 0.775,
                Grade::Severe => 0.95,
            };
            at += 1;
        }
        Self { level, narrow, worn, slipped: None, seen: None }
    }
}

/// How much of the wear of a spine a level takes.
fn share(level: Level) -> f64 {
    match level {
        Level::L1L2 => 0.35,
        Level::L2L3 => 0.5,
        Level::L3L4 => 0.75,
        Level::L4L5 | Level::L5L6 => 1.0,
        _ => 0.85,
    }
}

/// How easily a target narrows at a level.
fn liability(level: Level, target: Target) -> f64 {
    match (target.row().stenosis, level) {
        (StenosisType::Central, Level::L5S1 | Level::L6S1) => 0.45,
        (StenosisType::Central, _) => 0.9,
        (StenosisType::Foraminal, _) => 1.0,
        (StenosisType::Recess, _) => 0.85,
    }
}

impl Spine {
    /// The spine of someone at this age, in years.
    pub fn new(age: f64, random: &mut fastrand::Rng) -> Self {
        let wear = ((age - 20.0) / 65.0).clamp(0.05, 1.1) * (0.5 + random.f64());
        let six = chance(random, 0.015);
        let levels = if six { LevelSet::SIX_LUMBAR } else { LevelSet::LUMBAR };
        let mut spine = Self { levels: Vec::new(), operated: None };
        for level in levels.iter() {
            let worn = wear * share(level) * (0.4 + 0.8 * random.f64());
            // Both sides share a cause, and rarely are quite alike.
            let (canal, foramen, recess, lean) =
                (random.f64(), random.f64(), random.f64(), 0.5 * (random.f64() - 0.5));
            let narrow = Target::ALL.map(|target| {
                let row = target.row();
                let cause = match row.stenosis {
                    StenosisType::Central => canal,
                    StenosisType::Foraminal => foramen,
                    StenosisType::Recess => recess,
                };
                let lean = match row.side {
                    Some(Side::Left) => lean,
                    Some(Side::Right) => -lean,
                    None => 0.0,
                };
                // Most pairs of sides are called alike.
                let lean = if lean.abs() < 0.12 { 0.0 } else { lean };
                worn * (0.3 + cause + lean) * liability(level, target)
            });
            let slipped = (worn > 0.5 && chance(random, 0.18)).then(|| random.u8(1..3));
            spine.levels.push(LevelState { level, narrow, worn, slipped, seen: None });
        }
        if chance(random, 0.05) {
            spine.operated = Some(spine.levels[random.usize(1..spine.levels.len())].level);
        }
        spine
    }

    /// Lets years pass.
    pub fn progress(&mut self, years: f64, random: &mut fastrand::Rng) {
        for level in &mut self.levels {
            let more = 0.03 * years * random.f64() * share(level.level);
            level.worn += more;
            level.narrow.iter_mut().for_each(|narrow| *narrow += more);
        }
    }

    /// The grade that a radiologist would give a cell.
    pub fn grade(&self, cell: Cell) -> Grade {
        let state = self.levels.iter().find(|state| state.level == cell.level);
        let Some(state) = state else { return Grade::Normal };
        if self.operated == Some(cell.level) {
            return Grade::Normal;
        }
        match state.narrow[cell.target as usize] {
            narrow if narrow < 0.38 => Grade::Normal,
            narrow if narrow < 0.52 => Grade::Mild,
            narrow if narrow < 0.58 => Grade::MildModerate,
            narrow if narrow < 0.74 => Grade::Moderate,
            narrow if narrow < 0.81 => Grade::ModerateSevere,
            _ => Grade::Severe,
        }
    }

    /// Whether nothing at all is narrow at a level.
    pub fn is_normal(&self, level: Level) -> bool {
        Target::ALL.into_iter().all(|target| self.grade(Cell { level, target }) == Grade::Normal)
    }

    /// Whether nothing about a level is worth a word of its own.
    pub fn is_unmentioned(&self, level: Level) -> bool {
        let slipped =
            self.levels.iter().any(|state| state.level == level && state.slipped.is_some());
        self.is_normal(level) && !slipped && self.operated != Some(level)
    }

    /// Whether there is a vertebra more than usual.
    pub fn has_six(&self) -> bool {
        self.levels.len() > LevelSet::LUMBAR.iter().count()
    }
}
