//! What people saw at the discs of a study and what they called them stays when the study is segmented
//! anew.

use rusqlite::OptionalExtension;

use super::naming::{NAMES, check_order, level};
use super::{ReaderId, StoreError, Writer};
use crate::imaging::geometry::{Lps, length, minus};
use crate::imaging::spine::{names, ways};
use crate::label::{Level, Mode, ReaderKind};
use crate::store::Body;

/// Two runs found the same disc where its middles are no further apart than this, in mm: its neighbours
/// are more than twice as far away.
const SAME_DISC: f64 = 12.0;

/// A disc of a run.
struct Disc {
    subject: u64,
    run: u32,
    level: Option<Level>,
    /// None where it was kept before middles were.
    centre: Option<Lps>,
}

impl Disc {
    /// How far it is from a disc of another run in mm, where both may be the same.
    fn away(&self, other: &Self) -> Option<f64> {
        let away = length(minus(self.centre?, other.centre?));
        (away <= SAME_DISC).then_some(away)
    }
}

impl Writer<'_> {
    /// Gives the discs of a new run what people said of the same discs before, and their names where people
    /// gave them in the last run.
    pub(super) fn carry_over(&self, study: u64, to: u32) -> Result<(), StoreError> {
        let discs = self.discs_of(study, to)?;
        let mut earlier: Vec<Disc> = Vec::new();
        // A run may have missed a disc that one before it had.
        for run in (1..to).rev() {
            for disc in self.discs_of(study, run)? {
                if !earlier.iter().any(|known| known.away(&disc).is_some()) {
                    earlier.push(disc);
                }
            }
        }
        let same = same_discs(&discs, &earlier);
        for (disc, earlier) in discs.iter().zip(&same) {
            if let Some(earlier) = earlier {
                self.carry_readings(earlier.subject, disc.subject)?;
            }
        }
        let last = to.saturating_sub(1);
        let named = same.into_iter().map(|disc| disc.filter(|disc| disc.run == last));
        self.carry_names(study, [last, to], &named.collect::<Vec<_>>())
    }

    fn discs_of(&self, study: u64, run: u32) -> Result<Vec<Disc>, StoreError> {
        let mut find = self.transaction.prepare_cached(NAMES)?;
        find.query_and_then((study, run), |row| {
            let [x, y, z] = [row.get(4)?, row.get(5)?, row.get::<_, Option<f64>>(6)?];
            let centre = x.zip(y).zip(z).map(|((x, y), z)| [x, y, z]);
            Ok(Disc { subject: row.get(2)?, run, level: level(row.get(0)?)?, centre })
        })?
        .collect()
    }

    /// What stands of people at one disc stands at another from now on. It keeps the time at which it
    /// was said: who is looking again has said it before they began to.
    fn carry_readings(&self, from: u64, to: u64) -> Result<(), StoreError> {
        let mut find = self.transaction.prepare_cached(
            "SELECT c.reader, d.reader, d.mode, d.body, d.at FROM current_readings c
             JOIN readings d ON d.id = c.reading
             JOIN readers e ON e.id = c.reader AND e.kind = 'person'
             WHERE c.subject = ?1 ORDER BY d.id",
        )?;
        let mut readings = find.query([from])?;
        while let Some(row) = readings.next()? {
            let kind = ReaderKind::Person;
            let reader = ReaderId { reader: row.get(0)?, version: row.get(1)?, kind };
            let mode: Option<String> = row.get(2)?;
            let damaged = |_| StoreError::Damaged(format!("mode `{mode:?}` of a reading"));
            let mode: Option<Mode> =
                mode.as_deref().map(str::parse).transpose().map_err(damaged)?;
            let (body, at): (Vec<u8>, String) = (row.get(3)?, row.get(4)?);
            self.add_disc_reading_of(&at, to, reader, mode, &Body::unpack(&body)?)?;
        }
        Ok(())
    }

    /// The names that a person gave to discs of a run name those of another. By counting they name what
    /// was not found before, too, though nobody has said so.
    fn carry_names(
        &self,
        study: u64,
        [from, to]: [u32; 2],
        same: &[Option<&Disc>],
    ) -> Result<(), StoreError> {
        let Some(person) = self.who_named(study, from)? else { return Ok(()) };
        if same.iter().all(Option::is_none) {
            return Ok(());
        }
        let stand: Vec<Option<Level>> =
            same.iter().map(|disc| disc.and_then(|disc| disc.level)).collect();
        let fits = |names: &Vec<Option<Level>>| {
            let mut all = names.iter().zip(same).zip(&stand);
            all.all(|((name, disc), stand)| disc.is_none() || name == stand)
        };
        let counted =
            ways().filter_map(|(lowest, lumbar)| names(lowest, lumbar, same.len())).find(fits);
        let names = counted.unwrap_or(stand);
        // Where discs lie otherwise than before, a person has to say which is which.
        if check_order(&names).is_err() {
            return Ok(());
        }
        let certain = |disc: &Option<&Disc>| disc.map(|_| 1.0);
        let named = names.into_iter().zip(same);
        let named = named.map(|(name, disc)| name.map(|level| (level, certain(disc))));
        self.add_naming(study, to, person, named)
    }

    /// The person who named the discs of a run last, where one did.
    fn who_named(&self, study: u64, run: u32) -> Result<Option<ReaderId>, StoreError> {
        let mut find = self.transaction.prepare_cached(
            "SELECT v.reader, v.id FROM namings n
             JOIN reader_versions v ON v.id = n.reader
             JOIN readers e ON e.id = v.reader AND e.kind = 'person'
             WHERE n.study = ?1 AND n.run = ?2 ORDER BY n.version DESC LIMIT 1",
        )?;
        let kind = ReaderKind::Person;
        let id = find.query_row((study, run), |row| {
            Ok(ReaderId { reader: row.get(0)?, version: row.get(1)?, kind })
        });
        Ok(id.optional()?)
    }
}

/// The disc of an earlier run that each disc is, if any: the nearest first, and none twice.
fn same_discs<'a>(discs: &[Disc], earlier: &'a [Disc]) -> Vec<Option<&'a Disc>> {
    let mut pairs = Vec::new();
    for (place, disc) in discs.iter().enumerate() {
        for of in earlier {
            pairs.extend(disc.away(of).map(|away| (away, place, of)));
        }
    }
    pairs.sort_by(|(one, ..), (other, ..)| one.total_cmp(other));
    let mut same: Vec<Option<&Disc>> = vec![None; discs.len()];
    for (_, place, of) in pairs {
        let is_taken = same.iter().flatten().any(|taken| std::ptr::eq(*taken, of));
        if same[place].is_none() && !is_taken {
            same[place] = Some(of);
        }
    }
    same
}
