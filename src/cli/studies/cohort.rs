//! Cohorts graded out of the archive: the segments that it keeps, under the names that now stand.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use rayon::prelude::*;

use super::grades::{self, Graded, GradedLevel};
use super::store::keep_grades;
use super::{Grading, RECORD, StudyArgs, Table, made_output, progress, stopped};
use crate::archive::Archive;
use crate::cli::stop::Stop;
use crate::imaging::{Segment, npz};
use crate::label::{Level, Reader, ReaderKind};
use crate::pipeline::grading::{grade, graded_disc, grader_reader};
use crate::pipeline::study::GraderRecord;
use crate::store::{Body, DiscReadings, NamedDisc, StudyImages, owner_only};

/// Grades the segmented studies of a cohort.
pub(in crate::cli) fn run_cohort(
    args: &StudyArgs,
    cohort: &str,
    grading: &Grading,
) -> Result<ExitCode> {
    let archive = args.data.open()?;
    let images = archive.cohort_images(cohort)?;
    let output = made_output(args, "cohort-graded")?;
    let bar = progress(images.studies.len());
    let reader = grader_reader(&grading.grader);
    let mut work = Work { args, archive, grading, reader, output };
    let mut table = Table { failed: images.without, ..Table::default() };
    let all = images.studies.len() + table.failed.len();
    for (report, why) in &table.failed {
        eprintln!("not graded: report `{report}`: {why}");
    }
    let stop = Stop::listen()?;
    let mut folders = Vec::new();
    for study in &images.studies {
        // Between studies nothing is half done.
        stop.here(|| stopped(&bar));
        let name = study.uids.first().map_or("", String::as_str);
        bar.set_message(name.to_owned());
        match work.one(study.study, name) {
            Ok((folder, is_new)) => {
                folders.push(folder);
                *(if is_new { &mut table.sure } else { &mut table.kept }) += 1;
            }
            Err(error) => {
                bar.suspend(|| eprintln!("not graded: `{name}`: {error:#}"));
                table.failed.push((name.to_owned(), format!("{error:#}")));
            }
        }
        bar.inc(1);
    }
    let seconds = bar.elapsed().as_secs_f64();
    bar.finish_and_clear();
    table.write(&work.output.join("failures.csv"))?;
    let record_of = |folder: &str| work.output.join(folder).join(RECORD);
    grades::write(&work.output, folders.iter().map(String::as_str), record_of)?;
    eprintln!(
        "{} of the studies of `{cohort}` graded in {seconds:.1} s; {} were there already, {} failed",
        table.sure,
        table.kept,
        table.failed.len()
    );
    println!("{}", work.output.display());
    Ok(table.exit_code(all))
}

/// What every study is graded with.
struct Work<'a> {
    args: &'a StudyArgs,
    archive: Archive,
    grading: &'a Grading,
    reader: Reader,
    output: PathBuf,
}

impl Work<'_> {
    /// Grades a study, keeps that if asked to, and leaves its record. Returns the folder of the record
    /// within the output, and whether it was not there already.
    fn one(&mut self, study: u64, name: &str) -> Result<(String, bool)> {
        let store = self.archive.store();
        let images = store.study_images(study)?.context("it has no segmented discs")?;
        let segments = store.segments_of_run(study, images.run)?;
        let segments = segments
            .context("it has no segments; run `deepspine segment --store --again` on it")?;
        let home = segments.parent().and_then(Path::file_name).unwrap_or_default();
        let folder = home.to_string_lossy().into_owned();
        let record = self.output.join(&folder).join(RECORD);
        let mut graded = self.ungraded(study, name, &images)?;
        if !self.args.again && is_done(&record, &graded) {
            return Ok((folder, false));
        }
        let discs = read_segments(&segments, &images)?;
        let levels: Vec<(Option<Level>, &Segment)> =
            images.discs.iter().zip(&discs).map(|(disc, segment)| (disc.level, segment)).collect();
        let grades = grade(&self.grading.grader, &levels, self.grading.coverage);
        if self.args.store {
            let discs = images.discs.iter().zip(&grades);
            let bodies: Vec<Body> =
                discs.map(|(disc, of)| graded_disc(disc.level, of, &measured(disc))).collect();
            let (run, reader) = (images.run, &self.reader);
            let store = self.archive.store_mut();
            store.write(|writer| keep_grades(writer, (name, run), reader, &bodies))?;
        }
        for (level, grades) in graded.levels.iter_mut().rev().zip(grades) {
            level.grades = grades;
        }
        let unwritable = || format!("`{}` cannot be written", record.display());
        write(&record, &graded).with_context(unwritable)?;
        Ok((folder, true))
    }

    /// The record of a study, from head to foot, without its grades.
    fn ungraded(&self, study: u64, name: &str, images: &StudyImages) -> Result<Graded> {
        let named = self.archive.store().naming(study)?;
        let level = |(disc, NamedDisc { level, probability }): (&DiscReadings, _)| {
            let central = measured(disc).opinions.first().and_then(|of| of.verdict.grade());
            let ordinal = disc.ordinal + 1;
            GradedLevel { ordinal, level, confidence: probability, central, grades: Vec::new() }
        };
        Ok(Graded {
            study_uid: None,
            study: name.to_owned(),
            run: Some(images.run),
            levels: images.discs.iter().zip(named).map(level).rev().collect(),
            grader: GraderRecord::new(&self.grading.grader, self.grading.coverage),
        })
    }
}

/// What was measured at a disc.
fn measured(disc: &DiscReadings) -> Body {
    let measured = disc.readings.iter().find(|reading| reading.kind == ReaderKind::Measurement);
    measured.map(|reading| reading.body.clone()).unwrap_or_default()
}

/// Whether there is a record by the same grader, of the discs of the same run under the same names.
fn is_done(record: &Path, wanted: &Graded) -> bool {
    let Ok(file) = File::open(record) else { return false };
    let Ok(there) = serde_json::from_reader::<_, Graded>(BufReader::new(file)) else {
        return false;
    };
    let names = |of: &Graded| of.levels.iter().map(|level| level.level).collect::<Vec<_>>();
    let made_of = |of: &Graded| (of.grader.clone(), of.run, names(of));
    made_of(&there) == made_of(wanted)
}

/// The segments of discs, from the lowest up. Those of levels that are not graded are not read.
fn read_segments(folder: &Path, images: &StudyImages) -> Result<Vec<Segment>> {
    let read = |disc: &DiscReadings| {
        if !disc.level.is_some_and(Level::is_lumbar) {
            return Ok(Segment::default());
        }
        let path = folder.join(npz::file_name(usize::from(disc.ordinal) + 1));
        let unreadable = || format!("`{}` cannot be read", path.display());
        let file = File::open(&path).with_context(unreadable)?;
        npz::read(BufReader::new(file)).with_context(unreadable)
    };
    images.discs.par_iter().map(read).collect()
}

/// Writes a record, whole or not at all.
fn write(path: &Path, graded: &Graded) -> Result<()> {
    let part = path.with_extension("part");
    owner_only().recursive(true).create(path.parent().unwrap_or(Path::new("")))?;
    let mut file = File::create(&part)?;
    serde_json::to_writer_pretty(&mut file, graded)?;
    file.sync_all()?;
    Ok(fs::rename(part, path)?)
}
