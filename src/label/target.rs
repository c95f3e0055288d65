//! Stenosis types, sides, and the one table of targets.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Level, UnknownName};

/// Where the narrowing is: the spinal canal, a neural foramen, or a lateral recess.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StenosisType {
    /// The spinal canal.
    Central,
    /// A neural (intervertebral) foramen.
    Foraminal,
    /// A lateral or subarticular recess.
    Recess,
}

impl StenosisType {
    /// Every type.
    pub const ALL: [Self; 3] = [Self::Central, Self::Foraminal, Self::Recess];

    /// The name in files, such as `foraminal`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Central => "central",
            Self::Foraminal => "foraminal",
            Self::Recess => "recess",
        }
    }
}

impl fmt::Display for StenosisType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for StenosisType {
    type Err = UnknownName;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|of| of.name() == s)
            .ok_or_else(|| UnknownName::new("stenosis type", s, Self::ALL.iter()))
    }
}

/// The patient's left or right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the variants say all")]
pub enum Side {
    Left,
    Right,
}

/// A stenosis type and its side: what one cell of a level is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
#[allow(missing_docs, reason = "the rows of `TARGETS` say what they are")]
pub enum Target {
    Central,
    ForaminalLeft,
    ForaminalRight,
    RecessLeft,
    RecessRight,
}

/// One row of the table of targets.
#[derive(Debug)]
pub struct TargetRow {
    /// The target that the row describes.
    pub target: Target,
    /// Its name in files and on the command line.
    pub name: &'static str,
    /// Its heading in narrow grids.
    pub short: &'static str,
    /// Its condition in tables of the RSNA 2024 lumbar spine challenge.
    pub rsna: &'static str,
    /// The stenosis type.
    pub stenosis: StenosisType,
    /// The side, where the type has sides.
    pub side: Option<Side>,
}

/// Every target in the order of columns, facets, forms and network heads, which all derive
/// from this table.
pub const TARGETS: [TargetRow; 5] = {
    use Side::{Left, Right};
    use StenosisType::{Central, Foraminal, Recess};
    const fn row(
        target: Target,
        name: &'static str,
        short: &'static str,
        rsna: &'static str,
        stenosis: StenosisType,
        side: Option<Side>,
    ) -> TargetRow {
        TargetRow { target, name, short, rsna, stenosis, side }
    }
    use Target::{
        Central as C, ForaminalLeft as FL, ForaminalRight as FR, RecessLeft as RL,
        RecessRight as RR,
    };
    [
        row(C, "central", "Central", "spinal_canal_stenosis", Central, None),
        row(
            FL,
            "foraminal_left",
            "Foramen L",
            "left_neural_foraminal_narrowing",
            Foraminal,
            Some(Left),
        ),
        row(
            FR,
            "foraminal_right",
            "Foramen R",
            "right_neural_foraminal_narrowing",
            Foraminal,
            Some(Right),
        ),
        row(RL, "recess_left", "Recess L", "left_subarticular_stenosis", Recess, Some(Left)),
        row(RR, "recess_right", "Recess R", "right_subarticular_stenosis", Recess, Some(Right)),
    ]
};

impl Target {
    /// Every target in the order of the table.
    pub const ALL: [Self; TARGETS.len()] = {
        let mut all = [Self::Central; TARGETS.len()];
        let mut i = 0;
        while i < TARGETS.len() {
            all[i] = TARGETS[i].target;
            i += 1;
        }
        all
    };

    /// The row of [`TARGETS`] that describes this target.
    pub const fn row(self) -> &'static TargetRow {
        &TARGETS[self as usize]
    }

    /// The name in files, such as `foraminal_left`.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// The targets of a stenosis type: both sides, or only `side` where one is given and the
    /// type has sides.
    pub fn of(stenosis: StenosisType, side: Option<Side>) -> impl Iterator<Item = Self> {
        TARGETS
            .iter()
            .filter(move |row| {
                row.stenosis == stenosis
                    && (row.side.is_none() || side.is_none() || row.side == side)
            })
            .map(|row| row.target)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Target {
    type Err = UnknownName;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|target| target.name() == s)
            .ok_or_else(|| UnknownName::new("target", s, Self::ALL.iter()))
    }
}

/// What one label fills: a level and a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Cell {
    /// The disc level.
    pub level: Level,
    /// The stenosis type and side.
    pub target: Target,
}

impl Cell {
    /// How many cells there are.
    pub const COUNT: usize = Level::ALL.len() * TARGETS.len();

    /// Every cell, level by level from top to bottom.
    pub fn all() -> impl Iterator<Item = Self> {
        Level::ALL
            .into_iter()
            .flat_map(|level| Target::ALL.into_iter().map(move |target| Self { level, target }))
    }

    /// A number below [`Self::COUNT`], rising with level, then target.
    pub const fn index(self) -> usize {
        self.level as usize * TARGETS.len() + self.target as usize
    }
}

/// `L4-L5/foraminal_left`, the form used in lists of cells.
impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.level, self.target)
    }
}

impl FromStr for Cell {
    type Err = UnknownName;

    /// Also with a dot between level and target, as queries have it.
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let (level, target) = s.split_once(['/', '.']).unwrap_or((s, ""));
        Ok(Self { level: level.parse()?, target: target.parse()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_stands_at_its_own_place() {
        for (i, row) in TARGETS.iter().enumerate() {
            assert_eq!(row.target as usize, i);
            assert_eq!(row.name.parse(), Ok(row.target));
        }
    }

    #[test]
    fn a_type_without_a_side_means_both_sides() {
        let both: Vec<_> = Target::of(StenosisType::Recess, None).collect();
        assert_eq!(both, [Target::RecessLeft, Target::RecessRight]);
        let one: Vec<_> = Target::of(StenosisType::Foraminal, Some(Side::Right)).collect();
        assert_eq!(one, [Target::ForaminalRight]);
        let central: Vec<_> = Target::of(StenosisType::Central, Some(Side::Left)).collect();
        assert_eq!(central, [Target::Central]);
    }

    #[test]
    fn a_cell_is_written_as_in_lists_or_as_in_queries() {
        let cell = Cell { level: Level::L4L5, target: Target::ForaminalLeft };
        assert_eq!(cell.to_string().parse(), Ok(cell));
        assert_eq!("L4-L5.foraminal_left".parse(), Ok(cell));
        let error = "L9-L5.central".parse::<Cell>().unwrap_err().to_string();
        assert!(error.starts_with("`L9-L5` is not a level"), "{error}");
    }

    #[test]
    fn cells_are_numbered_without_gaps() {
        let indices: Vec<_> = Cell::all().map(Cell::index).collect();
        assert_eq!(indices, (0..Cell::COUNT).collect::<Vec<_>>());
    }
}
