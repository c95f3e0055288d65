//! A study as people find their way in it: the spine from the side, and where its discs are on that
//! picture. Names are not part of it, since they can be corrected.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::picture::{Median, Picture, Window};
use super::spine::Column;
use super::{Mask, Volume};

/// The picture's file.
pub const IMAGE: &str = "median.png";
/// The file of what is laid over it.
pub const CONTOURS: &str = "contours.png";
const DISCS: &str = "discs.json";

/// Half the length of a disc's line in mm.
const HALF_LINE: f64 = 22.0;

/// Where discs are on the picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Discs {
    /// Pixels in a row, and rows.
    pub size: [usize; 2],
    /// A line along each disc, from the lowest up: the column and row of its front, then of its back.
    pub lines: Vec<[f64; 4]>,
}

/// The spine from the side with its discs.
#[derive(Debug, Clone)]
pub struct Overview {
    picture: Picture,
    discs: Discs,
}

impl Overview {
    /// Draws the overview of a segmented volume.
    pub fn of(volume: &Volume, parts: &Mask, column: &Column) -> Self {
        let median = Median::of(volume, column);
        let picture = median.picture(volume, parts, Window::of(volume));
        let line = |disc: &super::spine::Disc| {
            let end = |front| median.pixel(disc.frame().place(0.0, front, 0.0));
            let ((x1, y1), (x2, y2)) = (end(HALF_LINE), end(-HALF_LINE));
            [x1, y1, x2, y2].map(|at| (at * 10.0).round() / 10.0)
        };
        let lines = column.discs.iter().rev().map(line).collect();
        let discs = Discs { size: [picture.width, picture.height], lines };
        Self { picture, discs }
    }

    /// Writes it into a folder.
    ///
    /// # Errors
    /// Where the folder cannot be written to.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        fs::write(folder.join(IMAGE), &self.picture.image)?;
        fs::write(folder.join(CONTOURS), &self.picture.overlay)?;
        Ok(serde_json::to_writer(File::create(folder.join(DISCS))?, &self.discs)?)
    }
}

impl Discs {
    /// Where discs are on the picture in a folder.
    ///
    /// # Errors
    /// Where it holds no overview.
    pub fn read(folder: &Path) -> io::Result<Self> {
        Ok(serde_json::from_slice(&fs::read(folder.join(DISCS))?)?)
    }
}
