//! JSON Lines, the format that loses nothing: an object a report.
//!
//! `cells` holds the grades, level by level from top to bottom, and leaves out what is not
//! mentioned or cannot be judged; `hedged` and `conflicts` list cells as `LEVEL/target`. Those
//! three are the shape of a gold file. `opinions` says why: every statement with its grade,
//! certainty, evidence in bytes of the text, and rules of the guideline. The text itself and the
//! patient are left out, so that a file of labels can go where a file of reports may not.

use std::io::{self, Write};

use serde::{Serialize, Serializer};

use super::{Labelled, graded};
use crate::extract::{Measurement, Mention};
use crate::label::{Cell, Certainty, Opinion};

/// Rises when a key changes its meaning or goes; a new key changes nothing.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Line<'a> {
    schema: u32,
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accession: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    study_uid: Option<&'a str>,
    cells: Cells<'a>,
    hedged: CellList<'a>,
    conflicts: CellList<'a>,
    opinions: &'a [Opinion],
    measurements: &'a [Measurement],
    mentions: &'a [Mention],
    lexicon: &'a str,
}

/// Nothing stands above the first report.
pub(super) fn header(_out: &mut dyn Write) -> io::Result<()> {
    Ok(())
}

pub(super) fn report(labelled: &Labelled, out: &mut dyn Write) -> io::Result<()> {
    let &Labelled { report, opinions, extraction, lexicon, .. } = labelled;
    let line = Line {
        schema: SCHEMA,
        id: &report.id,
        source: report.source.as_deref(),
        accession: report.accession.as_deref(),
        study_uid: report.study_uid.as_deref(),
        cells: Cells(opinions),
        hedged: CellList::hedged(opinions),
        conflicts: CellList { opinions, test: |opinion| opinion.conflict },
        opinions,
        measurements: &extraction.measurements,
        mentions: &extraction.mentions,
        lexicon,
    };
    serde_json::to_writer(&mut *out, &line)?;
    out.write_all(b"\n")
}

/// `{"L4-L5": {"central": "mild"}}`
pub(super) struct Cells<'a>(pub(super) &'a [Opinion]);

impl Serialize for Cells<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let levels = self.0.chunk_by(|a, b| a.cell.level == b.cell.level);
        serializer.collect_map(
            levels
                .filter(|opinions| graded(opinions).next().is_some())
                .map(|opinions| (opinions[0].cell.level, Targets(opinions))),
        )
    }
}

/// `{"central": "mild"}`
struct Targets<'a>(&'a [Opinion]);

impl Serialize for Targets<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let graded = graded(self.0).map(|(opinion, grade)| (opinion.cell.target, grade));
        serializer.collect_map(graded)
    }
}

/// `["L4-L5/central"]`: the graded cells whose opinion passes the test.
pub(super) struct CellList<'a> {
    opinions: &'a [Opinion],
    test: fn(&Opinion) -> bool,
}

impl<'a> CellList<'a> {
    pub(super) const fn hedged(opinions: &'a [Opinion]) -> Self {
        Self { opinions, test: |opinion| matches!(opinion.certainty, Certainty::Hedged) }
    }
}

impl Serialize for CellList<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let listed = graded(self.opinions).filter(|(opinion, _)| (self.test)(opinion));
        serializer.collect_seq(listed.map(|(opinion, _)| Displayed(opinion.cell)))
    }
}

struct Displayed(Cell);

impl Serialize for Displayed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
