//! The report of a study: what is there in a radiologist's words, but for what is planted.

use fastrand::Rng;

use super::narrowing::{MODERATE_FROM, Narrowing, SEVERE_FROM, grade};
use crate::label::{Cell, Certainty, Grade, Level, Target, Verdict};
use crate::simulate::spine::{LevelState, Spine};
use crate::simulate::style::{self, Written};

/// The grades of a level, in the order of targets.
pub(super) type Grades = [Grade; Target::ALL.len()];

/// A report, and the cell of which it says what is not so.
pub(super) struct Told {
    pub written: Written,
    pub planted: Option<Cell>,
}

/// So near to where the next grade begins, in grades, a radiologist names both.
const BETWEEN: f64 = 0.1;

/// What a radiologist calls a severity: between two grades where it is between them.
pub(super) fn called(severity: f64) -> Grade {
    let near = |border: f64| (severity - border).abs() < BETWEEN;
    match severity {
        _ if near(MODERATE_FROM) => Grade::MildModerate,
        _ if near(SEVERE_FROM) => Grade::ModerateSevere,
        _ => grade(severity),
    }
}

/// Writes the report of the lumbar levels of a spine. Where something is to be planted, a cell is
/// reported at least two steps from what it is.
pub(super) fn report(levels: &[(Level, &Narrowing)], plant: bool, random: &mut Rng) -> Told {
    /// Not every way to tell a spine mentions every cell.
    const TRIES: usize = 60;
    let spine = spine(levels, None);
    if plant {
        let open: Vec<&(Level, &Narrowing)> =
            levels.iter().filter(|(_, narrowing)| !narrowing.laminectomy).collect();
        for _ in 0..TRIES {
            let (level, narrowing) = *open[random.usize(..open.len())];
            let target = Target::ALL[random.usize(..Target::ALL.len())];
            let cell = Cell { level, target };
            let wrong = far(grade(narrowing.of_target(target)), random);
            let written = style::write(&self::spine(levels, Some((cell, wrong))), random);
            let is_told = written.labels.iter().any(|label| {
                label.cell == cell
                    && label.verdict == Verdict::Graded(wrong)
                    && label.certainty == Certainty::Stated
            });
            if is_told {
                return Told { written, planted: Some(cell) };
            }
        }
    }
    Told { written: style::write(&spine, random), planted: None }
}

/// A grade that is at least two steps away.
fn far(from: Grade, random: &mut Rng) -> Grade {
    let choices = match from {
        Grade::Normal => [Grade::Moderate, Grade::Severe],
        Grade::Mild => [Grade::Severe; 2],
        Grade::Moderate => [Grade::Normal; 2],
        _ => [Grade::Normal, Grade::Mild],
    };
    choices[random.usize(..choices.len())]
}

fn spine(levels: &[(Level, &Narrowing)], wrong: Option<(Cell, Grade)>) -> Spine {
    let state = |(level, narrowing): &(Level, &Narrowing)| {
        let grades: Grades = Target::ALL.map(|target| {
            let told = called(narrowing.of_target(target));
            let cell = Cell { level: *level, target };
            wrong.filter(|(of, _)| *of == cell).map_or(told, |(_, grade)| grade)
        });
        let mut state = LevelState::graded(*level, grades, narrowing.worn);
        // A slip up to a quarter of the endplate below is of grade 1 (Meyerding 1932).
        state.slipped = (narrowing.slip > 0.0).then_some(1);
        state.seen = Some(narrowing.seen());
        state
    };
    Spine {
        levels: levels.iter().map(state).collect(),
        operated: levels.iter().find(|(_, n)| n.laminectomy).map(|(level, _)| *level),
    }
}
