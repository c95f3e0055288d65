//! How far people have settled a label.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::UnknownName;

/// How far people have settled the label of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Only machine readers have read the text.
    Machine,
    /// People have read it and agree in every cell; one person agrees with herself.
    Agreed,
    /// People differ, or the text was changed after they had read it.
    ToAdjudicate,
    /// An adjudicator has settled it.
    Adjudicated,
}

impl Status {
    /// Every status, from open to settled.
    pub const ALL: [Self; 4] = [Self::Machine, Self::Agreed, Self::ToAdjudicate, Self::Adjudicated];

    /// The name in files and queries, such as `to_adjudicate`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Machine => "machine",
            Self::Agreed => "agreed",
            Self::ToAdjudicate => "to_adjudicate",
            Self::Adjudicated => "adjudicated",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Status {
    type Err = UnknownName;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|status| status.name() == s)
            .ok_or_else(|| UnknownName::new("status", s, Self::ALL.iter()))
    }
}
