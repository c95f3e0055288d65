//! How well a segmenter finds tissues in subjects whose masks are known.

use serde::Serialize;

use super::Subject;
use crate::engine::unet::Segmenter;
use crate::imaging::Tissue;
use crate::learn::{Outlines, Overlap};

/// How well a subject was segmented.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SubjectScore {
    /// Who.
    pub subject: String,
    /// How many slices there are.
    pub slices: usize,
    /// Of each tissue.
    pub tissues: Vec<TissueScore>,
}

/// How well a tissue was found, over all slices of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TissueScore {
    /// Which.
    pub tissue: Tissue,
    /// The Dice coefficient; none where neither mask has it.
    pub dice: Option<f64>,
    /// The distance in mm within which 95 % of outline pixels are, in the plane of the slices.
    pub hausdorff95: Option<f64>,
}

impl SubjectScore {
    /// Segments a subject's slices, whose pixels are `pixel` mm wide and which are `apart` mm apart
    /// a number, and scores what was found. `sliced` is told of slices done.
    pub fn of(
        segmenter: &Segmenter,
        subject: &Subject,
        pixel: f64,
        apart: f64,
        sliced: impl FnMut(usize),
    ) -> Self {
        let (volume, reference) = subject.volumes(pixel, apart);
        let found = segmenter.segment(&volume, sliced);
        let mut overlap = Overlap::default();
        overlap.add(&found.values, &reference.values);
        let tissues = Tissue::FOREGROUND.map(|tissue| TissueScore {
            tissue,
            dice: overlap.dice(tissue),
            hausdorff95: Outlines::of(&found, &reference, tissue).quantile(0.95),
        });
        Self {
            subject: subject.name.clone(),
            slices: subject.slices.len(),
            tissues: tissues.into(),
        }
    }
}
