//! Training of the grader, end to end, on drawn levels that a small network learns while one waits.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use deepspine::engine::Device;
use deepspine::engine::grader::{
    AxialConfig, Calibration, Config, Graded, Grader, Inputs, SagittalConfig, Scale,
};
use deepspine::export::segments::Part;
use deepspine::imaging::{Crop, Geometry, Kind, Segment, npz};
use deepspine::label::{GradeSet, LADDER, Level, StenosisType, TARGETS, Target};
use deepspine::learn::grader::{Course, Examples, Order};
use half::f16;
use tch::Tensor;

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

/// A network that a test can wait for.
pub(crate) fn small() -> Config {
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

pub(crate) fn order(folder: &Path, network: Config) -> Order {
    Order {
        from: None,
        check: None,
        folder: folder.to_owned(),
        seed: 1,
        steps: 320,
        round: 160,
        batch: 12,
        rate: 4e-3,
        balance: 1.0,
        network,
        device: Device::CPU,
    }
}

fn open(data: &Path, order: Order) -> Course {
    Course::open(data, order, |_, _| ()).unwrap()
}

/// Trains to the end, and returns the rounds' loss.
fn finish(mut course: Course) -> Vec<f64> {
    while !course.is_over() {
        course.round(|_| ()).unwrap();
    }
    course.calibrate().unwrap();
    course.record().curve.iter().map(|point| point.loss).collect()
}

fn dataset_in(folder: &Path) -> PathBuf {
    let data = folder.join("data");
    std::fs::create_dir(&data).unwrap();
    dataset(&data, 36);
    data
}

#[test]
fn a_grader_learns_and_a_stopped_training_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let data = dataset_in(folder.path());
    let [whole, parts] = ["whole", "parts"].map(|name| folder.path().join(name));
    let curve = finish(open(&data, order(&whole, small())));
    assert!(curve[1] < 0.7 * curve[0], "{curve:?}");

    open(&data, order(&parts, small())).round(|_| ()).unwrap();
    let course = open(&data, order(&parts, small()));
    assert_eq!((course.record().rounds, course.record().steps), (1, 160));
    let same = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-9;
    assert!(finish(course).iter().zip(&curve).all(same), "{curve:?}");
    for file in ["weights.safetensors", "calibration.json", "config.json"] {
        let of = |folder: &Path| std::fs::read(folder.join(file)).unwrap();
        assert!(of(&whole) == of(&parts), "{file} differs after a stop");
    }
    assert!(whole.join("training.svg").is_file());
    let other = Order { seed: 2, ..order(&parts, small()) };
    let other = Course::open(&data, other, |_, _| ()).err().unwrap().to_string();
    assert!(other.contains("with another seed"), "{other}");

    let grader = Grader::load(&whole, Device::CPU).unwrap();
    grades_what_it_never_saw(&data, &grader);
    tells_left_from_right(&grader);
    does_without(&grader);
    is_scored(&data, &whole);
    begins_with_a_model(&data, folder.path(), &whole, curve[0]);
    trusts_less_what_is_often_wrong(&data, folder.path(), &whole);
    learns_each_type_alone(&data, folder.path());
    looks_around(&data, folder.path());
    refuses_models_that_are_none(&whole);
}

/// Of test patients most cells are graded right, of each type.
fn grades_what_it_never_saw(data: &Path, grader: &Grader) {
    let examples = Examples::read(data, grader.shape(), 1, |_, _| ()).unwrap();
    for of in StenosisType::ALL {
        let (mut right, mut all) = (0.0, 0.0);
        for at in examples.of(Part::Test) {
            let graded = grader
                .grade_inputs(&[(examples.rows[at].place(), &examples.inputs[at])], |_| ())[0]
                .clone()
                .unwrap();
            for graded in graded.into_iter().filter(|graded| graded.target.row().stenosis == of) {
                let sizes = graded.sets.map(GradeSet::len);
                assert!(sizes.is_sorted(), "sets grow with the coverage: {sizes:?}");
                let grade = GradeSet::admitted(graded.grade);
                assert!(graded.sets.iter().all(|set| grade.is_within(*set)), "{graded:?}");
                assert!((graded.probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-4);
                let truth = examples.rows[at].truth(graded.target).unwrap();
                all += 1.0;
                right += f64::from(u8::from(grade == truth));
            }
        }
        assert!(right / all > 0.6, "{of}: {right} of {all}, where chance gives a quarter");
    }
}

fn grade(grader: &Grader, segment: &Segment) -> Vec<Graded> {
    grader.grade(&[(Level::L4L5, segment)])[0].clone().unwrap()
}

/// The same level in a mirror.
fn mirrored(segment: &Segment) -> Segment {
    let mut mirrored = segment.clone();
    for (kind, crop) in &mut mirrored.crops {
        let [width, height, _] = crop.geometry.size;
        match kind {
            Kind::AxialT2 => crop.values.chunks_mut(width).for_each(<[f16]>::reverse),
            _ => {
                let slices: Vec<&[f16]> = crop.values.chunks(width * height).rev().collect();
                crop.values = slices.concat();
            }
        }
    }
    mirrored
}

fn tells_left_from_right(grader: &Grader) {
    let mut random = fastrand::Rng::with_seed(3);
    let left = draw([1, 3, 0, 3, 0], &mut random);
    let graded = grade(grader, &left);
    let rank = |target: Target| graded[target as usize].grade.rank().unwrap();
    assert!(rank(Target::ForaminalLeft) > rank(Target::ForaminalRight) + 1, "{graded:?}");
    assert!(rank(Target::RecessLeft) > rank(Target::RecessRight) + 1, "{graded:?}");

    let other = grade(grader, &mirrored(&left));
    let swapped = [
        (Target::Central, Target::Central),
        (Target::ForaminalLeft, Target::ForaminalRight),
        (Target::RecessRight, Target::RecessLeft),
    ];
    for (here, there) in swapped {
        let (here, there) = (&graded[here as usize], &other[there as usize]);
        let pairs = here.probabilities.iter().zip(there.probabilities);
        let apart = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        // Where a processor has brain floats, a network computes in them.
        assert!(apart < 1e-2, "{here:?} in the mirror is {there:?}");
    }
}

/// Either crop may be missing; without both there is no grade.
fn does_without(grader: &Grader) {
    let mut random = fastrand::Rng::with_seed(4);
    let mut ranks = [[0.0; 2]; 2];
    let levels = 12;
    for _ in 0..levels {
        for (place, central) in [0, 3].into_iter().enumerate() {
            let whole = draw([central, 0, 0, 0, 0], &mut random);
            for (way, kind) in [Kind::AxialT2, Kind::SagittalT2].into_iter().enumerate() {
                let mut without = whole.clone();
                without.crops.remove(&kind);
                let graded = grade(grader, &without);
                ranks[way][place] += f64::from(graded[0].grade.rank().unwrap()) / levels as f64;
            }
        }
    }
    assert!(ranks.iter().all(|[normal, severe]| severe - normal > 1.5), "{ranks:?}");
    assert_eq!(grader.grade(&[(Level::L4L5, &Segment::default())]), [None]);
}

fn deepspine(arguments: &[&str]) -> (bool, String, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_deepspine")).args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (done.status.success(), text(done.stdout), text(done.stderr))
}

/// On the command line, the engine and another reader.
fn is_scored(data: &Path, model: &Path) {
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let (data, model) = (text(data), text(model));
    let evaluate = |more: &[&str]| {
        let (good, out, complaints) = deepspine(&[&["evaluate", "grader", &data], more].concat());
        assert!(good, "{complaints}");
        (out, complaints)
    };
    let json = |out: &str| serde_json::from_str::<serde_json::Value>(out).unwrap();
    let (out, complaints) = evaluate(&["--model", &model, "--json", "--bootstrap", "50"]);
    let all = json(&out)["groups"][0].clone();
    assert!(complaints.contains("90 levels are left out"), "{complaints}");
    assert_eq!((all["group"].as_str(), all["cells"].as_u64()), (Some("all"), Some(18 * 5)));
    assert!(all["kappa_quadratic"]["value"].as_f64().unwrap() > 0.6, "{all}");
    assert!(all["class_average"]["interval"][1].as_f64().unwrap() > 0.6, "{all}");
    assert_eq!(all["sets"].as_array().unwrap().len(), 3);
    let (out, _) = evaluate(&["--model", &model, "--all", "--bootstrap", "0"]);
    for part in ["central: known \\ graded", "foraminal_left", "L4-L5", "sets at 90 %", "RSNA"] {
        assert!(out.contains(part), "{part} in {out}");
    }

    let rows = csv::Reader::from_path(Path::new(&data).join("manifest.csv")).unwrap();
    let mut readings = "study,level,target,grade\nnowhere,L4-L5,central,mild".to_owned();
    for row in rows.into_records().map(Result::unwrap).filter(|row| &row[5] == "test") {
        let (study, level) = (&row[1], &row[2]);
        write!(readings, "\n{study},{level},central,{}", &row[7]).unwrap();
    }
    let path = Path::new(&data).join("readings.csv");
    std::fs::write(&path, readings).unwrap();
    let readings = ["--readings", path.to_str().unwrap(), "--split", "test", "--json"];
    let (out, complaints) = evaluate(&readings);
    assert!(complaints.contains("72 labels are not graded"), "{complaints}");
    assert!(complaints.contains("1 of its grades have no label"), "{complaints}");
    let central = &json(&out)["groups"][1];
    assert_eq!(central["class_average"]["value"].as_f64(), Some(1.0), "{central}");
    assert_eq!(central["auc"]["value"].as_f64(), None, "it told of no probabilities");
}

/// A training that begins with a model is ahead of one that begins with nothing. One type on one kind
/// of crop is a network of its own.
fn begins_with_a_model(data: &Path, folder: &Path, model: &Path, from_nothing: f64) {
    let further = Order { from: Some(model.to_owned()), ..order(&folder.join("further"), small()) };
    let mut course = open(data, further);
    assert_eq!(course.record().steps_before, 320);
    let loss = course.round(|_| ()).unwrap().loss;
    assert!(loss < 0.7 * from_nothing, "{loss}, from nothing {from_nothing}");

    let one = Config {
        inputs: Inputs::Axial,
        types: vec![StenosisType::Central],
        scale: Scale::Ordered,
        ..small()
    };
    let alone = folder.join("alone");
    finish(open(data, Order { steps: 80, ..order(&alone, one) }));
    let grader = Grader::load(&alone, Device::CPU).unwrap();
    let mut segment = draw([3, 0, 0, 0, 0], &mut fastrand::Rng::with_seed(5));
    let graded = grade(&grader, &segment);
    assert_eq!(graded.iter().map(|graded| graded.target).collect::<Vec<_>>(), [Target::Central]);
    assert!(graded[0].grade.rank().unwrap() > 1, "{graded:?}");
    segment.crops.remove(&Kind::AxialT2);
    let level = [(Level::L4L5, &segment)];
    assert_eq!(grader.grade(&level), [None], "it does not look at sagittal crops");
}

/// A model is calibrated anew on levels of others, and else left as it is. They are not to have been
/// learned from.
fn trusts_less_what_is_often_wrong(data: &Path, folder: &Path, model: &Path) {
    let check = folder.join("check");
    std::fs::create_dir(&check).unwrap();
    dataset(&check, 6);
    let anew = Order {
        from: Some(model.to_owned()),
        check: Some(check.clone()),
        steps: 0,
        ..order(&folder.join("anew"), small())
    };
    let torn = Course::open(data, anew.clone(), |_, _| ()).err().unwrap().to_string();
    assert!(torn.contains("patient p0"), "{torn}");

    let table = std::fs::read_to_string(check.join("manifest.csv")).unwrap();
    let turned = table
        .replace("\np", "\nq")
        .replace(",normal,", ",worst,")
        .replace(",severe,", ",normal,")
        .replace(",worst,", ",severe,");
    std::fs::write(check.join("manifest.csv"), turned).unwrap();
    let course = open(data, anew);
    assert_eq!(course.record().held_out, ["q0", "q1", "q2", "q3", "q4", "q5"]);
    finish(course);
    let read =
        |file: &str| [model, &folder.join("anew")].map(|of| std::fs::read(of.join(file)).unwrap());
    let [before, after] = read("weights.safetensors");
    assert!(before == after, "the weights changed");
    let [before, after] = [model, &folder.join("anew")]
        .map(|of| Calibration::read(of).unwrap().0[&StenosisType::Central].temperature);
    assert!(after > 2.0 * before, "{before} {after}");
}

/// Where each type has branches of its own, labels of one teach the others nothing.
fn learns_each_type_alone(data: &Path, folder: &Path) {
    let own = folder.join("canals");
    std::fs::create_dir(&own).unwrap();
    let mut table = csv::Reader::from_path(data.join("manifest.csv")).unwrap();
    let mut canals = csv::Writer::from_path(own.join("manifest.csv")).unwrap();
    canals.write_record(table.headers().unwrap()).unwrap();
    for row in table.records() {
        let row = row.unwrap();
        let segment = data.join(&row[6]).display().to_string();
        canals
            .write_record((0..row.len()).map(|column| match column {
                6 => &segment,
                0..10 => &row[column],
                _ => "",
            }))
            .unwrap();
    }
    canals.flush().unwrap();
    let network = || Config { single_task: true, ..small() };
    let [none, some] = ["untaught", "canal-taught"].map(|name| folder.join(name));
    finish(open(&own, Order { steps: 0, ..order(&none, network()) }));
    finish(open(&own, Order { steps: 40, ..order(&some, network()) }));
    let weights = |of: &Path| {
        let of = Tensor::read_safetensors(of.join("weights.safetensors")).unwrap();
        of.into_iter().collect::<BTreeMap<String, Tensor>>()
    };
    let (before, after) = (weights(&none), weights(&some));
    assert_eq!(before.len(), after.len());
    for (name, weight) in before.iter().filter(|(name, _)| name.ends_with("read.weight")) {
        let flat = |weight: &Tensor| weight.to_kind(tch::Kind::Float).flatten(0, -1);
        let alike = Tensor::cosine_similarity(&flat(weight), &flat(&after[name]), 0, 1e-9);
        let alike = alike.double_value(&[]) > 0.9999;
        assert_eq!(alike, !name.starts_with("central"), "{name}");
    }
}

/// A network with context sees a level with those above and below it, and no others.
fn looks_around(data: &Path, folder: &Path) {
    let around = folder.join("around");
    finish(open(data, Order { steps: 20, ..order(&around, Config { context: true, ..small() }) }));
    let grader = Grader::load(&around, Device::CPU).unwrap();
    let mut random = fastrand::Rng::with_seed(6);
    let [own, narrow, wide] = [[1; 5], [3; 5], [0; 5]].map(|ranks| draw(ranks, &mut random));
    let beside = |level: Level, other: &Segment| {
        let graded = grader.grade(&[(Level::L4L5, &own), (level, other)]);
        graded[0].as_ref().unwrap()[0].probabilities
    };
    assert_ne!(beside(Level::L3L4, &narrow), beside(Level::L3L4, &wide));
    assert_ne!(beside(Level::L5S1, &narrow), beside(Level::L3L4, &narrow));
    assert_eq!(beside(Level::L1L2, &narrow), beside(Level::L1L2, &wide));
}

fn refuses_models_that_are_none(model: &Path) {
    let config = std::fs::read_to_string(model.join("config.json")).unwrap();
    let refused = |config: &str| {
        std::fs::write(model.join("config.json"), config).unwrap();
        Grader::load(model, Device::CPU).unwrap_err().to_string()
    };
    let other = refused(&config.replacen("\"mild\"", "\"present\"", 1));
    assert!(other.contains("tells other grades apart"), "{other}");
    let other = refused(&config.replacen("\"features\": 48", "\"features\": 50", 1));
    assert!(other.contains("`trunk.weight` is"), "{other}");
    std::fs::write(model.join("config.json"), &config).unwrap();
    let path = model.join(Calibration::FILE);
    let calibration = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, calibration.replace("\"recess\"", "\"other\"")).unwrap();
    let other = Grader::load(model, Device::CPU).unwrap_err().to_string();
    assert!(other.contains("calibration.json"), "{other}");
    std::fs::remove_file(&path).unwrap();
    let other = Grader::load(model, Device::CPU).unwrap_err().to_string();
    assert!(other.contains("give the command that began it"), "{other}");
}

#[test]
fn what_cannot_be_used_is_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let data = dataset_in(folder.path());
    std::fs::write(data.join("s0-disc-1.npz"), b"no zip").unwrap();
    std::fs::remove_file(data.join("s1-disc-2.npz")).unwrap();
    let examples = Examples::read(&data, &small(), 1, |_, _| ()).unwrap();
    assert_eq!(examples.rows.len(), 36 * 3 - 2);
    let places: Vec<bool> =
        examples.bad.iter().map(|bad| bad.place.ends_with("s0-disc-1.npz")).collect();
    assert_eq!(places, [true, false], "{:?}", examples.bad);
    let nothing = folder.path().join("nothing");
    let refused = Course::open(folder.path(), order(&nothing, small()), |_, _| ());
    assert!(refused.err().unwrap().to_string().contains("should hold manifest.csv"));
}
