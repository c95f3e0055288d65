//! Training of the grader, end to end, on drawn levels that a small network learns while one waits.

use std::fmt::Write as _;
use std::fs::File;
use std::path::Path;
use std::process::Command;

use deepspine::engine::Device;
use deepspine::engine::grader::{AxialConfig, Calibration, Config, Grader, Inputs, SagittalConfig};
use deepspine::export::segments::Part;
use deepspine::imaging::{Crop, Geometry, Kind, Segment, npz};
use deepspine::label::{GradeSet, LADDER, StenosisType, TARGETS, Target};
use deepspine::learn::grader::{Course, Examples, Order};
use half::f16;

/// The place of each target's grade on the ladder.
type Grades = [usize; TARGETS.len()];

/// How wide what is narrowed is, in mm, by grade.
const CANAL: [f64; 4] = [10.0, 7.5, 5.0, 2.5];
const FORAMEN: [f64; 4] = [8.0, 6.0, 4.0, 1.5];
const RECESS: [f64; 4] = [8.0, 6.0, 4.0, 1.5];

/// A crop with the axes of the patient, whose voxels are as bright as what lies so many mm from its
/// middle.
fn crop(
    size: [usize; 3],
    steps: [[f64; 3]; 3],
    random: &mut fastrand::Rng,
    bright: impl Fn([f64; 3]) -> f64,
) -> Crop {
    let from_middle = Geometry::new(size, [0.0; 3], steps).unwrap();
    let origin = from_middle.centre().map(|part| -part);
    let geometry = Geometry { origin, ..from_middle };
    let mut crop = Crop::filled(geometry, f16::ZERO);
    for k in 0..size[2] {
        for j in 0..size[1] {
            for i in 0..size[0] {
                let lit = bright(geometry.to_patient([i as f64, j as f64, k as f64]));
                let noise = 0.1 * (random.f64() - 0.5);
                let place = geometry.place(i, j, k);
                crop.values[place] = f16::from_f64(lit + noise);
            }
        }
    }
    crop
}

fn is_near(at: [f64; 3], middle: [f64; 3], radius: f64) -> bool {
    (0..3).map(|axis| (at[axis] - middle[axis]).powi(2)).sum::<f64>() < radius * radius
}

/// A level: bright sac, bright recesses beside it and bright foramina to the sides, each as wide as
/// its grade lets it be. Patients lie a little askew.
fn draw(grades: Grades, random: &mut fastrand::Rng) -> Segment {
    let [central, left_foramen, right_foramen, left_recess, right_recess] = grades;
    let aside = 3.0 * (random.f64() - 0.5);
    let bright = |[left, back, up]: [f64; 3]| {
        let left = left - aside;
        let in_sac = (left * left + back * back).sqrt() < CANAL[central];
        let foramen = |side: f64, grade: usize| {
            is_near([left, back, up], [16.0 * side, 0.0, 4.0], FORAMEN[grade])
        };
        let recess = |side: f64, grade: usize| {
            is_near([left, back, 0.0], [22.0 * side, 12.0, 0.0], RECESS[grade])
        };
        let is_lit = in_sac
            || foramen(1.0, left_foramen)
            || foramen(-1.0, right_foramen)
            || recess(1.0, left_recess)
            || recess(-1.0, right_recess);
        if is_lit { 0.9 } else { 0.2 }
    };
    // Axial columns lead to the left, rows to the back; sagittal columns to the back, rows down.
    let axial = [[1.6, 0.0, 0.0], [0.0, 1.6, 0.0], [0.0, 0.0, -3.0]];
    let sagittal = [[0.0, 2.0, 0.0], [0.0, 0.0, -2.0], [2.5, 0.0, 0.0]];
    let mut segment = Segment::default();
    segment.crops.insert(Kind::AxialT2, crop([50, 50, 8], axial, random, bright));
    segment.crops.insert(Kind::SagittalT2, crop([24, 24, 25], sagittal, random, bright));
    segment
}

const LEVELS: [&str; 3] = ["L3-L4", "L4-L5", "L5-S1"];

/// A dataset of patients with three levels each.
fn dataset(folder: &Path, patients: usize) {
    let mut random = fastrand::Rng::with_seed(7);
    let mut table = "patient,study,level,ordinal,name_probability,split,segment".to_owned();
    for target in &TARGETS {
        write!(table, ",{0},{0}_status,{0}_opinions", target.name).unwrap();
    }
    for patient in 0..patients {
        let split = ["train", "train", "train", "train", "validate", "test"][patient % 6];
        for (ordinal, level) in LEVELS.iter().rev().enumerate() {
            let grades: Grades = std::array::from_fn(|_| random.usize(..LADDER.len()));
            let file = format!("s{patient}-disc-{}.npz", ordinal + 1);
            let out = File::create(folder.join(&file)).unwrap();
            npz::write(&draw(grades, &mut random), out).unwrap();
            write!(table, "\np{patient},s{patient},{level},{},1,{split},{file}", ordinal + 1)
                .unwrap();
            for grade in grades {
                write!(table, ",{},truth,", LADDER[grade]).unwrap();
            }
        }
    }
    std::fs::write(folder.join("manifest.csv"), table).unwrap();
}

fn network() -> Config {
    Config {
        axial: AxialConfig { pixel: 1.6, side: 40, slices: 4, apart: 6.0, widths: vec![12, 16] },
        sagittal: SagittalConfig {
            pixel: 2.0,
            height: 20,
            width: 16,
            slices: 13,
            apart: 4.0,
            widths: vec![12, 16],
        },
        features: 48,
        ..Config::default()
    }
}

fn order(folder: &Path) -> Order {
    Order {
        from: None,
        folder: folder.to_owned(),
        seed: 1,
        steps: 240,
        round: 80,
        batch: 12,
        rate: 4e-3,
        balance: 1.0,
        network: network(),
        device: Device::CPU,
    }
}

fn open(data: &Path, order: Order) -> Course {
    Course::open(data, order, |_, _| ()).unwrap()
}

/// How many of the labels of test levels are graded right.
fn right(grader: &Grader, examples: &Examples, of: impl Fn(Target) -> bool) -> f64 {
    let (mut right, mut all) = (0, 0);
    for at in examples.of(Part::Test) {
        let graded = grader.grade_inputs(&[&examples.inputs[at]])[0].clone().unwrap();
        for graded in graded.into_iter().filter(|graded| of(graded.target)) {
            let truth = examples.rows[at].truth(graded.target).unwrap();
            all += 1;
            right += usize::from(GradeSet::admitted(graded.grade) == truth);
        }
    }
    f64::from(right as u32) / f64::from(all as u32)
}

#[test]
fn a_grader_learns_and_a_stopped_training_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    dataset(&data, 36);
    let [whole, parts] = ["whole", "parts"].map(|name| folder.path().join(name));
    let mut course = open(&data, order(&whole));
    let mut points = Vec::new();
    while !course.is_over() {
        points.push(course.round(|_| ()).unwrap());
    }
    course.calibrate().unwrap();
    eprintln!("{points:?}");
    let grader = Grader::load(&whole, Device::CPU).unwrap();
    let examples = Examples::read(&data, grader.shape(), 1, |_, _| ()).unwrap();
    for of in StenosisType::ALL {
        eprintln!("{of} {}", right(&grader, &examples, |t| t.row().stenosis == of));
    }
    let _ = (parts, Inputs::Axial, Calibration::FILE, Command::new("true"));
}
