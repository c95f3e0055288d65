//! What `--store` keeps of a study.

use anyhow::{Result, ensure};

use crate::archive::Archive;
use crate::imaging::overview::Overview;
use crate::imaging::spine::Thresholds;
use crate::imaging::{Cut, Segment};
use crate::label::Reader;
use crate::pipeline::grading::{TargetGrade, graded_disc};
use crate::pipeline::measurement::measured_discs;
use crate::pipeline::study::{Record, Segmented};
use crate::store::{Action, Body, Kept, NewRun, StoreError, StudyKeys, Writer};

/// The archive that studies are kept in, and who measures and grades them.
pub(super) struct Keeper {
    pub(super) archive: Archive,
    /// Within which accession numbers are unique.
    pub(super) source: String,
    pub(super) measurement: Reader,
    pub(super) grader: Option<Reader>,
}

impl Keeper {
    /// Keeps a study's discs, names, measures, segments and, where it was graded, the grades of each disc
    /// from the lowest up. A study without a StudyInstanceUID goes by its name within its source.
    pub(super) fn keep(
        &mut self,
        record: &Record,
        found: &Segmented<'_>,
        thresholds: &Thresholds,
        cuts: &[Cut],
        grades: Option<&[Vec<TargetGrade>]>,
    ) -> Result<()> {
        let discs = measured_discs(found, thresholds);
        ensure!(discs.len() < usize::from(u8::MAX), "it has more discs than any spine");
        let protocol = &found.series.protocol;
        // Two sources may each have a study of the same name.
        let named = match self.source.as_str() {
            "" => record.study.clone(),
            source => format!("{source}/{}", record.study),
        };
        let uid = protocol.study.as_deref().unwrap_or(&named);
        let keys = StudyKeys { uid: Some(uid), accession: protocol.accession.as_deref() };
        let date = protocol.date.as_deref().and_then(day);
        let run = NewRun {
            source: &self.source,
            keys,
            patient: protocol.patient.as_deref(),
            date: date.as_deref(),
            reader: &self.measurement,
            discs: &discs,
        };
        let store = self.archive.store_mut();
        let segments: Vec<&Segment> = cuts.iter().map(|cut| &cut.segment).collect();
        let written = store.write_segments(uid, &segments)?;
        written.add(&Overview::of(found.volume, &found.parts, &found.spine.column))?;
        store.write(|writer| {
            let (number, is_new) = match writer.add_run(&run)? {
                Kept::New(number) => (number, true),
                Kept::Same(number) => (number, false),
            };
            if is_new {
                writer.audit(Action::Segment, uid, &serde_json::json!({ "run": number }))?;
            }
            if let Some((grader, grades)) = self.grader.as_ref().zip(grades) {
                let discs = discs.iter().zip(grades);
                let graded = discs.map(|(disc, of)| graded_disc(disc.level, of, &disc.body));
                keep_grades(writer, (uid, number), grader, &graded.collect::<Vec<_>>())?;
            }
            writer.keep_segments(uid, number, &written)
        })?;
        Ok(())
    }
}

/// Keeps what a grader reads at each disc of a run of a study, from the lowest up.
pub(super) fn keep_grades(
    writer: &Writer<'_>,
    (study_uid, run): (&str, u32),
    grader: &Reader,
    bodies: &[Body],
) -> Result<(), StoreError> {
    if writer.read_discs(study_uid, run, grader, bodies)? {
        writer.audit(Action::Grade, study_uid, &serde_json::json!({ "run": run }))?;
    }
    Ok(())
}

/// A day as DICOM writes it, in ISO 8601; none where it is no day.
fn day(date: &str) -> Option<String> {
    jiff::civil::Date::strptime("%Y%m%d", date).ok().map(|day| day.to_string())
}
