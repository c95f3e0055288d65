//! `segment`: studies to named and measured levels, with pictures.

mod levels;
mod page;
mod store;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use indicatif::{ProgressBar, ProgressStyle};

use super::data::DataArgs;
use super::stop::Stop;
use super::{INCOMPLETE, model};
use crate::engine::Device;
use crate::engine::unet::Segmenter;
use crate::imaging::dicom_seg::{self, SegmentationError};
use crate::imaging::spine::{Thresholds, segments};
use crate::imaging::{Cut, Study, nifti, npz};
use crate::page::spine_page;
use crate::pipeline::measurement::measurement_reader;
use crate::pipeline::study::{Declined, Record, Segmented, cut, segment};
use store::Keeper;

const EXAMPLES: &str = "\
A study is a folder or a zip of DICOM files, a volume (.nii, .nii.gz, .mha, .mhd), or a folder of
pictures with spacing.json. For each, its folder in OUT gets
  study.json    series, levels with centres, names, measures and confidences, refusals
  mask.nii.gz   from the lowest up, vertebrae 1, 2, ... and discs 201, 202, ...; the canal is 100
  mask.dcm      the same as a DICOM segmentation, where the study is DICOM
  spine.html    pictures and measures on one page
  median.svg    the spine from the side
  segments/     with --segments, disc-1.npz (the lowest), disc-2.npz, ...: crops of sagittal T2,
                sagittal T1 and axial T2, 0.5 and 0.4 mm pixels, each with its affine
OUT/levels.csv has a row for each level of all of them. What cannot be segmented is listed in
OUT/failures.csv and ends nothing. Studies that OUT has already are not segmented again: a run that
was stopped goes on with the same command.

A level's central stenosis is graded by the least area of its dural sac. Other areas than the usual
ones can be given as a file of three lines:
  normal = 130    # mm2 and more
  mild = 100
  moderate = 75   # less is severe

Examples:
  deepspine segment study.zip
  deepspine segment study1 study2.nii.gz -o graded
  deepspine segment --each archive -o graded   # every entry of the folder `archive` is a study
  deepspine segment --each archive --store     # ./deepspine-data keeps levels and measures too";

/// Find, name and measure the levels of MRI studies.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The studies.
    #[arg(value_name = "STUDY", required = true)]
    studies: Vec<PathBuf>,

    /// Take every entry of the given folders as a study.
    #[arg(long)]
    each: bool,

    /// Where a folder for each study goes.
    #[arg(short, long, value_name = "OUT", default_value = "segmented")]
    output: PathBuf,

    /// Segment again what the output has already.
    #[arg(long)]
    again: bool,

    /// The folder of the segmenter; if not given, the one that comes with the program.
    #[arg(long, value_name = "FOLDER")]
    model: Option<PathBuf>,

    /// Read each slice from both sides of a mirror: better by little, half as fast.
    #[arg(long)]
    mirrored: bool,

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

    /// What the network runs on: cpu, cuda, cuda:1.
    #[arg(long, default_value = "cpu", value_name = "DEVICE")]
    device: Device,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let studies = if args.each { entries(&args.studies)? } else { args.studies.clone() };
    let names = names(&studies)?;
    let folder = model::folder("segmenter", args.model.as_deref())?;
    let segmenter = Segmenter::load(&folder, args.device)?.mirrored(args.mirrored);
    let thresholds = thresholds(args.thresholds.as_deref())?;
    let keeper = match args.store {
        false => None,
        true => Some(Keeper {
            archive: args.data.open_or_create()?,
            source: args.source.clone(),
            reader: measurement_reader(segmenter.content_hash(), &thresholds),
        }),
    };
    fs::create_dir_all(&args.output)
        .with_context(|| format!("`{}` cannot be made", args.output.display()))?;
    let template = "{bar:30} {pos}/{len} studies, {per_sec}, {eta} left  {msg}";
    let bar = ProgressBar::new(studies.len() as u64)
        .with_style(ProgressStyle::with_template(template).expect("the template is valid"));
    let stop = Stop::listen()?;
    let mut work = Work { segmenter, thresholds, keeper, segments: args.segments, stop, bar };
    let mut table = Table::default();
    for (path, name) in studies.iter().zip(&names) {
        work.bar.set_message(name.clone());
        let target = args.output.join(name);
        if !args.again && target.join(RECORD).is_file() {
            table.kept += 1;
        } else {
            match work.one(path, name, &target) {
                Ok(Done { needs_a_person: true }) => table.unsure += 1,
                Ok(_) => table.sure += 1,
                Err(error) => {
                    work.bar
                        .suspend(|| eprintln!("not segmented: `{}`: {error:#}", path.display()));
                    table.failed.push((name.clone(), format!("{error:#}")));
                }
            }
        }
        work.bar.inc(1);
    }
    let elapsed = work.bar.elapsed();
    work.bar.finish_and_clear();
    table.write(&args.output.join("failures.csv"))?;
    let done = names.iter().map(String::as_str).filter(|name| !table.has_failed(name));
    levels::write(&args.output.join("levels.csv"), done, |name| {
        args.output.join(name).join(RECORD)
    })?;
    table.sum_up(elapsed.as_secs_f64());
    println!("{}", args.output.display());
    Ok(match table.failed.len() {
        0 => ExitCode::SUCCESS,
        failed if failed == studies.len() => ExitCode::FAILURE,
        _ => ExitCode::from(INCOMPLETE),
    })
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

    fn sum_up(&self, seconds: f64) {
        let done = self.sure + self.unsure;
        eprintln!(
            "{done} {} segmented in {seconds:.1} s, {} of them with names to check; {} were there \
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
    segmenter: Segmenter,
    thresholds: Thresholds,
    keeper: Option<Keeper>,
    /// Whether a study's folder gets segments.
    segments: bool,
    stop: Stop,
    bar: ProgressBar,
}

impl Work {
    /// Segments a study, keeps it if asked to, and leaves its folder, whole or not at all.
    fn one(&mut self, path: &Path, name: &str, target: &Path) -> Result<Done> {
        let begun = Instant::now();
        let study = Study::read(path)?;
        let read = begun.elapsed().as_secs_f64();
        let stopped = || {
            self.bar.finish_and_clear();
            eprintln!("stopped; the same command goes on with the studies that are left");
        };
        let found = match segment(&study, &self.segmenter, |_| self.stop.here(stopped)) {
            Ok(found) => found,
            Err(declined) => return Err(with_refusals(declined, &study)),
        };
        let mut record = Record::new(name, &study, &found, self.thresholds, read);
        let cuts = match self.segments || self.keeper.is_some() {
            true => cut(&study, &found),
            false => Vec::new(),
        };
        record.tell_of(&cuts);
        if let Some(keeper) = &mut self.keeper {
            keeper.keep(&record, &found, &self.thresholds, &cuts)?;
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
