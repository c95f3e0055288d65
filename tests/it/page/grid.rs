use deepspine::label::{
    Cell, Certainty, Evidence, Grade, ImageEvidence, Level, Opinion, Span, Target, Verdict,
};
use deepspine::page::{Grid, claims};

use super::{sample, shown};

fn opinion(level: Level, verdict: Verdict) -> Opinion {
    Opinion {
        cell: Cell { level, target: Target::Central },
        verdict,
        certainty: Certainty::Stated,
        conflict: false,
        distribution: None,
        doubt: None,
        evidence: Evidence::Statements(vec![]),
    }
}

fn grid(opinions: &[Opinion]) -> Grid {
    Grid::new(opinions, &claims(opinions))
}

/// The words of a row that starts with `level`.
fn row(lines: &[String], level: &str) -> Vec<String> {
    let line = lines.iter().find(|line| line.starts_with(level)).expect("the level has a row");
    let cells = line.split_once('│').expect("a rule parts level and cells").1;
    cells.split("  ").map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[test]
fn a_terminal_shows_grades_and_signs_and_what_is_not_mentioned() {
    let lines = grid(&sample::opinions()).lines(false);
    assert_eq!(row(&lines, "L4-L5"), ["severe !", "mod-sev", "mild-mod", "present", "mild ?"]);
    assert_eq!(row(&lines, "L1-L2"), ["normal", "normal", "normal", "·", "·"]);
}

#[test]
fn every_row_of_a_terminal_is_as_wide_as_it_says() {
    let both_signs = Opinion {
        certainty: Certainty::Hedged,
        conflict: true,
        ..opinion(Level::L3L4, Verdict::Graded(Grade::Moderate))
    };
    let lines = grid(&[both_signs]).lines(false);
    let widths: Vec<_> = lines.iter().map(|line| line.chars().count()).collect();
    assert!(widths[..widths.len() - 1].iter().all(|&width| width == Grid::WIDTH), "{widths:?}");
    assert_eq!(row(&lines, "L3-L4")[0], "moderate ?!");
}

#[test]
fn colours_are_written_only_when_asked_for() {
    let grid = grid(&sample::opinions());
    assert!(grid.lines(true).concat().contains('\x1b'));
    assert!(!grid.lines(false).concat().contains('\x1b'));
}

#[test]
fn html_tells_grade_certainty_and_conflict_in_words_too() {
    let html = grid(&sample::opinions()).to_string();
    assert!(html.contains("aria-label=\"L4-L5 Central: severe, statements disagree\""), "{html}");
    assert!(html.contains("aria-label=\"L4-L5 Recess R: mild, hedged\""));
    assert!(html.contains("aria-label=\"L5-S1 Recess R: not mentioned\""));
    assert!(shown(&html).contains("severe!") && shown(&html).contains("mild?"));
}

#[test]
fn lumbar_levels_always_show_and_others_where_there_is_an_opinion() {
    let levels = |opinions: &[Opinion]| -> Vec<&str> {
        grid(opinions).rows.iter().map(|row| row.level.name()).collect()
    };
    assert_eq!(levels(&[]), ["L1-L2", "L2-L3", "L3-L4", "L4-L5", "L5-S1"]);
    assert_eq!(
        levels(&[opinion(Level::T12L1, Verdict::Graded(Grade::Normal))]),
        ["T12-L1", "L1-L2", "L2-L3", "L3-L4", "L4-L5", "L5-S1"]
    );
    assert_eq!(
        levels(&[opinion(Level::L6S1, Verdict::Graded(Grade::Normal))]),
        ["L1-L2", "L2-L3", "L3-L4", "L4-L5", "L5-L6", "L6-S1"]
    );
}

#[test]
fn opinions_of_people_and_images_have_claims_too() {
    let spans = vec![Span { start: 3, end: 5 }];
    let image = ImageEvidence { series: "1.2.3".into(), slice: 7, bounds: [0, 0, 9, 9] };
    let opinions = [
        Opinion {
            evidence: Evidence::Spans(spans.clone()),
            ..opinion(Level::L3L4, Verdict::Graded(Grade::Mild))
        },
        Opinion { evidence: Evidence::Image(image), ..opinion(Level::L4L5, Verdict::Unassessable) },
    ];
    let claims = claims(&opinions);
    assert_eq!(claims.iter().map(|claim| claim.key).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(claims[0].spans(), spans);
    assert!(claims[1].spans().is_empty());
    assert_eq!(row(&Grid::new(&opinions, &claims).lines(false), "L4-L5")[0], "n/a");
}
