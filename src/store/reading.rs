//! Readers and their readings, which are only ever added.

use rusqlite::{Connection, OptionalExtension, Row};

use super::{Body, Store, StoreError, Writer, code};
use crate::label::{CellLabel, Context, Mode, Reader, ReaderKind, Verdict};

/// A reader in one of its versions, as the archive numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReaderId {
    /// The reader, whatever its version.
    pub reader: u64,
    /// The reader in this version.
    pub version: u64,
    /// What kind of reader.
    pub kind: ReaderKind,
}

/// A reading of a report, about to be added.
#[derive(Debug, Clone, Copy)]
pub struct NewReading<'a> {
    /// Who has read.
    pub reader: ReaderId,
    /// When, in RFC 3339; now if not given.
    pub at: Option<&'a str>,
    /// The circumstances, for people.
    pub context: Option<&'a Context>,
    /// What was read.
    pub body: &'a Body,
    /// The same, packed; packing takes longer than storing and needs no lock.
    pub packed: &'a [u8],
}

/// A reading as the archive lists it.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadingRow {
    /// Its number.
    pub id: u64,
    /// Who read.
    pub reader: Reader,
    /// The version of the text that was read, by number from 1.
    pub version: u32,
    /// When, in RFC 3339.
    pub at: String,
    /// The circumstances, for people.
    pub context: Option<Context>,
    /// What was read.
    pub body: Body,
}

/// A reading that stands for its reader.
#[derive(Debug, Clone, PartialEq)]
pub struct CurrentReading {
    /// Its number.
    pub id: u64,
    /// What kind of reader.
    pub kind: ReaderKind,
    /// Who.
    pub name: String,
    /// Whether it settles the report.
    pub adjudicates: bool,
    /// When, in RFC 3339.
    pub at: String,
    /// What was read.
    pub body: Body,
}

/// What stands of everyone who has read a version of a report, oldest first.
fn current_readings(
    database: &Connection,
    version: u64,
) -> Result<Vec<CurrentReading>, StoreError> {
    let mut find = database.prepare_cached("SELECT id FROM subjects WHERE report_version = ?1")?;
    let subject: Option<u64> = find.query_row([version], |row| row.get(0)).optional()?;
    subject.map_or_else(|| Ok(Vec::new()), |subject| current_readings_of(database, subject))
}

/// What stands of everyone who has read a subject, oldest first.
pub(super) fn current_readings_of(
    database: &Connection,
    subject: u64,
) -> Result<Vec<CurrentReading>, StoreError> {
    let mut find = database.prepare_cached(
        "SELECT d.id, e.kind, e.name, c.adjudicates, d.at, d.body FROM current_readings c
         JOIN readings d ON d.id = c.reading
         JOIN readers e ON e.id = c.reader
         WHERE c.subject = ?1 ORDER BY d.id",
    )?;
    find.query_and_then([subject], current_reading)?.collect()
}

/// What a person read last of a subject, since then, when they read it again without being told so. It
/// does not stand for them.
pub(super) fn repeated_reading_of(
    database: &Connection,
    subject: u64,
    person: &str,
    since: &str,
) -> Result<Option<CurrentReading>, StoreError> {
    let mut find = database.prepare_cached(
        "SELECT d.id, e.kind, e.name, 0, d.at, d.body FROM readings d
         JOIN reader_versions w ON w.id = d.reader
         JOIN readers e ON e.id = w.reader
         WHERE d.subject = ?1 AND d.mode = ?2 AND e.kind = ?3 AND e.name = ?4 AND d.at >= ?5
         ORDER BY d.id DESC LIMIT 1",
    )?;
    let who = (subject, Mode::Repeat.name(), ReaderKind::Person.name(), person, since);
    find.query_and_then(who, current_reading)?.next().transpose()
}

fn current_reading(row: &Row<'_>) -> Result<CurrentReading, StoreError> {
    let kind: String = row.get(1)?;
    let packed: Vec<u8> = row.get(5)?;
    Ok(CurrentReading {
        id: row.get(0)?,
        kind: kind.parse().map_err(|_| StoreError::Damaged(format!("reader `{kind}`")))?,
        name: row.get(2)?,
        adjudicates: row.get(3)?,
        at: row.get(4)?,
        body: Body::unpack(&packed)?,
    })
}

impl Writer<'_> {
    /// What stands of everyone who has read a version of a report, oldest first.
    ///
    /// # Errors
    /// Those of the database, and damage.
    pub fn current_readings(&self, version: u64) -> Result<Vec<CurrentReading>, StoreError> {
        current_readings(&self.transaction, version)
    }

    /// The number of a reader, who is made known where not known yet.
    ///
    /// # Errors
    /// Those of the database.
    pub fn reader(&self, reader: &Reader) -> Result<ReaderId, StoreError> {
        let id = self.find_or_make(
            "SELECT id FROM readers WHERE kind = ?1 AND name = ?2",
            "INSERT INTO readers (kind, name) VALUES (?1, ?2)",
            (reader.kind.name(), &reader.name),
        )?;
        let version = self.find_or_make(
            "SELECT id FROM reader_versions WHERE reader = ?1 AND version = ?2 AND content_hash = ?3",
            "INSERT INTO reader_versions (reader, version, content_hash) VALUES (?1, ?2, ?3)",
            (id, &reader.version, &reader.content_hash),
        )?;
        Ok(ReaderId { reader: id, version, kind: reader.kind })
    }

    /// Whether a reader in this version has read a subject already.
    ///
    /// # Errors
    /// Those of the database.
    pub fn has_read(&self, reader: ReaderId, subject: u64) -> Result<bool, StoreError> {
        let mut find = self.transaction.prepare_cached(
            "SELECT 1 FROM current_readings c JOIN readings r ON r.id = c.reading
             WHERE c.subject = ?1 AND c.reader = ?2 AND r.reader = ?3",
        )?;
        Ok(find.exists((subject, reader.reader, reader.version))?)
    }

    /// The opinions of a reader's current reading of a subject, in the order of cells; none where
    /// it has none.
    ///
    /// # Errors
    /// Those of the database.
    pub fn current_opinions(
        &self,
        reader: ReaderId,
        subject: u64,
    ) -> Result<Vec<CellLabel>, StoreError> {
        let mut find = self.transaction.prepare_cached(
            "SELECT o.cell, o.verdict, o.certainty, o.conflict
             FROM current_readings c JOIN opinions o ON o.reading = c.reading
             WHERE c.subject = ?1 AND c.reader = ?2 ORDER BY o.cell",
        )?;
        find.query_and_then((subject, reader.reader), |row| code::to_cell_label(row, 0))?.collect()
    }

    /// Whether a reader's current reading of the report's present version says just that, in the
    /// same circumstances.
    ///
    /// # Errors
    /// Those of the database, and damage.
    pub fn says_the_same(
        &self,
        reader: ReaderId,
        report: u64,
        context: &Context,
        body: &Body,
    ) -> Result<bool, StoreError> {
        let mut find = self.transaction.prepare_cached(
            "SELECT d.body FROM reports r
             JOIN subjects s ON s.report_version = r.version
             JOIN current_readings c ON c.subject = s.id
             JOIN readings d ON d.id = c.reading
             WHERE r.id = ?1 AND c.reader = ?2 AND d.mode = ?3",
        )?;
        let mut rows = find.query((report, reader.reader, context.mode.name()))?;
        while let Some(row) = rows.next()? {
            let packed: Vec<u8> = row.get(0)?;
            if Body::unpack(&packed)? == *body {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Adds a reading of a report's version. It stands from now on for its reader, and the
    /// report's label follows.
    ///
    /// # Errors
    /// Those of the database.
    pub fn add_reading(
        &self,
        report: u64,
        version: u64,
        subject: u64,
        reading: &NewReading<'_>,
    ) -> Result<u64, StoreError> {
        let context = reading.context;
        self.transaction
            .prepare_cached(
                "INSERT INTO readings (subject, reader, at, mode, batch, seconds, body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute((
                subject,
                reading.reader.version,
                reading.at.unwrap_or(&self.now),
                context.map(|context| context.mode.name()),
                context.map(|context| &context.batch),
                context.map(|context| context.seconds),
                reading.packed,
            ))?;
        let id = self.transaction.last_insert_rowid() as u64;
        // What was read again to measure its reader does not stand for them.
        if context.is_some_and(|context| context.mode == Mode::Repeat) {
            return Ok(id);
        }
        let adjudicates = context.is_some_and(|context| context.mode == Mode::Adjudication);
        let is_first = self.make_current(subject, reading.reader.reader, adjudicates, id)?;
        self.put_opinions(id, &reading.body.opinions.iter().map(Into::into).collect::<Vec<_>>())?;
        if reading.reader.kind == ReaderKind::Rules {
            if !is_first {
                self.clear_findings(version)?;
            }
            self.put_findings(version, reading.body)?;
        }
        // Who has read an earlier text changes what is known of the present one, too.
        let (_, present) = self.present(report)?;
        self.label_anew(report, present)?;
        Ok(id)
    }

    /// Lets a reading stand for its reader, and tells whether there was none before.
    pub(super) fn make_current(
        &self,
        subject: u64,
        reader: u64,
        adjudicates: bool,
        reading: u64,
    ) -> Result<bool, StoreError> {
        let mut find = self.transaction.prepare_cached(
            "SELECT reading FROM current_readings
             WHERE subject = ?1 AND reader = ?2 AND adjudicates = ?3",
        )?;
        let before: Option<u64> =
            find.query_row((subject, reader, adjudicates), |row| row.get(0)).optional()?;
        if let Some(before) = before {
            self.transaction
                .prepare_cached("DELETE FROM opinions WHERE reading = ?1")?
                .execute([before])?;
        }
        self.transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO current_readings (subject, reader, adjudicates, reading)
                 VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute((subject, reader, adjudicates, reading))?;
        Ok(before.is_none())
    }

    pub(super) fn put_opinions(
        &self,
        reading: u64,
        opinions: &[CellLabel],
    ) -> Result<(), StoreError> {
        let mut insert = self.transaction.prepare_cached(
            "INSERT INTO opinions (reading, cell, verdict, certainty, conflict)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        for opinion in opinions.iter().filter(|o| o.verdict != Verdict::NotMentioned) {
            insert.execute((
                reading,
                code::cell(opinion.cell),
                code::verdict(opinion.verdict),
                code::certainty(opinion.certainty),
                opinion.conflict,
            ))?;
        }
        Ok(())
    }
}

const READING: &str = "SELECT r.id, e.kind, e.name, w.version, w.content_hash, v.number, r.at, \
                       r.mode, r.batch, r.seconds, r.body
     FROM readings r
     JOIN reader_versions w ON w.id = r.reader
     JOIN readers e ON e.id = w.reader
     JOIN subjects s ON s.id = r.subject
     JOIN report_versions v ON v.id = s.report_version";

fn reading(row: &Row<'_>) -> Result<ReadingRow, StoreError> {
    let kind: String = row.get(1)?;
    let mode: Option<String> = row.get(7)?;
    let context = match mode {
        None => None,
        Some(mode) => Some(Context {
            batch: row.get(8)?,
            mode: mode.parse().map_err(|_| StoreError::Damaged(format!("mode `{mode}`")))?,
            seconds: row.get(9)?,
        }),
    };
    let body: Vec<u8> = row.get(10)?;
    Ok(ReadingRow {
        id: row.get(0)?,
        reader: Reader {
            kind: kind.parse().map_err(|_| StoreError::Damaged(format!("reader `{kind}`")))?,
            name: row.get(2)?,
            version: row.get(3)?,
            content_hash: row.get(4)?,
        },
        version: row.get(5)?,
        at: row.get(6)?,
        context,
        body: Body::unpack(&body)?,
    })
}

impl Store {
    /// Every reading of every version of a report, oldest first.
    ///
    /// # Errors
    /// Those of the database, and damage.
    pub fn readings(&self, report: u64) -> Result<Vec<ReadingRow>, StoreError> {
        let sql = format!("{READING} WHERE v.report = ?1 ORDER BY r.id");
        let mut find = self.connection.prepare_cached(&sql)?;
        find.query_and_then([report], reading)?.collect()
    }

    /// What stands of everyone who has read a version of a report, oldest first.
    ///
    /// # Errors
    /// Those of the database, and damage.
    pub fn current_readings(&self, version: u64) -> Result<Vec<CurrentReading>, StoreError> {
        current_readings(&self.connection, version)
    }

    /// The reading of this number.
    ///
    /// # Errors
    /// Those of the database, and damage.
    pub fn reading(&self, id: u64) -> Result<Option<ReadingRow>, StoreError> {
        let mut find = self.connection.prepare_cached(&format!("{READING} WHERE r.id = ?1"))?;
        find.query_and_then([id], reading)?.next().transpose()
    }

    /// Every version of every reader whose readings are here, such as `rules 0.1.0 en 1 (3f9a)`.
    ///
    /// # Errors
    /// Those of the database.
    pub fn reader_versions(&self) -> Result<Vec<String>, StoreError> {
        let mut all = self.connection.prepare_cached(
            "SELECT trim(e.name || ' ' || w.version)
             FROM reader_versions w JOIN readers e ON e.id = w.reader ORDER BY w.id",
        )?;
        Ok(all.query_map((), |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    /// Whether a reader in exactly this version has read the present text of the report with this
    /// id within a source, and that text has this SHA-256.
    ///
    /// # Errors
    /// Those of the database.
    pub fn is_read(
        &self,
        reader: &Reader,
        source: &str,
        id: &str,
        text_hash: [u8; 32],
    ) -> Result<bool, StoreError> {
        let mut find = self.connection.prepare_cached(
            "SELECT 1 FROM reports r
             JOIN sources o ON o.id = r.source
             JOIN report_versions v ON v.id = r.version
             JOIN subjects s ON s.report_version = v.id
             JOIN current_readings c ON c.subject = s.id
             JOIN readings d ON d.id = c.reading
             JOIN reader_versions w ON w.id = d.reader
             JOIN readers e ON e.id = w.reader
             WHERE o.name = ?1 AND r.key = ?2 AND v.text_hash = ?3
               AND e.kind = ?4 AND e.name = ?5 AND w.version = ?6 AND w.content_hash = ?7",
        )?;
        Ok(find.exists((
            source,
            id,
            text_hash,
            reader.kind.name(),
            &reader.name,
            &reader.version,
            &reader.content_hash,
        ))?)
    }
}
