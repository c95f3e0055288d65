//! What `extract` reads with until `report` brings the same names: JSON Lines only. Then this file
//! goes, and `super::input::` becomes `crate::report::`.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

use crate::report::Report;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) file: Arc<str>,
    line: Option<u64>,
    pub(super) column: Option<Arc<str>>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        self.line.map_or(Ok(()), |line| write!(f, ", line {line}"))
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{place}: {fault}")]
pub(super) struct BadRecord {
    place: Place,
    fault: String,
}

#[derive(Debug, Clone, thiserror::Error)]
#[error("{place}: `{value}` {caution}")]
pub(super) struct Warning {
    pub(super) place: Place,
    value: String,
    pub(super) caution: Caution,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub(super) enum Caution {
    #[error("is the id of an earlier report of the same source; make ids unique")]
    DuplicateId,
}

pub(super) enum Event {
    Report(Report),
    Bad(BadRecord),
    Warning(Warning),
}

pub(super) enum Input {
    Path(PathBuf),
    Stdin,
}

impl Input {
    pub(super) fn named(argument: impl AsRef<OsStr>) -> Self {
        let argument = argument.as_ref();
        if argument == "-" { Self::Stdin } else { Self::Path(argument.into()) }
    }
}

#[derive(Clone, Default)]
pub(super) struct Progress {
    read: Arc<AtomicU64>,
    total: Option<u64>,
}

impl Progress {
    pub(super) fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    pub(super) fn total(&self) -> Option<u64> {
        self.total
    }
}

pub(super) struct Reader {
    inputs: Vec<Input>,
    progress: Progress,
}

impl Reader {
    pub(super) fn new(inputs: Vec<Input>) -> Self {
        let size = |input: &Input| match input {
            Input::Path(path) => path.metadata().ok().filter(|m| m.is_file()).map(|m| m.len()),
            Input::Stdin => None,
        };
        let total = inputs.iter().map(size).sum();
        Self { inputs, progress: Progress { total, ..Progress::default() } }
    }

    pub(super) fn progress(&self) -> Progress {
        self.progress.clone()
    }

    pub(super) fn for_each(
        self,
        mut emit: impl FnMut(Event) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut seen = HashSet::new();
        for input in self.inputs {
            let (name, opened): (_, io::Result<Box<dyn Read>>) = match input {
                Input::Path(path) => {
                    (path.display().to_string(), File::open(path).map(|file| Box::new(file) as _))
                }
                Input::Stdin => ("standard input".to_owned(), Ok(Box::new(io::stdin()))),
            };
            let place = Place { file: name.into(), line: None, column: None };
            let opened = match opened {
                Ok(opened) => opened,
                Err(error) => {
                    emit(Event::Bad(BadRecord { place, fault: error.to_string() }))?;
                    continue;
                }
            };
            for (line, number) in BufReader::new(opened).lines().zip(1..) {
                let place = Place { line: Some(number), ..place.clone() };
                match line.map_err(|error| error.to_string()).and_then(|line| {
                    self.progress.read.fetch_add(line.len() as u64 + 1, Ordering::Relaxed);
                    parse(&line)
                }) {
                    Ok(report) => {
                        if !seen.insert(report.id.clone()) {
                            let (value, caution) = (report.id.clone(), Caution::DuplicateId);
                            emit(Event::Warning(Warning { place, value, caution }))?;
                        }
                        emit(Event::Report(report))?;
                    }
                    Err(fault) => emit(Event::Bad(BadRecord { place, fault }))?,
                }
            }
        }
        ControlFlow::Continue(())
    }
}

fn parse(line: &str) -> Result<Report, String> {
    let mut report: Report = serde_json::from_str(line)
        .map_err(|error| format!("is not valid JSON: {error}; correct it"))?;
    if report.id.is_empty() {
        report.id = Sha256::digest(&report.text).iter().map(|byte| format!("{byte:02x}")).collect();
    }
    Ok(report)
}
