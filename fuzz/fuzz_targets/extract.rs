//! Any text: no panic, and every span lies in it. `cargo +nightly fuzz run extract`.

#![no_main]

use std::cell::RefCell;

use deepspine::extract::{Extractor, Lexicon};
use libfuzzer_sys::fuzz_target;

thread_local! {
    static ENGLISH: RefCell<Extractor> =
        RefCell::new(Extractor::new(&Lexicon::builtin("en").expect("a whole lexicon")));
}

fuzz_target!(|text: &str| {
    let extraction = ENGLISH.with_borrow_mut(|extractor| extractor.extract(text));
    for statement in &extraction.statements {
        for span in &statement.evidence {
            assert!(text.get(span.range()).is_some());
        }
    }
});
