//! `simulate studies`: invented MRI studies with their reports, whose every grade is known.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;

use super::reports::CSV;
use super::share;
use crate::cli::output::SharedOutput;
use crate::cli::stop::Stop;
use crate::imaging::{dicom_mr, nifti};
use crate::label::Target;
use crate::simulate::{SimulatedSeries, SimulatedStudy, Simulation, StudyOptions};

const EXAMPLES: &str = "\
OUT gets for each study, named by its accession number,
  studies/NAME/            its series, as DICOM: sag_t2/ sag_t1/ ax_t2/
  truth/NAME.nii.gz        the tissues of the sagittal slices: 1 vertebra, 2 disc, 3 canal
  truth/NAME.json          level by level its grades, how severe each cell is, measures, options
and
  reports.csv              a report for each, as `deepspine import` reads them
  truth.csv                a row for each cell of each study: what is true, what a second reader
                           of the images says, what the report says, and whether that was planted
Studies that OUT has already are not made again: a run that was stopped goes on with the same
command.
All of it is invented; no grade of a network that learned from it says anything of patients.

Examples:
  deepspine simulate studies --count 200 -o archive
  deepspine simulate studies --count 200 --seed 7 --planted 0.1 -o archive
  deepspine simulate studies --count 60 --seed 7 --first 200 -o next-year
  deepspine import archive/reports.csv
  deepspine segment --each archive/studies --store
  deepspine simulate studies --count 20 --no-axial 1 --scoliosis 1 -o bent   # all of them so";

/// Invent MRI studies of the lumbar spine with reports, whose every grade is known.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct StudiesArgs {
    /// How many.
    #[arg(long, default_value_t = 20, value_name = "N")]
    count: u64,

    /// Decides everything: the same seed invents the same studies.
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,

    /// The number of the first, so that a further archive has other patients than one before it.
    #[arg(long, default_value_t = 0, value_name = "N")]
    first: u64,

    /// The folder that they go to.
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,

    /// How many studies each patient has, years apart.
    #[arg(long, default_value_t = 1, value_name = "N")]
    per_patient: u64,

    /// The share of studies whose report says of one cell what is at least two grades from the truth.
    #[arg(long, default_value_t = 0.0, value_name = "SHARE", value_parser = share)]
    planted: f64,

    /// The share of patients with six lumbar vertebrae, or with the fifth part of the sacrum.
    #[arg(long, default_value_t = USUAL.transitional, value_name = "SHARE", value_parser = share)]
    transitional: f64,

    /// The share of patients whose spine is bent to a side.
    #[arg(long, default_value_t = USUAL.scoliosis, value_name = "SHARE", value_parser = share)]
    scoliosis: f64,

    /// The share of patients of whom a level was decompressed.
    #[arg(long, default_value_t = USUAL.laminectomy, value_name = "SHARE", value_parser = share)]
    laminectomy: f64,

    /// The share of those who have screws too.
    #[arg(long, default_value_t = USUAL.metal, value_name = "SHARE", value_parser = share)]
    metal: f64,

    /// The share of studies without axial slices.
    #[arg(long, default_value_t = USUAL.no_axial, value_name = "SHARE", value_parser = share)]
    no_axial: f64,

    /// The share of studies whose axial slices are one stack rather than one along each disc.
    #[arg(long, default_value_t = USUAL.straight, value_name = "SHARE", value_parser = share)]
    straight: f64,
}

const USUAL: StudyOptions = StudyOptions::USUAL;

/// What a scanner would send, and what nobody would know, apart: a mask is no series.
const STUDIES: &str = "studies";
const TRUTH: &str = "truth";

impl StudiesArgs {
    const fn options(&self) -> StudyOptions {
        StudyOptions {
            transitional: self.transitional,
            scoliosis: self.scoliosis,
            laminectomy: self.laminectomy,
            metal: self.metal,
            no_axial: self.no_axial,
            straight: self.straight,
            planted: self.planted,
            per_patient: self.per_patient,
        }
    }
}

pub(super) fn run(args: &StudiesArgs) -> Result<ExitCode> {
    ensure!(args.per_patient > 0, "a patient has at least one study");
    for folder in [STUDIES, TRUTH].map(|folder| args.output.join(folder)) {
        fs::create_dir_all(&folder)
            .with_context(|| format!("`{}` cannot be made", folder.display()))?;
    }
    let stop = Stop::listen()?;
    let template = "{bar:30} {percent:>3} %, {pos} studies, {per_sec}, {eta} left";
    let bar = ProgressBar::new(args.count)
        .with_style(ProgressStyle::with_template(template).expect("the template is valid"));
    let (simulation, options) = (Simulation::new(args.seed), args.options());
    let rows: Vec<Rows> = (args.first..args.first.saturating_add(args.count))
        .into_par_iter()
        .map(|number| {
            stop.here(|| bar.abandon());
            let study = simulation.study(number, &options);
            write_study(&study, &args.output)?;
            bar.inc(1);
            Rows::of(&study)
        })
        .collect::<Result<_>>()?;
    let reports = rows.iter().flat_map(|rows| rows.report.iter().copied());
    write_table(&args.output.join("reports.csv"), reports, CSV.header)?;
    let truths = rows.iter().flat_map(|rows| rows.truth.bytes());
    write_table(&args.output.join("truth.csv"), truths, |out| writeln!(out, "{}", Rows::TRUTH))?;
    let elapsed = bar.elapsed();
    bar.finish_and_clear();
    eprintln!(
        "{} studies in {:.1} s, {} of them with a planted discrepancy: {}",
        args.count,
        elapsed.as_secs_f64(),
        rows.iter().filter(|rows| rows.is_planted).count(),
        args.output.display()
    );
    Ok(ExitCode::SUCCESS)
}

/// What tables say of a study.
struct Rows {
    report: Vec<u8>,
    truth: String,
    is_planted: bool,
}

impl Rows {
    const TRUTH: &str = "study_uid,accession,patient,level,ordinal,target,severity,grade,\
                         second_reader,reported,planted";

    fn of(study: &SimulatedStudy) -> Result<Self> {
        let mut report = Vec::new();
        (CSV.report)(&study.report, &mut report)?;
        let truth = &study.truth;
        let mut rows = String::new();
        let mut is_planted = false;
        for level in &truth.levels {
            for target in Target::ALL {
                let cell = level.cell(target);
                is_planted |= cell.planted;
                rows += &format!(
                    "{},{},{},{},{},{target},{:.3},{},{},{},{}\n",
                    truth.study_uid,
                    truth.accession,
                    truth.patient,
                    level.level,
                    level.ordinal,
                    cell.severity,
                    cell.grade,
                    cell.second_reader,
                    cell.reported.map_or("", |grade| grade.name()),
                    cell.planted,
                );
            }
        }
        Ok(Self { report, truth: rows, is_planted })
    }
}

fn write_table(
    path: &Path,
    rows: impl Iterator<Item = u8>,
    header: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<()> {
    let output = SharedOutput::open(Some(path))?;
    let rows: Vec<u8> = rows.collect();
    output.write(|out| {
        header(out)?;
        out.write_all(&rows)
    })?;
    output.complete()
}

/// Writes the folder of a study, whole or not at all, after what is true of it.
fn write_study(study: &SimulatedStudy, output: &Path) -> Result<()> {
    let name = &study.truth.accession;
    let folder = output.join(STUDIES).join(name);
    let known = output.join(TRUTH).join(format!("{name}.json"));
    let mut truth = serde_json::to_string_pretty(&study.truth)?;
    truth.push('\n');
    if folder.is_dir() {
        ensure!(
            fs::read_to_string(&known).unwrap_or_default() == truth,
            "`{}` holds another study; choose another folder, or the seed and shares that it was \
             made with",
            folder.display()
        );
        return Ok(());
    }
    let unwritable = || format!("`{}` cannot be written", known.display());
    fs::write(&known, truth).with_context(unwritable)?;
    let mask = File::create(known.with_extension("nii.gz")).with_context(unwritable)?;
    nifti::write(&study.mask(), BufWriter::new(mask)).with_context(unwritable)?;
    let part = output.join(STUDIES).join(format!(".{name}.part"));
    let unwritable = || format!("`{}` cannot be written", part.display());
    if part.exists() {
        fs::remove_dir_all(&part).with_context(unwritable)?;
    }
    fs::create_dir(&part).with_context(unwritable)?;
    for (at, series) in study.series().iter().enumerate() {
        write_series(study, series, at as u32 + 1, &part.join(series.name))?;
    }
    fs::rename(&part, &folder).with_context(|| format!("`{}` cannot be made", folder.display()))
}

fn write_series(
    study: &SimulatedStudy,
    series: &SimulatedSeries,
    number: u32,
    folder: &Path,
) -> Result<()> {
    let unwritable = || format!("`{}` cannot be written", folder.display());
    fs::create_dir(folder).with_context(unwritable)?;
    let header = study.header();
    let made = dicom_mr::Made { number, description: series.description, times: series.times };
    for (at, (plane, values)) in series.slices.iter().enumerate() {
        let instance = at as u32 + 1;
        let file = File::create(folder.join(format!("{instance:03}.dcm")));
        let mut file = BufWriter::new(file.with_context(unwritable)?);
        dicom_mr::write(&header, made, instance, plane, values, &mut file)?;
        file.flush().with_context(unwritable)?;
    }
    Ok(())
}
