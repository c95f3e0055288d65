//! Which archive: a flag of every verb that keeps or asks for something.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::archive::Archive;

#[derive(Debug, clap::Args)]
pub(super) struct DataArgs {
    /// The folder of the archive.
    #[arg(long, value_name = "DIR", default_value = "deepspine-data", global = true)]
    data: PathBuf,
}

impl DataArgs {
    /// The folder.
    pub(super) fn folder(&self) -> &Path {
        &self.data
    }

    /// The archive, which has to be there.
    pub(super) fn open(&self) -> Result<Archive> {
        Ok(Archive::open(&self.data)?)
    }

    /// The archive, made where there is none.
    pub(super) fn open_or_create(&self) -> Result<Archive> {
        Ok(Archive::open_or_create(&self.data)?)
    }
}
