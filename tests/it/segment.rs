//! `segment` on the command line.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use deepspine::engine::save;
use deepspine::engine::unet::{Config, Network};
use deepspine::imaging::{Kind, npz};
use deepspine::store::Store;
use tch::nn::VarStore;

use super::scanner::{Shot, classic};

/// A small network that has learned nothing.
fn untrained(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let config = Config { widths: vec![4, 8], ..Config::default() };
    tch::manual_seed(3);
    let variables = VarStore::new(tch::Device::Cpu);
    let _ = Network::new(&variables.root(), &config);
    fs::write(folder.join("config.json"), serde_json::to_string(&config).unwrap()).unwrap();
    save(&variables, &folder.join("weights.safetensors")).unwrap();
}

fn segment(arguments: &[&Path]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_deepspine")).arg("segment").args(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn studies_that_cannot_be_segmented_are_listed_and_end_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    untrained(&at("model"));
    fs::create_dir(at("studies")).unwrap();
    fs::write(at("studies/one.nii.gz"), "no volume").unwrap();
    fs::write(at("studies/two.dcm"), "no DICOM").unwrap();
    let (each, to, with) = (Path::new("--each"), Path::new("-o"), Path::new("--model"));
    let output = segment(&[each, &at("studies"), to, &at("out"), with, &at("model")]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("two.dcm"), "{}", said(&output));
    assert!(said(&output).contains("0 studies segmented"), "{}", said(&output));
    let failures = fs::read_to_string(at("out/failures.csv")).unwrap();
    assert_eq!(failures.lines().count(), 3, "{failures}");
    let left: Vec<_> = fs::read_dir(at("out")).unwrap().collect();
    assert_eq!(left.len(), 2, "no half a study is left: {left:?}");

    let missing = segment(&[&at("nothing"), to, &at("out"), with, &at("model")]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(said(&missing).contains("nothing"), "{}", said(&missing));
}

#[test]
fn two_studies_of_the_same_name_are_refused_before_anything_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    untrained(&at("model"));
    for study in ["one", "two"] {
        fs::create_dir(at(study)).unwrap();
        fs::write(at(study).join("spine.nii"), "no volume").unwrap();
    }
    let (to, with) = (Path::new("-o"), Path::new("--model"));
    let (one, two) = (at("one/spine.nii"), at("two/spine.nii"));
    let output = segment(&[&one, &two, to, &at("out"), with, &at("model")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("both be called `spine`"), "{}", said(&output));
    assert!(!at("out").exists());
}

/// Runs in a folder, with arguments as words.
fn segment_in(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_deepspine"));
    command.arg("segment").args(arguments).current_dir(folder).output().unwrap()
}

#[test]
fn what_is_made_never_takes_the_place_of_what_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let inputs = ["archive/one/1.dcm", "two/two/1.dcm", "mended/one/mask.nii.gz"];
    for input in inputs {
        fs::create_dir_all(at(input).parent().unwrap()).unwrap();
        fs::write(at(input), input).unwrap();
    }
    let refused: [(&str, &[&str]); 5] = [
        ("masks", &["--each", "archive", "-o", "archive"]),
        ("masks", &["archive/one", "-o", "archive"]),
        ("masks", &["archive/one", "-o", "none/../archive"]),
        ("masks", &["two/two", "-o", "."]),
        ("mended", &["archive/one", "-o", "mended"]),
    ];
    for (masks, arguments) in refused {
        for again in [&[] as &[&str], &["--again"]] {
            let masks: &[&str] = &["--masks", masks];
            let output = segment_in(folder.path(), &[masks, arguments, again].concat());
            assert_eq!(output.status.code(), Some(1), "{arguments:?} {again:?}");
            let said = said(&output);
            assert!(said.contains("elsewhere with -o"), "{arguments:?} {again:?}: {said}");
        }
    }
    for input in inputs {
        assert_eq!(fs::read_to_string(at(input)).unwrap(), input);
    }
    let all = ["", "archive", "archive/one", "two", "two/two", "mended", "mended/one"];
    let all = all.map(|folder| fs::read_dir(at(folder)).unwrap().count());
    assert_eq!(all, [3, 1, 1, 1, 1, 1, 1], "nothing is made beside them");
}

#[test]
fn a_folder_that_was_not_made_of_a_study_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for made in ["studies/one", "out/one"] {
        fs::create_dir_all(at(made)).unwrap();
    }
    fs::write(at("studies/one/1.dcm"), "no DICOM").unwrap();
    let segment = |again: &[&str]| {
        let arguments = ["--each", "studies", "--masks", "masks", "-o", "out"];
        segment_in(folder.path(), &[&arguments[..], again].concat())
    };
    for (file, content) in [("thesis.txt", "mine"), ("study.json", "{\"title\": \"thesis\"}")] {
        let file = at("out/one").join(file);
        fs::write(&file, content).unwrap();
        for again in [&[] as &[&str], &["--again"]] {
            let output = segment(again);
            assert_eq!(output.status.code(), Some(1), "{content} {again:?}");
            let said = said(&output);
            assert!(said.contains("is not what was made of a study"), "{content}: {said}");
            assert_eq!(fs::read_to_string(&file).unwrap(), content);
        }
    }
    fs::remove_dir_all(at("out/one")).unwrap();
    fs::write(at("out/one"), "a file").unwrap();
    assert!(said(&segment(&["--again"])).contains("is not what was made of a study"));
    fs::remove_file(at("out/one")).unwrap();
    fs::create_dir(at("out/one")).unwrap();
    let output = segment(&[]);
    assert!(said(&output).contains("not segmented: `studies/one`"), "{}", said(&output));
}

/// A real subject that the model did not learn from, every third slice, as a scanner's files.
fn real_subject(slices: &Path, study: &Path) {
    fs::create_dir(study).unwrap();
    let mut written = 0;
    for file in fs::read_dir(slices).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let number = name.strip_prefix("166_t2_SPACE_slice").and_then(|n| n.split('.').next());
        let Some(number) = number.and_then(|number| number.parse::<usize>().ok()) else { continue };
        if !number.is_multiple_of(3) {
            continue;
        }
        let picture = image::open(&path).unwrap().into_luma16();
        let size = [picture.width() as usize, picture.height() as usize];
        let left = 0.9 * number as f64;
        let shot = Shot { size, left, pixel: 0.468_75, values: picture.as_raw() };
        classic(&shot, number, &study.join(format!("{number}.dcm")));
        written += 1;
    }
    assert!(written >= 6, "{written}");
}

#[test]
fn the_bundled_segmenter_names_the_levels_of_a_real_subject() {
    let slices = Path::new("../shared/mri/spider_space/images");
    let model = Path::new("models/segmenter");
    if !slices.is_dir() || !model.join("weights.safetensors").is_file() {
        eprintln!("skipped: no slices at hand, or no segmenter");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (study, out) = (folder.path().join("study"), folder.path().join("out"));
    real_subject(slices, &study);
    let (to, archive) = (Path::new("-o"), folder.path().join("archive"));
    let flags = ["--segments", "--store", "--data"].map(Path::new);
    let output = segment(&[&[&study, to, &out], &flags[..], &[&archive]].concat());
    assert!(output.status.success(), "{}", said(&output));
    let record = fs::read_to_string(out.join("study/study.json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    let levels = record["levels"].as_array().unwrap();
    let names: Vec<_> = levels.iter().filter_map(|level| level["level"].as_str()).collect();
    assert!(names.ends_with(&["L2-L3", "L3-L4", "L4-L5", "L5-S1"]), "{names:?}");
    for level in &levels[1..] {
        let ap = level["canal"]["ap"].as_f64().unwrap();
        assert!((6.0..22.0).contains(&ap), "{level}");
    }
    for file in ["mask.nii.gz", "mask.dcm", "spine.html", "median.svg"] {
        assert!(out.join("study").join(file).is_file(), "{file}");
    }
    let table = fs::read_to_string(out.join("levels.csv")).unwrap();
    assert_eq!(table.lines().count(), 1 + levels.len(), "{table}");
    assert!(table.lines().last().unwrap().starts_with("study,false,L5-S1,1,"), "{table}");
    let store = Store::open(&archive).unwrap();
    let image = store.image_keys().unwrap().remove(0);
    assert_eq!(image.patient, Some((String::new(), "P-4".to_owned())));
    assert_eq!(image.date.as_deref(), Some("2026-01-02"));
    check_segments(levels, &out.join("study/segments"), &store);
    let stored = store.discs("1.2.826.0.1.7").unwrap();
    let kept: Vec<_> = stored.iter().rev().filter_map(|d| d.level).map(|l| l.name()).collect();
    assert_eq!(kept, names);
    let again = segment(&[&study, to, &out]);
    assert!(said(&again).contains("1 were there already"), "{}", said(&again));
}

/// That each level is cut out around the back of its disc, for the folder and for the archive.
fn check_segments(levels: &[serde_json::Value], folder: &Path, store: &Store) {
    let kept = store.segments("1.2.826.0.1.7").unwrap().unwrap();
    for (ordinal, level) in (1..=levels.len()).zip(levels.iter().rev()) {
        let read = |folder: &Path| {
            npz::read(fs::File::open(folder.join(npz::file_name(ordinal))).unwrap()).unwrap()
        };
        let segment = read(folder);
        assert_eq!(segment, read(&kept));
        assert_eq!(segment.crops.keys().collect::<Vec<_>>(), [&Kind::SagittalT2]);
        let crop = &segment.crops[&Kind::SagittalT2];
        let centre = [0, 1, 2].map(|axis: usize| level["centre"][axis].as_f64().unwrap());
        let [column, row, slice] = crop.geometry.to_voxel(centre);
        let before = (79.5 - column) * 0.5;
        assert!((10.0..35.0).contains(&before), "the disc is {before} mm before its back");
        assert!((row - 159.5).abs() < 0.1 && (slice - 12.0).abs() < 4.0, "{row} {slice}");
        let covered = level["covered"]["sagittal_t2"].as_array().unwrap();
        // The lowest levels are near the end of the image.
        assert!(covered.len() == 25 && covered[12].as_f64().unwrap() > 0.5, "{covered:?}");
    }
}

#[test]
fn given_masks_stand_for_the_network_and_so_do_those_that_it_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for (seed, out) in [("4", "made"), ("5", "other")] {
        let made = Command::new(env!("CARGO_BIN_EXE_deepspine"))
            .args(["simulate", "studies", "--count", "1", "--scoliosis", "0", "--seed", seed, "-o"])
            .arg(at(out))
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", said(&made));
    }
    let (each, to, masks) = (Path::new("--each"), Path::new("-o"), Path::new("--masks"));
    let studies = at("made/studies");
    let levels = |out: &str| {
        let record = fs::read(at(out).join("SIM0000000/study.json")).unwrap();
        let record: serde_json::Value = serde_json::from_slice(&record).unwrap();
        let of = |level: &serde_json::Value| {
            let area = level["canal"]["area"].as_f64().unwrap_or_default();
            (level["level"].as_str().map(str::to_owned), area)
        };
        record["levels"].as_array().unwrap().iter().map(of).collect::<Vec<_>>()
    };
    let output = segment(&[each, &studies, to, &at("out"), masks, &at("made/truth")]);
    assert!(output.status.success(), "{}", said(&output));
    let truth = fs::read(at("made/truth/SIM0000000.json")).unwrap();
    let truth: serde_json::Value = serde_json::from_slice(&truth).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        for made in ["out", "out/SIM0000000"] {
            let mode = fs::metadata(at(made)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700, "only its owner sees {made}");
        }
    }
    let found = levels("out");
    for level in truth["levels"].as_array().unwrap() {
        let name = level["level"].as_str();
        assert!(found.iter().any(|(found, _)| found.as_deref() == name), "{name:?} of {found:?}");
    }
    // What is there already is made of the same study in the same way.
    let same = segment(&[each, &studies, to, &at("out"), masks, &at("made/truth")]);
    assert!(said(&same).contains("1 were there already"), "{}", said(&same));
    fs::write(at("lower"), "normal = 140\nmild = 100\nmoderate = 75\n").unwrap();
    let lower = [Path::new("--thresholds"), &at("lower")];
    let otherwise = segment(
        &[&[each, &studies, to, &at("out"), masks, &at("made/truth")], &lower[..]].concat(),
    );
    assert!(said(&otherwise).contains("0 were there already"), "{}", said(&otherwise));
    let other = at("other/studies");
    let another = segment(&[each, &other, to, &at("out"), masks, &at("other/truth")]);
    assert_eq!(another.status.code(), Some(1));
    assert!(said(&another).contains("holds what was made of"), "{}", said(&another));
    let output = segment(&[each, &studies, to, &at("again"), masks, &at("out")]);
    assert!(output.status.success(), "{}", said(&output));
    for ((name, area), (again, other)) in found.iter().zip(levels("again")) {
        assert_eq!(*name, again);
        assert!((area - other).abs() <= 0.1 * area, "{name:?}: {area} and {other} mm2");
    }
    let output = segment(&[each, &studies, to, &at("none"), masks, &at("nowhere")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("it has no mask"), "{}", said(&output));
}
