//! How far two masks agree.

use serde::{Deserialize, Serialize};

use crate::imaging::Tissue;

/// Voxels that a mask, its reference and both have, by tissue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overlap {
    found: [u64; Tissue::ALL.len()],
    is: [u64; Tissue::ALL.len()],
    both: [u64; Tissue::ALL.len()],
}

impl Overlap {
    /// Counts two masks of the same voxels.
    pub fn add(&mut self, found: &[u8], is: &[u8]) {
        for (&found, &is) in found.iter().zip(is) {
            self.found[usize::from(found)] += 1;
            self.is[usize::from(is)] += 1;
            self.both[usize::from(is)] += u64::from(found == is);
        }
    }

    /// The Dice coefficient (1945) of a tissue; none where neither mask has it.
    pub fn dice(&self, tissue: Tissue) -> Option<f64> {
        let at = usize::from(tissue.number());
        let sum = self.found[at] + self.is[at];
        (sum > 0).then(|| 2.0 * self.both[at] as f64 / sum as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dice_is_twice_the_shared_over_the_sum() {
        let mut overlap = Overlap::default();
        overlap.add(&[1, 1, 1, 0, 2], &[1, 1, 0, 1, 2]);
        assert_eq!(overlap.dice(Tissue::Vertebra), Some(4.0 / 6.0));
        assert_eq!(overlap.dice(Tissue::Disc), Some(1.0));
        assert_eq!(overlap.dice(Tissue::Canal), None);
    }
}
