//! A study from wherever it is: a folder or a zip of DICOM files, a single volume, a folder of
//! pictures. What cannot be read is listed with its reason and ends nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use rayon::prelude::*;
use walkdir::{DirEntry, WalkDir};
use zip::ZipArchive;

use super::Volume;
use super::bytes::{unpacked, whole};
use super::dicom::{self, DicomError};
use super::dicom_bounds;
use super::geometry::Geometry;
use super::metaimage::{self, MetaImageError};
use super::nifti::{self, NiftiError};
use super::pictures::{self, PicturesError};
use super::series::Series;
use super::slice::{Protocol, Slice};
use super::stack::{Source, Stack, stacks};

/// What was made of a study.
#[derive(Debug, Default)]
pub struct Study {
    /// Its series, by number and name.
    pub series: Vec<Series>,
    /// Files that gave nothing.
    pub refused: Vec<Refusal>,
}

/// A file that gave nothing, and why.
#[derive(Debug)]
pub struct Refusal {
    /// The file, from the study's folder on.
    pub file: String,
    /// Why.
    pub reason: FileError,
}

/// Why a file gives nothing.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what each is")]
pub enum FileError {
    #[error(transparent)]
    Dicom(#[from] DicomError),
    #[error(transparent)]
    Nifti(#[from] NiftiError),
    #[error(transparent)]
    MetaImage(#[from] MetaImageError),
    #[error(transparent)]
    Pictures(#[from] PicturesError),
    #[error("it cannot be read")]
    Io(#[from] io::Error),
    #[error("it cannot be unpacked")]
    Packed(#[source] zip::result::ZipError),
    #[error("it is larger than any file of a study")]
    TooLarge,
    #[error("its study is too large without it")]
    NoRoom,
}

/// Why there is no study at all.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what each is")]
pub enum StudyError {
    #[error("`{path}` cannot be read")]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("`{path}` is no zip archive")]
    NoZip { path: PathBuf, source: zip::result::ZipError },
    #[error("`{path}` holds no file")]
    Empty { path: PathBuf },
    #[error(
        "`{path}` holds {count} studies, where one is wanted; put each into a folder of its own, \
         and give these, or with `--each` the folder that they are in"
    )]
    Several { path: PathBuf, count: usize },
    #[error(
        "`{path}` unpacks to more than 4 GB, as no study does; give a folder with its sagittal and \
         axial series alone"
    )]
    TooLarge { path: PathBuf },
}

/// A file's slices, which are put together by series, or a whole volume.
enum Found {
    Slices(Box<Protocol>, Vec<Slice>),
    Volume(Box<Volume>),
}

/// A file by its name, and what it gave.
type File = (String, Result<Found, FileError>);

/// No study has more bytes, as files and as voxels in single precision.
const LARGEST_STUDY: u64 = 4 << 30;

/// How many bytes a study may still have, whichever of its files they are of.
struct Room(AtomicU64);

impl Room {
    /// Takes what a file needs. Once there was too little nothing is left, so that no file is
    /// unpacked in vain.
    fn take(&self, bytes: usize) -> Result<(), FileError> {
        let less = |left: u64| Some(left.saturating_sub(bytes as u64));
        let left = self.0.fetch_update(Relaxed, Relaxed, less).unwrap_or(0);
        if left > bytes as u64 { Ok(()) } else { Err(FileError::NoRoom) }
    }

    fn is_spent(&self) -> bool {
        self.0.load(Relaxed) == 0
    }
}

impl Study {
    /// Reads a study.
    ///
    /// # Errors
    /// Where the path itself cannot be read. Files of it that cannot are among the refused.
    pub fn read(path: &Path) -> Result<Self, StudyError> {
        let unreadable = |source| StudyError::Unreadable { path: path.to_owned(), source };
        let room = Room(AtomicU64::new(LARGEST_STUDY));
        let is_folder = fs::metadata(path).map_err(unreadable)?.is_dir();
        let found = match (is_folder, extension(path).as_str()) {
            (true, _) if path.join(pictures::SIDECAR).is_file() => {
                vec![(file_name(path), picture_stack(path))]
            }
            (true, _) => of_folder(path, &room),
            (false, "zip") => of_zip(path, &room)?,
            (false, _) => vec![(file_name(path), of_file(path, &file_name(path), &room))],
        };
        if found.is_empty() {
            return Err(StudyError::Empty { path: path.to_owned() });
        }
        if room.is_spent() {
            return Err(StudyError::TooLarge { path: path.to_owned() });
        }
        match studies(&found) {
            0 | 1 => Ok(Self::of(found)),
            count => Err(StudyError::Several { path: path.to_owned(), count }),
        }
    }

    /// Puts what files gave together.
    fn of(found: Vec<File>) -> Self {
        let mut study = Self::default();
        let mut by_series: BTreeMap<(Option<i64>, String), (Protocol, Vec<Slice>)> =
            BTreeMap::new();
        for (file, found) in found {
            match found {
                Ok(Found::Slices(protocol, slices)) => {
                    let echo = protocol.echo_time.map_or(String::new(), |echo| echo.to_string());
                    let uid = protocol.series.clone().unwrap_or_default();
                    let key = (protocol.number, format!("{uid} {echo}"));
                    let series = by_series.entry(key).or_insert_with(|| (*protocol, Vec::new()));
                    series.1.extend(slices);
                }
                Ok(Found::Volume(volume)) => study.series.push(single(&file, *volume)),
                Err(reason) => study.refused.push(Refusal { file, reason }),
            }
        }
        study.series.extend(
            by_series
                .into_par_iter()
                .map(|(_, (protocol, slices))| {
                    let name =
                        protocol.description.clone().unwrap_or_else(|| "without a name".to_owned());
                    let (stacks, notes) = stacks(slices);
                    Series::new(name, protocol, stacks, notes)
                })
                .collect::<Vec<_>>(),
        );
        study
    }
}

/// How many studies files are of, as far as they tell: each has a UID and is of one patient.
fn studies(found: &[File]) -> usize {
    let told = |(_, found): &File| match found {
        Ok(Found::Slices(protocol, _)) => Some((protocol.study.clone(), protocol.patient.clone())),
        _ => None,
    };
    let (uids, patients): (BTreeSet<_>, BTreeSet<_>) = found.iter().filter_map(told).unzip();
    [uids, patients].map(|all| all.into_iter().flatten().count()).into_iter().max().unwrap_or(0)
}

/// A volume that is a series by itself.
fn single(file: &str, volume: Volume) -> Series {
    let order = order(&volume.geometry);
    let is_sliced = order == [(0, false), (1, false), (2, false)];
    let volume = if is_sliced { volume } else { volume.reordered(order) };
    // The axis that became each, which leads the same way or the other.
    let axis_of = |axis: usize| order.iter().position(|(of, _)| *of == axis).unwrap_or(axis);
    let back = [0, 1, 2].map(axis_of).map(|axis| (axis, order[axis].1));
    let source = Source { name: file.to_owned(), instance: None };
    let slices = vec![Some(source); volume.geometry.size[2]];
    let back = (!is_sliced).then_some(back);
    let stack = Stack { volume, slices, back, notes: Vec::new() };
    Series::new(file.to_owned(), Protocol::default(), vec![stack], Vec::new())
}

/// The order of axes in which slices are as a scanner would have them: across the axis along which
/// voxels are clearly longest, else from side to side. Rows lead to the back or to the left, columns
/// down, those of axial slices to the back.
fn order(geometry: &Geometry) -> [(usize, bool); 3] {
    let [left, back, up] = geometry.nearest_axes();
    let spacing = geometry.spacing();
    let is_across = |(axis, _): (usize, bool)| {
        (0..3).all(|other| other == axis || spacing[other] < 0.7 * spacing[axis])
    };
    let down = (up.0, !up.1);
    match (is_across(up), is_across(back)) {
        (true, _) => [left, back, up],
        (_, true) => [left, down, back],
        _ => [back, down, left],
    }
}

fn of_folder(folder: &Path, room: &Room) -> Vec<File> {
    let name = |path: &Path| path.strip_prefix(folder).unwrap_or(path).display().to_string();
    let (mut paths, mut unread) = (Vec::new(), Vec::new());
    // Archives of data keep files elsewhere and link to them; what is hidden is theirs.
    let is_shown = |entry: &DirEntry| {
        entry.depth() == 0 || !entry.file_name().as_encoded_bytes().starts_with(b".")
    };
    let walk = WalkDir::new(folder).follow_links(true).sort_by_file_name();
    for entry in walk.into_iter().filter_entry(is_shown) {
        let entry = match entry {
            Ok(entry) => entry,
            // What a link leads back to is walked through already.
            Err(error) if error.loop_ancestor().is_some() => continue,
            Err(error) => {
                let path = error.path().unwrap_or(folder).to_owned();
                unread.push((name(&path), Err(io::Error::from(error).into())));
                continue;
            }
        };
        if entry.file_type().is_file() {
            paths.push(entry.into_path());
        }
    }
    unread.par_extend(paths.par_iter().map(|path| {
        let name = name(path);
        let found = of_file(path, &name, room);
        (name, found)
    }));
    unread
}

fn of_zip(path: &Path, room: &Room) -> Result<Vec<File>, StudyError> {
    let unreadable = |source| StudyError::Unreadable { path: path.to_owned(), source };
    let no_zip = |source| StudyError::NoZip { path: path.to_owned(), source };
    let file = BufReader::new(fs::File::open(path).map_err(unreadable)?);
    let mut archive = ZipArchive::new(file).map_err(no_zip)?;
    let mut found = Vec::new();
    for number in 0..archive.len() {
        let nameless = || format!("file {} of the archive", number + 1);
        let packed = match archive.by_index(number) {
            Ok(packed) if packed.is_dir() => continue,
            Ok(packed) => packed,
            Err(error) => {
                found.push((nameless(), Err(FileError::Packed(error))));
                continue;
            }
        };
        let name = packed.name().map_or_else(|_| nameless(), |name| name.into_owned());
        let of = of_reader(packed, &name, room);
        found.push((name, of));
    }
    Ok(found)
}

/// What a file gives that goes by a name within its study.
fn of_file(path: &Path, name: &str, room: &Room) -> Result<Found, FileError> {
    if extension(path) == "mhd" {
        // Its voxels lie in another file.
        return kept(Found::Volume(Box::new(metaimage::read(path)?)), room);
    }
    of_reader(fs::File::open(path)?, name, room)
}

/// What a file gives whose name says of which format it is; without one it is DICOM.
fn of_reader(mut file: impl Read, name: &str, room: &Room) -> Result<Found, FileError> {
    room.take(0)?;
    let format = extension(Path::new(name));
    let mut begins = Vec::new();
    file.by_ref().take(dicom_bounds::BEGINS).read_to_end(&mut begins)?;
    match format.as_str() {
        "mhd" => return Err(MetaImageError::Packed.into()),
        "nii" | "gz" | "mha" => {}
        // Films and archives that lie about in a folder are not read any further.
        _ if dicom_bounds::start(&begins).is_none() => return Err(DicomError::NoDicom.into()),
        _ => {}
    }
    let bytes = whole(begins, file)?.ok_or(FileError::TooLarge)?;
    room.take(bytes.len())?;
    let volume = match format.as_str() {
        "nii" | "gz" => nifti::read(&mut unpacked(&bytes[..])?)?,
        "mha" => metaimage::read_from(&mut &bytes[..])?,
        _ => {
            let (protocol, slices) = dicom::read(&bytes, name)?;
            return kept(Found::Slices(Box::new(protocol), slices), room);
        }
    };
    kept(Found::Volume(Box::new(volume)), room)
}

/// What a file gave, where there is room for its voxels.
fn kept(found: Found, room: &Room) -> Result<Found, FileError> {
    let voxels = match &found {
        Found::Slices(_, slices) => slices.iter().map(|slice| slice.values.len()).sum(),
        Found::Volume(volume) => volume.values.len(),
    };
    room.take(voxels * size_of::<f32>())?;
    Ok(found)
}

fn picture_stack(folder: &Path) -> Result<Found, FileError> {
    Ok(Found::Volume(Box::new(pictures::read(folder)?)))
}

fn extension(path: &Path) -> String {
    path.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_lowercase()
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_goes_back_into_the_order_of_its_file() {
        let values = (0..24).map(|value| value as f32).collect::<Vec<_>>();
        // From head to foot, from front to back, from right to left; and from left to right, up.
        for steps in [
            [[0.0, 0.0, -1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]],
            [[-1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]],
        ] {
            let geometry = Geometry::new([2, 3, 4], [7.0, 8.0, 9.0], steps).unwrap();
            let volume = Volume { geometry, values: values.clone() };
            let series = single("volume.nii", volume.clone());
            let stack = &series.stacks[0];
            assert_ne!(stack.volume.values, values);
            assert_eq!(stack.volume.reordered(stack.back.unwrap()), volume);
        }
    }

    #[test]
    fn once_a_study_is_too_large_there_is_room_for_nothing() {
        let room = Room(AtomicU64::new(10));
        assert!(room.take(4).is_ok() && room.take(5).is_ok() && !room.is_spent());
        assert!(matches!(room.take(7), Err(FileError::NoRoom)));
        assert!(room.is_spent() && room.take(0).is_err());
    }
}
