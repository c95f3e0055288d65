use deepspine::{extract::*, label::*, pipeline};
use std::io::BufRead;
fn main() {
    let lex = Lexicon::builtin("en").unwrap();
    let mut ex = Extractor::new(&lex);
    let f = std::io::BufReader::new(std::fs::File::open(std::env::args().nth(1).unwrap()).unwrap());
    for line in f.lines() {
        let v: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        let (_, ops) = pipeline::read_text(&mut ex, v["text"].as_str().unwrap());
        let mut out = std::collections::BTreeMap::<String, Vec<String>>::new();
        for o in &ops {
            if let Verdict::Graded(g) = o.verdict {
                out.entry(o.cell.level.to_string()).or_default().push(format!(
                    "{}={}{}",
                    match o.cell.target {
                        Target::Central => "c",
                        Target::ForaminalLeft => "fl",
                        Target::ForaminalRight => "fr",
                        Target::RecessLeft => "rl",
                        Target::RecessRight => "rr",
                    },
                    g,
                    if o.certainty == Certainty::Hedged { "?" } else { "" }
                ));
            }
        }
        let all: Vec<_> = out.iter().map(|(k, v)| format!("{k}: {}", v.join(","))).collect();
        let joined = if all.len() == 5 && out.values().all(|v| v == &vec!["c=normal".to_string()]) {
            "ALL c=normal".into()
        } else {
            all.join(" | ")
        };
        println!(
            "## {}\n{}\n  -> {}",
            v["id"].as_str().unwrap(),
            v["text"].as_str().unwrap().trim(),
            joined
        );
    }
}
