//! Manifests as they are read: the CSV, whoever wrote it. Columns go by their names; those of targets
//! may be missing.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::column::{OPINIONS, STATUS, fields};
use super::{FILE, SegmentLabel, SegmentRow, TargetLabel};
use crate::label::{Grade, Target};

/// Why a manifest cannot be used.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what each is")]
pub enum ManifestError {
    #[error("`{}` cannot be read; a manifest is a folder with `{FILE}`", .path.display())]
    Unreadable { path: PathBuf, source: csv::Error },
    #[error("`{}` has no column {columns}; a manifest needs each", .path.display())]
    NoColumn { path: PathBuf, columns: String },
    #[error("`{}`, row {row}, column `{column}`: {reason}", .path.display())]
    Value { path: PathBuf, row: usize, column: String, reason: String },
}

/// Reads the manifest of a folder, or a single CSV file of this kind.
///
/// # Errors
/// Where it cannot be read, lacks a column, or has a value that nobody would understand.
pub fn read(path: &Path) -> Result<Vec<SegmentRow>, ManifestError> {
    let path = if path.is_dir() { path.join(FILE) } else { path.to_owned() };
    let unreadable = |source| ManifestError::Unreadable { path: path.clone(), source };
    let mut table = csv::Reader::from_path(&path).map_err(unreadable)?;
    let header = table.headers().map_err(unreadable)?.clone();
    let columns: HashMap<&str, usize> =
        header.iter().enumerate().map(|(place, name)| (name, place)).collect();
    let missing = fields().filter(|name| !columns.contains_key(*name));
    let missing: Vec<String> = missing.map(|name| format!("`{name}`")).collect();
    if !missing.is_empty() {
        let columns = missing.join(", ");
        return Err(ManifestError::NoColumn { path: path.clone(), columns });
    }
    let reader = Reader { path: &path, columns };
    table
        .records()
        .enumerate()
        .map(|(row, record)| reader.row(row + 1, &record.map_err(unreadable)?))
        .collect()
}

struct Reader<'a> {
    path: &'a Path,
    columns: HashMap<&'a str, usize>,
}

impl Reader<'_> {
    fn row(&self, row: usize, record: &csv::StringRecord) -> Result<SegmentRow, ManifestError> {
        let get = |column: &str| {
            let place = self.columns.get(column);
            place.and_then(|place| record.get(*place)).unwrap_or_default()
        };
        let wrong = |column: &str, reason: String| ManifestError::Value {
            path: self.path.to_owned(),
            row,
            column: column.to_owned(),
            reason,
        };
        let told = |column: &'static str, value: &str, wanted: &str| {
            wrong(column, format!("`{value}` is {wanted}"))
        };
        let (level, split) = (get("level"), get("split"));
        let (ordinal, probability) = (get("ordinal"), get("name_probability"));
        let mut targets: [TargetLabel; Target::ALL.len()] = Default::default();
        for (target, known) in Target::ALL.into_iter().zip(&mut targets) {
            let named = |ending: &str| get(&format!("{target}{ending}"));
            let grade = |ending: &str, name: &str| {
                let unknown = |error: crate::label::UnknownName| {
                    wrong(&format!("{target}{ending}"), error.to_string())
                };
                name.parse::<Grade>().map_err(unknown)
            };
            if !named("").is_empty() {
                let status = named(STATUS).to_owned();
                known.label = Some(SegmentLabel { grade: grade("", named(""))?, status });
            }
            for said in named(OPINIONS).split(';').filter(|said| !said.is_empty()) {
                let (who, name) = said.rsplit_once('=').unwrap_or(("", said));
                known.opinions.push((who.to_owned(), grade(OPINIONS, name)?));
            }
        }
        Ok(SegmentRow {
            patient: get("patient").to_owned(),
            study: get("study").to_owned(),
            level: level.parse().map_err(|error| wrong("level", format!("{error}")))?,
            ordinal: match ordinal.parse() {
                Ok(ordinal) if ordinal > 0 => ordinal,
                _ => return Err(told("ordinal", ordinal, "no number from 1 on")),
            },
            name_probability: match probability {
                "" => None,
                given => {
                    Some(
                        given.parse().ok().filter(|share| (0.0..=1.0).contains(share)).ok_or_else(
                            || told("name_probability", given, "not between 0 and 1"),
                        )?,
                    )
                }
            },
            split: split.parse().map_err(|error| wrong("split", format!("{error}")))?,
            segment: get("segment").to_owned(),
            targets,
        })
    }
}
