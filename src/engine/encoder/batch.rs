//! Sequences side by side, of about the same length, so that little is spent on padding.

use std::ops::Range;

use tch::{Device, Tensor};

use super::Sequence;

/// Sequences as tensors, each `[batch, tokens]` of integers.
#[derive(Debug)]
pub struct Batch {
    /// Numbers of word pieces; 0 is padding.
    pub tokens: Tensor,
    /// 1 for a token, 0 for padding.
    pub mask: Tensor,
    /// 0 for the level's own clauses, 1 for general ones.
    pub segments: Tensor,
}

impl Batch {
    /// Sequences, each filled up to the longest.
    pub fn new<'a>(sequences: impl ExactSizeIterator<Item = &'a Sequence> + Clone) -> Self {
        let count = sequences.len();
        let longest = sequences.clone().map(|s| s.tokens.len()).max().unwrap_or(0);
        let mut rows = [const { Vec::new() }; 3];
        for row in &mut rows {
            row.reserve(count * longest);
        }
        for sequence in sequences {
            let padding = longest - sequence.tokens.len();
            let pad = || std::iter::repeat_n(0_i64, padding);
            let [tokens, mask, segments] = &mut rows;
            tokens.extend(sequence.tokens.iter().copied().chain(pad()));
            mask.extend(std::iter::repeat_n(1, sequence.tokens.len()).chain(pad()));
            segments.extend(sequence.segments.iter().copied().chain(pad()));
        }
        let shape = [count as i64, longest as i64];
        let [tokens, mask, segments] = rows.map(|row| Tensor::from_slice(&row).view(shape));
        Self { tokens, mask, segments }
    }

    /// The same on a device.
    pub fn to(&self, device: Device) -> Self {
        Self {
            tokens: self.tokens.to_device(device),
            mask: self.mask.to_device(device),
            segments: self.segments.to_device(device),
        }
    }
}

/// Cuts sorted lengths into batches of at most `tokens` tokens, padding included, and at least one
/// sequence.
pub fn batches(lengths: &[usize], tokens: usize) -> Vec<Range<usize>> {
    let mut batches = Vec::new();
    let mut start = 0;
    for (end, &length) in lengths.iter().enumerate() {
        if end > start && (end + 1 - start) * length > tokens {
            batches.push(start..end);
            start = end;
        }
    }
    if start < lengths.len() {
        batches.push(start..lengths.len());
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_hold_all_and_no_more_than_they_may() {
        assert_eq!(batches(&[2, 2, 3, 5, 9], 8), [0..2, 2..3, 3..4, 4..5]);
        assert_eq!(batches(&[4, 4, 4], 100), vec![0..3]);
        assert!(batches(&[], 8).is_empty());
    }

    #[test]
    fn shorter_sequences_are_filled_up() {
        let sequence = |tokens: &[i64]| Sequence {
            tokens: tokens.to_vec(),
            segments: vec![1; tokens.len()],
            spans: vec![None; tokens.len()],
            is_cut: false,
        };
        let all = [sequence(&[5, 6, 7]), sequence(&[8])];
        let batch = Batch::new(all.iter());
        assert_eq!(batch.tokens, Tensor::from_slice2(&[[5_i64, 6, 7], [8, 0, 0]]));
        assert_eq!(batch.mask, Tensor::from_slice2(&[[1_i64, 1, 1], [1, 0, 0]]));
        assert_eq!(batch.segments, Tensor::from_slice2(&[[1_i64, 1, 1], [1, 0, 0]]));
    }
}
