//! What grading whole studies costs, as a user has it: one of three series with its parts, and a batch.
//!
//! `make bench` runs it, on the models that come with the program and studies that it invents.

mod memory;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use memory::peak_memory;

/// Studies of the batch.
const BATCH: usize = 100;

fn main() {
    let folder = tempfile::tempdir().expect("a folder for the studies");
    let studies = folder.path().join("invented");
    let count = BATCH.to_string();
    run(&["simulate", "studies", "--count", &count, "--seed", "11", "-o"], &[&studies]);
    let studies = studies.join("studies");
    one(&studies.join("SIM0000000"), &folder.path().join("one"));
    batch(&studies, &folder.path().join("batch"));
}

/// A study by itself: the best of three, since another program may be busy meanwhile.
fn one(study: &Path, out: &Path) {
    let again = || run(&["grade", "--again", "-o"], &[out, study]);
    let cost = [again(), again(), again()];
    let cost = cost.iter().min_by_key(|cost| cost.wall).expect("three of them");
    let record = std::fs::read(out.join("SIM0000000/study.json")).expect("a record");
    let record: serde_json::Value = serde_json::from_slice(&record).expect("JSON");
    println!("a study of {} series: {cost}", record["series"].as_array().map_or(0, Vec::len));
    let parts = record["seconds"].as_object().expect("parts");
    let seconds = |part: &serde_json::Value| part.as_f64().unwrap_or_default();
    for (name, part) in parts {
        println!("  {name:<10} {:>6.2} s", seconds(part));
    }
    let told: f64 = parts.values().map(seconds).sum();
    println!("  {:<10} {:>6.2} s", "the rest", cost.wall.as_secs_f64() - told);
}

/// All studies, each with its page, pictures and masks.
fn batch(studies: &Path, out: &Path) {
    let cost = run(&["grade", "--each", "-o"], &[out, studies]);
    let a_study = cost.wall.as_secs_f64() / BATCH as f64;
    println!("a batch of {BATCH}: {cost}; {a_study:.2} s a study");
}

/// What a command took.
struct Cost {
    wall: Duration,
    /// Seconds that its threads worked in all, where the system tells.
    worked: Option<f64>,
    /// KiB, where the system tells.
    memory: Option<u64>,
}

impl std::fmt::Display for Cost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let wall = self.wall.as_secs_f64();
        write!(f, "{wall:.2} s")?;
        if let Some(worked) = self.worked {
            write!(f, ", {:.2} cores busy", worked / wall)?;
        }
        match self.memory {
            Some(memory) => write!(f, ", {} MB at most", memory / 1024),
            None => Ok(()),
        }
    }
}

/// Runs the program to its end, with a look at it every few milliseconds.
fn run(words: &[&str], paths: &[&Path]) -> Cost {
    let mut command = Command::new(env!("CARGO_BIN_EXE_deepspine"));
    command.args(words).args(paths).stdout(Stdio::null()).stderr(Stdio::null());
    let begun = Instant::now();
    let mut child = command.spawn().expect("the program runs");
    let (mut worked, mut memory) = (None, None);
    let status = loop {
        if let Some(status) = child.try_wait().expect("it can be waited for") {
            break status;
        }
        worked = seconds_worked(child.id()).or(worked);
        memory = peak_memory(child.id()).or(memory);
        std::thread::sleep(Duration::from_millis(5));
    };
    assert!(status.success(), "{status}");
    Cost { wall: begun.elapsed(), worked, memory }
}

/// Seconds that the threads of a process have worked so far, where the system tells.
fn seconds_worked(process: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // What comes after the program's name: user and system time are the 14th and 15th of all.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    // The kernel tells them in hundredths of a second whatever its own clock.
    Some((ticks()? + ticks()?) / 100.0)
}
