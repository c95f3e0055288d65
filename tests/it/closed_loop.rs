//! The whole on invented studies: reports, images, people who correct, a network that learns from it,
//! and the queue of what it does not believe.

use std::fs;
use std::process::Command;

use serde_json::Value;

#[test]
fn a_loop_of_twenty_studies_closes() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("loop");
    let output = Command::new("scripts/loop")
        .arg(env!("CARGO_BIN_EXE_deepspine"))
        .arg(&out)
        .args(["--studies", "20", "--steps", "20", "--labels", "12", "--exact-masks"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("12 labels on the images of"), "{said}");

    let report: Value = serde_json::from_slice(&fs::read(out.join("loop.json")).unwrap()).unwrap();
    assert_eq!(report["stages"].as_array().unwrap().len(), 10, "{report}");
    let queue = &report["queue"];
    assert_eq!(queue["reports"], 6, "{report}");
    let planted = queue["planted"].as_u64().unwrap();
    assert!(planted > 0, "another seed has to be chosen");
    assert_eq!(queue["places"].as_array().unwrap().len() as u64, planted, "{report}");

    // What people saw is in the manifest that was learned from.
    let manifest = fs::read_to_string(out.join("training/manifest.csv")).unwrap();
    let seen = manifest.lines().flat_map(|line| line.split(',')).filter(|field| *field == "seen");
    // A study whose text and image have different levels is held back.
    assert!((1..=12).contains(&seen.count()), "{manifest}");
    let grades = fs::read_to_string(out.join("graded/grades.csv")).unwrap();
    assert!(grades.lines().count() > 100, "six studies of five levels and five targets");
}
