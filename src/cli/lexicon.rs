//! Which words to read with: a flag that every verb has that reads reports.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::extract::Extractor;

#[derive(Debug, clap::Args)]
pub(super) struct LexiconArgs {
    /// Read with the lexicon in this folder instead of the built-in one.
    #[arg(long, value_name = "DIR")]
    lexicon: Option<PathBuf>,
}

impl LexiconArgs {
    pub(super) fn extractor(&self) -> Result<Extractor> {
        match &self.lexicon {
            None => Ok(Extractor::default()),
            Some(folder) => bail!(
                "`{}` cannot be used: this version reads with its built-in lexicon only; leave \
                 out --lexicon",
                folder.display()
            ),
        }
    }
}
