use deepspine::label::{Evidence, Grade, Span};
use deepspine::page::{Highlight, Ink, Look, Mark, Parts};
use proptest::prelude::*;

use super::{sample, shown, values};

fn mark(start: u32, end: u32, key: u32, ink: Ink) -> Mark {
    Mark { span: Span { start, end }, key, ink }
}

/// The words that a mark with this key lights up.
fn lit(highlight: &Highlight<'_>, key: u32) -> String {
    let segments = highlight.segments.iter().filter(|segment| segment.keys.contains(&key));
    segments.map(|segment| segment.text).collect()
}

fn looks<'a>(highlight: &'a Highlight<'_>) -> Vec<(&'a str, Look)> {
    highlight.segments.iter().map(|segment| (segment.text, segment.look)).collect()
}

#[test]
fn nested_and_overlapping_marks_are_cut_where_they_begin_and_end() {
    let text = "severe canal stenosis";
    let severe = Ink::Grade(Grade::Severe);
    let marks = [
        mark(0, 21, 0, severe),
        mark(7, 12, 1, severe),
        mark(7, 21, 2, Ink::Grade(Grade::Mild)),
        mark(0, 6, 3, Ink::Note),
    ];
    let highlight = Highlight::new(text, &marks);
    assert_eq!(
        looks(&highlight),
        [
            ("severe", Look::Grade(Grade::Severe)),
            (" ", Look::Grade(Grade::Severe)),
            ("canal", Look::Mixed),
            (" stenosis", Look::Mixed),
        ]
    );
    assert_eq!(highlight.segments[2].keys, [0, 1, 2]);
    assert_eq!(highlight.anchor(2), Some(2));
    assert_eq!(highlight.anchor(9), None);
}

#[test]
fn what_was_set_aside_looks_different_only_where_nothing_stands() {
    let marks = [
        mark(0, 4, 0, Ink::Aside),
        mark(2, 6, 1, Ink::Note),
        mark(3, 4, 2, Ink::Grade(Grade::Normal)),
    ];
    let highlight = Highlight::new("abcdefg", &marks);
    assert_eq!(
        looks(&highlight),
        [
            ("ab", Look::Aside),
            ("c", Look::Aside),
            ("d", Look::Grade(Grade::Normal)),
            ("ef", Look::Note),
            ("g", Look::Plain),
        ]
    );
}

#[test]
fn marks_lie_on_characters_or_are_left_out() {
    let text = "L5–S1: größer";
    let whole = text.find('–').unwrap() as u32;
    let marks = [
        mark(0, 7, 0, Ink::Note),
        mark(whole + 1, whole + 3, 1, Ink::Note),
        mark(0, 900, 2, Ink::Note),
        mark(6, 2, 3, Ink::Note),
    ];
    let highlight = Highlight::new(text, &marks);
    assert_eq!(lit(&highlight, 0), "L5–S1");
    assert_eq!(looks(&highlight), [("L5–S1", Look::Note), (": größer", Look::Plain)]);
}

#[test]
fn hostile_text_shows_as_it_was_written() {
    let text = "<script>alert(\"x\")</script> & 'L4-L5' </mark><!-- &#60;";
    let highlight = Highlight::new(text, &[mark(4, 12, 0, Ink::Aside)]);
    let html = highlight.to_string();
    assert!(!html.contains("<script") && !html.contains("<!--"), "{html}");
    assert_eq!(html.matches("</mark>").count(), 1);
    assert_eq!(shown(&html), text);
}

#[test]
fn all_evidence_of_the_sample_is_marked_and_nothing_else() {
    let opinions = sample::opinions();
    let keys = sample::with_sheet(|sheet| {
        let Parts { highlight, mentions, .. } = Parts::new(sheet);
        let mut key = 0;
        for opinion in &opinions {
            let Evidence::Statements(statements) = &opinion.evidence else { unreachable!() };
            for statement in statements {
                let said: String =
                    statement.evidence.iter().map(|span| &sample::TEXT[span.range()]).collect();
                assert_eq!(lit(&highlight, key), said, "{}", statement.cell);
                key += 1;
            }
        }
        assert_eq!(lit(&highlight, mentions[0].lines[0].keys[0]), "disc bulge");
        values(&highlight.to_string(), "data-k").join(" ")
    });
    let last = keys.split(' ').map(|key| key.parse::<u32>().unwrap()).max().unwrap();
    let claims = deepspine::page::claims(&opinions).len() as u32;
    assert_eq!(last + 1, claims + 13, "twelve mentions and a measurement follow the claims");
}

proptest! {
    #[test]
    fn any_marks_on_any_text_keep_the_text_and_light_their_own_words(
        text in "[a-zß–€ <>&\"'\r\n]{0,40}",
        spans in prop::collection::vec((0u32..60, 0u32..60), 0..12),
    ) {
        let marks: Vec<Mark> = spans
            .iter()
            .zip(0..)
            .map(|(&(start, end), key)| mark(start, end, key, Ink::Grade(Grade::Mild)))
            .collect();
        let highlight = Highlight::new(&text, &marks);
        prop_assert_eq!(shown(&highlight.to_string()), text.as_str());
        for mark in marks {
            let words = text.get(mark.span.range()).unwrap_or_default();
            prop_assert_eq!(lit(&highlight, mark.key), words);
        }
    }
}
