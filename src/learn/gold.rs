//! Gold labels: JSON Lines with `id`, `text`, `cells` (level → target → grade) and `hedged` (a
//! list of `LEVEL/target`). Other keys are ignored, so that the JSON Lines of a cohort are one too;
//! cells that nobody could judge have no label.

use std::collections::BTreeMap;
use std::io::{self, BufRead};

use serde::Deserialize;

use super::{Label, Labels};
use crate::label::{Cell, Certainty, Level, Target, UnknownName, Verdict};
use crate::simulate::SimulatedReport;

/// A report whose labels are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gold {
    /// The report's id.
    pub id: String,
    /// The report's text.
    pub text: String,
    /// What a reader should find in it.
    pub labels: Labels,
}

impl From<SimulatedReport> for Gold {
    fn from(SimulatedReport { report, labels, .. }: SimulatedReport) -> Self {
        Self { id: report.id, text: report.text, labels: labels.into_iter().collect() }
    }
}

/// Why a line is no gold report.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what each is")]
pub enum GoldError {
    #[error("line {line}: cannot be read")]
    Unreadable { line: usize, source: io::Error },
    #[error(
        "line {line}: not a gold report; a line is one JSON object with `id`, `text`, `cells` and \
         `hedged`"
    )]
    Malformed { line: usize, source: serde_json::Error },
    #[error("line {line}: `hedged` holds a wrong cell")]
    UnknownCell { line: usize, source: UnknownName },
    #[error("line {line}: `hedged` holds {cell}, which `cells` gives no grade; add one there")]
    HedgedWithoutGrade { line: usize, cell: Cell },
}

#[derive(Deserialize)]
struct Line {
    id: String,
    text: String,
    cells: BTreeMap<Level, BTreeMap<Target, Verdict>>,
    #[serde(default)]
    hedged: Vec<String>,
}

/// Reads gold reports one by one; blank lines are passed over.
pub fn read_gold(input: impl BufRead) -> impl Iterator<Item = Result<Gold, GoldError>> {
    input.lines().zip(1..).filter_map(|(text, line)| match text {
        Ok(text) if text.trim().is_empty() => None,
        Ok(text) => Some(parse(&text, line)),
        Err(source) => Some(Err(GoldError::Unreadable { line, source })),
    })
}

fn parse(text: &str, line: usize) -> Result<Gold, GoldError> {
    let Line { id, text, cells, hedged } =
        serde_json::from_str(text).map_err(|source| GoldError::Malformed { line, source })?;
    let mut labels = Labels::default();
    for (level, targets) in cells {
        for (target, verdict) in targets {
            if let Some(grade) = verdict.grade() {
                labels.set(Cell { level, target }, Label { grade, certainty: Certainty::Stated });
            }
        }
    }
    for name in hedged {
        let cell: Cell = name.parse().map_err(|source| GoldError::UnknownCell { line, source })?;
        let Label { grade, .. } =
            labels.get(cell).ok_or(GoldError::HedgedWithoutGrade { line, cell })?;
        labels.set(cell, Label { grade, certainty: Certainty::Hedged });
    }
    Ok(Gold { id, text, labels })
}
