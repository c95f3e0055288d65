//! Styled text for a terminal: wrapped by columns, painted only when asked.

use std::ops::Range;

use anstyle::Style;
use textwrap::WordSeparator;
use textwrap::core::{Word, break_words, display_width};
use textwrap::wrap_algorithms::wrap_first_fit;

/// Text with a style for each run of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Styled {
    text: String,
    runs: Vec<(Range<usize>, Style)>,
}

impl Styled {
    /// Text in one style.
    pub fn of(text: &str, style: Style) -> Self {
        let mut styled = Self::default();
        styled.push(text, style);
        styled
    }

    /// Adds text. What would move the cursor or reverse the text is made visible instead: a
    /// report must not be able to steer the terminal.
    pub fn push(&mut self, text: &str, style: Style) {
        let start = self.text.len();
        for c in text.chars() {
            match c {
                '\n' => self.text.push('\n'),
                '\t' => self.text.push_str("    "),
                '\r' => {}
                '\0'..='\x1f' => self.text.extend(char::from_u32(0x2400 + c as u32)),
                '\x7f'..='\u{9f}'
                | '\u{200e}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}' => self.text.push('\u{fffd}'),
                _ => self.text.push(c),
            }
        }
        self.runs.push((start..self.text.len(), style));
    }

    /// The text as one line.
    pub fn line(&self, colour: bool) -> String {
        self.paint(0..self.text.len(), colour)
    }

    /// The text broken at its line ends and at `width` columns.
    pub fn wrap(&self, width: usize, colour: bool) -> Vec<String> {
        let mut rows = Vec::new();
        let mut start = 0;
        for line in self.text.split('\n') {
            rows.extend(
                wrapped(line, width)
                    .into_iter()
                    .map(|row| self.paint(start + row.start..start + row.end, colour)),
            );
            start += line.len() + 1;
        }
        rows
    }

    fn paint(&self, range: Range<usize>, colour: bool) -> String {
        if !colour {
            return self.text[range].to_owned();
        }
        let mut painted = String::new();
        for (run, style) in &self.runs {
            let (start, end) = (run.start.max(range.start), run.end.min(range.end));
            if start < end {
                painted.push_str(&format!("{style}{}{style:#}", &self.text[start..end]));
            }
        }
        painted
    }
}

/// The rows that a line takes, without the spaces at which it is broken.
fn wrapped(line: &str, width: usize) -> Vec<Range<usize>> {
    let words: Vec<Word<'_>> = WordSeparator::AsciiSpace.find_words(line).collect();
    let words = break_words(words, width.max(1));
    let mut at = 0;
    wrap_first_fit(&words, &[width as f64])
        .into_iter()
        .map(|row| {
            let length: usize = row.iter().map(|word| word.len() + word.whitespace.len()).sum();
            let start = at;
            at += length;
            start..at - row.last().map_or(0, |word| word.whitespace.len())
        })
        .collect()
}

/// Sets lines beside lines, the left ones padded to `width` columns.
pub(super) fn beside(left: &[String], width: usize, right: &[String]) -> Vec<String> {
    let empty = String::new();
    (0..left.len().max(right.len()))
        .map(|i| {
            let (left, right) = (left.get(i).unwrap_or(&empty), right.get(i).unwrap_or(&empty));
            let pad = width.saturating_sub(display_width(left));
            if right.is_empty() { left.clone() } else { format!("{left}{:pad$}{right}", "") }
        })
        .collect()
}
