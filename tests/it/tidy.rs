//! The dependency rule and the house rules that no compiler checks.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The rows of the dependency table, lowest first: a module names only rows below its own.
const ROWS: [&[&str]; 6] = [
    &["label"],
    &["report", "extract", "imaging", "page"],
    &["engine", "store", "search", "export", "link", "simulate"],
    &["archive"],
    &["pipeline", "learn", "web"],
    &["cli"],
];

/// Heavy crates and the modules that are their home.
const HOMES: [(&str, &[&str]); 9] = [
    ("tch", &["engine", "learn"]),
    ("rust_bert", &["engine"]),
    ("askama", &["page", "web"]),
    ("rusqlite", &["store"]),
    ("tantivy", &["search"]),
    ("actix_web", &["web"]),
    ("clap", &["cli", "main"]),
    ("calamine", &["report"]),
    ("aho_corasick", &["extract"]),
];

const LONGEST_FILE: usize = 500;

fn row(module: &str) -> Option<usize> {
    ROWS.iter().position(|row| row.contains(&module))
}

/// The top modules that a source names as `crate::module`.
fn named(source: &str) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for (at, _) in source.match_indices("crate::") {
        let rest = &source[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let group = group.split('}').next().unwrap_or_default();
            named.extend(group.split(',').map(first_word));
        } else {
            named.insert(first_word(rest));
        }
    }
    named.retain(|name| row(name).is_some());
    named
}

fn first_word(text: &str) -> String {
    text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// What a source of `module` breaks of the dependency rule.
fn reaches(module: &str, source: &str) -> Vec<String> {
    let Some(own) = row(module) else { return Vec::new() };
    let up = |name: &String| name != module && row(name).is_some_and(|row| row >= own);
    named(source)
        .into_iter()
        .filter(up)
        .map(|name| format!("{module} names {name}, which is not below it"))
        .collect()
}

/// Heavy crates that a source of `module` uses away from their home.
fn strays(module: &str, source: &str) -> Vec<String> {
    HOMES
        .iter()
        .filter(|(name, homes)| uses(source, name) && !homes.contains(&module))
        .map(|(name, homes)| format!("{module} uses {name}, whose home is {}", homes.join(", ")))
        .collect()
}

/// Whether a source names a crate, and not only a word that ends like it.
fn uses(source: &str, name: &str) -> bool {
    source
        .match_indices(&format!("{name}::"))
        .any(|(at, _)| !source[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

/// What is wrong with a file by itself.
fn untidy(text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let lines = text.lines().count();
    if lines > LONGEST_FILE {
        faults.push(format!("{lines} lines, more than {LONGEST_FILE}"));
    }
    if !text.trim_start().starts_with("//!") {
        faults.push("no module docs at its beginning".to_owned());
    }
    for word in ["todo!", "unimplemented!", "dbg!", "FIXME", "XXX"] {
        if text.contains(word) {
            faults.push(format!("`{word}` is left in it"));
        }
    }
    faults
}

/// Absolute paths of somebody's machine in a text.
fn machine_paths(text: &str) -> Vec<String> {
    let homes = ["/home/", "/root/", "/Users/", "/work/"];
    text.lines()
        .filter(|line| homes.iter().any(|home| line.contains(home)))
        .map(|line| format!("a path of a machine: {}", line.trim()))
        .collect()
}

fn files(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| {
            let extension = path.extension().unwrap_or_default().to_string_lossy().into_owned();
            path.is_file() && extensions.contains(&extension.as_str())
        })
        .collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn modules_name_only_what_is_below_them() {
    let mut faults = Vec::new();
    for path in files(&root().join("src"), &["rs"]) {
        let relative = path.strip_prefix(root().join("src")).unwrap();
        let first = relative.iter().next().unwrap().to_string_lossy();
        let module = first.trim_end_matches(".rs");
        let source = std::fs::read_to_string(&path).unwrap();
        let found = [reaches(module, &source), strays(module, &source), untidy(&source)].concat();
        faults.extend(found.iter().map(|fault| format!("{}: {fault}", relative.display())));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn no_file_holds_a_path_of_a_machine() {
    let mut faults = Vec::new();
    for folder in ["src", "tests", "benches", "lexicons", "templates", "fixtures"] {
        for path in files(&root().join(folder), &["rs", "toml", "html", "css", "js", "md", "csv"]) {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            if !path.ends_with("tests/it/tidy.rs") {
                let found = machine_paths(&text);
                faults.extend(found.iter().map(|fault| format!("{}: {fault}", path.display())));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn each_check_sees_what_it_is_for() {
    assert_eq!(reaches("extract", "use crate::label::Grade;"), Vec::<String>::new());
    assert_eq!(reaches("extract", "use crate::pipeline::read_text;").len(), 1, "upward");
    assert_eq!(reaches("report", "let x = crate::extract::y();").len(), 1, "sideways");
    assert_eq!(reaches("label", "use crate::{label, page};").len(), 1, "in a group");
    assert_eq!(strays("store", "use tch::Tensor;").len(), 1);
    assert_eq!(strays("cli", "Batch::new()"), Vec::<String>::new());
    assert_eq!(strays("engine", "use tch::Tensor;"), Vec::<String>::new());
    assert_eq!(untidy("//! Docs.\nfn a() { todo!() }").len(), 1);
    assert_eq!(untidy("fn a() {}").len(), 1);
    assert_eq!(untidy(&format!("//! Docs.\n{}", "\n".repeat(LONGEST_FILE))).len(), 1);
    assert_eq!(machine_paths("see /home/someone/reports.csv").len(), 1);
}
