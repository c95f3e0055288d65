//! Wrong cells, each with the part of the text that shows why.

use std::fmt;
use std::ops::Range;

use serde::Serialize;

use crate::extract::Extraction;
use crate::label::{Cell, Certainty, Evidence, Level, Opinion, Span};
use crate::learn::{Gold, Label, Labels};

/// A cell that gold and reader label differently, in grade or certainty.
#[derive(Debug, Serialize)]
pub(super) struct Miss {
    id: String,
    cell: String,
    gold: String,
    predicted: String,
    /// What the reader read the cell from. Where it read nothing: what the text says of the level.
    sentences: Vec<String>,
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, cell, gold, predicted, sentences } = self;
        writeln!(f, "{id}  {cell}  gold: {gold}, predicted: {predicted}")?;
        if sentences.is_empty() {
            writeln!(f, "    (no sentence names the level)")?;
        }
        sentences.iter().try_for_each(|sentence| writeln!(f, "    {sentence}"))
    }
}

/// The wrong cells of one report, level by level.
pub(super) fn find(gold: &Gold, extraction: &Extraction, opinions: &[Opinion]) -> Vec<Miss> {
    let predicted: Labels = opinions.iter().collect();
    Cell::all()
        .filter(|&cell| gold.labels.get(cell) != predicted.get(cell))
        .map(|cell| Miss {
            id: gold.id.clone(),
            cell: cell.to_string(),
            gold: described(gold.labels.get(cell)),
            predicted: described(predicted.get(cell)),
            sentences: sentences_about(cell, &gold.text, extraction, opinions),
        })
        .collect()
}

fn described(label: Option<Label>) -> String {
    match label {
        None => "not_mentioned".into(),
        Some(Label { grade, certainty: Certainty::Stated }) => grade.to_string(),
        Some(Label { grade, certainty: Certainty::Hedged }) => format!("{grade} (hedged)"),
    }
}

fn sentences_about(
    cell: Cell,
    text: &str,
    extraction: &Extraction,
    opinions: &[Opinion],
) -> Vec<String> {
    let opinion = opinions.iter().find(|opinion| opinion.cell == cell);
    let passage = extraction.passages().into_iter().find(|passage| passage.level == cell.level);
    let spans = match (opinion, passage) {
        (Some(opinion), _) => evidence(opinion),
        (None, Some(passage)) => passage.own,
        (None, None) => Vec::new(),
    };
    let touched = |sentence: &Range<usize>| {
        spans.iter().any(|s| s.range().start < sentence.end && sentence.start < s.range().end)
    };
    let named = |sentence: &Range<usize>| names(&text[sentence.clone()], cell.level);
    let shown = |sentence: &Range<usize>| {
        if spans.is_empty() { named(sentence) } else { touched(sentence) }
    };
    sentences(text).filter(shown).map(|sentence| text[sentence].trim().to_owned()).collect()
}

fn evidence(opinion: &Opinion) -> Vec<Span> {
    match &opinion.evidence {
        Evidence::Statements(statements) => {
            statements.iter().flat_map(|statement| statement.evidence.iter().copied()).collect()
        }
        Evidence::Spans(spans) => spans.clone(),
        Evidence::Image(_) => Vec::new(),
    }
}

/// Whether the text writes the level's upper vertebra, as "L4-5", "L4/L5" and "L4" do for L4-L5.
fn names(text: &str, level: Level) -> bool {
    let upper = level.name().split('-').next().unwrap_or_default();
    text.to_ascii_uppercase().contains(upper)
}

/// Where the text's sentences stand. A line's end ends one too: notes have no full stops.
fn sentences(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    text.split_inclusive('\n').flat_map(|line| line.split_inclusive(". ")).map(move |sentence| {
        let range = start..start + sentence.len();
        start = range.end;
        range
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_cover_the_text() {
        let text = "At L4-5 a bulge. No stenosis.\nL5-S1: normal";
        let parts: Vec<_> = sentences(text).map(|range| &text[range]).collect();
        assert_eq!(parts, ["At L4-5 a bulge. ", "No stenosis.\n", "L5-S1: normal"]);
    }

    #[test]
    fn a_missed_cell_shows_what_the_text_says_of_its_level() {
        let text = "At L4-5 a bulge. No stenosis.\nl4/5: canal narrow. L5-S1: normal";
        let cell = "L4-L5/central".parse().unwrap();
        let shown = sentences_about(cell, text, &Extraction::default(), &[]);
        assert_eq!(shown, ["At L4-5 a bulge.", "l4/5: canal narrow."]);
    }
}
