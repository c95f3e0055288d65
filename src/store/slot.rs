//! Slots: one person's work on one report, claimed for a while, saved edit by edit, finished as a
//! reading.

use rusqlite::{Connection, OptionalExtension, Row};

use super::batch::MAY_WORK;
use super::{Action, Body, NewReading, ReaderId, Store, StoreError, Writer};
use crate::label::{Context, Edit, Mode};

/// For how many seconds a slot stays claimed after the last sign of life.
pub const LEASE: i64 = 5 * 60;

/// One person's work on one report.
#[derive(Debug, Clone, PartialEq)]
pub struct Slot {
    /// Its number.
    pub id: u64,
    /// The item.
    pub item: u64,
    /// Whose it is.
    pub user: u64,
    /// The batch.
    pub batch: u64,
    /// The version of the report.
    pub version: u64,
    /// The report.
    pub report: u64,
    /// Blind or assisted, as the batch is; or adjudication.
    pub mode: Mode,
    /// Whether it is a hidden repeat.
    pub repeat: bool,
    /// Whether its round is the item's present one.
    pub current: bool,
    /// When it was claimed, in RFC 3339: by an annotator first, by an adjudicator last.
    pub claimed_at: String,
    /// Seconds of work so far.
    pub seconds: f32,
    /// When it was finished, in RFC 3339.
    pub finished_at: Option<String>,
    /// Why an adjudicator sent the item back, where one did.
    pub sent_back: Option<String>,
}

/// What became of edits that were to be saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// They are kept, up to this number.
    Kept(u32),
    /// They do not follow what is kept, which goes up to this number.
    Gap(u32),
    /// Another edit is kept under a number of theirs; what is kept goes up to this number.
    Differs(u32),
}

impl Writer<'_> {
    /// Claims the next report of a batch for someone: what they have begun besides the slot that
    /// they are at, else the first that still lacks readers. None where nothing is left for them.
    ///
    /// # Errors
    /// Those of the database.
    pub fn claim(
        &self,
        batch: u64,
        user: u64,
        besides: Option<u64>,
    ) -> Result<Option<u64>, StoreError> {
        if let Some(begun) = self.begun(batch, user, besides.unwrap_or(0))? {
            self.hold(begun)?;
            return Ok(Some(begun));
        }
        // On from where the person is, so that a long batch is not looked through from its start
        // each time; what others let go on the way comes at the end.
        let last: Option<u64> = self
            .transaction
            .prepare_cached(
                "SELECT max(s.item) FROM slots s
                 WHERE s.user = ?1 AND NOT s.adjudicates
                   AND s.item BETWEEN (SELECT id FROM items WHERE batch = ?2 ORDER BY place)
                                  AND (SELECT id FROM items WHERE batch = ?2
                                       ORDER BY place DESC)",
            )?
            .query_row((user, batch), |row| row.get(0))?;
        let found = match self.free_item(batch, user, last.unwrap_or(0))? {
            None => self.free_item(batch, user, 0)?,
            found => found,
        };
        found.map(|(item, round)| self.new_slot(item, user, round, false)).transpose()
    }

    /// What someone has begun in a batch and may go on with.
    fn begun(&self, batch: u64, user: u64, besides: u64) -> Result<Option<u64>, StoreError> {
        let mut find = self.transaction.prepare_cached(&format!(
            "SELECT s.id FROM items i JOIN batches b ON b.id = i.batch
             JOIN slots s ON s.item = i.id AND s.round = i.round
             WHERE b.id = ?2 AND b.open AND i.open AND s.user = ?1 AND NOT s.adjudicates
               AND s.finished_at IS NULL AND s.id != ?4 AND (s.lease > ?3 OR {HAS_ROOM})
               AND {MAY_WORK}
             ORDER BY s.lease DESC, s.id DESC LIMIT 1"
        ))?;
        Ok(find.query_row((user, batch, self.unix, besides), |row| row.get(0)).optional()?)
    }

    fn free_item(
        &self,
        batch: u64,
        user: u64,
        after: u64,
    ) -> Result<Option<(u64, u32)>, StoreError> {
        let mut find = self.transaction.prepare_cached(&format!(
            "SELECT i.id, i.round FROM items i JOIN batches b ON b.id = i.batch
             WHERE b.id = ?2 AND b.open AND i.open AND i.id > ?4 AND {MAY_WORK}
               AND NOT EXISTS (SELECT 1 FROM slots s WHERE s.item = i.id AND s.round = i.round
                               AND s.user = ?1 AND NOT s.adjudicates)
               AND {HAS_ROOM}
               AND (i.repeats IS NULL OR EXISTS (
                    SELECT 1 FROM slots s WHERE s.item = i.repeats AND s.user = ?1
                    AND NOT s.adjudicates AND s.finished_at IS NOT NULL))
             ORDER BY i.id LIMIT 1"
        ))?;
        let found =
            find.query_row((user, batch, self.unix, after), |row| Ok((row.get(0)?, row.get(1)?)));
        Ok(found.optional()?)
    }

    /// Claims the next report of any batch on which its readers differ, for an adjudicator: what
    /// they have begun, else the oldest that nobody is at. None where nothing is left.
    ///
    /// # Errors
    /// Those of the database.
    pub fn claim_adjudication(
        &self,
        user: u64,
        besides: Option<u64>,
    ) -> Result<Option<u64>, StoreError> {
        let mut find = self.transaction.prepare_cached(&format!(
            "SELECT i.id, i.round,
                    (SELECT s.id FROM slots s WHERE s.item = i.id AND s.round = i.round
                     AND s.adjudicates AND s.user = ?1) AS own
             FROM {QUEUE}
             AND NOT EXISTS (SELECT 1 FROM slots s WHERE s.item = i.id AND s.round = i.round
                             AND s.adjudicates
                             AND (s.user != ?1 AND s.lease > ?2 OR s.id = ?3))
             ORDER BY own IS NULL, i.id LIMIT 1"
        ))?;
        let found: Option<(u64, u32, Option<u64>)> = find
            .query_row((user, self.unix, besides.unwrap_or(0)), |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        match found {
            None => Ok(None),
            Some((_, _, Some(slot))) => Ok(Some(self.claim_anew(slot)?)),
            Some((item, round, None)) => Ok(Some(self.new_slot(item, user, round, true)?)),
        }
    }

    /// Claims one report for an adjudicator, whatever its state: to settle it, or to settle it
    /// anew. None where its annotators are not done with it, or another adjudicator is at it.
    ///
    /// # Errors
    /// Those of the database.
    pub fn claim_item(&self, item: u64, user: u64) -> Result<Option<u64>, StoreError> {
        let mut find = self.transaction.prepare_cached(
            "SELECT i.round, (SELECT s.id FROM slots s WHERE s.item = i.id AND s.round = i.round
                              AND s.adjudicates AND s.user = ?2)
             FROM items i WHERE i.id = ?1 AND NOT i.open AND NOT EXISTS (
                 SELECT 1 FROM slots s WHERE s.item = i.id AND s.round = i.round AND s.adjudicates
                 AND s.user != ?2 AND s.finished_at IS NULL AND s.lease > ?3)",
        )?;
        let found: Option<(u32, Option<u64>)> = find
            .query_row((item, user, self.unix), |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        match found {
            None => Ok(None),
            Some((_, Some(slot))) => Ok(Some(self.claim_anew(slot)?)),
            Some((round, None)) => Ok(Some(self.new_slot(item, user, round, true)?)),
        }
    }

    /// Lets an adjudicator go on with a slot of theirs, in which they now see what others have made
    /// of its report since they claimed it.
    fn claim_anew(&self, slot: u64) -> Result<u64, StoreError> {
        self.transaction
            .prepare_cached("UPDATE slots SET claimed_at = ?2, lease = ?3 WHERE id = ?1")?
            .execute((slot, &self.now, self.unix + LEASE))?;
        Ok(slot)
    }

    fn new_slot(
        &self,
        item: u64,
        user: u64,
        round: u32,
        adjudicates: bool,
    ) -> Result<u64, StoreError> {
        self.transaction
            .prepare_cached(
                "INSERT INTO slots (item, user, round, adjudicates, claimed_at, lease, seconds)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)",
            )?
            .execute((item, user, round, adjudicates, &self.now, self.unix + LEASE))?;
        let slot = self.transaction.last_insert_rowid() as u64;
        self.audit(Action::Claim, &format!("slot {slot}"), &item)?;
        Ok(slot)
    }

    /// Keeps a slot claimed for another while; false where it had lapsed and others have taken its
    /// report meanwhile.
    ///
    /// # Errors
    /// Those of the database.
    pub fn hold(&self, slot: u64) -> Result<bool, StoreError> {
        let mut update = self.transaction.prepare_cached(
            "UPDATE slots SET lease = ?2 WHERE id = ?1 AND (lease > ?3 OR (
                 SELECT count(*) FROM slots o WHERE o.item = slots.item AND o.round = slots.round
                 AND o.adjudicates = slots.adjudicates AND o.id != slots.id
                 AND (o.finished_at IS NOT NULL OR o.lease > ?3)
             ) < CASE WHEN adjudicates THEN 1 ELSE (
                 SELECT b.annotators FROM items i JOIN batches b ON b.id = i.batch
                 WHERE i.id = slots.item) END)",
        )?;
        Ok(update.execute((slot, self.unix + LEASE, self.unix))? > 0)
    }

    /// The name of a batch.
    ///
    /// # Errors
    /// Those of the database.
    pub fn batch_name(&self, batch: u64) -> Result<String, StoreError> {
        let mut find = self.transaction.prepare_cached("SELECT name FROM batches WHERE id = ?1")?;
        Ok(find.query_row([batch], |row| row.get(0))?)
    }

    /// Lets a slot go, so that someone else may have its report. What was saved stays.
    ///
    /// # Errors
    /// Those of the database.
    pub fn release(&self, slot: u64) -> Result<(), StoreError> {
        self.transaction
            .prepare_cached("UPDATE slots SET lease = 0 WHERE id = ?1")?
            .execute([slot])?;
        Ok(())
    }

    /// Keeps edits of a slot, the first of them being number `first`, from 1. Those that are kept already
    /// count once, so a page may send again what it has no answer to. `seconds` is how long the
    /// person has worked on it in all.
    ///
    /// # Errors
    /// Those of the database.
    pub fn save_edits(
        &self,
        slot: u64,
        first: u32,
        edits: &[Edit],
        seconds: f32,
    ) -> Result<Saved, StoreError> {
        let kept: u32 = self
            .transaction
            .prepare_cached("SELECT coalesce(max(number), 0) FROM edits WHERE slot = ?1")?
            .query_row([slot], |row| row.get(0))?;
        if first > kept + 1 {
            return Ok(Saved::Gap(kept));
        }
        let mut same = self
            .transaction
            .prepare_cached("SELECT edit = ?3 FROM edits WHERE slot = ?1 AND number = ?2")?;
        let mut insert = self
            .transaction
            .prepare_cached("INSERT INTO edits (slot, number, at, edit) VALUES (?1, ?2, ?3, ?4)")?;
        for (edit, number) in edits.iter().zip(first..) {
            let json = serde_json::to_string(edit).expect("an edit is plain data");
            if number > kept {
                insert.execute((slot, number, &self.now, json))?;
            } else if !same.query_row((slot, number, json), |row| row.get(0))? {
                return Ok(Saved::Differs(kept));
            }
        }
        self.transaction
            .prepare_cached("UPDATE slots SET seconds = max(seconds, ?2) WHERE id = ?1")?
            .execute((slot, seconds))?;
        self.hold(slot)?;
        Ok(Saved::Kept(kept.max(first + edits.len() as u32 - 1)))
    }

    /// Finishes a slot: what was made of it becomes a reading of its person. False where others
    /// have finished the report meanwhile; then what was saved stays, and counts for nothing.
    ///
    /// # Errors
    /// Those of the database.
    pub fn finish(
        &self,
        slot: &Slot,
        batch: &str,
        reader: ReaderId,
        body: &Body,
    ) -> Result<bool, StoreError> {
        let adjudicates = slot.mode == Mode::Adjudication;
        if !adjudicates && slot.finished_at.is_none() && !self.has_room(slot.item)? {
            return Ok(false);
        }
        let mode = if slot.repeat && !adjudicates { Mode::Repeat } else { slot.mode };
        let context = Context { batch: batch.to_owned(), mode, seconds: slot.seconds };
        let subject = self.subject(slot.version)?;
        let reading =
            NewReading { reader, at: None, context: Some(&context), body, packed: &body.pack() };
        let id = self.add_reading(slot.report, slot.version, subject, &reading)?;
        self.transaction
            .prepare_cached("UPDATE slots SET finished_at = ?2, reading = ?3 WHERE id = ?1")?
            .execute((slot.id, &self.now, id))?;
        self.transaction
            .prepare_cached(
                "UPDATE items SET open = (SELECT count(*) FROM slots s
                     WHERE s.item = items.id AND s.round = items.round AND NOT s.adjudicates
                       AND s.finished_at IS NOT NULL)
                     < (SELECT annotators FROM batches b WHERE b.id = items.batch)
                 WHERE id = ?1 AND open",
            )?
            .execute([slot.item])?;
        self.audit(Action::Finish, &format!("slot {}", slot.id), &id)?;
        Ok(true)
    }

    /// Whether an item still takes a reading: those finished are fewer than asked for.
    fn has_room(&self, item: u64) -> Result<bool, StoreError> {
        let mut find = self.transaction.prepare_cached("SELECT open FROM items WHERE id = ?1")?;
        Ok(find.query_row([item], |row| row.get(0))?)
    }

    /// Whether another adjudicator has settled the report of an adjudicator's slot since that was
    /// claimed, in the same round. Times go by the second; within one, the slot with the greater
    /// number is taken for the later.
    ///
    /// # Errors
    /// Those of the database.
    pub fn is_settled_since(&self, slot: &Slot) -> Result<bool, StoreError> {
        let mut find = self.transaction.prepare_cached(
            "SELECT 1 FROM slots s JOIN slots o ON o.item = s.item AND o.round = s.round
             WHERE s.id = ?1 AND o.id != s.id AND o.adjudicates
               AND (o.finished_at, o.id) > (s.claimed_at, s.id)",
        )?;
        Ok(find.exists([slot.id])?)
    }

    /// Sends a report back to its annotators, who all read it anew.
    ///
    /// # Errors
    /// Those of the database.
    pub fn send_back(&self, slot: &Slot, reason: &str) -> Result<(), StoreError> {
        self.transaction
            .prepare_cached(
                "UPDATE items SET round = round + 1, open = 1, sent_back = ?2 WHERE id = ?1",
            )?
            .execute((slot.item, reason))?;
        self.audit(Action::SendBack, &format!("item {}", slot.item), &())
    }
}

/// Whether item `i` of batch `b` takes another reader at `?3`, by whom it is not claimed.
const HAS_ROOM: &str = "(SELECT count(*) FROM slots s WHERE s.item = i.id AND s.round = i.round
                         AND NOT s.adjudicates
                         AND (s.finished_at IS NOT NULL OR s.lease > ?3)) < b.annotators";

/// Items that wait for an adjudicator.
const QUEUE: &str = "reports r JOIN items i ON i.report_version = r.version
                     WHERE r.status = 'to_adjudicate' AND NOT i.open AND i.repeats IS NULL";

const SLOT: &str = "SELECT s.id, s.item, s.user, i.batch, i.report_version, v.report, b.mode,
                           s.adjudicates, i.repeats IS NOT NULL, s.round = i.round, s.seconds,
                           s.finished_at, i.sent_back, s.claimed_at
                    FROM slots s JOIN items i ON i.id = s.item JOIN batches b ON b.id = i.batch
                    JOIN report_versions v ON v.id = i.report_version";

fn slot(row: &Row<'_>) -> Result<Slot, StoreError> {
    let mode: String = row.get(6)?;
    let mode = match row.get(7)? {
        true => Mode::Adjudication,
        false => mode.parse().map_err(|_| StoreError::Damaged(format!("mode `{mode}`")))?,
    };
    Ok(Slot {
        id: row.get(0)?,
        item: row.get(1)?,
        user: row.get(2)?,
        batch: row.get(3)?,
        version: row.get(4)?,
        report: row.get(5)?,
        mode,
        repeat: row.get(8)?,
        current: row.get(9)?,
        seconds: row.get(10)?,
        finished_at: row.get(11)?,
        sent_back: row.get(12)?,
        claimed_at: row.get(13)?,
    })
}

fn find_slot(database: &Connection, id: u64) -> Result<Option<Slot>, StoreError> {
    let mut find = database.prepare_cached(&format!("{SLOT} WHERE s.id = ?1"))?;
    find.query_and_then([id], slot)?.next().transpose()
}

fn edits(database: &Connection, slot: u64) -> Result<Vec<Edit>, StoreError> {
    let mut all =
        database.prepare_cached("SELECT edit FROM edits WHERE slot = ?1 ORDER BY number")?;
    all.query_and_then([slot], |row| {
        let json: String = row.get(0)?;
        serde_json::from_str(&json)
            .map_err(|error| StoreError::Damaged(format!("an edit of slot {slot}: {error}")))
    })?
    .collect()
}

impl Writer<'_> {
    /// The slot of this number.
    ///
    /// # Errors
    /// Those of the database.
    pub fn slot(&self, id: u64) -> Result<Option<Slot>, StoreError> {
        find_slot(&self.transaction, id)
    }

    /// The edits of a slot, in order.
    ///
    /// # Errors
    /// Those of the database, and damage.
    pub fn edits(&self, slot: u64) -> Result<Vec<Edit>, StoreError> {
        edits(&self.transaction, slot)
    }
}

impl Store {
    /// The slot of this number.
    ///
    /// # Errors
    /// Those of the database.
    pub fn slot(&self, id: u64) -> Result<Option<Slot>, StoreError> {
        find_slot(&self.connection, id)
    }

    /// The edits of a slot, in order.
    ///
    /// # Errors
    /// Those of the database, and damage.
    pub fn edits(&self, slot: u64) -> Result<Vec<Edit>, StoreError> {
        edits(&self.connection, slot)
    }

    /// How many reports wait for an adjudicator.
    ///
    /// # Errors
    /// Those of the database.
    pub fn adjudication_queue(&self) -> Result<u64, StoreError> {
        let mut count = self.connection.prepare_cached(&format!("SELECT count(*) FROM {QUEUE}"))?;
        Ok(count.query_row((), |row| row.get(0))?)
    }

    /// How many reports people have to settle whose present text no batch has: most were read, and
    /// then came with another text. They wait for annotators before they wait for an adjudicator.
    ///
    /// # Errors
    /// Those of the database.
    pub fn to_adjudicate_in_no_batch(&self) -> Result<u64, StoreError> {
        let mut count = self.connection.prepare_cached(
            "SELECT count(*) FROM reports r WHERE r.status = 'to_adjudicate'
             AND NOT EXISTS (SELECT 1 FROM items i WHERE i.report_version = r.version)",
        )?;
        Ok(count.query_row((), |row| row.get(0))?)
    }
}
