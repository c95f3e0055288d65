//! Report labels, derived from everyone's current readings.

use std::str::FromStr;

use rusqlite::{Connection, Row};

use super::{Body, Store, StoreError, Writer, code};
use crate::label::{CellLabel, Mode, ReaderKind, ReportLabel, Vote};

/// One labelled cell of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredLabel {
    /// What the report says of the cell.
    pub label: CellLabel,
    /// What kind of reader decided so.
    pub kind: ReaderKind,
    /// The name of that reader.
    pub reader: String,
}

impl Writer<'_> {
    /// Derives a report's label from the current readings of its present version.
    pub(super) fn label_anew(&self, report: u64, subject: u64) -> Result<(), StoreError> {
        let votes = votes(&self.transaction, subject)?;
        let label = ReportLabel::derive(&votes, is_reopened(&self.transaction, report, subject)?);
        self.transaction
            .prepare_cached("DELETE FROM report_labels WHERE report = ?1")?
            .execute([report])?;
        let mut insert = self.transaction.prepare_cached(
            "INSERT INTO report_labels (report, cell, verdict, certainty, conflict, reader)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        for (cell, reader) in label.cells {
            insert.execute((
                report,
                code::cell(cell.cell),
                code::verdict(cell.verdict),
                code::certainty(cell.certainty),
                cell.conflict,
                reader,
            ))?;
        }
        self.transaction
            .prepare_cached("UPDATE reports SET status = ?2, change = ?3 WHERE id = ?1")?
            .execute((report, label.status.name(), self.next_change()))?;
        Ok(())
    }

    /// Makes everything that is derived from readings anew: which readings are current, their
    /// opinions, sections, mentions, measurements, and every label. `progress` is told of each
    /// report.
    ///
    /// # Errors
    /// Those of the database, and damage of a reading.
    pub fn derive_again(&self, mut progress: impl FnMut()) -> Result<(), StoreError> {
        self.transaction.execute_batch(
            "DELETE FROM current_readings; DELETE FROM opinions; DELETE FROM sections;
             DELETE FROM mentions; DELETE FROM measurements; DELETE FROM report_labels;
             DELETE FROM image_labels;",
        )?;
        let mut readings = self.transaction.prepare(
            "SELECT d.id, d.subject, w.reader, e.kind, d.mode, d.body, s.report_version
             FROM readings d
             JOIN reader_versions w ON w.id = d.reader
             JOIN readers e ON e.id = w.reader
             JOIN subjects s ON s.id = d.subject ORDER BY d.id",
        )?;
        let mut rows = readings.query(())?;
        while let Some(row) = rows.next()? {
            let (id, subject, reader): (u64, u64, u64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let mode: Option<String> = row.get(4)?;
            let packed: Vec<u8> = row.get(5)?;
            let body = Body::unpack(&packed)?;
            if mode.as_deref() == Some(Mode::Repeat.name()) {
                continue;
            }
            let adjudicates = mode.as_deref() == Some(Mode::Adjudication.name());
            self.make_current(subject, reader, adjudicates, id)?;
            self.put_opinions(id, &body.opinions.iter().map(Into::into).collect::<Vec<_>>())?;
            if kind(row, 3)? == ReaderKind::Rules {
                let version = row.get(6)?;
                self.clear_findings(version)?;
                self.put_findings(version, &body)?;
            }
        }
        let mut reports = self.transaction.prepare(
            "SELECT r.id, s.id FROM reports r JOIN subjects s ON s.report_version = r.version
             ORDER BY r.id",
        )?;
        let mut rows = reports.query(())?;
        while let Some(row) = rows.next()? {
            self.label_anew(row.get(0)?, row.get(1)?)?;
            progress();
        }
        self.label_images_anew()
    }
}

/// Whether people read a text of the report before this subject and none has read this one, or an
/// adjudicator settled an earlier one.
fn is_reopened(connection: &Connection, report: u64, subject: u64) -> Result<bool, StoreError> {
    let mut find = connection.prepare_cached(
        "SELECT count(*) FILTER (WHERE s.id < ?2),
                count(*) FILTER (WHERE s.id < ?2 AND c.adjudicates),
                count(*) FILTER (WHERE s.id = ?2)
         FROM report_versions v
         JOIN subjects s ON s.report_version = v.id
         JOIN current_readings c ON c.subject = s.id
         JOIN readers e ON e.id = c.reader
         WHERE v.report = ?1 AND e.kind = 'person'",
    )?;
    let (before, settled, now): (u64, u64, u64) =
        find.query_row((report, subject), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(settled > 0 || (before > 0 && now == 0))
}

/// What everyone's current readings of a subject say.
pub(super) fn votes(database: &Connection, subject: u64) -> Result<Vec<Vote<u64>>, StoreError> {
    let mut find = database.prepare_cached(
        "SELECT e.id, e.kind, c.adjudicates, c.reading
         FROM current_readings c JOIN readers e ON e.id = c.reader
         WHERE c.subject = ?1 ORDER BY c.adjudicates DESC, c.reading DESC",
    )?;
    let mut opinions = database.prepare_cached(
        "SELECT cell, verdict, certainty, conflict FROM opinions WHERE reading = ?1 ORDER BY cell",
    )?;
    find.query_and_then([subject], |row| {
        let reading: u64 = row.get(3)?;
        Ok(Vote {
            reader: row.get(0)?,
            kind: kind(row, 1)?,
            adjudicates: row.get(2)?,
            cells: opinions
                .query_and_then([reading], |row| code::to_cell_label(row, 0))?
                .collect::<Result<_, StoreError>>()?,
        })
    })?
    .collect()
}

impl Store {
    /// Whether a version of a report, by its number in the archive, was to be read anew by people when it
    /// was the present one: they had read or settled an earlier text.
    ///
    /// # Errors
    /// Those of the database.
    pub fn is_reopened_at(&self, report: u64, version: u64) -> Result<bool, StoreError> {
        let subject = self.connection.query_row(
            "SELECT id FROM subjects WHERE report_version = ?1",
            [version],
            |row| row.get(0),
        )?;
        is_reopened(&self.connection, report, subject)
    }

    /// The label of a report, by cell in order, and who decided each.
    ///
    /// # Errors
    /// Those of the database.
    pub fn label(&self, report: u64) -> Result<Vec<StoredLabel>, StoreError> {
        let mut find = self.connection.prepare_cached(
            "SELECT l.cell, l.verdict, l.certainty, l.conflict, e.kind, e.name
             FROM report_labels l JOIN readers e ON e.id = l.reader
             WHERE l.report = ?1 ORDER BY l.cell",
        )?;
        find.query_and_then([report], stored_label)?.collect()
    }
}

impl Store {
    /// What the images of a study show, by cell in order, and who decided each.
    ///
    /// # Errors
    /// Those of the database.
    pub fn image_label(&self, study: u64) -> Result<Vec<StoredLabel>, StoreError> {
        let mut find = self.connection.prepare_cached(
            "SELECT l.cell, l.verdict, l.certainty, 0, e.kind, e.name
             FROM image_labels l JOIN readers e ON e.id = l.reader
             WHERE l.study = ?1 ORDER BY l.cell",
        )?;
        find.query_and_then([study], stored_label)?.collect()
    }

    /// The label of a version of a report: the report's where it is the present one, else what
    /// follows from the readings of that version alone.
    ///
    /// # Errors
    /// Those of the database.
    pub fn label_of_version(
        &self,
        report: u64,
        version: u64,
    ) -> Result<Vec<StoredLabel>, StoreError> {
        let mut find = self.connection.prepare_cached(
            "SELECT s.id, r.version FROM subjects s, reports r
             WHERE s.report_version = ?1 AND r.id = ?2",
        )?;
        let (subject, present): (u64, u64) =
            find.query_row((version, report), |row| Ok((row.get(0)?, row.get(1)?)))?;
        if version == present {
            return self.label(report);
        }
        let label = ReportLabel::derive(&votes(&self.connection, subject)?, false);
        let mut name =
            self.connection.prepare_cached("SELECT kind, name FROM readers WHERE id = ?1")?;
        let cells = label.cells.into_iter().map(|(label, reader)| {
            name.query_and_then([reader], |row| {
                Ok(StoredLabel { label, kind: kind(row, 0)?, reader: row.get(1)? })
            })?
            .next()
            .unwrap_or_else(|| Err(StoreError::Damaged(format!("reader {reader} is gone"))))
        });
        cells.collect()
    }
}

fn stored_label(row: &Row<'_>) -> Result<StoredLabel, StoreError> {
    Ok(StoredLabel {
        label: code::to_cell_label(row, 0)?,
        kind: kind(row, 4)?,
        reader: row.get(5)?,
    })
}

fn kind(row: &Row<'_>, column: usize) -> Result<ReaderKind, StoreError> {
    let name: String = row.get(column)?;
    ReaderKind::from_str(&name).map_err(|_| StoreError::Damaged(format!("reader `{name}`")))
}
