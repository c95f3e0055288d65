//! What the discs of segmented studies are called. A correction is a new version; what hangs on names
//! is derived anew.

use rusqlite::Connection;

use super::label::votes;
use super::{Action, ReaderId, Store, StoreError, Writer, code};
use crate::label::{Level, Reader, Vote, image_label};

/// Why discs cannot be called so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what each is")]
pub enum NamingError {
    #[error("`{study}` was never segmented, so that it has no discs to name")]
    NotSegmented { study: String },
    #[error(
        "`{study}` has {discs} discs, and {names} names were given; name each, or leave it open"
    )]
    Count { study: String, discs: usize, names: usize },
    #[error("{lower} cannot be below {upper}; names go from the lowest disc up")]
    Order { lower: Level, upper: Level },
}

impl Writer<'_> {
    /// A naming of a run; `names` are by ordinal, from the lowest disc up, each with how probable it
    /// is.
    pub(super) fn add_naming(
        &self,
        study: u64,
        run: u32,
        reader: ReaderId,
        names: impl Iterator<Item = Option<(Level, Option<f64>)>>,
    ) -> Result<(), StoreError> {
        self.transaction.execute(
            "INSERT INTO namings (study, run, version, reader, at) VALUES (?1, ?2,
                 1 + (SELECT ifnull(max(version), 0) FROM namings WHERE study = ?1 AND run = ?2),
                 ?3, ?4)",
            (study, run, reader.version, &self.now),
        )?;
        let naming = self.transaction.last_insert_rowid();
        let mut insert = self.transaction.prepare_cached(
            "INSERT INTO naming_levels (naming, ordinal, level, probability)
             VALUES (?1, ?2, ?3, ?4)",
        )?;
        for (ordinal, name) in names.enumerate() {
            if let Some((level, probability)) = name {
                insert.execute((naming, ordinal, level as u8, probability))?;
            }
        }
        Ok(())
    }

    /// Corrects what the discs of a study's newest run are called, from the lowest up, in a person's
    /// name. Image labels follow. Tells whether that changed anything: names that stand already are
    /// no new version, unless it was a machine that gave them.
    ///
    /// # Errors
    /// Where the study has no discs, or others than there are names, or where names are out of order;
    /// those of the database.
    pub fn correct_naming(
        &self,
        study_uid: &str,
        names: &[Option<Level>],
        person: &Reader,
    ) -> Result<bool, StoreError> {
        let unsegmented = || NamingError::NotSegmented { study: study_uid.to_owned() };
        let study = self.study_by_uid(study_uid)?.ok_or_else(unsegmented)?;
        let run = newest_run(&self.transaction, study)?.ok_or_else(unsegmented)?;
        let mut find = self.transaction.prepare_cached(NAMES)?;
        let known: Vec<(Option<Level>, Option<f64>)> = find
            .query_and_then((study, run), |row| {
                Ok::<_, StoreError>((level(row.get(0)?)?, row.get(1)?))
            })?
            .collect::<Result<_, _>>()?;
        if known.len() != names.len() {
            let (discs, names) = (known.len(), names.len());
            return Err(NamingError::Count { study: study_uid.to_owned(), discs, names }.into());
        }
        check_order(names)?;
        let stand = known.iter().zip(names).all(|(&(level, probability), &name)| {
            level == name && (level.is_none() || probability == Some(1.0))
        });
        if stand {
            return Ok(false);
        }
        let reader = self.reader(person)?;
        let named = names.iter().map(|name| name.map(|level| (level, Some(1.0))));
        self.add_naming(study, run, reader, named)?;
        self.label_image(study)?;
        let show = |level: Option<Level>| level.map_or("-", Level::name);
        let before: Vec<_> = known.iter().map(|&(level, _)| show(level)).collect();
        let after: Vec<_> = names.iter().map(|&level| show(level)).collect();
        let detail = serde_json::json!({ "run": run, "before": before, "after": after });
        self.audit(Action::CorrectNaming, study_uid, &detail)?;
        Ok(true)
    }

    /// Derives what a study's image shows: what everyone says of the discs of its newest run, under
    /// the names of its newest naming.
    pub(super) fn label_image(&self, study: u64) -> Result<(), StoreError> {
        self.transaction
            .prepare_cached("DELETE FROM image_labels WHERE study = ?1")?
            .execute([study])?;
        let Some(run) = newest_run(&self.transaction, study)? else { return Ok(()) };
        let mut find = self.transaction.prepare_cached(NAMES)?;
        // Of two discs that are called the same, the lower one's label stands.
        let mut insert = self.transaction.prepare_cached(
            "INSERT OR IGNORE INTO image_labels (study, cell, verdict, certainty, reader)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        let mut discs = find.query((study, run))?;
        while let Some(row) = discs.next()? {
            let Some(level) = level(row.get(0)?)? else { continue };
            let votes = under(level, votes(&self.transaction, row.get(2)?)?);
            for (label, reader) in image_label(&votes) {
                insert.execute((
                    study,
                    code::cell(label.cell),
                    code::verdict(label.verdict),
                    code::certainty(label.certainty),
                    reader,
                ))?;
            }
        }
        Ok(())
    }

    /// The same for every study that was segmented.
    pub(super) fn label_images_anew(&self) -> Result<(), StoreError> {
        let mut find = self.transaction.prepare("SELECT DISTINCT study FROM namings")?;
        let studies: Vec<u64> = find.query_map((), |row| row.get(0))?.collect::<Result<_, _>>()?;
        studies.into_iter().try_for_each(|study| self.label_image(study))
    }
}

impl Store {
    /// What the discs of a study's newest run are called, from the lowest up, each with how probable
    /// that is, as far as it was kept; none where it was never segmented.
    ///
    /// # Errors
    /// Those of the database, and damage.
    pub fn naming(&self, study: u64) -> Result<Vec<NamedDisc>, StoreError> {
        let Some(run) = newest_run(&self.connection, study)? else { return Ok(Vec::new()) };
        let mut find = self.connection.prepare_cached(NAMES)?;
        find.query_and_then((study, run), |row| {
            Ok(NamedDisc { level: level(row.get(0)?)?, probability: row.get(1)? })
        })?
        .collect()
    }
}

/// A disc in the newest naming of a study.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NamedDisc {
    /// What it is called, if anything.
    pub level: Option<Level>,
    /// How probably that is right: 1 where a person says so.
    pub probability: Option<f64>,
}

/// The names of all discs of a run in the newest naming, and the discs as subjects with their middles,
/// from the lowest up.
pub(super) const NAMES: &str =
    "SELECT l.level, l.probability, s.id, s.ordinal, s.x, s.y, s.z FROM subjects s
     JOIN namings n ON n.study = s.study AND n.run = s.run
     LEFT JOIN naming_levels l ON l.naming = n.id AND l.ordinal = s.ordinal
     WHERE s.study = ?1 AND s.run = ?2
       AND n.version = (SELECT max(version) FROM namings WHERE study = ?1 AND run = ?2)
     ORDER BY s.ordinal";

/// That each disc is named as one above all those below it.
pub(super) fn check_order(names: &[Option<Level>]) -> Result<(), NamingError> {
    let named: Vec<Level> = names.iter().copied().flatten().collect();
    for pair in named.windows(2) {
        let (lower, upper) = (pair[0], pair[1]);
        // L5-S1 stands before L5-L6 among levels, but no spine has both.
        let both = upper == Level::L5S1 && matches!(lower, Level::L5L6 | Level::L6S1);
        if upper >= lower || both {
            return Err(NamingError::Order { lower, upper });
        }
    }
    Ok(())
}

/// What was said of a disc, under the name that it has now.
fn under(level: Level, mut votes: Vec<Vote<u64>>) -> Vec<Vote<u64>> {
    let cells = votes.iter_mut().flat_map(|vote| &mut vote.cells);
    cells.for_each(|label| label.cell.level = level);
    votes
}

pub(super) fn newest_run(database: &Connection, study: u64) -> Result<Option<u32>, StoreError> {
    let mut find = database.prepare_cached("SELECT max(run) FROM namings WHERE study = ?1")?;
    Ok(find.query_row([study], |row| row.get(0))?)
}

pub(super) fn level(number: Option<u8>) -> Result<Option<Level>, StoreError> {
    number.map(code::to_level).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_rise_from_disc_to_disc() {
        use Level::{L1L2, L3L4, L4L5, L5L6, L5S1, L6S1};
        let check = |names: &[Level]| {
            check_order(&names.iter().copied().map(Some).collect::<Vec<_>>()).is_ok()
        };
        assert!(check(&[L5S1, L4L5, L3L4]));
        assert!(check(&[L6S1, L5L6, L4L5]));
        assert!(check(&[L5S1, L3L4, L1L2]), "a disc may be missing from the mask");
        assert!(!check(&[L4L5, L5S1]));
        assert!(!check(&[L4L5, L4L5]));
        assert!(!check(&[L6S1, L5S1]));
        assert_eq!(check_order(&[None, Some(L5S1), None, Some(L4L5), None]), Ok(()));
    }
}
