//! What a model's folder says of it beside the weights.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Config;
use crate::label::{Belief, Conformal, Fusion, Target};

/// `config.json`: the shape of the network, and what its outputs mean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// The shape.
    pub network: Config,
    /// The targets, in the order of the heads.
    targets: Vec<String>,
    /// The outcomes that a head tells apart, in order.
    outcomes: Vec<String>,
}

impl ModelConfig {
    /// A network of this shape that means what this version's labels mean.
    pub fn new(network: Config) -> Self {
        let targets = Target::ALL.iter().map(|target| target.name().to_owned()).collect();
        let name = |outcome: Option<_>| outcome.map_or("not_mentioned", crate::label::Grade::name);
        let outcomes = Belief::outcomes().map(|outcome| name(outcome).to_owned()).collect();
        Self { network, targets, outcomes }
    }

    /// What the outputs mean that they do not mean in this version.
    pub fn other_labels(&self) -> Option<String> {
        let own = Self::new(self.network);
        let differs = |what, found: &[String], known: &[String]| {
            (found != known)
                .then(|| format!("its {what} are {}, not {}", found.join(" "), known.join(" ")))
        };
        differs("targets", &self.targets, &own.targets)
            .or_else(|| differs("outcomes", &self.outcomes, &own.outcomes))
    }
}

/// `calibration.json`: what was learned after the weights, on text that they were not trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// What the network's scores are divided by to be probabilities.
    pub temperature: f32,
    /// The least logit of the gate with which a level is read.
    pub gate: f32,
    /// How rules and transformer are made one.
    pub fusion: Fusion,
    /// Thresholds of conformal sets, by rising coverage.
    pub conformal: Vec<Conformal>,
}

impl Calibration {
    /// What it is called in a model's folder.
    pub const FILE: &str = "calibration.json";

    /// The coverages that can be asked for.
    pub const COVERAGES: [f64; 5] = [0.8, 0.9, 0.95, 0.98, 0.99];

    /// The coverage where none is asked for: most wrong labels are then in doubt, and few others.
    pub const USUAL_COVERAGE: f64 = 0.98;

    /// Puts it into a model's folder, whole or not at all.
    ///
    /// # Errors
    /// Where the folder cannot be written.
    pub fn save(&self, folder: &Path) -> io::Result<()> {
        let path = folder.join(Self::FILE);
        let beside = path.with_extension("new");
        std::fs::write(&beside, serde_json::to_string_pretty(self)? + "\n")?;
        std::fs::rename(&beside, path)
    }
}
