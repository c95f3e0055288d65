//! What the rule reader promises of every text, and its score on real reports.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::LazyLock;

use deepspine::extract::{Extraction, Extractor, Lexicon, LexiconError, SectionSpan};
use deepspine::label::{Cell, Level, Naming, Span, Target};
use deepspine::learn::{Labels, read_gold, score};
use deepspine::pipeline::read_text;
use proptest::prelude::*;

/// A reader of English; the lexicon is compiled once.
fn extractor() -> Extractor {
    static ENGLISH: LazyLock<Extractor> =
        LazyLock::new(|| Extractor::new(&Lexicon::builtin("en").unwrap()));
    ENGLISH.clone()
}

/// Words that reports are made of, and signs and letters that they are not.
static SCRAPS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut scraps: Vec<String> = Lexicon::builtin("en").unwrap().phrases().collect();
    let signs = [
        "L4-5",
        "L5-S1",
        "L1-L4",
        "C5-6",
        "T12-L1",
        "L4",
        "S1",
        "LS-S1",
        ",",
        ".",
        ":",
        ";",
        "\n",
        "\n\n",
        "\r\n",
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
        "\u{ad}",
        "0",
        "....",
        ">>",
        "->",
        "FINDINGS:",
        "IMPRESSION",
        "- Left:",
        "o ",
        "\0",
    ];
    for _ in 0..40 {
        scraps.extend(signs.map(str::to_owned));
    }
    scraps
});

fn check_spans(text: &str, extraction: &Extraction) {
    let check = |span: &Span| {
        let covered = text.get(span.range());
        assert!(covered.is_some_and(|words| !words.is_empty()), "{span:?} of {text:?}");
    };
    for statement in &extraction.statements {
        assert!(!statement.evidence.is_empty(), "{statement:?} of {text:?}");
        statement.evidence.iter().for_each(check);
        assert!(statement.evidence.windows(2).all(|pair| pair[0].end <= pair[1].start));
    }
    extraction.mentions.iter().for_each(|mention| check(&mention.span));
    extraction.measurements.iter().for_each(|measured| check(&measured.span));
    extraction.clauses.iter().for_each(|clause| check(&clause.span));
    extraction.namings.iter().for_each(|naming| check(&naming.span));
    check_sections(text, &extraction.sections);
}

/// Sections are all of a text, one after the other.
fn check_sections(text: &str, sections: &[SectionSpan]) {
    let mut end = 0;
    for SectionSpan { section, span } in sections {
        assert_eq!(span.start, end, "{section:?} of {text:?}");
        assert!(
            text.get(span.range()).is_some_and(|part| !part.is_empty()),
            "{span:?} of {text:?}"
        );
        end = span.end;
    }
    assert!(sections.is_empty() || end as usize == text.len(), "{text:?}");
}

#[test]
fn sections_begin_with_their_headings() {
    let sections = |language: &str, text: &str| -> Vec<String> {
        let mut extractor = Extractor::new(&Lexicon::builtin(language).unwrap());
        let sections = extractor.extract(text).sections;
        check_sections(text, &sections);
        sections
            .iter()
            .map(|s| format!("{:?}: {}", s.section, text[s.span.range()].trim()))
            .collect()
    };
    let text = "Clinical history: pain.\nTechnique: T2.\n\nFindings:\nL4-L5: Mild stenosis.\n\n\
                IMPRESSION: Mild. ADDENDUM: Moderate.";
    assert_eq!(
        sections("en", text),
        [
            "Background: Clinical history: pain.\nTechnique: T2.",
            "Findings: Findings:\nL4-L5: Mild stenosis.",
            "Impression: IMPRESSION: Mild.",
            "Addendum: ADDENDUM: Moderate.",
        ]
    );
    let text = "Klinische Angaben: Schmerz.\n\nBefund:\nL4/5: Enge.\n\nBeurteilung: Enge.";
    assert_eq!(
        sections("de", text),
        [
            "Background: Klinische Angaben: Schmerz.",
            "Findings: Befund:\nL4/5: Enge.",
            "Impression: Beurteilung: Enge.",
        ]
    );
    // A doubled slash ends a line in mid-line, too.
    let text = "L4-L5: mild canalIMPRESSION....// FINDINGS: normal. // CLINICAL HISTORY: pain";
    assert_eq!(
        sections("en", text),
        [
            "Findings: L4-L5: mild canal",
            "Impression: IMPRESSION....//",
            "Findings: FINDINGS: normal. //",
            "Background: CLINICAL HISTORY: pain",
        ]
    );
    assert_eq!(sections("en", "L4-L5: normal."), ["Findings: L4-L5: normal."]);
    assert_eq!(sections("en", " \n"), [""; 0]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_text_panics_and_every_span_lies_in_it(
        picks in proptest::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 0..80)
    ) {
        let text: String = picks
            .iter()
            .map(|(pick, spaced)| format!("{}{}", pick.get(&SCRAPS), if *spaced { " " } else { "" }))
            .collect();
        let extraction = extractor().extract(&text);
        check_spans(&text, &extraction);
        prop_assert_eq!(&extraction, &extractor().extract(&text));
    }

    #[test]
    fn no_noise_panics(text in "\\PC{0,400}") {
        check_spans(&text, &extractor().extract(&text));
    }
}

#[test]
fn letters_whose_small_form_has_other_bytes_do_not_panic() {
    for text in ["dis\u{212a}bulge", "dis\u{212a}L4", "\u{130}canalstenosis", "STENOSI\u{130}canal"]
    {
        check_spans(text, &extractor().extract(text));
    }
}

#[test]
fn a_reader_forgets_the_text_before() {
    let (a, b) = ("L4-5: severe canal stenosis.", "The foramina are patent at all levels.");
    let mut used = extractor();
    used.extract(a);
    assert_eq!(used.extract(b), extractor().extract(b));
}

#[test]
fn line_ends_and_blanks_do_not_change_the_labels() {
    let text = "FINDINGS:\nL3-4: Mild canal stenosis.\nL4-5: Severe canal stenosis, moderate \
                left foraminal narrowing.\n\nIMPRESSION:\nStenosis as above.\n";
    let cells = |text: &str| -> Vec<_> {
        let (_, opinions) = read_text(&mut extractor(), text);
        opinions.iter().map(|opinion| (opinion.cell, opinion.verdict)).collect()
    };
    assert_eq!(cells(text).len(), 3);
    assert_eq!(cells(text), cells(&text.replace('\n', "\r\n")));
    assert_eq!(cells(text), cells(&format!("\n\n{text}\n\n")));
    assert_eq!(cells(text), cells(&text.replace("L4-5", "L4\u{2013}L5")));
}

#[test]
fn large_and_odd_texts_come_to_an_end() {
    // Megabytes of one thing: any cost that is not linear would be seen as a test that hangs.
    const SIZE: usize = 2_000_000;
    let units = [
        "\n",
        ".",
        "(",
        "no stenosis ",
        "L4-5 // ",
        "canal | ",
        "FINDINGS. SEVERE STENOSIS. ",
        "L4-5:\nThe canal is adequate.\n",
        "Other levels normal. ",
        "a-\n",
        "the left, mildly ",
        "canal stenosis; ",
        "canal | foramen\n",
        "x | canal | foramen\n",
        "L4-5 | L5-S1\n",
        "x\n\n",
    ];
    let mut extractor = extractor();
    for unit in units {
        let text = unit.repeat(SIZE / unit.len());
        let extraction = extractor.extract(&text);
        assert!(extraction.passages().len() <= Level::ALL.len(), "{unit:?}");
    }
    let sentence = "At L4-5 there is severe canal stenosis. ";
    let long = sentence.repeat(10_000_000 / sentence.len());
    let statements = extractor.extract(&long).statements;
    assert_eq!(statements.len(), 10_000_000 / sentence.len());
}

#[test]
fn a_passage_holds_the_evidence_of_its_level() {
    let text = "L3-4: Mild canal stenosis.\nL4-5: Disc bulge. The foramina are patent.\n\n\
                No lateral recess stenosis at any level.";
    let extraction = extractor().extract(text);
    let cell = Cell { level: Level::L4L5, target: Target::ForaminalLeft };
    let statement = extraction.statements.iter().find(|s| s.cell == cell).unwrap();
    let passages = extraction.passages();
    let passage = passages.iter().find(|p| p.level == Level::L4L5).unwrap();
    for evidence in &statement.evidence {
        let holds = |span: &Span| span.start <= evidence.start && evidence.end <= span.end;
        assert!(passage.own.iter().any(holds), "{passage:?} lacks {evidence:?}");
    }
    let universal = extraction.statements.iter().find(|s| s.naming == Naming::Universal).unwrap();
    let words = &text[universal.evidence[0].range()];
    let in_passage = passage.general.iter().any(|span| text[span.range()].contains(words));
    assert!(in_passage, "universal statements bear on every level");
}

#[test]
fn findings_are_mentioned_with_level_side_class_and_negation() {
    let text = "L4-5: Grade 2 anterolisthesis. Left paracentral extrusion. No annular fissure.\n\
                L5-S1: Modic type II change. AP canal diameter 9 mm.";
    let extraction = extractor().extract(text);
    let mentions: Vec<String> = extraction
        .mentions
        .iter()
        .map(|m| {
            let level = m.level.map_or("-", Level::name);
            format!("{level} {} {:?} {:?} {}", m.finding, m.side, m.class, m.negated)
        })
        .collect();
    assert_eq!(
        mentions,
        [
            "L4-L5 listhesis None Some(2) false",
            "L4-L5 extrusion Some(Left) None false",
            "L4-L5 annular_fissure None None true",
            "L5-S1 modic_change None Some(2) false",
        ]
    );
    let measured = &extraction.measurements[0];
    assert_eq!((measured.level, measured.value), (Some(Level::L5S1), 9.0));
    assert!(extraction.statements.is_empty(), "millimetres are no grade");
}

#[test]
fn lengths_and_areas_are_told_apart_in_capitals_too() {
    let text = "L4-5: CANAL 9 MM. L3-4: Thecal sac area 75 mm2. L5-S1: Canal 11 mm 2 cm below.";
    let extraction = extractor().extract(text);
    let measured: Vec<_> = extraction.measurements.iter().map(|m| (m.quantity, m.value)).collect();
    use deepspine::extract::Quantity::{CanalDiameter, SacArea};
    assert_eq!(&measured[..3], [(CanalDiameter, 9.0), (SacArea, 75.0), (CanalDiameter, 11.0)]);
}

#[test]
fn a_lexicon_with_more_words_than_can_be_numbered_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("lexicon.toml", "language = \"en\"\nversion = 1\nextends = \"en\"");
    let letters = |mut n: usize| -> String {
        (0..4)
            .map(|_| {
                let c = b'a' + (n % 26) as u8;
                n /= 26;
                c as char
            })
            .collect()
    };
    let words: Vec<String> = (0..20_000).map(|n| format!("\"zq{}\"", letters(n))).collect();
    write("ordinary.toml", &format!("[words]\nknown = [{}]", words.join(", ")));
    let error = Lexicon::load(folder.path()).unwrap_err().to_string();
    assert!(error.contains("different words"), "{error}");
}

#[test]
fn a_lexicon_is_refused_by_file_and_entry() {
    let refused = |changes: &[(&str, &str)]| -> String {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(format!("{name}.toml")), text).unwrap();
        };
        write("lexicon", "language = \"en\"\nversion = 7\nextends = \"en\"\n");
        changes.iter().for_each(|(name, text)| write(name, text));
        match Lexicon::load(folder.path()) {
            Ok(lexicon) => lexicon.version(),
            Err(error) => error.to_string(),
        }
    };
    assert!(refused(&[]).starts_with("en 7 "));
    assert!(refused(&[("degree", "[words]\nsevere = [\"whopping\"]")]).starts_with("en 7 "));
    let cases = [
        ("degree", "[words]\nhuge = [\"huge\"]", "degree.words.huge"),
        ("degree", "[words]\nmild = [\"severe\"]", "`severe` shadows"),
        ("degree", "[words]\nmild = [\"--\"]", "degree.words.mild"),
        ("degree", "[words\n", "degree.toml"),
        ("lexicon", "version = 1", "lexicon.toml"),
        ("lexicon", "language = \"xx\"\nversion = 1", "the list is missing or empty"),
    ];
    for (file, text, named) in cases {
        let error = refused(&[(file, text)]);
        assert!(error.contains(named), "{error}");
    }
    assert!(matches!(Lexicon::builtin("tlh"), Err(LexiconError::UnknownLanguage { .. })));
}

#[test]
fn words_added_to_the_lexicon_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    std::fs::write(file("lexicon.toml"), "language = \"en\"\nversion = 2\nextends = \"en\"")
        .unwrap();
    std::fs::write(file("degree.toml"), "[words]\nsevere = [\"whopping\"]").unwrap();
    let mut extractor = Extractor::new(&Lexicon::load(folder.path()).unwrap());
    let (_, opinions) = read_text(&mut extractor, "L4-5: whopping canal stenosis.");
    assert_eq!(opinions[0].verdict.name(), "severe");
}

/// Strict cell F1 on a file of labelled reports that are kept outside the project.
fn gold_f1(file: &str) -> Option<f64> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/gold").join(file);
    let Ok(opened) = std::fs::File::open(&path) else {
        println!("skipped: no {}", path.display());
        return None;
    };
    let mut extractor = extractor();
    let input: Box<dyn BufRead> = Box::new(BufReader::new(opened));
    let pairs: Vec<(Labels, Labels)> = read_gold(input)
        .map(|gold| {
            let gold = gold.unwrap();
            let (_, opinions) = read_text(&mut extractor, &gold.text);
            (gold.labels, opinions.iter().collect())
        })
        .collect();
    score(pairs.iter().map(|(gold, found)| (gold, found)), None).cells.f1.value
}

#[test]
fn real_and_authored_reports_score_above_the_bar() {
    for file in ["real_labelled.jsonl", "authored_labelled.jsonl"] {
        if let Some(f1) = gold_f1(file) {
            println!("{file}: strict cell F1 {f1:.4}");
            assert!(f1 >= 0.97, "{file}: {f1:.4}");
        }
    }
}
