//! The record of a training: what it learned from, and what came of each round.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::engine::grader::Config;
use crate::label::StenosisType;
use crate::learn::keep::{self, KeepError};
use crate::page::{Panel, curves};

/// Where a training stands. It is written after each round.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The seed that it began with.
    pub seed: u64,
    /// The shape of the network.
    pub network: Config,
    /// How much more rare grades count.
    pub balance: f64,
    /// Rounds done.
    pub rounds: u64,
    /// Steps that the model had taken that it began with.
    pub steps_before: i32,
    /// Steps done.
    pub steps: i32,
    /// Levels learned from.
    pub levels: usize,
    /// Patients learned from.
    pub learned_from: Vec<String>,
    /// Patients kept from learning, on which rounds are judged and the model is calibrated.
    pub held_out: Vec<String>,
    /// SHA-256 over all levels, in hexadecimal digits.
    pub sha256: String,
    /// What came of each round.
    pub curve: Vec<Point>,
}

/// What came of a round.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// Steps so far.
    pub steps: i32,
    /// Mean loss of the round's steps.
    pub loss: f64,
    /// Class-average accuracy on held-out patients: the mean over grades of the share of their
    /// labels that are graded right, by stenosis type; none where no label is of one grade.
    pub right: Vec<(StenosisType, Option<f64>)>,
}

impl Point {
    /// The mean over stenosis types.
    pub fn mean(&self) -> Option<f64> {
        let all: Vec<f64> = self.right.iter().filter_map(|(_, right)| *right).collect();
        (!all.is_empty()).then(|| all.iter().sum::<f64>() / all.len() as f64)
    }
}

impl Record {
    /// The record that a model's folder, as `--model` names it, has, if it has one.
    ///
    /// # Errors
    /// Where it is malformed.
    pub fn read(folder: &Path) -> Result<Option<Self>, KeepError> {
        keep::record_of_model(folder, "--model")
    }

    /// Its curves as SVG.
    pub fn drawn(&self) -> String {
        let steps = |point: &Point| f64::from(point.steps);
        let loss = self.curve.iter().map(|point| (steps(point), point.loss)).collect();
        let loss = Panel { title: "Loss", scale: (0.0, 1.4), curves: vec![("learned from", loss)] };
        let of_type = |(at, of): (usize, &StenosisType)| {
            let right = |point: &Point| Some((steps(point), point.right.get(at)?.1?));
            (of.name(), self.curve.iter().filter_map(right).collect())
        };
        let right = Panel {
            title: "Class-average accuracy on held-out patients",
            scale: (0.2, 1.0),
            curves: self.network.types.iter().enumerate().map(of_type).collect(),
        };
        // The template takes any numbers, so that this cannot fail.
        curves("Training of the grader", &[loss, right]).unwrap_or_default()
    }
}
