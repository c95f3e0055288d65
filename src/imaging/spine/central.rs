//! How narrow a canal is that was measured.

use serde::{Deserialize, Serialize};

use super::measure::LevelMeasures;
use crate::label::Grade;

/// From which area of the dural sac on, in mm², a level is of which grade. A smaller one than that of
/// `moderate` is severe.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the names of grades")]
pub struct Thresholds {
    pub normal: f64,
    pub mild: f64,
    pub moderate: f64,
}

/// Why a table of thresholds cannot be used.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what each is")]
pub enum ThresholdsError {
    #[error("it is no table of `normal`, `mild` and `moderate`, each with an area in mm²")]
    Malformed(#[source] Box<toml::de::Error>),
    #[error("areas must fall from `normal` over `mild` to `moderate`, and be more than 0")]
    NotFalling,
}

/// The thresholds that come with the program, and where they are from.
const BUILT_IN: &str = include_str!("central.toml");

impl Default for Thresholds {
    fn default() -> Self {
        Self::parse(BUILT_IN).expect("what comes with the program is tested")
    }
}

impl Thresholds {
    /// Reads a table as TOML.
    ///
    /// # Errors
    /// Where it is not one of areas that fall.
    pub fn parse(text: &str) -> Result<Self, ThresholdsError> {
        let read: Self =
            toml::from_str(text).map_err(|error| ThresholdsError::Malformed(Box::new(error)))?;
        let falls = read.normal > read.mild && read.mild > read.moderate && read.moderate > 0.0;
        if falls && read.normal.is_finite() { Ok(read) } else { Err(ThresholdsError::NotFalling) }
    }

    /// The grade of a level by the least area of its dural sac; none where that was not measured, or
    /// where the image ends beside it.
    pub fn grade(&self, level: &LevelMeasures) -> Option<Grade> {
        let area = level.narrowest.filter(|section| !section.is_cut)?.area;
        Some(match area {
            area if area >= self.normal => Grade::Normal,
            area if area >= self.mild => Grade::Mild,
            area if area >= self.moderate => Grade::Moderate,
            _ => Grade::Severe,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::spine::Section;

    fn level(area: f64, is_cut: bool) -> LevelMeasures {
        let section = Section { centre: [0.0; 3], ap: 10.0, width: 20.0, area, is_cut };
        LevelMeasures { narrowest: Some(section), ..LevelMeasures::default() }
    }

    #[test]
    fn a_smaller_sac_is_a_worse_grade() {
        let grade = |area| Thresholds::default().grade(&level(area, false));
        assert_eq!(
            [180.0, 130.0, 129.9, 100.0, 99.0, 75.0, 74.0].map(grade).map(Option::unwrap),
            [
                Grade::Normal,
                Grade::Normal,
                Grade::Mild,
                Grade::Mild,
                Grade::Moderate,
                Grade::Moderate,
                Grade::Severe
            ]
        );
    }

    #[test]
    fn what_was_not_seen_whole_has_no_grade() {
        assert_eq!(Thresholds::default().grade(&level(60.0, true)), None);
        assert_eq!(Thresholds::default().grade(&LevelMeasures::default()), None);
    }

    #[test]
    fn other_thresholds_can_be_given_and_nonsense_is_refused() {
        let own = Thresholds::parse("normal = 160\nmild = 120\nmoderate = 80").unwrap();
        assert_eq!(own.grade(&level(150.0, false)), Some(Grade::Mild));
        let refused = |text| Thresholds::parse(text).unwrap_err().to_string();
        assert!(refused("normal = 100\nmild = 130\nmoderate = 75").contains("fall"));
        assert!(refused("normal = 100").contains("table"));
        assert!(refused("normal = nan\nmild = 1\nmoderate = 0.5").contains("fall"));
    }
}
