//! How far to trust a grader: what is learned after its weights, on levels that they have not seen.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::label::{LADDER, OrdinalConformal, Shares, StenosisType};

/// What is known of each stenosis type.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Calibration(pub BTreeMap<StenosisType, TypeCalibration>);

/// How far to trust grades of one stenosis type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypeCalibration {
    /// What logarithms of probabilities are divided by (Guo et al. 2017).
    pub temperature: f32,
    /// How much the loss made of each grade, so that rare ones counted. Divided by that,
    /// probabilities are as frequent as what was learned from had them.
    pub weights: Shares,
    /// What sets have to hold, by coverage from the least on.
    pub sets: Vec<OrdinalConformal>,
}

/// Why there is no calibration.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what each is")]
pub enum CalibrationError {
    #[error(
        "`{path}` cannot be read; a training writes it at its end: give the command that began it \
         again"
    )]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("`{path}` is not what this version of the program writes")]
    Malformed { path: PathBuf, source: serde_json::Error },
}

impl Calibration {
    /// Its file in a model's folder.
    pub const FILE: &str = "calibration.json";

    /// The coverages that sets are made for.
    pub const COVERAGES: [f64; 3] = [0.8, 0.9, 0.95];

    /// Reads that of a model.
    ///
    /// # Errors
    /// Where there is none, or not of this version.
    pub fn read(folder: &Path) -> Result<Self, CalibrationError> {
        let path = folder.join(Self::FILE);
        let text = std::fs::read_to_string(&path)
            .map_err(|source| CalibrationError::Unreadable { path: path.clone(), source })?;
        serde_json::from_str(&text).map_err(|source| CalibrationError::Malformed { path, source })
    }
}

impl Default for TypeCalibration {
    fn default() -> Self {
        Self { temperature: 1.0, weights: [1.0; LADDER.len()], sets: Vec::new() }
    }
}

impl TypeCalibration {
    /// How probable each grade were if all were as frequent as the loss made them: what a grade is
    /// chosen by, so that rare ones are not passed over.
    pub fn even(&self, logs: &Shares) -> Shares {
        softmax(logs.map(|log| log / self.temperature))
    }

    /// How probable each grade is where grades are as frequent as in what was learned from.
    pub fn probable(&self, logs: &Shares) -> Shares {
        softmax(std::array::from_fn(|grade| {
            logs[grade] / self.temperature - self.weights[grade].ln()
        }))
    }
}

fn softmax(scores: Shares) -> Shares {
    let highest = scores.into_iter().fold(f32::NEG_INFINITY, f32::max);
    let shares = scores.map(|score| (score - highest).exp());
    let sum: f32 = shares.iter().sum();
    shares.map(|share| share / sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_loss_made_more_of_is_less_probable_than_it_looked() {
        let logs = [0.25f32.ln(); 4];
        let calibration =
            TypeCalibration { weights: [1.0, 1.0, 2.0, 4.0], ..TypeCalibration::default() };
        assert_eq!(calibration.even(&logs), [0.25; 4]);
        let probable = calibration.probable(&logs);
        assert!((probable[0] - 4.0 * probable[3]).abs() < 1e-6, "{probable:?}");
        let cold = TypeCalibration { temperature: 2.0, ..TypeCalibration::default() };
        let sure = [0.97f32, 0.01, 0.01, 0.01].map(f32::ln);
        assert!(cold.even(&sure)[0] < 0.97 && cold.even(&sure)[0] > 0.25);
    }
}
