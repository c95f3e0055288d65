//! What people saw at the discs of a study and what they called them stays when the study is segmented
//! anew.

use rusqlite::OptionalExtension;

use super::naming::{NAMES, check_order, level};
use super::{ReaderId, StoreError, Writer};
use crate::imaging::geometry::Lps;
use crate::imaging::spine::{names, ways};
use crate::label::{Level, Mode, ReaderKind};
use crate::store::Body;

/// Two runs found the same disc where its middles are no further apart than this, in mm: its neighbours
/// are more than twice as far away.
const SAME_DISC: f64 = 12.0;

/// A disc of a run.
struct Disc {
    subject: u64,
    level: Option<Level>,
    /// None where it was kept before middles were.
    centre: Option<Lps>,
}

impl Writer<'_> {
    /// Gives the discs of a new run what people said of the same discs in the run before, and their names
    /// where people gave them.
    pub(super) fn carry_over(&self, study: u64, from: u32, to: u32) -> Result<(), StoreError> {
        let (earlier, discs) = (self.discs_of(study, from)?, self.discs_of(study, to)?);
        let same: Vec<Option<&Disc>> = discs.iter().map(|disc| nearest(disc, &earlier)).collect();
        for (disc, earlier) in discs.iter().zip(&same) {
            if let Some(earlier) = earlier {
                self.carry_readings(earlier.subject, disc.subject)?;
            }
        }
        self.carry_names(study, [from, to], &same)
    }

    fn discs_of(&self, study: u64, run: u32) -> Result<Vec<Disc>, StoreError> {
        let mut find = self.transaction.prepare_cached(NAMES)?;
        find.query_and_then((study, run), |row| {
            let [x, y, z] = [row.get(4)?, row.get(5)?, row.get::<_, Option<f64>>(6)?];
            let centre = x.zip(y).zip(z).map(|((x, y), z)| [x, y, z]);
            Ok(Disc { subject: row.get(2)?, level: level(row.get(0)?)?, centre })
        })?
        .collect()
    }

    /// What stands of people at one disc stands at another from now on.
    fn carry_readings(&self, from: u64, to: u64) -> Result<(), StoreError> {
        let mut find = self.transaction.prepare_cached(
            "SELECT c.reader, d.reader, d.mode, d.body FROM current_readings c
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
            let body: Vec<u8> = row.get(3)?;
            self.add_disc_reading(to, reader, mode, &Body::unpack(&body)?)?;
        }
        Ok(())
    }

    /// The names that a person gave to discs of a run name those of another; by counting they name what
    /// was not found before, too.
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
        // Where one disc became two, a person has to say which is which.
        if check_order(&names).is_err() {
            return Ok(());
        }
        let certain = names.into_iter().map(|name| name.map(|level| (level, Some(1.0))));
        self.add_naming(study, to, person, certain)
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

/// The disc of an earlier run that lies where this one does.
fn nearest<'a>(disc: &Disc, earlier: &'a [Disc]) -> Option<&'a Disc> {
    let centre = disc.centre?;
    let away = |of: &'a Disc| {
        let [dx, dy, dz] = std::array::from_fn(|axis| of.centre.map(|at| at[axis] - centre[axis]));
        Some((dx?.hypot(dy?).hypot(dz?), of))
    };
    let near = earlier.iter().filter_map(away).filter(|(away, _)| *away <= SAME_DISC);
    near.min_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, of)| of)
}
