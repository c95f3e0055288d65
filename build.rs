//! Rebuilds when a lexicon is added, which the compiler by itself does not notice, and tells the
//! linker where the binary finds libtorch.

fn main() {
    println!("cargo::rerun-if-changed=lexicons");
    println!("cargo::rerun-if-env-changed=LIBTORCH");
    if std::env::var_os("CARGO_FEATURE_NEURAL").is_some() {
        // Beside the binary, as in an archive made by `make dist`, which takes the second path away from
        // its copy; else where it was built with.
        println!("cargo::rustc-link-arg=-Wl,-rpath,$ORIGIN/lib");
        if let Ok(libtorch) = std::env::var("LIBTORCH") {
            println!("cargo::rustc-link-arg=-Wl,-rpath,{libtorch}/lib");
        }
    }
}
