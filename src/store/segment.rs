//! Segments of runs: files beside the database, a folder a run, which is there whole or not at all.
//! Backups do not hold them: `segment` can make them again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::OptionalExtension;

use super::{Store, StoreError, Writer, owner_only};
use crate::imaging::Segment;
use crate::imaging::npz;
use crate::imaging::overview::Overview;

/// Where segments lie within the data folder.
pub const SEGMENTS: &str = "segments";

/// Segments of a study that are written, but not kept yet. Where they never are, they go again.
#[derive(Debug)]
pub struct WrittenSegments {
    /// The study's folder.
    home: PathBuf,
    /// The same, from the data folder on.
    relative: String,
}

impl WrittenSegments {
    /// Adds the picture on which people find their way.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn add(&self, overview: &Overview) -> io::Result<()> {
        overview.write(&self.part())
    }

    fn part(&self) -> PathBuf {
        self.home.join(".part")
    }

    fn put_in_place(&self, run: u32) -> io::Result<()> {
        let (place, old) = (self.home.join(run.to_string()), self.home.join(".old"));
        clear(&old)?;
        if place.exists() {
            fs::rename(&place, &old)?;
        }
        fs::rename(self.part(), &place)?;
        clear(&old)
    }
}

impl Drop for WrittenSegments {
    fn drop(&mut self) {
        // Once they are kept there is nothing to take away, and the next try clears what is left.
        let _ = clear(&self.part());
    }
}

/// Takes a folder away, where there is one.
fn clear(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// What a study's folder is called. Names that are no StudyInstanceUID may be anything.
fn folder_name(study_uid: &str) -> String {
    let mut name = String::new();
    for (at, letter) in study_uid.char_indices() {
        if letter.is_alphanumeric() || "-_ ".contains(letter) || letter == '.' && at > 0 {
            name.push(letter);
        } else {
            let mut bytes = [0; 4];
            name.extend(letter.encode_utf8(&mut bytes).bytes().map(|byte| format!("%{byte:02x}")));
        }
    }
    name
}

impl Store {
    /// Writes the segments of a study, from the lowest disc up, beside where they will be once
    /// [`Writer::keep_segments`] has kept them.
    ///
    /// # Errors
    /// Where they cannot be written.
    pub fn write_segments(
        &self,
        study_uid: &str,
        segments: &[&Segment],
    ) -> Result<WrittenSegments, StoreError> {
        let relative = format!("{SEGMENTS}/{}", folder_name(study_uid));
        let written = WrittenSegments { home: self.folder().join(&relative), relative };
        let part = written.part();
        clear(&part)?;
        owner_only().recursive(true).create(&part)?;
        npz::write_all(&part, segments)?;
        Ok(written)
    }

    /// The folder with the segments of a study's newest run, `disc-1.npz` being the lowest disc; none
    /// where none were kept or someone has taken them away.
    ///
    /// # Errors
    /// Those of the database.
    pub fn segments(&self, study_uid: &str) -> Result<Option<PathBuf>, StoreError> {
        let mut find = self.connection.prepare_cached(
            "SELECT g.folder FROM study_uids u JOIN segments g ON g.study = u.study
             WHERE u.uid = ?1
               AND g.run = (SELECT max(run) FROM namings WHERE study = u.study)",
        )?;
        let folder: Option<String> = find.query_row([study_uid], |row| row.get(0)).optional()?;
        Ok(folder.map(|folder| self.folder().join(folder)).filter(|folder| folder.is_dir()))
    }

    /// The folder with the segments of a run of a study, as [`Self::segments`] has it.
    ///
    /// # Errors
    /// Those of the database.
    pub fn segments_of_run(&self, study: u64, run: u32) -> Result<Option<PathBuf>, StoreError> {
        let mut find = self
            .connection
            .prepare_cached("SELECT folder FROM segments WHERE study = ?1 AND run = ?2")?;
        let folder: Option<String> = find.query_row((study, run), |row| row.get(0)).optional()?;
        Ok(folder.map(|folder| self.folder().join(folder)).filter(|folder| folder.is_dir()))
    }

    /// The data folder.
    pub(super) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }
}

impl Writer<'_> {
    /// Keeps written segments as those of a run of a study, in the place of any that it had.
    ///
    /// # Errors
    /// Those of the database and of the files, and where there is no such study.
    pub fn keep_segments(
        &self,
        study_uid: &str,
        run: u32,
        written: &WrittenSegments,
    ) -> Result<(), StoreError> {
        let study = self.known_study(study_uid)?;
        let folder = format!("{}/{run}", written.relative);
        self.transaction.execute(
            "INSERT OR REPLACE INTO segments (study, run, folder) VALUES (?1, ?2, ?3)",
            (study, run, folder),
        )?;
        // Files without a row hurt nobody; a row without files would.
        Ok(written.put_in_place(run)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_study_of_any_name_has_a_folder_of_its_own() {
        assert_eq!(folder_name("1.2.840.3"), "1.2.840.3");
        assert_eq!(folder_name("../a/b"), "%2e.%2fa%2fb");
        assert_eq!(folder_name("Röntgen 4%"), "Röntgen 4%25");
    }
}
