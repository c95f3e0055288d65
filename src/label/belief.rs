//! How probable it is that a text says this or that of a cell.

use serde::{Deserialize, Serialize};

use super::Grade;

/// What a text can say of a cell: nothing, or a grade.
pub type Outcome = Option<Grade>;

/// A probability for each outcome: of the cell not being mentioned, then by [`Grade::ALL`]. They
/// add up to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Belief([f32; Belief::OUTCOMES]);

impl Default for Belief {
    /// The cell is not mentioned, for sure.
    fn default() -> Self {
        let mut probabilities = [0.0; Self::OUTCOMES];
        probabilities[0] = 1.0;
        Self(probabilities)
    }
}

impl Belief {
    /// How many outcomes there are.
    pub const OUTCOMES: usize = Grade::ALL.len() + 1;

    /// The belief whose probabilities are in proportion to the exponentials of `scores`.
    pub fn softmax(scores: [f32; Self::OUTCOMES]) -> Self {
        let highest = scores.into_iter().fold(f32::NEG_INFINITY, f32::max);
        let shares = scores.map(|score| (score - highest).exp());
        let sum: f32 = shares.iter().sum();
        Self(shares.map(|share| share / sum))
    }

    /// Every outcome, in order.
    pub fn outcomes() -> impl Iterator<Item = Outcome> + Clone {
        std::iter::once(None).chain(Grade::ALL.into_iter().map(Some))
    }

    /// The place of an outcome.
    pub const fn place(outcome: Outcome) -> usize {
        match outcome {
            None => 0,
            Some(grade) => grade as usize + 1,
        }
    }

    /// The probability of an outcome.
    pub const fn of(&self, outcome: Outcome) -> f32 {
        self.0[Self::place(outcome)]
    }

    /// The most probable outcome.
    pub fn likeliest(&self) -> Outcome {
        let of = |outcome: &Outcome| self.of(*outcome);
        Self::outcomes().max_by(|a, b| of(a).total_cmp(&of(b))).flatten()
    }

    /// The same probabilities sharpened or flattened by a temperature (Guo et al. 2017).
    pub fn tempered(&self, temperature: f32) -> Self {
        Self::softmax(self.logs().map(|log| log / temperature))
    }

    /// The logarithms of the probabilities, none below that of one in a billion.
    pub fn logs(&self) -> [f32; Self::OUTCOMES] {
        self.0.map(|probability| probability.max(1e-9).ln())
    }

    /// The probabilities of the grades alone, by [`Grade::ALL`].
    pub fn grades(&self) -> [f32; Grade::ALL.len()] {
        std::array::from_fn(|grade| self.0[grade + 1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_become_probabilities_and_the_highest_is_the_likeliest() {
        let belief = Belief::softmax([0.0, 1.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        assert!((Belief::outcomes().map(|o| belief.of(o)).sum::<f32>() - 1.0).abs() < 1e-6);
        assert_eq!(belief.likeliest(), Some(Grade::Mild));
        assert_eq!(Belief::default().likeliest(), None);
        let flat = belief.tempered(1e6);
        assert!((flat.of(None) - flat.of(Some(Grade::Mild))).abs() < 1e-4);
        let sharp = belief.tempered(0.1).of(Some(Grade::Mild));
        assert!(sharp > 0.999, "{sharp}");
    }
}
