use deepspine::label::{Grade, Level, Opinion, Target, resolve};
use deepspine::page::{Screen, Sheet, terminal};

use super::sample;

fn plain(width: usize) -> String {
    sample::with_sheet(|sheet| terminal(sheet, Screen { width, colour: false }))
}

fn text_only(text: &str, colour: bool) -> String {
    let sheet = Sheet {
        title: "r",
        reader: "nobody",
        text,
        opinions: &[],
        mentions: &[],
        measurements: &[],
    };
    terminal(&sheet, Screen { width: 80, colour })
}

#[test]
fn a_wide_terminal_sets_the_grid_beside_the_text() {
    insta::assert_snapshot!(plain(120));
}

#[test]
fn a_narrow_terminal_sets_the_grid_below_the_text() {
    let text = plain(119);
    let last_words = text.find("[capacious throughout].").unwrap();
    assert!(text.find("Foramen L").unwrap() > last_words);
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for width in [80, 100, 119, 120, 121, 160, 240] {
        for line in plain(width).lines() {
            assert!(line.chars().count() <= width, "{width}: {line}");
        }
    }
}

#[test]
fn colour_adds_nothing_but_colour() {
    let coloured = sample::with_sheet(|s| terminal(s, Screen { width: 120, colour: true }));
    let bare = anstream::adapter::strip_str(&coloured).to_string();
    let words = |text: &str| -> Vec<String> {
        let bare = text.replace(['[', ']'], "");
        let mut words: Vec<_> = bare.split_whitespace().map(str::to_owned).collect();
        words.sort();
        words
    };
    assert!(coloured.contains("\u{1b}["));
    assert_eq!(words(&bare), words(&plain(120)));
}

#[test]
fn a_report_cannot_steer_the_terminal() {
    let shown = text_only("red \x1b[31m bell \x07 back \u{202e}wards\r\nnext\tline", false);
    assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
    assert!(!shown.contains('\u{202e}'));
    assert!(shown.contains("next    line"));
}

#[test]
fn long_words_and_wide_characters_are_broken_at_the_edge() {
    let shown = text_only(&format!("{}\n{}", "x".repeat(200), "椎".repeat(60)), false);
    assert_eq!(shown.matches('x').count(), 200);
    assert_eq!(shown.matches('椎').count(), 60);
    assert!(shown.lines().all(|line| !line.starts_with('x') || line.len() <= 80));
    assert!(shown.lines().all(|line| line.matches('椎').count() <= 40));
}

#[test]
fn levels_that_the_same_words_speak_of_are_explained_at_once() {
    let text = "L1-2: No canal stenosis. L2-3: No canal stenosis. No foraminal stenosis.";
    let said = |level, target, anchor, words: &str| {
        let statement = sample::statement(text, level, target, Grade::Normal, anchor, &[words]);
        resolve(statement.cell, vec![statement])
    };
    let (l12, l23) = (Level::L1L2, Level::L2L3);
    let canal = |level, anchor| said(level, Target::Central, anchor, "No canal stenosis");
    let foramen = |level| said(level, Target::ForaminalLeft, "No foram", "No foraminal stenosis");
    let explained = |opinions: &[Opinion]| {
        let sheet = Sheet {
            title: "r",
            reader: "nobody",
            text,
            opinions,
            mentions: &[],
            measurements: &[],
        };
        terminal(&sheet, Screen { width: 80, colour: false })
    };
    let same = explained(&[foramen(l12), foramen(l23)]);
    assert!(same.contains("L1-L2, L2-L3  Foramen L   normal"), "{same}");
    assert_eq!(same.matches("“No foraminal stenosis”").count(), 1, "{same}");
    let alike = explained(&[canal(l12, "L1-2"), canal(l23, "L2-3")]);
    assert!(!alike.contains("L1-L2, L2-L3"), "like words in two places are two reasons: {alike}");
}
