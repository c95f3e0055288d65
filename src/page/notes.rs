//! What a report mentions beside stenosis, and what it measures, gathered by level.

use std::collections::BTreeMap;

use crate::label::{Certainty, Level, Span};

/// One mention or measurement, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What, such as `annular fissure, left` or `canal diameter 9 mm`.
    pub what: String,
    /// The level; none where the text names none.
    pub level: Option<Level>,
    /// Whether the text denies it.
    pub negated: bool,
    /// Stated or hedged.
    pub certainty: Certainty,
    /// Where in the text.
    pub span: Span,
}

/// The notes of one level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteGroup<'a> {
    /// The level; none for what has none, which comes last.
    pub level: Option<Level>,
    /// What is noted there, each thing once, in the order of the text.
    pub lines: Vec<NoteLine<'a>>,
}

/// One thing that is noted at a level, once or more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteLine<'a> {
    /// What.
    pub what: &'a str,
    /// Whether it is denied.
    pub negated: bool,
    /// Whether it is only suspected.
    pub hedged: bool,
    /// The keys of its mentions.
    pub keys: Vec<u32>,
}

impl NoteGroup<'_> {
    /// The level's name, or what stands in its place.
    pub fn heading(&self) -> &'static str {
        self.level.map_or("no level", Level::name)
    }
}

/// Gathers notes by level, numbering them from `first`.
pub fn by_level(notes: &[Note], first: u32) -> Vec<NoteGroup<'_>> {
    let mut groups: BTreeMap<(bool, Option<Level>), Vec<NoteLine<'_>>> = BTreeMap::new();
    for (note, key) in notes.iter().zip(first..) {
        let lines = groups.entry((note.level.is_none(), note.level)).or_default();
        let hedged = note.certainty == Certainty::Hedged;
        let alike = lines.iter_mut().find(|line| {
            line.what == note.what && line.negated == note.negated && line.hedged == hedged
        });
        match alike {
            Some(line) => line.keys.push(key),
            None => lines.push(NoteLine {
                what: &note.what,
                negated: note.negated,
                hedged,
                keys: vec![key],
            }),
        }
    }
    groups.into_iter().map(|((_, level), lines)| NoteGroup { level, lines }).collect()
}
