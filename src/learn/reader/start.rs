//! What a training starts from: a published encoder, or a reader that was trained before.

use std::collections::BTreeSet;
use std::path::PathBuf;

use tch::nn::VarStore;

use super::{CourseError, Order, examples};
use crate::engine::encoder::{Base, Config, ModelError, Network, Reader, Vocabulary};
use crate::engine::load;
use crate::extract::Extractor;
use crate::learn::Gold;
use crate::simulate::{Part, Simulation};

/// What a training starts from.
#[derive(Debug, Clone)]
pub enum Start {
    /// The folder of a published encoder, and how many of its word pieces the model may know.
    Encoder {
        /// The folder.
        base: PathBuf,
        /// How many.
        pieces: usize,
    },
    /// The folder of a trained reader, which keeps its words.
    Reader(PathBuf),
}

/// Where a training begins.
pub(super) struct Begun {
    pub(super) weights: VarStore,
    pub(super) config: Config,
    /// The vocabulary, a word piece a line.
    pub(super) words: String,
}

/// Tokens that a sequence of a new reader may have.
const LONGEST: i64 = 256;

impl Start {
    pub(super) fn begin(
        &self,
        order: &Order,
        extractor: &mut Extractor,
    ) -> Result<Begun, CourseError> {
        let weights = VarStore::new(order.device.torch());
        match self {
            Self::Encoder { base, pieces } => {
                let base = Base::open(base)?;
                let kept = base.kept(&used(&base, order, extractor)?, *pieces);
                let config = base.config(kept.len(), LONGEST);
                Network::new(&weights.root(), &config);
                base.fill(&weights, &kept)?;
                Ok(Begun { weights, config, words: base.lines(&kept) })
            }
            Self::Reader(folder) => {
                let config = *Reader::load(folder, order.device)?.config();
                let [_, words, file] = Reader::FILES.map(|file| folder.join(file));
                let words = std::fs::read_to_string(&words)
                    .map_err(|source| ModelError::Unreadable { path: words, source })?;
                Network::new(&weights.root(), &config);
                load(&weights, &file)?;
                Ok(Begun { weights, config, words })
            }
        }
    }
}

/// The word pieces of a sample of what is taught: they come first.
fn used(
    base: &Base,
    order: &Order,
    extractor: &mut Extractor,
) -> Result<BTreeSet<i64>, CourseError> {
    let whole = Vocabulary::load(&base.vocabulary())?;
    let simulation = Simulation::new(order.seed);
    let mut used = BTreeSet::new();
    let mut take = |gold: &Gold| {
        let examples = examples(gold, extractor, &whole, LONGEST as usize);
        used.extend(examples.into_iter().flat_map(|example| example.sequence.tokens));
    };
    for number in 0..order.reports * 4 {
        take(&simulation.dictation(number, Part::Training).into());
    }
    order.gold.iter().for_each(take);
    Ok(used)
}
