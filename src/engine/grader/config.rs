//! The shape of a grader, and what it looks at.

use std::collections::BTreeSet;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::label::{Grade, LADDER, StenosisType, Target, UnknownName};

/// The shape of a network, what its pixels are, and what its answers are called.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Which crops it looks at.
    pub inputs: Inputs,
    /// What it grades, in the order of its heads.
    pub types: Vec<StenosisType>,
    /// The grades that it tells apart.
    pub grades: Vec<Grade>,
    /// How a head tells them apart.
    pub scale: Scale,
    /// What it sees of axial crops.
    pub axial: AxialConfig,
    /// What it sees of sagittal crops.
    pub sagittal: SagittalConfig,
    /// Features that each kind of crop is summed up in.
    pub features: i64,
    /// Whether it looks at the levels above and below too.
    #[serde(default)]
    pub context: bool,
    /// Whether each stenosis type is seen by branches of its own, which learn it alone.
    #[serde(default)]
    pub single_task: bool,
}

/// What is seen of axial crops.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AxialConfig {
    /// The width of a pixel in mm.
    pub pixel: f64,
    /// Pixels on a side.
    pub side: i64,
    /// Slices.
    pub slices: i64,
    /// How far they are apart in mm.
    pub apart: f64,
    /// Channels at half, quarter, ... of the resolution.
    pub widths: Vec<i64>,
}

/// What is seen of sagittal crops.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SagittalConfig {
    /// The width of a pixel in mm.
    pub pixel: f64,
    /// Rows.
    pub height: i64,
    /// Columns.
    pub width: i64,
    /// Slices.
    pub slices: i64,
    /// How far they are apart in mm.
    pub apart: f64,
    /// Channels at a quarter, an eighth, ... of the resolution.
    pub widths: Vec<i64>,
}

/// Which crops a network looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Inputs {
    /// Axial T2 alone.
    Axial,
    /// Sagittal T2 and T1.
    Sagittal,
    /// All of them.
    Both,
}

impl Inputs {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::Axial, Self::Sagittal, Self::Both];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Axial => "axial",
            Self::Sagittal => "sagittal",
            Self::Both => "both",
        }
    }

    /// Whether axial crops are looked at.
    pub const fn axial(self) -> bool {
        !matches!(self, Self::Sagittal)
    }

    /// Whether sagittal crops are looked at.
    pub const fn sagittal(self) -> bool {
        !matches!(self, Self::Axial)
    }
}

impl FromStr for Inputs {
    type Err = UnknownName;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let known = || Self::ALL.iter().map(|inputs| inputs.name());
        let found = Self::ALL.into_iter().find(|inputs| inputs.name() == s);
        found.ok_or_else(|| UnknownName::new("choice of crops", s, known()))
    }
}

/// How a head tells grades apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// A score for each grade.
    Categories,
    /// One score, and bounds between the grades on its line (McCullagh 1980).
    Ordered,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            inputs: Inputs::Both,
            types: StenosisType::ALL.into(),
            grades: LADDER.into(),
            scale: Scale::Categories,
            axial: AxialConfig {
                pixel: 0.6,
                side: 112,
                slices: 8,
                apart: 3.0,
                widths: vec![24, 48, 64, 96],
            },
            sagittal: SagittalConfig {
                pixel: 0.75,
                height: 96,
                width: 64,
                slices: 13,
                apart: 4.0,
                widths: vec![32, 64, 96],
            },
            features: 96,
            context: false,
            single_task: false,
        }
    }
}

impl Config {
    /// Its file in a model's folder.
    pub const FILE: &str = "config.json";

    /// The targets that it grades, type by type.
    pub fn targets(&self) -> impl Iterator<Item = Target> {
        self.types.iter().flat_map(|&of| Target::of(of, None))
    }

    /// What is impossible about it, if anything is.
    pub(super) fn impossible(&self) -> Option<&'static str> {
        let (axial, sagittal) = (&self.axial, &self.sagittal);
        let lengths = [axial.pixel, axial.apart, sagittal.pixel, sagittal.apart];
        let counts = [
            axial.side,
            axial.slices,
            sagittal.height,
            sagittal.width,
            sagittal.slices,
            self.features,
        ];
        let widths = [&axial.widths, &sagittal.widths];
        let is_width = |width: &i64| (1..=4096).contains(width);
        let types: BTreeSet<_> = self.types.iter().collect();
        if self.grades != LADDER {
            return Some("it tells other grades apart than normal, mild, moderate and severe");
        }
        if types.is_empty() || types.len() < self.types.len() {
            return Some("it grades nothing, or the same thing twice");
        }
        if !lengths.iter().all(|length| length.is_finite() && (0.01..100.0).contains(length)) {
            return Some("its pixels or slices have no possible distance");
        }
        if !counts.iter().all(|count| (1..=4096).contains(count)) {
            return Some("it sees nothing");
        }
        let deep = |widths: &Vec<i64>| (1..=8).contains(&widths.len());
        if !widths.iter().all(|widths| deep(widths) && widths.iter().all(is_width)) {
            return Some("it has no possible layers");
        }
        if [axial.side, sagittal.height, sagittal.width].iter().any(|side| side % 2 > 0) {
            return Some("what it sees has an odd number of pixels");
        }
        None
    }
}
