//! The images that a report is about, and what people see on them.

use rusqlite::Connection;

use super::kept_link::study_of;
use super::naming::{NAMES, level, newest_run};
use super::reading::{current_readings_of, repeated_reading_of};
use super::{Body, CurrentReading, Store, StoreError, Writer};
use crate::label::{
    Cell, Certainty, Evidence, Level, Mode, Opinion, Reader, ReaderKind, Target, Verdict,
};

/// The newest run of the study that a report is about.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyImages {
    /// The study.
    pub study: u64,
    /// The run.
    pub run: u32,
    /// Its discs, from the lowest up.
    pub discs: Vec<DiscReadings>,
}

/// A disc, and what everyone says of it.
#[derive(Debug, Clone, PartialEq)]
pub struct DiscReadings {
    /// Upward from the lowest, which is 0.
    pub ordinal: u8,
    /// What it is called in the newest naming.
    pub level: Option<Level>,
    /// What stands of everyone who has read it, oldest first; of who looks again, what they see now.
    pub readings: Vec<CurrentReading>,
}

/// What a person sees at a disc.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The study.
    pub study: u64,
    /// The run, which has to be the newest.
    pub run: u32,
    /// The disc, upward from the lowest, which is 0.
    pub ordinal: u8,
    /// The targets that are graded.
    pub targets: &'a [Target],
    /// How. *Not mentioned* takes back what was said before.
    pub verdict: Verdict,
    /// Whether it settles what the image shows.
    pub mode: Mode,
    /// Since when they look again without being told so: what they said of the disc before then stands,
    /// and what they see now is kept apart.
    pub again_since: Option<&'a str>,
}

impl Store {
    /// The images of the study that a report is about; none where it was never segmented.
    ///
    /// # Errors
    /// Those of the database, and damage.
    pub fn images(&self, report: u64) -> Result<Option<StudyImages>, StoreError> {
        match study_of(&self.connection, report)? {
            Some(study) => self.study_images(study),
            None => Ok(None),
        }
    }

    /// The same for a person who looks again without being told so: of what they said there is only what
    /// they have seen since then.
    ///
    /// # Errors
    /// Those of the database, and damage.
    pub fn images_again(
        &self,
        report: u64,
        person: &str,
        since: &str,
    ) -> Result<Option<StudyImages>, StoreError> {
        let Some(study) = study_of(&self.connection, report)? else { return Ok(None) };
        self.study_images_of(study, |subject| {
            let mut readings = current_readings_of(&self.connection, subject)?;
            readings.retain(|reading| !(is_of(reading, person) && reading.at.as_str() < since));
            readings.extend(repeated_reading_of(&self.connection, subject, person, since)?);
            Ok(readings)
        })
    }

    /// The images of a study; none where it was never segmented.
    ///
    /// # Errors
    /// Those of the database, and damage.
    pub fn study_images(&self, study: u64) -> Result<Option<StudyImages>, StoreError> {
        self.study_images_of(study, |subject| current_readings_of(&self.connection, subject))
    }

    /// The images of a study with what is read of each disc, which is a subject.
    fn study_images_of(
        &self,
        study: u64,
        readings: impl Fn(u64) -> Result<Vec<CurrentReading>, StoreError>,
    ) -> Result<Option<StudyImages>, StoreError> {
        let Some(run) = newest_run(&self.connection, study)? else { return Ok(None) };
        let mut find = self.connection.prepare_cached(NAMES)?;
        let discs = find.query_and_then((study, run), |row| {
            Ok(DiscReadings {
                ordinal: row.get(3)?,
                level: level(row.get(0)?)?,
                readings: readings(row.get(2)?)?,
            })
        })?;
        Ok(Some(StudyImages { study, run, discs: discs.collect::<Result<_, StoreError>>()? }))
    }
}

impl Writer<'_> {
    /// What a study goes by, and how many discs this run of it has; none where that is not its newest.
    ///
    /// # Errors
    /// Those of the database.
    pub fn newest_discs(
        &self,
        study: u64,
        run: u32,
    ) -> Result<Option<(String, usize)>, StoreError> {
        if newest_run(&self.transaction, study)? != Some(run) {
            return Ok(None);
        }
        let mut find = self.transaction.prepare_cached(
            "SELECT min(u.uid), (SELECT count(*) FROM subjects WHERE study = ?1 AND run = ?2)
             FROM study_uids u WHERE u.study = ?1",
        )?;
        let found = find.query_row((study, run), |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Some(found))
    }

    /// Adds to what a person sees at a disc, as a new reading of theirs, and derives what the image
    /// shows. False where the run is not the study's newest, or has no such disc with a name.
    ///
    /// # Errors
    /// Those of the database, and damage.
    pub fn see(&self, person: &Reader, seen: &Seen<'_>) -> Result<bool, StoreError> {
        let Seen { study, run, ordinal, .. } = *seen;
        if newest_run(&self.transaction, study)? != Some(run) {
            return Ok(false);
        }
        let Some((subject, level)) = named_disc(&self.transaction, study, run, ordinal)? else {
            return Ok(false);
        };
        let reader = self.reader(person)?;
        let (mode, before) = self.seen_before(subject, &person.name, seen)?;
        let mut body = before.map_or_else(Body::default, |reading| reading.body);
        body.opinions.retain(|opinion| !seen.targets.contains(&opinion.cell.target));
        if seen.verdict != Verdict::NotMentioned {
            let targets = seen.targets.iter();
            body.opinions.extend(targets.map(|&target| said(Cell { level, target }, seen.verdict)));
        }
        body.opinions.sort_by_key(|opinion| opinion.cell.index());
        self.add_disc_reading(subject, reader, Some(mode), &body)?;
        self.label_image(study)?;
        Ok(true)
    }

    /// How what a person sees at a disc is kept, and what they said before that it adds to.
    fn seen_before(
        &self,
        subject: u64,
        person: &str,
        seen: &Seen<'_>,
    ) -> Result<(Mode, Option<CurrentReading>), StoreError> {
        let mut own = current_readings_of(&self.transaction, subject)?;
        own.retain(|reading| is_of(reading, person));
        if let Some(since) = seen.again_since
            && own.iter().any(|reading| reading.at.as_str() < since)
        {
            let before = repeated_reading_of(&self.transaction, subject, person, since)?;
            return Ok((Mode::Repeat, before));
        }
        let adjudicates = seen.mode == Mode::Adjudication;
        Ok((seen.mode, own.into_iter().find(|reading| reading.adjudicates == adjudicates)))
    }
}

fn is_of(reading: &CurrentReading, person: &str) -> bool {
    reading.kind == ReaderKind::Person && reading.name == person
}

fn said(cell: Cell, verdict: Verdict) -> Opinion {
    Opinion {
        cell,
        verdict,
        certainty: Certainty::Stated,
        conflict: false,
        distribution: None,
        doubt: None,
        evidence: Evidence::Spans(Vec::new()),
    }
}

/// The subject that a disc is, and its name.
fn named_disc(
    database: &Connection,
    study: u64,
    run: u32,
    ordinal: u8,
) -> Result<Option<(u64, Level)>, StoreError> {
    let mut find = database.prepare_cached(NAMES)?;
    let mut rows = find.query((study, run))?;
    while let Some(row) = rows.next()? {
        if row.get::<_, u8>(3)? == ordinal {
            let subject = row.get(2)?;
            return Ok(level(row.get(0)?)?.map(|level| (subject, level)));
        }
    }
    Ok(None)
}
