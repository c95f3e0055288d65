//! Invented studies of the lumbar spine: images whose every grade is known.
//!
//! The way of a study: `anatomy` says how large bones are, `narrowing` what is narrow and by what;
//! `column` bends the spine, `canal`, `foramen`, `bone` and `around` fill it, and `shape` asks them what
//! is at a place; `matter` says how that looks, and `scanner` makes slices of it. `report` tells it, and
//! `second_reader` says how well that can be seen.

mod anatomy;
mod around;
mod axial;
mod bone;
mod canal;
mod column;
mod foramen;
mod matter;
mod narrowing;
mod report;
mod scanner;
mod second_reader;
mod shape;
mod texture;
mod truth;

pub use scanner::SimulatedSeries;
pub use truth::{Axial, TrueCell, TrueLevel, Truth};

use fastrand::Rng;
use jiff::ToSpan;
use jiff::civil::{Date, date};

use anatomy::Anatomy;
use narrowing::{Narrowing, grade};
use report::Told;
use scanner::Scanner;
use shape::Shape;

use super::{Simulation, chance};
use crate::imaging::dicom_mr::{Header, uid};
use crate::imaging::{Geometry, Mask};
use crate::label::{Cell, Level, Target, Verdict};
use crate::report::Report;

/// How often studies are unusual, as shares of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StudyOptions {
    /// Six lumbar vertebrae, or a fifth that is part of the sacrum.
    pub transitional: f64,
    /// A column that is bent to a side.
    pub scoliosis: f64,
    /// A level without laminae.
    pub laminectomy: f64,
    /// Of those, with screws.
    pub metal: f64,
    /// Without axial slices.
    pub no_axial: f64,
    /// Axial slices in one stack rather than along discs.
    pub straight: f64,
    /// A report that says of one cell what is not so.
    pub planted: f64,
    /// How many studies a patient has.
    pub per_patient: u64,
}

impl StudyOptions {
    /// As studies usually are.
    pub const USUAL: Self = Self {
        transitional: 0.04,
        scoliosis: 0.08,
        laminectomy: 0.05,
        metal: 0.3,
        no_axial: 0.08,
        straight: 0.35,
        planted: 0.0,
        per_patient: 1,
    };
}

impl Default for StudyOptions {
    fn default() -> Self {
        Self::USUAL
    }
}

/// How many lumbar vertebrae there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Variant {
    /// Five.
    Usual,
    /// A sixth.
    SixLumbar,
    /// The fifth is part of the sacrum.
    Sacralized,
}

/// A study whose truth is known.
#[derive(Debug, Clone)]
pub struct SimulatedStudy {
    /// Its report.
    pub report: Report,
    /// What is true of it.
    pub truth: Truth,
    shape: Shape,
    scanner: Scanner,
}

/// Who is examined.
struct Patient {
    id: String,
    female: bool,
    born: Date,
    first: Date,
    variant: Variant,
    anatomy: Anatomy,
    narrowings: Vec<Narrowing>,
    metal: bool,
}

/// What follows from years passing between two studies, in grades for cells that are mild.
const PROGRESS: f64 = 0.12;

impl Patient {
    fn new(id: String, options: &StudyOptions, random: &mut Rng) -> Self {
        let variant = match chance(random, options.transitional) {
            true if random.bool() => Variant::SixLumbar,
            true => Variant::Sacralized,
            false => Variant::Usual,
        };
        let scoliosis = chance(random, options.scoliosis);
        let female = random.bool();
        let anatomy = Anatomy::new(female, variant, scoliosis, random);
        let mut ages = [random.i32(22..90), random.i32(22..90), random.i32(30..88)];
        ages.sort_unstable();
        let first = date(2012, 1, 1).saturating_add(random.i64(0..4_000).days());
        let born = first.saturating_sub((i64::from(ages[1]) * 365 + random.i64(0..365)).days());
        let age = f64::from(ages[1]);
        let mut narrowings = narrowing::narrowings(&anatomy, variant, age, random);
        let operated = chance(random, options.laminectomy);
        let metal = chance(random, options.metal) && operated;
        let at = narrowings.len() - 2 - random.usize(..2);
        if operated {
            narrowings[at].decompress();
        }
        Self { id, female, born, first, variant, anatomy, narrowings, metal }
    }
}

impl Simulation {
    /// The study of this number, from 0: of patient `number / options.per_patient`.
    pub fn study(&self, number: u64, options: &StudyOptions) -> SimulatedStudy {
        let (patient, study) =
            (number / options.per_patient.max(1), number % options.per_patient.max(1));
        // Patients of other seeds are others.
        let id = format!("SP{}-{patient:06}", self.seed);
        let mut patient = Patient::new(id, options, &mut self.random(patient));
        // Studies are other random numbers than patients.
        let mut random = self.random(!number);
        patient.narrowings.iter_mut().for_each(|n| n.progress(PROGRESS * study as f64));
        let when = patient.first.saturating_add((500 * study as i64).days());
        let key = uid(&[b"simulated study", &self.seed.to_le_bytes(), &number.to_le_bytes()]);
        SimulatedStudy::new(&patient, number, (key, when), options, &mut random)
    }
}

impl SimulatedStudy {
    fn new(
        patient: &Patient,
        number: u64,
        (study_uid, when): (String, Date),
        options: &StudyOptions,
        random: &mut Rng,
    ) -> Self {
        let Patient { anatomy, narrowings, variant, .. } = patient;
        let lumbar: Vec<_> = (anatomy.levels.iter().copied().zip(narrowings))
            .filter(|(level, _)| level.is_lumbar())
            .collect();
        let severities: Vec<_> = lumbar.iter().map(|(_, n)| n.severity).collect();
        let second = second_reader::read(&severities, random);
        let told = report::report(&lumbar, chance(random, options.planted), random);
        let shape = Shape::new(anatomy, narrowings, patient.metal, random);
        let straight = chance(random, options.straight);
        let axial = match (chance(random, options.no_axial), straight) {
            (true, _) => None,
            (false, true) => Some(Axial::Straight),
            (false, false) => Some(Axial::Angled),
        };
        let scanner = Scanner::new(&shape, anatomy, axial, random);
        let first = anatomy.levels.len() - lumbar.len();
        let levels = (0..lumbar.len()).map(|at| {
            let cell = |target: Target| seen(&told, &lumbar[at], target, second[at]);
            let cells = Target::ALL.map(|target| (target.name(), cell(target)));
            level(&shape, lumbar[at], [first + at, lumbar.len() - at], cells)
        });
        let truth = Truth {
            accession: format!("SIM{number:07}"),
            patient: patient.id.clone(),
            study_uid,
            variant: *variant,
            bent_left_mm: anatomy.bend[0],
            metal: patient.metal,
            axial,
            levels: levels.collect(),
        };
        let age = patient.born.until((jiff::Unit::Year, when)).map_or(0, |span| span.get_years());
        let report = Report {
            id: format!("SR{number:07}"),
            text: told.written.text,
            patient: Some(truth.patient.clone()),
            accession: Some(truth.accession.clone()),
            study_uid: Some(truth.study_uid.clone()),
            exam_date: Some(when.to_string()),
            sex: Some(if patient.female { "F" } else { "M" }.to_owned()),
            age: u16::try_from(age).ok(),
            birth_date: Some(patient.born.to_string()),
            modality: Some("MR".to_owned()),
            source: Some("simulated".to_owned()),
        };
        Self { report, truth, shape, scanner }
    }

    /// Its images: sagittal T2, sagittal T1 and, but for some, axial T2.
    pub fn series(&self) -> Vec<SimulatedSeries> {
        self.scanner.scan(&self.shape)
    }

    /// The tissues of its sagittal slices, as a perfect segmenter would have them.
    pub fn mask(&self) -> Mask {
        self.tissues(self.scanner.sagittal)
    }

    /// The tissues of any grid.
    pub fn tissues(&self, geometry: Geometry) -> Mask {
        scanner::mask(&self.shape, geometry)
    }

    /// What its DICOM files say of patient and study.
    pub fn header(&self) -> Header {
        let day = |date: &Option<String>| date.as_deref().unwrap_or_default().replace('-', "");
        Header {
            study_uid: self.truth.study_uid.clone(),
            accession: self.truth.accession.clone(),
            patient: self.truth.patient.clone(),
            sex: self.report.sex.clone().unwrap_or_default(),
            birth_date: day(&self.report.birth_date),
            date: day(&self.report.exam_date),
            description: "MRI LUMBAR SPINE WITHOUT CONTRAST".to_owned(),
        }
    }
}

/// What is true of a cell, and what was made of it.
fn seen(
    told: &Told,
    (level, narrowing): &(Level, &Narrowing),
    target: Target,
    second: report::Grades,
) -> TrueCell {
    let cell = Cell { level: *level, target };
    let label = told.written.labels.iter().find(|label| label.cell == cell);
    let reported = label.and_then(|label| match label.verdict {
        Verdict::Graded(grade) => Some(grade),
        _ => None,
    });
    let severity = narrowing.of_target(target);
    TrueCell {
        severity,
        grade: grade(severity),
        second_reader: second[target as usize],
        reported,
        planted: told.planted == Some(cell),
    }
}

/// What is true of a level, of which the place from above and the ordinal from below are known.
fn level(
    shape: &Shape,
    (level, narrowing): (Level, &Narrowing),
    [at, ordinal]: [usize; 2],
    cells: [(&'static str, TrueCell); Target::ALL.len()],
) -> TrueLevel {
    let disc = shape.column.discs[at];
    let rung = shape.column.rung(disc.middle());
    let behind = [disc.middle(), 0.0, rung.shift - rung.half_depth];
    let throat = &shape.throats[at];
    let [left, right] = [1, 0];
    let foramen = |side: usize| shape.foramina.of[at][side].size();
    TrueLevel {
        level,
        ordinal,
        centre: shape.column.place(behind),
        down: shape.column.directions(behind)[0],
        cells: cells.into_iter().collect(),
        sac_area: throat.sac.area(),
        sac_size: throat.sac.extent(),
        recess_depth: [throat.recess[left], throat.recess[right]],
        foramen_size: [foramen(left), foramen(right)],
        disc_height: disc.height(),
        worn: narrowing.worn,
        modic: narrowing.modic,
        slip: narrowing.slip,
        laminectomy: narrowing.laminectomy,
        causes: narrowing.causes,
    }
}
