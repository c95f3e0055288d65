//! Where a verb writes, and that no half a file is ever left under the name that was asked for.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use indicatif::ProgressBar;
use tempfile::NamedTempFile;

use super::INTERRUPTED;

/// How long Ctrl-C waits for the batch that is being written. A pipe that nobody reads from would
/// keep it waiting for ever.
const PATIENCE: Duration = Duration::from_secs(1);

/// Standard output, whose errors say so where whoever reads it has had enough.
pub(super) struct Stdout(io::Stdout);

pub(super) fn stdout() -> Stdout {
    Stdout(io::stdout())
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(of_stdout)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().map_err(of_stdout)
    }
}

/// Whoever read standard output has had enough of it, as `head` has.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads standard output any more")]
struct HadEnough;

/// An error of standard output, which says so where it is that nobody reads it any more.
pub(super) fn of_stdout(error: io::Error) -> io::Error {
    match error.kind() {
        kind @ io::ErrorKind::BrokenPipe => io::Error::new(kind, HadEnough),
        _ => error,
    }
}

/// Whether an error is only that nobody reads standard output any more. Of any other output that is an
/// error like all: what was asked for is not there.
pub(super) fn is_had_enough(error: &anyhow::Error) -> bool {
    let is_told = |error: &io::Error| error.get_ref().is_some_and(|told| told.is::<HadEnough>());
    error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>()).any(is_told)
}

enum Output {
    Stdout(Stdout),
    /// A device or a named pipe, which cannot be replaced by a renamed file.
    Special(File),
    /// A file beside the one asked for, which takes its place once it is complete. Dropping it
    /// removes it.
    Part {
        part: NamedTempFile,
        target: PathBuf,
    },
}

impl Output {
    /// Whether it is a file that nothing was written to.
    fn is_empty(&self) -> bool {
        match self {
            Self::Part { part, .. } => part.as_file().metadata().is_ok_and(|data| data.len() == 0),
            Self::Stdout(_) | Self::Special(_) => false,
        }
    }

    /// Puts a file in its place.
    fn put_in_place(self) -> io::Result<()> {
        let Self::Part { part, target } = self else { return Ok(()) };
        part.as_file().sync_all()?;
        part.persist(target).map_err(|error| error.error).map(drop)
    }
}

/// The output, which the writer and the handler of Ctrl-C share. Whoever holds the lock sees
/// whole batches only. It is empty once the output is complete or given up.
pub(super) struct SharedOutput {
    name: String,
    output: Arc<Mutex<Option<Output>>>,
}

impl SharedOutput {
    /// Opens the output, standard output if no file is given.
    pub(super) fn open(path: Option<&Path>) -> Result<Self> {
        let path = path.filter(|path| ![Path::new("-"), Path::new("/dev/stdout")].contains(path));
        let name =
            path.map_or("standard output".to_owned(), |path| format!("`{}`", path.display()));
        let output = match path {
            Some(path) => open_file(path).with_context(|| {
                format!("{name} cannot be written; check that its folder is there and writable")
            })?,
            None => Output::Stdout(stdout()),
        };
        Ok(Self { name, output: Arc::new(Mutex::new(Some(output))) })
    }

    /// What puts in its place whatever whole pieces are written by then, for who ends the process. Where
    /// there are none it is given up.
    pub(super) fn completer(&self) -> Box<dyn Fn() + Send> {
        let output = Arc::clone(&self.output);
        Box::new(move || {
            let Some(mut guard) = lock_within(&output, PATIENCE) else { return };
            if let Some(output) = guard.take().filter(|output| !output.is_empty()) {
                // Who is in such a hurry does not wait to be told what the disk says.
                let _ = output.put_in_place();
            }
        })
    }

    /// Lets `write` write one whole piece.
    pub(super) fn write(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
        let mut guard = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        let out: &mut dyn Write = match &mut *guard {
            Some(Output::Stdout(stdout)) => stdout,
            Some(Output::Special(file)) => file,
            Some(Output::Part { part, .. }) => part,
            None => return Ok(()),
        };
        write(out).and_then(|()| out.flush()).map_err(|error| {
            let why = match error.kind() {
                io::ErrorKind::BrokenPipe => "whoever read it has stopped reading",
                _ => "is the disk full?",
            };
            anyhow::Error::new(error).context(format!("{} cannot be written to; {why}", self.name))
        })
    }

    /// Puts the complete file in its place.
    pub(super) fn complete(&self) -> Result<()> {
        let mut guard = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        guard
            .take()
            .map_or(Ok(()), Output::put_in_place)
            .with_context(|| format!("{} cannot be completed; is the disk full?", self.name))
    }
}

/// Lets Ctrl-C (and a request to terminate) end the process between two batches, and leaves no part of any
/// of the outputs.
pub(super) fn discard_on_interrupt(outputs: &[&SharedOutput], bar: &ProgressBar) -> Result<()> {
    let outputs: Vec<_> =
        outputs.iter().map(|of| (of.name.clone(), Arc::clone(&of.output))).collect();
    let bar = bar.clone();
    let handler = move || {
        // The guards are held to the end, so that nothing more is written.
        let mut held: Vec<_> =
            outputs.iter().map(|(name, output)| (name, lock_within(output, PATIENCE))).collect();
        bar.finish_and_clear();
        for (name, guard) in &mut held {
            match guard.as_deref_mut().map(Option::take) {
                Some(None) => {}
                Some(Some(Output::Part { part, .. })) => {
                    drop(part);
                    eprintln!("interrupted: {name} was not written");
                }
                Some(Some(_)) | None => eprintln!("interrupted: {name} ends early"),
            }
        }
        std::process::exit(INTERRUPTED.into());
    };
    ctrlc::set_handler(handler).context("cannot listen for Ctrl-C")
}

/// Also where a run fails: the handler shares the output and would keep the part alive.
impl Drop for SharedOutput {
    fn drop(&mut self) {
        self.output.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

fn open_file(path: &Path) -> io::Result<Output> {
    if fs::metadata(path).is_ok_and(|data| !data.is_file() && !data.is_dir()) {
        return Ok(Output::Special(File::create(path)?));
    }
    // What a link points to is replaced, not the link.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if target.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    let folder = match target.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let mut builder = tempfile::Builder::new();
    let prefix = format!(".{name}.");
    builder.prefix(&prefix).suffix(".part");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As any new file would get them: a temporary file's are its owner's alone.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let part = builder.tempfile_in(folder)?;
    if let Ok(replaced) = fs::metadata(&target) {
        part.as_file().set_permissions(replaced.permissions())?;
    }
    Ok(Output::Part { part, target })
}

fn lock_within<T>(mutex: &Mutex<T>, patience: Duration) -> Option<MutexGuard<'_, T>> {
    let start = Instant::now();
    loop {
        match mutex.try_lock() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(guard)) => return Some(guard.into_inner()),
            Err(TryLockError::WouldBlock) if start.elapsed() < patience => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(TryLockError::WouldBlock) => return None,
        }
    }
}
