//! Rebuilds when a lexicon is added, which the compiler by itself does not notice, and tells the
//! linker where the binary finds libtorch.

fn main() {
    println!("cargo::rerun-if-changed=lexicons");
    println!("cargo::rerun-if-env-changed=LIBTORCH");
    println!("cargo::rerun-if-env-changed=DEEPSPINE_RELOCATABLE");
    if std::env::var_os("CARGO_FEATURE_NEURAL").is_some() {
        // Beside the binary, as in an archive made by `make dist`; else where it was built with, which
        // is no business of whoever unpacks an archive.
        println!("cargo::rustc-link-arg=-Wl,-rpath,$ORIGIN/lib");
        let leaves_home = std::env::var_os("DEEPSPINE_RELOCATABLE").is_some();
        if let (Ok(libtorch), false) = (std::env::var("LIBTORCH"), leaves_home) {
            println!("cargo::rustc-link-arg=-Wl,-rpath,{libtorch}/lib");
        }
    }
}
