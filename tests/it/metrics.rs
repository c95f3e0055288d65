//! Scores against counts made by hand.

use deepspine::label::{Certainty, Grade, Target};
use deepspine::learn::{Bootstrap, GoldError, Label, Labels, Measure, Scores, read_gold, score};

/// Labels from words such as `L4-L5/central=mild` and, hedged, `L4-L5/central=mild?`.
fn labels(words: &[&str]) -> Labels {
    let mut labels = Labels::default();
    for word in words {
        let (cell, grade) = word.split_once('=').unwrap();
        let (grade, certainty) = match grade.strip_suffix('?') {
            Some(grade) => (grade, Certainty::Hedged),
            None => (grade, Certainty::Stated),
        };
        labels.set(cell.parse().unwrap(), Label { grade: grade.parse().unwrap(), certainty });
    }
    labels
}

fn scores(pairs: &[(&[&str], &[&str])]) -> Scores {
    let pairs: Vec<_> = pairs.iter().map(|(gold, found)| (labels(gold), labels(found))).collect();
    score(pairs.iter().map(|(gold, found)| (gold, found)), None)
}

fn counts(measure: &Measure) -> [u64; 3] {
    [measure.tally.gold, measure.tally.predicted, measure.tally.correct]
}

fn values(measure: &Measure) -> [Option<f64>; 3] {
    [measure.precision.value, measure.recall.value, measure.f1.value]
}

/// Two reports. The first: one right, one wrong degree, one missed, one invented cell. The
/// second is exact.
fn example() -> Scores {
    scores(&[
        (
            &["L3-L4/central=normal", "L4-L5/central=mild", "L5-S1/foraminal_left=severe?"],
            &["L3-L4/central=normal", "L4-L5/central=moderate", "L5-S1/central=present"],
        ),
        (&["L4-L5/central=mild?"], &["L4-L5/central=mild?"]),
    ])
}

#[test]
fn a_cell_is_right_with_level_target_and_grade() {
    let scores = example();
    assert_eq!(counts(&scores.cells), [4, 4, 2]);
    assert_eq!(values(&scores.cells), [Some(0.5), Some(0.5), Some(0.5)]);
}

#[test]
fn a_wrong_degree_costs_both_sides_and_normal_and_present_have_none() {
    let scores = example();
    assert_eq!(counts(&scores.graded), [3, 2, 1]);
    assert_eq!(values(&scores.graded), [Some(0.5), Some(1.0 / 3.0), Some(0.4)]);
}

#[test]
fn detection_forgives_the_degree_but_not_normal() {
    assert_eq!(counts(&example().detection), [4, 4, 3]);
    let scores = scores(&[(&["L4-L5/central=normal"], &["L4-L5/central=present"])]);
    assert_eq!(counts(&scores.detection), [1, 1, 0]);
}

#[test]
fn certainty_is_judged_where_the_grade_is_right() {
    assert_eq!(counts(&example().hedged), [1, 1, 1], "the missed hedged cell is not its matter");
    let scores = scores(&[(
        &["L3-L4/central=mild?", "L4-L5/central=mild?", "L5-S1/central=mild"],
        &["L3-L4/central=mild", "L4-L5/central=mild?", "L5-S1/central=mild?"],
    )]);
    assert_eq!(counts(&scores.hedged), [2, 2, 1]);
    assert_eq!(counts(&scores.cells), [3, 3, 3], "a wrong certainty is no wrong cell");
}

#[test]
fn a_report_is_exact_with_every_cell_and_no_other() {
    assert_eq!(example().exact.value, Some(0.5));
    let invented = scores(&[(&[], &["L4-L5/central=mild"]), (&[], &[])]);
    assert_eq!(invented.exact.value, Some(0.5), "nothing to find and nothing found is exact");
    assert_eq!(invented.reports, 2);
}

#[test]
fn targets_and_grades_part_the_cells() {
    let scores = example();
    let of = |target| scores.targets.iter().find(|(t, _)| *t == target).unwrap().1;
    assert_eq!(counts(&of(Target::Central)), [3, 4, 2]);
    assert_eq!(counts(&of(Target::ForaminalLeft)), [1, 0, 0]);
    assert_eq!(values(&of(Target::RecessLeft)), [None; 3], "nothing counted, nothing claimed");

    let of = |grade| scores.grades.iter().find(|(g, _)| *g == grade).unwrap().1;
    assert_eq!(counts(&of(Grade::Mild)), [2, 1, 1]);
    assert_eq!(counts(&of(Grade::Moderate)), [0, 1, 0]);
}

#[test]
fn the_confusion_has_a_row_and_a_column_for_what_is_not_mentioned() {
    let confusion = example().confusion;
    assert_eq!(confusion.get(Some(Grade::Mild), Some(Grade::Moderate)), 1);
    assert_eq!(confusion.get(Some(Grade::Severe), None), 1);
    assert_eq!(confusion.get(None, Some(Grade::Present)), 1);
    assert_eq!(confusion.get(Some(Grade::Normal), Some(Grade::Normal)), 1);
    assert_eq!(confusion.get(None, None), 0);
}

#[test]
fn intervals_follow_the_seed_and_hold_the_value() {
    let right = labels(&["L4-L5/central=mild"]);
    let wrong = labels(&["L4-L5/central=severe"]);
    let pairs: Vec<_> =
        (0..40).map(|i| (&right, if i % 4 == 0 { &wrong } else { &right })).collect();
    let with_seed =
        |seed| score(pairs.iter().copied(), Some(Bootstrap { resamples: 2000, seed })).cells.f1;
    let [low, high] = with_seed(1).interval.unwrap();
    assert_eq!(with_seed(1), with_seed(1));
    // The share of 40 draws at 0.75 has a standard error of 0.068: 95 % lie within 0.62 and 0.88.
    assert!((0.55..0.68).contains(&low) && (0.82..0.93).contains(&high), "{low} {high}");
}

#[test]
fn a_perfect_reader_has_no_doubt_and_an_unused_measure_no_interval() {
    let right = labels(&["L4-L5/central=mild"]);
    let pairs = [(&right, &right), (&right, &right)];
    let scores = score(pairs, Some(Bootstrap { resamples: 100, seed: 7 }));
    assert_eq!(scores.cells.f1.interval, Some([1.0, 1.0]));
    assert_eq!(scores.hedged.f1.interval, None);
}

#[test]
fn json_names_what_it_counts() {
    let json = serde_json::to_value(example()).unwrap();
    assert_eq!(json["cells"]["f1"]["value"], 0.5);
    assert_eq!(json["targets"]["central"]["gold"], 3);
    assert_eq!(json["grades"]["mild"]["correct"], 1);
    assert_eq!(json["confusion"]["labels"][7], "not_mentioned");
    assert_eq!(json["confusion"]["counts"][7][6], 1);
}

#[test]
fn gold_is_read_line_by_line() {
    let input = r#"{"id": "a", "text": "T", "style": "x", "cells": {"L4-L5": {"central": "mild"}}, "hedged": ["L4-L5/central"]}

{"id": "b", "text": "", "cells": {}, "hedged": []}
"#;
    let gold: Vec<_> = read_gold(input.as_bytes()).collect::<Result<_, _>>().unwrap();
    assert_eq!(gold.len(), 2);
    assert_eq!(gold[0].labels, labels(&["L4-L5/central=mild?"]));
    assert_eq!(gold[1].labels, Labels::default());
}

#[test]
fn a_wrong_gold_line_is_named() {
    let first_error = |input: &str| -> GoldError {
        read_gold(input.as_bytes()).find_map(Result::err).expect("the line is wrong")
    };
    let unknown =
        "\n{\"id\": \"a\", \"text\": \"\", \"cells\": {\"L4-L5\": {\"central\": \"tight\"}}}";
    assert!(first_error(unknown).to_string().starts_with("line 2: not a gold report"));
    let hedged = r#"{"id": "a", "text": "", "cells": {}, "hedged": ["L4-L5/central"]}"#;
    assert!(first_error(hedged).to_string().contains("L4-L5/central"));
    let cell = r#"{"id": "a", "text": "", "cells": {}, "hedged": ["L9/central"]}"#;
    assert!(matches!(first_error(cell), GoldError::UnknownCell { line: 1, .. }));
}
