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
const HOMES: [(&str, &[&str]); 19] = [
    ("tch", &["engine", "learn"]),
    ("rust_bert", &["engine"]),
    ("rust_tokenizers", &["engine"]),
    ("askama", &["page", "web"]),
    ("rusqlite", &["store"]),
    ("tantivy", &["search"]),
    ("actix_web", &["web"]),
    ("actix_session", &["web"]),
    ("argon2", &["web"]),
    ("clap", &["cli", "main"]),
    ("indicatif", &["cli"]),
    ("calamine", &["report"]),
    ("csv_core", &["report"]),
    ("textwrap", &["page"]),
    ("aho_corasick", &["extract"]),
    ("dicom_object", &["imaging"]),
    ("dicom_pixeldata", &["imaging"]),
    ("image", &["imaging"]),
    ("zip", &["imaging"]),
];

const LONGEST_FILE: usize = 500;

/// Help is printed so many columns wide at most.
const HELP_WIDTH: usize = 100;

fn row(module: &str) -> Option<usize> {
    ROWS.iter().position(|row| row.contains(&module))
}

/// The top modules that a source names, as `crate::module` or by as many `super::` as lead out of
/// the crate's top module that it stands in: `depth` is how deep that is, 1 for the top module.
fn named(depth: usize, source: &str) -> BTreeSet<String> {
    let climb = "super::".repeat(depth);
    let mut named = BTreeSet::new();
    for start in ["crate::", climb.as_str()] {
        for (at, _) in source.match_indices(start) {
            named.extend(heads(&source[at + start.len()..]));
        }
    }
    named.retain(|name| row(name).is_some());
    named
}

/// The first word of a path, or of each path of a group in braces.
fn heads(path: &str) -> Vec<String> {
    let Some(group) = path.strip_prefix('{') else { return vec![first_word(path)] };
    let mut open = 1;
    let mut heads = vec![first_word(group)];
    for (at, sign) in group.char_indices() {
        match sign {
            '{' => open += 1,
            '}' => open -= 1,
            ',' if open == 1 => heads.push(first_word(&group[at + 1..])),
            _ => {}
        }
        if open == 0 {
            break;
        }
    }
    heads
}

/// How deep the module of a source file stands: 1 for `page.rs` and `page/mod.rs`.
fn depth(relative: &Path) -> usize {
    relative.iter().count() - usize::from(relative.ends_with("mod.rs"))
}

fn first_word(text: &str) -> String {
    text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// What a source of `module` breaks of the dependency rule.
fn reaches(module: &str, depth: usize, source: &str) -> Vec<String> {
    let Some(own) = row(module) else { return Vec::new() };
    let up = |name: &String| name != module && row(name).is_some_and(|row| row >= own);
    named(depth, source)
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
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    source.match_indices(name).any(|(at, _)| {
        let (before, after) = (&source[..at], &source[at + name.len()..]);
        let is_path = after.starts_with("::") && !before.ends_with(is_word);
        is_path || before.ends_with("use ") && !after.starts_with(is_word)
    })
}

/// What a source of `module` says or asks past its caller, which only the command line may.
fn leaks(module: &str, source: &str) -> Vec<String> {
    if ["cli", "main"].contains(&module) {
        return Vec::new();
    }
    source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .filter(|line| ["print!", "println!", "env::var"].iter().any(|word| line.contains(word)))
        .map(|line| format!("prints or reads the environment: {}", line.trim()))
        .collect()
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

/// Lines of help passages that are wider than help is printed, where they break in mid-sentence.
fn wide_help(source: &str) -> Vec<String> {
    // What is escaped is printed one column wide, and an escaped quote ends no passage.
    let source = source.replace("\\\\", "/").replace("\\\"", "'");
    let passages =
        [("after_help = \"\\\n", "\""), (": &str = \"\\\n", "\""), (": &str = r#\"", "\"#")];
    let lines = passages.into_iter().flat_map(|(start, end)| {
        let begun = source.split(start).skip(1);
        begun.flat_map(move |rest| rest.split(end).next().unwrap_or_default().lines())
    });
    lines
        .filter(|line| line.chars().count() > HELP_WIDTH)
        .map(|line| format!("help wider than {HELP_WIDTH} columns: {line}"))
        .collect()
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
        let reaches = reaches(module, depth(relative), &source);
        let (strays, leaks) = (strays(module, &source), leaks(module, &source));
        let wide = if module == "cli" { wide_help(&source) } else { Vec::new() };
        let found = [reaches, strays, leaks, untidy(&source), wide].concat();
        faults.extend(found.iter().map(|fault| format!("{}: {fault}", relative.display())));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn no_file_holds_a_path_of_a_machine() {
    let own = Path::new("tests/rules/tidy.rs");
    let mut all = Vec::new();
    for folder in
        ["src", "tests", "benches", "fuzz/fuzz_targets", "lexicons", "templates", "fixtures"]
    {
        let kinds = ["rs", "toml", "html", "css", "js", "md", "csv"];
        all.extend(files(&root().join(folder), &kinds));
    }
    let top = std::fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path());
    let is_hidden = |path: &Path| path.file_name().unwrap().as_encoded_bytes().starts_with(b".");
    all.extend(top.filter(|path| path.is_file() && !is_hidden(path)));
    all.push(root().join(".ci/run"));
    let mut faults = Vec::new();
    for path in all.iter().filter(|path| !path.ends_with(own)) {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let found = machine_paths(&text);
        faults.extend(found.iter().map(|fault| format!("{}: {fault}", path.display())));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn each_check_sees_what_it_is_for() {
    let reaches = |file: &str, source| {
        let module = file.split(['/', '.']).next().unwrap();
        reaches(module, depth(Path::new(file)), source).len()
    };
    assert_eq!(reaches("extract/scan.rs", "use crate::label::Grade;"), 0);
    assert_eq!(reaches("extract/scan.rs", "use crate::pipeline::read_text;"), 1, "upward");
    assert_eq!(reaches("report/mod.rs", "let x = crate::extract::y();"), 1, "sideways");
    assert_eq!(reaches("label/mod.rs", "use crate::{label, page};"), 1, "in a group");
    assert_eq!(reaches("page/a.rs", "use crate::{label::{Cell, Level}, export};"), 1, "nested");
    assert_eq!(reaches("page/a.rs", "use super::super::{label, extract::Mention};"), 1, "climbing");
    assert_eq!(reaches("page/a.rs", "use super::extract;"), 0, "a module of its own");
    assert_eq!(reaches("page/mod.rs", "use super::extract;"), 1, "climbing from the top");
    assert_eq!(strays("store", "use tch::Tensor;").len(), 1);
    assert_eq!(strays("store", "use clap;").len(), 1);
    assert_eq!(strays("cli", "Batch::new()"), Vec::<String>::new());
    assert_eq!(strays("store", "use clapper::x; fn my_clap() {}"), Vec::<String>::new());
    assert_eq!(strays("engine", "use tch::Tensor;"), Vec::<String>::new());
    assert_eq!(leaks("extract", "if std::env::var(\"DEBUG\").is_ok() {\n eprintln!();").len(), 2);
    assert_eq!(leaks("report", "//! println!(\"{report}\");\nenv!(\"A\");"), Vec::<String>::new());
    assert_eq!(leaks("cli", "println!()"), Vec::<String>::new());
    assert_eq!(untidy("//! Docs.\nfn a() { todo!() }").len(), 1);
    assert_eq!(untidy("fn a() {}").len(), 1);
    assert_eq!(untidy(&format!("//! Docs.\n{}", "\n".repeat(LONGEST_FILE))).len(), 1);
    let help = |line: &str| wide_help(&format!("const HELP: &str = \"\\\n{line}\";")).len();
    assert_eq!((help(&"a".repeat(100)), help(&"a".repeat(101))), (0, 1));
    assert_eq!(help(&format!("{}\\\"\\\\", "a".repeat(98))), 0, "escapes");
    let raw = format!("const HELP: &str = r#\"a\n{} \"\"\"#;", "a".repeat(98));
    assert_eq!(wide_help(&raw).len(), 1, "quotes end no raw passage");
    assert_eq!(machine_paths("see /home/someone/reports.csv").len(), 1);
}
