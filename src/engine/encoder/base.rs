//! The encoder that training starts from: an all-MiniLM-L6-v2 as its authors publish it, of which
//! only the word pieces that are wanted are kept.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tch::{TchError, Tensor, nn::VarStore};

use super::Config;

/// A published encoder in its folder.
#[derive(Debug)]
pub struct Base {
    folder: PathBuf,
    pieces: Vec<String>,
    shape: Shape,
}

/// Why a base cannot be started from.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what each is")]
pub enum BaseError {
    #[error(
        "`{path}` cannot be read; a base is a folder with config.json, vocab.txt and model.safetensors"
    )]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("`{path}` is no configuration of a BERT encoder")]
    Malformed { path: PathBuf, source: serde_json::Error },
    #[error("`{path}` describes no network of this version: {reason}")]
    Impossible { path: PathBuf, reason: &'static str },
    #[error("`{path}` cannot be read as safetensors")]
    Weights { path: PathBuf, source: TchError },
    #[error("`{path}` lacks `{name}` in the shape that the network needs")]
    Missing { path: PathBuf, name: String },
}

/// The part of a published configuration that decides the network.
#[derive(Debug, Deserialize)]
struct Shape {
    hidden_size: i64,
    intermediate_size: i64,
    num_hidden_layers: i64,
    num_attention_heads: i64,
}

const CONFIG: &str = "config.json";
const VOCABULARY: &str = "vocab.txt";
const WEIGHTS: &str = "model.safetensors";

impl Base {
    /// Opens a folder as published, without its weights yet.
    ///
    /// # Errors
    /// Where a file is missing or is not what it should be.
    pub fn open(folder: &Path) -> Result<Self, BaseError> {
        let read = |name| {
            let path = folder.join(name);
            std::fs::read_to_string(&path)
                .map_err(|source| BaseError::Unreadable { path: path.clone(), source })
                .map(|text| (path, text))
        };
        let (path, config) = read(CONFIG)?;
        let shape = serde_json::from_str(&config)
            .map_err(|source| BaseError::Malformed { path: path.clone(), source })?;
        let (_, vocabulary) = read(VOCABULARY)?;
        let pieces = vocabulary.lines().map(str::to_owned).collect();
        let base = Self { folder: folder.to_owned(), pieces, shape };
        match base.config(base.pieces.len(), 1).impossible() {
            None => Ok(base),
            Some(reason) => Err(BaseError::Impossible { path, reason }),
        }
    }

    /// Where its vocabulary lies.
    pub fn vocabulary(&self) -> PathBuf {
        self.folder.join(VOCABULARY)
    }

    /// The word pieces to keep, by their numbers in the base: those `used`, the marks, single
    /// letters, which spell every other word, and then the most frequent up to `count`. The base
    /// lists its marks first and its words by how frequent they are.
    pub fn kept(&self, used: &BTreeSet<i64>, count: usize) -> Vec<i64> {
        let is_needed = |piece: &str| {
            let marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
            let ours = ["[unused1]", "[unused2]", "[unused3]"];
            let letter = piece.trim_start_matches("##");
            marks.contains(&piece)
                || ours.contains(&piece)
                || letter.chars().count() == 1 && letter.is_ascii()
        };
        let numbered = || self.pieces.iter().zip(0_i64..);
        let mut kept: BTreeSet<i64> =
            numbered().filter(|(piece, _)| is_needed(piece)).map(|(_, number)| number).collect();
        kept.extend(used);
        for (piece, number) in numbered() {
            if kept.len() >= count {
                break;
            }
            let word = piece.trim_start_matches("##");
            if word.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                kept.insert(number);
            }
        }
        kept.into_iter().collect()
    }

    /// The vocabulary of some of its word pieces, a line each.
    pub fn lines(&self, kept: &[i64]) -> String {
        kept.iter().map(|&number| format!("{}\n", self.pieces[number as usize])).collect()
    }

    /// The shape of a network with so many word pieces that reads `longest` tokens.
    pub fn config(&self, pieces: usize, longest: i64) -> Config {
        Config {
            vocabulary: pieces as i64,
            hidden: self.shape.hidden_size,
            intermediate: self.shape.intermediate_size,
            layers: self.shape.num_hidden_layers,
            heads: self.shape.num_attention_heads,
            longest,
        }
    }

    /// Fills the encoder of a network of that shape; the heads keep what they have.
    ///
    /// # Errors
    /// Where the weights cannot be read or do not fit.
    pub fn fill(&self, variables: &VarStore, kept: &[i64]) -> Result<(), BaseError> {
        let path = self.folder.join(WEIGHTS);
        let tensors = Tensor::read_safetensors(&path)
            .map_err(|source| BaseError::Weights { path: path.clone(), source })?;
        let tensors: BTreeMap<String, Tensor> = tensors.into_iter().collect();
        for (name, mut variable) in variables.variables() {
            let Some(name) = name.strip_prefix("bert.") else { continue };
            let missing = || BaseError::Missing { path: path.clone(), name: name.to_owned() };
            let published = tensors.get(name).ok_or_else(missing)?;
            let fitting = match name {
                "embeddings.word_embeddings.weight" => {
                    published.index_select(0, &Tensor::from_slice(kept))
                }
                "embeddings.position_embeddings.weight" => {
                    let rows = variable.size()[0].min(published.size()[0]);
                    published.narrow(0, 0, rows)
                }
                _ => published.shallow_clone(),
            };
            if fitting.size() != variable.size() {
                return Err(missing());
            }
            tch::no_grad(|| variable.copy_(&fitting));
        }
        Ok(())
    }
}
