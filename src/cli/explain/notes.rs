//! What a text says beside stenosis, in words for a page.

use crate::extract::{Extraction, Measurement, Mention, Quantity};
use crate::label::{Certainty, Side};
use crate::page::Note;

pub(super) fn mentions(extraction: &Extraction) -> Vec<Note> {
    extraction
        .mentions
        .iter()
        .map(|mention| Note {
            what: mentioned(mention),
            level: mention.level,
            negated: mention.negated,
            certainty: mention.certainty,
            span: mention.span,
        })
        .collect()
}

/// `listhesis 1`, `protrusion, left`.
fn mentioned(mention: &Mention) -> String {
    let mut what = mention.finding.name().replace('_', " ");
    if let Some(class) = mention.class {
        what.push_str(&format!(" {class}"));
    }
    match mention.side {
        Some(Side::Left) => what.push_str(", left"),
        Some(Side::Right) => what.push_str(", right"),
        None => {}
    }
    what
}

pub(super) fn measurements(extraction: &Extraction) -> Vec<Note> {
    extraction
        .measurements
        .iter()
        .map(|measurement| Note {
            what: measured(measurement),
            level: measurement.level,
            negated: false,
            certainty: Certainty::Stated,
            span: measurement.span,
        })
        .collect()
}

/// `canal diameter 9 mm`.
fn measured(measurement: &Measurement) -> String {
    let (what, unit) = match measurement.quantity {
        Quantity::CanalDiameter => ("canal diameter", "mm"),
        Quantity::SacDiameter => ("thecal sac diameter", "mm"),
        Quantity::SacArea => ("cross-sectional area", "mm²"),
    };
    format!("{what} {} {unit}", measurement.value)
}
