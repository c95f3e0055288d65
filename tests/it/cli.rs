//! The binary as its users see it.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

fn deepspine(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_deepspine"));
    command.args(args);
    command
}

/// Runs with a folder as working directory, so that messages name files as a user would.
fn run_in(folder: &Path, args: &[&str]) -> Output {
    deepspine(args).current_dir(folder).stdin(Stdio::null()).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn reports(count: usize) -> String {
    (0..count)
        .map(|i| format!("{{\"id\": \"r{i}\", \"text\": \"L4-L5: normal {i}.\"}}\n"))
        .collect()
}

fn ids(labels: &str) -> Vec<String> {
    labels
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].to_string())
        .collect()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

/// A folder with `reports.jsonl` in it.
fn folder_with(reports: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("reports.jsonl"), reports).unwrap();
    folder
}

#[test]
fn extract_keeps_the_order_of_the_input_on_any_number_of_threads() {
    let folder = folder_with(&reports(3000));
    let of = |threads: &str| {
        let args = ["extract", "reports.jsonl", "-o", "labels.jsonl", "--threads", threads];
        let output = run_in(folder.path(), &args);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert!(stdout(&output).is_empty());
        assert!(stderr(&output).contains("3,000 reports"), "{}", stderr(&output));
        fs::read_to_string(folder.path().join("labels.jsonl")).unwrap()
    };
    let labels = of("4");
    let expected: Vec<_> = (0..3000).map(|i| format!("\"r{i}\"")).collect();
    assert_eq!(ids(&labels), expected);
    assert_eq!(of("1"), labels);
    assert_eq!(names(folder.path()).len(), 2, "nothing but input and output is left");
}

#[test]
fn extract_skips_bad_records_and_says_so() {
    let folder = folder_with(&format!("{}not json\n{}", reports(2), reports(1)));
    let output = run_in(folder.path(), &["extract", "reports.jsonl"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(ids(&stdout(&output)), ["\"r0\"", "\"r1\"", "\"r0\""]);
    let stderr = stderr(&output);
    assert!(stderr.contains("reports.jsonl, line 3: "), "{stderr}");
    assert!(stderr.contains("1 bad records skipped, 1 duplicate ids"), "{stderr}");
}

#[test]
fn strict_stops_at_the_first_bad_record_and_leaves_no_file() {
    let folder = folder_with(&format!("{}not json\n", reports(600)));
    let args = ["extract", "reports.jsonl", "--strict", "-o", "labels.csv"];
    let output = run_in(folder.path(), &args);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).starts_with("error: reports.jsonl, line 601: "), "{}", stderr(&output));
    assert_eq!(names(folder.path()), ["reports.jsonl"]);
}

#[test]
fn many_bad_records_are_named_only_at_first() {
    let folder = folder_with(&format!("{}{}", reports(1), "bad\n".repeat(50)));
    let output = run_in(folder.path(), &["extract", "reports.jsonl"]);
    let stderr = stderr(&output);
    assert_eq!(stderr.matches("skipped: reports.jsonl, line ").count(), 20, "{stderr}");
    assert!(stderr.contains("50 bad records skipped"), "{stderr}");
}

#[test]
fn an_input_without_any_report_is_an_error_and_no_empty_file() {
    let folder = folder_with("{\"id\": 1}\n");
    let output = run_in(folder.path(), &["extract", "reports.jsonl", "-o", "labels.jsonl"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("error: no report could be read"), "{}", stderr(&output));
    assert_eq!(names(folder.path()), ["reports.jsonl"]);
}

#[test]
fn columns_can_be_named() {
    let folder = tempfile::tempdir().unwrap();
    let table = "Key,Befund,RIS\n7,L4-L5: normal.,a\n8,L5-S1: normal.,b\n";
    fs::write(folder.path().join("ris.csv"), table).unwrap();
    let flags = ["--text-column", "Befund", "--id-column", "Key", "--column", "accession=RIS"];
    let output = run_in(folder.path(), &[&["extract", "ris.csv"], &flags[..]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(ids(&stdout(&output)), ["\"7\"", "\"8\""]);
    assert!(stdout(&output).contains(r#""accession":"b""#));
    let output = run_in(folder.path(), &["extract", "ris.csv", "--column", "ward=RIS"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("`ward` is no field of a report"), "{}", stderr(&output));
}

#[test]
fn extract_names_what_it_cannot_open_before_it_starts() {
    let folder = folder_with(&reports(1));
    let fails = |args: &[&str], told: &str| {
        let output = run_in(folder.path(), args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(stderr(&output).contains(told), "{args:?}: {}", stderr(&output));
        assert_eq!(fs::read_to_string(folder.path().join("reports.jsonl")).unwrap(), reports(1));
        assert_eq!(names(folder.path()), ["reports.jsonl"]);
    };
    fails(&["extract", "report.jsonl"], "`report.jsonl` cannot be opened");
    fails(
        &["extract", "reports.jsonl", "-o", "no/labels.jsonl"],
        "`no/labels.jsonl` cannot be written",
    );
    fails(&["extract", "reports.jsonl", "-o", "reports.jsonl"], "input and output at once");
    fails(&["extract", "reports.jsonl", "-o", "labels.xyz"], "add --format");
    fails(&["extract", "reports.jsonl", "--format", "xml"], "possible values: jsonl, long");
    fails(&["extract", "reports.jsonl", "--threads", "0"], "--threads");
}

#[test]
fn the_extension_tells_the_format_unless_it_is_given() {
    let folder = folder_with(&reports(1));
    let header = |args: &[&str]| {
        let all = [&["extract", "reports.jsonl", "-o", "labels.csv"], args].concat();
        assert_eq!(run_in(folder.path(), &all).status.code(), Some(0));
        let labels = fs::read_to_string(folder.path().join("labels.csv")).unwrap();
        labels.lines().next().unwrap().to_owned()
    };
    assert!(header(&[]).starts_with("id,level,target,grade"));
    assert!(header(&["--format", "wide"]).starts_with("id,t12_l1_central"));
}

#[cfg(unix)]
#[test]
fn the_output_has_the_rights_of_any_new_file_or_of_the_one_it_replaces() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder_with(&reports(1));
    let path = |name: &str| folder.path().join(name);
    let mode = |name: &str| fs::metadata(path(name)).unwrap().permissions().mode() & 0o777;
    let extract = || run_in(folder.path(), &["extract", "reports.jsonl", "-o", "labels.jsonl"]);
    extract();
    assert_eq!(mode("labels.jsonl"), mode("reports.jsonl"));
    fs::set_permissions(path("labels.jsonl"), fs::Permissions::from_mode(0o600)).unwrap();
    extract();
    assert_eq!(mode("labels.jsonl"), 0o600);
}

#[test]
fn a_reader_that_has_had_enough_is_no_error() {
    let folder = folder_with(&reports(20_000));
    let mut child = deepspine(&["extract", "reports.jsonl"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(!stderr(&output).contains("error"), "{}", stderr(&output));
}

#[cfg(unix)]
#[test]
fn a_named_output_that_nobody_reads_any_more_is_an_error() {
    let folder = folder_with(&reports(20_000));
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let child = deepspine(&["extract", "reports.jsonl", "-o", "pipe"])
        .current_dir(folder.path())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It is opened once both ends are there, and is left without a reader.
    drop(fs::File::open(&pipe).unwrap());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let told = "error: `pipe` cannot be written to; whoever read it has stopped reading";
    assert!(stderr(&output).contains(told), "{}", stderr(&output));
}

#[cfg(unix)]
fn interrupt(child: &Child) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
}

fn wait_until(what: &str, test: impl Fn() -> bool) {
    let start = Instant::now();
    while !test() {
        assert!(start.elapsed() < Duration::from_secs(20), "{what} did not happen");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_extract_leaves_no_half_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = deepspine(&["extract", "-", "-o", "labels.jsonl"])
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The input stays open, so the run cannot have come to its end by itself.
    let mut input = child.stdin.take().unwrap();
    input.write_all(reports(2000).as_bytes()).unwrap();
    let part_has_labels = || {
        names(folder.path())
            .iter()
            .any(|name| fs::metadata(folder.path().join(name)).is_ok_and(|data| data.len() > 0))
    };
    wait_until("the first batch", part_has_labels);
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    drop(input);
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    assert!(stderr(&output).contains("interrupted: `labels.jsonl` was not written"));
    assert_eq!(names(folder.path()), [""; 0]);
}

#[cfg(unix)]
#[test]
fn an_interrupted_simulation_leaves_neither_half_reports_nor_half_labels() {
    let folder = tempfile::tempdir().unwrap();
    let outputs = ["-o", "reports.csv", "--labels", "labels.jsonl"];
    let child = deepspine(&["simulate", "reports", "--count", "100000000"])
        .args(outputs)
        .current_dir(folder.path())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let both_are_begun = || {
        let names = names(folder.path());
        let sizes = names.iter().map(|name| fs::metadata(folder.path().join(name)));
        sizes.filter(|size| size.as_ref().is_ok_and(|data| data.len() > 0)).count() == 2
    };
    wait_until("the first batch", both_are_begun);
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    for name in ["reports.csv", "labels.jsonl"] {
        let told = format!("interrupted: `{name}` was not written");
        assert!(stderr(&output).contains(&told), "{}", stderr(&output));
    }
    assert_eq!(names(folder.path()), [""; 0]);
}

const GOLD: &str = r#"{"id": "a", "text": "At L4-L5 the canal is narrow.\nL5-S1: normal.", "cells": {"L4-L5": {"central": "present"}}, "hedged": []}
{"id": "b", "text": "No comment.", "cells": {}, "hedged": []}
"#;

fn gold() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("gold.jsonl"), GOLD).unwrap();
    folder
}

#[test]
fn evaluate_prints_json_for_machines() {
    let folder = gold();
    let args = ["evaluate", "reader", "gold.jsonl", "--json", "--bootstrap", "20"];
    let output = run_in(folder.path(), &args);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["reports"], 2);
    assert_eq!(json["cells"]["gold"], 1);
    assert!(json["exact"]["interval"][0].is_number());
    assert!(json.get("errors").is_none());
}

#[test]
fn evaluate_names_the_line_of_a_gold_file_that_is_wrong() {
    let folder = gold();
    fs::write(folder.path().join("gold.jsonl"), format!("{GOLD}{{\"id\": 7}}\n")).unwrap();
    let output = run_in(folder.path(), &["evaluate", "reader", "gold.jsonl"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).starts_with("error: `gold.jsonl`: line 3: "), "{}", stderr(&output));
}

#[test]
fn help_has_examples_and_is_no_error() {
    for verb in [&["extract"][..], &["evaluate", "reader"]] {
        let output = deepspine(&[verb, &["--help"]].concat()).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert!(stdout(&output).contains("Examples:"), "{verb:?}");
    }
}

#[test]
fn help_of_search_has_every_word_that_can_be_asked_for() {
    let help = stdout(&deepspine(&["search", "--help"]).output().unwrap());
    let findings = deepspine::extract::Finding::ALL.map(|finding| finding.name());
    for word in findings.into_iter().chain(["L4-L5.any>=mild", "recess_right", "by:rules"]) {
        assert!(help.contains(word), "{word}: {help}");
    }
}

#[test]
fn batches_are_made_and_listed_without_a_browser() {
    let folder = folder_with(&reports(5));
    let run = |args: &[&str]| run_in(folder.path(), args);
    assert!(run(&["import", "reports.jsonl"]).status.success());
    let nobody = run(&["batch", "add", "first"]);
    assert_eq!(nobody.status.code(), Some(1));
    assert!(stderr(&nobody).contains("user add NAME --role lead"), "{}", stderr(&nobody));
    assert!(run(&["user", "add", "lea", "--role", "lead"]).status.success());
    let made = run(&["batch", "add", "first", "--limit", "3", "--mode", "assisted"]);
    assert_eq!(stdout(&made), "batch `first`: 3 reports\n", "{}", stderr(&made));
    fs::write(folder.path().join("ids.txt"), "r1\r\n\nr4\n").unwrap();
    let made = run(&["batch", "add", "second", "--ids", "ids.txt", "--order", "discrepant"]);
    assert_eq!(stdout(&made), "batch `second`: 2 reports\n", "{}", stderr(&made));
    for (wrong, told) in [
        (vec!["batch", "add", "first"], "first"),
        (vec!["batch", "add", "third", "L4-L5.central=severe"], "no report is found"),
        (vec!["batch", "add", "third", "id:r1", "id:r2"], "no report is found"),
        (vec!["batch", "add", "third", "--order", "newest"], "discrepant"),
        (vec!["batch", "add", "third", "--users", "nemo"], "there is no user `nemo`"),
    ] {
        let output = run(&wrong);
        assert_eq!(output.status.code(), Some(1), "{wrong:?}");
        assert!(stderr(&output).contains(told), "{wrong:?}: {}", stderr(&output));
    }
    let listed = run(&["batch", "list", "--json"]);
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    let names: Vec<_> = listed.as_array().unwrap().iter().map(|batch| &batch["name"]).collect();
    assert_eq!(names, ["second", "first"]);
    assert_eq!(listed[1]["progress"]["needed"], 6, "{listed}");
    let both = run(&["batch", "add", "third", "normal", "id:r1"]);
    assert_eq!(stdout(&both), "batch `third`: 1 reports\n", "{}", stderr(&both));
}
