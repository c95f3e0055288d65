//! Weights as safetensors: half precision in files, single precision at work.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tch::{Kind, TchError, Tensor, nn::VarStore};

/// The SHA-256 of files, one after the other, in hexadecimal digits: which model it is.
///
/// # Errors
/// Where one cannot be read.
pub fn content_hash(files: &[&Path]) -> std::io::Result<String> {
    let mut hash = Sha256::new();
    for file in files {
        hash.update(std::fs::read(file)?);
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Why weights cannot be used.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what each is")]
pub enum WeightsError {
    #[error("`{path}` cannot be read as safetensors")]
    Unreadable { path: PathBuf, source: TchError },
    #[error("`{path}` cannot be written")]
    Unwritable { path: PathBuf, source: TchError },
    #[error(
        "`{path}` does not fit the network of this version: {}; train anew, or use the version \
         that the weights were trained with",
        differences.join("; ")
    )]
    Mismatch { path: PathBuf, differences: Vec<String> },
}

/// Fills a network's variables from a file that has all of them, in the same shapes, and no others.
///
/// # Errors
/// Where the file cannot be read, or differs: every difference is named.
pub fn load(variables: &VarStore, path: &Path) -> Result<(), WeightsError> {
    let tensors = Tensor::read_safetensors(path)
        .map_err(|source| WeightsError::Unreadable { path: path.to_owned(), source })?;
    let tensors: BTreeMap<String, Tensor> = tensors.into_iter().collect();
    let wanted: BTreeMap<String, Tensor> = variables.variables().into_iter().collect();
    let differences = differences(&shapes(&wanted), &shapes(&tensors));
    if !differences.is_empty() {
        return Err(WeightsError::Mismatch { path: path.to_owned(), differences });
    }
    tch::no_grad(|| {
        for (name, mut variable) in wanted {
            variable.copy_(&tensors[&name]);
        }
    });
    Ok(())
}

/// Writes a network's variables in half precision, whole or not at all.
///
/// # Errors
/// Where the file cannot be written.
pub fn save(variables: &VarStore, path: &Path) -> Result<(), WeightsError> {
    let mut tensors: Vec<(String, Tensor)> = variables
        .variables()
        .into_iter()
        .map(|(name, tensor)| (name, tensor.detach().to_kind(Kind::Half).contiguous()))
        .collect();
    // The same weights make the same file.
    tensors.sort_by(|(a, _), (b, _)| a.cmp(b));
    let unwritable = |source| WeightsError::Unwritable { path: path.to_owned(), source };
    let beside = path.with_extension("new");
    Tensor::write_safetensors(&tensors, &beside).map_err(unwritable)?;
    std::fs::rename(&beside, path).map_err(|source| unwritable(source.into()))
}

fn shapes(tensors: &BTreeMap<String, Tensor>) -> BTreeMap<&str, Vec<i64>> {
    tensors.iter().map(|(name, tensor)| (name.as_str(), tensor.size())).collect()
}

/// What a file has otherwise than a network, in words.
fn differences(network: &BTreeMap<&str, Vec<i64>>, file: &BTreeMap<&str, Vec<i64>>) -> Vec<String> {
    let of_network = network.iter().filter_map(|(name, shape)| match file.get(name) {
        None => Some(format!("`{name}` is missing")),
        Some(found) if found != shape => {
            Some(format!("`{name}` is {found:?} where {shape:?} is needed"))
        }
        Some(_) => None,
    });
    let unknown = file.keys().filter(|name| !network.contains_key(**name));
    of_network.chain(unknown.map(|name| format!("`{name}` is unknown"))).collect()
}

#[cfg(test)]
mod tests {
    use tch::{Device, nn};

    use super::*;

    fn network(width: i64) -> (VarStore, nn::Linear) {
        let variables = VarStore::new(Device::Cpu);
        let layer = nn::linear(variables.root() / "layer", width, 2, Default::default());
        (variables, layer)
    }

    #[test]
    fn weights_come_back_as_they_were_but_for_half_precision() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.safetensors");
        let ((saved, was), (loaded, is)) = (network(3), network(3));
        save(&saved, &path).unwrap();
        load(&loaded, &path).unwrap();
        let difference = (&was.ws - &is.ws).abs().max();
        assert!(f64::try_from(difference).unwrap() < 1e-3);
        assert_eq!(is.ws.kind(), Kind::Float);
    }

    #[test]
    fn every_difference_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.safetensors");
        save(&network(3).0, &path).unwrap();
        let other = VarStore::new(Device::Cpu);
        let _ = nn::linear(other.root() / "layer", 4, 2, Default::default());
        let _ = nn::linear(other.root() / "head", 2, 2, Default::default());
        let message = load(&other, &path).unwrap_err().to_string();
        for part in ["`head.weight` is missing", "`layer.weight` is [2, 3] where [2, 4] is needed"]
        {
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn what_is_no_weights_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.safetensors");
        std::fs::write(&path, b"not weights").unwrap();
        let message = load(&network(3).0, &path).unwrap_err().to_string();
        assert!(message.contains("weights.safetensors"), "{message}");
    }
}
