//! `extract --stored`: the archive's reports read anew, with the words of today.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use rayon::prelude::*;

use super::super::INTERRUPTED;
use super::super::output::SharedOutput;
use super::super::stop::Stop;
use super::Args;
use crate::archive::{Archive, Change, Reread};
use crate::label::{CellLabel, Certainty};
use crate::pipeline::TextReader;
use crate::store::{Action, StoredReport};

/// How many reports are read and stored at a time.
const BATCH: usize = 4096;

/// A change is shown by kind this many times at most; OUT has them all.
const KINDS: usize = 20;

const HEADER: &str = "source,id,level,target,before,after\n";

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let mut archive = args.data.open()?;
    let texts = args.text_reader.open()?;
    let version = texts.readers().last().map_or_else(String::new, |of| of.version.clone());
    let mut work = Work::begin(args, archive.store().report_count()?)?;
    let ended = work.all(&mut archive, texts, args.threads.count().get());
    // What is stored is told of once, so that it is listed however the rest ended.
    let listed = work.complete(matches!(ended, Ok(true)));
    let is_whole = match ended {
        Err(error) if work.done.changed > 0 => return Err(error.context(work.so_far("ended"))),
        ended => ended?,
    };
    listed?;
    let audited = (work.done.read, work.done.changed);
    archive.store_mut().write(|writer| writer.audit(Action::Reread, &version, &audited))?;
    if !is_whole {
        work.bar.finish_and_clear();
        eprintln!("{}", work.so_far("interrupted"));
        work.done.tell(&archive)?;
        return Ok(INTERRUPTED.into());
    }
    work.bar.set_message("indexing");
    archive.catch_up(|_| work.stop.here(|| work.tell_unindexed()))?;
    work.bar.finish_and_clear();
    work.done.tell(&archive)?;
    Ok(ExitCode::SUCCESS)
}

/// The work, and what came of it so far.
struct Work<'a> {
    /// Where changes are listed, where they are.
    output: Option<(&'a Path, SharedOutput)>,
    stop: Stop,
    bar: ProgressBar,
    done: Done,
    /// How many reports changed that were to be listed and are not.
    unlisted: u64,
}

impl<'a> Work<'a> {
    fn begin(args: &'a Args, reports: u64) -> Result<Self> {
        let output = match &args.output {
            Some(path) => Some((path.as_path(), SharedOutput::open(Some(path))?)),
            None => None,
        };
        let stop = match &output {
            Some((_, output)) => Stop::listen_and(output.completer())?,
            None => Stop::listen()?,
        };
        Ok(Self { output, stop, bar: bar(reports), done: Done::default(), unlisted: 0 })
    }

    /// Reads everything anew and keeps it, a batch at a time, until Ctrl-C is pressed. Returns whether it
    /// came to the end.
    fn all(&mut self, archive: &mut Archive, texts: TextReader, threads: usize) -> Result<bool> {
        let readers = texts.readers();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        let known = Mutex::new(archive.another()?);
        // A reader can be in one thread at a time, so each clones its own.
        let spare = Mutex::new(texts);
        let stop = self.stop.clone();
        let mut last = 0;
        loop {
            let batch = archive.store().reports_from(last, BATCH)?;
            let Some(end) = batch.last() else { return Ok(true) };
            last = end.number;
            let is_read = |stored: &StoredReport| lock(&known).is_read(&readers, &stored.report);
            let read_anew = |mine: &mut TextReader, stored: StoredReport| {
                if stop.is_pressed() {
                    return Ok(None);
                }
                let is_read = is_read(&stored)?;
                let read =
                    (!is_read).then(|| mine.read_to_keep(&[&stored.report.text]).swap_remove(0));
                Ok(Some((stored, read)))
            };
            let batch = pool.install(|| {
                let batch = batch.into_par_iter().map_init(|| lock(&spare).clone(), read_anew);
                batch.collect::<Result<Option<Vec<_>>>>()
            })?;
            // Of a batch that was not read to its end nothing is stored.
            let Some(batch) = batch else { return Ok(false) };
            let reread = archive.reread(&readers, &batch)?;
            let are_first = self.done.changed == 0;
            self.done.add(&reread);
            self.unlisted = reread.changes.len() as u64;
            self.list(&reread.changes, are_first)?;
            self.unlisted = 0;
            self.bar.inc(batch.len() as u64);
        }
    }

    /// Lists changes, after the header where they are the first.
    fn list(&self, changes: &[Change], are_first: bool) -> Result<()> {
        let Some((_, output)) = self.output.as_ref().filter(|_| !changes.is_empty()) else {
            return Ok(());
        };
        output.write(|out| {
            if are_first {
                out.write_all(HEADER.as_bytes())?;
            }
            for change in changes {
                rows(change, out)?;
            }
            Ok(())
        })
    }

    /// Puts the list in its place: of all there is to tell or, where the work ended early, of what there
    /// was to tell until then, if anything.
    fn complete(&self, is_whole: bool) -> Result<()> {
        let Some((_, output)) = &self.output else { return Ok(()) };
        match (self.done.changed, is_whole) {
            (0, false) => return Ok(()),
            (0, true) => output.write(|out| out.write_all(HEADER.as_bytes()))?,
            _ => {}
        }
        output.complete()
    }

    /// How far it has come, where it goes no further, and how to go on.
    fn so_far(&self, ended: &str) -> String {
        let how = match &self.output {
            Some((path, _)) if self.unlisted > 0 => format!(
                "`{}` lacks what changed in the last {} of those that changed",
                path.display(),
                HumanCount(self.unlisted)
            ),
            Some((path, _)) if self.done.changed > 0 => format!(
                "`{}` has what changed until then; the same command with another name for it goes on \
                 from there",
                path.display()
            ),
            _ => "the same command goes on from there".to_owned(),
        };
        format!("{ended} after {} reports: {how}", HumanCount(self.done.read + self.done.same))
    }

    fn tell_unindexed(&self) {
        self.bar.finish_and_clear();
        eprintln!("interrupted: everything is read anew; `deepspine index` indexes what changed");
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn bar(reports: u64) -> ProgressBar {
    let template = "{bar:30} {percent:>3} %, {pos} reports, {per_sec}, {eta} left {msg}";
    ProgressBar::new(reports)
        .with_style(ProgressStyle::with_template(template).expect("the template is valid"))
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

/// What was read, and what that changed.
#[derive(Default)]
struct Done {
    read: u64,
    same: u64,
    /// How many reports are read otherwise than before.
    changed: u64,
    /// How many cells changed from what to what.
    kinds: BTreeMap<(String, String), u64>,
}

impl Done {
    fn add(&mut self, reread: &Reread) {
        self.read += reread.read;
        self.same += reread.same;
        self.changed += reread.changes.len() as u64;
        for cell in reread.changes.iter().flat_map(|change| &change.cells) {
            *self.kinds.entry((said(cell.before), said(cell.after))).or_default() += 1;
        }
    }

    /// Sums up: counts on stderr, what changed on standard output.
    fn tell(&self, archive: &Archive) -> Result<()> {
        eprintln!(
            "{} of {} reports read anew, {} had been read so before",
            HumanCount(self.read),
            HumanCount(archive.store().report_count()?),
            HumanCount(self.same)
        );
        eprintln!("{} of them read otherwise than before", HumanCount(self.changed));
        let mut kinds: Vec<_> = self.kinds.iter().collect();
        kinds.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        for ((before, after), count) in kinds.iter().take(KINDS) {
            println!("{:>10}  {before} -> {after}", HumanCount(**count));
        }
        if let Some(more @ 1..) = kinds.len().checked_sub(KINDS) {
            println!("{:>10}  and {more} more kinds of changes; -o OUT.csv lists them", "");
        }
        Ok(())
    }
}
