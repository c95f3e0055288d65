//! `levels.csv`: a row for each level of each study, out of their records.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

/// What each column is called, and where in a level's record it is.
const COLUMNS: [(&str, &str); 22] = [
    ("level", "/level"),
    ("ordinal", "/ordinal"),
    ("confidence", "/confidence"),
    ("disc_seen", "/disc_seen"),
    ("central", "/central"),
    ("canal_ap_mm", "/canal/ap"),
    ("canal_area_mm2", "/canal/area"),
    ("canal_is_cut", "/canal/is_cut"),
    ("least_ap_mm", "/narrowest/ap"),
    ("least_area_mm2", "/narrowest/area"),
    ("disc_height_mm", "/disc_height"),
    ("disc_depth_mm", "/disc_depth"),
    ("height_ratio", "/height_ratio"),
    ("listhesis_mm", "/listhesis"),
    ("listhesis_percent", "/listhesis_percent"),
    ("left_foramen_height_mm", "/left_foramen/measured/height"),
    ("left_foramen_width_mm", "/left_foramen/measured/width"),
    ("right_foramen_height_mm", "/right_foramen/measured/height"),
    ("right_foramen_width_mm", "/right_foramen/measured/width"),
    ("body_above_front_mm", "/body_above/front"),
    ("body_above_middle_mm", "/body_above/middle"),
    ("body_above_back_mm", "/body_above/back"),
];

/// Writes the levels of studies whose records are in their folders.
pub(super) fn write<'a>(
    path: &Path,
    studies: impl Iterator<Item = &'a str>,
    record_of: impl Fn(&str) -> std::path::PathBuf,
) -> Result<()> {
    let unwritable = || format!("`{}` cannot be written", path.display());
    let mut table = csv::Writer::from_path(path).with_context(unwritable)?;
    let names = COLUMNS.iter().map(|(name, _)| *name);
    table.write_record(["study", "needs_a_person"].into_iter().chain(names))?;
    for study in studies {
        let record_path = record_of(study);
        let unreadable = || format!("`{}` cannot be read", record_path.display());
        let file = File::open(&record_path).with_context(unreadable)?;
        let record: Value =
            serde_json::from_reader(std::io::BufReader::new(file)).with_context(unreadable)?;
        let needs_a_person = cell(record.get("needs_a_person"));
        for level in record["levels"].as_array().into_iter().flatten() {
            let cells = COLUMNS.iter().map(|(_, pointer)| cell(level.pointer(pointer)));
            let first = [study.to_owned(), needs_a_person.clone()];
            table.write_record(first.into_iter().chain(cells)).with_context(unwritable)?;
        }
    }
    table.flush().with_context(unwritable)
}

/// A value as a cell; nothing where there is none. Millimetres have two decimals.
fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) if number.is_f64() => {
            format!("{:.2}", number.as_f64().unwrap_or(f64::NAN))
        }
        Some(other) => other.to_string(),
    }
}
