//! How verdicts are worded and coloured, the same in every medium.
//!
//! Normal is blue and stenosis runs from pale yellow to dark red: the two hues and the even
//! steps in lightness stay apart for colour-blind readers, and a word always stands beside the
//! colour.

use anstyle::{Ansi256Color, Style};

use crate::label::{Grade, Verdict};

/// The look of one verdict.
#[derive(Debug)]
pub struct Tone {
    /// CSS class.
    pub class: &'static str,
    /// In words.
    pub word: &'static str,
    /// In at most eight columns of a terminal.
    pub short: &'static str,
    /// Foreground and background in a terminal, from its palette of 256: they set both, so they
    /// read alike on dark and light terminals.
    pub colours: Option<(u8, u8)>,
}

impl Tone {
    /// The style in a terminal.
    pub fn style(&self) -> Style {
        match self.colours {
            Some((fg, bg)) => Style::new()
                .fg_color(Some(Ansi256Color(fg).into()))
                .bg_color(Some(Ansi256Color(bg).into())),
            None => Style::new().dimmed(),
        }
    }
}

const fn tone(
    class: &'static str,
    word: &'static str,
    short: &'static str,
    fg: u8,
    bg: u8,
) -> Tone {
    Tone { class, word, short, colours: Some((fg, bg)) }
}

/// By [`Grade::ALL`].
const GRADES: [Tone; Grade::ALL.len()] = [
    tone("g-normal", "normal", "normal", 17, 153),
    tone("g-mild", "mild", "mild", 16, 230),
    tone("g-mild-moderate", "mild–moderate", "mild-mod", 16, 222),
    tone("g-moderate", "moderate", "moderate", 16, 215),
    tone("g-moderate-severe", "moderate–severe", "mod-sev", 16, 208),
    tone("g-severe", "severe", "severe", 231, 124),
    tone("g-present", "present", "present", 16, 180),
];

static NOT_MENTIONED: Tone =
    Tone { class: "g-none", word: "not mentioned", short: "·", colours: None };
static UNASSESSABLE: Tone =
    Tone { class: "g-unassessable", word: "unassessable", short: "n/a", colours: None };

/// The tone of a grade.
pub(super) fn of_grade(grade: Grade) -> &'static Tone {
    &GRADES[grade as usize]
}

/// The tone of a verdict.
pub fn of(verdict: Verdict) -> &'static Tone {
    match verdict {
        Verdict::NotMentioned => &NOT_MENTIONED,
        Verdict::Unassessable => &UNASSESSABLE,
        Verdict::Graded(grade) => of_grade(grade),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tone_fits_its_column_and_differs_from_the_others() {
        for grade in Grade::ALL {
            let tone = of_grade(grade);
            assert!(tone.short.len() <= 8, "{}", tone.short);
            assert_eq!(tone.class, format!("g-{}", grade.name().replace('_', "-")));
            let alike = Grade::ALL.iter().filter(|g| of_grade(**g).colours == tone.colours);
            assert_eq!(alike.count(), 1, "{grade}");
        }
    }
}
