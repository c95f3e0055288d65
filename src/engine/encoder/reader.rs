//! A trained model at work: the texts of levels in, probabilities and evidence out.

use std::path::{Path, PathBuf};

use tch::{Kind, Tensor, nn::VarStore};

use super::{Batch, Config, Network, Sequence, Vocabulary, VocabularyError, batches};
use crate::engine::{Device, WeightsError, load};
use crate::extract::Extraction;
use crate::label::{Grade, Level, Span, Target};

/// A model ready to read.
#[allow(missing_debug_implementations, reason = "the network has none")]
pub struct Reader {
    vocabulary: Vocabulary,
    network: Network,
    longest: usize,
    device: Device,
}

/// Why a model cannot be used.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what each is")]
pub enum ModelError {
    #[error("`{path}` cannot be read; a model is a folder that `train reader` wrote")]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("`{path}` is no configuration of a reader of this version")]
    Malformed { path: PathBuf, source: serde_json::Error },
    #[error("`{path}` has {found} word pieces where the configuration says {wanted}")]
    OtherVocabulary { path: PathBuf, found: usize, wanted: i64 },
    #[error(transparent)]
    Vocabulary(#[from] VocabularyError),
    #[error(transparent)]
    Weights(#[from] WeightsError),
}

/// What the model makes of one level.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelView {
    /// The level.
    pub level: Level,
    /// By target.
    pub targets: [TargetView; Target::ALL.len()],
}

/// What the model makes of one cell.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TargetView {
    /// Probabilities: of not being mentioned, then by [`Grade::ALL`].
    pub probabilities: [f32; Grade::ALL.len() + 1],
    /// How probably a statement about it is hedged.
    pub hedged: f32,
    /// The words that have most of the target's attention, in the order of the text.
    pub evidence: Vec<Span>,
}

impl Reader {
    /// Tokens of a batch, padding included.
    const BATCH: usize = 4096;

    /// Loads the model in a folder.
    ///
    /// # Errors
    /// Where a file is missing or does not fit this version.
    pub fn load(folder: &Path, device: Device) -> Result<Self, ModelError> {
        let path = folder.join("config.json");
        let text = std::fs::read_to_string(&path)
            .map_err(|source| ModelError::Unreadable { path: path.clone(), source })?;
        let config: Config =
            serde_json::from_str(&text).map_err(|source| ModelError::Malformed { path, source })?;
        let path = folder.join("vocab.txt");
        let vocabulary = Vocabulary::load(&path)?;
        if vocabulary.len() as i64 != config.vocabulary {
            let (found, wanted) = (vocabulary.len(), config.vocabulary);
            return Err(ModelError::OtherVocabulary { path, found, wanted });
        }
        let mut variables = VarStore::new(device.torch());
        let network = Network::new(&variables.root(), &config);
        variables.freeze();
        load(&variables, &folder.join("weights.safetensors"))?;
        Ok(Self { vocabulary, network, longest: config.longest as usize, device })
    }

    /// Reads the passages of texts that the rules have gone through. By text, its levels from top to
    /// bottom.
    pub fn read(&self, texts: &[(&str, &Extraction)]) -> Vec<Vec<LevelView>> {
        let mut sequences: Vec<(usize, Level, Sequence)> = Vec::new();
        for (number, (text, extraction)) in texts.iter().enumerate() {
            for passage in extraction.passages() {
                let sequence =
                    self.vocabulary.sequence(text, &passage, &extraction.namings, self.longest);
                sequences.push((number, passage.level, sequence));
            }
        }
        sequences.sort_by_key(|(.., sequence)| sequence.tokens.len());
        let lengths: Vec<usize> = sequences.iter().map(|(.., s)| s.tokens.len()).collect();
        let mut views: Vec<Vec<LevelView>> = texts.iter().map(|_| Vec::new()).collect();
        for range in batches(&lengths, Self::BATCH) {
            let batch = &sequences[range];
            for ((number, level, _), targets) in batch.iter().zip(self.forward(batch)) {
                views[*number].push(LevelView { level: *level, targets });
            }
        }
        views.iter_mut().for_each(|levels| levels.sort_by_key(|view| view.level));
        views
    }

    fn forward(&self, batch: &[(usize, Level, Sequence)]) -> Vec<[TargetView; Target::ALL.len()]> {
        let Batch { tokens, mask, segments } =
            Batch::new(batch.iter().map(|(.., sequence)| sequence)).to(self.device.torch());
        let output = tch::no_grad(|| self.network.forward(&tokens, &mask, &segments, false));
        let probabilities = floats(&output.verdicts.softmax(-1, Kind::Float));
        let hedged = floats(&output.hedged.sigmoid());
        let attention = floats(&output.attention);
        let (targets, classes) = (Target::ALL.len(), Grade::ALL.len() + 1);
        let longest = tokens.size()[1] as usize;
        batch
            .iter()
            .enumerate()
            .map(|(row, (.., sequence))| {
                std::array::from_fn(|target| {
                    let cell = row * targets + target;
                    let mut view = TargetView { hedged: hedged[cell], ..TargetView::default() };
                    view.probabilities
                        .copy_from_slice(&probabilities[cell * classes..(cell + 1) * classes]);
                    let first = row * longest * targets + target;
                    let shares: Vec<f32> =
                        attention[first..].iter().step_by(targets).take(longest).copied().collect();
                    view.evidence = evidence(sequence, &shares);
                    view
                })
            })
            .collect()
    }
}

/// The words that together have most of the attention that words have, each with a part worth
/// showing; word pieces that touch are one span.
fn evidence(sequence: &Sequence, shares: &[f32]) -> Vec<Span> {
    const MOST: f32 = 0.8;
    let mut words: Vec<(f32, Span)> = sequence
        .spans
        .iter()
        .zip(shares)
        .filter_map(|(span, share)| Some((*share, (*span)?)))
        .collect();
    let all: f32 = words.iter().map(|(share, _)| share).sum();
    words.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let mut sum = 0.0;
    let enough = words.iter().position(|(share, _)| {
        sum += share;
        sum >= MOST * all
    });
    words.truncate(enough.map_or(words.len(), |last| last + 1));
    let mut spans: Vec<Span> = words.into_iter().map(|(_, span)| span).collect();
    spans.sort_unstable();
    let mut joined: Vec<Span> = Vec::new();
    for span in spans {
        match joined.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => joined.push(span),
        }
    }
    joined
}

/// A tensor's numbers, row after row.
fn floats(tensor: &Tensor) -> Vec<f32> {
    let flat = tensor.to_device(tch::Device::Cpu).to_kind(Kind::Float).contiguous().view([-1]);
    let mut floats = vec![0.0; flat.numel()];
    flat.copy_data(&mut floats, flat.numel());
    floats
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_what_has_most_of_the_attention() {
        let span = |start, end| Some(Span { start, end });
        let sequence = Sequence {
            tokens: vec![5; 6],
            segments: vec![0; 6],
            spans: vec![None, span(0, 6), span(7, 12), span(12, 15), span(16, 20), None],
        };
        let shares = [0.5, 0.02, 0.2, 0.15, 0.03, 0.1];
        assert_eq!(evidence(&sequence, &shares), [Span { start: 7, end: 15 }]);
    }
}
