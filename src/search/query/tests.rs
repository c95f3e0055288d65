//! Queries and what they are understood as.

use proptest::prelude::*;

use super::*;

/// What a query is in its canonical spelling, or how it is wrong.
fn check(query: &str, expected: &str) {
    let found = match Query::parse(query) {
        Ok(query) => query.to_string(),
        Err(error) => error.pointed(query),
    };
    assert_eq!(found.trim_end(), expected.trim_end(), "{query}");
}

#[test]
fn queries_are_understood() {
    for (query, canonical) in [
        ("", "*"),
        ("  * ", "*"),
        ("a b c", "a AND b AND c"),
        ("a AND b OR c d", "(a AND b) OR (c AND d)"),
        ("a (b OR c)", "a AND (b OR c)"),
        ("NOT a -b -(c OR d)", "NOT a AND NOT b AND NOT (c OR d)"),
        ("NOT NOT a", "NOT NOT a"),
        ("((a))", "a"),
        ("and or not", "and AND or AND not"),
        ("L4-L5 t2-weighted", "L4-L5 AND t2-weighted"),
        ("\"canal  stenosis\" \"a b\"~3", "\"canal  stenosis\" AND \"a b\"~3"),
        ("sten* stenosys~ stenosys~1 x~2", "sten* AND stenosys~ AND stenosys~ AND x~2"),
        (
            "impression:severe background:\"back pain\"~2",
            "impression:severe AND background:\"back pain\"~2",
        ),
        ("findings:sten*", "findings:sten*"),
        ("modality:mr sex:f age:50..70", "modality:MR AND sex:F AND age:50..70"),
        ("patient:\"a 1\" patient:A-1/2.3", "patient:\"a 1\" AND patient:A-1/2.3"),
        ("study:1.2:3", "study:\"1.2:3\""),
        ("date:2020-01..2021-06", "date:2020-01-01..2021-06-30"),
        ("date:2020-02-29", "date:2020-02-29"),
        ("date:..2020 age:50.. age:67", "date:..2020-12-31 AND age:50.. AND age:67"),
        ("L4-L5.central>=moderate", "L4-L5.central>=moderate"),
        ("l4-5.central l4/5.recess", "L4-L5.central AND L4-L5.recess"),
        ("any.foraminal=severe all.central=normal", "any.foraminal=severe AND all.central=normal"),
        (
            "L5-S1.recess_left:hedged any.any:conflict",
            "L5-S1.recess_left:hedged AND any.any:conflict",
        ),
        (
            "any.central=present any.central=unassessable",
            "any.central=present AND any.central=unassessable",
        ),
        (
            "any.central>mild any.central<=mild any.central<severe",
            "any.central>mild AND any.central<=mild AND any.central<severe",
        ),
        (
            "finding:extrusion L4-L5.finding:listhesis?",
            "finding:extrusion AND L4-L5.finding:listhesis?",
        ),
        ("any.finding:fracture", "finding:fracture"),
        ("status:adjudicated conflict by:rules", "status:adjudicated AND conflict AND by:rules"),
        ("\"conflict\" findings:conflict", "\"conflict\" AND findings:conflict"),
    ] {
        check(query, canonical);
    }
}

#[test]
fn errors_point_at_what_is_wrong() {
    for (query, told) in [
        (
            "stenosis \"never closed",
            "  stenosis \"never closed\n           ^\ncolumn 10: this quote is never closed; add `\"` at the end of the phrase",
        ),
        ("a (b OR c", "  a (b OR c\n    ^\ncolumn 3: this parenthesis is never closed; add `)`"),
        ("a)", "  a)\n   ^\ncolumn 2: this parenthesis closes none; remove it"),
        (
            "a AND",
            "  a AND\n       ^\ncolumn 6: a term is missing here; after AND, OR, NOT and `(` something has to be asked for",
        ),
        (
            "é L4-L5.central>=sever",
            "  é L4-L5.central>=sever\n                   ^^^^^\ncolumn 18: `sever` is no grade; known are: normal mild mild_moderate moderate moderate_severe severe present; did you mean `severe`?",
        ),
        (
            "L4-L5.centrl",
            "  L4-L5.centrl\n        ^^^^^^\ncolumn 7: `centrl` is no target; known are: any foraminal recess central foraminal_left foraminal_right recess_left recess_right; did you mean `central`?",
        ),
        (
            "any.central>=present",
            "  any.central>=present\n             ^^^^^^^^^\ncolumn 12: `present` has no place on the scale of grades; only `=present` finds it",
        ),
        (
            "any.central!=severe",
            "  any.central!=severe\n             ^^^^^^^^\ncolumn 12: `!=` is not known; write NOT before the cell: NOT L4-L5.central=severe",
        ),
        (
            "central>=moderate",
            "  central>=moderate\n  ^^^^^^^^^^^^^^^^^\ncolumn 1: a cell begins with its level: L4-L5.central, any.central or all.central",
        ),
        (
            "L9-L5.central>=moderate",
            "  L9-L5.central>=moderate\n  ^^^^^\ncolumn 1: `L9-L5` is no level; known are: any all T9-T10 T10-T11 T11-T12 T12-L1 L1-L2 L2-L3 L3-L4 L4-L5 L5-S1 L5-L6 L6-S1 S1-S2; did you mean `L4-L5`?",
        ),
        (
            "L7-S1.central:hedged",
            "  L7-S1.central:hedged\n  ^^^^^\ncolumn 1: `L7-S1` is no level; known are: any all T9-T10 T10-T11 T11-T12 T12-L1 L1-L2 L2-L3 L3-L4 L4-L5 L5-S1 L5-L6 L6-S1 S1-S2; did you mean `L6-S1`?",
        ),
        (
            "all.finding:fracture",
            "  all.finding:fracture\n  ^^^^^^^^^^^^^^^^^^^^\ncolumn 1: findings are asked for at one level or anywhere; write `finding:fracture`",
        ),
        (
            "date:2021-02-30",
            "  date:2021-02-30\n       ^^^^^^^^^^\ncolumn 6: `2021-02-30` is no date; write 2020, 2020-01 or 2020-01-31, or a range 2020..2021-06",
        ),
        (
            "age:70..50",
            "  age:70..50\n      ^^^^^^\ncolumn 5: the range ends before it begins; swap its ends",
        ),
        (
            "modalty:MR",
            "  modalty:MR\n  ^^^^^^^^\ncolumn 1: `modalty:` is no field; known are: modality sex patient accession source study id date age status by finding findings impression addendum background; did you mean `modality`?",
        ),
        ("patient:", "  patient:\n  ^^^^^^^^\ncolumn 1: `patient:` needs a value, such as 4711"),
        (
            "stenosis~3",
            "  stenosis~3\n          ^^\ncolumn 9: a fuzzy word differs by 1 or 2 letters; write `~` or `~2`",
        ),
        (
            "ste*nosis",
            "  ste*nosis\n     ^^^^^^\ncolumn 4: `*` and `~` stand at the end of a word with letters or digits",
        ),
        (
            "\"a b\"~99",
            "  \"a b\"~99\n       ^^^\ncolumn 6: after `\"...\"~` comes the number of places, up to 50",
        ),
        (
            "any.central>=",
            "  any.central>=\n             ^^\ncolumn 12: a comparison needs a grade after `>=`, such as `>=moderate`",
        ),
        (
            "stenosis?",
            "  stenosis?\n          ^\ncolumn 9: `?` is neither a word nor a sign that is understood here; remove it",
        ),
    ] {
        check(query, told);
    }
}

#[test]
fn nesting_has_a_bottom() {
    let deep =
        |sign: &str| Query::parse(&format!("{}a", sign.repeat(100_000))).unwrap_err().problem;
    assert!(matches!(deep("("), Problem::TooDeep(_)));
    assert!(matches!(deep("NOT "), Problem::TooDeep(_)));
    assert!(Query::parse(&"a ".repeat(100_000)).is_ok(), "long is not deep");
}

#[test]
fn every_example_of_the_syntax_is_understood() {
    for (example, _) in SYNTAX {
        let query =
            Query::parse(example).unwrap_or_else(|error| panic!("{}", error.pointed(example)));
        assert_ne!(query, Query::All, "{example}");
    }
}

/// Queries of every kind.
pub(super) fn queries() -> impl Strategy<Value = Query> {
    let word =
        "[a-z]{1,6}(-[a-z0-9]{1,4})?".prop_filter("`conflict` is a term", |w| w != "conflict");
    let value = "[ A-Za-z0-9.:/-]{0,8}[A-Za-z0-9]";
    let pattern = prop_oneof![
        word.clone().prop_map(Pattern::Word),
        word.clone().prop_map(Pattern::Prefix),
        (word, 1..3u8).prop_map(|(word, distance)| Pattern::Fuzzy { word, distance }),
        ("[a-z]{1,5}( [a-z]{1,5}){0,2}", 0..4u32)
            .prop_map(|(words, slop)| Pattern::Phrase { words, slop }),
    ];
    let section = proptest::option::of(proptest::sample::select(&Section::ALL[..]));
    let cell = {
        let level = proptest::sample::select(
            [LevelPick::Any, LevelPick::All]
                .into_iter()
                .chain(Level::ALL.map(LevelPick::One))
                .collect::<Vec<_>>(),
        );
        let target = proptest::sample::select(TargetPick::all().collect::<Vec<_>>());
        let comparison = proptest::sample::select(&Comparison::ALL[..]);
        let grade = proptest::sample::select(&Grade::ALL[..]);
        let test = prop_oneof![
            (comparison, grade).prop_map(|(comparison, grade)| match grade {
                Grade::Present => CellTest::Compare(Comparison::Equal, grade),
                _ => CellTest::Compare(comparison, grade),
            }),
            proptest::sample::select(vec![
                CellTest::Labelled,
                CellTest::Unassessable,
                CellTest::Hedged,
                CellTest::Stated,
                CellTest::Conflict,
            ]),
        ];
        (level, target, test).prop_map(|(level, target, test)| CellQuery { level, target, test })
    };
    let finding = (
        proptest::option::of(proptest::sample::select(&Level::ALL[..])),
        proptest::sample::select(&Finding::ALL[..]),
        any::<bool>(),
    )
        .prop_map(|(level, finding, or_hedged)| FindingQuery { level, finding, or_hedged });
    let ages = (0..80u16, 0..40u16, 0..3).prop_map(|(from, more, open)| AgeRange {
        from: (open != 1).then_some(from),
        to: (open != 2).then_some(from + more),
    });
    let leaf = prop_oneof![
        Just(Query::All),
        (section, pattern).prop_map(|(section, pattern)| Query::Text(Text { section, pattern })),
        cell.prop_map(Query::Cell),
        finding.prop_map(Query::Finding),
        proptest::sample::select(&Status::ALL[..]).prop_map(Query::Status),
        Just(Query::Conflict),
        value.prop_map(Query::By),
        value.prop_map(|value| Query::Field(Field::Patient(value))),
        value.prop_map(|value| Query::Field(Field::Source(value))),
        ages.prop_map(|ages| Query::Field(Field::Age(ages))),
        (2000..2030, 1..13, 1..29).prop_map(|(year, month, day)| {
            let from = Some(format!("{year}-{month:02}-{day:02}"));
            Query::Field(Field::Date(DateRange { from, to: None }))
        }),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Query::And),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Query::Or),
            inner.prop_map(|query| Query::Not(Box::new(query))),
        ]
    })
}

proptest! {
    #[test]
    fn the_canonical_spelling_is_understood_as_the_same_query(query in queries()) {
        prop_assert_eq!(Query::parse(&query.to_string()), Ok(query));
    }

    #[test]
    fn no_text_panics_and_errors_point_into_it(text in "[ a-zA-Z0-9.:()\"*~<>=!?é-]{0,30}") {
        if let Err(error) = Query::parse(&text) {
            prop_assert!(error.column >= 1 && error.length >= 1);
            prop_assert!(error.column <= text.chars().count() + 1, "{error}");
        }
    }
}
