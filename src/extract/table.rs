//! Tables: a row of structures over rows of levels, or a row of levels over rows of structures.

use std::ops::Range;

use smallvec::SmallVec;

use super::layout::Line;
use super::scan::{Item, Scan, Tag};
use super::sense::{Anatomy, Sense, Sides};
use crate::label::{Level, Side};

/// A table in a text.
pub(super) struct Table {
    pub cells: Vec<Cell>,
    /// How many lines it takes.
    pub lines: usize,
}

/// One cell of a table with what its row and column say.
pub(super) struct Cell {
    pub levels: SmallVec<[Level; 4]>,
    pub target: (Anatomy, Option<Side>),
    pub items: Range<usize>,
}

/// A column or row head.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Head {
    Levels(SmallVec<[Level; 4]>),
    /// A structure, and its sides in the order in which they are named.
    Target(Anatomy, SmallVec<[Side; 2]>),
    Other,
}

/// A stretch of items between borders, and where it stands on its line.
#[derive(Debug, Clone)]
struct Field {
    items: Range<usize>,
    from: u32,
    to: u32,
    /// Its number among the fields of its line, empty ones counted.
    number: usize,
}

/// The fields of a line.
struct Row {
    fields: Vec<Field>,
    /// Whether signs or tabs part the fields, so that empty ones count too; else white space
    /// does, and a field belongs to the column that it stands under.
    ruled: bool,
}

/// How many lines below the heads of its columns a table's first row is, at most. Many lines may look
/// like heads, and to search the rest of the text after each would take its length squared.
const FARTHEST: usize = 8;

/// The table that begins at the first of these lines.
pub(super) fn find(scan: &Scan, lines: &[Line], text: &str) -> Option<Table> {
    let by_comma = is_by_comma(&scan.items[lines[0].items.clone()]);
    let heads = row(scan, &lines[0], text, by_comma);
    if heads.fields.len() < 2 {
        return None;
    }
    let columns: Vec<Head> = heads.fields.iter().map(|field| head(scan, &field.items)).collect();
    let by_level = orientation(&columns)?;
    let mut cells = Vec::new();
    let mut taken = 1;
    for line in &lines[1..] {
        let is_far = cells.is_empty() && taken > FARTHEST;
        if is_far || line.opens_section || (line.after_blank && taken > 1) {
            break;
        }
        let row = row(scan, line, text, by_comma);
        if !is_rule(&scan.items[line.items.clone()]) {
            let Some(first) = row.fields.first().filter(|_| row.fields.len() > 1) else { break };
            let row_head = head(scan, &first.items);
            let again = if by_level {
                matches!(row_head, Head::Target(..))
            } else {
                matches!(row_head, Head::Levels(_))
            };
            if cells.is_empty() && again {
                return None;
            }
            for field in &row.fields[1..] {
                let column = column_of(field, &heads, &row).map(|column| &columns[column]);
                cells.extend(
                    column
                        .into_iter()
                        .flat_map(|column| cells_of(scan, &row_head, column, by_level, field)),
                );
            }
        }
        taken += 1;
    }
    (!cells.is_empty()).then_some(Table { cells, lines: taken })
}

/// Whether the columns are structures and the rows levels, or the other way round; none where
/// the heads are not those of a table.
fn orientation(columns: &[Head]) -> Option<bool> {
    let count = |test: fn(&Head) -> bool| columns.iter().filter(|head| test(head)).count();
    let targets = count(|head| matches!(head, Head::Target(..)));
    let levels = count(|head| matches!(head, Head::Levels(_)));
    match (targets, levels) {
        (2.., 0) => Some(true),
        (0, 2..) => Some(false),
        _ => None,
    }
}

/// The cell that a field is; two where its head names both sides, "Foramina (R / L)", and a slash parts
/// what is said of them.
fn cells_of(
    scan: &Scan,
    row: &Head,
    column: &Head,
    by_level: bool,
    field: &Field,
) -> SmallVec<[Cell; 2]> {
    let (levels, anatomy, sides) = match (row, column) {
        (Head::Levels(levels), Head::Target(anatomy, sides)) if by_level => {
            (levels, *anatomy, sides)
        }
        (Head::Target(anatomy, sides), Head::Levels(levels)) if !by_level => {
            (levels, *anatomy, sides)
        }
        _ => return SmallVec::new(),
    };
    let cell = |side, items| Cell { levels: levels.clone(), target: (anatomy, side), items };
    let items = field.items.clone();
    let slash = items.clone().find(|&at| scan.items[at].tag == Tag::Slash);
    match (&sides[..], slash) {
        ([first, second], Some(slash)) if first != second => SmallVec::from_iter([
            cell(Some(*first), items.start..slash),
            cell(Some(*second), slash + 1..items.end),
        ]),
        ([side], _) => SmallVec::from_iter([cell(Some(*side), items)]),
        _ => SmallVec::from_iter([cell(None, items)]),
    }
}

/// Whether commas part the heads of a table, as where a spreadsheet was pasted: "level,canal,L foramen".
pub(super) fn is_by_comma(items: &[Item]) -> bool {
    matches!(
        items,
        [level, comma, ..] if level.tag == Tag::Term(Sense::LevelWord) && comma.tag == Tag::Comma
    )
}

/// Whether a line only draws a rule between rows.
fn is_rule(items: &[Item]) -> bool {
    items.iter().all(|item| matches!(item.tag, Tag::Dash | Tag::Border | Tag::Colon | Tag::Other))
}

fn column_of(field: &Field, heads: &Row, row: &Row) -> Option<usize> {
    let heads_at = |test: &dyn Fn(&Field) -> bool| heads.fields.iter().position(test);
    let numbered = || heads_at(&|head| head.number == field.number);
    if row.ruled {
        return numbered();
    }
    heads_at(&|head| field.from < head.to && head.from < field.to).or_else(numbered)
}

/// The fields of a line, parted by `|`, semicolons, tabs, runs of white space or (`by_comma`) commas.
fn row(scan: &Scan, line: &Line, text: &str, by_comma: bool) -> Row {
    let items = &scan.items[line.items.clone()];
    let mut row = Row { fields: Vec::new(), ruled: false };
    let line_start = line.start;
    let mut number = 0;
    let mut open: Option<Field> = None;
    let mut end = line_start;
    for (at, item) in items.iter().enumerate() {
        let span = scan.span(*item);
        // The full stop of an abbreviation is no item.
        let gap = text[end as usize..span.start as usize].trim_start_matches('.');
        let tabs = gap.matches('\t').count();
        let border = matches!(item.tag, Tag::Border | Tag::Semicolon)
            || (by_comma && item.tag == Tag::Comma);
        row.ruled |= border || tabs > 0;
        let steps = tabs + usize::from(border && at > 0);
        if steps > 0 || gap.len() > 1 {
            row.fields.extend(open.take());
            number += if row.ruled { steps } else { 1 };
        }
        if !border {
            let index = line.items.start + at;
            let from = span.start - line_start;
            let field = open.get_or_insert(Field { items: index..index, from, to: from, number });
            field.items.end = index + 1;
            field.to = span.end - line_start;
        }
        end = span.end;
    }
    row.fields.extend(open);
    row
}

fn head(scan: &Scan, items: &Range<usize>) -> Head {
    let items: &[Item] = &scan.items[items.clone()];
    let mut levels = None;
    let mut anatomy = None;
    let mut sides: SmallVec<[Side; 2]> = SmallVec::new();
    for item in items {
        match item.tag {
            Tag::Levels(index) => levels = Some(scan.levels[index as usize].named.clone()),
            Tag::Term(Sense::Anatomy(found, _)) => anatomy = anatomy.or(Some(found)),
            Tag::Term(Sense::Side(Sides::Left)) => sides.push(Side::Left),
            Tag::Term(Sense::Side(Sides::Right)) => sides.push(Side::Right),
            Tag::Term(
                Sense::Degree(_) | Sense::None | Sense::Normal | Sense::Patent | Sense::Be,
            ) => {
                return Head::Other;
            }
            _ => {}
        }
    }
    match (levels, anatomy) {
        (Some(levels), None) => Head::Levels(levels),
        (None, Some(anatomy)) => Head::Target(anatomy, sides),
        _ => Head::Other,
    }
}
