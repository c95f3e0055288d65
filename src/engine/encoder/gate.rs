//! The gate: whether a level's text could mention any target, before the network is asked.
//!
//! A logistic regression over word pieces, learned with the network. It costs an addition a token,
//! the network a million multiplications.

use tch::Tensor;

use super::{Sequence, floats};

/// A number a word piece, for own and for general clauses.
#[derive(Debug, Clone)]
pub struct Gate(Vec<f32>);

impl Gate {
    /// The gate of a network, from its weights `[2 * vocabulary]`.
    pub fn new(weights: &Tensor) -> Self {
        Self(floats(weights))
    }

    /// The logit of any target being mentioned.
    pub fn score(&self, sequence: &Sequence) -> f32 {
        let vocabulary = self.0.len() / 2;
        let pieces = sequence.tokens.iter().zip(&sequence.segments);
        pieces
            .map(|(&token, &segment)| self.0[token as usize + segment as usize * vocabulary])
            .sum()
    }
}
