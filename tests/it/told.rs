//! What is misspelt or named by mistake is refused, and told with the thing, the place and the remedy.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

fn deepspine(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_deepspine"));
    command.current_dir(folder).args(args).stdin(Stdio::null());
    command
}

fn run(folder: &Path, args: &[&str]) -> Output {
    deepspine(folder, args).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn is_done(folder: &Path, args: &[&str]) {
    let output = run(folder, args);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", stderr(&output));
}

fn is_refused(folder: &Path, args: &[&str], told: &str) -> String {
    let output = run(folder, args);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
    assert!(said.contains(told), "{args:?}: {said}");
    said
}

/// A folder with a file in it.
fn folder_with(name: &str, text: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), text).unwrap();
    folder
}

const REPORT: &str = "{\"id\": \"a\", \"text\": \"L4-L5: mild canal stenosis.\"}\n";

/// A folder with an archive of one report in it.
fn folder_with_archive() -> TempDir {
    let folder = folder_with("reports.jsonl", REPORT);
    is_done(folder.path(), &["import", "reports.jsonl"]);
    folder
}

#[test]
fn only_who_is_added_makes_an_archive() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for act in [&["list"][..], &["link", "anna"], &["token", "anna", "a"], &["change", "anna"]] {
        let args = [&["user", "--data", "mistyped"], act].concat();
        is_refused(folder, &args, "`mistyped` holds no archive");
    }
    assert!(!folder.join("mistyped").exists());
    is_done(folder, &["user", "--data", "new", "add", "anna"]);
}

#[test]
fn the_last_admin_is_kept_where_there_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    is_done(folder, &["user", "add", "anna"]);
    is_refused(folder, &["user", "change", "anna"], "--role, --on or --off");
    is_done(folder, &["user", "change", "anna", "--role", "lead"]);
    is_done(folder, &["user", "add", "eve", "--role", "admin"]);
    is_done(folder, &["user", "change", "anna", "--off"]);
    is_refused(folder, &["user", "change", "eve", "--off"], "no admin");
    is_refused(folder, &["user", "change", "eve", "--role", "lead"], "no admin");
    is_done(folder, &["user", "add", "ada", "--role", "admin"]);
    is_done(folder, &["user", "change", "eve", "--off"]);
}

#[test]
fn the_server_says_that_it_made_an_archive() {
    let folder = tempfile::tempdir().unwrap();
    let told = || {
        let mut server = deepspine(folder.path(), &["serve", "--port", "0"]);
        let server = server.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut server = server.spawn().unwrap();
        let mut begun = BufReader::new(server.stdout.take().unwrap());
        let mut address = String::new();
        begun.read_line(&mut address).unwrap();
        assert!(address.starts_with("http://"), "{address}");
        server.kill().unwrap();
        stderr(&server.wait_with_output().unwrap())
    };
    let first = told();
    assert!(first.contains("`deepspine-data` held no archive"), "{first}");
    let second = told();
    assert!(!second.contains("held no archive"), "{second}");
}

#[test]
fn gold_files_that_hold_no_labels_are_named() {
    let gold =
        "{\"id\": \"a\", \"text\": \"a\", \"cells\": {\"L4-L5\": {\"central\": \"mild\"}}}\n";
    let folder = folder_with("gold.jsonl", gold);
    let folder = folder.path();
    is_done(folder, &["evaluate", "reader", "gold.jsonl", "--bootstrap", "0"]);
    fs::write(folder.join("empty.jsonl"), "\n").unwrap();
    let args = ["evaluate", "reader", "gold.jsonl", "empty.jsonl"];
    is_refused(folder, &args, "`empty.jsonl` holds no labelled report");
    fs::create_dir(folder.join("gold")).unwrap();
    is_refused(folder, &["evaluate", "reader", "gold"], "`gold` is a folder");
    fs::write(folder.join("awful.jsonl"), gold.replace("mild", "awful")).unwrap();
    let args = ["evaluate", "reader", "awful.jsonl"];
    let said = is_refused(folder, &args, "`awful` is not a grade; known are: normal mild");
    assert!(said.starts_with("error: `awful.jsonl`: line 1: "), "{said}");
}

#[test]
fn a_level_that_is_none_is_told_of_with_those_that_are() {
    let folder = folder_with_archive();
    let folder = folder.path();
    is_refused(folder, &["search", "L9-L5.central>=moderate"], "`L9-L5` is no level; known are:");
    let sampled = |cell| ["cohort", "freeze", "some", "*", "--sample", "1", "--by", cell];
    is_refused(folder, &sampled("L9-L5.central"), "`L9-L5` is not a level; known are:");
    is_done(folder, &sampled("L4-L5.central"));
}

#[test]
fn a_file_is_called_by_what_is_written() {
    let folder = folder_with_archive();
    let folder = folder.path();
    for args in [&["-o", "a.mha"][..], &["-o", "a.nii.gz", "--mask", "mask.nii"]] {
        let args = [&["simulate", "phantom"], args].concat();
        is_refused(folder, &args, "name the file .nii.gz");
    }
    assert!(!folder.join("a.mha").exists() && !folder.join("a.nii.gz").exists());
    is_done(folder, &["cohort", "freeze", "all", "*"]);
    is_refused(folder, &["cohort", "show", "all", "--flow", "a.png"], "name the file .svg");
    is_done(folder, &["cohort", "show", "all", "--flow", "a.svg"]);
    assert!(!folder.join("a.png").exists() && folder.join("a.svg").exists());
}

#[test]
fn a_share_is_no_more_than_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    for flag in [["--share", "2"], ["--errors", "3"], ["--errors", "NaN"]] {
        let args = [&["simulate", "annotators"], &flag[..]].concat();
        is_refused(folder.path(), &args, flag[0]);
    }
}

#[test]
fn a_backup_goes_to_a_file_in_a_folder_that_is_there() {
    let folder = folder_with_archive();
    let folder = folder.path();
    is_refused(folder, &["backup", "no/spine.db"], "there is no folder `no`");
    is_refused(folder, &["backup", "deepspine-data", "--force"], "`deepspine-data` is a folder");
    is_done(folder, &["backup", "spine.db"]);
}

#[test]
fn a_lexicon_is_a_folder_that_is_there() {
    let folder = folder_with("reports.jsonl", REPORT);
    let folder = folder.path();
    let args = ["extract", "reports.jsonl", "--lexicon", "mine"];
    is_refused(folder, &args, "`mine` is no folder");
    fs::create_dir(folder.join("mine")).unwrap();
    let said =
        is_refused(folder, &args, "`mine` cannot be used as a lexicon: lexicon.toml: missing");
    assert_eq!(said.matches("missing").count(), 1, "{said}");
}

#[test]
fn a_table_of_truths_is_told_of_by_file_and_line() {
    let folder = folder_with_archive();
    let folder = folder.path();
    let args = ["link", "-o", "out", "--truth", "truth.csv"];
    let said = is_refused(folder, &args, "`truth.csv` cannot be read as a table of grades");
    assert_eq!(said.matches("os error").count(), 1, "{said}");
    let rows = "study_uid,level,target,grade\n1.2,L4-L5,central,mild\n1.2,L9-L5,central,mild\n";
    fs::write(folder.join("truth.csv"), rows).unwrap();
    is_refused(folder, &args, "`truth.csv`, line 3: `L9-L5` is not a level");
}
