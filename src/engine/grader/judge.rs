//! A trained network at work: the crops of levels in, grades with their doubt out.

use std::path::{Path, PathBuf};

use tch::nn::VarStore;

use super::{
    Calibration, CalibrationError, Config, Input, Look, Network, Place, TypeCalibration, answers,
};
use crate::engine::{Device, WeightsError, content_hash, load};
use crate::imaging::Segment;
use crate::label::{Grade, GradeSet, LADDER, Level, Shares, Target, likeliest};

/// Grades levels.
#[derive(Debug)]
pub struct Grader {
    config: Config,
    network: Network,
    calibration: Calibration,
    device: Device,
    content_hash: String,
}

/// How one target of a level is graded.
#[derive(Debug, Clone, PartialEq)]
pub struct Graded {
    /// Which.
    pub target: Target,
    /// The grade, chosen as if all grades were about as frequent, so that rare ones are not passed
    /// over; it need not be the most probable one.
    pub grade: Grade,
    /// How probable each grade of the ladder is where grades are as frequent as in what the grader
    /// learned from.
    pub probabilities: Shares,
    /// What may be true, for each of [`Calibration::COVERAGES`].
    pub sets: [GradeSet; Calibration::COVERAGES.len()],
}

/// Why a model cannot be used.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what each is")]
pub enum GraderError {
    #[error(
        "`{path}` cannot be read; a grader's folder has config.json, weights.safetensors and \
         calibration.json"
    )]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error(
        "`{path}` is not what this version of the program writes for a grader; if this is a \
         segmenter's folder, `grade` takes it with --model"
    )]
    Malformed { path: PathBuf, source: serde_json::Error },
    #[error("`{path}` describes no network of this version: {reason}")]
    Impossible { path: PathBuf, reason: &'static str },
    #[error("`{path}` lacks or exceeds what config.json says is graded: {types}; train anew")]
    OtherTypes { path: PathBuf, types: String },
    #[error(transparent)]
    Calibration(#[from] CalibrationError),
    #[error(transparent)]
    Weights(#[from] WeightsError),
}

impl Grader {
    /// Loads a model's folder.
    ///
    /// # Errors
    /// Where a file is missing or not of this version; every difference is named.
    pub fn load(folder: &Path, device: Device) -> Result<Self, GraderError> {
        let path = folder.join(Config::FILE);
        let config = Self::config(folder)?;
        let calibration = Calibration::read(folder)?;
        let graded: Vec<_> = config.types.iter().collect();
        let mut calibrated: Vec<_> = calibration.0.keys().collect();
        calibrated.sort_by_key(|of| graded.iter().position(|graded| graded == of));
        let sets = Calibration::COVERAGES.len();
        if calibrated != graded || calibration.0.values().any(|of| of.sets.len() != sets) {
            let path = folder.join(Calibration::FILE);
            return Err(GraderError::OtherTypes { path, types: format!("{graded:?}") });
        }
        let variables = VarStore::new(device.torch());
        let network = Network::new(&variables.root(), &config);
        let weights = folder.join("weights.safetensors");
        load(&variables, &weights)?;
        let network = tch::no_grad(|| network.folded(device.precision()));
        let files = [&path, &weights, &folder.join(Calibration::FILE)];
        let content_hash = content_hash(&files.map(|file| file.as_path()))
            .map_err(|source| GraderError::Unreadable { path: weights.clone(), source })?;
        Ok(Self { config, network, calibration, device, content_hash })
    }

    /// The shape of the network in a model's folder.
    ///
    /// # Errors
    /// Where there is none, or one that this version has not.
    pub fn config(folder: &Path) -> Result<Config, GraderError> {
        let path = folder.join(Config::FILE);
        let text = std::fs::read_to_string(&path)
            .map_err(|source| GraderError::Unreadable { path: path.clone(), source })?;
        let config: Config = serde_json::from_str(&text)
            .map_err(|source| GraderError::Malformed { path: path.clone(), source })?;
        match config.impossible() {
            None => Ok(config),
            Some(reason) => Err(GraderError::Impossible { path, reason }),
        }
    }

    /// The SHA-256 of its configuration, weights and calibration, in hexadecimal digits.
    pub fn content_hash(&self) -> &str {
        &self.content_hash
    }

    /// What it looks at and what it grades.
    pub const fn shape(&self) -> &Config {
        &self.config
    }

    /// Grades levels of a study; none of a level of which there is no crop that the grader looks at.
    pub fn grade(&self, levels: &[(Level, &Segment)]) -> Vec<Option<Vec<Graded>>> {
        let inputs: Vec<Input> =
            levels.iter().map(|(_, segment)| Input::new(&self.config, segment)).collect();
        let place = |&(level, _): &(Level, &Segment)| Place { study: "", level };
        let levels: Vec<_> = levels.iter().map(place).zip(&inputs).collect();
        self.grade_inputs(&levels, |_| ())
    }

    /// The same of crops that are ready, of any studies. `seen` hears of some levels at a time.
    pub fn grade_inputs(
        &self,
        levels: &[(Place<'_>, &Input)],
        mut seen: impl FnMut(usize),
    ) -> Vec<Option<Vec<Graded>>> {
        let mut graded: Vec<Option<Vec<Graded>>> = vec![None; levels.len()];
        let shown: Vec<usize> = (0..levels.len()).filter(|&at| !levels[at].1.is_empty()).collect();
        seen(levels.len() - shown.len());
        let looked_at: Vec<_> = shown.iter().map(|&at| levels[at]).collect();
        let answers =
            answers(&self.network, &self.config, &looked_at, &Look::AROUND, self.device, seen);
        for (at, logs) in shown.into_iter().zip(answers) {
            graded[at] = Some(self.judged(&logs));
        }
        graded
    }

    /// What follows from the network's answer to one level.
    fn judged(&self, logs: &[Shares]) -> Vec<Graded> {
        let default = TypeCalibration::default();
        self.config
            .targets()
            .zip(logs)
            .map(|(target, logs)| {
                let calibration =
                    self.calibration.0.get(&target.row().stenosis).unwrap_or(&default);
                let even = calibration.even(logs);
                Graded {
                    target,
                    grade: LADDER[likeliest(&even)],
                    probabilities: calibration.probable(logs),
                    sets: std::array::from_fn(|at| {
                        calibration.sets.get(at).map_or(GradeSet::ALL, |of| of.set(&even))
                    }),
                }
            })
            .collect()
    }
}
