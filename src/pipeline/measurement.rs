//! Segmented study to readings: what the reader `measurement` says of each disc.

use super::study::Segmented;
use crate::imaging::spine::{Spine, Thresholds};
use crate::label::{
    Cell, Certainty, Evidence, ImageEvidence, Level, Opinion, Reader, ReaderKind, Target, Verdict,
};
use crate::store::{Body, NewDisc};

/// The reader in the version that thresholds and a segmenter make of it, the segmenter known by its
/// hash, or by what stands in its place.
pub fn measurement_reader(segmenter: &str, thresholds: &Thresholds) -> Reader {
    let Thresholds { normal, mild, moderate } = thresholds;
    Reader {
        kind: ReaderKind::Measurement,
        name: ReaderKind::Measurement.name().to_owned(),
        version: format!(
            "{} ({}, mm² {normal}/{mild}/{moderate})",
            env!("CARGO_PKG_VERSION"),
            segmenter.get(..8).unwrap_or(segmenter)
        ),
        content_hash: segmenter.to_owned(),
    }
}

/// What it reads at each disc, from the lowest up. Above the levels that have a name there is nothing
/// but measures.
pub fn measured_discs(found: &Segmented<'_>, thresholds: &Thresholds) -> Vec<NewDisc> {
    let Spine { column, measures, naming } = &found.spine;
    let read = |place: usize| {
        let (level, measures) = (naming.levels[place].level, measures.levels[place]);
        let opinion = level.map(|level| opinion(found, place, level, thresholds));
        let opinions = opinion.into_iter().collect();
        let probability = level.map(|_| naming.levels[place].confidence);
        NewDisc {
            level,
            probability,
            centre: column.discs[place].centre,
            body: Body { opinions, measures: Some(measures), ..Body::default() },
        }
    };
    (0..column.discs.len()).rev().map(read).collect()
}

fn opinion(found: &Segmented<'_>, place: usize, level: Level, thresholds: &Thresholds) -> Opinion {
    let grade = thresholds.grade(&found.spine.measures.levels[place]);
    Opinion {
        cell: Cell { level, target: Target::Central },
        verdict: grade.map_or(Verdict::Unassessable, Verdict::Graded),
        certainty: Certainty::Stated,
        conflict: false,
        distribution: None,
        doubt: None,
        evidence: Evidence::Image(evidence(found, place)),
    }
}

/// The slice through the middle of the canal, and the canal on it, where it is narrowest; the middle of
/// the disc where no canal was found.
fn evidence(found: &Segmented<'_>, place: usize) -> ImageEvidence {
    let disc = &found.spine.column.discs[place];
    let measures = &found.spine.measures.levels[place];
    let protocol = &found.series.protocol;
    let series = protocol.series.clone().unwrap_or_else(|| found.series.name.clone());
    let section = measures.narrowest.or(measures.canal);
    let (centre, ap) = section.map_or((disc.centre, 0.0), |section| (section.centre, section.ap));
    let geometry = &found.volume.geometry;
    let [column, row, slice] = geometry.to_voxel(centre);
    let [across, down, _] = geometry.spacing();
    let half = ap / 2.0;
    let bound = |at: f64, half: f64, count: usize| {
        (at + half).round().clamp(0.0, count as f64 - 1.0) as u32
    };
    let [width, height, count] = geometry.size;
    ImageEvidence {
        series,
        slice: bound(slice, 0.0, count),
        bounds: [
            bound(column, -half / across, width),
            bound(row, -half / down, height),
            bound(column, half / across, width),
            bound(row, half / down, height),
        ],
    }
}
