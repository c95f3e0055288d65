//! The verb `explain`, as it is run.

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};

fn explain(args: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_deepspine"))
        .arg("explain")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_text_from_standard_input_is_shown_with_its_grid() {
    let shown = printed(&explain(&[], "The conus is normal.\n"));
    assert!(shown.contains("The conus is normal.") && shown.contains("L4-L5"), "{shown}");
    assert!(!shown.contains('\x1b'), "a pipe gets no colours");
    let coloured = printed(&explain(&["--colour", "always"], "The conus is normal.\n"));
    assert!(coloured.contains('\x1b'));
}

#[test]
fn one_report_of_several_is_taken_by_its_id() {
    let lines = "{\"id\":\"a\",\"text\":\"First.\"}\n{\"id\":\"b\",\"text\":\"Second.\"}\n";
    let shown = printed(&explain(&["-", "--id", "b"], lines));
    assert!(shown.starts_with("b ") && shown.contains("Second."), "{shown}");
    assert!(refused(&explain(&["-", "--id", "c"], lines)).contains("no report `c`"));
    assert!(refused(&explain(&["-"], lines)).contains("--id, such as `a` or `b`"));
}

#[test]
fn a_page_is_written_where_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    let output = explain(&["--html", page.to_str().unwrap()], "The conus is <normal>.\n");
    assert!(printed(&output).is_empty());
    let page = fs::read_to_string(page).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.contains("&#60;normal&#62;"));
}

#[test]
fn every_format_is_read_with_the_flags_of_extract() {
    let table = "Key,Befund\n7,L4-L5: normal.\n8,L5-S1: severe canal stenosis.\n";
    let flags = ["--text-column", "Befund", "--id-column", "Key", "--id", "8"];
    let shown = printed(&explain(&flags, table));
    assert!(shown.starts_with("8 ") && shown.contains("L5-S1  Central"), "{shown}");
    let no_table = refused(&explain(&flags, "The conus is normal.\n"));
    assert!(no_table.contains("name its kind with --input-format"), "{no_table}");
}

#[test]
fn a_bad_record_beside_the_only_report_is_named() {
    let output = explain(&[], "{\"id\":\"a\",\"text\":\"First.\"}\n{\"id\":\"b\"}\n");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("skipped: standard input, line 2"));
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("a "));
}

#[test]
fn the_report_is_not_overwritten_by_its_page() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.txt");
    fs::write(&report, "The conus is normal.\n").unwrap();
    let name = report.to_str().unwrap();
    assert!(refused(&explain(&[name, "--html", name], "")).contains("another name"));
    assert_eq!(fs::read_to_string(report).unwrap(), "The conus is normal.\n");
}
