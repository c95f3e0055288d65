//! Reports in free wording: what a reader must understand that no list of words foresees.
//!
//! What is told of each level is drawn first, as statements; `grammar` finds words for it; rule 22
//! makes labels of the statements, as it does for every reader.

mod claims;
mod layout;
mod scuff;

use super::grammar::{Given, Part, grow, keyed};
use super::{SimulatedReport, chance};
use crate::label::{
    Cell, CellLabel, Certainty, Directness, Grade, Level, LevelSet, Naming, Statement,
    StenosisType, Target, Verdict, resolve,
};
use crate::report::Report;

/// A report in the making.
struct Dictation<'r> {
    part: Part,
    random: &'r mut fastrand::Rng,
    statements: Vec<Statement>,
    /// How this radiologist names levels.
    spelling: String,
}

/// Dictates the report with this number.
pub(super) fn dictate(number: u64, part: Part, random: &mut fastrand::Rng) -> SimulatedReport {
    let spelling = keyed("spelt", "any", part, random).unwrap_or("{upper}-{lower}").to_owned();
    let mut dictation = Dictation { part, random, statements: Vec::new(), spelling };
    let text = layout::report(&mut dictation);
    let labels = labels(dictation.statements);
    let text = scuff::scuff(text, random);
    let report = Report {
        id: format!("dictated-{number}"),
        text,
        modality: Some("MR".to_owned()),
        source: Some("dictation".to_owned()),
        ..Report::default()
    };
    SimulatedReport { report, labels, findings: Vec::new() }
}

/// Rule 22 over the statements of a report.
fn labels(statements: Vec<Statement>) -> Vec<CellLabel> {
    Cell::all()
        .map(|cell| {
            let own = statements.iter().filter(|statement| statement.cell == cell).cloned();
            resolve(cell, own.collect())
        })
        .filter(|opinion| opinion.verdict != Verdict::NotMentioned)
        .map(|opinion| CellLabel::from(&opinion))
        .collect()
}

impl Dictation<'_> {
    fn chance(&mut self, share: f64) -> bool {
        chance(self.random, share)
    }

    fn grow(&mut self, name: &str, given: &Given<'_>) -> String {
        grow(name, given, self.part, self.random)
    }

    /// A phrase in which nothing is given.
    fn plain(&mut self, name: &str) -> String {
        self.grow(name, &Given::default())
    }

    /// A phrase about a side that does not matter, of any structure.
    fn aside(&mut self, name: &str) -> String {
        let (side, one) = if self.random.bool() {
            ("{side_left}", "{foramen}")
        } else {
            ("{side_right}", "{recess}")
        };
        let given = Given { words: vec![("side", side), ("one", one)], grades: Vec::new() };
        self.grow(name, &given)
    }

    /// A level as this radiologist names it.
    fn level(&mut self, level: Level) -> String {
        let worded = self.chance(0.05);
        if worded && let Some(words) = keyed("worded", level.name(), self.part, self.random) {
            return words.to_owned();
        }
        let (upper, lower) = level.name().split_once('-').unwrap_or((level.name(), ""));
        // "L4-5", but "L5-S1" and "T12-L1".
        let digit = match lower.strip_prefix('L') {
            Some(digit) if upper.starts_with('L') => digit,
            _ => lower,
        };
        let words = vec![("upper", upper), ("lower", lower), ("digit", digit)];
        let spelling = self.spelling.clone();
        let given =
            Given { words: [words, vec![("spelling", &spelling)]].concat(), grades: vec![] };
        let own = self.chance(0.9);
        let grown = if own { "spelt_alike" } else { "spelt" };
        self.grow(grown, &given)
    }

    /// States a grade of some targets of some levels.
    fn state(&mut self, levels: LevelSet, targets: &[Target], said: Said, naming: Naming) {
        for level in levels.iter() {
            self.statements.extend(targets.iter().map(|&target| Statement {
                cell: Cell { level, target },
                grade: said.grade,
                certainty: said.certainty,
                directness: said.directness,
                naming,
                evidence: Default::default(),
                trace: Default::default(),
            }));
        }
    }

    /// The levels of which nothing is said by name.
    fn unmentioned(&self, mentioned: LevelSet) -> LevelSet {
        LevelSet::LUMBAR.difference(mentioned)
    }
}

/// What is said of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Said {
    grade: Grade,
    certainty: Certainty,
    directness: Directness,
}

impl Said {
    const fn stated(grade: Grade) -> Self {
        Self { grade, certainty: Certainty::Stated, directness: Directness::Direct }
    }

    const fn hedged(grade: Grade) -> Self {
        Self { certainty: Certainty::Hedged, ..Self::stated(grade) }
    }

    const fn indirect(grade: Grade) -> Self {
        Self { directness: Directness::Indirect, ..Self::stated(grade) }
    }
}

/// The targets of a structure on both sides, left before right.
fn both(stenosis: StenosisType) -> Vec<Target> {
    Target::of(stenosis, None).collect()
}
