//! Segmented study to readings: what the reader `measurement` says of each disc.

use super::study::Segmented;
use crate::imaging::spine::{LevelMeasures, Named, Thresholds};
use crate::label::{
    Cell, Certainty, Evidence, ImageEvidence, Level, Opinion, Reader, ReaderKind, Target, Verdict,
};
use crate::store::{Body, NewDisc};

/// The reader in the version that a segmenter, known by its hash, and thresholds make of it.
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
    let levels = found.spine.naming.levels.iter().zip(&found.spine.measures.levels);
    let disc = |(&Named { level, .. }, measures): (&Named, &LevelMeasures)| {
        let opinion = level.map(|level| opinion(found, level, measures, thresholds));
        let opinions = opinion.into_iter().collect();
        NewDisc { level, body: Body { opinions, measures: Some(*measures), ..Body::default() } }
    };
    levels.rev().map(disc).collect()
}

fn opinion(
    found: &Segmented<'_>,
    level: Level,
    measures: &LevelMeasures,
    thresholds: &Thresholds,
) -> Opinion {
    let grade = thresholds.grade(measures);
    Opinion {
        cell: Cell { level, target: Target::Central },
        verdict: grade.map_or(Verdict::Unassessable, Verdict::Graded),
        certainty: Certainty::Stated,
        conflict: false,
        distribution: None,
        doubt: None,
        evidence: Evidence::Image(evidence(found, measures)),
    }
}

/// The slice through the middle of the canal, and the canal on it, where it is narrowest.
fn evidence(found: &Segmented<'_>, measures: &LevelMeasures) -> ImageEvidence {
    let protocol = &found.series.protocol;
    let series = protocol.series.clone().unwrap_or_else(|| found.series.name.clone());
    let Some(section) = measures.narrowest.or(measures.canal) else {
        return ImageEvidence { series, slice: 0, bounds: [0; 4] };
    };
    let geometry = &found.volume.geometry;
    let [column, row, slice] = geometry.to_voxel(section.centre);
    let [across, down, _] = geometry.spacing();
    let half = section.ap / 2.0;
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
