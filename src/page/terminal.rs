//! One reading in a terminal.

use anstyle::Style;

use super::grid::Grid;
use super::highlight::Highlight;
use super::notes::NoteGroup;
use super::paint::{Styled, beside};
use super::why::{Head, Reason, Why, WhyCells, WhyLevel};
use super::{Parts, Sheet, tone};

/// The terminal that is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// Columns.
    pub width: usize,
    /// Whether it shows colours. Where it does not, brackets mark the evidence.
    pub colour: bool,
}

/// From this width on the grid stands beside the text.
const WIDE: usize = 120;

/// Text runs no wider than this, however wide the terminal: longer lines are hard to follow.
const MEASURE: usize = 100;

/// Columns between the text and the grid.
const GAP: usize = 4;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// Renders a sheet: the text with its evidence and the grid, then why each cell has its verdict,
/// then what else is mentioned and measured.
pub fn terminal(sheet: &Sheet<'_>, screen: Screen) -> String {
    let Parts { highlight, grid, why, mentions, measurements } = Parts::new(sheet);
    let mut lines = vec![screen.title(sheet), String::new()];
    lines.extend(screen.text_and_grid(&highlight, &grid));
    for level in &why.levels {
        lines.extend(screen.level(level));
    }
    lines.extend(screen.rules(&why));
    lines.extend(screen.notes("Mentions", &mentions));
    lines.extend(screen.notes("Measurements", &measurements));
    let mut text = lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n");
    text.push('\n');
    text
}

impl Screen {
    fn title(self, sheet: &Sheet<'_>) -> String {
        let mut title = Styled::of(sheet.title, BOLD);
        title.push(&format!("  read by {}", sheet.reader), DIM);
        title.line(self.colour)
    }

    fn text_and_grid(self, highlight: &Highlight<'_>, grid: &Grid) -> Vec<String> {
        let grid = grid.lines(self.colour);
        if self.width < WIDE {
            let mut lines = self.text(highlight, self.width);
            lines.push(String::new());
            lines.extend(grid);
            return lines;
        }
        let column = (self.width - Grid::WIDTH - GAP).min(MEASURE);
        beside(&self.text(highlight, column), column + GAP, &grid)
    }

    fn text(self, highlight: &Highlight<'_>, width: usize) -> Vec<String> {
        let mut lines = highlight.styled(self.colour).wrap(width.min(MEASURE), self.colour);
        while lines.last().is_some_and(|line| line.trim().is_empty()) {
            lines.pop();
        }
        lines
    }

    fn level(self, level: &WhyLevel) -> Vec<String> {
        let mut lines = vec![String::new()];
        for cells in &level.cells {
            lines.push(self.head(level, cells));
            for reason in &cells.reasons {
                lines.extend(self.reason(reason));
            }
        }
        lines
    }

    fn head(self, level: &WhyLevel, cells: &WhyCells) -> String {
        let Head { verdict, hedged, conflict, doubt } = cells.head;
        let tone = tone::of(verdict);
        let mut line = Styled::of(&format!("{}  {}  ", level.names(), cells.targets()), BOLD);
        line.push(&format!(" {} ", tone.word), tone.style());
        if hedged {
            line.push("  ? hedged", Style::new());
        }
        if conflict {
            line.push("  ! statements disagree, the most severe stands", Style::new());
        }
        if let Some((percent, doubt)) = doubt {
            line.push(&format!("  ≈ {percent} %, {doubt}"), Style::new());
        }
        line.line(self.colour)
    }

    fn reason(self, reason: &Reason) -> Vec<String> {
        let said = &reason.said;
        let faint = if said.aside.is_some() { DIM } else { Style::new() };
        let mut what = Styled::of(&format!("“{}”", said.quote), faint);
        what.push(&format!("  {}, {}", tone::of(said.verdict).word, said.tags.join(", ")), DIM);
        if !said.rules.is_empty() {
            let rules: Vec<_> = said.rules.iter().map(|rule| rule.number().to_string()).collect();
            let noun = if rules.len() == 1 { "rule" } else { "rules" };
            what.push(&format!("; {noun} {}", rules.join(" ")), DIM);
        }
        if let Some(filter) = said.aside {
            let why = format!("; set aside by 22({}): {}", filter.letter(), filter.reason());
            what.push(&why, DIM);
        }
        let bullet = if said.aside.is_some() { "    ○ " } else { "    ● " };
        self.hanging(bullet, &what)
    }

    /// The titles of the rules that the reasons name by number.
    fn rules(self, why: &Why) -> Vec<String> {
        let rules = why.rules();
        if rules.is_empty() {
            return Vec::new();
        }
        let mut lines = vec![String::new(), Styled::of("Rules", BOLD).line(self.colour)];
        lines.extend(rules.iter().map(|rule| {
            let line = format!("    {:>2}  {}", rule.number(), rule.title());
            Styled::of(&line, DIM).line(self.colour)
        }));
        lines
    }

    fn notes(self, heading: &str, groups: &[NoteGroup<'_>]) -> Vec<String> {
        if groups.is_empty() {
            return Vec::new();
        }
        let mut lines = vec![String::new(), Styled::of(heading, BOLD).line(self.colour)];
        for group in groups {
            let mut line = Styled::default();
            for (i, note) in group.lines.iter().enumerate() {
                let no = if note.negated { "no " } else { "" };
                let hedged = if note.hedged { " ?" } else { "" };
                let comma = if i == 0 { "" } else { " · " };
                line.push(comma, DIM);
                let style = if note.negated { DIM } else { Style::new() };
                line.push(&format!("{no}{}{hedged}", note.what), style);
            }
            lines.extend(self.hanging(&format!("    {:<10}", group.heading()), &line));
        }
        lines
    }

    /// Wraps with `start` before the first row and as much space before the others.
    fn hanging(self, start: &str, styled: &Styled) -> Vec<String> {
        let indent = start.chars().count();
        let width = self.width.min(WIDE).saturating_sub(indent).max(20);
        styled
            .wrap(width, self.colour)
            .into_iter()
            .enumerate()
            .map(
                |(i, row)| {
                    if i == 0 { format!("{start}{row}") } else { format!("{:indent$}{row}", "") }
                },
            )
            .collect()
    }
}
