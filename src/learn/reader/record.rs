//! The record of a training: what it learned from, and what came of each round.

use serde::{Deserialize, Serialize};

use super::Progress;
use crate::page::{Panel, curves};

/// A file of labelled reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// Its SHA-256 in hexadecimal digits.
    pub sha256: String,
    /// How many reports it holds.
    pub reports: usize,
    /// Whether it was learned from; else it was only judged on.
    pub learned_from: bool,
}

impl Source {
    fn is_same(&self, other: &Self) -> bool {
        (&self.sha256, self.learned_from) == (&other.sha256, other.learned_from)
    }
}

/// Such as "`ours.jsonl` (1d730aa5, to learn from)".
impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hash = self.sha256.get(..8).unwrap_or(&self.sha256);
        let what_for = if self.learned_from { "to learn from" } else { "to judge on" };
        write!(f, "`{}` ({hash}, {what_for})", self.name)
    }
}

/// Where a training stands. It is written after each round.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The seed that it began with.
    pub seed: u64,
    /// Rounds done.
    pub rounds: u64,
    /// Steps done.
    pub steps: i32,
    /// Steps that the reader had taken that it began with, if it began with one.
    #[serde(default)]
    pub steps_before: i32,
    /// What was learned from and judged on beside dictated reports; also what the reader that it began
    /// with had learned from.
    #[serde(default)]
    pub sources: Vec<Source>,
    /// Reports of these that were not learned from, as one that is judged on has the same text.
    #[serde(default)]
    pub left_out: usize,
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
    /// On reports in held-out phrases.
    pub held_out: Progress,
    /// On the labelled reports that were kept from learning.
    pub check: Progress,
}

impl Record {
    /// Its curves as SVG.
    pub fn drawn(&self) -> String {
        let curve = |value: fn(&Point) -> f64| {
            self.curve.iter().map(|point| (f64::from(point.steps), value(point))).collect()
        };
        let (held_out, check) = ("held-out phrases", "reports kept from learning");
        let loss = Panel {
            title: "Loss",
            scale: (0.0, 1.0),
            curves: vec![
                (held_out, curve(|point| point.held_out.loss)),
                (check, curve(|point| point.check.loss)),
                ("learned from", curve(|point| point.loss)),
            ],
        };
        let f1 = Panel {
            title: "Strict cell F1",
            scale: (0.6, 1.0),
            curves: vec![
                (held_out, curve(|point| point.held_out.f1())),
                (check, curve(|point| point.check.f1())),
            ],
        };
        // The template takes any numbers, so that this cannot fail.
        curves("Training of the reader", &[loss, f1]).unwrap_or_default()
    }

    /// The files that only `other` is on, and those that only this training is on; all of both where
    /// they differ in their order alone, and none where they do not differ.
    pub fn other_files(&self, other: &Self) -> Option<[String; 2]> {
        let is_same = |(a, b): (&Source, &Source)| a.is_same(b);
        let (then, now) = (&other.sources, &self.sources);
        if then.len() == now.len() && then.iter().zip(now).all(is_same) {
            return None;
        }
        let only = |of: &[Source], beside: &[Source]| -> Vec<String> {
            let is_only = |source: &&Source| !beside.iter().any(|other| other.is_same(source));
            of.iter().filter(is_only).map(Source::to_string).collect()
        };
        let mut differing = [only(then, now), only(now, then)];
        if differing.iter().all(Vec::is_empty) {
            differing = [only(then, &[]), only(now, &[])];
        }
        Some(differing.map(|all| if all.is_empty() { "none".to_owned() } else { all.join(", ") }))
    }

    /// The round whose weights are kept: the one with the least loss on held-out phrases.
    pub fn best(&self) -> Option<usize> {
        let losses = self.curve.iter().map(|point| point.held_out.loss).enumerate();
        losses.min_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(round, _)| round)
    }
}
