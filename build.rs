//! Rebuilds when a lexicon is added: the compiler by itself notices only changed files.

fn main() {
    println!("cargo::rerun-if-changed=lexicons");
}
