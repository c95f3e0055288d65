//! What searches find, beside what reading everything finds.

use std::collections::HashSet;
use std::sync::LazyLock;

use deepspine::archive::{Archive, Asked, CaughtUp};
use deepspine::extract::Finding;
use deepspine::label::{Cell, Grade, Level, Mode, Span, Status, Target};
use deepspine::report::Report;
use deepspine::search::query::{
    AgeRange, CellQuery, CellTest, Comparison, DateRange, Field, FindingQuery, LevelPick, Pattern,
    Query, Section, TargetPick, Text,
};
use deepspine::search::{Counts, Snippet, Sort};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::scan::Known;
use super::{CENTRAL, TestArchive, report};

/// Some hundred reports of every style, with all that is known about them made up.
struct Corpus {
    test: TestArchive,
    known: Vec<Known>,
    words: Vec<String>,
}

// The archive is only read from once it is made.
static CORPUS: LazyLock<std::sync::Mutex<Corpus>> =
    LazyLock::new(|| std::sync::Mutex::new(corpus()));

fn corpus() -> Corpus {
    let mut test = TestArchive::new();
    let mut random = fastrand::Rng::with_seed(7);
    let texts = super::texts();
    let some = |random: &mut fastrand::Rng, all: &[&str]| -> Option<String> {
        let value = all[random.usize(..all.len())];
        (!value.is_empty()).then(|| value.to_owned())
    };
    let reports: Vec<Report> = texts
        .iter()
        .enumerate()
        .map(|(number, text)| Report {
            patient: some(&mut random, &["", "P1", "P2", "P3", "P 4"]),
            accession: some(&mut random, &["", "A1", "A2", "A3", "A4", "A5"]),
            study_uid: some(&mut random, &["", "", "1.2.1", "1.2.2"]),
            exam_date: some(&mut random, &["", "2019-12-31", "2020-01-01", "2021-06-30"]),
            sex: some(&mut random, &["", "F", "M"]),
            age: Some(random.u16(20..90)).filter(|age| age % 5 > 0),
            modality: some(&mut random, &["", "MR", "CT"]),
            source: some(&mut random, &["", "north", "south"]),
            ..report(&format!("R{number}"), text)
        })
        .collect();
    test.import(&reports);
    for number in 1..=reports.len() as u64 / 3 {
        let grade = |random: &mut fastrand::Rng| Grade::ALL[random.usize(..Grade::ALL.len())];
        test.read_by("anna", Mode::Blind, number, &[(CENTRAL, grade(&mut random))]);
        if random.bool() {
            test.read_by("ben", Mode::Blind, number, &[(CENTRAL, grade(&mut random))]);
        }
        if random.u8(..4) == 0 {
            let left = Cell { level: Level::L5S1, target: Target::ForaminalLeft };
            test.read_by("cora", Mode::Adjudication, number, &[(left, grade(&mut random))]);
        }
    }
    test.archive.catch_up(|_| ()).unwrap();
    let mut words: Vec<String> = texts
        .iter()
        .flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric()))
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    // Words that are frequent in the reports are frequent in the queries.
    random.shuffle(&mut words);
    words.truncate(2000);
    Corpus { known: Known::all(test.archive.store()), test, words }
}

/// A query whose words are still to be drawn from the corpus.
fn queries() -> impl Strategy<Value = Query> {
    let word = any::<Index>().prop_map(|index| index.get(&WORDS).clone());
    let start =
        (word.clone(), 1..5usize).prop_map(|(word, length)| word.chars().take(length).collect());
    let phrase = (any::<Index>(), 2..4usize).prop_map(|(index, length)| {
        let text = index.get(&TEXTS);
        let words: Vec<_> = text.split_whitespace().filter(|w| !w.contains('"')).collect();
        let at = text.len() % words.len().saturating_sub(length).max(1);
        words[at..(at + length).min(words.len())].join(" ")
    });
    let pattern = prop_oneof![
        3 => word.clone().prop_map(Pattern::Word),
        1 => start.prop_map(Pattern::Prefix),
        1 => (word.clone(), 1..3u8).prop_map(|(word, distance)| Pattern::Fuzzy { word, distance }),
        1 => phrase.prop_map(|words| Pattern::Phrase { words, slop: 0 }),
        2 => (proptest::collection::vec(word, 2..4), 1..6u32)
            .prop_map(|(words, slop)| Pattern::Phrase { words: words.join(" "), slop }),
    ];
    let section = proptest::option::of(select(&Section::ALL[..]));
    let level = prop_oneof![
        Just(LevelPick::Any),
        Just(LevelPick::All),
        select(vec![Level::L3L4, Level::L4L5, Level::L5S1, Level::T12L1, Level::L6S1])
            .prop_map(LevelPick::One),
    ];
    let test = prop_oneof![
        3 => (select(&Comparison::ALL[..]), select(&Grade::ALL[..]))
            .prop_map(|(comparison, grade)| CellTest::Compare(comparison, grade)),
        1 => select(vec![
            CellTest::Labelled,
            CellTest::Unassessable,
            CellTest::Hedged,
            CellTest::Stated,
            CellTest::Conflict,
        ]),
    ];
    let cell = (level, select(TargetPick::all().collect::<Vec<_>>()), test)
        .prop_map(|(level, target, test)| CellQuery { level, target, test });
    let at = proptest::option::of(select(vec![Level::L4L5, Level::L5S1]));
    let finding = (at, select(&Finding::ALL[..]), any::<bool>())
        .prop_map(|(level, finding, or_hedged)| FindingQuery { level, finding, or_hedged });
    let name = |values: &'static [&'static str]| select(values).prop_map(str::to_owned);
    let field = prop_oneof![
        name(&["MR", "CT", "US"]).prop_map(Field::Modality),
        name(&["F", "M", "O"]).prop_map(Field::Sex),
        name(&["P1", "P 4", "P9"]).prop_map(Field::Patient),
        name(&["A1", "A2"]).prop_map(Field::Accession),
        name(&["north", "south"]).prop_map(Field::Source),
        name(&["1.2.1"]).prop_map(Field::Study),
        name(&["R1", "R2"]).prop_map(Field::Id),
        (20..90u16, 0..30u16).prop_map(|(from, more)| {
            Field::Age(AgeRange { from: Some(from), to: (more > 0).then_some(from + more) })
        }),
        name(&["2019-12-31", "2020-01-01", "2020-06-01", "2021-06-30"])
            .prop_map(|day| Field::Date(DateRange { from: None, to: Some(day) })),
    ];
    let leaf = prop_oneof![
        4 => (section, pattern).prop_map(|(section, pattern)| Query::Text(Text { section, pattern })),
        4 => cell.prop_map(Query::Cell),
        2 => finding.prop_map(Query::Finding),
        2 => field.prop_map(Query::Field),
        1 => select(&Status::ALL[..]).prop_map(Query::Status),
        1 => Just(Query::Conflict),
        1 => name(&["rules", "person", "anna", "cora"]).prop_map(Query::By),
        1 => Just(Query::All),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Query::And),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Query::Or),
            inner.prop_map(|query| Query::Not(Box::new(query))),
        ]
    })
}

static WORDS: LazyLock<Vec<String>> = LazyLock::new(|| CORPUS.lock().unwrap().words.clone());
static TEXTS: LazyLock<Vec<String>> = LazyLock::new(super::texts);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_search_finds_what_reading_everything_finds(query in queries()) {
        let corpus = CORPUS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let expected: Vec<&Known> = corpus.known.iter().filter(|k| k.matches(&query)).collect();
        let numbers: Vec<u64> = expected.iter().map(|known| known.number()).collect();
        prop_assert_eq!(corpus.test.archive.find(&query).unwrap(), numbers, "{}", query);
        let asked = Asked {
            query: &query, sort: Sort::Newest, offset: 0, limit: 5, counts: true, facets: true,
        };
        let found = corpus.test.archive.search(&asked).unwrap();
        let studies: HashSet<_> = expected.iter().map(|known| known.study()).collect();
        let patients: HashSet<_> = expected.iter().filter_map(|known| known.patient()).collect();
        let counts = Counts {
            reports: expected.len() as u64,
            studies: studies.len() as u64,
            patients: patients.len() as u64,
        };
        prop_assert_eq!(found.counts, Some(counts), "{}", query);
        prop_assert_eq!(found.hits.len(), expected.len().min(5));
        prop_assert_eq!(found.behind, 0);
    }
}

fn query(text: &str) -> Query {
    Query::parse(text).unwrap()
}

/// The ids that a query finds, and the first's snippet with what is lit in brackets.
fn search(archive: &Archive, text: &str) -> (Vec<String>, String) {
    let query = query(text);
    let asked = Asked {
        query: &query,
        sort: Sort::Number,
        offset: 0,
        limit: 10,
        counts: false,
        facets: false,
    };
    let found = archive.search(&asked).unwrap();
    let ids = found.hits.iter().map(|hit| hit.report.report.id.clone()).collect();
    let lit = |piece: &deepspine::search::Piece| match piece.lit {
        true => format!("[{}]", piece.text),
        false => piece.text.clone(),
    };
    let first = found.hits.first();
    (ids, first.map(|hit| hit.snippet.pieces.iter().map(lit).collect()).unwrap_or_default())
}

#[test]
fn snippets_show_why_a_report_was_found() {
    let mut test = TestArchive::new();
    let background = "INDICATION: Sciatica, rule out extrusion.\n\n";
    let text = format!(
        "{background}FINDINGS:\nL3-L4: No extrusion.\nL4-L5: Moderate canal\nstenosis. Possible \
         extrusion.\nL5-S1: Left extrusion.\n\nIMPRESSION: Stenoses as described."
    );
    test.import(&[report("a", &text), report("b", "L4-L5: Mild canal stenosis, no extrusion.")]);
    test.archive.catch_up(|_| ()).unwrap();
    let shows = |text: &str, ids: &[&str], snippet: &str| {
        let (found, shown) = search(&test.archive, text);
        assert_eq!(found, ids, "{text}");
        assert!(shown.contains(snippet), "{text}: {shown}");
    };
    shows("stenosis", &["a", "b"], "Moderate canal [stenosis]. Possible");
    shows("impression:stenosis", &["a"], "IMPRESSION: [Stenoses] as");
    shows("\"moderate canal stenosis\"", &["a"], "[Moderate] [canal] [stenosis]");
    shows("stenosys~ scia*", &["a"], "[Sciatica], rule");
    shows("L4-L5.central>=moderate", &["a"], "[Moderate canal] [stenosis]");
    shows("finding:extrusion", &["a"], "L5-S1: Left [extrusion]");
    shows("L4-L5.finding:extrusion?", &["a"], "Possible [extrusion]");
    shows("L4-L5.finding:extrusion", &[], "");
    shows("NOT stenosis", &[], "");
}

#[test]
fn spans_of_another_text_are_not_lit_up() {
    let text = "Mèdium stenosis.";
    let spans = [(8, 16), (0, 400), (300, 400), (2, 4), (16, 8), (u32::MAX, u32::MAX)];
    let snippet = Snippet::new(text, spans.map(Span::from).to_vec(), 240);
    let pieces: Vec<_> = snippet.pieces.iter().map(|p| (p.text.as_str(), p.lit)).collect();
    assert_eq!(pieces, [("Mèdium ", false), ("stenosis", true), (".", false)]);
    let empty = Snippet::new("", vec![Span { start: 0, end: 9 }], 240);
    assert!(empty.pieces.is_empty());
}

#[test]
fn pages_follow_each_other_without_gap_or_repetition() {
    let corpus = CORPUS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let query = query("stenosis");
    for sort in Sort::ALL {
        let page = |offset, limit| {
            let asked = Asked { query: &query, sort, offset, limit, counts: false, facets: false };
            let found = corpus.test.archive.search(&asked).unwrap();
            found.hits.iter().map(|hit| hit.report.number).collect::<Vec<_>>()
        };
        let whole = page(0, 40);
        assert_eq!([page(0, 15), page(15, 15), page(30, 10)].concat(), whole, "{}", sort.name());
    }
}

#[test]
fn an_index_that_is_gone_torn_or_of_another_archive_heals() {
    let mut test = TestArchive::new();
    test.import(&[report("a", "L4-L5: Moderate canal stenosis.")]);
    test.archive.catch_up(|_| ()).unwrap();
    let index = test.path().join("index");
    let heals = |what: &str| {
        let archive = Archive::open(test.path()).unwrap();
        archive.catch_up(|_| ()).unwrap();
        assert_eq!(archive.find(&query("any.central=moderate")).unwrap(), [1], "{what}");
    };
    let files = || std::fs::read_dir(&index).unwrap().map(|entry| entry.unwrap().path());
    std::fs::remove_dir_all(&index).unwrap();
    heals("gone");
    std::fs::write(index.join("meta.json"), "{\"segments\": [").unwrap();
    heals("torn meta");
    for path in files().filter(|path| path.extension().is_some_and(|e| e == "idx" || e == "fast")) {
        std::fs::write(path, "").unwrap();
    }
    heals("torn segments");
    for path in files().filter(|path| path.extension().is_some_and(|e| e == "store" || e == "term"))
    {
        std::fs::remove_file(path).unwrap();
    }
    heals("missing segments");
    let mut other = TestArchive::new();
    other.import(&[report("b", "L4-L5: Severe canal stenosis.")]);
    other.archive.catch_up(|_| ()).unwrap();
    std::fs::remove_dir_all(&index).unwrap();
    std::fs::create_dir(&index).unwrap();
    for path in std::fs::read_dir(other.path().join("index")).unwrap().map(|e| e.unwrap().path()) {
        std::fs::copy(&path, index.join(path.file_name().unwrap())).unwrap();
    }
    heals("another archive's");
}

#[test]
fn whoever_has_the_lock_indexes_and_the_other_says_how_far_behind_it_is() {
    let mut test = TestArchive::new();
    let server = Archive::open(test.path()).unwrap();
    test.import(&[report("a", "L4-L5: Moderate canal stenosis.")]);
    let all = Query::All;
    let asked = Asked {
        query: &all,
        sort: Sort::Number,
        offset: 0,
        limit: 1,
        counts: false,
        facets: false,
    };
    let found = server.search(&asked).unwrap();
    assert_eq!((found.reports, found.behind > 0), (0, true));
    assert_eq!(test.archive.catch_up(|_| ()).unwrap(), CaughtUp::Indexed(1));
    let found = server.search(&asked).unwrap();
    assert_eq!((found.reports, found.behind), (1, 0), "a searcher sees what another indexed");
    // Several at once: none fails, and in the end all is indexed once.
    test.import(&(0..200).map(|n| report(&format!("r{n}"), "L4-L5: normal.")).collect::<Vec<_>>());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let archive = test.archive.another().unwrap();
            scope.spawn(move || archive.catch_up(|_| ()).unwrap());
        }
    });
    assert_eq!(server.find(&all).unwrap().len(), 201);
}
