//! What segmenting a study costs, part by part, and the network beside its convolutions alone, all in
//! one run.
//!
//! `make bench` runs it, on the model that comes with the program and a phantom of usual size.

mod memory;

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use deepspine::engine::Device;
use deepspine::engine::unet::{Config, Network, Segmenter};
use deepspine::imaging::spine::{Column, Measures, Naming, parts};
use deepspine::imaging::{Geometry, Volume};
use deepspine::simulate::Phantom;
use tch::nn::VarStore;
use tch::{Kind, Tensor};

use memory::peak_memory;

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/segmenter");

fn main() {
    let config = std::fs::read_to_string(Path::new(MODEL).join("config.json")).expect("a model");
    let config: Config = serde_json::from_str(&config).expect("a configuration");
    forward(&config);
    study();
}

/// The network beside its convolutions alone, in the shapes in which it does them.
fn forward(config: &Config) {
    let kind = Device::CPU.precision();
    let mut variables = VarStore::new(tch::Device::Cpu);
    let network = Network::new(&variables.root(), config);
    variables.freeze();
    let network = network.folded(kind);
    for side in [384, 512, 640] {
        let images =
            Tensor::randn([2, Config::SLICES, side, side], (Kind::Float, tch::Device::Cpu));
        let convolutions = Convolutions::new(config, side, kind);
        // The two take turns, so that a busy machine slows both.
        let (mut whole, mut bare) = (Duration::MAX, Duration::MAX);
        for _ in 0..8 {
            bare = bare.min(time(|| tch::no_grad(|| convolutions.convolve())));
            whole = whole.min(time(|| {
                let _ = tch::no_grad(|| black_box(network.forward(&images, kind, false)));
            }));
        }
        println!(
            "2 slices of {side}x{side}: forward {:>6.1} ms, its convolutions alone {:>6.1} ms: {:.2} \
             times",
            1e3 * whole.as_secs_f64(),
            1e3 * bare.as_secs_f64(),
            whole.as_secs_f64() / bare.as_secs_f64()
        );
    }
}

/// Inputs and weights of every convolution of the network.
struct Convolutions {
    plain: Vec<(Tensor, Tensor, i64)>,
    raising: Vec<(Tensor, Tensor)>,
}

impl Convolutions {
    fn new(config: &Config, side: i64, kind: Kind) -> Self {
        let random =
            |shape: &[i64]| Tensor::randn(shape, (Kind::Float, tch::Device::Cpu)).to_kind(kind);
        // Channels beside each other, as the network has them.
        let image =
            |channels: i64, side: i64| random(&[2, side, side, channels]).permute([0, 3, 1, 2]);
        let weight = |from: i64, to: i64| random(&[to, from, 3, 3]);
        let widths = &config.widths;
        let folded = Config::SLICES * 4;
        let (mut plain, mut raising) = (Vec::new(), Vec::new());
        for (level, &width) in widths.iter().enumerate() {
            let own = (side / 2) >> level;
            let (before, stride) = match level {
                0 => (folded, 1),
                _ => (widths[level - 1], 2),
            };
            plain.push((image(before, own * stride), weight(before, width), stride));
            plain.push((image(width, own), weight(width, width), 1));
            if let Some(&below) = widths.get(level + 1) {
                raising.push((image(below, own / 2), random(&[below, width, 2, 2])));
                plain.push((image(width, own), weight(width, width), 1));
                plain.push((image(width, own), weight(width, width), 1));
            }
        }
        plain.push((image(widths[0], side / 2), weight(widths[0], 16), 1));
        Self { plain, raising }
    }

    fn convolve(&self) {
        for (image, weight, stride) in &self.plain {
            let stride = [*stride, *stride];
            let _ = black_box(image.conv2d(weight, None::<&Tensor>, stride, [1, 1], [1, 1], 1));
        }
        for (image, weight) in &self.raising {
            let raised =
                image.conv_transpose2d(weight, None::<&Tensor>, [2, 2], [0, 0], [0, 0], 1, [1, 1]);
            black_box(&raised);
        }
    }
}

/// A study of 25 sagittal slices, end to end.
fn study() {
    let steps = [[0.0, 0.7, 0.0], [0.0, 0.0, -0.7], [4.0, 0.0, 0.0]];
    let geometry = Geometry::new([384, 384, 25], [-48.0, -134.0, 134.0], steps).expect("a grid");
    let image = Phantom::default().placed(&geometry).image(geometry, 1);
    let volume = Volume { geometry, values: image.values.into_iter().map(f32::from).collect() };
    let segmenter = Segmenter::load(Path::new(MODEL), Device::CPU).expect("a model");
    let before = peak_memory(std::process::id());
    let begun = Instant::now();
    let mut last = begun;
    let mut lap = |name: &str| {
        println!("  {name:<22} {:>8.1} ms", 1e3 * last.elapsed().as_secs_f64());
        last = Instant::now();
    };
    println!("25 slices of 384x384, 0.7 mm:");
    let mask = segmenter.segment(&volume, |_| ());
    lap("network");
    let column = Column::find(&mask).expect("a phantom has a column");
    lap("curve, discs, bodies");
    let measures = Measures::of(&mask, &column);
    lap("measures");
    black_box(Naming::of(&column, &measures));
    lap("names");
    black_box(parts(&mask, &column));
    lap("parts");
    println!("  {:<22} {:>8.1} ms", "all", 1e3 * begun.elapsed().as_secs_f64());
    if let Some((before, after)) = before.zip(peak_memory(std::process::id())) {
        println!("  memory at most: {} MB, {} MB before", after / 1024, before / 1024);
    }
}

fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}
