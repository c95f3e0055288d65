//! Coarser grading schemes, derived from [`Grade`] and never stored.
//!
//! In both a half grade goes up, and `present` has no place: its degree is unknown.

use serde::Serialize;

use super::Grade;

/// The four grades of Lu et al., *DeepSPINE* (2018).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the paper's own words")]
pub enum DeepSpine4 {
    Normal,
    Mild,
    Moderate,
    Severe,
}

impl DeepSpine4 {
    /// The paper's grade, or none where the degree is unknown.
    pub const fn derive(grade: Grade) -> Option<Self> {
        match grade {
            Grade::Normal => Some(Self::Normal),
            Grade::Mild => Some(Self::Mild),
            Grade::MildModerate | Grade::Moderate => Some(Self::Moderate),
            Grade::ModerateSevere | Grade::Severe => Some(Self::Severe),
            Grade::Present => None,
        }
    }
}

/// The three severities of the RSNA 2024 Lumbar Spine Degenerative Classification challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Rsna3 {
    /// Normal or mild: the challenge does not part them.
    #[serde(rename = "Normal/Mild")]
    NormalMild,
    /// Moderate.
    Moderate,
    /// Severe.
    Severe,
}

impl Rsna3 {
    /// The challenge's severity, or none where the degree is unknown.
    pub const fn derive(grade: Grade) -> Option<Self> {
        match DeepSpine4::derive(grade) {
            Some(DeepSpine4::Normal | DeepSpine4::Mild) => Some(Self::NormalMild),
            Some(DeepSpine4::Moderate) => Some(Self::Moderate),
            Some(DeepSpine4::Severe) => Some(Self::Severe),
            None => None,
        }
    }

    /// The word that the challenge's tables use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NormalMild => "Normal/Mild",
            Self::Moderate => "Moderate",
            Self::Severe => "Severe",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_grades_go_up_and_present_stays_out() {
        let four = Grade::ALL.map(DeepSpine4::derive);
        use DeepSpine4::{Mild, Moderate, Normal, Severe};
        assert_eq!(
            four,
            [
                Some(Normal),
                Some(Mild),
                Some(Moderate),
                Some(Moderate),
                Some(Severe),
                Some(Severe),
                None
            ]
        );
        assert_eq!(Rsna3::derive(Grade::Mild), Some(Rsna3::NormalMild));
        assert_eq!(Rsna3::derive(Grade::MildModerate), Some(Rsna3::Moderate));
        assert_eq!(Rsna3::derive(Grade::Present), None);
    }
}
