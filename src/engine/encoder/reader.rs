//! A trained model at work: the texts of levels in, beliefs and evidence out.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use tch::nn::VarStore;

use super::{
    Batch, Calibration, Config, Gate, ModelConfig, Network, Sequence, Vocabulary, VocabularyError,
    batches, floats,
};
use crate::engine::{Device, WeightsError, load};
use crate::extract::{Extraction, Passage};
use crate::label::{self, Belief, Cell, Level, ReaderKind, Seen, Span, Target};

/// A model ready to read. A clone is for another thread and shares the weights.
#[allow(missing_debug_implementations, reason = "the network has none")]
pub struct Reader {
    vocabulary: Arc<Vocabulary>,
    config: Config,
    variables: VarStore,
    network: Network,
    gate: Gate,
    calibration: Option<Calibration>,
    identity: label::Reader,
}

/// Why a model cannot be used.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what each is")]
pub enum ModelError {
    #[error("`{path}` cannot be read; a model is a folder that `train reader` wrote")]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("`{path}` is no configuration of a reader of this version")]
    Malformed { path: PathBuf, source: serde_json::Error },
    #[error(
        "`{path}` is of a model with other labels: {difference}; train anew, or use the version \
         that it was trained with"
    )]
    OtherLabels { path: PathBuf, difference: String },
    #[error("`{path}` has {found} word pieces where the configuration says {wanted}")]
    OtherVocabulary { path: PathBuf, found: usize, wanted: i64 },
    #[error("`{path}` describes no network of this version: {reason}")]
    Impossible { path: PathBuf, reason: &'static str },
    #[error(transparent)]
    Vocabulary(#[from] VocabularyError),
    #[error(transparent)]
    Weights(#[from] WeightsError),
}

impl Reader {
    /// Tokens of a batch, padding included: enough to keep a processor's multipliers busy, and few
    /// enough for its cache.
    const BATCH: usize = 1024;

    /// What a model's folder has to hold; its [`Calibration`] may be missing.
    pub const FILES: [&str; 3] = ["config.json", "vocab.txt", "weights.safetensors"];

    /// Loads the model in a folder.
    ///
    /// # Errors
    /// Where a file is missing or does not fit this version: what differs is named.
    pub fn load(folder: &Path, device: Device) -> Result<Self, ModelError> {
        let [path, vocabulary_file, weights] = Self::FILES.map(|file| folder.join(file));
        let model: ModelConfig = from_json(&path)?;
        if let Some(difference) = model.other_labels() {
            return Err(ModelError::OtherLabels { path, difference });
        }
        let config = model.network;
        if let Some(reason) = config.impossible() {
            return Err(ModelError::Impossible { path, reason });
        }
        let path = vocabulary_file;
        let vocabulary = Vocabulary::load(&path)?;
        if vocabulary.len() as i64 != config.vocabulary {
            let (found, wanted) = (vocabulary.len(), config.vocabulary);
            return Err(ModelError::OtherVocabulary { path, found, wanted });
        }
        let path = folder.join(Calibration::FILE);
        let calibration = path.exists().then(|| from_json(&path)).transpose()?;
        let mut variables = VarStore::new(device.torch());
        let network = Network::new(&variables.root(), &config);
        variables.freeze();
        load(&variables, &weights)?;
        let gate = Gate::new(&variables.variables()[Network::GATE]);
        let identity = identity(folder, calibration.as_ref())?;
        let vocabulary = Arc::new(vocabulary);
        Ok(Self { vocabulary, config, variables, network, gate, calibration, identity })
    }

    /// The shape of its network.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The model as a reader whose opinions are kept.
    pub const fn identity(&self) -> &label::Reader {
        &self.identity
    }

    /// What was learned after the weights: none where the training was never finished.
    pub const fn calibration(&self) -> Option<&Calibration> {
        self.calibration.as_ref()
    }

    /// Forgets the calibration, to make another.
    pub fn uncalibrated(self) -> Self {
        Self { calibration: None, ..self }
    }

    /// The same model with another calibration.
    pub fn calibrated(self, calibration: Calibration) -> Self {
        Self { calibration: Some(calibration), ..self }
    }

    /// How probably any target of a passage is mentioned, as the gate sees it: its logit.
    pub fn gate_score(&self, text: &str, passage: &Passage, extraction: &Extraction) -> f32 {
        self.gate.score(&self.sequence(text, passage, extraction))
    }

    fn sequence(&self, text: &str, passage: &Passage, extraction: &Extraction) -> Sequence {
        let longest = self.config.longest as usize;
        self.vocabulary.sequence(text, passage, &extraction.namings, longest)
    }

    /// Reads the passages of texts that the rules have gone through. By text, the cells of its
    /// levels from top to bottom. Levels whose text could not matter, by the gate and by the rules,
    /// are left out.
    pub fn read(&self, texts: &[(&str, &Extraction)]) -> Vec<Vec<Seen>> {
        let mut sequences: Vec<(usize, Level, Sequence)> = Vec::new();
        for (number, (text, extraction)) in texts.iter().enumerate() {
            for passage in extraction.passages() {
                let sequence = self.sequence(text, &passage, extraction);
                let level = passage.level;
                let is_told = extraction.statements.iter().any(|s| s.cell.level == level);
                let threshold = self.calibration.as_ref().map_or(f32::MIN, |c| c.gate);
                if is_told || self.gate.score(&sequence) >= threshold {
                    sequences.push((number, level, sequence));
                }
            }
        }
        sequences.sort_by_key(|(.., sequence)| sequence.tokens.len());
        let lengths: Vec<usize> = sequences.iter().map(|(.., s)| s.tokens.len()).collect();
        let mut seen: Vec<Vec<Seen>> = texts.iter().map(|_| Vec::new()).collect();
        for range in batches(&lengths, Self::BATCH) {
            self.forward(&sequences[range], &mut seen);
        }
        seen.iter_mut().for_each(|cells| cells.sort_by_key(|seen| seen.cell));
        seen
    }

    fn forward(&self, batch: &[(usize, Level, Sequence)], seen: &mut [Vec<Seen>]) {
        let Batch { tokens, mask, segments } =
            Batch::new(batch.iter().map(|(.., s)| s)).to(self.variables.device());
        let output = tch::no_grad(|| self.network.forward(&tokens, &mask, &segments, false));
        let scores = floats(&output.verdicts);
        let hedged = floats(&output.hedged.sigmoid());
        let attention = floats(&output.attention);
        let temperature = self.calibration.as_ref().map_or(1.0, |c| c.temperature);
        let targets = Target::ALL.len();
        let longest = tokens.size()[1] as usize;
        for (row, (number, level, sequence)) in batch.iter().enumerate() {
            for (place, target) in Target::ALL.into_iter().enumerate() {
                let cell = row * targets + place;
                let first = cell * Belief::OUTCOMES;
                let own = std::array::from_fn(|outcome| scores[first + outcome] / temperature);
                let shares = attention[row * longest * targets + place..].iter().step_by(targets);
                let shares: Vec<f32> = shares.take(longest).copied().collect();
                seen[*number].push(Seen {
                    cell: Cell { level: *level, target },
                    belief: Belief::softmax(own),
                    hedged: hedged[cell],
                    evidence: evidence(sequence, &shares),
                    is_cut: sequence.is_cut,
                });
            }
        }
    }
}

impl Clone for Reader {
    fn clone(&self) -> Self {
        let mut variables = VarStore::new(self.variables.device());
        let network = Network::new(&variables.root(), &self.config);
        variables.freeze();
        let shared = self.variables.variables();
        for (name, mut variable) in variables.variables() {
            variable.set_data(&shared[&name]);
        }
        Self {
            vocabulary: Arc::clone(&self.vocabulary),
            config: self.config,
            variables,
            network,
            gate: self.gate.clone(),
            calibration: self.calibration.clone(),
            identity: self.identity.clone(),
        }
    }
}

fn from_json<T: DeserializeOwned>(path: &Path) -> Result<T, ModelError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ModelError::Unreadable { path: path.to_owned(), source })?;
    serde_json::from_str(&text)
        .map_err(|source| ModelError::Malformed { path: path.to_owned(), source })
}

/// The identity hangs on all that decides what is read, the words and the shape as much as the weights.
fn identity(
    folder: &Path,
    calibration: Option<&impl Serialize>,
) -> Result<label::Reader, ModelError> {
    let mut hash = Sha256::new();
    for path in Reader::FILES.map(|file| folder.join(file)) {
        let bytes = std::fs::read(&path);
        hash.update(bytes.map_err(|source| ModelError::Unreadable { path, source })?);
    }
    hash.update(serde_json::to_vec(&calibration).unwrap_or_default());
    let hash: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(label::Reader {
        kind: ReaderKind::Transformer,
        name: ReaderKind::Transformer.name().to_owned(),
        version: format!("{} ({})", env!("CARGO_PKG_VERSION"), &hash[..8]),
        content_hash: hash,
    })
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
            is_cut: false,
        };
        let shares = [0.5, 0.02, 0.2, 0.15, 0.03, 0.1];
        assert_eq!(evidence(&sequence, &shares), [Span { start: 7, end: 15 }]);
    }
}
