//! Each export format over the same few opinions.

use deepspine::export::{FORMATS, Format, Labelled};
use deepspine::extract::{Extraction, Finding, Measurement, Mention, Quantity};
use deepspine::label::{
    Cell, Certainty, Directness, Doubt, Evidence, Grade, Level, Naming, Opinion, OutcomeSet, Span,
    Statement, Target, Trace, Verdict, resolve,
};
use deepspine::report::Report;

fn report() -> Report {
    Report { id: "r-1, \"first\"".into(), ..Report::default() }
}

fn statement(cell: &str, grade: Grade, spans: &[(u32, u32)], rules: &[u8]) -> Statement {
    Statement {
        cell: cell.parse().unwrap(),
        grade,
        certainty: Certainty::Stated,
        directness: Directness::Direct,
        naming: Naming::Named,
        evidence: spans.iter().copied().map(Span::from).collect(),
        trace: Trace::of(rules),
    }
}

/// A thoracic disc, a conflict, a hedged side, a bare `present`, and a cell no one can judge.
fn opinions() -> Vec<Opinion> {
    let statements = [
        vec![statement("T11-T12/central", Grade::Mild, &[(0, 4)], &[10])],
        vec![
            statement("L4-L5/central", Grade::Severe, &[(40, 46), (10, 15)], &[10, 18]),
            statement("L4-L5/central", Grade::Mild, &[(60, 64)], &[10, 18]),
            Statement {
                directness: Directness::Indirect,
                ..statement("L4-L5/central", Grade::Severe, &[(10, 15), (70, 90)], &[11])
            },
        ],
        vec![Statement {
            certainty: Certainty::Hedged,
            ..statement("L4-L5/foraminal_left", Grade::MildModerate, &[(30, 39)], &[12, 15])
        }],
        vec![Statement {
            directness: Directness::Indirect,
            naming: Naming::Universal,
            ..statement("L5-S1/central", Grade::Present, &[(30, 39)], &[5, 11])
        }],
    ];
    let mut opinions: Vec<Opinion> =
        statements.into_iter().map(|of_cell| resolve(of_cell[0].cell, of_cell)).collect();
    opinions.push(Opinion {
        cell: Cell { level: Level::L5S1, target: Target::RecessRight },
        verdict: Verdict::Unassessable,
        certainty: Certainty::Stated,
        conflict: false,
        distribution: None,
        doubt: None,
        evidence: Evidence::Spans(vec![]),
    });
    opinions
}

fn extraction() -> Extraction {
    Extraction {
        mentions: vec![Mention {
            finding: Finding::Bulge,
            level: Some(Level::L4L5),
            side: None,
            class: None,
            negated: false,
            certainty: Certainty::Stated,
            span: Span { start: 5, end: 10 },
        }],
        measurements: vec![Measurement {
            quantity: Quantity::CanalDiameter,
            level: Some(Level::L4L5),
            value: 9.5,
            span: Span { start: 90, end: 96 },
        }],
        ..Extraction::default()
    }
}

fn written(name: &str, report: &Report, opinions: &[Opinion]) -> String {
    written_as(Format::named(name).unwrap(), report, opinions)
}

fn written_as(format: &Format, report: &Report, opinions: &[Opinion]) -> String {
    let extraction = extraction();
    let labelled =
        Labelled { report, opinions, readings: &[], extraction: &extraction, lexicon: "en 1" };
    let mut out = Vec::new();
    format.write_header(&mut out).unwrap();
    format.write_report(&labelled, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The rows of a table as `column=value`, blanks left out.
fn filled(table: &str) -> Vec<Vec<String>> {
    let mut csv = csv::Reader::from_reader(table.as_bytes());
    let columns = csv.headers().unwrap().clone();
    csv.records()
        .map(|record| {
            let record = record.expect("every row has as many fields as there are columns");
            let fields = columns.iter().zip(&record).filter(|(_, value)| !value.is_empty());
            fields.map(|(column, value)| format!("{column}={value}")).collect()
        })
        .collect()
}

#[test]
fn jsonl_tells_everything() {
    let line = written("jsonl", &report(), &opinions());
    let json: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line.matches('\n').count(), 1);
    assert_eq!(json["schema"], 1);
    assert_eq!(json["id"], "r-1, \"first\"");
    assert_eq!(json["lexicon"], "en 1");
    assert_eq!(json["conflicts"], serde_json::json!(["L4-L5/central"]));
    assert_eq!(json["hedged"], serde_json::json!(["L4-L5/foraminal_left"]));
    assert_eq!(json["measurements"][0]["value"], 9.5);
    assert_eq!(json["mentions"][0]["finding"], "bulge");
    let opinions: Vec<Opinion> = serde_json::from_value(json["opinions"].clone()).unwrap();
    assert_eq!(opinions, self::opinions(), "opinions can be read back whole");
}

#[test]
fn jsonl_orders_levels_and_leaves_out_what_has_no_grade() {
    let line = written("jsonl", &report(), &opinions());
    let cells = concat!(
        r#""cells":{"T11-T12":{"central":"mild"},"#,
        r#""L4-L5":{"central":"severe","foraminal_left":"mild_moderate"},"#,
        r#""L5-S1":{"central":"present"}}"#
    );
    assert!(line.contains(cells), "{line}");
}

#[test]
fn jsonl_says_read_and_found_nothing() {
    let line = written("jsonl", &report(), &[]);
    assert!(line.contains(r#""cells":{},"hedged":[],"conflicts":[],"opinions":[]"#), "{line}");
}

#[test]
fn jsonl_has_the_keys_to_join_by_but_neither_text_nor_patient() {
    let report = Report {
        text: "Secret.".into(),
        patient: Some("P7".into()),
        accession: Some("A9".into()),
        ..report()
    };
    let line = written("jsonl", &report, &[]);
    assert!(line.contains(r#""accession":"A9""#), "{line}");
    assert!(!line.contains("Secret") && !line.contains("P7"), "{line}");
}

#[test]
fn long_has_a_row_a_cell_with_the_words_that_carry_its_grade() {
    insta::assert_snapshot!(written("long", &report(), &opinions()), @r#"
    id,level,target,grade,certainty,conflict,directness,naming,evidence,rules
    "r-1, ""first""",T11-T12,central,mild,stated,false,direct,named,0-4,10
    "r-1, ""first""",L4-L5,central,severe,stated,true,direct,named,10-15;40-46;70-90,10;11;18
    "r-1, ""first""",L4-L5,foraminal_left,mild_moderate,hedged,false,direct,named,30-39,12;15
    "r-1, ""first""",L5-S1,central,present,stated,false,indirect,universal,30-39,5;11
    "r-1, ""first""",L5-S1,recess_right,unassessable,stated,false,,,,
    "#);
}

#[test]
fn long_says_how_sure_a_network_is() {
    let mut opinions = opinions().split_off(2);
    let grades = Some((Grade::Mild, Grade::Moderate));
    opinions[0].distribution = Some([0.0, 0.25, 0.625, 0.125, 0.0, 0.0, 0.0]);
    opinions[0].doubt = Some(Doubt {
        may_be: OutcomeSet { grades, ..OutcomeSet::default() },
        readers_differ: false,
        is_cut: false,
    });
    opinions[1].distribution = Some([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.875]);
    let table = written_as(Format::named("long").unwrap().of_a_network(), &report(), &opinions);
    assert_eq!(
        table,
        written("long", &report(), &opinions)
            .lines()
            .zip([",probability,may_be", ",0.625,mild to moderate", ",0.875,", ",,",])
            .map(|(line, more)| format!("{line}{more}\n"))
            .collect::<String>()
    );
    let wide = Format::named("wide").unwrap();
    assert_eq!(wide.of_a_network().name, "wide", "the other formats are the same for all");
}

#[test]
fn long_has_no_row_for_a_report_without_labels() {
    assert_eq!(filled(&written("long", &report(), &[])).len(), 0);
}

#[test]
fn wide_keeps_grades_clean_and_other_levels_in_sight() {
    let rows = filled(&written("wide", &report(), &opinions()));
    assert_eq!(
        rows,
        [[
            "id=r-1, \"first\"",
            "l4_l5_central=severe",
            "l4_l5_foraminal_left=mild_moderate",
            "l5_s1_central=present",
            "l5_s1_recess_right=unassessable",
            "other_levels=T11-T12/central=mild",
            "hedged=L4-L5/foraminal_left",
            "conflicts=L4-L5/central",
        ]]
    );
}

#[test]
fn wide_has_a_column_for_each_lumbar_cell_from_top_to_bottom() {
    let header = written("wide", &report(), &[]);
    let columns: Vec<&str> = header.lines().next().unwrap().split(',').collect();
    assert_eq!(columns.len(), 1 + 6 * 5 + 3);
    assert_eq!(columns[..3], ["id", "t12_l1_central", "t12_l1_foraminal_left"]);
    assert_eq!(columns[30], "l5_s1_recess_right");
    assert!(columns.iter().all(|c| c.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')));
}

/// The header of the challenge's own table.
const RSNA_COLUMNS: &str = "study_id,\
    spinal_canal_stenosis_l1_l2,spinal_canal_stenosis_l2_l3,spinal_canal_stenosis_l3_l4,\
    spinal_canal_stenosis_l4_l5,spinal_canal_stenosis_l5_s1,\
    left_neural_foraminal_narrowing_l1_l2,left_neural_foraminal_narrowing_l2_l3,\
    left_neural_foraminal_narrowing_l3_l4,left_neural_foraminal_narrowing_l4_l5,\
    left_neural_foraminal_narrowing_l5_s1,right_neural_foraminal_narrowing_l1_l2,\
    right_neural_foraminal_narrowing_l2_l3,right_neural_foraminal_narrowing_l3_l4,\
    right_neural_foraminal_narrowing_l4_l5,right_neural_foraminal_narrowing_l5_s1,\
    left_subarticular_stenosis_l1_l2,left_subarticular_stenosis_l2_l3,\
    left_subarticular_stenosis_l3_l4,left_subarticular_stenosis_l4_l5,\
    left_subarticular_stenosis_l5_s1,right_subarticular_stenosis_l1_l2,\
    right_subarticular_stenosis_l2_l3,right_subarticular_stenosis_l3_l4,\
    right_subarticular_stenosis_l4_l5,right_subarticular_stenosis_l5_s1";

#[test]
fn rsna2024_is_the_challenges_table() {
    let table = written("rsna2024", &report(), &opinions());
    assert_eq!(table.lines().next(), Some(RSNA_COLUMNS));
    assert_eq!(
        filled(&table),
        [[
            "study_id=r-1, \"first\"",
            "spinal_canal_stenosis_l4_l5=Severe",
            "left_neural_foraminal_narrowing_l4_l5=Moderate",
        ]],
        "`present`, unassessable and other discs stay blank"
    );
}

#[test]
fn rsna2024_names_the_study_where_it_is_known() {
    let report =
        Report { accession: Some("A9".into()), study_uid: Some("1.2.840".into()), ..report() };
    assert_eq!(filled(&written("rsna2024", &report, &[])), [["study_id=1.2.840"]]);
    let report = Report { study_uid: None, ..report };
    assert_eq!(filled(&written("rsna2024", &report, &[])), [["study_id=A9"]]);
}

#[test]
fn formats_are_found_by_name_and_extension() {
    for format in &FORMATS {
        assert_eq!(Format::named(format.name).unwrap().name, format.name);
    }
    assert_eq!(Format::of_extension("CSV").unwrap().name, "long");
    assert_eq!(Format::of_extension("jsonl").unwrap().name, "jsonl");
    assert!(Format::of_extension("xlsx").is_none());
}
