//! The columns of a manifest, each with what it means.

use std::borrow::Cow;

use super::super::dataset::{Column, Kind, Value};
use super::SegmentRow;
use crate::label::Target;

/// Every column, in order.
pub fn columns() -> Vec<Column<SegmentRow>> {
    let mut columns: Vec<Column<SegmentRow>> = FIELDS
        .iter()
        .map(|&(name, kind, value, meaning)| Column::new(name, kind, meaning, value))
        .collect();
    for target in Target::ALL {
        let of = move |row: &SegmentRow| row.targets[target as usize].clone();
        columns.push(Column::new(
            target.name(),
            Kind::Text,
            format!("grade of {target}; absent: no label"),
            move |row| text(of(row).label.map(|label| label.grade.name().into())),
        ));
        columns.push(Column::new(
            format!("{target}{STATUS}"),
            Kind::Text,
            "how far that label is settled",
            move |row| text(of(row).label.map(|label| label.status.into())),
        ));
        columns.push(Column::new(
            format!("{target}{OPINIONS}"),
            Kind::Text,
            "what people and text readers said, as reader=grade, parted by semicolons",
            move |row| {
                let all = of(row).opinions.into_iter();
                let said: Vec<_> = all.map(|(who, grade)| format!("{who}={grade}")).collect();
                text(Some(said.join(";").into()).filter(|said: &Cow<'_, str>| !said.is_empty()))
            },
        ));
    }
    columns
}

/// The columns that each manifest has, whichever targets it knows of.
pub(super) fn fields() -> impl Iterator<Item = &'static str> {
    FIELDS.into_iter().map(|(name, ..)| name)
}

/// How the columns of a target's status and opinions end.
pub(super) const STATUS: &str = "_status";
pub(super) const OPINIONS: &str = "_opinions";

type FieldRow = (&'static str, Kind, for<'a> fn(&'a SegmentRow) -> Value<'a>, &'static str);

fn text(value: Option<Cow<'_, str>>) -> Value<'_> {
    Value::Text(value)
}

fn given(value: &str) -> Value<'_> {
    Value::Text(Some(Cow::Borrowed(value)))
}

const FIELDS: [FieldRow; 7] = [
    ("patient", Kind::Text, |r| given(&r.patient), "tells the patient from others"),
    ("study", Kind::Text, |r| given(&r.study), "StudyInstanceUID, else the study's name"),
    ("level", Kind::Text, |r| given(r.level.name()), "name of the level"),
    (
        "ordinal",
        Kind::Number,
        |r| Value::Number(Some(r.ordinal.into())),
        "place of its disc, 1 for the lowest",
    ),
    (
        "name_probability",
        Kind::Real,
        |r| Value::Real(r.name_probability),
        "how probably the level is called so; 1 where a person says so",
    ),
    (
        "split",
        Kind::Text,
        |r| given(r.split.name()),
        "train, validate or test; no patient is in two",
    ),
    ("segment", Kind::Text, |r| given(&r.segment), "NPZ file with the crops"),
];
