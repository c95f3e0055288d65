//! Which part of a manifest a patient is in.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::label::UnknownName;

/// What a study is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Part {
    Train,
    Validate,
    Test,
}

impl Part {
    /// Every part.
    pub const ALL: [Self; 3] = [Self::Train, Self::Validate, Self::Test];

    /// Its name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validate => "validate",
            Self::Test => "test",
        }
    }
}

/// Shares of patients for training, validation and testing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Split {
    /// The shares in the order of [`Part::ALL`], in any unit; one is more than 0.
    pub shares: [u32; 3],
    /// Decides who; the same seed gives the same parts.
    pub seed: u64,
}

impl Split {
    /// The part of a patient. It depends on the patient alone, so that others who come later move
    /// nobody; so shares are met but roughly.
    pub fn part(&self, patient: &str) -> Part {
        let mut hash = Sha256::new();
        hash.update(self.seed.to_le_bytes());
        hash.update(patient.as_bytes());
        let hash: [u8; 32] = hash.finalize().into();
        let drawn = u64::from_le_bytes(hash[..8].try_into().expect("a hash is longer"));
        let total: u64 = self.shares.iter().copied().map(u64::from).sum();
        // Between 0 and the sum of shares.
        let mut at = ((u128::from(drawn) * u128::from(total)) >> 64) as u64;
        for (part, share) in Part::ALL.into_iter().zip(self.shares) {
            match at.checked_sub(u64::from(share)) {
                None => return part,
                Some(rest) => at = rest,
            }
        }
        Part::Test
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Part {
    type Err = UnknownName;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|part| part.name() == s)
            .ok_or_else(|| UnknownName::new("part", s, Self::ALL.iter()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_of_the_size_asked_for_and_stay() {
        let split = Split { shares: [80, 10, 10], seed: 7 };
        let mut counts = [0; 3];
        for patient in 0..4000 {
            counts[split.part(&format!("P{patient}")) as usize] += 1;
        }
        assert!((3100..3300).contains(&counts[0]) && (340..460).contains(&counts[1]), "{counts:?}");
        // What was split once is split so for ever.
        let parts = ["P1", "P2", "P3", "P4"].map(|patient| split.part(patient).name());
        assert_eq!(parts, ["train", "train", "train", "train"]);
        let none = Split { shares: [0, 0, 1], seed: 7 };
        assert_eq!(none.part("P1"), Part::Test);
    }
}
