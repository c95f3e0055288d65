//! Training of the reader, end to end, on a network small enough to learn while one waits.

use std::collections::BTreeMap;
use std::path::Path;

use deepspine::engine::Device;
use deepspine::engine::encoder::{Config, Network, Reader};
use deepspine::extract::{Extractor, Lexicon};
use deepspine::label::Level;
use deepspine::learn::reader::{Course, CourseError, Order};
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
        base: folder.join("base"),
        folder: folder.join("reader"),
        seed,
        steps: 900,
        tokens: 1024,
        reports: 120,
        pieces: 1200,
        rate: 3e-3,
        gold: Vec::new(),
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
    let stopped = stood(&course);
    drop(course);

    let mut course = open(order(folder.path(), 1)).unwrap();
    assert_eq!(stood(&course), stopped, "a checkpoint tells where the training stood");
    let mut last = first;
    while !course.is_over() {
        last = course.round(|_| ()).unwrap();
    }
    assert!(last.f1() > first.f1() + 0.1, "{first:?} then {last:?}");
    assert!(last.loss < 0.85 * first.loss, "{first:?} then {last:?}");
    assert_eq!(course.record().steps, 900);
    for file in ["config.json", "vocab.txt", "weights.safetensors", "training.json"] {
        assert!(folder.path().join("reader").join(file).is_file(), "{file}");
    }

    reads_what_it_learned(&folder.path().join("reader"));

    let other = open(order(folder.path(), 2)).err().unwrap().to_string();
    assert!(other.contains("seed 1"), "{other}");
    std::fs::write(folder.path().join("reader").join("vocab.txt"), "[PAD]\n").unwrap();
    let other = open(order(folder.path(), 1)).err().unwrap().to_string();
    assert!(other.contains("vocab.txt") && other.contains("on other reports"), "{other}");
}

/// The model that a training leaves reads texts: probabilities that add up, and words as evidence.
fn reads_what_it_learned(folder: &Path) {
    let reader = Reader::load(folder, Device::CPU).unwrap();
    let mut extractor = Extractor::new(&Lexicon::builtin("en").unwrap());
    let text = "L3-L4: Severe canal stenosis.\nL4-L5: Both foramina are patent.";
    let extraction = extractor.extract(text);
    let levels = &reader.read(&[(text, &extraction), ("", &extractor.extract(""))])[..];
    assert_eq!(
        levels[0].iter().map(|view| view.level).collect::<Vec<_>>(),
        [Level::L3L4, Level::L4L5]
    );
    assert!(levels[1].is_empty());
    for seen in levels[0].iter().flat_map(|view| &view.targets) {
        let sum: f32 = seen.probabilities.iter().sum();
        assert!((sum - 1.0).abs() < 1e-4, "{seen:?}");
        assert!(!seen.evidence.is_empty());
        assert!(seen.evidence.iter().all(|span| text.get(span.range()).is_some()));
    }

    std::fs::write(folder.join("config.json"), "{}").unwrap();
    let message = Reader::load(folder, Device::CPU).err().unwrap().to_string();
    assert!(message.contains("config.json"), "{message}");
}

#[test]
fn a_base_that_lacks_a_file_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("base")).unwrap();
    let message = open(order(folder.path(), 1)).err().unwrap().to_string();
    assert!(message.contains("config.json"), "{message}");
}
