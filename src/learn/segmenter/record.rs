//! The record of a training: what it learned from, and what came of each round.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::imaging::Tissue;
use crate::learn::keep::{self, KeepError};
use crate::page::{Panel, curves};

/// Where a training stands. It is written after each round.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The seed that it began with.
    pub seed: u64,
    /// Rounds done.
    pub rounds: u64,
    /// Steps that the model had taken that it began with.
    #[serde(default)]
    pub steps_before: i32,
    /// Steps done.
    pub steps: i32,
    /// Subjects learned from.
    pub learned_from: Vec<String>,
    /// Subjects kept from learning, on which each round is judged.
    pub held_out: Vec<String>,
    /// How many slices there are in all.
    pub slices: usize,
    /// SHA-256 over the slices and masks, in hexadecimal digits.
    pub sha256: String,
    /// What came of each round.
    pub curve: Vec<Point>,
}

/// What came of a round.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// Steps so far.
    pub steps: i32,
    /// Mean loss of the round's steps.
    pub loss: f64,
    /// Dice of vertebrae, discs and canal, means over held-out subjects.
    pub dice: [f64; Tissue::FOREGROUND.len()],
}

impl Point {
    /// The mean over tissues.
    pub fn mean(&self) -> f64 {
        self.dice.iter().sum::<f64>() / self.dice.len() as f64
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
        let curve = |value: &dyn Fn(&Point) -> f64| {
            self.curve.iter().map(|point| (f64::from(point.steps), value(point))).collect()
        };
        let loss = Panel {
            title: "Loss",
            scale: (0.0, 0.6),
            curves: vec![("learned from", curve(&|point| point.loss))],
        };
        let tissue = |(at, tissue): (usize, &Tissue)| (tissue.name(), curve(&|p| p.dice[at]));
        let dice = Panel {
            title: "Dice on held-out subjects",
            scale: (0.8, 1.0),
            curves: Tissue::FOREGROUND.iter().enumerate().map(tissue).collect(),
        };
        // The template takes any numbers, so that this cannot fail.
        curves("Training of the segmenter", &[loss, dice]).unwrap_or_default()
    }

    /// The round whose weights are kept: the one with the highest Dice on held-out subjects.
    pub fn best(&self) -> Option<usize> {
        let dice = self.curve.iter().map(Point::mean).enumerate();
        dice.max_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(round, _)| round)
    }
}
