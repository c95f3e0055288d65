//! The columns that the formats which are tables share, each with what it means.

use std::borrow::Cow;
use std::fmt::{self, Write};

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
    /// Any number.
    Real,
    /// A day, ISO 8601 where it is written out.
    Day,
}

/// A value of a row, absent where it is not known.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::export) enum Value<'a> {
    Text(Option<Cow<'a, str>>),
    Number(Option<i32>),
    Real(Option<f64>),
    Day(Option<&'a str>),
}

/// What a row has in a column.
type Get<R> = Box<dyn for<'a> Fn(&'a R) -> Value<'a> + Send + Sync>;

/// A column of rows of this type.
pub struct Column<R> {
    /// Its name.
    pub name: String,
    /// What it means, for the manifest.
    pub meaning: String,
    /// What it holds.
    pub kind: Kind,
    value: Get<R>,
}

impl<R> Column<R> {
    pub(in crate::export) fn new(
        name: impl Into<String>,
        kind: Kind,
        meaning: impl Into<String>,
        value: impl for<'a> Fn(&'a R) -> Value<'a> + Send + Sync + 'static,
    ) -> Self {
        Self { name: name.into(), meaning: meaning.into(), kind, value: Box::new(value) }
    }

    pub(in crate::export) fn value<'a>(&self, row: &'a R) -> Value<'a> {
        (self.value)(row)
    }
}

impl<R> fmt::Debug for Column<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Column").field("name", &self.name).field("kind", &self.kind).finish()
    }
}

/// The levels that have a column for each target; labels of others are listed in one column.
const LEVELS: [Level; 6] =
    [Level::T12L1, Level::L1L2, Level::L2L3, Level::L3L4, Level::L4L5, Level::L5S1];

/// Every column, in order.
pub fn columns() -> Vec<Column<Record>> {
    let mut columns: Vec<Column<Record>> = FIELDS.iter().map(field).collect();
    for level in LEVELS {
        for target in Target::ALL {
            let cell = Cell { level, target };
            columns.push(Column::new(
                format!("{}_{target}", ColumnName(level)),
                Kind::Text,
                format!("grade of {level} {target}, or unassessable; absent: not mentioned"),
                move |record: &Record| label(record, cell),
            ));
        }
    }
    columns.extend(LISTS.iter().map(field));
    columns
}

fn label(record: &Record, cell: Cell) -> Value<'_> {
    let label = record.labels.iter().find(|label| label.cell == cell);
    let label = label.filter(|label| label.verdict != Verdict::NotMentioned);
    Value::Text(label.map(|label| label.verdict.name().into()))
}

type FieldRow = (&'static str, Kind, for<'a> fn(&'a Record) -> Value<'a>, &'static str);

fn field(&(name, kind, value, meaning): &FieldRow) -> Column<Record> {
    Column::new(name, kind, meaning, value)
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
