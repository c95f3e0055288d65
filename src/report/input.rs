//! Where reports come from: files, folders, standard input.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use walkdir::{DirEntry, WalkDir};

use super::problem::{BadRecord, Caution, Fault, Place, Warning};
use super::{Event, FORMATS, Format};

/// Something to read reports from.
pub enum Input {
    /// A file, or a folder that stands for the files in it and in its folders: those with an
    /// extension of a format, in the order of their names, hidden ones left out.
    Path(PathBuf),
    /// A stream, with the name that messages call it by.
    Stream(String, Box<dyn Read + Send>),
}

impl Input {
    /// What an argument of a command means: a path, or standard input for `-`.
    pub fn named(argument: impl AsRef<OsStr>) -> Self {
        let argument = argument.as_ref();
        if argument == "-" {
            Self::Stream("standard input".to_owned(), Box::new(io::stdin()))
        } else {
            Self::Path(argument.into())
        }
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => f.debug_tuple("Path").field(path).finish(),
            Self::Stream(name, _) => f.debug_tuple("Stream").field(name).finish_non_exhaustive(),
        }
    }
}

/// How far reading has come, in bytes as they lie on the disk. Clones watch the same reading.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    read: Arc<AtomicU64>,
    total: Option<u64>,
}

impl Progress {
    /// Bytes read so far.
    pub fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Bytes of all inputs; none where a stream is among them.
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// The reader, with what is read of it added up here.
    pub(super) fn counting(&self, inner: impl Read + 'static) -> Box<dyn Read> {
        Box::new(Counting { inner, read: Arc::clone(&self.read) })
    }
}

struct Counting<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// What the inputs come to: one file or stream each, and what was met on the way to them.
#[derive(Debug)]
pub(super) enum Found {
    One(Input),
    Event(Box<Event>),
}

/// Finds all files, and how many bytes they have.
pub(super) fn find(inputs: Vec<Input>, format: Option<&Format>) -> (Vec<Found>, Progress) {
    let mut found = Vec::new();
    let mut total = Some(0);
    for input in inputs {
        match input {
            Input::Path(path) if path.is_dir() => walk(&path, format, &mut found, &mut total),
            Input::Path(path) => {
                add_size(path.metadata(), &mut total);
                found.push(Found::One(Input::Path(path)));
            }
            stream => {
                total = None;
                found.push(Found::One(stream));
            }
        }
    }
    (found, Progress { read: Arc::default(), total })
}

/// Adds a file's size. That of a pipe is not known, and a file that is not there has none.
fn add_size(metadata: io::Result<std::fs::Metadata>, total: &mut Option<u64>) {
    if let Ok(metadata) = metadata {
        *total = total.filter(|_| metadata.is_file()).map(|total| total + metadata.len());
    }
}

fn walk(folder: &Path, format: Option<&Format>, found: &mut Vec<Found>, total: &mut Option<u64>) {
    let is_shown = |entry: &DirEntry| {
        entry.depth() == 0 || !entry.file_name().as_encoded_bytes().starts_with(b".")
    };
    let before = found.len();
    let mut skipped = 0;
    let mut extensions = BTreeSet::new();
    let files = WalkDir::new(folder).follow_links(true).sort_by_file_name();
    for entry in files.into_iter().filter_entry(is_shown) {
        match entry {
            Ok(entry) if entry.file_type().is_dir() => {}
            // A format given stands for whatever the files are called.
            Ok(entry) if format.is_some() || by_extension(entry.path()).is_some() => {
                add_size(entry.path().metadata(), total);
                found.push(Found::One(Input::Path(entry.into_path())));
            }
            Ok(entry) => {
                skipped += 1;
                extensions.insert(match name_parts(entry.path()).1 {
                    none if none.is_empty() => "no extension".to_owned(),
                    other => format!(".{other}"),
                });
            }
            Err(error) => {
                let path = error.path().unwrap_or(folder).to_owned();
                let fault = Fault::Unreadable(error.into());
                found.push(bad(&path, fault));
            }
        }
    }
    if found.len() == before {
        let extensions = FORMATS.iter().flat_map(|format| format.extensions);
        let extensions = extensions.map(|known| format!(".{known}")).collect::<Vec<_>>().join(" ");
        let fault = Fault::EmptyFolder { extensions };
        found.push(bad(folder, fault));
    } else if skipped > 0 {
        let extensions = extensions.into_iter().collect::<Vec<_>>().join(", ");
        let value = format!("{skipped} files ({extensions})");
        let warning = Warning { place: place(folder), value, caution: Caution::SkippedFiles };
        found.push(Found::Event(Box::new(Event::Warning(warning))));
    }
}

fn bad(path: &Path, fault: Fault) -> Found {
    Found::Event(Box::new(Event::Bad(BadRecord { place: place(path), fault, held: None })))
}

fn place(path: &Path) -> Place {
    Place { file: path.display().to_string().into(), position: None, column: None }
}

/// The format that a file's extension names.
pub(super) fn by_extension(path: &Path) -> Option<&'static Format> {
    let (_, extension) = name_parts(path);
    FORMATS.iter().find(|format| format.extensions.contains(&extension.as_str()))
}

/// A file's stem and its extension in lower case, that of a compression left out.
pub(super) fn name_parts(path: &Path) -> (String, String) {
    let split = |name: &str| match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => {
            (stem.to_owned(), extension.to_ascii_lowercase())
        }
        _ => (name.to_owned(), String::new()),
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match split(&name) {
        (stem, extension) if matches!(extension.as_str(), "gz" | "zst") => split(&stem),
        parts => parts,
    }
}

/// Opens an input.
pub(super) fn open(input: Input, progress: &Progress) -> io::Result<Box<dyn Read>> {
    Ok(match input {
        Input::Path(path) => progress.counting(File::open(path)?),
        Input::Stream(_, reader) => progress.counting(reader),
    })
}
