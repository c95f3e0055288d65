//! The grid of levels and targets.

use anstyle::Style;
use askama::Template;

use super::claim::Claim;
use super::paint::Styled;
use super::tone;
use crate::label::{Cell, Certainty, Level, LevelSet, Opinion, TARGETS, TargetRow, Verdict};

/// One reader's opinions as a grid, a row a level and a column a target.
///
/// Its [`std::fmt::Display`] is the HTML fragment.
#[derive(Debug, Clone, Template)]
#[template(path = "grid.html")]
pub struct Grid {
    /// The rows, top to bottom.
    pub rows: Vec<Row>,
}

/// One level.
#[derive(Debug, Clone)]
pub struct Row {
    /// The level.
    pub level: Level,
    /// By [`TARGETS`].
    pub slots: Vec<Slot>,
}

/// One cell.
#[derive(Debug, Clone)]
pub struct Slot {
    /// The cell.
    pub cell: Cell,
    /// The verdict; a cell without an opinion is not mentioned.
    pub verdict: Verdict,
    /// Whether it is only suspected.
    pub hedged: bool,
    /// Whether statements disagree.
    pub conflict: bool,
    /// Whether the reader is in doubt.
    pub uncertain: bool,
    /// The keys of its claims.
    pub keys: Vec<u32>,
}

impl Slot {
    fn empty(cell: Cell) -> Self {
        let verdict = Verdict::NotMentioned;
        Self { cell, verdict, hedged: false, conflict: false, uncertain: false, keys: vec![] }
    }

    fn tone(&self) -> &'static tone::Tone {
        tone::of(self.verdict)
    }

    fn is_mentioned(&self) -> bool {
        self.verdict != Verdict::NotMentioned
    }

    /// The cell and its verdict in one line, for those who do not see the grid.
    fn spoken(&self) -> String {
        let hedged = if self.hedged { ", hedged" } else { "" };
        let conflict = if self.conflict { ", statements disagree" } else { "" };
        let uncertain = if self.uncertain { ", uncertain" } else { "" };
        format!(
            "{} {}: {}{hedged}{conflict}{uncertain}",
            self.cell.level,
            self.cell.target.row().short,
            self.tone().word
        )
    }

    /// `severe !`, `mild ?`, `·`.
    fn short(&self) -> String {
        let mut word = self.tone().short.to_owned();
        let signs = [(self.hedged, '?'), (self.conflict, '!'), (self.uncertain, '≈')];
        let signs: String = signs.iter().filter(|(is, _)| *is).map(|(_, sign)| sign).collect();
        if !signs.is_empty() {
            word.push(' ');
            word.push_str(&signs);
        }
        word
    }
}

/// How wide a cell is in a terminal: the longest word with two signs.
const CELL: usize = 11;

/// A cell and the space before it.
const COLUMN: usize = CELL + 1;

/// How wide the column of levels is in a terminal.
const LEVELS: usize = 8;

impl Grid {
    /// How many columns of a terminal the grid takes.
    pub const WIDTH: usize = LEVELS + 1 + COLUMN * TARGETS.len();

    /// The grid of these opinions. `claims` are theirs.
    ///
    /// It shows the lumbar levels always, so that what a report leaves out is seen, and any
    /// other level that has an opinion.
    pub fn new(opinions: &[Opinion], claims: &[Claim<'_>]) -> Self {
        let rows = shown(opinions)
            .iter()
            .map(|level| Row {
                level,
                slots: TARGETS
                    .iter()
                    .map(|row| slot(Cell { level, target: row.target }, opinions, claims))
                    .collect(),
            })
            .collect();
        Self { rows }
    }

    fn targets(&self) -> &'static [TargetRow] {
        &TARGETS
    }

    /// The grid as lines of a terminal, with what its signs mean below.
    pub fn lines(&self, colour: bool) -> Vec<String> {
        let paint = |styled: Styled| styled.line(colour);
        let mut head = Styled::default();
        head.push(&format!("{:LEVELS$}│", ""), Style::new().dimmed());
        for row in self.targets() {
            head.push(&format!(" {:^CELL$}", row.short), Style::new().bold());
        }
        let rule = format!("{}┼{}", "─".repeat(LEVELS), "─".repeat(COLUMN * TARGETS.len()));
        let mut lines = vec![paint(head), paint(Styled::of(&rule, Style::new().dimmed()))];
        lines.extend(self.rows.iter().map(|row| paint(row.line())));
        lines.push(paint(Styled::of(&rule.replace('┼', "┴"), Style::new().dimmed())));
        let mut legend = "· not mentioned   ? hedged   ! statements disagree".to_owned();
        if self.rows.iter().flat_map(|row| &row.slots).any(|slot| slot.uncertain) {
            legend.push_str("   ≈ uncertain");
        }
        lines.push(paint(Styled::of(&legend, Style::new().dimmed())));
        lines
    }
}

impl Row {
    fn line(&self) -> Styled {
        let mut line = Styled::default();
        line.push(&format!("{:<LEVELS$}", self.level.name()), Style::new().bold());
        line.push("│", Style::new().dimmed());
        for slot in &self.slots {
            line.push(" ", Style::new());
            line.push(&format!("{:^CELL$}", slot.short()), slot.tone().style());
        }
        line
    }
}

fn slot(cell: Cell, opinions: &[Opinion], claims: &[Claim<'_>]) -> Slot {
    let Some(opinion) = opinions.iter().find(|opinion| opinion.cell == cell) else {
        return Slot::empty(cell);
    };
    Slot {
        cell,
        verdict: opinion.verdict,
        hedged: opinion.certainty == Certainty::Hedged,
        conflict: opinion.conflict,
        uncertain: opinion.doubt.is_some(),
        keys: claims.iter().filter(|claim| claim.cell == cell).map(|claim| claim.key).collect(),
    }
}

fn shown(opinions: &[Opinion]) -> LevelSet {
    let named: LevelSet = opinions.iter().map(|opinion| opinion.cell.level).collect();
    let six = named.contains(Level::L5L6) || named.contains(Level::L6S1);
    named.union(if six { LevelSet::SIX_LUMBAR } else { LevelSet::LUMBAR })
}
