fn main() {
    let lex = deepspine::extract::Lexicon::builtin("en").unwrap();
    let mut ex = deepspine::extract::Extractor::new(&lex);
    let mut text = String::new();
    std::io::Read::read_to_string(&mut std::io::stdin(), &mut text).unwrap();
    let (_, ops) = deepspine::pipeline::read_text(&mut ex, &text);
    for o in ops {
        println!("{} {:?} {:?}", o.cell, o.verdict, o.certainty);
    }
}
