//! One million reports from CSV to CSV through the binary: reports and megabytes a second, and
//! the most memory that the process ever held.

mod memory;

use std::io::BufWriter;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use deepspine::label::Level;

use memory::peak_memory;

const REPORTS: usize = 1_000_000;

fn main() -> std::io::Result<()> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let (input, output) = (folder.path().join("reports.csv"), folder.path().join("labels.csv"));
    let bytes = write_reports(&input)?;
    println!("{REPORTS} reports, {:.0} MB of CSV", bytes as f64 / 1e6);

    let start = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_deepspine"))
        .args(["extract", "--format", "wide", "-o"])
        .args([&output, &input])
        .stderr(Stdio::null())
        .spawn()?;
    let mut peak = 0;
    let status = loop {
        peak = peak.max(peak_memory(child.id()).unwrap_or(0));
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let seconds = start.elapsed().as_secs_f64();
    assert!(status.success(), "extract ended with {status}");
    println!(
        "CSV to CSV                   {:>9.0} reports/s {:>8.1} MB/s, at most {} MB of memory",
        REPORTS as f64 / seconds,
        bytes as f64 / 1e6 / seconds,
        peak / 1024
    );
    Ok(())
}

/// The cases over and over, with an id of their own and the levels moved on each time.
fn write_reports(path: &std::path::Path) -> std::io::Result<u64> {
    let texts = case_texts();
    let lumbar = [Level::L1L2, Level::L2L3, Level::L3L4, Level::L4L5, Level::L5S1];
    let mut writer = csv::Writer::from_writer(BufWriter::new(std::fs::File::create(path)?));
    writer.write_record(["report_id", "report_text"])?;
    for number in 0..REPORTS {
        let round = number / texts.len();
        let mut text = texts[number % texts.len()].clone();
        let (from, to) = (lumbar[round % 5].name(), lumbar[(round + 1) % 5].name());
        text = text.replace(from, to);
        writer.write_record([format!("R{number:07}").as_str(), &text])?;
    }
    writer.flush()?;
    Ok(std::fs::metadata(path)?.len())
}

fn case_texts() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/reports/en/develop");
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the cases").flatten() {
        let toml = std::fs::read_to_string(entry.path()).expect("a readable case file");
        let file: toml::Table = toml.parse().expect("a valid case file");
        let cases = file["case"].as_array().expect("cases");
        texts.extend(cases.iter().filter_map(|case| case["text"].as_str().map(str::to_owned)));
    }
    texts
}
