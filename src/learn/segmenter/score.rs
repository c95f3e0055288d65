//! How well a segmenter finds tissues in subjects whose masks are known.

use serde::Serialize;

use super::Subject;
use crate::engine::unet::Segmenter;
use crate::imaging::geometry::{length, minus};
use crate::imaging::picture::errors;
use crate::imaging::spine::Spine;
use crate::imaging::{Mask, Tissue};
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
    /// How well its levels were found and measured.
    pub levels: LevelScore,
    /// The number of the slice with most wrong pixels.
    pub worst_slice: i64,
    /// That slice with what is wrong on it, as PNG.
    #[serde(skip)]
    pub worst: Vec<u8>,
}

/// How well levels are found and measured on a mask, against the reference mask.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct LevelScore {
    /// Discs that the reference mask shows.
    pub discs: usize,
    /// Those that were found within [`LevelScore::NEAR`] mm.
    pub found: usize,
    /// Those that are called the same.
    pub named: usize,
    /// Whether a person is asked to look at the names.
    pub needs_a_person: bool,
    /// How far the canal's AP diameters behind the found discs differ, in mm.
    pub canal_ap: Vec<f64>,
}

impl LevelScore {
    /// A disc that is found further away than this, in mm, is another one.
    pub const NEAR: f64 = 8.0;

    fn of(found: &Mask, reference: &Mask) -> Self {
        let Some(reference) = Spine::of(reference) else { return Self::default() };
        let mut score = Self { discs: reference.column.discs.len(), ..Self::default() };
        let Some(found) = Spine::of(found) else { return score };
        score.needs_a_person = found.naming.needs_a_person();
        for (place, disc) in reference.column.discs.iter().enumerate() {
            let away = |other: usize| length(minus(found.column.discs[other].centre, disc.centre));
            let nearest =
                (0..found.column.discs.len()).min_by(|&a, &b| away(a).total_cmp(&away(b)));
            let Some(nearest) = nearest.filter(|&nearest| away(nearest) <= Self::NEAR) else {
                continue;
            };
            score.found += 1;
            let level = |spine: &Spine, place: usize| spine.naming.levels[place].level;
            score.named += usize::from(level(&found, nearest) == level(&reference, place));
            let ap = |spine: &Spine, place: usize| {
                spine.measures.levels[place].canal.map(|canal| canal.ap)
            };
            let differ = ap(&found, nearest).zip(ap(&reference, place));
            score.canal_ap.extend(differ.map(|(found, reference)| (found - reference).abs()));
        }
        score
    }
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
        let wrong = |k: &usize| {
            let pairs = found.slice(*k).iter().zip(reference.slice(*k));
            pairs.filter(|(found, is)| found != is).count()
        };
        let worst = (0..subject.slices.len()).max_by_key(wrong).unwrap_or(0);
        Self {
            worst_slice: subject.slices[worst].number,
            worst: errors(&volume, &found, &reference, worst),
            subject: subject.name.clone(),
            slices: subject.slices.len(),
            tissues: tissues.into(),
            levels: LevelScore::of(&found, &reference),
        }
    }
}
