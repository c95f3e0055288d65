//! `grade` on the command line: an invented study to graded levels, in one pass.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use deepspine::engine::grader::{Calibration, Config, Network, TypeCalibration};
use deepspine::engine::save;
use deepspine::label::{Level, OrdinalConformal, Reader, ReaderKind, StenosisType, TARGETS};
use deepspine::store::Store;
use serde_json::Value;
use tch::nn::VarStore;

/// A grader that has learned nothing, and knows that nothing can be excluded.
fn untrained(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let config = Config::default();
    tch::manual_seed(3);
    let variables = VarStore::new(tch::Device::Cpu);
    let _ = Network::new(&variables.root(), &config);
    save(&variables, &folder.join("weights.safetensors")).unwrap();
    fs::write(folder.join("config.json"), serde_json::to_string(&config).unwrap()).unwrap();
    let sets = Calibration::COVERAGES.map(|coverage| OrdinalConformal::fit(coverage, &[]));
    let of = TypeCalibration { sets: sets.to_vec(), ..TypeCalibration::default() };
    let types = [StenosisType::Central, StenosisType::Foraminal, StenosisType::Recess];
    let calibration = Calibration(types.map(|stenosis| (stenosis, of.clone())).into());
    let calibration = serde_json::to_string(&calibration).unwrap();
    fs::write(folder.join(Calibration::FILE), calibration).unwrap();
}

fn deepspine(arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_deepspine")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    output
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_study_is_graded_level_by_level_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (studies, out, data) = (path("studies"), path("out"), path("data"));
    let grader = path("grader");
    untrained(Path::new(&grader));
    deepspine(&["simulate", "studies", "--count", "1", "--seed", "3", "-o", &studies]);
    deepspine(&["import", &format!("{studies}/reports.csv"), "--data", &data]);
    let study = format!("{studies}/studies/SIM0000000");
    let grade = ["grade", &study, "--grader", &grader, "-o", &out, "--store", "--data", &data];
    deepspine(&grade);

    let record = fs::read(Path::new(&out).join("SIM0000000/study.json")).unwrap();
    let record: Value = serde_json::from_slice(&record).unwrap();
    assert!(record["segmenter"].is_string(), "the network found the tissues");
    let levels = record["levels"].as_array().unwrap();
    let is_lumbar = |level: &&Value| {
        let name: Option<Level> = level["level"].as_str().and_then(|name| name.parse().ok());
        name.is_some_and(Level::is_lumbar)
    };
    let (lumbar, above): (Vec<&Value>, Vec<&Value>) = levels.iter().partition(is_lumbar);
    assert!(!above.is_empty(), "the image shows thoracic levels");
    for level in above {
        assert!(level["grades"].is_null(), "no grader has learned thoracic levels: {level}");
    }
    let mut graded = 0;
    for level in lumbar {
        let grades = level["grades"].as_array().unwrap();
        assert_eq!(grades.len(), TARGETS.len(), "{level}");
        for of in grades {
            let sum: f64 =
                of["probabilities"].as_array().unwrap().iter().flat_map(Value::as_f64).sum();
            assert!((sum - 1.0).abs() < 1e-3, "{of}");
            assert_eq!(of["may_be"], serde_json::json!(["normal", "severe"]));
        }
        graded += grades.len();
    }
    assert!(graded >= 5 * TARGETS.len(), "five lumbar levels: {graded}");
    let read = |name: &str| fs::read_to_string(Path::new(&out).join(name)).unwrap();
    assert_eq!(read("grades.csv").lines().count(), 1 + graded);
    assert_eq!(read("grades.jsonl").lines().count(), graded);
    let table = read("rsna2024.csv");
    let row = table.lines().nth(1).unwrap();
    let uid = record["study_uid"].as_str().unwrap();
    assert!(row.starts_with(uid) && row.contains("Normal/Mild"), "{row}");
    let page = read("SIM0000000/spine.html");
    assert!(page.contains("id=\"h-grades\"") && page.contains("Graded by a network"));

    // The report and the discs of its study meet, each with what its reader says.
    let store = Store::open(Path::new(&data)).unwrap();
    let report = store.report_named(None, "SR0000000").unwrap().unwrap();
    let images = store.images(report).unwrap().unwrap();
    let kinds = |disc: &deepspine::store::DiscReadings| {
        disc.readings.iter().map(|reading| reading.kind).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&images.discs[0]), [ReaderKind::Measurement, ReaderKind::Grader]);

    let again = deepspine(&grade);
    assert!(said(&again).contains("1 were there already"), "{}", said(&again));
    assert_eq!(read("grades.csv").lines().count(), 1 + graded, "tables are of all studies");
}

#[test]
fn a_cohort_is_graded_out_of_the_archive_as_its_files_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (studies, data, grader) = (path("studies"), path("data"), path("grader"));
    let (of_files, of_cohort) = (path("files"), path("cohort"));
    untrained(Path::new(&grader));
    deepspine(&["simulate", "studies", "--count", "2", "--seed", "3", "-o", &studies]);
    deepspine(&["import", &format!("{studies}/reports.csv"), "--data", &data]);
    let study = format!("{studies}/studies/SIM0000000");
    let masks = ["--masks", &format!("{studies}/truth")];
    deepspine(&[
        "segment",
        &study,
        masks[0],
        masks[1],
        "-o",
        &path("s"),
        "--store",
        "--data",
        &data,
    ]);
    deepspine(&["grade", &study, masks[0], masks[1], "--grader", &grader, "-o", &of_files]);
    deepspine(&["cohort", "freeze", "all", "modality:MR", "--data", &data]);

    let grade = || {
        let all = ["grade", "--cohort", "all", "--grader", &grader, "-o", &of_cohort, "--store"];
        let mut command = Command::new(env!("CARGO_BIN_EXE_deepspine"));
        command.args(all).args(["--data", &data]).output().unwrap()
    };
    let record = fs::read(Path::new(&of_files).join("SIM0000000/study.json")).unwrap();
    let record: Value = serde_json::from_slice(&record).unwrap();
    assert!(record["segmenter"].is_null(), "a mask had the tissues");

    let table = |out: &str, name: &str| fs::read_to_string(Path::new(out).join(name)).unwrap();
    let first = grade();
    assert_eq!(first.status.code(), Some(2), "one report has no study: {}", said(&first));
    assert!(table(&of_cohort, "failures.csv").contains("SR0000001,\"no study has its UID"));
    for name in ["grades.csv", "grades.jsonl", "rsna2024.csv"] {
        assert_eq!(table(&of_cohort, name), table(&of_files, name), "{name}");
    }
    assert!(said(&grade()).contains("1 were there already"));

    // Who segments anew has other discs, whatever they are called.
    fs::write(path("thresholds"), "normal = 140\nmild = 100\nmoderate = 75\n").unwrap();
    let anew =
        ["--thresholds", &path("thresholds"), "-o", &path("anew"), "--store", "--data", &data];
    deepspine(&[&["segment", &study, masks[0], masks[1]], &anew[..]].concat());
    assert!(said(&grade()).contains("1 of the studies of `all` graded"));

    // Who corrects names has the levels graded that are called so now.
    let mut store = Store::open(Path::new(&data)).unwrap();
    let report = store.report_named(None, "SR0000000").unwrap().unwrap();
    let images = store.images(report).unwrap().unwrap();
    let has_grades = |disc: &deepspine::store::DiscReadings| {
        disc.readings.iter().any(|reading| reading.kind == ReaderKind::Grader)
    };
    assert!(has_grades(&images.discs[0]), "the archive keeps them");
    let mut names: Vec<Option<Level>> = images.discs.iter().map(|disc| disc.level).collect();
    names.rotate_left(1);
    let person = Reader {
        kind: ReaderKind::Person,
        name: "lea".into(),
        version: String::new(),
        content_hash: String::new(),
    };
    let uid = table(&of_files, "grades.csv");
    let uid = uid.lines().nth(1).unwrap().split(',').next().unwrap();
    let last = names.len() - 1;
    names[last] = None;
    assert!(store.write(|writer| writer.correct_naming(uid, &names, &person)).unwrap());
    assert!(said(&grade()).contains("1 of the studies of `all` graded"));
    let rows = table(&of_cohort, "grades.csv");
    assert!(!rows.contains("L5-S1") && rows.contains("L4-L5,1,"), "{rows}");
}
