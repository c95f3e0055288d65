//! `extract --stored`: the archive's reports read anew, with the words of today.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use rayon::prelude::*;

use super::super::INTERRUPTED;
use super::super::output::SharedOutput;
use super::Args;
use crate::archive::{Archive, Change};
use crate::label::{CellLabel, Certainty};
use crate::pipeline::TextReader;
use crate::store::{Action, StoredReport};

/// How many reports are read and stored at a time.
const BATCH: usize = 4096;

/// A change is shown by kind this many times at most; OUT has them all.
const KINDS: usize = 20;

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let mut archive = args.data.open()?;
    let texts = args.text_reader.open()?;
    let readers = texts.readers();
    let bar = bar(archive.store().report_count()?);
    on_interrupt(&bar)?;
    let output = match &args.output {
        Some(path) => Some(SharedOutput::open(Some(path))?),
        None => None,
    };
    write(output.as_ref(), |out| writeln!(out, "source,id,level,target,before,after"))?;

    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.threads.count().get()).build()?;
    let known = Mutex::new(archive.another()?);
    let version = readers.last().map_or("", |reader| &reader.version);
    // A reader can be in one thread at a time, so each clones its own.
    let spare = Mutex::new(texts);
    let (mut last, mut read, mut same, mut changed) = (0, 0, 0, 0);
    let mut kinds: BTreeMap<(String, String), u64> = BTreeMap::new();
    loop {
        let batch = archive.store().reports_from(last, BATCH)?;
        let Some(end) = batch.last() else { break };
        last = end.number;
        let is_read = |stored: &StoredReport| lock(&known).is_read(&readers, &stored.report);
        let read_anew = |mine: &mut TextReader, stored: StoredReport| {
            let is_read = is_read(&stored)?;
            let read = (!is_read).then(|| mine.read_to_keep(&[&stored.report.text]).swap_remove(0));
            Ok((stored, read))
        };
        let batch = pool.install(|| {
            let batch = batch.into_par_iter().map_init(|| lock(&spare).clone(), read_anew);
            batch.collect::<Result<Vec<_>>>()
        })?;
        let reread = archive.reread(&readers, &batch)?;
        (read, same, changed) =
            (read + reread.read, same + reread.same, changed + reread.changes.len() as u64);
        for change in &reread.changes {
            for cell in &change.cells {
                *kinds.entry((said(cell.before), said(cell.after))).or_default() += 1;
            }
            write(output.as_ref(), |out| rows(change, out))?;
        }
        bar.inc(batch.len() as u64);
    }
    archive.store_mut().write(|w| w.audit(Action::Reread, version, &(read, changed)))?;
    bar.set_message("indexing");
    archive.catch_up(|_| ())?;
    bar.finish_and_clear();
    if let Some(output) = output {
        output.complete()?;
    }
    tell(&archive, read, same, changed, kinds)?;
    Ok(ExitCode::SUCCESS)
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn bar(reports: u64) -> ProgressBar {
    let template = "{bar:30} {percent:>3} %, {pos} reports, {per_sec}, {eta} left {msg}";
    ProgressBar::new(reports)
        .with_style(ProgressStyle::with_template(template).expect("the template is valid"))
}

fn on_interrupt(bar: &ProgressBar) -> Result<()> {
    let bar = bar.clone();
    let handler = move || {
        let done = bar.position();
        bar.finish_and_clear();
        eprintln!("interrupted after {done} reports; the same command goes on from there");
        std::process::exit(INTERRUPTED.into());
    };
    ctrlc::set_handler(handler).context("cannot listen for Ctrl-C")
}

fn write(
    output: Option<&SharedOutput>,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<()> {
    output.map_or(Ok(()), |output| output.write(write))
}

fn rows(change: &Change, out: &mut dyn Write) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    for cell in &change.cells {
        csv.write_record([
            change.source.as_deref().unwrap_or_default(),
            &change.id,
            cell.cell.level.name(),
            cell.cell.target.name(),
            &said(cell.before),
            &said(cell.after),
        ])?;
    }
    csv.flush()
}

/// A verdict in words: `moderate`, `moderate, hedged`, `not_mentioned`.
fn said(label: Option<CellLabel>) -> String {
    let Some(label) = label else { return "not_mentioned".to_owned() };
    let hedged = if label.certainty == Certainty::Hedged { ", hedged" } else { "" };
    let conflict = if label.conflict { ", conflict" } else { "" };
    format!("{}{hedged}{conflict}", label.verdict.name())
}

fn tell(
    archive: &Archive,
    read: u64,
    same: u64,
    changed: u64,
    kinds: BTreeMap<(String, String), u64>,
) -> Result<()> {
    eprintln!(
        "{} of {} reports read anew, {} had been read so before",
        HumanCount(read),
        HumanCount(archive.store().report_count()?),
        HumanCount(same)
    );
    eprintln!("{} of them read otherwise than before", HumanCount(changed));
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for ((before, after), count) in kinds.iter().take(KINDS) {
        println!("{:>10}  {before} -> {after}", HumanCount(*count));
    }
    if let Some(more @ 1..) = kinds.len().checked_sub(KINDS) {
        println!("{:>10}  and {more} more kinds of changes; -o OUT.csv lists them", "");
    }
    Ok(())
}
