//! `import`: report files into the archive, read, stored and indexed.

mod bad;
mod indexing;
mod labels;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use indicatif::HumanCount;

use self::bad::BadFile;
use self::indexing::Indexing;
use super::data::DataArgs;
use super::progress::{Progress, per_second};
use super::reader::TextReaderArgs;
use super::reading::{ReadingArgs, ThreadsArg, check_inputs};
use super::stream::Workers;
use super::{INCOMPLETE, INTERRUPTED};
use crate::archive::{Imported, Incoming};
use crate::pipeline::TextReader;
use crate::report::{Input, Reader, Report};
use crate::store::Action;

const EXAMPLES: &str = "\
Examples:
  deepspine import exports/                          # a folder of files, into ./deepspine-data
  deepspine import 2024.csv.gz --source \"St. Mary\"   # ids are unique within a source
  deepspine import ris.xlsx --text-column Befund --data /srv/spine
  deepspine import reports.csv --reader fused        # the transformer reads beside the rules
  deepspine import labels.csv --labels-by anna       # a person's labels of reports imported before

Importing the same file again changes nothing; a changed text becomes a new version of its report.
After an interruption the same command goes on where it was. Bad records are listed in a file:
mend them there and import that file.

Exit codes:
  0    every record is in the archive
  1    a fatal error; what was stored before it stays
  2    done, but bad records were left out
  130  interrupted; what was stored before it stays";

/// Keep reports in the archive: read, stored, searchable.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Files with reports, or folders of them, as extract reads them; - is standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    #[command(flatten)]
    data: DataArgs,

    /// Where bad records are listed; if not given, a new file in the archive's folder.
    #[arg(long, value_name = "OUT.jsonl")]
    bad: Option<PathBuf>,

    /// The files hold labels (CSV or JSON Lines) that this person gave to reports of the archive.
    #[arg(long, value_name = "NAME", conflicts_with = "LexiconArgs")]
    #[cfg_attr(feature = "neural", arg(conflicts_with_all = ["reader", "ModelArgs"]))]
    labels_by: Option<String>,

    /// Those labels settle their reports.
    #[arg(long, requires = "labels_by")]
    adjudicated: bool,

    #[command(flatten)]
    threads: ThreadsArg,

    #[command(flatten)]
    text_reader: TextReaderArgs,

    #[command(flatten)]
    reading: ReadingArgs,
}

/// How many reports are stored at a time: each time the disk is waited for.
const TRANSACTION: usize = 1024;

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    check_inputs(&args.files, args.bad.as_deref(), "--bad")?;
    check_bad_apart(args)?;
    match &args.labels_by {
        Some(person) => labels::run(args, person),
        None => import(args),
    }
}

/// Refuses a list of bad records within a folder that is read: it would be read as it is written.
fn check_bad_apart(args: &Args) -> Result<()> {
    let Some(bad) = &args.bad else { return Ok(()) };
    let parent = bad.parent().filter(|parent| !parent.as_os_str().is_empty());
    let Ok(parent) = parent.unwrap_or(Path::new(".")).canonicalize() else { return Ok(()) };
    for folder in args.files.iter().filter(|file| file.is_dir()) {
        ensure!(
            !folder.canonicalize().is_ok_and(|folder| parent.starts_with(folder)),
            "`{}` is within `{}`, which is read; name a file elsewhere with --bad",
            bad.display(),
            folder.display()
        );
    }
    Ok(())
}

fn import(args: &Args) -> Result<ExitCode> {
    let texts = args.text_reader.open()?;
    let readers = texts.readers();
    let mut archive = args.data.open_or_create()?;
    let inputs = args.files.iter().map(Input::named).collect();
    let reader = Reader::new(inputs, args.reading.options());
    let mut progress = Progress::new(reader.progress());
    let mut bad = BadFile::new(args.bad.as_deref(), args.data.folder());
    let stored = Arc::new(Mutex::new(Imported::default()));
    on_interrupt(&progress, &stored)?;

    let indexing = Indexing::start(&archive)?;
    let known = Mutex::new(archive.another()?);
    let mut late = texts.clone();
    let workers = Workers {
        texts,
        threads: args.threads.count(),
        work: |texts: &mut TextReader, reports: Vec<Report>| -> Result<Vec<Incoming>> {
            let mut is_read = Vec::with_capacity(reports.len());
            for report in &reports {
                let archive = known.lock().unwrap_or_else(PoisonError::into_inner);
                is_read.push(archive.is_read(&readers, report)?);
            }
            let unread = reports.iter().zip(&is_read).filter(|(_, is_read)| !**is_read);
            let unread: Vec<&str> = unread.map(|(report, _)| report.text.as_str()).collect();
            let mut read = texts.read_to_keep(&unread).into_iter();
            let incoming = reports.into_iter().zip(is_read).map(|(report, is_read)| {
                let read = if is_read { None } else { read.next() };
                Incoming { report, read }
            });
            Ok(incoming.collect())
        },
    };
    let mut pending: Vec<Incoming> = Vec::new();
    let mut store = |pending: &mut Vec<Incoming>| -> Result<u64> {
        let imported = archive
            .import(&readers, pending, |text| late.read_to_keep(&[text]).swap_remove(0))
            .context("reports cannot be stored; those stored before stay")?;
        pending.clear();
        indexing.wake();
        let mut all = stored.lock().unwrap_or_else(PoisonError::into_inner);
        *all += imported;
        Ok(all.reports())
    };
    let mut done = 0;
    workers.run(reader, |batch| {
        batch.notes.bad.iter().try_for_each(|record| bad.add(record))?;
        for share in batch.shares {
            pending.extend(share?);
        }
        if pending.len() >= TRANSACTION {
            done = store(&mut pending)?;
        }
        progress.advance(done + pending.len() as u64, &batch.notes);
        Ok(())
    })?;
    if !pending.is_empty() {
        store(&mut pending)?;
    }
    let imported = *stored.lock().unwrap_or_else(PoisonError::into_inner);
    let skipped = progress.skipped();
    if imported.reports() > 0 {
        let names: Vec<_> = args.files.iter().map(|file| file.display().to_string()).collect();
        archive.store_mut().write(|writer| {
            writer.audit(Action::Import, &names.join(", "), &(imported, skipped))
        })?;
    }
    progress.bar().set_message("indexing");
    let indexed = indexing.finish(&archive)?;
    progress.finish(|elapsed| tell(&imported, elapsed));
    eprintln!("{indexed}");
    bad.tell();
    if imported.reports() == 0 && skipped > 0 {
        bail!("no report could be read; correct what is named above, or say how to read it");
    }
    Ok(if skipped > 0 { INCOMPLETE.into() } else { ExitCode::SUCCESS })
}

/// Whatever is interrupted, only whole transactions are stored.
fn on_interrupt(progress: &Progress, stored: &Arc<Mutex<Imported>>) -> Result<()> {
    let (bar, stored) = (progress.bar().clone(), Arc::clone(stored));
    let handler = move || {
        bar.finish_and_clear();
        let reports = stored.try_lock().map_or(0, |stored| stored.reports());
        eprintln!(
            "interrupted: {} reports are stored; the same command goes on from there",
            HumanCount(reports)
        );
        std::process::exit(INTERRUPTED.into());
    };
    ctrlc::set_handler(handler).context("cannot listen for Ctrl-C")
}

fn tell(imported: &Imported, elapsed: Duration) {
    let Imported { new, new_versions, amended, same, .. } = *imported;
    let reports = imported.reports();
    eprintln!(
        "{} reports in {:.1} s: {} reports/s",
        HumanCount(reports),
        elapsed.as_secs_f64(),
        HumanCount(per_second(reports, elapsed)),
    );
    eprintln!(
        "{} new, {} with a new text, {} otherwise amended, {} known as they are",
        HumanCount(new),
        HumanCount(new_versions),
        HumanCount(amended),
        HumanCount(same),
    );
}
