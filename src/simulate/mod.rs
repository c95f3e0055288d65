//! Invented archives: patients with their studies, and reports whose labels are known because the
//! sentences were made from them.
//!
//! [`Simulation::patient`] makes one patient's reports out of nothing but the seed and the
//! patient's number, so that any part of an archive can be made by itself and in any order. The
//! way of a report: `patient` decides who and when, `spine` what is narrow and how much, `style`
//! how a radiologist would tell it, `wording` and `aside` in which words.
//!
//! [`Simulation::dictation`] makes reports in a wording that is far freer, which is what a reader
//! learns from: `dictation` decides what is said, `grammar` grows the words for it.
//!
//! [`Phantom`] is a spine of simple shapes, as a mask and as an image; [`SimulatedStudy`] one that looks
//! like those of people, with its report.

mod annotator;
mod aside;
mod dictation;
mod grammar;
mod patient;
mod phantom;
mod scan;
mod spine;
mod study;
mod style;
mod wording;

pub use annotator::Annotator;
pub use grammar::Part;
pub use phantom::{Ellipse, Phantom, Placed};
pub use study::{
    Axial, SimulatedSeries, SimulatedStudy, StudyOptions, TrueCell, TrueLevel, Truth, Variant,
};

use crate::extract::Finding;
use crate::label::{CellLabel, Certainty, Level};
use crate::report::Report;

/// A seeded source of reports.
#[derive(Debug, Clone, Copy)]
pub struct Simulation {
    seed: u64,
}

/// A report with what it says.
#[derive(Debug, Clone, PartialEq)]
pub struct SimulatedReport {
    /// The report.
    pub report: Report,
    /// What the guideline makes of it, at most one a cell, in the order of cells.
    pub labels: Vec<CellLabel>,
    /// The findings that it mentions.
    pub findings: Vec<SimulatedFinding>,
}

/// A finding that a report mentions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SimulatedFinding {
    /// What.
    pub finding: Finding,
    /// Where, if a level is named.
    pub level: Option<Level>,
    /// "no extrusion"
    pub negated: bool,
    /// Stated or hedged.
    pub certainty: Certainty,
}

impl Simulation {
    /// The simulation of a seed.
    pub const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// All reports of one patient, oldest study first.
    pub fn patient(&self, number: u64) -> Vec<SimulatedReport> {
        patient::reports(number, &mut self.random(number))
    }

    /// One report in free wording.
    pub fn dictation(&self, number: u64, part: Part) -> SimulatedReport {
        dictation::dictate(number, part, &mut self.random(number))
    }

    /// Where the random numbers of a patient or a dictation start.
    fn random(&self, number: u64) -> fastrand::Rng {
        // Neighbouring seeds would begin alike.
        let mixed = (self.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15)).rotate_left(23);
        fastrand::Rng::with_seed(mixed.wrapping_mul(0xbf58_476d_1ce4_e5b9))
    }

    /// Reports without end, patient by patient.
    pub fn reports(self) -> impl Iterator<Item = SimulatedReport> {
        (0..).flat_map(move |number| self.patient(number))
    }
}

/// Picks one of several.
fn pick<'a, T: ?Sized>(random: &mut fastrand::Rng, all: &[&'a T]) -> &'a T {
    all[random.usize(..all.len())]
}

/// Whether something happens that does so this often.
fn chance(random: &mut fastrand::Rng, share: f64) -> bool {
    random.f64() < share
}

/// Normal with mean 0 and deviation 1 (Box & Muller 1958).
pub fn normal(random: &mut fastrand::Rng) -> f64 {
    let radius = (-2.0 * (1.0 - random.f64()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.f64()).cos()
}
