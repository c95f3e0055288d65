//! What `extract` tells about itself, all of it on stderr.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt::Display;
use std::ops::AddAssign;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{DecimalBytes, HumanCount, ProgressBar, ProgressStyle};

use super::stream::LabelledBatch;
use crate::label::Opinion;
use crate::report::{self, Caution, Report, Warning};

/// What was labelled.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    reports: u64,
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
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.reports += other.reports;
        self.text_bytes += other.text_bytes;
        self.cells += other.cells;
        self.conflicts += other.conflicts;
    }
}

/// Complaints of a sort beyond these are only counted: a million would bury what matters.
const COMPLAINTS: usize = 20;

/// A kind of warning: its file and column, and what it warns of.
type WarningKind = (Arc<str>, Option<Arc<str>>, Caution);

/// Keeps count, draws a bar where stderr is a terminal, and sums up at the end.
pub(super) struct Progress {
    reading: report::Progress,
    bar: ProgressBar,
    counts: Counts,
    skipped: u64,
    duplicates: u64,
    /// The first warning of each kind, and how many there were.
    warnings: Vec<(Warning, u64)>,
    /// Where in `warnings` each kind is.
    kinds: HashMap<WarningKind, usize>,
}

impl Progress {
    pub(super) fn new(reading: report::Progress) -> Self {
        let (bar, template) = match reading.total() {
            Some(total) => (ProgressBar::new(total), "{bar:30} {percent:>3} %, {msg}, {eta} left"),
            // A pipe does not tell how much it will bring.
            None => (ProgressBar::no_length(), "{spinner} {msg}, {elapsed}"),
        };
        bar.set_style(ProgressStyle::with_template(template).expect("the templates are valid"));
        bar.set_message("reading");
        Self {
            reading,
            bar,
            counts: Counts::default(),
            skipped: 0,
            duplicates: 0,
            warnings: Vec::new(),
            kinds: HashMap::new(),
        }
    }

    pub(super) fn bar(&self) -> &ProgressBar {
        &self.bar
    }

    /// Takes account of one more batch.
    pub(super) fn advance(&mut self, batch: &LabelledBatch) {
        self.counts += batch.counts;
        batch.notes.bad.iter().for_each(|bad| self.skip(bad));
        batch.notes.warnings.iter().for_each(|warning| self.warn(warning));
        self.bar.set_position(self.reading.read());
        let rate = per_second(self.counts.reports, self.bar.elapsed());
        let reports = HumanCount(self.counts.reports);
        self.bar.set_message(format!("{reports} reports, {}/s", HumanCount(rate)));
    }

    fn skip(&mut self, bad: &impl Display) {
        self.skipped += 1;
        match self.skipped.cmp(&(COMPLAINTS as u64 + 1)) {
            Ordering::Less => self.bar.suspend(|| eprintln!("skipped: {bad}")),
            Ordering::Equal => {
                self.bar.suspend(|| eprintln!("skipped: further bad records, only counted"));
            }
            Ordering::Greater => {}
        }
    }

    fn warn(&mut self, warning: &Warning) {
        self.duplicates += u64::from(warning.caution == Caution::DuplicateId);
        let place = &warning.place;
        let kind = (place.file.clone(), place.column.clone(), warning.caution);
        let index = *self.kinds.entry(kind).or_insert_with(|| {
            self.warnings.push((warning.clone(), 0));
            self.warnings.len() - 1
        });
        self.warnings[index].1 += 1;
    }

    /// Whether there were records and none of them was a report.
    pub(super) fn only_skipped(&self) -> bool {
        self.counts.reports == 0 && self.skipped > 0
    }

    /// Sums up, and tells how many records were skipped.
    pub(super) fn finish(self) -> u64 {
        let elapsed = self.bar.elapsed();
        self.bar.finish_and_clear();
        for (warning, count) in self.warnings.iter().take(COMPLAINTS) {
            match count {
                1 => eprintln!("warning: {warning}"),
                _ => eprintln!("warning: {warning} ({} times)", HumanCount(*count)),
            }
        }
        if let Some(more @ 1..) = self.warnings.len().checked_sub(COMPLAINTS) {
            eprintln!("warning: and {} more of these kinds", HumanCount(more as u64));
        }
        let Counts { reports, text_bytes, cells, conflicts } = self.counts;
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
        eprintln!(
            "{} bad records skipped, {} duplicate ids",
            HumanCount(self.skipped),
            HumanCount(self.duplicates),
        );
        self.skipped
    }
}

fn per_second(count: u64, elapsed: Duration) -> u64 {
    (count as f64 / elapsed.as_secs_f64().max(1e-9)) as u64
}
