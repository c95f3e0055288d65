//! Who reads texts: flags of every verb that labels reports.

#[cfg(feature = "neural")]
use std::path::{Path, PathBuf};

use anyhow::Result;
#[cfg(feature = "neural")]
use anyhow::{Context, bail, ensure};
#[cfg(feature = "neural")]
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use super::lexicon::LexiconArgs;
#[cfg(feature = "neural")]
use crate::engine::{
    Device,
    encoder::{Calibration, Reader},
};
#[cfg(feature = "neural")]
use crate::label::ReaderKind;
use crate::pipeline::TextReader;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Reader")]
pub(super) struct TextReaderArgs {
    /// Who reads.
    #[cfg(feature = "neural")]
    #[arg(long, value_name = "READER", default_value = "rules", value_parser = readers())]
    reader: ReaderKind,

    #[cfg(feature = "neural")]
    #[command(flatten)]
    model: ModelArgs,

    #[command(flatten)]
    lexicon: LexiconArgs,
}

#[cfg(feature = "neural")]
#[derive(Debug, clap::Args)]
struct ModelArgs {
    /// The folder of the transformer; if not given, the one that comes with the program.
    #[arg(long, value_name = "FOLDER")]
    model: Option<PathBuf>,

    /// How often the outcomes that a cell is said to have shall hold the true one: 0.8, 0.9, 0.95,
    /// 0.98 or 0.99; if not given, 0.98. Cells with several are uncertain.
    #[arg(long, value_name = "SHARE", value_parser = coverage)]
    coverage: Option<f64>,

    /// What the transformer runs on: cpu, cuda, cuda:1; if not given, cpu.
    #[arg(long, value_name = "DEVICE")]
    device: Option<Device>,
}

#[cfg(feature = "neural")]
fn readers() -> impl TypedValueParser<Value = ReaderKind> {
    PossibleValuesParser::new([
        PossibleValue::new("rules").help("the rules: fast, and every label says why"),
        PossibleValue::new("transformer").help("the transformer alone"),
        PossibleValue::new("fused").help("both together: the best labels, and how sure they are"),
    ])
    .try_map(|name| name.parse::<ReaderKind>())
}

#[cfg(feature = "neural")]
fn coverage(argument: &str) -> Result<f64> {
    let coverage: f64 = argument.parse()?;
    ensure!(Calibration::COVERAGES.contains(&coverage), "write 0.8, 0.9, 0.95, 0.98 or 0.99");
    Ok(coverage)
}

impl TextReaderArgs {
    /// The reader that is asked for. Each thread is to have a clone of its own.
    pub(super) fn open(&self) -> Result<TextReader> {
        #[cfg(feature = "neural")]
        {
            self.model.heeded_by(self.reader)?;
            if self.reader != ReaderKind::Rules {
                return self.model.open(self.reader, &self.lexicon);
            }
        }
        Ok(TextReader::rules(self.lexicon.extractor()?))
    }

    /// The fused reader, whichever is asked for.
    #[cfg(feature = "neural")]
    pub(super) fn open_fused(&self) -> Result<TextReader> {
        self.model.open(ReaderKind::Fused, &self.lexicon)
    }

    /// Whether a network reads, which tells how probable its labels are.
    pub(super) fn is_neural(&self) -> bool {
        #[cfg(feature = "neural")]
        return self.reader != ReaderKind::Rules;
        #[cfg(not(feature = "neural"))]
        false
    }

    /// Whether cells can be uncertain.
    pub(super) fn is_fused(&self) -> bool {
        #[cfg(feature = "neural")]
        return self.reader == ReaderKind::Fused;
        #[cfg(not(feature = "neural"))]
        false
    }
}

#[cfg(feature = "neural")]
impl ModelArgs {
    /// Refuses a flag that this reader would pass over: its labels would not be those asked for.
    fn heeded_by(&self, reader: ReaderKind) -> Result<()> {
        let is_neural = reader != ReaderKind::Rules;
        for (flag, is_given, is_heeded) in [
            ("--model", self.model.is_some(), is_neural),
            ("--device", self.device.is_some(), is_neural),
            ("--coverage", self.coverage.is_some(), reader == ReaderKind::Fused),
        ] {
            if is_given && !is_heeded {
                bail!("--reader {reader} does not heed {flag}; give --reader fused, or no {flag}");
            }
        }
        Ok(())
    }

    /// The transformer alone or with the rules.
    fn open(&self, reader: ReaderKind, lexicon: &LexiconArgs) -> Result<TextReader> {
        let extractor = lexicon.extractor_for_network()?;
        let folder = folder(self.model.as_deref())?;
        // Each thread reads texts of its own; within a text they would only wait for each other.
        crate::engine::work_on_one_thread();
        let model = Reader::load(&folder, self.device.unwrap_or(Device::CPU))?;
        let coverage = self.coverage.unwrap_or(Calibration::USUAL_COVERAGE);
        match reader {
            ReaderKind::Transformer => Ok(TextReader::transformer(extractor, model)),
            _ => TextReader::fused(extractor, model, coverage).with_context(|| {
                format!(
                    "`{}` has no calibration for this coverage; make one with `deepspine \
                     train calibration`",
                    folder.display()
                )
            }),
        }
    }
}

/// The folder of the transformer: the one given, or the one that comes with the program.
#[cfg(feature = "neural")]
pub(super) fn folder(given: Option<&Path>) -> Result<PathBuf> {
    super::model::folder("reader", "--model", given).context("--reader rules needs no model")
}
