//! Bad records as lines of JSON, to be mended in an editor and read again.
//!
//! A line has the record's own columns, so that it reads under the same options as the file that
//! it came from, after two of ours that say what is wrong and where. Until its fault is mended it
//! is a bad record again, and never an empty report.

use std::io::{self, Write};

use super::problem::{BadRecord, Held};

/// What is wrong, in words.
const PROBLEM: &str = "_problem";
/// Where the record stood.
const PLACE: &str = "_place";
/// What could not be split into columns.
const RAW: &str = "_raw";
/// Where the text of such a record is to be filled in.
const TEXT: &str = "text";

/// Writes a bad record as one line. It holds what the report would hold: whoever makes the file
/// has to keep others from reading it.
///
/// # Errors
/// Those of `out`.
pub fn write_mendable(bad: &BadRecord, out: &mut dyn Write) -> io::Result<()> {
    let (problem, place) = (bad.fault.to_string(), bad.place.to_string());
    let mut pairs = vec![(PROBLEM, problem.as_str()), (PLACE, place.as_str())];
    match &bad.held {
        Some(Held::Fields(fields)) => {
            pairs.extend(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        }
        Some(Held::Raw(raw)) => pairs.extend([(RAW, raw.as_str()), (TEXT, "")]),
        None => pairs.push((TEXT, "")),
    }
    for (number, (name, value)) in pairs.into_iter().enumerate() {
        out.write_all(if number == 0 { b"{" } else { b", " })?;
        serde_json::to_writer(&mut *out, name)?;
        out.write_all(b": ")?;
        serde_json::to_writer(&mut *out, value)?;
    }
    out.write_all(b"}\n")
}
