//! Report to reading. Read this first: it is the whole main job on one page.

use crate::archive::Read;
#[cfg(feature = "neural")]
use crate::engine::encoder::{LevelView, TargetView};
use crate::extract::{Extraction, Extractor};
use crate::label::{Cell, Opinion, Reader, ReaderKind, Statement, Verdict, resolve};
#[cfg(feature = "neural")]
use crate::label::{Certainty, Evidence, Grade, Target};
use crate::store::Body;

/// Reads one report's text and resolves its statements into opinions, one a mentioned cell, by
/// level and target.
pub fn read_text(extractor: &mut Extractor, text: &str) -> (Extraction, Vec<Opinion>) {
    let extraction = extractor.extract(text);
    let opinions = opinions(&extraction.statements);
    (extraction, opinions)
}

/// Reads one report's text for the archive.
pub fn read(extractor: &mut Extractor, text: &str) -> Read {
    let (extraction, opinions) = read_text(extractor, text);
    let Extraction { mentions, measurements, sections, .. } = extraction;
    Read::new(Body { opinions, mentions, measurements, sections, ..Body::default() })
}

/// The rules as a reader: the software and the words that they read with.
pub fn rules(extractor: &Extractor) -> Reader {
    Reader {
        kind: ReaderKind::Rules,
        name: ReaderKind::Rules.name().to_owned(),
        version: format!("{} {}", env!("CARGO_PKG_VERSION"), extractor.lexicon_version()),
        content_hash: extractor.content_hash().to_owned(),
    }
}

/// Rule 22 over all statements of a text: an opinion for each cell that any of them is about.
fn opinions(statements: &[Statement]) -> Vec<Opinion> {
    let mut by_cell: [Vec<Statement>; Cell::COUNT] = std::array::from_fn(|_| Vec::new());
    for statement in statements {
        by_cell[statement.cell.index()].push(statement.clone());
    }
    by_cell
        .into_iter()
        .filter_map(|statements| Some(resolve(statements.first()?.cell, statements)))
        .filter(|opinion| opinion.verdict != Verdict::NotMentioned)
        .collect()
}

/// The opinions that follow from what the transformer makes of a text's levels: in each cell the
/// most probable verdict, with its distribution over the grades.
#[cfg(feature = "neural")]
pub fn transformer_opinions(levels: &[LevelView]) -> Vec<Opinion> {
    let cells = levels.iter().flat_map(|view| {
        Target::ALL
            .into_iter()
            .zip(&view.targets)
            .map(move |(target, seen)| (Cell { level: view.level, target }, seen))
    });
    cells.filter_map(|(cell, seen)| opinion(cell, seen)).collect()
}

#[cfg(feature = "neural")]
fn opinion(cell: Cell, seen: &TargetView) -> Option<Opinion> {
    let [not_mentioned, grades @ ..] = seen.probabilities;
    let (grade, probability) =
        Grade::ALL.into_iter().zip(grades).max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    (probability > not_mentioned).then(|| Opinion {
        cell,
        verdict: Verdict::Graded(grade),
        certainty: if seen.hedged > 0.5 { Certainty::Hedged } else { Certainty::Stated },
        conflict: false,
        distribution: Some(grades),
        evidence: Evidence::Spans(seen.evidence.clone()),
    })
}
