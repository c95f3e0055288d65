//! Training of the segmenter, end to end, on drawn spines that a small network learns while one
//! waits.

use std::path::Path;
use std::process::Command;

use deepspine::engine::Device;
use deepspine::engine::unet::{Config, Segmenter};
use deepspine::imaging::Tissue;
use deepspine::learn::segmenter::{Course, Order, Slices, SubjectScore};
use image::{GrayImage, Luma};

const SIDE: u32 = 96;

/// A column of bodies and discs with a canal beside it, its mask in SPIDER's numbers.
fn draw(random: &mut fastrand::Rng) -> (GrayImage, GrayImage) {
    let left = random.u32(16..36);
    let start = random.u32(0..20);
    let lean = f64::from(random.i32(-20..20)) / 100.0;
    let tissue = |x: u32, y: u32| {
        let x = f64::from(x) - f64::from(left) - lean * f64::from(y);
        match (x, (y + start) % 24) {
            (0.0..22.0, 0..=7) => (29, 10),
            (0.0..22.0, 9..=22) => (76, 150),
            (26.0..36.0, _) => (150, 240),
            _ => (0, 70),
        }
    };
    let mask = GrayImage::from_fn(SIDE, SIDE, |x, y| Luma([tissue(x, y).0]));
    let image = GrayImage::from_fn(SIDE, SIDE, |x, y| {
        Luma([(tissue(x, y).1 + random.i32(-15..15)).clamp(0, 255) as u8])
    });
    (image, mask)
}

fn subjects(folder: &Path) {
    let mut random = fastrand::Rng::with_seed(5);
    for of in ["images", "masks"] {
        std::fs::create_dir_all(folder.join(of)).unwrap();
    }
    for subject in 1..=5 {
        for number in 1..=3 {
            let name = format!("{subject}_drawn_slice{number}.png");
            let (image, mask) = draw(&mut random);
            image.save(folder.join("images").join(&name)).unwrap();
            mask.save(folder.join("masks").join(&name)).unwrap();
        }
    }
}

fn order(folder: &Path, seed: u64) -> Order {
    Order {
        slices: folder.to_owned(),
        pixel: 1.0,
        apart: 4.0,
        from: None,
        folder: folder.join("model"),
        seed,
        held_out: 0.2,
        steps: 120,
        round: 40,
        views: 4,
        side: 64,
        rate: 1e-2,
        network: Config { pixel: 1.0, neighbour: 4.0, widths: vec![8, 16, 16] },
        device: Device::CPU,
    }
}

#[test]
fn a_segmenter_learns_and_a_stopped_training_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    subjects(folder.path());
    let mut course = Course::open(order(folder.path(), 1)).unwrap();
    assert_eq!((course.record().held_out.len(), course.record().learned_from.len()), (1, 4));
    let first = course.round(|_| ()).unwrap();
    drop(course);

    let mut course = Course::open(order(folder.path(), 1)).unwrap();
    assert_eq!((course.record().rounds, course.record().steps), (1, 40));
    let mut last = first;
    while !course.is_over() {
        last = course.round(|_| ()).unwrap();
    }
    assert!(last.loss < 0.85 * first.loss, "{first:?} then {last:?}");
    assert!(last.mean() > first.mean() + 0.1, "{first:?} then {last:?}");
    let model = folder.path().join("model");
    for file in ["config.json", "weights.safetensors", "training.json", "training.svg"] {
        assert!(model.join(file).is_file(), "{file}");
    }
    let other = Course::open(order(folder.path(), 2)).err().unwrap().to_string();
    assert!(other.contains("another split or seed"), "{other}");

    begins_with_a_model(folder.path(), &model, first.loss);
    segments_as_it_learned(folder.path(), last.dice);
    is_scored_on_what_it_never_saw(folder.path());
    refuses_slices_that_are_none(folder.path());
}

/// A training that begins with a model is ahead of one that begins with nothing, and is never judged
/// on what the model learned from.
fn begins_with_a_model(folder: &Path, model: &Path, from_nothing: f64) {
    let with = |seed| Order {
        from: Some(model.to_owned()),
        folder: folder.join("further"),
        ..order(folder, seed)
    };
    let mut course = Course::open(with(1)).unwrap();
    assert_eq!(course.record().steps_before, 120);
    let loss = course.round(|_| ()).unwrap().loss;
    assert!(loss < 0.85 * from_nothing, "{loss}, from nothing {from_nothing}");
    let slices = Slices::read(folder).unwrap();
    let held_out = |seed| slices.held_out(0.2, seed);
    let other = (2..).find(|&seed| held_out(seed) != held_out(1)).unwrap();
    let seen = Course::open(Order { folder: folder.join("other"), ..with(other) });
    let seen = seen.err().unwrap().to_string();
    assert!(seen.contains("has learned from it"), "{seen}");
}

/// The model at work finds what the training says that it finds.
fn segments_as_it_learned(folder: &Path, dice: [f64; 3]) {
    let segmenter = Segmenter::load(&folder.join("model"), Device::CPU).unwrap();
    let slices = Slices::read(folder).unwrap();
    let held_out = &slices.subjects[slices.held_out(0.2, 1)[0]];
    let score = SubjectScore::of(&segmenter, held_out, 1.0, 4.0, |_| ());
    for (score, dice) in score.tissues.iter().zip(dice) {
        assert!((score.dice.unwrap() - dice).abs() < 0.02, "{score:?} {dice}");
        assert!(score.hausdorff95.unwrap() < f64::from(SIDE) / 2.0, "{score:?}");
    }
    let mirrored = segmenter.mirrored(true);
    let both = SubjectScore::of(&mirrored, held_out, 1.0, 4.0, |_| ());
    assert!(both.tissues.iter().all(|score| score.dice.is_some()), "{both:?}");
    assert_eq!(both.tissues[0].tissue, Tissue::Vertebra);
}

fn deepspine(arguments: &[&str]) -> (bool, String, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_deepspine")).args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (done.status.success(), text(done.stdout), text(done.stderr))
}

fn is_scored_on_what_it_never_saw(folder: &Path) {
    let (slices, model) = (folder.to_str().unwrap(), folder.join("model"));
    let model = model.to_str().unwrap();
    let evaluate = |more: &[&str]| {
        let all =
            ["evaluate", "segmenter", slices, "--model", model, "--pixel", "1", "--apart", "4"];
        deepspine(&[&all[..], more].concat())
    };
    let (good, json, complaints) = evaluate(&["--json"]);
    assert!(good, "{complaints}");
    let results: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(results["subjects"].as_array().unwrap().len(), 1);
    assert!(results["mean"][0]["dice"].as_f64().unwrap() > 0.5);
    let (good, _, complaints) = deepspine(&["evaluate", "segmenter", slices, "--pixel", "0"]);
    assert!(!good && complaints.contains("--pixel"), "{complaints}");
    let (good, table, _) = evaluate(&["--all"]);
    assert!(good && table.lines().count() == 7, "{table}");
}

fn refuses_slices_that_are_none(folder: &Path) {
    let refused = |name: &str, image: GrayImage, mask: GrayImage| {
        let paths = ["images", "masks"].map(|of| folder.join(of).join(name));
        image.save(&paths[0]).unwrap();
        mask.save(&paths[1]).unwrap();
        let message = Slices::read(folder).unwrap_err().to_string();
        paths.iter().for_each(|path| std::fs::remove_file(path).unwrap());
        message
    };
    let blank = |width| GrayImage::new(width, SIDE);
    assert!(refused("7.png", blank(SIDE), blank(SIDE)).contains("SUBJECT_slice17.png"));
    assert!(refused("7_slice1.png", blank(SIDE), blank(9)).contains("9×96"));
    assert!(refused("1_slice9.png", blank(9), blank(9)).contains("subject 1"));
    let coloured = GrayImage::from_pixel(SIDE, SIDE, Luma([3]));
    assert!(refused("7_slice1.png", blank(SIDE), coloured).contains("the value 3"));
}
