//! Labelling on several threads, in the order of the input, in flat memory.
//!
//! One thread reads batches ahead, the pool labels and renders the batch at hand, one thread
//! writes the batch before it. Short queues lie between, so a slow end holds up the others
//! instead of piling up reports.

use std::num::NonZeroUsize;
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result};
use rayon::prelude::*;

use super::input::BadRecord;
use super::progress::Counts;
use crate::export::{Format, Labelled};
use crate::extract::Extractor;
use crate::pipeline;
use crate::report::Report;

/// A batch is closed at this many reports, or once it holds this many bytes of text.
const BATCH_REPORTS: usize = 512;
const BATCH_BYTES: usize = 4 << 20;

/// What a thread takes up at a time: small enough to keep all busy up to a batch's end.
const SHARE: usize = 8;

/// How many batches wait between two stages.
const QUEUE: usize = 2;

/// Neighbouring records of the input.
pub(super) struct Batch {
    reports: Vec<Report>,
    bad: Vec<BadRecord>,
}

/// Cuts a stream of records into batches.
pub(super) struct Batches<I> {
    records: I,
}

impl<I: Iterator<Item = Result<Report, BadRecord>>> Batches<I> {
    pub(super) fn new(records: I) -> Self {
        Self { records }
    }
}

impl<I: Iterator<Item = Result<Report, BadRecord>>> Iterator for Batches<I> {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        let mut batch = Batch { reports: Vec::with_capacity(BATCH_REPORTS), bad: Vec::new() };
        let mut bytes = 0;
        for record in self.records.by_ref() {
            match record {
                Ok(report) => {
                    bytes += report.text.len();
                    batch.reports.push(report);
                }
                Err(bad) => batch.bad.push(bad),
            }
            if batch.reports.len() + batch.bad.len() == BATCH_REPORTS || bytes >= BATCH_BYTES {
                break;
            }
        }
        (!batch.reports.is_empty() || !batch.bad.is_empty()).then_some(batch)
    }
}

/// A batch as it goes to the output.
pub(super) struct LabelledBatch {
    /// Bytes of the output, to be written in this order.
    pub(super) rendered: Vec<Vec<u8>>,
    pub(super) bad: Vec<BadRecord>,
    pub(super) counts: Counts,
}

/// How to label.
pub(super) struct Labelling {
    pub(super) extractor: Extractor,
    pub(super) format: &'static Format,
    pub(super) threads: NonZeroUsize,
}

/// Labels every batch and delivers it, in order, until there are no more or a delivery fails.
pub(super) fn run(
    labelling: Labelling,
    batches: impl Iterator<Item = Batch> + Send + 'static,
    mut deliver: impl FnMut(LabelledBatch) -> Result<()> + Send,
) -> Result<()> {
    let Labelling { mut extractor, format, threads } = labelling;
    if threads == NonZeroUsize::MIN {
        // One thread is meant to keep one processor busy, so it also reads and writes.
        return batches.into_iter().try_for_each(|Batch { reports, bad }| {
            let (rendered, counts) = render(&mut extractor, format, &reports);
            deliver(LabelledBatch { rendered: vec![rendered], bad, counts })
        });
    }
    let pool = Pool::new(&extractor, format, threads)?;
    let batches = read_ahead(batches);
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel(QUEUE);
        let writer = scope.spawn(move || receiver.into_iter().try_for_each(deliver));
        for batch in batches {
            // The receiver is gone only where a delivery failed, and then the writer says why.
            if sender.send(pool.label(batch)).is_err() {
                break;
            }
        }
        drop(sender);
        writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Runs the iterator on a thread of its own. The thread is not waited for: it may hang in a read
/// that never ends, and its work is of no use once nobody asks for it.
fn read_ahead<T: Send + 'static>(
    items: impl Iterator<Item = T> + Send + 'static,
) -> impl Iterator<Item = T> {
    let (sender, receiver) = sync_channel(QUEUE);
    thread::spawn(move || items.into_iter().try_for_each(|item| sender.send(item)));
    receiver.into_iter()
}

/// Threads with an extractor each.
struct Pool {
    threads: rayon::ThreadPool,
    /// By number of thread, so that a lock is never waited for.
    extractors: Vec<Mutex<Extractor>>,
    format: &'static Format,
}

impl Pool {
    fn new(extractor: &Extractor, format: &'static Format, threads: NonZeroUsize) -> Result<Self> {
        let count = threads.get();
        let threads = rayon::ThreadPoolBuilder::new()
            .num_threads(count)
            .build()
            .with_context(|| format!("cannot start {count} threads; ask for fewer (--threads)"))?;
        let extractors = (0..count).map(|_| Mutex::new(extractor.clone())).collect();
        Ok(Self { threads, extractors, format })
    }

    fn label(&self, Batch { reports, bad }: Batch) -> LabelledBatch {
        let shares: Vec<(Vec<u8>, Counts)> = self
            .threads
            .install(|| reports.par_chunks(SHARE).map(|share| self.share(share)).collect());
        let mut labelled = LabelledBatch { rendered: Vec::new(), bad, counts: Counts::default() };
        for (rendered, counts) in shares {
            labelled.rendered.push(rendered);
            labelled.counts += counts;
        }
        labelled
    }

    fn share(&self, reports: &[Report]) -> (Vec<u8>, Counts) {
        let thread = rayon::current_thread_index().expect("shares are labelled within the pool");
        let mut extractor = self.extractors[thread].lock().unwrap_or_else(PoisonError::into_inner);
        render(&mut extractor, self.format, reports)
    }
}

/// Labels reports and renders them one after the other.
fn render(extractor: &mut Extractor, format: &Format, reports: &[Report]) -> (Vec<u8>, Counts) {
    let mut rendered = Vec::new();
    let mut counts = Counts::default();
    for report in reports {
        let (extraction, opinions) = pipeline::read_text(extractor, &report.text);
        counts.add(report, &opinions);
        let labelled = Labelled {
            report,
            opinions: &opinions,
            extraction: &extraction,
            lexicon: extractor.lexicon_version(),
        };
        format.write_report(&labelled, &mut rendered).expect("a Vec takes what is written to it");
    }
    (rendered, counts)
}
