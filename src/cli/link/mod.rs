//! `link`: reports to segmented studies, and a manifest of their segments with labels.

mod folder;
mod tables;
mod truth;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::builder::PossibleValuesParser;
use indicatif::{HumanCount, ProgressBar, ProgressStyle};

use super::INCOMPLETE;
use super::data::DataArgs;
use super::new_folder::NewFolder;
use super::stop::Stop;
use crate::archive::{Archive, LABEL_STATUSES, LinkedStudy, Linking, MapRow};
use crate::export::dataset::DatasetWriter;
use crate::export::segments::{FORMATS, Part, SegmentRow, Split};
use crate::imaging::npz;
use crate::label::Level;
use crate::link::{Reason, WINDOW};
use crate::store::{Action, ImageKeys, ReportKeys, StoreError};
use tables::{LinkRow, read_map, write_links, write_unlinked};
use truth::Truth;

const EXAMPLES: &str = "\
Studies are those that `segment --store` has kept. A report goes with a study by --map, else by
StudyInstanceUID, else by accession within its source, else by patient and date, where only one
of each fits; give `segment` the --source that reports were imported with. What fits several is
listed and never guessed. OUT gets
  manifest.csv, manifest.parquet, manifest.jsonl   a row a level: names, labels, opinions, split
  segments/       the crops of each level, as arrays of NumPy
  links.csv       which report goes with which study, why, and what is held back
  unlinked.csv    reports and studies without, each with the reason and what might fit
Labels are what reports say (of the status rules, fused, agreed or adjudicated) and, before that,
what people have seen on the image itself (seen).
What a report says is held back where it and the image have different levels, until someone
corrects the names or the report. OUT is written anew each time, whole or not at all.

The map is a CSV with the columns `study`, `report` and, where ids of reports are not unique,
`source`; a study that has no UID goes by the name it was segmented by, SOURCE/NAME where that was
done with a --source. With --keep the archive remembers it, so that the review page shows these
images, queues count them and `grade --cohort` finds them. A row whose `study` is - takes that
back; without --keep, what was kept of that report is passed over this once.

Examples:
  deepspine link -o training
  deepspine link -o training --status seen,agreed,adjudicated --split 70/15/15
  deepspine link -o training --map pairs.csv --keep
  deepspine link -o training --truth simulated/truth.csv";

/// Link reports to segmented studies and write a manifest of labelled segments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The folder of the manifest.
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,

    /// A CSV that says which report is of which study, before all else.
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,

    /// Keep what the map says in the archive, so that pages, queues and cohorts know these images too.
    #[arg(long, requires = "map")]
    keep: bool,

    /// A CSV of grades that are known otherwise, which become the labels in place of what reports say:
    /// study_uid, level, target, grade; such as truth.csv of `deepspine simulate studies`.
    #[arg(long, value_name = "FILE", conflicts_with = "status")]
    truth: Option<PathBuf>,

    /// How many days a report and a study of the same patient may be apart.
    #[arg(long, value_name = "DAYS", default_value_t = WINDOW)]
    window: u32,

    /// Only labels that are settled so; if not given, all.
    #[arg(long, value_delimiter = ',', value_parser = PossibleValuesParser::new(LABEL_STATUSES))]
    status: Vec<String>,

    /// Shares of patients for training, validation and testing.
    #[arg(long, value_name = "A/B/C", value_parser = super::shares, default_value = "80/10/10")]
    split: [u32; 3],

    /// Decides who is in which part; it does not change with those who come later.
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,

    #[command(flatten)]
    data: DataArgs,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let mut archive = args.data.open()?;
    let map = args.map.as_deref().map(read_map).transpose()?.unwrap_or_default();
    let (lines, map): (Vec<u64>, Vec<MapRow>) = map.into_iter().unzip();
    let truth = args.truth.as_deref().map(Truth::read).transpose()?;
    let linking = archive.link(&map, args.window)?;
    if let Some(path) = &args.map {
        for (row, why) in &linking.unused {
            eprintln!("skipped: `{}`, line {}: {why}", path.display(), lines[*row]);
        }
    }
    if args.keep {
        keep(&mut archive, &linking)?;
    }
    ensure!(
        !linking.studies.is_empty(),
        "`{}` has no segmented study; run `deepspine segment --store` first",
        args.data.folder().display()
    );
    let folder = folder::begin(&args.output)?;
    let unwritable = || format!("`{}` cannot be written", args.output.display());
    let done =
        Work::new(args, &archive, &linking, &folder, truth)?.all().with_context(unwritable)?;
    write_links(&folder.path().join(folder::LINKS), &linking, &done.links)
        .and_then(|()| write_unlinked(&folder.path().join(folder::UNLINKED), &linking))
        .with_context(unwritable)?;
    folder.complete().with_context(unwritable)?;
    archive.store_mut().write(|writer| {
        let what = (args.output.display().to_string(), done.segments);
        writer.audit(Action::Export, "manifest", &what)
    })?;
    done.sum_up(&linking);
    println!("{}", args.output.display());
    Ok(if linking.unused.is_empty() { ExitCode::SUCCESS } else { INCOMPLETE.into() })
}

/// Keeps what the map says and was not kept before: which report is of which study, and which goes by its
/// keys again.
fn keep(archive: &mut Archive, linking: &Linking) -> Result<()> {
    let kept: BTreeMap<u64, u64> = archive.store().kept_links()?.into_iter().collect();
    let said = linking.links.links.iter().filter(|link| link.reason == Reason::Map);
    let pairs = said.map(|link| (&linking.reports[link.report], &linking.studies[link.study]));
    let new: Vec<(&ReportKeys, &ImageKeys)> =
        pairs.filter(|(report, study)| kept.get(&report.number) != Some(&study.study)).collect();
    let numbers = linking.by_keys.iter().map(|&report| linking.reports[report].number);
    let taken_back: Vec<u64> = numbers.filter(|report| kept.contains_key(report)).collect();
    archive.store_mut().write(|writer| {
        for (report, study) in &new {
            writer.keep_link(report.number, study.study)?;
            writer.audit(Action::Link, &format!("report {}", report.number), &study.uids)?;
        }
        for &report in &taken_back {
            writer.forget_link(report)?;
            writer.audit(Action::Link, &format!("report {report}"), &"by its keys")?;
        }
        Ok::<(), StoreError>(())
    })?;
    let count = |number: usize| HumanCount(number as u64);
    eprintln!(
        "kept: {} reports with their studies, {} taken back",
        count(new.len()),
        count(taken_back.len())
    );
    Ok(())
}

/// What a manifest is written with.
struct Work<'a> {
    args: &'a Args,
    archive: &'a Archive,
    linking: &'a Linking,
    folder: &'a NewFolder,
    truth: Option<Truth>,
    writers: Vec<Box<dyn DatasetWriter<SegmentRow>>>,
    split: Split,
    done: Done,
}

/// What came of it.
#[derive(Default)]
struct Done {
    links: Vec<LinkRow>,
    studies: usize,
    segments: u64,
    /// Labels by how far they are settled.
    labels: BTreeMap<String, u64>,
    parts: BTreeMap<Part, u64>,
    disagree: usize,
    without_segments: usize,
}

impl<'a> Work<'a> {
    fn new(
        args: &'a Args,
        archive: &'a Archive,
        linking: &'a Linking,
        folder: &'a NewFolder,
        truth: Option<Truth>,
    ) -> Result<Self> {
        let create = |file: &str| File::create(folder.path().join(file));
        let writers = FORMATS
            .iter()
            .map(|format| format.create(Box::new(create(format.file)?)))
            .collect::<std::io::Result<_>>()?;
        let split = Split { shares: args.split, seed: args.seed };
        Ok(Self { args, archive, linking, folder, truth, writers, split, done: Done::default() })
    }

    /// Writes the rows of all linked studies.
    fn all(mut self) -> Result<Done> {
        let linking = self.linking;
        let mut of_studies: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (place, link) in linking.links.links.iter().enumerate() {
            of_studies.entry(link.study).or_default().push(place);
        }
        let template = "{bar:30} {pos}/{len} studies, {per_sec}, {eta} left";
        let bar = ProgressBar::new(of_studies.len() as u64)
            .with_style(ProgressStyle::with_template(template).expect("the template is valid"));
        let stop = Stop::listen()?;
        for (study, links) in of_studies {
            stop.here(|| {
                bar.finish_and_clear();
                self.folder.give_up();
                eprintln!("interrupted: `{}` was not written", self.args.output.display());
            });
            let reports: Vec<&ReportKeys> = links
                .iter()
                .map(|&place| &linking.reports[linking.links.links[place].report])
                .collect();
            let (segments, held_back) = self.study(&linking.studies[study], &reports)?;
            self.done.links.extend(links.into_iter().map(|place| LinkRow {
                place,
                segments,
                held_back: held_back.clone(),
            }));
            bar.inc(1);
        }
        bar.finish_and_clear();
        for writer in std::mem::take(&mut self.writers) {
            writer.finish()?;
        }
        Ok(self.done)
    }

    /// Writes the rows of a study, and returns how many there are, and why the study or what its reports
    /// say is held back.
    fn study(
        &mut self,
        study: &ImageKeys,
        reports: &[&ReportKeys],
    ) -> Result<(usize, Option<String>)> {
        let linked = self.archive.linked_study(study, reports)?;
        let held_back = linked.disagreement.as_ref().map(ToString::to_string);
        if held_back.is_some() {
            self.done.disagree += 1;
            // What is known otherwise hangs on the names of the levels, too.
            if self.truth.is_some() || !linked.has_label(|status| self.is_wanted(status)) {
                return Ok((0, held_back));
            }
        }
        let name = study.uids.first().map_or("", String::as_str);
        let Some(from) = self.archive.store().segments(name)? else {
            self.done.without_segments += 1;
            let remedy = "it has no segments; run `deepspine segment --store --again` on it";
            return Ok((0, Some(remedy.to_owned())));
        };
        let to = format!("{}/{}", folder::SEGMENTS, from_data(&from));
        std::fs::create_dir_all(self.folder.path().join(&to))?;
        let mut segments = 0;
        for (place, disc) in linked.naming.iter().enumerate() {
            let file = npz::file_name(place + 1);
            let Some(level) = disc.level.filter(|_| from.join(&file).is_file()) else { continue };
            let path = format!("{to}/{file}");
            self.folder.take(&from.join(&file), &path)?;
            let row = self.row(study, reports, &linked, (place, level), path);
            self.count(&row);
            self.writers.iter_mut().try_for_each(|writer| writer.write(&row))?;
            segments += 1;
        }
        self.done.studies += 1;
        Ok((segments, held_back))
    }

    fn is_wanted(&self, status: &str) -> bool {
        self.args.status.is_empty() || self.args.status.iter().any(|wanted| wanted == status)
    }

    fn row(
        &self,
        study: &ImageKeys,
        reports: &[&ReportKeys],
        linked: &LinkedStudy,
        (place, level): (usize, Level),
        segment: String,
    ) -> SegmentRow {
        let patient = patient(study, reports);
        let name = study.uids.first().cloned().unwrap_or_default();
        let targets = match &self.truth {
            Some(truth) => truth.targets(&name, level),
            None => linked.targets(level, |status| self.is_wanted(status)),
        };
        SegmentRow {
            study: name,
            level,
            ordinal: place as u8 + 1,
            name_probability: linked.naming[place].probability,
            split: self.split.part(&patient),
            patient,
            segment,
            targets,
        }
    }

    fn count(&mut self, row: &SegmentRow) {
        self.done.segments += 1;
        *self.done.parts.entry(row.split).or_default() += 1;
        for label in row.targets.iter().filter_map(|target| target.label.as_ref()) {
            *self.done.labels.entry(label.status.clone()).or_default() += 1;
        }
    }
}

/// What tells a patient from others: the report's, else the image's, else the study itself.
fn patient(study: &ImageKeys, reports: &[&ReportKeys]) -> String {
    let of_report =
        reports.iter().find_map(|report| Some((report.source.clone(), report.patient.clone()?)));
    match of_report.or_else(|| study.patient.clone()) {
        Some((source, patient)) if source.is_empty() => patient,
        Some((source, patient)) => format!("{source}/{patient}"),
        None => study.uids.first().cloned().unwrap_or_default(),
    }
}

/// A study's folder, from that of all segments on, without its run.
fn from_data(folder: &std::path::Path) -> String {
    let study = folder.parent().and_then(|study| study.file_name()).unwrap_or_default();
    study.to_string_lossy().into_owned()
}

impl Done {
    fn sum_up(&self, linking: &Linking) {
        let count = |number: usize| HumanCount(number as u64);
        let Linking { reports, studies, links, .. } = linking;
        eprintln!("reports: {}, segmented studies: {}", count(reports.len()), count(studies.len()));
        let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
        for link in &links.links {
            *reasons.entry(link.reason.name()).or_default() += 1;
        }
        let list = |of: Vec<String>| if of.is_empty() { "none".to_owned() } else { of.join(", ") };
        let by = reasons.iter().map(|(reason, of)| format!("{} by {reason}", count(*of)));
        eprintln!("reports linked: {} ({})", count(links.links.len()), list(by.collect()));
        let ambiguous = links.unlinked.iter().filter(|(_, why)| why.is_ambiguous()).count();
        eprintln!(
            "reports that are ambiguous: {}, without a study: {}; studies without a report: {}",
            count(ambiguous),
            count(links.unlinked.len() - ambiguous),
            count(links.studies.len())
        );
        eprintln!(
            "studies held back: {} whose text and image have different levels (but for what people have \
             seen), {} without segments",
            count(self.disagree),
            count(self.without_segments)
        );
        let parts = self.parts.iter().map(|(part, of)| format!("{} {part}", HumanCount(*of)));
        eprintln!(
            "studies written: {}, segments: {} ({})",
            count(self.studies),
            HumanCount(self.segments),
            list(parts.collect())
        );
        let labels = self.labels.iter().rev();
        let labels = labels.map(|(status, of)| format!("{} {status}", HumanCount(*of)));
        eprintln!("labels: {}", list(labels.collect()));
    }
}
