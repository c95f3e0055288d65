//! The columns that the formats which are tables share, each with what it means.

use std::borrow::Cow;
use std::fmt::Write;

use super::super::table::ColumnName;
use super::Record;
use crate::label::{Cell, CellLabel, Certainty, Level, Target, Verdict};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// A whole number.
    Number,
    /// A day, ISO 8601 where it is written out.
    Day,
}

/// A value of a record, absent where it is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Text(Option<Cow<'a, str>>),
    Number(Option<i32>),
    Day(Option<&'a str>),
}

/// A column.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it means, for the manifest.
    pub meaning: String,
    /// What it holds.
    pub kind: Kind,
    source: Source,
}

/// Where a column's values come from.
#[derive(Debug, Clone, Copy)]
enum Source {
    Field(for<'a> fn(&'a Record) -> Value<'a>),
    Cell(Cell),
}

impl Column {
    pub(super) fn value<'a>(&self, record: &'a Record) -> Value<'a> {
        match self.source {
            Source::Field(field) => field(record),
            Source::Cell(cell) => {
                let label = record.labels.iter().find(|label| label.cell == cell);
                let label = label.filter(|label| label.verdict != Verdict::NotMentioned);
                Value::Text(label.map(|label| label.verdict.name().into()))
            }
        }
    }
}

/// The levels that have a column for each target; labels of others are listed in one column.
const LEVELS: [Level; 6] =
    [Level::T12L1, Level::L1L2, Level::L2L3, Level::L3L4, Level::L4L5, Level::L5S1];

/// Every column, in order.
pub fn columns() -> Vec<Column> {
    let mut columns: Vec<Column> = FIELDS.iter().map(field).collect();
    for level in LEVELS {
        for target in Target::ALL {
            columns.push(Column {
                name: format!("{}_{target}", ColumnName(level)),
                meaning: format!(
                    "grade of {level} {target}, or unassessable; absent: not mentioned"
                ),
                kind: Kind::Text,
                source: Source::Cell(Cell { level, target }),
            });
        }
    }
    columns.extend(LISTS.iter().map(field));
    columns
}

type FieldRow = (&'static str, Kind, for<'a> fn(&'a Record) -> Value<'a>, &'static str);

fn field(&(name, kind, value, meaning): &FieldRow) -> Column {
    Column {
        name: name.to_owned(),
        meaning: meaning.to_owned(),
        kind,
        source: Source::Field(value),
    }
}

fn text(value: &Option<String>) -> Value<'_> {
    Value::Text(value.as_deref().map(Cow::Borrowed))
}

fn given(value: &str) -> Value<'_> {
    Value::Text(Some(Cow::Borrowed(value)))
}

const FIELDS: [FieldRow; 15] = [
    ("source", Kind::Text, |r| text(&r.source), "where the report comes from"),
    ("id", Kind::Text, |r| given(&r.id), "the report's id within its source"),
    ("version", Kind::Number, |r| Value::Number(Some(r.version as i32)), "version of its text"),
    ("text_hash", Kind::Text, |r| given(&r.text_hash), "SHA-256 of that text"),
    ("patient", Kind::Text, |r| text(&r.patient), "the patient's id within the source"),
    ("study", Kind::Text, |r| given(&r.study), "tells the study from others"),
    ("accession", Kind::Text, |r| text(&r.accession), "accession number"),
    ("study_uid", Kind::Text, |r| text(&r.study_uid), "StudyInstanceUID"),
    ("exam_date", Kind::Day, |r| Value::Day(r.exam_date.as_deref()), "date of the examination"),
    ("sex", Kind::Text, |r| text(&r.sex), "F, M or O"),
    (
        "age",
        Kind::Number,
        |r| Value::Number(r.age.map(i32::from)),
        "age in years at the examination",
    ),
    ("birth_date", Kind::Day, |r| Value::Day(r.birth_date.as_deref()), "date of birth"),
    ("modality", Kind::Text, |r| text(&r.modality), "modality"),
    ("status", Kind::Text, |r| given(r.status.name()), "how far people have settled the label"),
    ("part", Kind::Text, |r| text(&r.part), "train, validation or test; no patient is in two"),
];

const LISTS: [FieldRow; 6] = [
    (
        "other_levels",
        Kind::Text,
        |r| {
            let others = r.labels.iter().filter(|label| !LEVELS.contains(&label.cell.level));
            list(others, |text, label| {
                let _ = write!(text, "{}={}", label.cell, label.verdict.name());
            })
        },
        "labels of further levels, as LEVEL/target=grade, parted by semicolons",
    ),
    (
        "hedged",
        Kind::Text,
        |r| cells(r, |label| label.certainty == Certainty::Hedged),
        "the cells whose grade is hedged, as LEVEL/target",
    ),
    (
        "conflicts",
        Kind::Text,
        |r| cells(r, |label| label.conflict),
        "the cells about which the text contradicts itself",
    ),
    (
        "findings",
        Kind::Text,
        |r| {
            let affirmed = r.mentions.iter().filter(|mention| !mention.negated);
            list(affirmed, |text, mention| {
                if let Some(level) = mention.level {
                    let _ = write!(text, "{level}.");
                }
                let hedged = if mention.certainty == Certainty::Hedged { "?" } else { "" };
                let _ = write!(text, "{}{hedged}", mention.finding);
            })
        },
        "affirmed findings as LEVEL.finding, with ? where hedged",
    ),
    (
        "decided_by",
        Kind::Text,
        |r| {
            list(r.decided_by.iter(), |text, name| {
                text.push_str(name);
            })
        },
        "who decided the label",
    ),
    ("text", Kind::Text, |r| text(&r.text), "the text of the report"),
];

fn cells(record: &Record, test: fn(&CellLabel) -> bool) -> Value<'_> {
    let graded = record.labels.iter().filter(|label| label.verdict.grade().is_some());
    list(graded.filter(|label| test(label)), |text, label| {
        let _ = write!(text, "{}", label.cell);
    })
}

/// Parts with semicolons between; absent where there are none.
fn list<'a, T>(items: impl Iterator<Item = T>, part: impl Fn(&mut String, T)) -> Value<'a> {
    let mut listed = String::new();
    for item in items {
        if !listed.is_empty() {
            listed.push(';');
        }
        part(&mut listed, item);
    }
    Value::Text(Some(Cow::Owned(listed)).filter(|listed: &Cow<'_, str>| !listed.is_empty()))
}
