//! What a training leaves in its folder so that it can be stopped at any moment and goes on from
//! its last round: the record of its rounds, and a checkpoint of everything that it learns.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tch::{TchError, Tensor, nn::VarStore};

/// Why a training's folder cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what each is")]
pub enum KeepError {
    #[error("`{path}` cannot be read or written")]
    Unwritable { path: PathBuf, source: std::io::Error },
    #[error("`{path}` is a file; name a folder")]
    NoFolder { path: PathBuf },
    #[error("`{path}` is no record of a training; remove the folder to begin anew")]
    Malformed { path: PathBuf, source: serde_json::Error },
    #[error("`{path}` is no record of such a training; name another folder with {flag}")]
    OtherModel { path: PathBuf, flag: &'static str, source: serde_json::Error },
    #[error("`{path}` is damaged; remove the folder to begin anew")]
    Checkpoint { path: PathBuf, source: TchError },
}

/// The file of a training's record.
pub(super) const RECORD: &str = "training.json";
const CHECKPOINT: &str = "checkpoint.safetensors";

/// Makes the folder of a training.
pub(super) fn make(folder: &Path) -> Result<(), KeepError> {
    if folder.is_file() {
        return Err(KeepError::NoFolder { path: folder.to_owned() });
    }
    std::fs::create_dir_all(folder)
        .map_err(|source| KeepError::Unwritable { path: folder.to_owned(), source })
}

/// Writes a file whole or not at all.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), KeepError> {
    let unwritable = |source| KeepError::Unwritable { path: path.to_owned(), source };
    let beside = path.with_extension("new");
    std::fs::write(&beside, bytes).map_err(unwritable)?;
    std::fs::rename(&beside, path).map_err(unwritable)
}

/// Writes what only has numbers and plain names, which JSON can always hold.
pub(super) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), KeepError> {
    let text = serde_json::to_string_pretty(value).unwrap_or_default() + "\n";
    write(path, text.as_bytes())
}

/// The record of the training that a folder holds, if it holds one.
pub(super) fn record<R: DeserializeOwned>(folder: &Path) -> Result<Option<R>, KeepError> {
    let path = folder.join(RECORD);
    let Ok(text) = std::fs::read_to_string(&path) else { return Ok(None) };
    serde_json::from_str(&text).map(Some).map_err(|source| KeepError::Malformed { path, source })
}

/// The record of the training that a finished model came out of, if its folder, which `flag` names, has
/// one. That folder is not the training's own: nothing in it is ever to be removed.
pub(super) fn record_of_model<R: DeserializeOwned>(
    folder: &Path,
    flag: &'static str,
) -> Result<Option<R>, KeepError> {
    record(folder).map_err(|error| match error {
        KeepError::Malformed { path, source } => KeepError::OtherModel { path, flag, source },
        error => error,
    })
}

/// A network's variables, their names after `start`.
pub(super) fn variables(start: &str, network: &VarStore) -> Vec<(String, Tensor)> {
    let named =
        |(name, tensor): (String, Tensor)| (format!("{start}{name}"), tensor.detach().contiguous());
    network.variables().into_iter().map(named).collect()
}

/// Gives a network's variables the values that stand after `start`.
pub(super) fn fill(start: &str, network: &VarStore, tensors: &[(String, Tensor)]) {
    let mut own = network.variables();
    for (name, tensor) in tensors {
        if let Some(variable) = name.strip_prefix(start).and_then(|name| own.get_mut(name)) {
            tch::no_grad(|| variable.copy_(tensor));
        }
    }
}

/// A record as part of the checkpoint that it tells of: one file, so that a kill cannot leave the one
/// of another round than the other.
pub(super) fn with_record(record: &impl Serialize) -> (String, Tensor) {
    let json = serde_json::to_vec(record).unwrap_or_default();
    (RECORD.to_owned(), Tensor::from_slice(&json))
}

/// The record that is part of a checkpoint.
pub(super) fn record_within<R: DeserializeOwned>(
    folder: &Path,
    tensors: &[(String, Tensor)],
) -> Result<R, KeepError> {
    let found = tensors.iter().find(|(name, _)| name == RECORD);
    let json = found.and_then(|(_, bytes)| Vec::<u8>::try_from(bytes).ok()).unwrap_or_default();
    let path = folder.join(CHECKPOINT);
    serde_json::from_slice(&json).map_err(|source| KeepError::Malformed { path, source })
}

/// Writes what a resumed training needs.
pub(super) fn checkpoint(folder: &Path, tensors: &[(String, Tensor)]) -> Result<(), KeepError> {
    let path = folder.join(CHECKPOINT);
    let beside = path.with_extension("new");
    Tensor::write_safetensors(tensors, &beside)
        .map_err(|source| KeepError::Checkpoint { path: beside.clone(), source })?;
    std::fs::rename(&beside, &path).map_err(|source| KeepError::Unwritable { path, source })
}

/// What a resumed training needs.
pub(super) fn take_up(folder: &Path) -> Result<Vec<(String, Tensor)>, KeepError> {
    let path = folder.join(CHECKPOINT);
    Tensor::read_safetensors(&path).map_err(|source| KeepError::Checkpoint { path, source })
}
