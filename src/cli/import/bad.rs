//! The file that bad records are listed in.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::report::{BadRecord, write_mendable};

/// A file that is made when the first bad record comes. It holds what patients' records hold, so
/// only its owner can read it.
pub(super) struct BadFile {
    path: PathBuf,
    file: Option<File>,
}

impl BadFile {
    /// The file asked for, else one in `folder` that is not there yet.
    pub(super) fn new(path: Option<&Path>, folder: &Path) -> Self {
        let free = || {
            let mut numbered = (1..).map(|n| folder.join(format!("bad-records-{n}.jsonl")));
            numbered.find(|path| !path.exists()).expect("some number is free")
        };
        Self { path: path.map_or_else(free, Path::to_owned), file: None }
    }

    /// Lists a record.
    pub(super) fn add(&mut self, record: &BadRecord) -> Result<()> {
        if record.place.position.is_none() {
            // A whole file that cannot be read is mended where it is.
            return Ok(());
        }
        let mut write = || -> io::Result<()> {
            let file = match &mut self.file {
                Some(file) => file,
                none => none.insert(create(&self.path)?),
            };
            let mut line = Vec::new();
            write_mendable(record, &mut line)?;
            file.write_all(&line)
        };
        write().with_context(|| {
            format!("`{}` cannot be written; name another file with --bad", self.path.display())
        })
    }

    /// Tells where the records are.
    pub(super) fn tell(&self) {
        if self.file.is_some() {
            eprintln!(
                "bad records are in `{0}`; mend them there and import that file",
                self.path.display()
            );
        }
    }
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}
