//! A study from wherever it is: a folder or a zip of DICOM files, a single volume, a folder of
//! pictures. What cannot be read is listed with its reason and ends nothing.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use walkdir::WalkDir;
use zip::ZipArchive;

use super::Volume;
use super::bytes::unpacked;
use super::dicom::{self, DicomError};
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
}

/// A file's slices, which are put together by series, or a whole volume.
enum Found {
    Slices(Box<Protocol>, Vec<Slice>),
    Volume(Box<Volume>),
}

/// A file by its name, and what it gave.
type File = (String, Result<Found, FileError>);

/// A file of a zip is not unpacked beyond this.
const LARGEST_PACKED: u64 = 1 << 30;

impl Study {
    /// Reads a study.
    ///
    /// # Errors
    /// Where the path itself cannot be read. Files of it that cannot are among the refused.
    pub fn read(path: &Path) -> Result<Self, StudyError> {
        let unreadable = |source| StudyError::Unreadable { path: path.to_owned(), source };
        let is_folder = fs::metadata(path).map_err(unreadable)?.is_dir();
        let found = match (is_folder, extension(path).as_str()) {
            (true, _) if path.join(pictures::SIDECAR).is_file() => {
                vec![(file_name(path), picture_stack(path))]
            }
            (true, _) => of_folder(path),
            (false, "zip") => of_zip(path)?,
            (false, _) => vec![(file_name(path), of_file(path, &file_name(path)))],
        };
        if found.is_empty() {
            return Err(StudyError::Empty { path: path.to_owned() });
        }
        Ok(Self::of(found))
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

/// A volume that is a series by itself.
fn single(file: &str, volume: Volume) -> Series {
    let volume = sliced(volume);
    let source = Source { name: file.to_owned(), instance: None };
    let slices = vec![Some(source); volume.geometry.size[2]];
    let stack = Stack { volume, slices, notes: Vec::new() };
    Series::new(file.to_owned(), Protocol::default(), vec![stack], Vec::new())
}

/// A volume with its slices as a scanner would have them: from side to side with rows that lead
/// down, or, where slices are thick from head to foot, axial with rows that lead to the back.
fn sliced(volume: Volume) -> Volume {
    let [left, back, up] = volume.geometry.nearest_axes();
    let spacing = volume.geometry.spacing();
    let widest = spacing.iter().copied().fold(0.0, f64::max);
    let is_axial = spacing[up.0] > widest * 0.99 && spacing[left.0] < widest * 0.7;
    let down = (up.0, !up.1);
    let order = if is_axial { [left, back, up] } else { [back, down, left] };
    if order == [(0, false), (1, false), (2, false)] { volume } else { volume.reordered(order) }
}

fn of_folder(folder: &Path) -> Vec<File> {
    let name = |path: &Path| path.strip_prefix(folder).unwrap_or(path).display().to_string();
    let (mut paths, mut unread) = (Vec::new(), Vec::new());
    for entry in WalkDir::new(folder).sort_by_file_name() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let path = error.path().unwrap_or(folder).to_owned();
                unread.push((name(&path), Err(io::Error::from(error).into())));
                continue;
            }
        };
        let hidden = entry.file_name().to_str().is_some_and(|name| name.starts_with('.'));
        if entry.file_type().is_file() && !hidden {
            paths.push(entry.into_path());
        }
    }
    unread.par_extend(paths.par_iter().map(|path| {
        let name = name(path);
        let found = of_file(path, &name);
        (name, found)
    }));
    unread
}

fn of_zip(path: &Path) -> Result<Vec<File>, StudyError> {
    let unreadable = |source| StudyError::Unreadable { path: path.to_owned(), source };
    let no_zip = |source| StudyError::NoZip { path: path.to_owned(), source };
    let file = BufReader::new(fs::File::open(path).map_err(unreadable)?);
    let mut archive = ZipArchive::new(file).map_err(no_zip)?;
    let mut found = Vec::new();
    for number in 0..archive.len() {
        let nameless = || format!("file {} of the archive", number + 1);
        let mut packed = match archive.by_index(number) {
            Ok(packed) if packed.is_dir() => continue,
            Ok(packed) => packed,
            Err(error) => {
                found.push((nameless(), Err(FileError::Packed(error))));
                continue;
            }
        };
        let name = packed.name().map_or_else(|_| nameless(), |name| name.into_owned());
        let of = unpack(&mut packed).and_then(|bytes| of_reader(&name, Cursor::new(bytes)));
        found.push((name, of));
    }
    Ok(found)
}

/// The bytes of a packed file, unless they are more than any file of a study has.
fn unpack(packed: &mut impl Read) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::new();
    packed.take(LARGEST_PACKED + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > LARGEST_PACKED {
        true => Err(FileError::TooLarge),
        false => Ok(bytes),
    }
}

/// What a file gives that goes by a name within its study.
fn of_file(path: &Path, name: &str) -> Result<Found, FileError> {
    match extension(path).as_str() {
        // Its voxels lie in another file.
        "mhd" => Ok(Found::Volume(Box::new(metaimage::read(path)?))),
        _ => of_reader(name, BufReader::new(fs::File::open(path)?)),
    }
}

/// What a file gives whose name says of which format it is; without one it is DICOM.
fn of_reader(name: &str, mut file: impl BufRead) -> Result<Found, FileError> {
    let volume = match extension(Path::new(name)).as_str() {
        "nii" | "gz" => nifti::read(&mut unpacked(file)?)?,
        "mha" => metaimage::read_from(&mut file)?,
        _ => {
            let (protocol, slices) = dicom::read(file, name)?;
            return Ok(Found::Slices(Box::new(protocol), slices));
        }
    };
    Ok(Found::Volume(Box::new(volume)))
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
