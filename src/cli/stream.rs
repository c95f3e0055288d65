//! Reports through several threads, in the order of the input, in flat memory.
//!
//! One thread reads batches ahead, the pool works on the batch at hand, one thread delivers the
//! batch before it. Short queues lie between, so a slow end holds up the others instead of piling
//! up reports.

use std::mem;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result};
use rayon::prelude::*;

use crate::pipeline::TextReader;
use crate::report::{BadRecord, Event, Reader, Report, Warning};

/// A batch is closed at this many records, or once it holds this many bytes of text.
const BATCH_RECORDS: usize = 512;
const BATCH_BYTES: usize = 4 << 20;

/// What a thread takes up at a time: small enough to keep all busy up to a batch's end.
const SHARE: usize = 8;

/// How many batches wait between two stages.
const QUEUE: usize = 2;

/// Neighbours in the input.
#[derive(Default)]
struct Batch {
    reports: Vec<Report>,
    bytes: usize,
    notes: Notes,
}

/// What there is to tell of the input beside its reports.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) bad: Vec<BadRecord>,
    pub(super) warnings: Vec<Warning>,
}

impl Batch {
    fn add(&mut self, event: Event) {
        match event {
            Event::Report(report) => {
                self.bytes += report.text.len();
                self.reports.push(report);
            }
            Event::Bad(bad) => self.notes.bad.push(bad),
            Event::Warning(warning) => self.notes.warnings.push(warning),
        }
    }

    fn len(&self) -> usize {
        self.reports.len() + self.notes.bad.len() + self.notes.warnings.len()
    }
}

/// Reads everything and hands it on in batches, until `take` wants no more.
fn in_batches(reader: Reader, mut take: impl FnMut(Batch) -> ControlFlow<()>) -> ControlFlow<()> {
    let mut batch = Batch::default();
    reader.for_each(|event| {
        batch.add(event);
        if batch.len() < BATCH_RECORDS && batch.bytes < BATCH_BYTES {
            return ControlFlow::Continue(());
        }
        take(mem::take(&mut batch))
    })?;
    if batch.len() > 0 { take(batch) } else { ControlFlow::Continue(()) }
}

/// What the work made of a batch.
pub(super) struct Done<T> {
    /// Of each share of the batch's reports, in order.
    pub(super) shares: Vec<T>,
    pub(super) notes: Notes,
}

/// Threads with a text reader each, and what they do with a few reports at a time.
pub(super) struct Workers<W> {
    pub(super) texts: TextReader,
    pub(super) threads: NonZeroUsize,
    pub(super) work: W,
}

impl<T, W> Workers<W>
where
    T: Send,
    W: Fn(&mut TextReader, Vec<Report>) -> T + Sync,
{
    /// Works on everything and delivers it in the order of the input, until there is no more or a
    /// delivery fails.
    pub(super) fn run(
        self,
        reader: Reader,
        deliver: impl FnMut(Done<T>) -> Result<()> + Send,
    ) -> Result<()> {
        // One thread is meant to keep one processor busy, so it also reads and writes.
        if self.threads == NonZeroUsize::MIN {
            self.on_this_thread(reader, deliver)
        } else {
            Pool::new(self)?.run(reader, deliver)
        }
    }

    fn on_this_thread(
        mut self,
        reader: Reader,
        mut deliver: impl FnMut(Done<T>) -> Result<()>,
    ) -> Result<()> {
        let mut delivered = Ok(());
        let _ = in_batches(reader, |Batch { reports, notes, .. }| {
            let shares = vec![(self.work)(&mut self.texts, reports)];
            delivered = deliver(Done { shares, notes });
            if delivered.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        delivered
    }
}

/// Reads batches on a thread of its own. The thread is not waited for: it may hang in a read that
/// never ends, and its work is of no use once nobody asks for it.
fn read_ahead(reader: Reader) -> impl Iterator<Item = Batch> {
    let (sender, receiver) = sync_channel(QUEUE);
    thread::spawn(move || {
        in_batches(reader, |batch| match sender.send(batch) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        })
    });
    receiver.into_iter()
}

/// Threads with a text reader each.
struct Pool<W> {
    threads: rayon::ThreadPool,
    /// By number of thread, so that a lock is never waited for.
    readers: Vec<Mutex<TextReader>>,
    work: W,
}

impl<T, W> Pool<W>
where
    T: Send,
    W: Fn(&mut TextReader, Vec<Report>) -> T + Sync,
{
    fn new(Workers { texts, threads, work }: Workers<W>) -> Result<Self> {
        let count = threads.get();
        let threads = rayon::ThreadPoolBuilder::new()
            .num_threads(count)
            .build()
            .with_context(|| format!("cannot start {count} threads; ask for fewer (--threads)"))?;
        let readers = (0..count).map(|_| Mutex::new(texts.clone())).collect();
        Ok(Self { threads, readers, work })
    }

    fn run(&self, reader: Reader, deliver: impl FnMut(Done<T>) -> Result<()> + Send) -> Result<()> {
        let batches = read_ahead(reader);
        thread::scope(|scope| {
            let (sender, receiver) = sync_channel(QUEUE);
            let writer = scope.spawn(move || receiver.into_iter().try_for_each(deliver));
            for batch in batches {
                // The receiver is gone only where a delivery failed, and then the writer says why.
                if sender.send(self.work_on(batch)).is_err() {
                    break;
                }
            }
            drop(sender);
            writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    fn work_on(&self, Batch { reports, notes, .. }: Batch) -> Done<T> {
        let shares = self.threads.install(|| {
            reports.into_par_iter().chunks(SHARE).map(|share| self.work_on_share(share)).collect()
        });
        Done { shares, notes }
    }

    fn work_on_share(&self, reports: Vec<Report>) -> T {
        let thread = rayon::current_thread_index().expect("shares are worked on within the pool");
        let mut texts = self.readers[thread].lock().unwrap_or_else(PoisonError::into_inner);
        (self.work)(&mut texts, reports)
    }
}
