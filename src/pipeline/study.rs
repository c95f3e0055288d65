//! Study to spine: the image half of the main job on one page.

use std::collections::BTreeMap;
use std::time::Instant;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::grading::TargetGrade;
use crate::engine::grader::{Calibration, Grader};
use crate::imaging::crop::{Cut, Sources, middles};
use crate::imaging::geometry::Lps;
use crate::imaging::spine::{
    BodyMeasures, Candidate, LevelMeasures, Part, Spine, Thresholds, parts,
};
use crate::imaging::{Kind, Mask, Series, Study, Volume};
use crate::label::{Grade, Level};

/// What was made of a study.
#[derive(Debug)]
pub struct Segmented<'a> {
    /// The series that was read.
    pub series: &'a Series,
    /// Its largest volume.
    pub volume: &'a Volume,
    /// The number of the part that each voxel belongs to, as [`Part`] has them.
    pub parts: Mask,
    /// The spine.
    pub spine: Spine,
    /// Seconds that finding the tissues took, and what came after it.
    pub seconds: [f64; 2],
}

/// Why nothing was made of a study.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what each is")]
pub enum Declined {
    #[error("it has no sagittal series that can be read{}", .series.join(""))]
    NoSagittal { series: Vec<String> },
    #[error("no spine was found on `{series}`: too little of discs and vertebrae")]
    NoSpine { series: String },
}

impl Declined {
    /// A study without a series to read, and why each that it has is not read.
    fn no_sagittal(study: &Study) -> Self {
        let why = |series: &Series| format!("; `{}` is not used: {}", series.name, series.reason);
        Self::NoSagittal { series: study.series.iter().map(why).collect() }
    }
}

/// Finds, names and measures the levels of a study on its sagittal T2 series, else on its sagittal T1
/// series. `tissues` tells the tissue of each voxel of its largest volume, and the seconds that it took.
///
/// # Errors
/// Where there is no such series, or no spine on it.
pub fn segment(
    study: &Study,
    tissues: impl FnOnce(&Volume) -> (Mask, f64),
) -> Result<Segmented<'_>, Declined> {
    let series = sagittal(study).ok_or_else(|| Declined::no_sagittal(study))?;
    let volume = &series.stacks[0].volume;
    let (tissues, through) = tissues(volume);
    let begun = Instant::now();
    let spine = Spine::of(&tissues);
    let spine = spine.ok_or_else(|| Declined::NoSpine { series: series.name.clone() })?;
    let parts = parts(&tissues, &spine.column);
    let seconds = [through, begun.elapsed().as_secs_f64()];
    Ok(Segmented { series, volume, parts, spine, seconds })
}

/// Cuts the levels out of all series of a study that was segmented, from the lowest up: the first is
/// that of ordinal 1.
pub fn cut(study: &Study, found: &Segmented<'_>) -> Vec<Cut> {
    let Spine { column, measures, .. } = &found.spine;
    let sources = Sources::of(study, found.series.protocol.frame_of_reference.as_deref());
    middles(column, measures).par_iter().rev().map(|middle| sources.cut(middle)).collect()
}

/// The series that shows most: T2 before T1, then the one with most slices.
fn sagittal(study: &Study) -> Option<&Series> {
    [Kind::SagittalT2, Kind::SagittalT1].into_iter().find_map(|kind| {
        let of_kind = study.series.iter().filter(|series| series.kind == kind);
        of_kind.max_by_key(|series| series.stacks[0].volume.geometry.count())
    })
}

/// A study as `study.json` has it. Places and directions are in mm to the patient's left, to the
/// back and up.
#[derive(Debug, Serialize)]
pub struct Record {
    /// The program's version.
    pub program: &'static str,
    /// What the study is called.
    pub study: String,
    /// The file or folder that it was read from.
    pub path: String,
    /// The folder of masks that stood in place of the network's, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub masks: Option<String>,
    /// Whether each slice was read from both sides of a mirror.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub mirrored: bool,
    /// Its StudyInstanceUID, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub study_uid: Option<String>,
    /// All its series.
    pub series: Vec<SeriesRecord>,
    /// Files that gave nothing.
    pub refused: Vec<RefusalRecord>,
    /// The SHA-256 of the network that found vertebrae, discs and canal; none where a mask was given.
    pub segmenter: Option<String>,
    /// From head to foot.
    pub levels: Vec<LevelRecord>,
    /// From which area of the dural sac on a level is of which grade.
    pub thresholds: Thresholds,
    /// The network that graded it, where one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grader: Option<GraderRecord>,
    /// The angle between the discs T12-L1 and L5-S1 in degrees.
    pub lordosis: Option<f64>,
    /// All ways to name the levels, the likeliest first.
    pub candidates: Vec<Candidate>,
    /// What makes the names doubtful.
    pub doubts: Vec<String>,
    /// Whether a person should look at the names.
    pub needs_a_person: bool,
    /// Seconds that the parts took.
    pub seconds: Seconds,
}

/// Where a study is from, and how its tissues were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// What it is called.
    pub study: String,
    /// The file or folder that it was read from.
    pub path: String,
    /// The folder of masks that stood in place of the network's, where there was one.
    pub masks: Option<String>,
    /// Whether each slice was read from both sides of a mirror.
    pub mirrored: bool,
}

/// A series of a study.
#[derive(Debug, Serialize)]
pub struct SeriesRecord {
    /// Its name.
    pub name: String,
    /// What it is good for.
    pub kind: Kind,
    /// Why it is taken for that.
    pub reason: String,
    /// Slices of its largest volume.
    pub slices: usize,
    /// Whether it was segmented.
    pub segmented: bool,
    /// What was noticed.
    pub notes: Vec<String>,
}

/// A file that gave nothing.
#[derive(Debug, Serialize)]
pub struct RefusalRecord {
    /// The file.
    pub file: String,
    /// Why.
    pub reason: String,
}

/// A level.
#[derive(Debug, Serialize)]
pub struct LevelRecord {
    /// Its place, 1 for the lowest disc, which does not change with its name.
    pub ordinal: usize,
    /// Its name; none above T9-T10.
    pub level: Option<Level>,
    /// How probably it is called so.
    pub confidence: f64,
    /// Whether its disc is in the mask, or was inferred from its neighbours.
    pub disc_seen: bool,
    /// The middle of its disc.
    pub centre: Lps,
    /// The normal of its disc, to the feet.
    pub down: Lps,
    /// Its number in the mask.
    pub part: u8,
    /// The grade of central stenosis that its least area means; none where that is not known.
    pub central: Option<Grade>,
    /// What was measured at it.
    #[serde(flatten)]
    pub measures: LevelMeasures,
    /// What was measured on the body above it.
    pub body_above: BodyMeasures,
    /// How much of the middle of each slice of its crops the images cover, where it was cut out.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub covered: BTreeMap<Kind, Vec<f32>>,
    /// How the network grades it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub grades: Vec<TargetGrade>,
}

/// The network that graded a study.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GraderRecord {
    /// SHA-256 of its configuration, weights and calibration.
    pub content_hash: String,
    /// How often its sets of grades hold the truth on what it was calibrated on.
    pub coverage: f64,
}

impl GraderRecord {
    /// The record of a grader whose sets have the coverage at this place.
    pub fn new(grader: &Grader, coverage: usize) -> Self {
        let content_hash = grader.content_hash().to_owned();
        Self { content_hash, coverage: Calibration::COVERAGES[coverage] }
    }
}

/// Seconds that the parts took.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Seconds {
    /// Reading files.
    pub read: f64,
    /// The network, or the mask that was given.
    pub network: f64,
    /// Curve, names and measures.
    pub spine: f64,
    /// Cutting the levels out of all series, where they were cut out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crops: Option<f64>,
    /// Grading, where it was graded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grader: Option<f64>,
}

impl Record {
    /// The record of a study that was read in so many seconds, and segmented by the network of that
    /// content hash, if by one.
    pub fn new(
        origin: Origin,
        study: &Study,
        (found, segmenter): (&Segmented<'_>, Option<&str>),
        thresholds: Thresholds,
        read: f64,
    ) -> Self {
        let Spine { column, measures, naming } = &found.spine;
        let count = column.discs.len();
        let levels = (0..count).map(|place| LevelRecord {
            ordinal: count - place,
            level: naming.levels[place].level,
            confidence: naming.levels[place].confidence,
            disc_seen: column.discs[place].seen > 0.0,
            centre: column.discs[place].centre,
            down: column.discs[place].down,
            part: Part::Disc((count - place) as u8).number(),
            central: thresholds.grade(&measures.levels[place]),
            measures: measures.levels[place],
            body_above: measures.bodies[place],
            covered: BTreeMap::new(),
            grades: Vec::new(),
        });
        Self {
            program: env!("CARGO_PKG_VERSION"),
            study: origin.study,
            path: origin.path,
            masks: origin.masks,
            mirrored: origin.mirrored,
            study_uid: found.series.protocol.study.clone(),
            segmenter: segmenter.map(str::to_owned),
            grader: None,
            series: study.series.iter().map(|series| series_record(series, found)).collect(),
            refused: study
                .refused
                .iter()
                .map(|refusal| RefusalRecord {
                    file: refusal.file.clone(),
                    reason: refusal.reason.to_string(),
                })
                .collect(),
            levels: levels.collect(),
            thresholds,
            lordosis: found.spine.lordosis(),
            candidates: naming.candidates.clone(),
            doubts: naming.doubts.iter().map(ToString::to_string).collect(),
            needs_a_person: naming.needs_a_person(),
            seconds: Seconds {
                read,
                network: found.seconds[0],
                spine: found.seconds[1],
                crops: None,
                grader: None,
            },
        }
    }

    /// Tells how far images cover the segments of its levels, from the lowest up.
    pub fn tell_of(&mut self, cuts: &[Cut]) {
        for (level, cut) in self.levels.iter_mut().rev().zip(cuts) {
            level.covered.clone_from(&cut.covered);
        }
    }
}

impl Record {
    /// Tells how its levels are graded, from the lowest up.
    pub fn tell_grades(&mut self, grades: &[Vec<TargetGrade>], grader: GraderRecord) {
        self.grader = Some(grader);
        for (level, grades) in self.levels.iter_mut().rev().zip(grades) {
            level.grades.clone_from(grades);
        }
    }
}

fn series_record(series: &Series, found: &Segmented<'_>) -> SeriesRecord {
    let largest = series.stacks.first();
    let notes = series.notes.iter().chain(series.stacks.iter().flat_map(|stack| &stack.notes));
    SeriesRecord {
        name: series.name.clone(),
        kind: series.kind,
        reason: series.reason.clone(),
        slices: largest.map_or(0, |stack| stack.slices.len()),
        segmented: std::ptr::eq(series, found.series),
        notes: notes.map(ToString::to_string).collect(),
    }
}
