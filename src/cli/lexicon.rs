//! Which words to read with: flags of every verb that reads reports.

use std::path::PathBuf;

use anyhow::{Result, anyhow, ensure};

#[cfg(feature = "neural")]
use crate::engine::encoder;
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
        Ok(Extractor::new(&self.open()?))
    }

    /// The same for a transformer to read beside, which knows one language alone: of another it would
    /// make labels that look sure.
    #[cfg(feature = "neural")]
    pub(super) fn extractor_for_network(&self) -> Result<Extractor> {
        let (lexicon, known) = (self.open()?, encoder::LANGUAGE);
        let language = lexicon.language();
        ensure!(
            language.split('-').next() == Some(known),
            "the transformer reads reports in `{known}` alone, not in `{language}`; let the rules \
             read these (extract --reader rules)"
        );
        Ok(Extractor::new(&lexicon))
    }

    fn open(&self) -> Result<Lexicon> {
        match &self.lexicon {
            None => Ok(Lexicon::builtin(&self.language)?),
            Some(folder) => {
                let name = folder.display();
                ensure!(folder.is_dir(), "`{name}` is no folder; name one with lexicon.toml in it");
                // Its messages hold their causes, which must not be told again.
                Lexicon::load(folder)
                    .map_err(|error| anyhow!("`{name}` cannot be used as a lexicon: {error}"))
            }
        }
    }
}
