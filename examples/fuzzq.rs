use deepspine::{extract::*, pipeline};
use std::time::Instant;
fn main() {
    let lex = Lexicon::builtin("en").unwrap();
    let mut ex = Extractor::new(&lex);
    let mut words: Vec<String> = lex.phrases().collect();
    for w in [
        "L4-5",
        "L5-S1",
        "L1-L4",
        "C5-6",
        "T12-L1",
        "L4",
        "S1",
        ",",
        ".",
        ":",
        ";",
        "\n",
        "\n\n",
        "-",
        "/",
        "//",
        "(",
        ")",
        "?",
        "|",
        "\t",
        "    ",
        "1.",
        "•",
        "9 mm",
        "2019",
        "é",
        "漢字",
        "\u{200b}",
        "0",
        "l5",
        "LS-S1",
        "....",
        ">>",
        "->",
        "FINDINGS:",
        "IMPRESSION",
        "- ",
        "Left:",
        "o ",
    ] {
        for _ in 0..60 {
            words.push(w.to_string());
        }
    }
    let mut s: u64 = 12345;
    let mut next = || {
        s ^= s << 13;
        s ^= s >> 7;
        s ^= s << 17;
        s
    };
    for i in 0..60000 {
        let n = next() % 60;
        let mut t = String::new();
        for _ in 0..n {
            t.push_str(&words[(next() % words.len() as u64) as usize]);
            if next() % 8 != 0 {
                t.push(' ');
            }
        }
        let r = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let (e, _) = pipeline::read_text(&mut ex, &t);
            for st in &e.statements {
                for sp in &st.evidence {
                    let _ = &t[sp.range()];
                }
            }
        }));
        if r.is_err() {
            println!("PANIC {i} {t:?}");
            return;
        }
    }
    println!("no panic");
    for (name, unit) in [
        ("newlines", "\n"),
        ("nostops", "no stenosis "),
        ("caps", "FINDINGS. SEVERE STENOSIS. "),
        ("dots", "."),
        ("slashes", "L4-5 // "),
        ("levels", "L4-5, "),
        ("commas", "the left, mildly "),
        ("paren", "("),
        ("cols", "canal | "),
        ("one word", "a"),
        ("hyph", "a-\n"),
        ("label", "L4-5: canal patent\n"),
        ("whole", "L4-5:\nThe canal is adequate.\n"),
        ("remaining", "Other levels normal. "),
        (
            "plain",
            "At L4-5 there is moderate canal stenosis with mild bilateral foraminal narrowing. ",
        ),
    ] {
        let mut times = vec![];
        for mb in [1usize, 2] {
            let t = unit.repeat(mb * 1_000_000 / unit.len());
            let s = Instant::now();
            let e = ex.extract(&t);
            times.push((s.elapsed().as_millis(), e.statements.len()));
        }
        println!("{name}: {times:?}");
    }
}
