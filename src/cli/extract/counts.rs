//! What `extract` has labelled.

use std::ops::AddAssign;
use std::time::Duration;

use indicatif::{DecimalBytes, HumanCount};

use super::super::progress::per_second;
use crate::label::Opinion;
use crate::report::Report;

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) reports: u64,
    text_bytes: u64,
    cells: u64,
    conflicts: u64,
}

impl Counts {
    pub(super) fn add(&mut self, report: &Report, opinions: &[Opinion]) {
        self.reports += 1;
        self.text_bytes += report.text.len() as u64;
        self.cells += opinions.len() as u64;
        self.conflicts += opinions.iter().filter(|opinion| opinion.conflict).count() as u64;
    }

    /// Sums up, on stderr.
    pub(super) fn tell(self, elapsed: Duration) {
        let Self { reports, text_bytes, cells, conflicts } = self;
        eprintln!(
            "{} reports in {:.1} s: {} reports/s, {}/s of text",
            HumanCount(reports),
            elapsed.as_secs_f64(),
            HumanCount(per_second(reports, elapsed)),
            DecimalBytes(per_second(text_bytes, elapsed)),
        );
        eprintln!(
            "{} cells, {} of them with conflicting statements",
            HumanCount(cells),
            HumanCount(conflicts),
        );
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.reports += other.reports;
        self.text_bytes += other.text_bytes;
        self.cells += other.cells;
        self.conflicts += other.conflicts;
    }
}
