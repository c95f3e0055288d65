//! Grades and certainty.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::UnknownName;

/// How narrow a cell is said to be.
///
/// [`Grade::Present`] states stenosis without a degree. It is off the ordered scale, so the type
/// has no order of its own: compare [`Grade::rank`]s, which `present` lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
#[allow(missing_docs, reason = "the guideline's own words")]
pub enum Grade {
    Normal,
    Mild,
    MildModerate,
    Moderate,
    ModerateSevere,
    Severe,
    /// Stenosis is stated without a degree: mild or worse.
    Present,
}

impl Grade {
    /// Every grade: the ordered ones first, then `present`.
    pub const ALL: [Self; 7] = [
        Self::Normal,
        Self::Mild,
        Self::MildModerate,
        Self::Moderate,
        Self::ModerateSevere,
        Self::Severe,
        Self::Present,
    ];

    /// The place on the ordered scale, 0 for normal to 5 for severe; none for `present`.
    pub const fn rank(self) -> Option<u8> {
        match self {
            Self::Present => None,
            graded => Some(graded as u8),
        }
    }

    /// Whether the grade states a narrowing, of known degree or not.
    pub const fn is_stenosis(self) -> bool {
        !matches!(self, Self::Normal)
    }

    /// Whether the grade states a narrowing of known degree: `mild` to `severe`.
    pub const fn has_degree(self) -> bool {
        !matches!(self, Self::Normal | Self::Present)
    }

    /// The name in files, such as `mild_moderate`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Mild => "mild",
            Self::MildModerate => "mild_moderate",
            Self::Moderate => "moderate",
            Self::ModerateSevere => "moderate_severe",
            Self::Severe => "severe",
            Self::Present => "present",
        }
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Grade {
    type Err = UnknownName;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|grade| grade.name() == s)
            .ok_or_else(|| UnknownName::new("grade", s, Self::ALL.iter()))
    }
}

/// Whether a grade is stated or only suspected.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// Said plainly.
    #[default]
    Stated,
    /// Possible, probable, suspected, cannot be excluded.
    Hedged,
}

impl Certainty {
    /// The name in files, such as `hedged`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stated => "stated",
            Self::Hedged => "hedged",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn present_is_off_the_scale_and_the_others_rise() {
        assert_eq!(Grade::Present.rank(), None);
        let ranks: Vec<_> = Grade::ALL.iter().filter_map(|g| g.rank()).collect();
        assert_eq!(ranks, [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn names_are_those_that_serde_writes() {
        for grade in Grade::ALL {
            assert_eq!(serde_json::to_value(grade).unwrap(), grade.name());
            assert_eq!(grade.name().parse(), Ok(grade));
        }
    }
}
