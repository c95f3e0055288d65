//! Levels with their crops and what is known of them: read once, and small enough to stay.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use sha2::{Digest, Sha256};
use tch::Tensor;

use super::row::{Row, of_manifest};
use super::rsna2024;
use crate::engine::grader::{Config, Input};
use crate::export::segments::{FILE, ManifestError, Part};
use crate::imaging::npz;

/// Levels to learn from and to be judged on.
#[derive(Debug, Default)]
pub struct Examples {
    /// What is known of each.
    pub rows: Vec<Row>,
    /// What is seen of each.
    pub inputs: Vec<Input>,
    /// Rows that cannot be used.
    pub bad: Vec<Bad>,
    /// Levels of which nothing is known, or nothing that is wanted is seen.
    pub without: usize,
    /// SHA-256 over all of it, in hexadecimal digits.
    pub sha256: String,
}

/// What cannot be used, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bad {
    /// Where it is.
    pub place: String,
    /// Why.
    pub reason: String,
}

/// Why there is nothing to learn from.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what each is")]
pub enum ExamplesError {
    #[error(
        "`{path}` is no folder of levels: it should hold manifest.csv, or train.csv of the RSNA 2024 \
         challenge"
    )]
    Neither { path: PathBuf },
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    #[error("`{path}` cannot be read as a table")]
    Table { path: PathBuf, source: csv::Error },
    #[error("`{path}` has no column {columns}")]
    Columns { path: PathBuf, columns: String },
    #[error(
        "patient {patient} is in `{one}` and in `{other}`, and so would be judged on what was \
             learned; give each patient one split"
    )]
    Torn { patient: String, one: &'static str, other: &'static str },
    #[error(
        "`{path}` has no level for `{part}`, or none with labels and crops of what is graded{}",
        first(bad)
    )]
    TooFew { path: PathBuf, part: &'static str, bad: Vec<Bad> },
}

/// The first of what cannot be used, for a message about all of it.
fn first(bad: &[Bad]) -> String {
    let [Bad { place, reason }, ..] = bad else { return String::new() };
    format!("; {} could not be used, the first of them {place}: {reason}", bad.len())
}

impl Examples {
    /// Reads a folder: a manifest with its segments, or the RSNA 2024 challenge's, whose patients are
    /// split as `seed` decides. `read` is told how many levels are done, and of how many.
    ///
    /// # Errors
    /// Where it is no such folder, or a table is none.
    pub fn read(
        folder: &Path,
        config: &Config,
        seed: u64,
        read: impl Fn(usize, usize) + Sync,
    ) -> Result<Self, ExamplesError> {
        let (mut found, bad) = match Layout::of(folder)? {
            Layout::Manifest => segments(folder, config, read)?,
            Layout::Rsna2024 => rsna2024::read(folder, config, seed, read)?,
        };
        let all = found.len();
        found.retain(|(row, input)| is_known(row, config) && !input.is_empty());
        let without = all - found.len();
        let (rows, inputs): (Vec<Row>, Vec<Input>) = found.into_iter().unzip();
        whole(&rows)?;
        let sha256 = hash(&rows, &inputs);
        Ok(Self { rows, inputs, bad, without, sha256 })
    }

    /// These, to learn from alone, and those of `check`, of whatever part, to be judged on.
    ///
    /// # Errors
    /// Where a patient is in both.
    pub fn judged_on(mut self, check: Self) -> Result<Self, ExamplesError> {
        let learned = self.rows.into_iter().zip(self.inputs);
        let judged = check.rows.into_iter().zip(check.inputs);
        let found = learned
            .filter(|(row, _)| row.part == Part::Train)
            .chain(judged.map(|(row, input)| (Row { part: Part::Validate, ..row }, input)));
        (self.rows, self.inputs) = found.unzip();
        whole(&self.rows)?;
        self.bad.extend(check.bad);
        self.without += check.without;
        self.sha256 = hash(&self.rows, &self.inputs);
        Ok(self)
    }

    /// The levels of a part.
    pub fn of(&self, part: Part) -> Vec<usize> {
        (0..self.rows.len()).filter(|&at| self.rows[at].part == part).collect()
    }

    /// The patients of a part.
    pub fn patients(&self, part: Part) -> Vec<String> {
        let patients: BTreeSet<&String> =
            self.of(part).into_iter().map(|at| &self.rows[at].patient).collect();
        patients.into_iter().cloned().collect()
    }
}

/// What is known of the levels of a folder, without a look at their crops, and what cannot be used.
///
/// # Errors
/// Where it is no such folder, or a table is none.
pub fn rows(folder: &Path, seed: u64) -> Result<(Vec<Row>, Vec<Bad>), ExamplesError> {
    match Layout::of(folder)? {
        Layout::Manifest => Ok((of_manifest(folder)?, Vec::new())),
        Layout::Rsna2024 => rsna2024::rows(folder, seed),
    }
}

/// How a folder holds levels.
enum Layout {
    Manifest,
    Rsna2024,
}

impl Layout {
    fn of(folder: &Path) -> Result<Self, ExamplesError> {
        match [FILE, rsna2024::TABLE].map(|table| folder.join(table).is_file()) {
            [true, _] => Ok(Self::Manifest),
            [false, true] => Ok(Self::Rsna2024),
            [false, false] => Err(ExamplesError::Neither { path: folder.to_owned() }),
        }
    }
}

/// Whether anything is known of a level that the network grades.
pub(super) fn is_known(row: &Row, config: &Config) -> bool {
    config.targets().any(|target| row.truth(target).is_some())
}

/// Levels with what is seen of them, and those that cannot be used.
pub(super) type Found = (Vec<(Row, Input)>, Vec<Bad>);

/// The segments of a manifest.
fn segments(
    folder: &Path,
    config: &Config,
    read: impl Fn(usize, usize) + Sync,
) -> Result<Found, ExamplesError> {
    let (rows, mut bad) = (of_manifest(folder)?, Vec::new());
    let (done, all) = (AtomicUsize::new(0), rows.len());
    let found: Vec<Result<(Row, Input), Bad>> = rows
        .into_par_iter()
        .map(|row| {
            let input = match is_known(&row, config) {
                true => segment(&row.images, config),
                false => Ok(Input::default()),
            };
            read(done.fetch_add(1, Ordering::Relaxed) + 1, all);
            let place = || row.images.display().to_string();
            input.map_err(|reason| Bad { place: place(), reason }).map(|input| (row.clone(), input))
        })
        .collect();
    let mut good = Vec::with_capacity(found.len());
    for one in found {
        match one {
            Ok(one) => good.push(one),
            Err(one) => bad.push(one),
        }
    }
    Ok((good, bad))
}

fn segment(path: &Path, config: &Config) -> Result<Input, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let segment = npz::read(BufReader::new(file)).map_err(|error| error.to_string())?;
    Ok(Input::new(config, &segment))
}

/// Makes sure that each patient is in one part.
fn whole(rows: &[Row]) -> Result<(), ExamplesError> {
    let mut parts: BTreeMap<&str, Part> = BTreeMap::new();
    for row in rows {
        let part = *parts.entry(&row.patient).or_insert(row.part);
        if part != row.part {
            let (one, other) = (part.name(), row.part.name());
            return Err(ExamplesError::Torn { patient: row.patient.clone(), one, other });
        }
    }
    Ok(())
}

/// SHA-256 over what is known and what is seen.
fn hash(rows: &[Row], inputs: &[Input]) -> String {
    let mut hash = Sha256::new();
    for (row, input) in rows.iter().zip(inputs) {
        let Row { patient, study, level, part, truths, own, .. } = row;
        hash.update(format!("{patient}\n{study}\n{level}\n{part}\n{truths:?}\n{own:?}\n"));
        for crop in input.axial.iter().chain(&input.sagittal) {
            hash.update(bytes(crop));
        }
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(crop: &Tensor) -> Vec<u8> {
    Vec::try_from(crop.reshape([-1])).expect("crops are bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::Level;

    fn row(patient: &str, part: Part) -> Row {
        Row {
            patient: patient.to_owned(),
            study: patient.to_owned(),
            level: Level::L4L5,
            part,
            images: PathBuf::new(),
            truths: [None; 5],
            own: [1.0; 5],
        }
    }

    #[test]
    fn a_patient_who_is_learned_from_and_judged_on_is_refused() {
        let rows = [row("p", Part::Train), row("q", Part::Test), row("p", Part::Test)];
        assert!(whole(&rows[..2]).is_ok());
        let error = whole(&rows).unwrap_err().to_string();
        assert!(error.contains("patient p") && error.contains("`test`"), "{error}");
    }
}
