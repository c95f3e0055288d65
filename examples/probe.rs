use deepspine::{extract::*, label::*, pipeline};
use std::io::BufRead;
fn main() {
    let lex = Lexicon::builtin("en").unwrap_or_else(|e| panic!("{e}"));
    let mut ex = Extractor::new(&lex);
    let arg = std::env::args().nth(1).unwrap();
    let show = std::env::args().nth(2);
    let f = std::io::BufReader::new(std::fs::File::open(arg).unwrap());
    let (mut tp, mut np, mut ng, mut exact, mut n) = (0, 0, 0, 0, 0);
    for line in f.lines() {
        let v: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        let id = v["id"].as_str().unwrap();
        let text = v["text"].as_str().unwrap();
        let (_, ops) = pipeline::read_text(&mut ex, text);
        let mut gold = std::collections::BTreeMap::new();
        let hedged: Vec<&str> = v["hedged"]
            .as_array()
            .map(|a| a.iter().map(|x| x.as_str().unwrap()).collect())
            .unwrap_or_default();
        for (l, c) in v["cells"].as_object().unwrap() {
            for (t, g) in c.as_object().unwrap() {
                let key = format!("{l}/{t}");
                let h = hedged.contains(&key.as_str());
                gold.insert(key, (g.as_str().unwrap().to_string(), h));
            }
        }
        let mut pred = std::collections::BTreeMap::new();
        for o in &ops {
            if let Verdict::Graded(g) = o.verdict {
                pred.insert(
                    o.cell.to_string(),
                    (g.name().to_string(), o.certainty == Certainty::Hedged),
                );
            }
        }
        let t = gold.iter().filter(|(k, g)| pred.get(*k).is_some_and(|p| p.0 == g.0)).count();
        tp += t;
        np += pred.len();
        ng += gold.len();
        n += 1;
        let hd: Vec<_> = gold
            .iter()
            .filter(|(k, g)| pred.get(*k).is_some_and(|p| p.0 == g.0 && p.1 != g.1))
            .map(|(k, _)| k.clone())
            .collect();
        let ok = t == pred.len() && t == gold.len();
        if ok {
            exact += 1;
        }
        if !hd.is_empty() {
            println!("HEDGE {id} {hd:?}");
        }
        if (!ok && show.is_none()) || show.as_deref() == Some(id) {
            println!("=== {id}\n{text}\n---");
            for k in gold.keys().chain(pred.keys()).collect::<std::collections::BTreeSet<_>>() {
                let (g, p) = (gold.get(k), pred.get(k));
                if g.map(|x| &x.0) != p.map(|x| &x.0) {
                    println!("   {k}: gold {:?} pred {:?}", g.map(|x| &x.0), p.map(|x| &x.0));
                }
            }
        }
    }
    let (p, r) = (tp as f64 / np as f64, tp as f64 / ng as f64);
    println!("reports {n} exact {exact} P {p:.4} R {r:.4} F1 {:.4}", 2.0 * p * r / (p + r));
}
