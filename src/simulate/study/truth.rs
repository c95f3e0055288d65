//! What is true of a simulated study.

use std::collections::BTreeMap;

use serde::Serialize;

use super::narrowing::Causes;
use super::{Variant, report::Grades};
use crate::imaging::geometry::Lps;
use crate::label::{Grade, Level, Target};

/// What is true of a study.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Truth {
    /// Its StudyInstanceUID.
    pub study_uid: String,
    /// Its accession number.
    pub accession: String,
    /// The patient's id.
    pub patient: String,
    /// How many lumbar vertebrae there are.
    pub variant: Variant,
    /// How far the column is bent to the left, in mm.
    pub bent_left_mm: f64,
    /// Whether there are screws.
    pub metal: bool,
    /// How axial slices lie; none where there are none.
    pub axial: Option<Axial>,
    /// The lumbar levels, from head to foot.
    pub levels: Vec<TrueLevel>,
}

/// How axial slices lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Axial {
    /// In one stack.
    Straight,
    /// A stack along each disc.
    Angled,
}

/// What is true of a level. Sides are left and right.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrueLevel {
    /// Its name.
    pub level: Level,
    /// Which disc it is, from the lowest, 1, up.
    pub ordinal: usize,
    /// The middle of the posterior edge of its disc, in patient mm.
    pub centre: Lps,
    /// To the feet, normal to the disc.
    pub down: Lps,
    /// Its cells by target.
    pub cells: BTreeMap<&'static str, TrueCell>,
    /// The area of the dural sac in mm², where it is narrowest, normal to the curve.
    pub sac_area: f64,
    /// From the front to the back, and from right to left.
    pub sac_size: [f64; 2],
    /// The depth of the recesses in mm.
    pub recess_depth: [f64; 2],
    /// The height and depth of the foramina in mm.
    pub foramen_size: [[f64; 2]; 2],
    /// The height of the disc in mm, in its middle.
    pub disc_height: f64,
    /// How worn the disc is, 0 to 1.
    pub worn: f64,
    /// Modic type of its endplates, 0 for none.
    pub modic: u8,
    /// How far the vertebra above has slipped to the front, in mm.
    pub slip: f64,
    /// Whether its laminae were taken away.
    pub laminectomy: bool,
    /// What narrows it, as shares.
    pub(super) causes: Causes,
}

/// What is true of a cell, and what was made of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TrueCell {
    /// How severe it is: from 1 on mild, from 2 moderate, from 3 to 4 severe.
    pub severity: f64,
    /// The grade that this is.
    pub grade: Grade,
    /// What a second reader of the images calls it.
    pub second_reader: Grade,
    /// What the report calls it, if it speaks of it.
    pub reported: Option<Grade>,
    /// Whether the report was made to say what is not so.
    pub planted: bool,
}

impl TrueLevel {
    /// A cell of it.
    pub fn cell(&self, target: Target) -> TrueCell {
        self.cells[target.name()]
    }

    /// The grades of its cells, in the order of targets.
    pub fn grades(&self) -> Grades {
        Target::ALL.map(|target| self.cell(target).grade)
    }
}
