//! How fast the rule reader is, as ratios of things measured side by side in one run.
//!
//! `make bench` runs it. The text is that of the report cases, which are full reports and notes
//! of every style.

use std::hint::black_box;
use std::time::{Duration, Instant};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use deepspine::extract::{Extractor, Lexicon, Stage};
use rayon::prelude::*;

fn main() {
    let all = reports();
    let full: Vec<String> = all.iter().filter(|text| text.len() >= FULL).cloned().collect();
    for (name, reports) in [("full reports", full), ("notes and reports of every length", all)] {
        compare(name, &reports);
    }
}

/// Texts of at least this many bytes are full reports.
const FULL: usize = 700;

fn compare(name: &str, reports: &[String]) {
    let bytes: usize = reports.iter().map(String::len).sum();
    println!("{name}: {}, {:.1} MB", reports.len(), bytes as f64 / 1e6);
    let lexicon = Lexicon::builtin("en").expect("the built-in lexicon is whole");

    let plain = AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostLongest)
        .kind(Some(AhoCorasickKind::DFA))
        .ascii_case_insensitive(true)
        .build(lexicon.phrases())
        .expect("the phrases fit an automaton");
    let mut extractor = Extractor::new(&lexicon);

    // The two take turns, so that a busy machine slows both.
    let (mut pass, mut one) = (Duration::MAX, Duration::MAX);
    for _ in 0..5 {
        pass = pass.min(time(|| {
            for report in reports {
                black_box(plain.find_iter(report).count());
            }
        }));
        one = one.min(time(|| {
            for report in reports {
                black_box(extractor.extract(report));
            }
        }));
    }
    let show = |name: &str, took: Duration| {
        let seconds = took.as_secs_f64();
        println!(
            "{name:<28} {:>9.0} reports/s {:>8.1} MB/s",
            reports.len() as f64 / seconds,
            bytes as f64 / 1e6 / seconds
        );
    };
    show("plain aho-corasick pass", pass);
    show("extraction, one thread", one);
    println!("  cost against the pass: {:.1} times", one.as_secs_f64() / pass.as_secs_f64());
    stages(reports, &mut extractor);

    let mut two = Duration::MAX;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("two threads");
    for _ in 0..5 {
        one = one.min(time(|| {
            for report in reports {
                black_box(extractor.extract(report));
            }
        }));
        two = two.min(time(|| {
            pool.install(|| {
                reports.par_chunks(32).for_each_init(
                    || extractor.clone(),
                    |extractor, chunk| {
                        for report in chunk {
                            black_box(extractor.extract(report));
                        }
                    },
                );
            });
        }));
    }
    show("extraction, two threads", two);
    println!("  two threads against one: {:.2} times", one.as_secs_f64() / two.as_secs_f64());
}

/// Where the time of one thread goes.
fn stages(reports: &[String], extractor: &mut Extractor) {
    let mut spent = [Duration::ZERO; 3];
    for report in reports {
        let mut last = Instant::now();
        black_box(extractor.extract_in_stages(report, |stage| {
            let now = Instant::now();
            spent[stage as usize] += now - last;
            last = now;
        }));
    }
    let total: Duration = spent.iter().sum();
    for stage in [Stage::Scan, Stage::Layout, Stage::Binding] {
        let share = spent[stage as usize].as_secs_f64() / total.as_secs_f64();
        println!("  {:<10} {:>4.0} %", format!("{stage:?}").to_lowercase(), 100.0 * share);
    }
}

fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// The texts of the cases, repeated to a few megabytes.
fn reports() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/reports/en");
    let mut texts = Vec::new();
    for part in ["develop", "check"] {
        for entry in std::fs::read_dir(format!("{folder}/{part}")).into_iter().flatten().flatten() {
            let toml = std::fs::read_to_string(entry.path()).expect("a readable case file");
            let file: toml::Table = toml.parse().expect("a valid case file");
            let cases = file["case"].as_array().expect("cases");
            texts.extend(cases.iter().filter_map(|case| case["text"].as_str().map(str::to_owned)));
        }
    }
    let repeat = 20;
    std::iter::repeat_n(texts, repeat).flatten().collect()
}
