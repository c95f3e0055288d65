//! Sagittal slices with masks, by subject: what the segmenter learns from and is judged on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tch::{Kind, Tensor};

use crate::imaging::{Geometry, Gray, GrayError, Mask, Tissue, Volume};

/// The values of tissues in masks, as SPIDER's slices have them.
const VALUES: [(u8, Tissue); 4] =
    [(0, Tissue::Background), (29, Tissue::Disc), (76, Tissue::Vertebra), (150, Tissue::Canal)];

/// Why a folder of slices cannot be learned from.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what each is")]
pub enum SlicesError {
    #[error("`{path}` cannot be listed; it should hold `images` and `masks`")]
    Unlisted { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Gray(#[from] GrayError),
    #[error("`{path}` should be called SUBJECT_slice17.png: a subject, and the slice's number")]
    Unnamed { path: PathBuf },
    #[error("`{path}` is {}×{} pixels, its image {}×{}", mask.0, mask.1, image.0, image.1)]
    OtherSize { path: PathBuf, mask: (usize, usize), image: (usize, usize) },
    #[error(
        "`{path}` has the value {value}; masks have 0 background, 29 disc, 76 vertebra, 150 canal"
    )]
    OtherValue { path: PathBuf, value: u16 },
    #[error("the slices of subject {subject} are not all of the same size")]
    Uneven { subject: String },
    #[error(
        "`{path}` holds no slices of at least two subjects, one to learn from and one to judge on"
    )]
    TooFew { path: PathBuf },
}

/// One person's slices, from one side to the other, all of the same size.
#[derive(Debug)]
pub struct Subject {
    /// Who.
    pub name: String,
    /// In the order of their numbers.
    pub slices: Vec<Slice>,
}

/// A slice and its mask.
#[derive(Debug)]
pub struct Slice {
    /// Its place in the series.
    pub number: i64,
    /// Brightness, [height, width], bytes.
    pub image: Tensor,
    /// Numbers of tissues, [height, width], bytes.
    pub mask: Tensor,
}

/// All subjects of a folder.
#[derive(Debug)]
pub struct Slices {
    /// By name.
    pub subjects: Vec<Subject>,
    /// SHA-256 over all files, in hexadecimal digits.
    pub sha256: String,
}

impl Slices {
    /// Reads a folder with `images` and `masks`, whose files have the same names.
    ///
    /// # Errors
    /// Where a file is not what it should be.
    pub fn read(folder: &Path) -> Result<Self, SlicesError> {
        let mut hash = Sha256::new();
        let mut subjects: BTreeMap<String, Vec<Slice>> = BTreeMap::new();
        for path in images(&folder.join("images"))? {
            let (subject, number) =
                named(&path).ok_or_else(|| SlicesError::Unnamed { path: path.clone() })?;
            let image = Gray::read(&path)?;
            let beside = folder.join("masks").join(path.file_name().unwrap_or_default());
            let mask = Gray::read(&beside)?;
            let sizes = ((mask.width, mask.height), (image.width, image.height));
            if sizes.0 != sizes.1 {
                let (mask, image) = sizes;
                return Err(SlicesError::OtherSize { path: beside, mask, image });
            }
            let image = image.bytes();
            let mask =
                tissues(&mask).map_err(|value| SlicesError::OtherValue { path: beside, value })?;
            hash.update(&image);
            hash.update(&mask);
            let tensor = |bytes: &[u8]| {
                let (width, height) = sizes.0;
                Tensor::from_slice(bytes).view([height as i64, width as i64])
            };
            let slice = Slice { number, image: tensor(&image), mask: tensor(&mask) };
            subjects.entry(subject).or_default().push(slice);
        }
        if subjects.len() < 2 {
            return Err(SlicesError::TooFew { path: folder.to_owned() });
        }
        let subjects = subjects.into_iter().map(|(name, mut slices)| {
            slices.sort_by_key(|slice| slice.number);
            let size = slices[0].image.size();
            match slices.iter().all(|slice| slice.image.size() == size) {
                true => Ok(Subject { name, slices }),
                false => Err(SlicesError::Uneven { subject: name }),
            }
        });
        let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { subjects: subjects.collect::<Result<_, _>>()?, sha256 })
    }

    /// Which subjects are kept from learning: a share of them, at least one, as `seed` decides.
    pub fn held_out(&self, share: f64, seed: u64) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.subjects.len()).collect();
        fastrand::Rng::with_seed(seed).shuffle(&mut order);
        let count = (self.subjects.len() as f64 * share).round() as usize;
        order.truncate(count.clamp(1, self.subjects.len() - 1));
        order.sort_unstable();
        order
    }
}

impl Subject {
    /// A slice between those that are about so many places away on both sides, [3, height, width];
    /// where there are none it stands there itself.
    pub fn around(&self, at: usize, places: i64) -> Tensor {
        let own = &self.slices[at];
        let nearest = |wanted: i64, on_side: &dyn Fn(i64) -> bool| {
            self.slices
                .iter()
                .filter(|other| on_side(other.number))
                .min_by_key(|other| (other.number - wanted).abs())
                .filter(|other| (other.number - wanted).abs() < places.max(2))
                .map_or(&own.image, |other| &other.image)
        };
        let before = nearest(own.number - places, &|number| number < own.number);
        let after = nearest(own.number + places, &|number| number > own.number);
        Tensor::stack(&[before, &own.image, after], 0)
    }

    /// Its slices, and their masks, as volumes: pixels are `pixel` mm wide, and slices whose numbers
    /// follow each other `apart` mm apart.
    pub fn volumes(&self, pixel: f64, apart: f64) -> (Volume, Mask) {
        let (first, last) = (&self.slices[0], &self.slices[self.slices.len() - 1]);
        let gaps = (self.slices.len() - 1).max(1) as f64;
        let step = apart * ((last.number - first.number).max(1) as f64 / gaps);
        let [height, width] = [0, 1].map(|axis| first.image.size()[axis] as usize);
        let geometry = Geometry {
            size: [width, height, self.slices.len()],
            origin: [0.0; 3],
            steps: [[0.0, pixel, 0.0], [0.0, 0.0, -pixel], [step, 0.0, 0.0]],
        };
        let images = self.slices.iter().flat_map(|slice| bytes(&slice.image));
        let image = Volume { geometry, values: images.map(f32::from).collect() };
        let masks = self.slices.iter().flat_map(|slice| bytes(&slice.mask));
        (image, Mask { geometry, values: masks.collect() })
    }
}

/// The pictures of a folder by name.
fn images(folder: &Path) -> Result<Vec<PathBuf>, SlicesError> {
    let unlisted = |source| SlicesError::Unlisted { path: folder.to_owned(), source };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unlisted)? {
        let path = entry.map_err(unlisted)?.path();
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("png")) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// "81_t2_SPACE_slice59.png" is slice 59 of subject 81.
fn named(path: &Path) -> Option<(String, i64)> {
    let stem = path.file_stem()?.to_str()?;
    let (before, number) = stem.rsplit_once("slice")?;
    let subject = before.split('_').next().filter(|subject| !subject.is_empty())?;
    Some((subject.to_owned(), number.parse().ok()?))
}

/// The numbers of the tissues of a mask, or the first value that is none.
fn tissues(mask: &Gray) -> Result<Vec<u8>, u16> {
    let number = |&value: &u16| {
        let row = VALUES.iter().find(|(known, _)| u16::from(*known) == value);
        row.map(|(_, tissue)| tissue.number()).ok_or(value)
    };
    mask.pixels.iter().map(number).collect()
}

/// A picture's bytes, row after row.
pub(super) fn bytes(picture: &Tensor) -> Vec<u8> {
    Vec::try_from(picture.reshape([-1])).expect("slices are of bytes")
}

/// Images between 0 and 1.
pub(super) fn unit(bytes: &Tensor) -> Tensor {
    bytes.to_kind(Kind::Float) / 255.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_stands_between_its_neighbours_or_alone() {
        let slice = |number: i64| Slice {
            number,
            image: Tensor::full([2, 2], number, (Kind::Uint8, tch::Device::Cpu)),
            mask: Tensor::zeros([2, 2], (Kind::Uint8, tch::Device::Cpu)),
        };
        let subject = Subject { name: "7".into(), slices: [1, 3, 5, 7].map(slice).into() };
        let numbers = |at, places| {
            let stack = subject.around(at, places);
            [0, 1, 2].map(|channel| stack.int64_value(&[channel, 0, 0]))
        };
        assert_eq!(numbers(1, 2), [1, 3, 5]);
        assert_eq!(numbers(2, 4), [1, 5, 7], "the nearest that there is");
        assert_eq!(numbers(0, 2), [1, 1, 3], "none before the first");
        assert_eq!(numbers(1, 1), [1, 3, 5], "a place away there is none");
    }

    #[test]
    fn files_say_whose_they_are() {
        let named = |name| named(Path::new(name));
        assert_eq!(named("81_t2_SPACE_slice59.png"), Some(("81".into(), 59)));
        assert_eq!(named("anna_slice3.png"), Some(("anna".into(), 3)));
        assert_eq!(named("_slice3.png"), None);
        assert_eq!(named("81_59.png"), None);
    }
}
