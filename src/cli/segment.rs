//! `segment`: studies to named and measured levels, with pictures.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};

use super::{INCOMPLETE, model};
use crate::engine::Device;
use crate::engine::unet::Segmenter;
use crate::imaging::picture::{Axial, Median, Picture, Window};
use crate::imaging::spine::{Disc, Frame, LevelMeasures, Section, behind};
use crate::imaging::{Study, nifti};
use crate::page::{Figure, LevelRow, SpinePage, spine_page};
use crate::pipeline::study::{Record, Segmented, segment};

const EXAMPLES: &str = "\
A study is a folder or a zip of DICOM files, a volume (.nii, .nii.gz, .mha, .mhd), or a folder of
pictures with spacing.json. For each, its folder in OUT gets
  study.json    series, levels with centres, names, measures and confidences, refusals
  mask.nii.gz   vertebrae 1, 2, ... from the lowest up, canal 100, discs 201, 202, ... from the lowest up
  spine.html    pictures and measures on one page
  median.svg    the spine from the side
and OUT/studies.csv has a row a study. Studies that OUT has already are not segmented again.

Examples:
  deepspine segment study.zip
  deepspine segment study1 study2.nii.gz -o graded
  deepspine segment --each archive -o graded   # every entry of the folder `archive` is a study";

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

    /// What the network runs on: cpu, cuda, cuda:1.
    #[arg(long, default_value = "cpu", value_name = "DEVICE")]
    device: Device,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let studies = if args.each { entries(&args.studies)? } else { args.studies.clone() };
    let folder = model::folder("segmenter", args.model.as_deref())?;
    let segmenter = Segmenter::load(&folder, args.device)?.mirrored(args.mirrored);
    fs::create_dir_all(&args.output)
        .with_context(|| format!("`{}` cannot be made", args.output.display()))?;
    let template = "{bar:30} {pos}/{len} studies, {per_sec}, {eta} left  {msg}";
    let bar = ProgressBar::new(studies.len() as u64)
        .with_style(ProgressStyle::with_template(template).expect("the template is valid"));
    let mut table = Table::default();
    for path in &studies {
        let name = name(path);
        bar.set_message(name.clone());
        let target = args.output.join(&name);
        if !args.again && target.join(RECORD).is_file() {
            table.kept += 1;
        } else {
            match one(path, &name, &segmenter, &target) {
                Ok(Done { needs_a_person: true }) => table.unsure.push(name),
                Ok(_) => table.sure += 1,
                Err(error) => {
                    bar.suspend(|| eprintln!("not segmented: `{}`: {error:#}", path.display()));
                    table.failed.push((name, format!("{error:#}")));
                }
            }
        }
        bar.inc(1);
    }
    let elapsed = bar.elapsed();
    bar.finish_and_clear();
    table.write(&args.output.join("failures.csv"))?;
    table.sum_up(elapsed.as_secs_f64());
    println!("{}", args.output.display());
    Ok(match table.failed.len() {
        0 => ExitCode::SUCCESS,
        failed if failed == studies.len() => ExitCode::FAILURE,
        _ => ExitCode::from(INCOMPLETE),
    })
}

const RECORD: &str = "study.json";

/// What came of all studies.
#[derive(Default)]
struct Table {
    sure: usize,
    unsure: Vec<String>,
    kept: usize,
    failed: Vec<(String, String)>,
}

impl Table {
    /// Lists what failed, where anything did.
    fn write(&self, path: &Path) -> Result<()> {
        let unwritable = || format!("`{}` cannot be written", path.display());
        if self.failed.is_empty() {
            return match fs::remove_file(path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
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
        let done = self.sure + self.unsure.len();
        eprintln!(
            "{done} studies segmented in {seconds:.1} s, {} of them with names to check; {} were there \
             already, {} failed",
            self.unsure.len(),
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

/// Segments a study and leaves its folder, whole or not at all.
fn one(path: &Path, name: &str, segmenter: &Segmenter, target: &Path) -> Result<Done> {
    let begun = Instant::now();
    let study = Study::read(path)?;
    let read = begun.elapsed().as_secs_f64();
    let found = match segment(&study, segmenter, |_| ()) {
        Ok(found) => found,
        Err(declined) => {
            let first = study.refused.first();
            return match first.filter(|_| study.series.is_empty()) {
                Some(refusal) => {
                    let others = study.refused.len() - 1;
                    let reason = refusal.reason.to_string();
                    Err(declined).context(format!("{}: {reason} ({others} more)", refusal.file))
                }
                None => Err(declined.into()),
            };
        }
    };
    let record = Record::new(name, &study, &found, read);
    let parent = target.parent().unwrap_or(Path::new("."));
    let part = tempfile::Builder::new().prefix(".part-").tempdir_in(parent)?;
    write(part.path(), &record, &study, &found)?;
    if target.exists() {
        fs::remove_dir_all(target)
            .with_context(|| format!("`{}` cannot be replaced", target.display()))?;
    }
    fs::rename(part.keep(), target)
        .with_context(|| format!("`{}` cannot be written", target.display()))?;
    Ok(Done { needs_a_person: record.needs_a_person })
}

/// Writes all files of a study into a folder.
fn write(folder: &Path, record: &Record, study: &Study, found: &Segmented<'_>) -> Result<()> {
    let page = page(record, study, found);
    fs::write(folder.join("median.svg"), page.median.svg()?)?;
    fs::write(folder.join("spine.html"), spine_page(&page)?)?;
    nifti::write(&found.parts, fs::File::create(folder.join("mask.nii.gz"))?)?;
    let mut file = fs::File::create(folder.join(RECORD))?;
    serde_json::to_writer_pretty(&mut file, record)?;
    writeln!(file)?;
    Ok(file.sync_all()?)
}

/// The page of a study.
fn page(record: &Record, study: &Study, found: &Segmented<'_>) -> SpinePage {
    let window = Window::of(found.volume);
    let column = &found.spine.column;
    let median = Median::of(found.volume, column);
    let mut picture = figure(median.picture(found.volume, &found.parts, window));
    picture.description = "The spine from the side, with its levels named".to_owned();
    let mut levels = Vec::new();
    for (level, disc) in record.levels.iter().zip(&column.discs) {
        let name = level.level.map_or_else(|| format!("disc {}", level.ordinal), |l| l.to_string());
        let front = disc.frame().place(0.0, 26.0, 0.0);
        let (x, y) = median.pixel(front);
        picture.words.push(((x - 46.0).max(2.0), y + 4.0, name.clone()));
        if let Some(canal) = level.measures.canal {
            let across = Frame::new(canal.centre, disc.down);
            let end = |front: f64| median.pixel(across.place(0.0, front, 0.0));
            let ((x1, y1), (x2, y2)) = (end(canal.ap / 2.0), end(-canal.ap / 2.0));
            picture.lines.push([x1, y1, x2, y2]);
        }
        levels.push(LevelRow {
            confidence: format!("{:.0}", 100.0 * level.confidence),
            measures: shown(&level.measures, level.body_above.middle),
            axial: axial(found, disc, &level.measures, window),
            name,
        });
    }
    let notes =
        record.refused.iter().map(|refusal| format!("{}: {}", refusal.file, refusal.reason));
    SpinePage {
        title: record.study.clone(),
        doubts: record.doubts.clone(),
        needs_a_person: record.needs_a_person,
        median: picture,
        levels,
        lordosis: record
            .lordosis
            .map(|angle| format!("Lordosis between T12-L1 and L5-S1: {angle:.0}°")),
        series: study
            .series
            .iter()
            .map(|series| {
                [series.name.clone(), series.kind.name().to_owned(), series.reason.clone()]
            })
            .collect(),
        notes: record.series.iter().flat_map(|series| series.notes.clone()).chain(notes).collect(),
    }
}

fn figure(picture: Picture) -> Figure {
    Figure {
        size: [picture.width, picture.height],
        image: picture.image,
        overlay: picture.overlay,
        ..Figure::default()
    }
}

/// Measures as the page shows them, in the order of its table.
fn shown(level: &LevelMeasures, body: Option<f64>) -> [String; 7] {
    let whole = |section: Option<Section>| {
        section.filter(|section| !section.is_cut).map(|section| section.area)
    };
    let number = |value: Option<f64>, digits: usize| {
        value.map_or_else(String::new, |value| format!("{value:.digits$}"))
    };
    [
        number(level.canal.map(|canal| canal.ap), 1),
        number(whole(level.canal), 0),
        number(whole(level.narrowest), 0),
        number(level.disc_height, 1),
        number(level.height_ratio, 2),
        number(level.listhesis, 1),
        number(body, 1),
    ]
}

/// The plane across the canal behind a disc.
fn axial(
    found: &Segmented<'_>,
    disc: &Disc,
    level: &LevelMeasures,
    window: Window,
) -> Option<Figure> {
    let (canal, section) = (found.spine.column.canal.as_ref()?, level.canal?);
    let mut frame = canal.curve.frame(behind(&canal.curve, disc));
    frame.at = section.centre;
    let plane = Axial(frame);
    let mut figure = figure(plane.picture(found.volume, &found.parts, window));
    let half = section.ap / 2.0;
    let ((x, from), (_, to)) =
        (plane.pixel(frame.place(0.0, half, 0.0)), plane.pixel(frame.place(0.0, -half, 0.0)));
    figure.lines.push([x, from, x, to]);
    figure.description = match section.is_cut {
        false => format!("AP {:.1} mm, {:.0} mm²", section.ap, section.area),
        true => format!("AP {:.1} mm; the image ends beside it", section.ap),
    };
    Some(figure)
}
