//! Batches: reports that so many people are to read, and how far they are.

use std::collections::HashSet;

use rusqlite::Row;

use super::{Action, Store, StoreError, Writer};
use crate::label::Mode;

/// A batch about to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBatch<'a> {
    /// Its name.
    pub name: &'a str,
    /// Blind or assisted.
    pub mode: Mode,
    /// How many people read each report, 1 to 5.
    pub annotators: u8,
    /// Where the reports come from, their order, repeats and seed, as JSON.
    pub plan: &'a str,
    /// Who may work on it; empty for everyone.
    pub users: &'a [u64],
    /// The versions to be read, in the order of work.
    pub items: &'a [NewItem],
}

/// A report's place in a batch about to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewItem {
    /// The version of the report.
    pub version: u64,
    /// The place of an earlier item that the same person reads again without being told.
    pub repeats: Option<usize>,
}

/// A batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Blind or assisted.
    pub mode: Mode,
    /// How many people read each report.
    pub annotators: u8,
    /// Where the reports come from, their order, repeats and seed, as JSON.
    pub plan: String,
    /// Whether it is being worked on.
    pub open: bool,
    /// Who made it.
    pub created_by: String,
    /// When, in RFC 3339.
    pub created_at: String,
}

/// How far a batch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Progress {
    /// Reports, repeats not counted.
    pub items: u64,
    /// Readings asked for, those of repeats not counted.
    pub needed: u64,
    /// Of those, the finished ones.
    pub finished: u64,
    /// Being read now.
    pub claimed: u64,
    /// Reports that everyone asked has read, alike.
    pub agreed: u64,
    /// Reports on which they differ.
    pub to_adjudicate: u64,
    /// Reports that an adjudicator has settled.
    pub settled: u64,
    /// Reports that were sent back and are being read again.
    pub sent_back: u64,
}

/// What someone did on a day.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct DayOfWork {
    /// ISO 8601, in UTC.
    pub day: String,
    /// Who.
    pub user: String,
    /// Readings finished.
    pub finished: u64,
    /// Seconds spent on them.
    pub seconds: f64,
}

impl Writer<'_> {
    /// Makes a batch.
    ///
    /// # Errors
    /// Where the name is taken.
    pub fn add_batch(&self, by: u64, batch: &NewBatch<'_>) -> Result<u64, StoreError> {
        let mut taken = self.transaction.prepare_cached("SELECT 1 FROM batches WHERE name = ?1")?;
        if taken.exists([batch.name])? {
            return Err(StoreError::Taken { what: "batch", name: batch.name.to_owned() });
        }
        self.transaction.execute(
            "INSERT INTO batches (name, mode, annotators, plan, open, created_by, created_at)
             VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6)",
            (batch.name, batch.mode.name(), batch.annotators, batch.plan, by, &self.now),
        )?;
        let id = self.transaction.last_insert_rowid() as u64;
        for user in batch.users {
            self.transaction
                .prepare_cached("INSERT INTO batch_users (batch, user) VALUES (?1, ?2)")?
                .execute((id, user))?;
        }
        self.add_items(id, batch.items)?;
        self.audit(Action::AddBatch, batch.name, &batch.items.len())?;
        Ok(id)
    }

    fn add_items(&self, batch: u64, items: &[NewItem]) -> Result<(), StoreError> {
        let mut insert = self.transaction.prepare_cached(
            "INSERT INTO items (batch, place, report_version, repeats, round, open)
             VALUES (?1, ?2, ?3, ?4, 1, 1)",
        )?;
        let mut ids = Vec::with_capacity(items.len());
        for (place, item) in items.iter().enumerate() {
            let repeats = item.repeats.map(|place| ids[place]);
            insert.execute((batch, place, item.version, repeats))?;
            ids.push(self.transaction.last_insert_rowid());
        }
        Ok(())
    }

    /// Opens a batch for work, or closes it.
    ///
    /// # Errors
    /// Those of the database.
    pub fn set_batch_open(&self, batch: &Batch, open: bool) -> Result<(), StoreError> {
        self.transaction.execute("UPDATE batches SET open = ?2 WHERE id = ?1", (batch.id, open))?;
        self.audit(Action::ChangeBatch, &batch.name, &if open { "open" } else { "closed" })
    }
}

const BATCH: &str =
    "SELECT b.id, b.name, b.mode, b.annotators, b.plan, b.open, u.name, b.created_at
                     FROM batches b JOIN users u ON u.id = b.created_by";

fn batch(row: &Row<'_>) -> Result<Batch, StoreError> {
    let mode: String = row.get(2)?;
    Ok(Batch {
        id: row.get(0)?,
        name: row.get(1)?,
        mode: mode.parse().map_err(|_| StoreError::Damaged(format!("mode `{mode}`")))?,
        annotators: row.get(3)?,
        plan: row.get(4)?,
        open: row.get(5)?,
        created_by: row.get(6)?,
        created_at: row.get(7)?,
    })
}

/// The state that a report of a batch is in, for [`Store::progress`] and [`Store::items`].
const STATE: &str = "CASE WHEN i.open AND i.round > 1 THEN 'sent back'
                          WHEN i.open AND EXISTS (
                               SELECT 1 FROM slots s WHERE s.item = i.id AND s.round = i.round
                               AND s.finished_at IS NULL AND s.lease > unixepoch())
                               THEN 'claimed'
                          WHEN i.open THEN 'open'
                          WHEN r.version != i.report_version THEN 'superseded'
                          WHEN r.status = 'adjudicated' THEN 'settled'
                          WHEN r.status = 'to_adjudicate' THEN 'to adjudicate'
                          ELSE 'agreed' END";

/// A report of a batch, as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Item {
    /// Its number.
    pub id: u64,
    /// The report.
    pub report: u64,
    /// Its id within its source.
    pub report_id: String,
    /// Open, claimed, sent back, agreed, to adjudicate, settled, superseded.
    pub state: String,
    /// Readings finished in this round.
    pub finished: u64,
    /// Whether it is a hidden repeat.
    pub repeat: bool,
}

impl Store {
    /// Every batch, newest first.
    ///
    /// # Errors
    /// Those of the database.
    pub fn batches(&self) -> Result<Vec<Batch>, StoreError> {
        let mut all = self.connection.prepare_cached(&format!("{BATCH} ORDER BY b.id DESC"))?;
        all.query_and_then((), batch)?.collect()
    }

    /// The batches that someone may work on, newest first.
    ///
    /// # Errors
    /// Those of the database.
    pub fn batches_of(&self, user: u64) -> Result<Vec<Batch>, StoreError> {
        let sql = format!("{BATCH} WHERE b.open AND {MAY_WORK} ORDER BY b.id DESC");
        let mut all = self.connection.prepare_cached(&sql)?;
        all.query_and_then([user], batch)?.collect()
    }

    /// The batch of this number.
    ///
    /// # Errors
    /// Those of the database.
    pub fn batch(&self, id: u64) -> Result<Option<Batch>, StoreError> {
        let mut find = self.connection.prepare_cached(&format!("{BATCH} WHERE b.id = ?1"))?;
        find.query_and_then([id], batch)?.next().transpose()
    }

    /// How far a batch is.
    ///
    /// # Errors
    /// Those of the database.
    pub fn progress(&self, batch: &Batch) -> Result<Progress, StoreError> {
        let sql = format!(
            "SELECT {STATE}, count(*),
                    sum((SELECT count(*) FROM slots s WHERE s.item = i.id AND s.round = i.round
                         AND NOT s.adjudicates AND s.finished_at IS NOT NULL)),
                    sum((SELECT count(*) FROM slots s WHERE s.item = i.id AND s.round = i.round
                         AND NOT s.adjudicates AND s.finished_at IS NULL AND s.lease > ?2))
             FROM items i JOIN report_versions v ON v.id = i.report_version
             JOIN reports r ON r.id = v.report
             WHERE i.batch = ?1 AND i.repeats IS NULL GROUP BY 1"
        );
        let mut find = self.connection.prepare_cached(&sql)?;
        let mut rows = find.query((batch.id, super::unix_now()))?;
        let mut progress = Progress::default();
        while let Some(row) = rows.next()? {
            let (state, items): (String, u64) = (row.get(0)?, row.get(1)?);
            progress.items += items;
            progress.finished += row.get::<_, u64>(2)?;
            progress.claimed += row.get::<_, u64>(3)?;
            match state.as_str() {
                "sent back" => progress.sent_back += items,
                "agreed" => progress.agreed += items,
                "to adjudicate" => progress.to_adjudicate += items,
                "settled" => progress.settled += items,
                _ => {}
            }
        }
        progress.needed = progress.items * u64::from(batch.annotators);
        Ok(progress)
    }

    /// What everyone did on each day of a batch, by day.
    ///
    /// # Errors
    /// Those of the database.
    pub fn days_of_work(&self, batch: u64) -> Result<Vec<DayOfWork>, StoreError> {
        let mut all = self.connection.prepare_cached(
            "SELECT substr(s.finished_at, 1, 10), u.name, count(*), sum(s.seconds)
             FROM slots s JOIN items i ON i.id = s.item JOIN users u ON u.id = s.user
             WHERE i.batch = ?1 AND s.finished_at IS NOT NULL AND NOT s.adjudicates
             GROUP BY 1, 2 ORDER BY 1, 2",
        )?;
        let day = |row: &Row<'_>| {
            Ok(DayOfWork {
                day: row.get(0)?,
                user: row.get(1)?,
                finished: row.get(2)?,
                seconds: row.get(3)?,
            })
        };
        Ok(all.query_map([batch], day)?.collect::<Result<_, _>>()?)
    }

    /// Up to `limit` reports of a batch from `offset` on, in the order of work, of one state or of
    /// all.
    ///
    /// # Errors
    /// Those of the database.
    pub fn items(
        &self,
        batch: u64,
        state: Option<&str>,
        offset: usize,
        limit: usize,
    ) -> Result<Vec<Item>, StoreError> {
        let sql = format!(
            "SELECT i.id, r.id, r.key, {STATE}, i.repeats IS NOT NULL,
                    (SELECT count(*) FROM slots s WHERE s.item = i.id AND s.round = i.round
                     AND NOT s.adjudicates AND s.finished_at IS NOT NULL)
             FROM items i JOIN report_versions v ON v.id = i.report_version
             JOIN reports r ON r.id = v.report
             WHERE i.batch = ?1 AND (?2 IS NULL OR {STATE} = ?2)
             ORDER BY i.id LIMIT ?4 OFFSET ?3"
        );
        let mut all = self.connection.prepare_cached(&sql)?;
        let item = |row: &Row<'_>| {
            Ok(Item {
                id: row.get(0)?,
                report: row.get(1)?,
                report_id: row.get(2)?,
                state: row.get(3)?,
                repeat: row.get(4)?,
                finished: row.get(5)?,
            })
        };
        Ok(all.query_map((batch, state, offset, limit), item)?.collect::<Result<_, _>>()?)
    }

    /// The versions that a batch consists of, in the order of work.
    ///
    /// # Errors
    /// Those of the database.
    pub fn batch_versions(&self, batch: u64) -> Result<Vec<u64>, StoreError> {
        let mut all = self.connection.prepare_cached(
            "SELECT report_version FROM items WHERE batch = ?1 AND repeats IS NULL ORDER BY id",
        )?;
        Ok(all.query_map([batch], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    /// The hidden repeats of a batch that are done: who, the reading that they had made before and
    /// the second. Of a report that was sent back in between, the last one before counts, and of a repeat that was
    /// sent back the first; what they settled as adjudicators is no repeat. Times go by the second; within one, the slot with the
    /// greater number is taken for the later.
    ///
    /// # Errors
    /// Those of the database.
    pub fn repeats(&self, batch: u64) -> Result<Vec<(String, u64, u64)>, StoreError> {
        let mut all = self.connection.prepare_cached(
            "SELECT u.name, first.reading, again.reading
             FROM items i
             JOIN slots again ON again.item = i.id AND again.id = (
                  SELECT a.id FROM slots a WHERE a.item = i.id AND a.user = again.user
                  AND NOT a.adjudicates AND a.reading IS NOT NULL ORDER BY a.round LIMIT 1)
             JOIN slots first ON first.id = (
                  SELECT f.id FROM slots f WHERE f.item = i.repeats AND f.user = again.user
                  AND NOT f.adjudicates AND (f.finished_at, f.id) < (again.claimed_at, again.id)
                  ORDER BY f.round DESC LIMIT 1)
             JOIN users u ON u.id = again.user
             WHERE i.batch = ?1 ORDER BY u.name, again.id",
        )?;
        let repeat = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        Ok(all.query_map([batch], repeat)?.collect::<Result<_, _>>()?)
    }
}

/// What people have still before them.
impl Store {
    /// Whether someone is still to read a report blind: it is in an open blind batch that they may
    /// work on, and they have not finished it.
    ///
    /// # Errors
    /// Those of the database.
    pub fn is_blind_to(&self, report: u64, user: u64) -> Result<bool, StoreError> {
        let mut find = self.connection.prepare_cached(&format!(
            "SELECT 1 FROM report_versions v JOIN items i ON i.report_version = v.id
             JOIN batches b ON b.id = i.batch
             WHERE v.report = ?2 AND {}",
            is_to_be_read_blind()
        ))?;
        Ok(find.exists((user, report))?)
    }

    /// The numbers of all reports that someone is still to read blind.
    ///
    /// # Errors
    /// Those of the database.
    pub fn reports_blind_to(&self, user: u64) -> Result<HashSet<u64>, StoreError> {
        // From the few batches to their items, whatever SQLite would rather begin with.
        let mut all = self.connection.prepare_cached(&format!(
            "SELECT v.report FROM batches b CROSS JOIN items i ON i.batch = b.id
             JOIN report_versions v ON v.id = i.report_version
             WHERE {}",
            is_to_be_read_blind()
        ))?;
        Ok(all.query_map([user], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    /// How many reports of a batch someone has read.
    ///
    /// # Errors
    /// Those of the database.
    pub fn finished_count(&self, batch: u64, user: u64) -> Result<u64, StoreError> {
        let mut count = self.connection.prepare_cached(
            "SELECT count(*) FROM slots s
             WHERE s.user = ?2 AND s.finished_at IS NOT NULL
               AND s.item BETWEEN (SELECT id FROM items WHERE batch = ?1 ORDER BY place)
                              AND (SELECT id FROM items WHERE batch = ?1 ORDER BY place DESC)",
        )?;
        Ok(count.query_row((batch, user), |row| row.get(0))?)
    }

    /// How many reports of a batch someone has read, and how many they may still be given: those
    /// that lack readers, others' claims not taken off, and repeats of what they have read.
    ///
    /// # Errors
    /// Those of the database.
    pub fn own_progress(&self, batch: u64, user: u64) -> Result<(u64, u64), StoreError> {
        let mut find = self.connection.prepare_cached(
            "SELECT (SELECT count(*) FROM items i
                     WHERE i.batch = ?2 AND i.open AND i.repeats IS NULL)
                  - (SELECT count(*) FROM slots s JOIN items i ON i.id = s.item
                     WHERE s.user = ?1 AND i.batch = ?2 AND i.open AND i.repeats IS NULL
                       AND s.round = i.round AND NOT s.adjudicates
                       AND s.finished_at IS NOT NULL)
                  + (SELECT count(*) FROM items i
                     WHERE i.batch = ?2 AND i.open AND i.repeats IS NOT NULL
                       AND EXISTS (SELECT 1 FROM slots s WHERE s.item = i.repeats AND s.user = ?1
                                   AND NOT s.adjudicates AND s.finished_at IS NOT NULL)
                       AND NOT EXISTS (SELECT 1 FROM slots s WHERE s.item = i.id AND s.user = ?1
                                       AND s.finished_at IS NOT NULL))",
        )?;
        let left = find.query_row((user, batch), |row| row.get(0))?;
        Ok((self.finished_count(batch, user)?, left))
    }
}

/// Whether the person `?1` may work on batch `b`.
pub(super) const MAY_WORK: &str = "(NOT EXISTS (SELECT 1 FROM batch_users m WHERE m.batch = b.id)
      OR EXISTS (SELECT 1 FROM batch_users m WHERE m.batch = b.id AND m.user = ?1))";

/// Whether item `i` of batch `b` is one that the person `?1` is still to read blind.
fn is_to_be_read_blind() -> String {
    format!(
        "b.open AND b.mode = 'blind' AND i.open AND {MAY_WORK}
           AND NOT EXISTS (SELECT 1 FROM slots s WHERE s.item = i.id AND s.user = ?1
                           AND s.round = i.round AND s.finished_at IS NOT NULL)"
    )
}
