//! Disc levels and sets of them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::UnknownName;

/// A disc level, named by the vertebrae above and below it, from the lower thoracic spine down.
///
/// The order is from top to bottom. `L5-L6`, `L6-S1` and `S1-S2` exist only in reports that
/// state a transitional or sixth lumbar vertebra.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
#[allow(missing_docs, reason = "each variant is the name of its disc")]
pub enum Level {
    #[serde(rename = "T9-T10")]
    T9T10,
    #[serde(rename = "T10-T11")]
    T10T11,
    #[serde(rename = "T11-T12")]
    T11T12,
    #[serde(rename = "T12-L1")]
    T12L1,
    #[serde(rename = "L1-L2")]
    L1L2,
    #[serde(rename = "L2-L3")]
    L2L3,
    #[serde(rename = "L3-L4")]
    L3L4,
    #[serde(rename = "L4-L5")]
    L4L5,
    #[serde(rename = "L5-S1")]
    L5S1,
    #[serde(rename = "L5-L6")]
    L5L6,
    #[serde(rename = "L6-S1")]
    L6S1,
    #[serde(rename = "S1-S2")]
    S1S2,
}

impl Level {
    /// Every level, top to bottom.
    pub const ALL: [Self; 12] = [
        Self::T9T10,
        Self::T10T11,
        Self::T11T12,
        Self::T12L1,
        Self::L1L2,
        Self::L2L3,
        Self::L3L4,
        Self::L4L5,
        Self::L5S1,
        Self::L5L6,
        Self::L6S1,
        Self::S1S2,
    ];

    /// The level above it in a spine that has it.
    pub const fn above(self) -> Option<Self> {
        Some(match self {
            Self::T9T10 => return None,
            Self::T10T11 => Self::T9T10,
            Self::T11T12 => Self::T10T11,
            Self::T12L1 => Self::T11T12,
            Self::L1L2 => Self::T12L1,
            Self::L2L3 => Self::L1L2,
            Self::L3L4 => Self::L2L3,
            Self::L4L5 => Self::L3L4,
            Self::L5S1 | Self::L5L6 => Self::L4L5,
            Self::L6S1 => Self::L5L6,
            // A spine may have five lumbar vertebrae or six.
            Self::S1S2 => Self::L5S1,
        })
    }

    /// Whether it is below a lumbar vertebra, five or six of them: what reports speak of.
    pub const fn is_lumbar(self) -> bool {
        LevelSet::LUMBAR.contains(self) || LevelSet::SIX_LUMBAR.contains(self)
    }

    /// The canonical name, such as `L4-L5`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::T9T10 => "T9-T10",
            Self::T10T11 => "T10-T11",
            Self::T11T12 => "T11-T12",
            Self::T12L1 => "T12-L1",
            Self::L1L2 => "L1-L2",
            Self::L2L3 => "L2-L3",
            Self::L3L4 => "L3-L4",
            Self::L4L5 => "L4-L5",
            Self::L5S1 => "L5-S1",
            Self::L5L6 => "L5-L6",
            Self::L6S1 => "L6-S1",
            Self::S1S2 => "S1-S2",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Level {
    type Err = UnknownName;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|level| level.name() == s)
            .ok_or_else(|| UnknownName::new("level", s, Self::ALL.iter()))
    }
}

/// A set of levels, iterated top to bottom.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct LevelSet(u16);

impl LevelSet {
    /// The set without levels.
    pub const EMPTY: Self = Self(0);

    /// `L1-L2` to `L5-S1`: what a statement about the whole lumbar spine covers (rule 5).
    pub const LUMBAR: Self = Self::EMPTY
        .with(Level::L1L2)
        .with(Level::L2L3)
        .with(Level::L3L4)
        .with(Level::L4L5)
        .with(Level::L5S1);

    /// The same with six lumbar vertebrae: `L5-L6` and `L6-S1` stand in for `L5-S1` (rule 5).
    pub const SIX_LUMBAR: Self =
        Self::LUMBAR.without(Level::L5S1).with(Level::L5L6).with(Level::L6S1);

    /// The set with `level` added.
    pub const fn with(self, level: Level) -> Self {
        Self(self.0 | 1 << level as u8)
    }

    /// The set with `level` taken out.
    pub const fn without(self, level: Level) -> Self {
        Self(self.0 & !(1 << level as u8))
    }

    /// Levels in either set.
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Levels of this set that the other lacks.
    pub const fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether `level` is in the set.
    pub const fn contains(self, level: Level) -> bool {
        self.0 & 1 << level as u8 != 0
    }

    /// Whether the set has no level.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many levels the set has.
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// The levels, top to bottom.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = Level> {
        Level::ALL.into_iter().filter(move |&level| self.contains(level))
    }
}

impl From<Level> for LevelSet {
    fn from(level: Level) -> Self {
        Self::EMPTY.with(level)
    }
}

impl FromIterator<Level> for LevelSet {
    fn from_iter<I: IntoIterator<Item = Level>>(levels: I) -> Self {
        levels.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl fmt::Debug for LevelSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Level::name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_rise_from_top_to_bottom() {
        for pair in Level::ALL.windows(2) {
            assert!(pair[0] < pair[1]);
        }
        for level in Level::ALL {
            assert_eq!(level.name().parse(), Ok(level));
        }
    }

    #[test]
    fn an_unknown_level_is_named_with_the_known_ones() {
        let error = "L7-S1".parse::<Level>().unwrap_err().to_string();
        assert!(error.contains("`L7-S1`") && error.contains("L4-L5"), "{error}");
    }

    #[test]
    fn six_lumbar_vertebrae_replace_the_lowest_disc() {
        let names: Vec<_> = LevelSet::SIX_LUMBAR.iter().map(Level::name).collect();
        assert_eq!(names, ["L1-L2", "L2-L3", "L3-L4", "L4-L5", "L5-L6", "L6-S1"]);
    }
}
