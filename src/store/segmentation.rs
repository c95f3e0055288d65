//! Segmentation runs of studies: their discs, what these are called, and what was measured at them.

use rusqlite::OptionalExtension;

use super::naming::{level, newest_run};
use super::{Body, ReaderId, Store, StoreError, StudyKeys, Writer, code};
use crate::imaging::geometry::Lps;
use crate::imaging::spine::LevelMeasures;
use crate::label::{Level, Mode, Reader, Target, Verdict};

/// What a segmentation made of a study, about to be kept.
#[derive(Debug, Clone, Copy)]
pub struct NewRun<'a> {
    /// Within which accession numbers are unique.
    pub source: &'a str,
    /// What the study goes by.
    pub keys: StudyKeys<'a>,
    /// The patient's id within the source.
    pub patient: Option<&'a str>,
    /// The day of the study, ISO 8601.
    pub date: Option<&'a str>,
    /// Who segmented, named and measured.
    pub reader: &'a Reader,
    /// From the lowest up.
    pub discs: &'a [NewDisc],
}

/// A disc of a study, about to be kept.
#[derive(Debug, Clone, PartialEq)]
pub struct NewDisc {
    /// What it is called, if anything.
    pub level: Option<Level>,
    /// How probably it is called so.
    pub probability: Option<f64>,
    /// Its middle.
    pub centre: Lps,
    /// What was measured, and what that means.
    pub body: Body,
}

/// What became of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is the run of this number of the study, from 1.
    New(u32),
    /// The study's newest run is by the same reader and found the same.
    Same(u32),
}

/// A disc of a study's newest run.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredDisc {
    /// Upward from the lowest, which is 0.
    pub ordinal: u8,
    /// What it is called in the newest naming.
    pub level: Option<Level>,
    /// What was measured at it.
    pub measures: Option<LevelMeasures>,
    /// How narrow the image shows its canal to be.
    pub central: Option<Verdict>,
}

impl Writer<'_> {
    /// Keeps a run: a subject for each disc, a naming, and a reading of each disc; what people said of the
    /// run before stays at the same discs. What was kept already is not kept again.
    ///
    /// # Errors
    /// Those of the database, and damage.
    pub fn add_run(&self, run: &NewRun<'_>) -> Result<Kept, StoreError> {
        let source = self.source(run.source)?;
        let study = self.study(source, run.keys, None)?;
        self.describe_study(study, source, run)?;
        let reader = self.reader(run.reader)?;
        let last = newest_run(&self.transaction, study)?;
        if let Some(last) = last
            && self.is_same_run(study, last, reader.version, run.discs)?
        {
            self.place_discs(study, last, run.discs)?;
            return Ok(Kept::Same(last));
        }
        let number = last.unwrap_or(0) + 1;
        let names = run.discs.iter().map(|disc| disc.level.map(|name| (name, disc.probability)));
        self.add_naming(study, number, reader, names)?;
        for (ordinal, disc) in run.discs.iter().enumerate() {
            let [x, y, z] = disc.centre;
            self.transaction
                .prepare_cached(
                    "INSERT INTO subjects (study, run, ordinal, x, y, z)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )?
                .execute((study, number, ordinal, x, y, z))?;
            let subject = self.transaction.last_insert_rowid() as u64;
            self.add_disc_reading(subject, reader, None, &disc.body)?;
        }
        self.carry_over(study, number)?;
        self.label_image(study)?;
        Ok(Kept::New(number))
    }

    /// Tells where the discs of a run are that was kept before that was.
    fn place_discs(&self, study: u64, run: u32, discs: &[NewDisc]) -> Result<(), StoreError> {
        let mut place = self.transaction.prepare_cached(
            "UPDATE subjects SET x = ?4, y = ?5, z = ?6
             WHERE study = ?1 AND run = ?2 AND ordinal = ?3 AND x IS NULL",
        )?;
        for (ordinal, NewDisc { centre: [x, y, z], .. }) in discs.iter().enumerate() {
            place.execute((study, run, ordinal, x, y, z))?;
        }
        Ok(())
    }

    /// Keeps what another reader says of each disc of a run, from the lowest up, and derives what the
    /// image shows. Tells whether that is new: what stands of the reader already is not kept again.
    ///
    /// # Errors
    /// Those of the database, and where there is no such study.
    pub fn read_discs(
        &self,
        study_uid: &str,
        run: u32,
        reader: &Reader,
        bodies: &[Body],
    ) -> Result<bool, StoreError> {
        let (study, reader) = (self.known_study(study_uid)?, self.reader(reader)?);
        let mut find = self.transaction.prepare_cached(
            "SELECT s.id, d.body FROM subjects s
             LEFT JOIN current_readings c ON c.subject = s.id AND c.reader = ?3
             LEFT JOIN readings d ON d.id = c.reading AND d.reader = ?4
             WHERE s.study = ?1 AND s.run = ?2 ORDER BY s.ordinal",
        )?;
        let known: Vec<(u64, Option<Vec<u8>>)> = find
            .query_map((study, run, reader.reader, reader.version), |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?
            .collect::<Result<_, _>>()?;
        let mut is_new = false;
        for ((subject, known), body) in known.into_iter().zip(bodies) {
            if known.as_ref() != Some(&body.pack()) {
                self.add_disc_reading(subject, reader, None, body)?;
                is_new = true;
            }
        }
        if is_new {
            self.label_image(study)?;
        }
        Ok(is_new)
    }

    /// Adds a reading of a disc, which stands from now on for its reader.
    pub(super) fn add_disc_reading(
        &self,
        subject: u64,
        reader: ReaderId,
        mode: Option<Mode>,
        body: &Body,
    ) -> Result<(), StoreError> {
        self.add_disc_reading_of(&self.now, subject, reader, mode, body)
    }

    /// The same for a reading that was made at another time, in RFC 3339.
    pub(super) fn add_disc_reading_of(
        &self,
        at: &str,
        subject: u64,
        reader: ReaderId,
        mode: Option<Mode>,
        body: &Body,
    ) -> Result<(), StoreError> {
        self.transaction
            .prepare_cached(
                "INSERT INTO readings (subject, reader, at, mode, body)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((subject, reader.version, at, mode.map(Mode::name), body.pack()))?;
        let reading = self.transaction.last_insert_rowid() as u64;
        // What was seen again in a hidden repeat does not stand for its reader.
        if mode == Some(Mode::Repeat) {
            return Ok(());
        }
        self.make_current(subject, reader.reader, mode == Some(Mode::Adjudication), reading)?;
        self.put_opinions(reading, &body.opinions.iter().map(Into::into).collect::<Vec<_>>())
    }

    /// Keeps whose study it is, and when it was made, as far as its images say.
    fn describe_study(&self, study: u64, source: u64, run: &NewRun<'_>) -> Result<(), StoreError> {
        let patient = run.patient.map(|key| self.patient(source, key)).transpose()?;
        self.transaction
            .prepare_cached(
                "UPDATE studies SET patient = ifnull(?2, patient),
                                    study_date = ifnull(?3, study_date)
                 WHERE id = ?1",
            )?
            .execute((study, patient, run.date))?;
        Ok(())
    }

    /// Whether a run was by the same reader, who called the discs the same and read the same.
    fn is_same_run(
        &self,
        study: u64,
        run: u32,
        reader: u64,
        discs: &[NewDisc],
    ) -> Result<bool, StoreError> {
        let mut find = self.transaction.prepare_cached(
            "SELECT l.level, d.body FROM subjects s
             JOIN namings n ON n.study = s.study AND n.run = s.run AND n.version = 1
             JOIN readings d ON d.subject = s.id AND d.reader = ?3 AND n.reader = ?3
             LEFT JOIN naming_levels l ON l.naming = n.id AND l.ordinal = s.ordinal
             WHERE s.study = ?1 AND s.run = ?2 ORDER BY s.ordinal",
        )?;
        let known: Vec<(Option<Level>, Vec<u8>)> = find
            .query_and_then((study, run, reader), |row| {
                Ok::<_, StoreError>((level(row.get(0)?)?, row.get(1)?))
            })?
            .collect::<Result<_, _>>()?;
        // Numbers may not be what they were after JSON, but their bytes are.
        let same = |(known, disc): (&(Option<Level>, Vec<u8>), &NewDisc)| {
            known.0 == disc.level && known.1 == disc.body.pack()
        };
        Ok(known.len() == discs.len() && known.iter().zip(discs).all(same))
    }
}

impl Store {
    /// The discs of the newest run of a study, from the lowest up; none where it was never segmented.
    ///
    /// # Errors
    /// Those of the database, and damage.
    pub fn discs(&self, study_uid: &str) -> Result<Vec<StoredDisc>, StoreError> {
        let mut find =
            self.connection.prepare_cached("SELECT study FROM study_uids WHERE uid = ?1")?;
        let study: Option<u64> = find.query_row([study_uid], |row| row.get(0)).optional()?;
        let Some(study) = study else { return Ok(Vec::new()) };
        let mut find = self.connection.prepare_cached(
            "SELECT s.ordinal, l.level, d.body, i.verdict FROM subjects s
             JOIN namings n ON n.study = s.study AND n.run = s.run
             JOIN current_readings c ON c.subject = s.id
             JOIN readings d ON d.id = c.reading
             JOIN readers e ON e.id = c.reader AND e.kind = 'measurement'
             LEFT JOIN naming_levels l ON l.naming = n.id AND l.ordinal = s.ordinal
             LEFT JOIN image_labels i ON i.study = s.study AND i.cell = l.level * ?2 + ?3
             WHERE s.study = ?1
               AND s.run = (SELECT max(run) FROM namings WHERE study = ?1)
               AND n.version =
                   (SELECT max(version) FROM namings WHERE study = ?1 AND run = s.run)
             ORDER BY s.ordinal",
        )?;
        let central = Target::Central as u8;
        find.query_and_then((study, code::TARGETS_PER_LEVEL, central), |row| {
            let packed: Vec<u8> = row.get(2)?;
            let verdict: Option<u8> = row.get(3)?;
            Ok(StoredDisc {
                ordinal: row.get(0)?,
                level: level(row.get(1)?)?,
                measures: Body::unpack(&packed)?.measures,
                central: verdict.map(code::to_verdict).transpose()?,
            })
        })?
        .collect()
    }
}
