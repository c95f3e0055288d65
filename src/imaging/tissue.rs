//! What a voxel of a mask can be.

use serde::{Deserialize, Serialize};

/// A tissue that the segmenter tells apart. Its number in masks is its place here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tissue {
    /// Everything else, the sacrum too.
    Background,
    /// A vertebra, its body and its posterior elements.
    Vertebra,
    /// An intervertebral disc.
    Disc,
    /// The spinal canal.
    Canal,
}

impl Tissue {
    /// All, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Background, Self::Vertebra, Self::Disc, Self::Canal];

    /// All but the background.
    pub const FOREGROUND: [Self; 3] = [Self::Vertebra, Self::Disc, Self::Canal];

    /// Its number in masks.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Its name in tables and files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Background => "background",
            Self::Vertebra => "vertebra",
            Self::Disc => "disc",
            Self::Canal => "canal",
        }
    }
}
