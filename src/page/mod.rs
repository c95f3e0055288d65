//! What shows one reading to a person, in a terminal and as HTML: the grid of levels and targets,
//! the text with its evidence highlighted, and the reasons cell by cell.
//!
//! A [`Sheet`] is what is shown; [`terminal()`] and [`standalone`] arrange the same [`Parts`] of
//! it. Every piece of evidence has a *key*, a number that is the same in all parts, so that a
//! cell, its reasons and its words light up together.

mod claim;
mod curves;
mod explain;
mod flow;
mod grid;
mod highlight;
mod notes;
mod paint;
mod spine;
mod terminal;
mod tone;
mod why;

pub use claim::{Basis, Claim, claims};
pub use curves::{Panel, curves};
pub use explain::standalone;
pub use flow::{FlowStep, flow_chart};
pub use grid::{Grid, Row, Slot};
pub use highlight::{Highlight, Ink, Look, Mark, Segment};
pub use notes::{Note, NoteGroup, NoteLine, by_level};
pub use spine::{Figure, GradedCell, GradedLevel, LevelRow, MEASURES, SpinePage, spine_page};
pub use terminal::{Screen, terminal};
pub use tone::{Tone, of as tone_of};
pub use why::{Head, Reason, Said, Why, WhyCells, WhyLevel};

use crate::label::Opinion;

/// The stylesheet of every page, inlined where a page stands alone.
pub const STYLE: &str = include_str!("../../templates/page.css");

/// The script that lights up what belongs together, inlined where a page stands alone.
pub const SCRIPT: &str = include_str!("../../templates/page.js");

/// One reading of one text, as it is shown.
#[derive(Debug, Clone, Copy)]
pub struct Sheet<'a> {
    /// What the page is called: the report's id, or its file's name.
    pub title: &'a str,
    /// Who read, with the version.
    pub reader: &'a str,
    /// The text that was read; spans are bytes of it.
    pub text: &'a str,
    /// The reader's opinions.
    pub opinions: &'a [Opinion],
    /// Findings beside stenosis.
    pub mentions: &'a [Note],
    /// Lengths and areas.
    pub measurements: &'a [Note],
}

impl Sheet<'_> {
    /// Whether its reader is in doubt about any cell.
    fn is_doubted(&self) -> bool {
        self.opinions.iter().any(|opinion| opinion.doubt.is_some())
    }
}

/// The parts of a sheet under common keys. Each shows by itself, so a page arranges them as it
/// likes.
#[derive(Debug, Clone)]
pub struct Parts<'a> {
    /// The text with every claim, mention and measurement marked in it.
    pub highlight: Highlight<'a>,
    /// The verdicts.
    pub grid: Grid,
    /// Their reasons.
    pub why: Why,
    /// The mentions by level.
    pub mentions: Vec<NoteGroup<'a>>,
    /// The measurements by level.
    pub measurements: Vec<NoteGroup<'a>>,
}

impl<'a> Parts<'a> {
    /// Takes a sheet apart. Keys number the claims first, then mentions, then measurements.
    pub fn new(sheet: &Sheet<'a>) -> Self {
        let claims = claims(sheet.opinions);
        let first_mention = claims.len() as u32;
        let first_measurement = first_mention + sheet.mentions.len() as u32;
        let evidence = claims.iter().flat_map(|claim| {
            claim.spans().iter().map(|&span| Mark { span, key: claim.key, ink: claim.ink() })
        });
        let notes = sheet
            .mentions
            .iter()
            .chain(sheet.measurements)
            .zip(first_mention..)
            .map(|(note, key)| Mark { span: note.span, key, ink: Ink::Note });
        let highlight = Highlight::new(sheet.text, &evidence.chain(notes).collect::<Vec<_>>());
        Self {
            grid: Grid::new(sheet.opinions, &claims),
            why: Why::new(sheet.text, sheet.opinions, &claims, &highlight),
            mentions: by_level(sheet.mentions, first_mention),
            measurements: by_level(sheet.measurements, first_measurement),
            highlight,
        }
    }
}
