//! Volumes of any scanner whose vertebral bodies or discs are known one by one, to be judged on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::engine::unet::Segmenter;
use crate::imaging::geometry::{Lps, along, length, minus};
use crate::imaging::spine::{Part, Spine, bodies, parts};
use crate::imaging::{Mask, Study, StudyError, Volume};
use crate::label::Level;

/// What the labels of a mask stand for, one each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shows {
    /// Vertebral bodies.
    Bodies,
    /// Discs.
    Discs,
}

/// A row of a table of volumes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// The volume.
    pub image: PathBuf,
    /// Its mask: a value for each body or disc.
    pub mask: PathBuf,
    /// What the mask shows.
    pub shows: Shows,
    /// The name of the lowest of them, such as L5, S1 or L5-S1.
    pub lowest: String,
    /// What volumes are summed up by, such as the sequence.
    pub group: String,
}

/// Why a volume cannot be scored.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what each is")]
pub enum KnownError {
    #[error("`{path}` is no table of volumes: its columns are image, mask, shows, lowest, group")]
    Table { path: PathBuf, source: csv::Error },
    #[error("`{0}` is not the lowest of what can be named: write L5, S1, L5-S1 or another level")]
    Lowest(String),
    #[error(transparent)]
    Study(#[from] StudyError),
    #[error("`{0}` holds no volume")]
    NoVolume(PathBuf),
    #[error("the mask has other voxels than its volume")]
    OtherVoxels,
}

/// How well a volume was read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VolumeScore {
    /// The file's name.
    pub volume: String,
    /// What it is summed up by.
    pub group: String,
    /// What is counted.
    pub shows: Shows,
    /// How many there are, without the sacrum's.
    pub known: usize,
    /// Those with one of the found ones within [`VolumeScore::NEAR`] mm, middle to middle.
    pub found: usize,
    /// Those of the found that are called what they are.
    pub named: usize,
    /// Whether a person is asked to look at the names.
    pub needs_a_person: bool,
    /// The Dice coefficient of what was found.
    pub dice: Option<f64>,
}

impl Known {
    /// Reads a table of volumes, whose paths are as seen from its folder.
    ///
    /// # Errors
    /// Where it is not one.
    pub fn read(path: &Path) -> Result<Vec<Self>, KnownError> {
        let table = |source| KnownError::Table { path: path.to_owned(), source };
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut reader = csv::Reader::from_path(path).map_err(table)?;
        let rows = reader.deserialize().map(|row| {
            let row: Self = row.map_err(table)?;
            row.lowest_level()?;
            Ok(Self { image: folder.join(row.image), mask: folder.join(row.mask), ..row })
        });
        rows.collect()
    }

    /// The level whose disc is the lowest, or is below the lowest body; and how many bodies are the
    /// sacrum's, which has no discs.
    fn lowest_level(&self) -> Result<(Level, usize), KnownError> {
        if self.shows == Shows::Bodies && self.lowest == "S1" {
            return Ok((Level::L5S1, 1));
        }
        let is_lowest = |level: &Level| match self.shows {
            Shows::Discs => level.name() == self.lowest,
            Shows::Bodies => level.name().split('-').next() == Some(self.lowest.as_str()),
        };
        let level = Level::ALL.into_iter().find(is_lowest);
        Ok((level.ok_or_else(|| KnownError::Lowest(self.lowest.clone()))?, 0))
    }
}

impl VolumeScore {
    /// What is found further away than this, in mm, is something else.
    pub const NEAR: f64 = 5.0;

    /// Segments a volume and scores what was found. `sliced` is told of slices done.
    ///
    /// # Errors
    /// Where volume or mask cannot be read.
    pub fn of(
        segmenter: &Segmenter,
        known: &Known,
        sliced: impl FnMut(usize),
    ) -> Result<Self, KnownError> {
        let (level, sacral) = known.lowest_level()?;
        let volume = volume(&known.image)?;
        let reference = volume_of_labels(&known.mask)?;
        if reference.geometry.size != volume.geometry.size {
            return Err(KnownError::OtherVoxels);
        }
        let tissues = segmenter.segment(&volume, sliced);
        let mut labels = middles(&reference);
        labels.sort_by(|(_, a), (_, b)| a[2].total_cmp(&b[2]));
        labels.drain(..sacral.min(labels.len()));
        let mut score = Self {
            volume: known.image.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            group: known.group.clone(),
            shows: known.shows,
            known: labels.len(),
            found: 0,
            named: 0,
            needs_a_person: true,
            dice: None,
        };
        if let Some(spine) = Spine::of(&tissues) {
            score.compare(
                &spine,
                &found(&spine, &tissues, known.shows),
                &reference,
                &labels,
                level,
            );
        }
        Ok(score)
    }

    /// Whether a name is wrong, or nothing that was found is in its place, and nobody is asked to look.
    pub const fn is_silently_wrong(&self) -> bool {
        !self.needs_a_person && (self.named < self.found || self.found == 0)
    }

    /// Takes account of what was found. `labels` are from the lowest up, `level` is the lowest's.
    fn compare(
        &mut self,
        spine: &Spine,
        found: &Mask,
        reference: &Mask,
        labels: &[(u8, Lps)],
        level: Level,
    ) {
        let parts = middles(found);
        let mut pairs = BTreeMap::new();
        for (from_below, (label, middle)) in labels.iter().enumerate() {
            let away = |part: &&(u8, Lps)| length(minus(part.1, *middle));
            let nearest = parts.iter().min_by(|a, b| away(a).total_cmp(&away(b)));
            let Some((part, _)) = nearest.filter(|part| away(part) <= Self::NEAR) else { continue };
            self.found += 1;
            pairs.insert(*part, *label);
            let name = Level::ALL.get((level as usize).wrapping_sub(from_below)).copied();
            self.named += usize::from(name.is_some() && name == level_of(spine, *part));
        }
        self.needs_a_person = spine.naming.needs_a_person();
        self.dice = dice(&found.values, &reference.values, &pairs);
    }
}

/// What the spine's mask has of what is counted, each with a number of its own.
fn found(spine: &Spine, tissues: &Mask, shows: Shows) -> Mask {
    match shows {
        Shows::Bodies => bodies(tissues, &spine.column),
        Shows::Discs => {
            let mut parts = parts(tissues, &spine.column);
            let is_disc = |number: u8| matches!(Part::of(number), Some(Part::Disc(_)));
            parts.values.iter_mut().filter(|number| !is_disc(**number)).for_each(|n| *n = 0);
            parts
        }
    }
}

/// The level of a disc, or of the disc below a body.
fn level_of(spine: &Spine, number: u8) -> Option<Level> {
    let (Part::Vertebra(from_below) | Part::Disc(from_below)) = Part::of(number)? else {
        return None;
    };
    let levels = &spine.naming.levels;
    levels.get(levels.len().checked_sub(usize::from(from_below))?)?.level
}

/// The Dice coefficient of pairs of parts and labels.
fn dice(found: &[u8], is: &[u8], pairs: &BTreeMap<u8, u8>) -> Option<f64> {
    let (mut both, mut sum) = (0_u64, 0_u64);
    let is_paired = |label: u8| pairs.values().any(|&paired| paired == label);
    for (&part, &label) in found.iter().zip(is) {
        let label_of = pairs.get(&part);
        both += u64::from(label != 0 && label_of.is_some_and(|&of| of == label));
        sum += u64::from(label_of.is_some()) + u64::from(label != 0 && is_paired(label));
    }
    (sum > 0).then(|| 2.0 * both as f64 / sum as f64)
}

/// The middle of each value of a mask but 0.
fn middles(mask: &Mask) -> Vec<(u8, Lps)> {
    let [width, height, _] = mask.geometry.size;
    let mut sums: BTreeMap<u8, (f64, Lps)> = BTreeMap::new();
    for (place, &value) in mask.values.iter().enumerate() {
        if value != 0 {
            let at = [place % width, place / width % height, place / (width * height)];
            let sum = sums.entry(value).or_default();
            *sum = (sum.0 + 1.0, along(sum.1, at.map(|at| at as f64), 1.0));
        }
    }
    let middle = |(value, (count, sum)): (u8, (f64, Lps))| {
        (value, mask.geometry.to_patient(sum.map(|sum| sum / count)))
    };
    sums.into_iter().map(middle).collect()
}

/// The only volume of a file.
fn volume(path: &Path) -> Result<Volume, KnownError> {
    let mut study = Study::read(path)?;
    let series = study.series.pop().ok_or_else(|| KnownError::NoVolume(path.to_owned()))?;
    let stack = series.stacks.into_iter().next();
    Ok(stack.ok_or_else(|| KnownError::NoVolume(path.to_owned()))?.volume)
}

fn volume_of_labels(path: &Path) -> Result<Mask, KnownError> {
    let Volume { geometry, values } = volume(path)?;
    Ok(Mask { geometry, values: values.into_iter().map(|value| value as u8).collect() })
}
