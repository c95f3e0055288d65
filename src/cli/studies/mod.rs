//! What `segment` and `grade` share: studies read, segmented and written one after the other, while the
//! next is being read; resume, failures, tables of all.

mod cohort;
mod grades;
mod levels;
mod page;
mod store;
mod tissues;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::sync_channel;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use indicatif::{ProgressBar, ProgressStyle};

use super::INCOMPLETE;
use super::data::DataArgs;
use super::stop::Stop;
use crate::engine::Device;
use crate::engine::grader::{Calibration, Grader};
use crate::imaging::dicom_seg::{self, SegmentationError};
use crate::imaging::spine::{Thresholds, segments};
use crate::imaging::{Cut, Study, StudyError, nifti, npz};
use crate::page::spine_page;
use crate::pipeline::grading::{grade, grader_reader};
use crate::pipeline::measurement::measurement_reader;
use crate::pipeline::study::{Declined, GraderRecord, Record, Segmented, cut, segment};
use store::Keeper;
use tissues::Tissues;

pub(super) use cohort::run_cohort;

/// The studies, and what is made of them.
#[derive(Debug, clap::Args)]
pub(super) struct StudyArgs {
    /// The studies.
    #[arg(value_name = "STUDY", required = true)]
    studies: Vec<PathBuf>,

    /// Take every entry of the given folders as a study.
    #[arg(long)]
    each: bool,

    /// Where a folder for each study goes; if not given, a folder called after what is done.
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,

    /// Do again what the output has already.
    #[arg(long)]
    again: bool,

    /// The folder of the segmenter; if not given, the one that comes with the program.
    #[arg(long, value_name = "FOLDER")]
    model: Option<PathBuf>,

    /// Read each slice from both sides of a mirror: better by little, half as fast.
    #[arg(long)]
    mirrored: bool,

    /// Take vertebrae, discs and canal from the masks in this folder in place of the network's: for each
    /// study NAME.nii.gz or NAME/mask.nii.gz, numbered as this program numbers them, or 1 vertebra,
    /// 2 disc, 3 canal.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["model", "mirrored"])]
    masks: Option<PathBuf>,

    /// A file of other areas of the dural sac from which on levels are of which grade.
    #[arg(long, value_name = "FILE")]
    thresholds: Option<PathBuf>,

    /// Cut the levels out of all series too, as arrays of NumPy.
    #[arg(long)]
    segments: bool,

    /// Keep levels, names, measures and segments in the archive too. What OUT has already is not kept
    /// again without --again.
    #[arg(long)]
    store: bool,

    /// Where the studies come from: accession numbers are unique within a source.
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        requires = "store",
        hide_default_value = true
    )]
    source: String,

    #[command(flatten)]
    data: DataArgs,

    /// What the networks run on: cpu, cuda, cuda:1.
    #[arg(long, default_value = "cpu", value_name = "DEVICE")]
    pub(super) device: Device,
}

/// A network that grades levels, and the sets that it is asked for.
pub(super) struct Grading {
    pub(super) grader: Grader,
    /// How often sets of grades shall hold the truth, by place among the calibrated ones.
    pub(super) coverage: usize,
}

/// Segments all studies, and grades them where there is something to grade with. `done` is what that
/// is called: the folder, if none is given.
pub(super) fn run(args: &StudyArgs, grading: Option<Grading>, done: &str) -> Result<ExitCode> {
    let studies = if args.each { entries(&args.studies)? } else { args.studies.clone() };
    let names = names(&studies)?;
    let tissues =
        Tissues::new(args.masks.as_deref(), args.model.as_deref(), args.mirrored, args.device)?;
    let thresholds = thresholds(args.thresholds.as_deref())?;
    let keeper = match args.store {
        false => None,
        true => Some(Keeper {
            archive: args.data.open_or_create()?,
            source: args.source.clone(),
            measurement: measurement_reader(tissues.content_hash(), &thresholds),
            grader: grading.as_ref().map(|grading| grader_reader(&grading.grader)),
        }),
    };
    let output = made_output(args, done)?;
    let bar = progress(studies.len());
    let stop = Stop::listen()?;
    let segments = args.segments;
    let mut work = Work { tissues, grading, thresholds, keeper, segments, stop, bar };
    let mut table = Table::default();
    let all = studies.iter().zip(&names);
    let is_left =
        |(_, name): &(_, &String)| args.again || !work.has_done(&output.join(name.as_str()));
    let (left, kept): (Vec<_>, Vec<_>) = all.partition(is_left);
    table.kept = kept.len();
    work.bar.inc(kept.len() as u64);
    read_ahead(&left, |(path, name), read| {
        work.bar.set_message((*name).clone());
        match work.one(read, name, &output.join(name.as_str())) {
            Ok(Done { needs_a_person: true }) => table.unsure += 1,
            Ok(_) => table.sure += 1,
            Err(error) => {
                work.bar.suspend(|| eprintln!("not {done}: `{}`: {error:#}", path.display()));
                table.failed.push(((*name).clone(), format!("{error:#}")));
            }
        }
        work.bar.inc(1);
    });
    let elapsed = work.bar.elapsed();
    work.bar.finish_and_clear();
    table.write(&output.join("failures.csv"))?;
    let whole = || names.iter().map(String::as_str).filter(|name| !table.has_failed(name));
    let record_of = |name: &str| output.join(name).join(RECORD);
    levels::write(&output.join("levels.csv"), whole(), record_of)?;
    if work.grading.is_some() {
        grades::write(&output, whole(), record_of)?;
    }
    table.sum_up(done, elapsed.as_secs_f64());
    println!("{}", output.display());
    Ok(table.exit_code(studies.len()))
}

/// The folder of what is made, which is there from now on; `done` is what that is called.
fn made_output(args: &StudyArgs, done: &str) -> Result<PathBuf> {
    let output = args.output.clone().unwrap_or_else(|| PathBuf::from(done));
    fs::create_dir_all(&output)
        .with_context(|| format!("`{}` cannot be made", output.display()))?;
    Ok(output)
}

fn progress(studies: usize) -> ProgressBar {
    let template = "{bar:30} {pos}/{len} studies, {per_sec}, {eta} left  {msg}";
    ProgressBar::new(studies as u64)
        .with_style(ProgressStyle::with_template(template).expect("the template is valid"))
}

/// A study as it was read, and the seconds that took.
type Read = (Result<Study, StudyError>, f64);

/// Reads each study while the one before it is worked on; files are mostly waited for, or unpacked
/// by a single core.
fn read_ahead<'a>(
    studies: &[(&'a PathBuf, &'a String)],
    mut work: impl FnMut(&(&'a PathBuf, &'a String), Read),
) {
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(0);
        scope.spawn(move || {
            for (path, _) in studies {
                let begun = Instant::now();
                let study = Study::read(path);
                // Nobody listens any more where a panic ends the work.
                if sender.send((study, begun.elapsed().as_secs_f64())).is_err() {
                    return;
                }
            }
        });
        for (study, read) in studies.iter().zip(receiver) {
            work(study, read);
        }
    });
}

const RECORD: &str = "study.json";
const SEGMENTS: &str = "segments";

/// What came of all studies.
#[derive(Default)]
struct Table {
    sure: usize,
    unsure: usize,
    kept: usize,
    failed: Vec<(String, String)>,
}

impl Table {
    fn has_failed(&self, name: &str) -> bool {
        self.failed.iter().any(|(failed, _)| failed == name)
    }

    /// Lists what failed, where anything did.
    fn write(&self, path: &Path) -> Result<()> {
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
    fn exit_code(&self, studies: usize) -> ExitCode {
        match self.failed.len() {
            0 => ExitCode::SUCCESS,
            failed if failed >= studies => ExitCode::FAILURE,
            _ => ExitCode::from(INCOMPLETE),
        }
    }

    fn sum_up(&self, word: &str, seconds: f64) {
        let done = self.sure + self.unsure;
        eprintln!(
            "{done} {} {word} in {seconds:.1} s, {} of them with names to check; {} were there \
             already, {} failed",
            if done == 1 { "study" } else { "studies" },
            self.unsure,
            self.kept,
            self.failed.len()
        );
    }
}

/// What came of a study.
struct Done {
    needs_a_person: bool,
}

/// Every entry of the folders, by name.
fn entries(folders: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for folder in folders {
        let unlisted = || format!("`{}` cannot be listed", folder.display());
        for entry in fs::read_dir(folder).with_context(unlisted)? {
            all.push(entry.with_context(unlisted)?.path());
        }
    }
    all.sort();
    ensure!(!all.is_empty(), "the given folders are empty");
    Ok(all)
}

/// The given thresholds, else the usual ones.
fn thresholds(path: Option<&Path>) -> Result<Thresholds> {
    let Some(path) = path else { return Ok(Thresholds::default()) };
    let unusable = || format!("`{}` cannot be used as thresholds", path.display());
    let text = fs::read_to_string(path).with_context(unusable)?;
    Thresholds::parse(&text).with_context(unusable)
}

/// What each study is called.
///
/// # Errors
/// Where two would be called the same: one's folder would take the other's place.
fn names(studies: &[PathBuf]) -> Result<Vec<String>> {
    let mut paths: BTreeMap<String, &Path> = BTreeMap::new();
    let mut names = Vec::with_capacity(studies.len());
    for path in studies {
        let name = name(path);
        if let Some(other) = paths.insert(name.clone(), path) {
            bail!(
                "`{}` and `{}` would both be called `{name}`; segment them into different folders, \
                 with -o",
                other.display(),
                path.display()
            );
        }
        names.push(name);
    }
    Ok(names)
}

/// What a study is called: its file's name without what tells its format.
fn name(path: &Path) -> String {
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = whole.file_name().unwrap_or(whole.as_os_str()).to_string_lossy().into_owned();
    let endings = [".nii.gz", ".nii", ".mha", ".mhd", ".zip", ".dcm"];
    let ending = endings.iter().find(|ending| name.to_lowercase().ends_with(**ending));
    match ending {
        Some(ending) if name.len() > ending.len() => name[..name.len() - ending.len()].to_owned(),
        _ => name,
    }
}

/// What every study is segmented with.
struct Work {
    tissues: Tissues,
    grading: Option<Grading>,
    thresholds: Thresholds,
    keeper: Option<Keeper>,
    /// Whether a study's folder gets segments.
    segments: bool,
    stop: Stop,
    bar: ProgressBar,
}

impl Work {
    /// Whether a study's folder is there, and graded by this grader where grades are wanted.
    fn has_done(&self, target: &Path) -> bool {
        let Ok(record) = fs::read(target.join(RECORD)) else { return false };
        let Some(Grading { grader, coverage }) = &self.grading else { return true };
        let record: serde_json::Value = serde_json::from_slice(&record).unwrap_or_default();
        record["grader"]["content_hash"] == grader.content_hash()
            && record["grader"]["coverage"] == Calibration::COVERAGES[*coverage]
    }

    /// Segments a study, grades and keeps it if asked to, and leaves its folder, whole or not at all.
    fn one(&mut self, (study, seconds): Read, name: &str, target: &Path) -> Result<Done> {
        let study = study?;
        let stopped = || stopped(&self.bar);
        let source = self.tissues.of(name)?;
        let found = match segment(&study, source, |_| self.stop.here(stopped)) {
            Ok(found) => found,
            Err(declined) => return Err(with_refusals(declined, &study)),
        };
        let mut record = Record::new(name, &study, &found, self.thresholds, seconds);
        let is_cut = self.segments || self.keeper.is_some() || self.grading.is_some();
        let cuts = if is_cut { cut(&study, &found) } else { Vec::new() };
        record.tell_of(&cuts);
        let begun = Instant::now();
        let grades = self.grading.as_ref().map(|grading| {
            let names = found.spine.naming.levels.iter().rev().map(|named| named.level);
            let levels: Vec<_> = names.zip(cuts.iter().map(|cut| &cut.segment)).collect();
            let grades = grade(&grading.grader, &levels, grading.coverage);
            record.tell_grades(&grades, GraderRecord::new(&grading.grader, grading.coverage));
            record.seconds.grader = Some(begun.elapsed().as_secs_f64());
            grades
        });
        if let Some(keeper) = &mut self.keeper {
            keeper.keep(&record, &found, &self.thresholds, &cuts, grades.as_deref())?;
        }
        let cuts = if self.segments { &cuts[..] } else { &[] };
        // A run that was stopped may have left a part of it.
        let part = target.with_file_name(format!(".{name}.part"));
        let unwritable = || format!("`{}` cannot be written", target.display());
        clear(&part).with_context(unwritable)?;
        fs::create_dir(&part).with_context(unwritable)?;
        if let Err(error) = write(&part, &record, &study, &found, cuts) {
            // What is left of it matters less than why it could not be written.
            let _ = clear(&part);
            return Err(error).with_context(unwritable);
        }
        clear(target).with_context(unwritable)?;
        fs::rename(&part, target).with_context(unwritable)?;
        Ok(Done { needs_a_person: record.needs_a_person })
    }
}

/// Says how to go on.
fn stopped(bar: &ProgressBar) {
    bar.finish_and_clear();
    eprintln!("stopped; the same command goes on with the studies that are left");
}

/// Why nothing was made of a study; where nothing of it could be read, why that is.
fn with_refusals(declined: Declined, study: &Study) -> anyhow::Error {
    match study.refused.first().filter(|_| study.series.is_empty()) {
        None => declined.into(),
        Some(first) => {
            let others = study.refused.len() - 1;
            let reason = first.reason.to_string();
            anyhow::Error::from(declined)
                .context(format!("{}: {reason} ({others} more)", first.file))
        }
    }
}

/// Takes a folder away, where there is one.
fn clear(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// Writes all files of a study into a folder.
fn write(
    folder: &Path,
    record: &Record,
    study: &Study,
    found: &Segmented<'_>,
    cuts: &[Cut],
) -> Result<()> {
    if !cuts.is_empty() {
        let folder = folder.join(SEGMENTS);
        fs::create_dir(&folder)?;
        npz::write_all(&folder, &cuts.iter().map(|cut| &cut.segment).collect::<Vec<_>>())?;
    }
    let page = page::page(record, study, found);
    fs::write(folder.join("median.svg"), page.median.svg()?)?;
    fs::write(folder.join("spine.html"), spine_page(&page)?)?;
    nifti::write(&found.parts, fs::File::create(folder.join("mask.nii.gz"))?)?;
    if found.series.protocol.header.is_some() {
        write_dicom(&folder.join("mask.dcm"), found)?;
    }
    let mut file = fs::File::create(folder.join(RECORD))?;
    serde_json::to_writer_pretty(&mut file, record)?;
    writeln!(file)?;
    Ok(file.sync_all()?)
}

/// Writes a study's parts as a DICOM segmentation. A series that has no place in space gets none.
fn write_dicom(path: &Path, found: &Segmented<'_>) -> Result<()> {
    let now = jiff::Timestamp::now();
    let made = ["%Y%m%d", "%H%M%S"].map(|format| now.strftime(format).to_string());
    let made = [made[0].as_str(), &made[1]];
    let mut bytes = Vec::new();
    let parts = segments(&found.spine.naming);
    match dicom_seg::write(&found.parts, &parts, found.series, made, &mut bytes) {
        Ok(()) => Ok(fs::write(path, bytes)?),
        Err(SegmentationError::Nameless(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
