//! Training on a folder of the RSNA 2024 challenge: a small one, drawn and written as the challenge's
//! is.

use std::fmt::Write as _;
use std::path::Path;

use deepspine::engine::Device;
use deepspine::engine::grader::{Grader, Look};
use deepspine::export::segments::Part;
use deepspine::label::{GradeSet, Level, Target};
use deepspine::learn::grader::{Course, Examples};
use dicom_core::VR;
use dicom_dictionary_std::{tags, uids};

use super::grader::{order, small};
use super::scanner::{decimals, pixels, save, series, text};

type Lps = [f64; 3];

/// How the slices of a series lie, with pixels of 1 mm.
struct Cut {
    series: usize,
    size: [usize; 2],
    count: usize,
    origin: Lps,
    /// Where columns and rows lead, and slices.
    steps: [Lps; 3],
}

const SAGITTAL_T2: Cut = Cut {
    series: 11,
    size: [100, 140],
    count: 15,
    origin: [-25.0, -30.0, 70.0],
    steps: [[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [4.0, 0.0, 0.0]],
};
const SAGITTAL_T1: Cut = Cut { series: 12, ..SAGITTAL_T2 };
const AXIAL_T2: Cut = Cut {
    series: 13,
    size: [100, 100],
    count: 27,
    origin: [-50.0, -30.0, 52.0],
    steps: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, -4.0]],
};

/// The middle of the canal, at levels from L3-L4 down.
const CANAL: [Lps; 3] = [[3.0, 20.0, 40.0], [3.0, 20.0, 0.0], [3.0, 20.0, -40.0]];
const LEVELS: [&str; 3] = ["l3_l4", "l4_l5", "l5_s1"];

/// A bright canal, and at each level something bright to the left of the back of the disc.
fn bright(at: Lps) -> u16 {
    let far = |middle: Lps, axes: &[usize]| {
        axes.iter().map(|&axis| (at[axis] - middle[axis]).powi(2)).sum::<f64>().sqrt()
    };
    let is_left = CANAL.iter().any(|&[l, p, s]| far([l + 16.0, p - 7.0, s], &[0, 1, 2]) < 7.0);
    if far(CANAL[0], &[0, 1]) < 5.0 || is_left { 900 } else { 100 }
}

impl Cut {
    fn place(&self, i: f64, j: f64, k: f64) -> Lps {
        let [right, down, on] = self.steps;
        std::array::from_fn(|axis| {
            self.origin[axis] + right[axis] * i + down[axis] * j + on[axis] * k
        })
    }

    /// Column and row of a place, and the number of the image that is nearest to it.
    fn point(&self, at: Lps) -> (f64, f64, usize) {
        let along = |step: Lps| -> f64 {
            let length: f64 = step.iter().map(|part| part * part).sum();
            (0..3).map(|axis| (at[axis] - self.origin[axis]) * step[axis]).sum::<f64>() / length
        };
        let [x, y, k] = self.steps.map(along);
        (x, y, k.round() as usize + 1)
    }

    fn write(&self, study: &Path) {
        let folder = study.join(self.series.to_string());
        std::fs::create_dir_all(&folder).unwrap();
        let uid = format!("1.2.826.0.1.7.{}", self.series);
        for k in 0..self.count {
            let mut object = series(uids::MR_IMAGE_STORAGE, &format!("{uid}.{}", k + 1), self.size);
            let values = (0..self.size[0] * self.size[1]).map(|at| {
                let (i, j) = ((at % self.size[0]) as f64, (at / self.size[0]) as f64);
                bright(self.place(i, j, k as f64))
            });
            let [right, down, _] = self.steps;
            for element in [
                text(tags::SERIES_INSTANCE_UID, VR::UI, &uid),
                decimals(tags::IMAGE_ORIENTATION_PATIENT, &[right, down].concat()),
                decimals(tags::IMAGE_POSITION_PATIENT, &self.place(0.0, 0.0, k as f64)),
                decimals(tags::PIXEL_SPACING, &[1.0, 1.0]),
                pixels(values.collect()),
            ] {
                object.put(element);
            }
            let path = folder.join(format!("{}.dcm", k + 1));
            save(object, uids::EXPLICIT_VR_LITTLE_ENDIAN, &path);
        }
    }
}

/// Studies whose canals are Normal/Mild, Moderate and Severe from L3-L4 down, and whose left foramina
/// are Severe. The last study has no images, and one cell of the first a word of another table.
fn challenge(folder: &Path, studies: usize) {
    let mut header = "study_id".to_owned();
    for target in ["spinal_canal_stenosis", "left_neural_foraminal_narrowing"] {
        LEVELS.iter().for_each(|level| write!(header, ",{target}_{level}").unwrap());
    }
    let mut train = header;
    let mut descriptions = "study_id,series_id,series_description".to_owned();
    let mut coordinates = "study_id,series_id,instance_number,condition,level,x,y".to_owned();
    for study in 0..studies {
        let word = if study == 0 { "Awful" } else { "Severe" };
        write!(train, "\n{study},Normal/Mild,Moderate,Severe,{word},Severe,Severe").unwrap();
        let kinds = [
            (&SAGITTAL_T2, "Sagittal T2/STIR"),
            (&SAGITTAL_T1, "Sagittal T1"),
            (&AXIAL_T2, "Axial T2"),
        ];
        for (cut, kind) in kinds {
            write!(descriptions, "\n{study},{},{kind}", cut.series).unwrap();
            if study + 1 < studies {
                cut.write(&folder.join("train_images").join(study.to_string()));
            }
        }
        for (middle, level) in CANAL.into_iter().zip(LEVELS) {
            let mut point = |cut: &Cut, condition: &str, left: f64| {
                let (x, y, image) = cut.point([middle[0] + left, middle[1], middle[2]]);
                let series = cut.series;
                write!(coordinates, "\n{study},{series},{image},{condition},{level},{x},{y}")
                    .unwrap();
            };
            point(&SAGITTAL_T2, "spinal_canal_stenosis", 0.0);
            point(&AXIAL_T2, "left_subarticular_stenosis", 12.0);
            point(&AXIAL_T2, "right_subarticular_stenosis", -12.0);
        }
    }
    std::fs::write(folder.join("train.csv"), train).unwrap();
    std::fs::write(folder.join("train_series_descriptions.csv"), descriptions).unwrap();
    std::fs::write(folder.join("train_label_coordinates.csv"), coordinates).unwrap();
}

#[test]
fn a_folder_of_the_challenge_is_cut_where_readers_pointed_and_trained_on() {
    let folder = tempfile::tempdir().unwrap();
    challenge(folder.path(), 9);
    let network = small();
    // So few patients may all be of one part.
    let read = |seed| Examples::read(folder.path(), &network, seed, |_, _| ()).unwrap();
    let is_split = |examples: &Examples| {
        [Part::Train, Part::Validate].iter().all(|part| !examples.patients(*part).is_empty())
    };
    let mut all = (1..20).map(|seed| (seed, read(seed)));
    let (seed, examples) = all.find(|(_, examples)| is_split(examples)).unwrap();
    assert_eq!(examples.rows.len(), 8 * LEVELS.len(), "{:?}", examples.bad);
    let told: Vec<&str> = examples.bad.iter().map(|bad| bad.place.as_str()).collect();
    assert_eq!(told, ["left_neural_foraminal_narrowing_l3_l4 of study 0", "study 8"]);
    assert!(examples.bad[0].reason.contains("`Awful` is neither"), "{:?}", examples.bad);

    for (row, input) in examples.rows.iter().zip(&examples.inputs) {
        let wanted = match row.level {
            Level::L3L4 => GradeSet::NORMAL_MILD,
            Level::L4L5 => GradeSet::only(2),
            _ => GradeSet::only(3),
        };
        assert_eq!(row.truth(Target::Central), Some(wanted));
        assert_eq!(row.truth(Target::RecessLeft), None);
        assert_eq!(input.sequences, [true, true]);
        let view = input.view(&network, Look::MIDDLE);
        // The middle is the back of the disc, 7 mm before the canal's; pixels are 1.6 and 2 mm.
        let axial = |row: i64, column: i64| {
            view.axial.as_ref().unwrap().double_value(&[1, 20 + row, 20 + column])
        };
        assert!(axial(4, 0) > 0.8 && axial(-3, 0) < 0.2, "the canal is behind the middle");
        assert!(axial(0, 10) > 0.8 && axial(0, -10) < 0.2, "what is on the left is there");
        let sagittal = |slice: i64, column: i64| {
            view.sagittal.as_ref().unwrap().double_value(&[0, 6 + slice, 10, 8 + column])
        };
        assert!(sagittal(0, 3) > 0.6 && sagittal(0, -3) < 0.2);
        assert!(sagittal(4, 0) > 0.6 && sagittal(-4, 0) < 0.2);
    }

    let model = folder.path().join("model");
    let order =
        deepspine::learn::grader::Order { seed, steps: 6, round: 6, ..order(&model, network) };
    let mut course = Course::open(folder.path(), order, |_, _| ()).unwrap();
    let [learned, held_out] = [Part::Train, Part::Validate].map(|part| examples.patients(part));
    assert_eq!((&course.record().learned_from, &course.record().held_out), (&learned, &held_out));
    course.round(|_| ()).unwrap();
    course.calibrate().unwrap();
    let grader = Grader::load(&model, Device::CPU).unwrap();
    let graded = grader.grade_inputs(&[(examples.rows[0].place(), &examples.inputs[0])], |_| ())[0]
        .clone()
        .unwrap();
    // Nobody said how normal is told from mild, so both are in a set where either is.
    assert_eq!(graded.len(), 5);
}
