//! Training of the reader, end to end, on a network small enough to learn while one waits.

use std::collections::BTreeMap;
use std::path::Path;

use deepspine::engine::Device;
use deepspine::engine::encoder::{Calibration, Config, Network, Reader};
use deepspine::extract::{Extractor, Lexicon};
use deepspine::label::{Belief, Cell, Grade, Level, ReaderKind, Target, Verdict};
use deepspine::learn::reader::{Course, CourseError, Order, Start};
use deepspine::pipeline::TextReader;
use deepspine::simulate::{Part, Simulation};
use tch::{Tensor, nn::VarStore};

/// A base in the form in which encoders are published, with weights of no use yet.
fn base(folder: &Path) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for number in 0..300 {
        let text = Simulation::new(7).dictation(number, Part::Training).report.text.to_lowercase();
        for word in text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| w.len() > 1) {
            *counts.entry(word.to_owned()).or_default() += 1;
        }
    }
    let marks =
        "[PAD] [unused1] [unused2] [unused3] [UNK] [CLS] [SEP] [MASK] . , : ; - / ( ) < > & = *";
    let mut pieces: Vec<String> = marks.split(' ').map(str::to_owned).collect();
    pieces.extend(('a'..='z').chain('0'..='9').flat_map(|c| [c.to_string(), format!("##{c}")]));
    let mut words: Vec<_> = counts.into_iter().filter(|(_, count)| *count > 4).collect();
    words.sort_by_key(|(word, count)| (std::cmp::Reverse(*count), word.clone()));
    pieces.extend(words.into_iter().map(|(word, _)| word));
    std::fs::write(folder.join("vocab.txt"), pieces.join("\n")).unwrap();

    let config = Config {
        vocabulary: pieces.len() as i64,
        hidden: 48,
        intermediate: 96,
        layers: 2,
        heads: 4,
        longest: 256,
    };
    let published = serde_json::json!({
        "hidden_size": config.hidden,
        "intermediate_size": config.intermediate,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
    });
    std::fs::write(folder.join("config.json"), published.to_string()).unwrap();
    tch::manual_seed(3);
    let variables = VarStore::new(tch::Device::Cpu);
    let _network = Network::new(&variables.root(), &config);
    let tensors: Vec<(String, Tensor)> = variables
        .variables()
        .into_iter()
        .filter_map(|(name, tensor)| {
            Some((name.strip_prefix("bert.")?.to_owned(), tensor.detach()))
        })
        .collect();
    Tensor::write_safetensors(&tensors, folder.join("model.safetensors")).unwrap();
}

fn order(folder: &Path, seed: u64) -> Order {
    Order {
        start: Start::Encoder { base: folder.join("base"), pieces: 1200 },
        folder: folder.join("reader"),
        seed,
        steps: 900,
        tokens: 1024,
        reports: 120,
        rate: 3e-3,
        gold: Vec::new(),
        check: Vec::new(),
        sources: Vec::new(),
        patience: 12,
        device: Device::CPU,
    }
}

fn open(order: Order) -> Result<Course, CourseError> {
    Course::open(order, Extractor::new(&Lexicon::builtin("en").unwrap()))
}

#[test]
fn a_reader_learns_and_a_stopped_training_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("base")).unwrap();
    base(&folder.path().join("base"));

    let mut course = open(order(folder.path(), 1)).unwrap();
    let first = course.round(|_| ()).unwrap();
    let stood = |course: &Course| (course.record().rounds, course.record().steps);
    let record = folder.path().join("reader").join("training.json");
    let of_the_first_round = std::fs::read(&record).unwrap();
    course.round(|_| ()).unwrap();
    let stopped = stood(&course);
    drop(course);
    // As a kill would leave it after the checkpoint of the second round, and before its record.
    std::fs::write(&record, of_the_first_round).unwrap();

    let mut course = open(order(folder.path(), 1)).unwrap();
    assert_eq!(stood(&course), stopped, "a checkpoint tells where the training stood");
    let mut last = first;
    while !course.is_over() {
        last = course.round(|_| ()).unwrap();
    }
    assert!(last.held_out.f1() > first.held_out.f1() + 0.1, "{first:?} then {last:?}");
    assert!(last.held_out.loss < 0.85 * first.held_out.loss, "{first:?} then {last:?}");
    assert_eq!(course.record().steps, 900);
    for file in ["config.json", "vocab.txt", "weights.safetensors", "training.json", "training.svg"]
    {
        assert!(folder.path().join("reader").join(file).is_file(), "{file}");
    }

    let model = folder.path().join("reader");
    reads_what_it_learned(&model);
    assert!(fused(&model, 0.9).is_none(), "what is not calibrated cannot be fused");
    let mut stops = 0;
    course.calibrate(|_| stops += 1).unwrap();
    assert!(stops > 480, "a calibration can be stopped at every report");
    reads_with_the_rules(&model);
    lists_what_it_is_uncertain_of(&model);
    is_calibrated_anew(&model, &folder.path().join("adapted"));
    is_fitted_to_other_reports(&model, folder.path(), first.held_out.loss);
    is_known_by_all_that_it_reads_with(&model);
    refuses_what_does_not_fit(&model);

    let other = open(order(folder.path(), 2)).err().unwrap().to_string();
    assert!(other.contains("seed 1"), "{other}");
    std::fs::write(folder.path().join("reader").join("vocab.txt"), "[PAD]\n").unwrap();
    let other = open(order(folder.path(), 1)).err().unwrap().to_string();
    assert!(other.contains("vocab.txt") && other.contains("on other reports"), "{other}");
}

#[test]
fn a_training_that_gets_no_further_stops_early() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("base")).unwrap();
    base(&folder.path().join("base"));
    let still = Order { rate: 0.0, reports: 20, patience: 2, ..order(folder.path(), 1) };
    let mut course = open(still).unwrap();
    while !course.is_over() {
        course.round(|_| ()).unwrap();
    }
    assert_eq!(course.record().rounds, 3, "one round, and two that were no better");
    assert!(course.record().steps < 900);
}

fn deepspine(folder: &Path, args: &[&str]) -> (bool, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_deepspine"));
    let output = command.current_dir(folder).args(args).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A trained model is begun with where no published encoder can be had. What is judged on is not
/// learned from, and a training goes on with its own files alone.
fn is_fitted_to_other_reports(model: &Path, folder: &Path, loss_of_a_beginner: f64) {
    let line = |id: &str, text: &str| {
        format!(r#"{{"id":"{id}","text":"{text}","cells":{{"L4-L5":{{"central":"severe"}}}}}}"#)
            + "\n"
    };
    let apart = line("a", "L4-L5: Severe canal stenosis.");
    let ours =
        line("b", "L4-L5:  Severe canal\\nstenosis.") + &line("c", "L4-L5: The canal is tight.");
    std::fs::write(folder.join("apart.jsonl"), &apart).unwrap();
    std::fs::write(folder.join("ours.jsonl"), ours).unwrap();
    let model = model.to_str().unwrap();
    let train = |gold: &str, check: &str, from: &str, output: &str| {
        let few = ["--reports", "20", "--steps", "3", "--rate", "0.0001"];
        let args = ["train", "reader", gold, "--check", check, "--from", from, "-o", output];
        deepspine(folder, &[&args[..], &few].concat())
    };
    let (is_done, told) = train("ours.jsonl", "apart.jsonl", model, "fitted");
    assert!(is_done, "{told}");
    assert!(told.contains("not learned from: 1 reports"), "{told}");
    let text = |path: &Path| std::fs::read_to_string(path).unwrap();
    let fitted = folder.join("fitted");
    assert_eq!(text(&fitted.join("vocab.txt")), text(&Path::new(model).join("vocab.txt")));
    let record: serde_json::Value =
        serde_json::from_str(&text(&fitted.join("training.json"))).unwrap();
    assert_eq!((&record["steps_before"], &record["left_out"]), (&900.into(), &1.into()));
    let loss = record["curve"][0]["held_out"]["loss"].as_f64().unwrap();
    assert!(loss < loss_of_a_beginner, "{loss} after a few steps, {loss_of_a_beginner} without");
    assert!(fused(&fitted, 0.9).is_some(), "it is calibrated");

    std::fs::write(folder.join("apart.jsonl"), apart.repeat(2)).unwrap();
    let (is_done, told) = train("ours.jsonl", "apart.jsonl", model, "fitted");
    assert!(!is_done && told.contains("training.json` is of a training on other files"), "{told}");
    assert!(told.contains("`apart.jsonl`") && !told.contains("`ours.jsonl`"), "{told}");
    let (is_done, told) = train("apart.jsonl", "ours.jsonl", "fitted", "further");
    assert!(!is_done && told.contains("`ours.jsonl` would be judged on"), "{told}");
}

/// Other words are another reader, though the weights are the same.
fn is_known_by_all_that_it_reads_with(folder: &Path) {
    let hash = || Reader::load(folder, Device::CPU).unwrap().identity().content_hash.clone();
    let (path, was) = (folder.join("vocab.txt"), hash());
    let words = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, words.replace("\n##a\n", "\n##é\n")).unwrap();
    assert_ne!(hash(), was);
    std::fs::write(&path, words).unwrap();
    assert_eq!(hash(), was);
}

#[test]
fn what_cannot_be_heeded_is_refused_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let report = r#"{"id": "a", "text": "L4-L5: normal.", "cells": {}}"#;
    std::fs::write(folder.path().join("a.jsonl"), report).unwrap();
    let neural = ["--reader", "fused"];
    for (args, told) in [
        (&["extract", "a.jsonl", "--model", "ours"][..], "--reader rules does not heed --model"),
        (&["import", "a.jsonl", "--device", "cpu"], "give --reader fused"),
        (&["import", "a.jsonl", "--labels-by", "anna", neural[0], neural[1]], neural[0]),
        (&["import", "a.jsonl", "--labels-by", "anna", "--language", "de"], "--language"),
        (&["import", "a.jsonl", "--labels-by", "anna", "--device", "cpu"], "--device"),
        (&["train", "grader", "f", "--from", "g", "-o", "c", "--single-task"], "--single-task"),
        (&["train", "grader", "f", "--from", "g", "-o", "c", "--targets", "recess"], "--targets"),
        (&["explain", "a.jsonl", "--coverage", "0.9"], "does not heed --coverage"),
        (&["evaluate", "reader", "a.jsonl", "--model", "ours"], "does not heed --model"),
        (&["extract", "a.jsonl", "--reader", "transformer", "--coverage", "0.9"], "--coverage"),
        (&["extract", "a.jsonl", "--language", "de", neural[0], neural[1]], "not in `de`"),
        (&["train", "reader", "--language", "de", "--base", "b", "-o", "c"], "not in `de`"),
        (&["extract", "a.jsonl", neural[0], neural[1], "--uncertain", "-o", "b.jsonl"], ".csv"),
        (&["train", "reader", "--base", "b", "-o", "c", "--reports", "1"], "--reports"),
        (&["train", "reader", "--base", "b", "-o", "c", "--steps", "0"], "--steps"),
        (&["train", "reader", "--base", "b", "-o", "c", "--patience", "0"], "--patience"),
        (&["train", "reader", "--base", "b", "--from", "d", "-o", "c"], "--from"),
        (&["train", "reader", "-o", "c"], "--base"),
        (&["train", "reader", "--base", "b", "-o", "a.jsonl"], "`a.jsonl` is a file"),
        (&["train", "calibration", "a.jsonl", "-o", "a.jsonl"], "`a.jsonl` is a file"),
        (&["train", "calibration", "a.jsonl", "-o", "c", "--reports", "0"], "--reports"),
    ] {
        let (is_done, said) = deepspine(folder.path(), args);
        assert!(!is_done && said.contains(told), "{args:?}: {said}");
    }
}

/// It may be one of those that come with the program: nobody is told to remove it.
#[test]
fn the_folder_of_another_network_is_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let [segmenter, grader] =
        ["segmenter", "grader"].map(|name| format!("{}/models/{name}", env!("CARGO_MANIFEST_DIR")));
    let (segmenter, grader) = (segmenter.as_str(), grader.as_str());
    for (args, told) in [
        (&["train", "reader", "--from", segmenter, "-o", "r"][..], "another folder with --from"),
        (&["train", "grader", "f", "--from", segmenter, "-o", "g"], "if this is a segmenter's"),
        (&["evaluate", "grader", "f", "--model", segmenter], "if this is a segmenter's"),
        (&["evaluate", "segmenter", "f", "--model", grader], "if this is a grader's"),
    ] {
        let (is_done, said) = deepspine(folder.path(), args);
        assert!(!is_done && said.contains(told), "{args:?}: {said}");
        assert!(!said.contains("remove the folder"), "{args:?}: {said}");
    }
}

/// The model that a training leaves reads texts: probabilities that add up, and words as evidence.
fn reads_what_it_learned(folder: &Path) {
    let reader = Reader::load(folder, Device::CPU).unwrap();
    let mut extractor = Extractor::new(&Lexicon::builtin("en").unwrap());
    let text = "L3-L4: Severe canal stenosis.\nL4-L5: Both foramina are patent.";
    let extraction = extractor.extract(text);
    let levels = &reader.read(&[(text, &extraction), ("", &extractor.extract(""))])[..];
    let cells = [Level::L3L4, Level::L4L5]
        .into_iter()
        .flat_map(|level| Target::ALL.into_iter().map(move |target| Cell { level, target }));
    assert!(levels[0].iter().map(|seen| seen.cell).eq(cells));
    assert!(levels[1].is_empty());
    for seen in &levels[0] {
        let sum: f32 = Belief::outcomes().map(|outcome| seen.belief.of(outcome)).sum();
        assert!((sum - 1.0).abs() < 1e-4, "{seen:?}");
        assert!(!seen.evidence.is_empty());
        assert!(seen.evidence.iter().all(|span| text.get(span.range()).is_some()));
    }
}

fn fused(folder: &Path, coverage: f64) -> Option<TextReader> {
    let model = Reader::load(folder, Device::CPU).unwrap();
    TextReader::fused(Extractor::new(&Lexicon::builtin("en").unwrap()), model, coverage)
}

/// Rules and transformer read one text side by side, and the fused opinions say how sure they are.
fn reads_with_the_rules(folder: &Path) {
    assert!(fused(folder, 0.42).is_none(), "no thresholds were learned for that coverage");
    let mut texts = fused(folder, 0.9).unwrap();
    let kinds: Vec<_> = texts.readers().iter().map(|reader| reader.kind).collect();
    assert_eq!(kinds, [ReaderKind::Rules, ReaderKind::Transformer, ReaderKind::Fused]);
    let all = ["L3-L4: Severe canal stenosis.\nL4-L5: Both foramina are patent.", ""];
    let readings = texts.read(&all);
    assert!(readings[1].opinions().is_empty());
    let severe: Cell = "L3-L4/central".parse().unwrap();
    let opinion = readings[0].opinions().iter().find(|opinion| opinion.cell == severe).unwrap();
    assert_eq!(opinion.verdict, Verdict::Graded(Grade::Severe), "{opinion:?}");
    let probability = opinion.probability().unwrap();
    assert!(probability > 0.3 && probability <= 1.0, "{probability}");
    // A clone, as for another thread, shares the weights and says the same.
    assert_eq!(texts.clone().read(&all)[0].opinions(), readings[0].opinions());
}

/// A finished model and a few labelled reports make the same model with other thresholds.
fn is_calibrated_anew(model: &Path, adapted: &Path) {
    let gold = model.join("ours.jsonl");
    let line = r#"{"id":"a","text":"L4-L5: Severe canal stenosis.","cells":{"L4-L5":{"central":"severe"}}}"#;
    std::fs::write(&gold, format!("{line}\n")).unwrap();
    let run = |gold: &Path| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_deepspine"));
        command.args(["train", "calibration", "--reports", "60"]).arg(gold);
        command.arg("--model").arg(model).arg("-o").arg(adapted).output().unwrap()
    };
    let made = run(&gold);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    assert!(fused(adapted, Calibration::USUAL_COVERAGE).is_some());
    let loaded = |folder| Reader::load(folder, Device::CPU).unwrap();
    assert_ne!(loaded(adapted).calibration(), loaded(model).calibration());
    std::fs::write(&gold, "").unwrap();
    let refused = run(&gold);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("no labelled report"));
}

fn lists_what_it_is_uncertain_of(folder: &Path) {
    let reports = folder.join("reports.csv");
    // Words that no lexicon has and a small network has not learned.
    let text = "L4-L5: the canal is choked off. L3-L4: severe canal stenosis.";
    std::fs::write(&reports, format!("id,report\na,\"{text}\"\n")).unwrap();
    let run = |more: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_deepspine"));
        command.arg("extract").arg(&reports).args(more).output().unwrap()
    };
    let model = folder.to_str().unwrap();
    let listed = run(&["--reader", "fused", "--model", model, "--coverage", "0.99", "--uncertain"]);
    let (out, told) = (listed.stdout, String::from_utf8_lossy(&listed.stderr).into_owned());
    let out = String::from_utf8(out).unwrap();
    assert!(listed.status.success(), "{told}");
    let mut lines = out.lines();
    assert!(lines.next().unwrap().starts_with("id,source,level,target,verdict,probability,may_be"));
    assert!(lines.all(|line| line.starts_with("a,,L")), "{out}");
    assert!(out.contains(",L4-L5,central,"), "{out}");
    let long = run(&["--reader", "fused", "--model", model, "--format", "long"]).stdout;
    assert!(String::from_utf8(long).unwrap().contains(",rules,probability,may_be\n"));
    let refused = run(&["--uncertain"]);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--reader fused"));
}

/// A folder whose files are of another network or of other labels is refused, and what differs is
/// named.
fn refuses_what_does_not_fit(folder: &Path) {
    let refused = |name: &str, text: String| {
        let path = folder.join(name);
        let was = std::fs::read(&path).unwrap();
        std::fs::write(&path, text).unwrap();
        let message = Reader::load(folder, Device::CPU).err().unwrap().to_string();
        std::fs::write(&path, was).unwrap();
        message
    };
    let config = std::fs::read_to_string(folder.join("config.json")).unwrap();
    let message = refused("config.json", "{}".to_owned());
    assert!(message.contains("config.json"), "{message}");
    let message = refused("config.json", config.replace("\"severe\"", "\"extreme\""));
    assert!(message.contains("config.json") && message.contains("extreme"), "{message}");
    let message = refused("config.json", config.replace("\"hidden\": 48", "\"hidden\": 96"));
    assert!(message.contains("weights.safetensors"), "{message}");
    let message = refused("config.json", config.replace("\"heads\": 4", "\"heads\": 0"));
    assert!(message.contains("config.json") && message.contains("no heads"), "{message}");
    let message = refused("config.json", config.replace("\"heads\": 4", "\"heads\": 5"));
    assert!(message.contains("no multiple of its heads"), "{message}");
    let message = refused("calibration.json", "{\"temperature\": 1}".to_owned());
    assert!(message.contains("calibration.json"), "{message}");
}

#[test]
fn a_base_that_lacks_a_file_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("base")).unwrap();
    let message = open(order(folder.path(), 1)).err().unwrap().to_string();
    assert!(message.contains("config.json"), "{message}");
}
