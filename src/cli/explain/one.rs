//! The one report among those of a file.

use std::io::{self, IsTerminal};
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::{Result, bail};

use crate::report::{Event, Input, Options, Reader, Report};

/// Bad records beyond these are not named: the report that is asked for matters.
const COMPLAINTS: usize = 5;

/// The report, and whether other records of the file could not be read.
pub(super) struct Found {
    pub(super) report: Report,
    pub(super) skipped: bool,
}

/// Finds the report with this id, or the only one.
pub(super) fn find(file: &Path, id: Option<&str>, options: Options) -> Result<Found> {
    if file == Path::new("-") && io::stdin().is_terminal() {
        eprintln!("reading a report from the terminal; end it with Ctrl-D");
    }
    let name = file.display();
    let mut found: Option<Report> = None;
    let mut second: Option<String> = None;
    let mut bad = Vec::new();
    let _ = Reader::new(vec![Input::named(file)], options).for_each(|event| {
        match event {
            Event::Report(report) if id.is_some_and(|id| id != report.id) => {}
            Event::Report(report) => {
                second = found.is_some().then(|| report.id.clone());
                found.get_or_insert(report);
            }
            Event::Bad(record) => bad.push(record),
            Event::Warning(_) => {}
        }
        // With an id the first one is enough; without, a second one is one too many.
        let is_settled = if id.is_some() { found.is_some() } else { second.is_some() };
        if is_settled { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    match (found, id, second) {
        (Some(report), None, Some(second)) => bail!(
            "`{name}` holds several reports; choose one with --id, such as `{}` or `{second}`",
            report.id
        ),
        (Some(report), Some(_), _) => Ok(Found { report, skipped: false }),
        (found, _, _) => {
            for record in bad.iter().take(COMPLAINTS) {
                eprintln!("skipped: {record}");
            }
            if let Some(more @ 1..) = bad.len().checked_sub(COMPLAINTS) {
                eprintln!("skipped: and {more} more");
            }
            match (found, id) {
                (Some(report), _) => Ok(Found { report, skipped: !bad.is_empty() }),
                (None, Some(id)) => bail!("`{name}` holds no report `{id}`; check the id"),
                (None, None) => bail!("`{name}` holds no report that can be read"),
            }
        }
    }
}

/// What to call the report: by its id, unless that is only the hash of its text.
pub(super) fn title<'a>(report: &'a Report, file: &'a Path) -> &'a str {
    let is_hash = report.id.len() == 64 && report.id.bytes().all(|byte| byte.is_ascii_hexdigit());
    match file.to_str() {
        Some("-") if is_hash => "standard input",
        Some(name) if is_hash => name,
        _ => &report.id,
    }
}
