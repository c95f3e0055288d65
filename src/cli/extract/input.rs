//! What `extract` reads, until `report::read` takes this file's place: JSON Lines only.

use std::collections::HashSet;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::ProgressBar;
use sha2::{Digest, Sha256};

use crate::report::Report;

/// A record that no report could be made of.
#[derive(Debug)]
pub(super) struct BadRecord {
    place: String,
    fault: String,
}

impl fmt::Display for BadRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.fault)
    }
}

/// Reports and what is only known once they are read.
pub(super) struct Input {
    pub(super) records: Box<dyn Iterator<Item = Result<Report, BadRecord>> + Send>,
    pub(super) duplicates: Arc<AtomicU64>,
}

pub(super) fn is_stdin(file: &Path) -> bool {
    file == Path::new("-")
}

pub(super) fn open(files: &[PathBuf], bar: &ProgressBar) -> Input {
    let duplicates = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&duplicates);
    let (files, bar) = (files.to_vec(), bar.clone());
    let mut seen = HashSet::new();
    let records =
        files.into_iter().flat_map(move |file| lines(&file, &bar)).inspect(move |record| {
            if let Ok(report) = record
                && !seen.insert(report.id.clone())
            {
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
    Input { records: Box::new(records), duplicates }
}

fn lines(
    file: &Path,
    bar: &ProgressBar,
) -> Box<dyn Iterator<Item = Result<Report, BadRecord>> + Send> {
    let name = file.display().to_string();
    let input: io::Result<Box<dyn Read + Send>> = if is_stdin(file) {
        Ok(Box::new(io::stdin()))
    } else {
        File::open(file).map(|file| Box::new(file) as _)
    };
    match input {
        Ok(input) => Box::new(BufReader::new(bar.wrap_read(input)).lines().zip(1..).map(
            move |(line, number)| {
                parse(line)
                    .map_err(|fault| BadRecord { place: format!("{name}, line {number}"), fault })
            },
        )),
        Err(error) => {
            Box::new([Err(BadRecord { place: name, fault: error.to_string() })].into_iter())
        }
    }
}

fn parse(line: io::Result<String>) -> Result<Report, String> {
    let line = line.map_err(|error| error.to_string())?;
    let mut report: Report = serde_json::from_str(&line)
        .map_err(|error| format!("is not valid JSON: {error}; correct it"))?;
    if report.id.is_empty() {
        report.id = Sha256::digest(&report.text).iter().map(|byte| format!("{byte:02x}")).collect();
    }
    Ok(report)
}
