//! Report to reading. Read this first: it is the whole main job on one page.

use crate::archive::Read;
use crate::extract::{Extraction, Extractor};
use crate::label::{Cell, Opinion, Reader, ReaderKind, Statement, Verdict, resolve};
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
