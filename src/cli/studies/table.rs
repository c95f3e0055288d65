//! What came of all studies: counted, told, and the failures listed.

use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::cli::INCOMPLETE;

/// What came of all studies.
#[derive(Default)]
pub(super) struct Table {
    /// Studies that are done, with names that are sure.
    pub(super) sure: usize,
    /// Studies that are done, whose names a person should check.
    pub(super) unsure: usize,
    /// Grades that are not the only one that may be.
    pub(super) open: usize,
    /// Studies that were done before.
    pub(super) kept: usize,
    /// Those of which nothing came, each with the reason.
    pub(super) failed: Vec<(String, String)>,
}

impl Table {
    pub(super) fn has_failed(&self, name: &str) -> bool {
        self.failed.iter().any(|(failed, _)| failed == name)
    }

    /// Lists what failed, where anything did.
    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let unwritable = || format!("`{}` cannot be written", path.display());
        if self.failed.is_empty() {
            return match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    Err(error).with_context(unwritable)
                }
                _ => Ok(()),
            };
        }
        let mut table = csv::Writer::from_path(path).with_context(unwritable)?;
        table.write_record(["study", "reason"])?;
        for (study, reason) in &self.failed {
            table.write_record([study, reason])?;
        }
        table.flush().with_context(unwritable)
    }

    /// How a run over so many studies ended.
    pub(super) fn exit_code(&self, studies: usize) -> ExitCode {
        match self.failed.len() {
            0 => ExitCode::SUCCESS,
            failed if failed >= studies => ExitCode::FAILURE,
            _ => ExitCode::from(INCOMPLETE),
        }
    }

    pub(super) fn sum_up(&self, word: &str, seconds: f64) {
        let done = self.sure + self.unsure;
        eprintln!(
            "{done} {} {word} in {seconds:.1} s, {} of them with names to check{}; {} were there \
             already, {} failed",
            if done == 1 { "study" } else { "studies" },
            self.unsure,
            match self.open {
                0 => String::new(),
                open => format!(", {open} grades to look at"),
            },
            self.kept,
            self.failed.len()
        );
    }
}
