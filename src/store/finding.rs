//! What a reading holds, and what the rules read beside opinions.

use std::cell::RefCell;

use rusqlite::Row;
use serde::{Deserialize, Serialize};
use zstd::bulk::Compressor;

use super::{Store, StoreError, Writer, code};
use crate::extract::{Measurement, Mention, SectionSpan};
use crate::imaging::spine::LevelMeasures;
use crate::label::{Cell, Notes, Opinion, Side, Span};

/// Pays on the few kilobytes of JSON that a reading is; higher levels gain little and cost much.
const COMPRESSION_LEVEL: i32 = 1;

/// No reading is larger; what claims to be is damaged.
const LARGEST_BODY: usize = 64 << 20;

/// The body of a reading: what was concluded, and from what.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Body {
    /// At most one a cell, in the order of cells, with its evidence.
    pub opinions: Vec<Opinion>,
    /// Other findings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<Mention>,
    /// Lengths and areas.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub measurements: Vec<Measurement>,
    /// What was measured at a disc of a study.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measures: Option<LevelMeasures>,
    /// The sections of the text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sections: Vec<SectionSpan>,
    /// What a person has to say about cells.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub comments: Vec<(Cell, String)>,
    /// What a person has to say about the report as a whole.
    #[serde(skip_serializing_if = "Notes::is_empty")]
    pub notes: Notes,
}

impl Body {
    /// The bytes that a reading is kept as: JSON, which later versions can read, under zstd.
    pub fn pack(&self) -> Vec<u8> {
        thread_local! {
            // Making one takes longer than compressing a reading.
            static COMPRESSOR: RefCell<Compressor<'static>> =
                RefCell::new(Compressor::new(COMPRESSION_LEVEL).expect("the level is valid"));
        }
        let json = serde_json::to_vec(self).expect("a body is plain data");
        COMPRESSOR
            .with_borrow_mut(|compressor| compressor.compress(&json))
            .expect("a Vec takes what is written to it")
    }

    /// The body that was packed.
    ///
    /// # Errors
    /// Where the bytes are damaged.
    pub fn unpack(packed: &[u8]) -> Result<Self, StoreError> {
        let json = zstd::bulk::decompress(packed, LARGEST_BODY)
            .map_err(|error| StoreError::Damaged(format!("a reading: {error}")))?;
        serde_json::from_slice(&json)
            .map_err(|error| StoreError::Damaged(format!("a reading: {error}")))
    }
}

impl Writer<'_> {
    /// Replaces what the rules read in a version beside opinions.
    pub(super) fn put_findings(&self, version: u64, body: &Body) -> Result<(), StoreError> {
        self.put_sections(version, &body.sections)?;
        self.put_mentions(version, &body.mentions)?;
        self.put_measurements(version, &body.measurements)
    }

    /// Drops what an earlier reading found in a version.
    pub(super) fn clear_findings(&self, version: u64) -> Result<(), StoreError> {
        for sql in [
            "DELETE FROM sections WHERE report_version = ?1",
            "DELETE FROM mentions WHERE report_version = ?1",
            "DELETE FROM measurements WHERE report_version = ?1",
        ] {
            self.transaction.prepare_cached(sql)?.execute([version])?;
        }
        Ok(())
    }

    fn put_sections(&self, version: u64, sections: &[SectionSpan]) -> Result<(), StoreError> {
        let mut insert = self.transaction.prepare_cached(
            "INSERT INTO sections (report_version, start, end, section) VALUES (?1, ?2, ?3, ?4)",
        )?;
        for SectionSpan { section, span } in sections {
            insert.execute((version, span.start, span.end, *section as u8))?;
        }
        Ok(())
    }

    fn put_mentions(&self, version: u64, mentions: &[Mention]) -> Result<(), StoreError> {
        let mut insert = self.transaction.prepare_cached(
            "INSERT INTO mentions (report_version, number, finding, level, side, class, negated,
                                   certainty, start, end)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?;
        for (number, mention) in mentions.iter().enumerate() {
            insert.execute((
                version,
                number,
                mention.finding as u8,
                mention.level.map(|level| level as u8),
                mention.side.map(|side| match side {
                    Side::Left => "left",
                    Side::Right => "right",
                }),
                mention.class,
                mention.negated,
                code::certainty(mention.certainty),
                mention.span.start,
                mention.span.end,
            ))?;
        }
        Ok(())
    }

    fn put_measurements(&self, version: u64, lengths: &[Measurement]) -> Result<(), StoreError> {
        let mut insert = self.transaction.prepare_cached(
            "INSERT INTO measurements (report_version, number, quantity, level, value, start, end)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        for (number, length) in lengths.iter().enumerate() {
            insert.execute((
                version,
                number,
                length.quantity.name(),
                length.level.map(|level| level as u8),
                length.value,
                length.span.start,
                length.span.end,
            ))?;
        }
        Ok(())
    }
}

impl Store {
    /// The sections of a version, in the order of the text.
    ///
    /// # Errors
    /// Those of the database.
    pub fn sections(&self, version: u64) -> Result<Vec<SectionSpan>, StoreError> {
        let mut find = self.connection.prepare_cached(
            "SELECT section, start, end FROM sections WHERE report_version = ?1 ORDER BY start",
        )?;
        let section = |row: &Row<'_>| {
            let section = code::to_section(row.get(0)?)?;
            Ok(SectionSpan { section, span: Span { start: row.get(1)?, end: row.get(2)? } })
        };
        find.query_and_then([version], section)?.collect()
    }

    /// The findings that a version mentions, in the order of the text.
    ///
    /// # Errors
    /// Those of the database.
    pub fn mentions(&self, version: u64) -> Result<Vec<Mention>, StoreError> {
        let mut find = self.connection.prepare_cached(
            "SELECT finding, level, side, class, negated, certainty, start, end FROM mentions
             WHERE report_version = ?1 ORDER BY number",
        )?;
        find.query_and_then([version], mention)?.collect()
    }
}

fn mention(row: &Row<'_>) -> Result<Mention, StoreError> {
    let level: Option<u8> = row.get(1)?;
    let side: Option<String> = row.get(2)?;
    Ok(Mention {
        finding: code::to_finding(row.get(0)?)?,
        level: level.map(code::to_level).transpose()?,
        side: side.map(|side| if side == "left" { Side::Left } else { Side::Right }),
        class: row.get(3)?,
        negated: row.get(4)?,
        certainty: code::to_certainty(row.get(5)?),
        span: Span { start: row.get(6)?, end: row.get(7)? },
    })
}
