//! What `segment` and `grade` share: studies read, segmented and written, a few at a time; resume,
//! failures, tables of all.

mod cohort;
mod folder;
mod grades;
mod levels;
mod masks;
mod page;
mod side_by_side;
mod store;
mod table;
mod targets;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail, ensure};
use indicatif::{ProgressBar, ProgressStyle};

use super::data::DataArgs;
use super::model;
use super::stop::Stop;
use crate::engine::Device;
use crate::engine::grader::Grader;
use crate::engine::unet::Segmenter;
use crate::imaging::spine::{Thresholds, tissues};
use crate::imaging::{Mask, Refusal, Segment, Study, Volume};
use crate::label::Level;
use crate::pipeline::grading::{TargetGrade, grade, grader_reader};
use crate::pipeline::measurement::measurement_reader;
use crate::pipeline::study::{Declined, GraderRecord, Origin, Record, cut, segment};
use crate::store::owner_only;
use side_by_side::side_by_side;
use store::Keeper;
use table::Table;

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

    /// Where the studies come from: accession numbers, and names of studies without a UID, are unique within
    /// a source.
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
    let wanted = wanted_output(args, done);
    let studies = if args.each { entries(&args.studies, &wanted)? } else { args.studies.clone() };
    let names = names(&studies)?;
    targets::check_apart(args, &studies, &names, &wanted)?;
    let masks = args.masks.clone();
    let segmenter = masks.is_none().then(|| segmenter(args)).transpose()?;
    let segmenter_hash = segmenter.as_ref().map(|of| of.content_hash().to_owned());
    let thresholds = thresholds(args.thresholds.as_deref())?;
    let keeper = match args.store {
        false => None,
        true => Some(Mutex::new(Keeper {
            archive: args.data.open_or_create()?,
            source: args.source.clone(),
            measurement: measurement_reader(
                segmenter_hash.as_deref().unwrap_or("masks"),
                &thresholds,
            ),
            grader: grading.as_ref().map(|grading| grader_reader(&grading.grader)),
        })),
    };
    let output = made_output(args, done)?;
    let work = Work {
        masks,
        mirrored: args.mirrored,
        segmenter_hash,
        graded_by: grading.as_ref().map(|of| GraderRecord::new(&of.grader, of.coverage)),
        networks: Mutex::new(Networks { segmenter, grading }),
        writing: RwLock::new(()),
        thresholds,
        keeper,
        segments: args.segments,
        stop: Stop::listen()?,
        bar: progress(studies.len()),
    };
    let mut table = Table::default();
    let all = studies.iter().zip(&names);
    let is_left = |(path, name): &(&PathBuf, &String)| {
        args.again || !work.has_done(path, &output.join(name.as_str()))
    };
    let (left, kept): (Vec<_>, Vec<_>) = all.partition(is_left);
    table.kept = kept.len();
    for (path, name) in &left {
        let target = output.join(name.as_str());
        targets::check_ours(&target)?;
        if !args.again {
            work.check_free(path, &target)?;
        }
    }
    work.bar.inc(kept.len() as u64);
    let outcomes = side_by_side(&left, |(path, name)| {
        let outcome = work.one(path, name, &output.join(name.as_str()));
        if let Err(error) = &outcome {
            work.bar.suspend(|| eprintln!("not {done}: `{}`: {error:#}", path.display()));
        }
        work.bar.inc(1);
        outcome
    });
    for ((_, name), outcome) in left.iter().zip(outcomes) {
        match outcome {
            Ok(Done { needs_a_person, open }) => {
                *(if needs_a_person { &mut table.unsure } else { &mut table.sure }) += 1;
                table.open += open;
            }
            Err(error) => table.failed.push(((*name).clone(), format!("{error:#}"))),
        }
    }
    let elapsed = work.bar.elapsed();
    work.bar.finish_and_clear();
    table.write(&output.join("failures.csv"))?;
    let whole = || names.iter().map(String::as_str).filter(|name| !table.has_failed(name));
    let record_of = |name: &str| output.join(name).join(RECORD);
    levels::write(&output.join("levels.csv"), whole(), record_of)?;
    if work.graded_by.is_some() {
        grades::write(&output, whole(), record_of)?;
    }
    table.sum_up(done, elapsed.as_secs_f64());
    println!("{}", output.display());
    Ok(table.exit_code(studies.len()))
}

/// The folder of what is made; `done` is what that is called.
fn wanted_output(args: &StudyArgs, done: &str) -> PathBuf {
    args.output.clone().unwrap_or_else(|| PathBuf::from(done))
}

/// The same, which is there from now on. What it holds is of patients.
fn made_output(args: &StudyArgs, done: &str) -> Result<PathBuf> {
    let output = wanted_output(args, done);
    owner_only()
        .recursive(true)
        .create(&output)
        .with_context(|| format!("`{}` cannot be made", output.display()))?;
    Ok(output)
}

fn progress(studies: usize) -> ProgressBar {
    let template = "{bar:30} {pos}/{len} studies, {per_sec}, {eta} left  {msg}";
    ProgressBar::new(studies as u64)
        .with_style(ProgressStyle::with_template(template).expect("the template is valid"))
}

/// The network that comes with the program or is asked for.
fn segmenter(args: &StudyArgs) -> Result<Segmenter> {
    let folder = model::folder("segmenter", "--model", args.model.as_deref())?;
    Ok(Segmenter::load(&folder, args.device)?.mirrored(args.mirrored))
}

const RECORD: &str = "study.json";

/// What came of a study.
struct Done {
    /// Whether a person should look at the names.
    needs_a_person: bool,
    /// How many grades a person should look at, for there are others that the network cannot exclude.
    open: usize,
}

/// Every entry of the folders, by name, but for what was made there before.
fn entries(folders: &[PathBuf], output: &Path) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for folder in folders {
        let unlisted = || format!("`{}` cannot be listed", folder.display());
        for entry in fs::read_dir(folder).with_context(unlisted)? {
            all.push(entry.with_context(unlisted)?.path());
        }
    }
    if output.exists() {
        all.retain(|entry| !targets::are_same(entry, output));
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

/// Where something lies, whatever folder the program is run in.
fn place(path: &Path) -> String {
    path.canonicalize().unwrap_or_else(|_| path.to_owned()).display().to_string()
}

/// The record in a study's folder, where there is one.
fn record(target: &Path) -> Option<serde_json::Value> {
    serde_json::from_slice(&fs::read(target.join(RECORD)).ok()?).ok()
}

/// Networks, which one study at a time goes through: libtorch computes on all cores by itself, and loses
/// what it works with where the program ends meanwhile.
struct Networks {
    /// None where masks are given.
    segmenter: Option<Segmenter>,
    grading: Option<Grading>,
}

/// What every study is segmented with.
struct Work {
    /// The folder of masks that take the place of the network's.
    masks: Option<PathBuf>,
    /// Whether slices are read from both sides of a mirror.
    mirrored: bool,
    /// The content hash of the network that finds tissues, where one does.
    segmenter_hash: Option<String>,
    /// What grades, where anything does.
    graded_by: Option<GraderRecord>,
    networks: Mutex<Networks>,
    /// Read while something is written: where the program ends early, that is waited for.
    writing: RwLock<()>,
    thresholds: Thresholds,
    keeper: Option<Mutex<Keeper>>,
    /// Whether a study's folder gets segments.
    segments: bool,
    stop: Stop,
    bar: ProgressBar,
}

impl Work {
    /// Whether a study's folder is there, made of the same study in the same way, with the grades and
    /// segments that are wanted.
    fn has_done(&self, path: &Path, target: &Path) -> bool {
        let Some(record) = record(target) else { return false };
        let masks = self.masks.as_ref().map(|folder| place(folder));
        let is_graded = self.graded_by.as_ref().is_none_or(|grader| {
            record["grader"]["content_hash"] == grader.content_hash
                && record["grader"]["coverage"] == grader.coverage
        });
        is_graded
            && record["path"] == place(path)
            && record["masks"].as_str() == masks.as_deref()
            && record["mirrored"].as_bool().unwrap_or_default() == self.mirrored
            && record["segmenter"].as_str() == self.segmenter_hash.as_deref()
            && serde_json::to_value(self.thresholds).is_ok_and(|of| record["thresholds"] == of)
            && (!self.segments || target.join(folder::SEGMENTS).is_dir())
    }

    /// Makes sure that a study's folder does not hold another one, which happens to be called the same, or
    /// grades that would be lost.
    fn check_free(&self, path: &Path, target: &Path) -> Result<()> {
        let record = record(target).unwrap_or_default();
        let remedy = "choose another folder with -o, or replace it with --again";
        if let Some(other) = record["path"].as_str().filter(|other| *other != place(path)) {
            bail!("`{}` holds what was made of `{other}`; {remedy}", target.display());
        }
        if self.graded_by.is_none() && record["grader"].is_object() {
            bail!("`{}` holds grades, which would be lost; {remedy}", target.display());
        }
        Ok(())
    }

    /// Segments a study, grades and keeps it if asked to, and leaves its folder, whole or not at all.
    fn one(&self, path: &Path, name: &str, target: &Path) -> Result<Done> {
        // A study that goes on to be read need not wait for a turn at the networks.
        if self.stop.is_pressed() {
            drop(self.networks());
        }
        self.bar.set_message(name.to_owned());
        let (study, seconds) = timed(|| Study::read(path));
        let study = study?;
        let mask = self.masks.as_ref().map(|folder| masks::read(folder, name)).transpose()?;
        let find = |volume: &Volume| match &mask {
            Some(mask) => timed(|| tissues(mask, volume.geometry)),
            None => self.found(volume),
        };
        let found = segment(&study, find).map_err(|declined| with_refusals(declined, &study))?;
        let segmented = (&found, self.segmenter_hash.as_deref());
        let masks = self.masks.as_ref().map(|folder| place(folder));
        let origin =
            Origin { study: name.to_owned(), path: place(path), masks, mirrored: self.mirrored };
        let mut record = Record::new(origin, &study, segmented, self.thresholds, seconds);
        let is_cut = self.segments || self.keeper.is_some() || self.graded_by.is_some();
        let (cuts, seconds) = timed(|| if is_cut { cut(&study, &found) } else { Vec::new() });
        record.tell_of(&cuts);
        record.seconds.crops = is_cut.then_some(seconds);
        let grades = self.graded_by.as_ref().map(|grader| {
            let names = found.spine.naming.levels.iter().rev().map(|named| named.level);
            let levels: Vec<_> = names.zip(cuts.iter().map(|cut| &cut.segment)).collect();
            let (grades, seconds) = self.graded(&levels);
            record.tell_grades(&grades, grader.clone());
            record.seconds.grader = Some(seconds);
            grades
        });
        let _writing = self.writing.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(keeper) = &self.keeper {
            let mut keeper = keeper.lock().unwrap_or_else(PoisonError::into_inner);
            keeper.keep(&record, &found, &self.thresholds, &cuts, grades.as_deref())?;
        }
        folder::write(target, &record, &study, &found, &cuts, self.segments)?;
        let open = record.levels.iter().flat_map(|level| &level.grades);
        let open = open.filter(|grade| grade.is_open()).count();
        Ok(Done { needs_a_person: record.needs_a_person, open })
    }

    /// The networks, for one study. If Ctrl-C was pressed, the program ends here, when no other study
    /// goes through them.
    fn networks(&self) -> MutexGuard<'_, Networks> {
        let networks = self.networks.lock().unwrap_or_else(PoisonError::into_inner);
        self.end_if_stopped();
        networks
    }

    /// Ends the program if Ctrl-C was pressed, when nothing is half written.
    fn end_if_stopped(&self) {
        self.stop.here(|| {
            std::mem::forget(self.writing.write());
            stopped(&self.bar);
        });
    }

    /// The tissues that the network finds, and the seconds that it took.
    fn found(&self, volume: &Volume) -> (Mask, f64) {
        let networks = self.networks();
        let segmenter = networks.segmenter.as_ref().expect("there are no masks");
        timed(|| segmenter.segment(volume, |_| self.end_if_stopped()))
    }

    /// The grades of levels, and the seconds that they took.
    fn graded(&self, levels: &[(Option<Level>, &Segment)]) -> (Vec<Vec<TargetGrade>>, f64) {
        let networks = self.networks();
        let grading = networks.grading.as_ref().expect("there is a grader");
        timed(|| grade(&grading.grader, levels, grading.coverage))
    }
}

/// What a piece of work makes, and the seconds that it took.
fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let begun = Instant::now();
    let made = work();
    (made, begun.elapsed().as_secs_f64())
}

/// Says how to go on.
fn stopped(bar: &ProgressBar) {
    bar.finish_and_clear();
    eprintln!("stopped; the same command goes on with the studies that are left");
}

/// Why nothing was made of a study; where no series of it is good for that, also why a file gave none.
fn with_refusals(declined: Declined, study: &Study) -> anyhow::Error {
    match study.refused.first() {
        Some(first) if matches!(declined, Declined::NoSagittal { .. }) => {
            let Refusal { file, reason } = first;
            let others = study.refused.len() - 1;
            anyhow!("{declined}; `{file}` is refused: {reason} ({others} more)")
        }
        _ => declined.into(),
    }
}
