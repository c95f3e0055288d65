//! How far a verb that reads reports has come, and what it had to complain of, all on stderr.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressStyle};

use super::stream::Notes;
use crate::report::{self, Caution, Warning};

/// Complaints of a sort beyond these are only counted: a million would bury what matters.
const COMPLAINTS: usize = 20;

/// A kind of warning: its file and column, and what it warns of.
type WarningKind = (Arc<str>, Option<Arc<str>>, Caution);

/// Keeps count, draws a bar where stderr is a terminal, and sums up at the end.
pub(super) struct Progress {
    reading: report::Progress,
    bar: ProgressBar,
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
            skipped: 0,
            duplicates: 0,
            warnings: Vec::new(),
            kinds: HashMap::new(),
        }
    }

    pub(super) fn bar(&self) -> &ProgressBar {
        &self.bar
    }

    /// Takes account of one more batch, after which `reports` are done in all.
    pub(super) fn advance(&mut self, reports: u64, notes: &Notes) {
        notes.bad.iter().for_each(|bad| self.skip(bad));
        notes.warnings.iter().for_each(|warning| self.warn(warning));
        self.bar.set_position(self.reading.read());
        let rate = per_second(reports, self.bar.elapsed());
        self.bar.set_message(format!("{} reports, {}/s", HumanCount(reports), HumanCount(rate)));
    }

    /// How many records were skipped so far.
    pub(super) fn skipped(&self) -> u64 {
        self.skipped
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

    /// Takes the bar away, tells of the warnings, lets `sum_up` tell what was done in which time,
    /// and ends with how many records were skipped.
    pub(super) fn finish(self, sum_up: impl FnOnce(Duration)) {
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
        sum_up(elapsed);
        eprintln!(
            "{} bad records skipped, {} duplicate ids",
            HumanCount(self.skipped),
            HumanCount(self.duplicates),
        );
    }
}

pub(super) fn per_second(count: u64, elapsed: Duration) -> u64 {
    (count as f64 / elapsed.as_secs_f64().max(1e-9)) as u64
}
