//! What `extract` tells about itself, all of it on stderr.

use std::fmt::Display;
use std::fs;
use std::ops::AddAssign;
use std::path::PathBuf;
use std::time::Duration;

use indicatif::{DecimalBytes, HumanCount, ProgressBar, ProgressStyle};

use crate::label::Opinion;
use crate::report::Report;

/// What a run did.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    reports: u64,
    text_bytes: u64,
    cells: u64,
    conflicts: u64,
    pub(super) skipped: u64,
    pub(super) duplicates: u64,
}

impl Counts {
    pub(super) fn add(&mut self, report: &Report, opinions: &[Opinion]) {
        self.reports += 1;
        self.text_bytes += report.text.len() as u64;
        self.cells += opinions.len() as u64;
        self.conflicts += opinions.iter().filter(|opinion| opinion.conflict).count() as u64;
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.reports += other.reports;
        self.text_bytes += other.text_bytes;
        self.cells += other.cells;
        self.conflicts += other.conflicts;
        self.skipped += other.skipped;
        self.duplicates += other.duplicates;
    }
}

/// Bad records beyond these are only counted: a million of them would bury what matters.
const COMPLAINTS: u64 = 20;

/// A progress bar over the bytes of the input, drawn where stderr is a terminal.
#[derive(Clone)]
pub(super) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    pub(super) fn new(files: &[PathBuf]) -> Self {
        let sizes: Option<Vec<u64>> = files
            .iter()
            .map(|file| fs::metadata(file).ok().filter(|data| data.is_file()).map(|d| d.len()))
            .collect();
        // The size of a pipe or a folder is not known, and without it no end can be foretold.
        let (bar, template) = match sizes.map(|sizes| sizes.iter().sum()) {
            Some(total) => (ProgressBar::new(total), "{bar:30} {percent:>3} %, {msg}, {eta} left"),
            None => (ProgressBar::no_length(), "{spinner} {msg}, {elapsed}"),
        };
        bar.set_style(ProgressStyle::with_template(template).expect("the template is fixed"));
        bar.set_message("reading");
        Self { bar }
    }

    /// To be moved on by whoever reads the input.
    pub(super) fn bar(&self) -> &ProgressBar {
        &self.bar
    }

    pub(super) fn show(&self, counts: &Counts) {
        let rate = per_second(counts.reports, self.bar.elapsed());
        let reports = HumanCount(counts.reports);
        self.bar.set_message(format!("{reports} reports, {}/s", HumanCount(rate)));
    }

    /// Names the `nth` bad record.
    pub(super) fn complain(&self, nth: u64, bad: &impl Display) {
        if nth <= COMPLAINTS {
            self.tell(format_args!("skipped: {bad}"));
        }
        if nth == COMPLAINTS {
            self.tell(format_args!("further bad records are only counted"));
        }
    }

    pub(super) fn tell(&self, message: impl Display) {
        self.bar.suspend(|| eprintln!("{message}"));
    }

    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    pub(super) fn summarise(&self, counts: &Counts, elapsed: Duration) {
        self.clear();
        let Counts { reports, text_bytes, cells, conflicts, skipped, duplicates } = *counts;
        eprintln!(
            "{} reports in {:.1} s: {} reports/s, {}/s of text",
            HumanCount(reports),
            elapsed.as_secs_f64(),
            HumanCount(per_second(reports, elapsed)),
            DecimalBytes(per_second(text_bytes, elapsed)),
        );
        eprintln!(
            "{} cells, {} in conflict; {} bad records skipped, {} duplicate ids",
            HumanCount(cells),
            HumanCount(conflicts),
            HumanCount(skipped),
            HumanCount(duplicates),
        );
    }
}

fn per_second(count: u64, elapsed: Duration) -> u64 {
    (count as f64 / elapsed.as_secs_f64().max(1e-9)) as u64
}
