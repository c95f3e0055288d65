//! What the transformer costs, beside the rules and beside what libtorch can do at best, measured in
//! one run.
//!
//! `make bench` runs it, on the model that comes with the program.

mod memory;

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use deepspine::engine::Device;
use deepspine::engine::encoder::{Calibration, Config, Network, Reader};
use deepspine::extract::{Extractor, Lexicon};
use deepspine::pipeline::TextReader;
use deepspine::simulate::{Part, Simulation};
use rayon::prelude::*;
use tch::{Kind, Tensor, nn::VarStore};

use memory::peak_memory;

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/reader");

fn main() {
    forward();
    readers();
}

/// The network beside its matrix products alone, in the shapes in which it multiplies them.
fn forward() {
    let config = std::fs::read_to_string(Path::new(MODEL).join("config.json")).expect("a model");
    let config: serde_json::Value = serde_json::from_str(&config).expect("a configuration");
    let config: Config = serde_json::from_value(config["network"].clone()).expect("a network");
    let mut variables = VarStore::new(tch::Device::Cpu);
    let network = Network::new(&variables.root(), &config);
    variables.freeze();
    for (sequences, tokens) in [(32, 32), (16, 64), (8, 128), (4, 256)] {
        let shape = [sequences, tokens];
        let words = Tensor::randint(config.vocabulary, shape, (Kind::Int64, tch::Device::Cpu));
        let (mask, segments) = (words.ones_like(), words.zeros_like());
        let products = Products::new(&config, sequences, tokens);
        // The two take turns, so that a busy machine slows both.
        let (mut whole, mut bare) = (Duration::MAX, Duration::MAX);
        for _ in 0..12 {
            bare = bare.min(time(|| products.multiply()));
            whole = whole.min(time(|| {
                tch::no_grad(|| black_box(network.forward(&words, &mask, &segments, false)));
            }));
        }
        println!(
            "{sequences:>3} sequences of {tokens:>3} tokens: forward {:>6.1} ms, its matrix products \
             alone {:>6.1} ms: {:.2} times",
            1e3 * whole.as_secs_f64(),
            1e3 * bare.as_secs_f64(),
            whole.as_secs_f64() / bare.as_secs_f64()
        );
    }
}

/// The operands of a layer's matrix products.
struct Products {
    layers: i64,
    pairs: Vec<(Tensor, Tensor)>,
}

impl Products {
    fn new(config: &Config, sequences: i64, tokens: i64) -> Self {
        let random = |shape: &[i64]| Tensor::randn(shape, (Kind::Float, tch::Device::Cpu));
        let (all, hidden, between) = (sequences * tokens, config.hidden, config.intermediate);
        let (heads, width) = (config.heads, config.hidden / config.heads);
        let mut pairs: Vec<(Tensor, Tensor)> =
            (0..4).map(|_| (random(&[all, hidden]), random(&[hidden, hidden]))).collect();
        let queries = || random(&[sequences, heads, tokens, width]);
        pairs.push((queries(), random(&[sequences, heads, width, tokens])));
        pairs.push((random(&[sequences, heads, tokens, tokens]), queries()));
        pairs.push((random(&[all, hidden]), random(&[hidden, between])));
        pairs.push((random(&[all, between]), random(&[between, hidden])));
        Self { layers: config.layers, pairs }
    }

    fn multiply(&self) {
        for _ in 0..self.layers {
            for (one, other) in &self.pairs {
                let _ = black_box(one.matmul(other));
            }
        }
    }
}

/// Reports a second, by rules alone and with the transformer.
fn readers() {
    let simulation = Simulation::new(3);
    let texts: Vec<String> =
        (0..400).map(|number| simulation.dictation(number, Part::HeldOut).report.text).collect();
    let extractor = Extractor::new(&Lexicon::builtin("en").expect("the lexicon is whole"));
    let model = Reader::load(Path::new(MODEL), Device::CPU).expect("a model");
    let fused = TextReader::fused(extractor.clone(), model, Calibration::USUAL_COVERAGE)
        .expect("a calibrated model");
    let mut speeds = Vec::new();
    for (name, reader) in [("rules", TextReader::rules(extractor)), ("fused", fused)] {
        let took = time(|| read(&reader, &texts));
        let speed = texts.len() as f64 / took.as_secs_f64();
        println!("{name}: {speed:>9.0} reports/s");
        speeds.push(speed);
    }
    println!("  fused against rules: {:.4} times", speeds[1] / speeds[0]);
    if let Some(kilobytes) = peak_memory(std::process::id()) {
        println!("  memory at most: {} MB", kilobytes / 1024);
    }
}

fn read(reader: &TextReader, texts: &[String]) {
    deepspine::engine::work_on_one_thread();
    let spare = std::sync::Mutex::new(reader.clone());
    texts.par_chunks(16).for_each_init(
        || spare.lock().expect("no thread has failed").clone(),
        |reader, share| {
            black_box(reader.read(&share.iter().map(String::as_str).collect::<Vec<_>>()));
        },
    );
}

fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}
