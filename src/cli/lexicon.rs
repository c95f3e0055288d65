//! Which words to read with: flags of every verb that reads reports.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::extract::{Extractor, Lexicon};

#[derive(Debug, clap::Args)]
pub(super) struct LexiconArgs {
    /// Read with the lexicon in this folder instead of a built-in one.
    #[arg(long, value_name = "DIR", conflicts_with = "language")]
    lexicon: Option<PathBuf>,

    /// The language of the reports, one of those that are built in.
    #[arg(long, value_name = "LANG", default_value = "en")]
    language: String,
}

impl LexiconArgs {
    pub(super) fn extractor(&self) -> Result<Extractor> {
        let lexicon = match &self.lexicon {
            None => Lexicon::builtin(&self.language)?,
            Some(folder) => Lexicon::load(folder)
                .with_context(|| format!("`{}` cannot be used as a lexicon", folder.display()))?,
        };
        Ok(Extractor::new(&lexicon))
    }
}
