//! The transformer that reads reports: words to numbers, and numbers to verdicts.

mod base;
mod batch;
mod gate;
mod input;
mod model;
mod network;
mod reader;

pub use base::{Base, BaseError};
pub use batch::{Batch, batches};
pub use gate::Gate;
pub use input::{Sequence, Vocabulary, VocabularyError};
pub use model::{Calibration, ModelConfig};
pub use network::{CLASSES, Config, Network, Output};
pub use reader::{ModelError, Reader};

use tch::{Device, Kind, Tensor};

/// The language of the reports that a network can read: the published encoder and the dictated reports
/// that it learns from know no other.
pub const LANGUAGE: &str = "en";

/// A tensor's numbers, row after row.
fn floats(tensor: &Tensor) -> Vec<f32> {
    let flat = tensor.to_device(Device::Cpu).to_kind(Kind::Float).contiguous().view([-1]);
    let mut floats = vec![0.0; flat.numel()];
    flat.copy_data(&mut floats, flat.numel());
    floats
}
