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
    Target(Anatomy, Option<Side>),
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

/// The table that begins at the first of these lines.
pub(super) fn find(scan: &Scan, lines: &[Line], text: &str) -> Option<Table> {
    let heads = fields(scan, &lines[0], text);
    if heads.len() < 2 {
        return None;
    }
    let columns: Vec<Head> = heads.iter().map(|field| head(scan, &field.items)).collect();
    let count = |test: fn(&Head) -> bool| columns.iter().filter(|head| test(head)).count();
    let by_level = count(|head| matches!(head, Head::Target(..))) >= 2
        && count(|head| matches!(head, Head::Levels(_))) == 0;
    let by_target = count(|head| matches!(head, Head::Levels(_))) >= 2
        && count(|head| matches!(head, Head::Target(..))) == 0;
    if !by_level && !by_target {
        return None;
    }
    let mut cells = Vec::new();
    let mut taken = 1;
    for line in &lines[1..] {
        if line.opens_section || (line.after_blank && taken > 1) {
            break;
        }
        let row = fields(scan, line, text);
        if row.is_empty() {
            taken += 1;
            continue;
        }
        let row_head = head(scan, &row[0].items);
        let fits = matches!(
            (&row_head, by_level),
            (Head::Levels(_), true) | (Head::Target(..), false)
        );
        if !fits || row.len() < 2 {
            if taken == 1 || matches!(row_head, Head::Other) && row.len() < 2 {
                break;
            }
            taken += 1;
            continue;
        }
        for field in &row[1..] {
            let column = column_of(field, &heads, row.len() == heads.len(), &row);
            let Some(column) = column.map(|column| &columns[column]) else { continue };
            let (levels, target) = match (&row_head, column) {
                (Head::Levels(levels), Head::Target(anatomy, side))
                | (Head::Target(anatomy, side), Head::Levels(levels)) => {
                    (levels.clone(), (*anatomy, *side))
                }
                _ => continue,
            };
            cells.push(Cell { levels, target, items: field.items.clone() });
        }
        taken += 1;
    }
    (!cells.is_empty()).then_some(Table { cells, lines: taken })
}

/// The column of a field: by number where the row is full, else the head that it stands under.
fn column_of(field: &Field, heads: &[Field], full: bool, row: &[Field]) -> Option<usize> {
    let numbered = heads.iter().position(|head| head.number == field.number);
    let bordered = row.iter().any(|field| field.number > 0) && row[row.len() - 1].number >= row.len() - 1;
    if full || bordered && heads.iter().enumerate().any(|(i, head)| head.number != i) {
        return numbered;
    }
    heads
        .iter()
        .position(|head| field.from < head.to && head.from < field.to)
        .or(numbered)
}

/// The fields of a line, parted by `|`, tabs or runs of white space.
fn fields(scan: &Scan, line: &Line, text: &str) -> Vec<Field> {
    let items = &scan.items[line.items.clone()];
    let Some(first) = items.first() else { return Vec::new() };
    let line_start = {
        let start = scan.span(*first).start as usize;
        text[..start].rfind('\n').map_or(0, |i| i + 1) as u32
    };
    let mut fields: Vec<Field> = Vec::new();
    let mut number = 0;
    let mut open: Option<Field> = None;
    let mut end = line_start;
    for (at, item) in items.iter().enumerate() {
        let span = scan.span(*item);
        let gap = &text[end as usize..span.start as usize];
        let tabs = gap.matches('\t').count();
        let border = item.tag == Tag::Border;
        if (tabs > 0 || gap.len() >= 2 || border)
            && let Some(field) = open.take()
        {
            fields.push(field);
            number += tabs.max(1);
        } else if border && at > 0 {
            number += 1;
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
    fields.extend(open);
    fields
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
            Tag::Term(Sense::Degree(_) | Sense::None | Sense::Normal | Sense::Patent | Sense::Be) => {
                return Head::Other;
            }
            _ => {}
        }
    }
    let side = if let [side] = sides[..] { Some(side) } else { None };
    match (levels, anatomy) {
        (Some(levels), None) => Head::Levels(levels),
        (None, Some(anatomy)) => Head::Target(anatomy, side),
        _ => Head::Other,
    }
}
