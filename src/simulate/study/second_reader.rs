//! Another radiologist, who sees what is there about as well as radiologists do.
//!
//! This fixes how difficult simulated studies are before any network sees them: where a second reader
//! disagrees, no reader need be right. Published weighted κ between readers: without criteria laid down
//! before, 0.73 for the canal, 0.58 for foramina and 0.49 for recesses (Lurie et al. 2008, Spine
//! 33:1605); with criteria, more than 0.8 for the canal (Ko et al. 2020, PLoS One 15:e0233633, for
//! those of Schizas and of Lee) and 0.9 for foramina (Lee et al. 2010, AJR 194:1095). The truth here is
//! such criteria, so the reader stands between both.

use fastrand::Rng;

use super::narrowing::{WORST, grade};
use crate::label::{Grade, StenosisType, Target};
use crate::simulate::normal;

/// How a severity is misread, in grades.
struct Difficulty {
    stenosis: StenosisType,
    /// Too high by so much in general.
    bias: f64,
    /// The deviation of what is misread in all of a study.
    study: f64,
    /// The deviation of what is misread in each cell alone.
    cell: f64,
}

/// The table that decides how difficult studies are.
#[rustfmt::skip]
const DIFFICULTY: [Difficulty; 3] = [
    Difficulty { stenosis: StenosisType::Central, bias: 0.05, study: 0.15, cell: 0.52 },
    Difficulty { stenosis: StenosisType::Foraminal, bias: -0.05, study: 0.20, cell: 0.66 },
    Difficulty { stenosis: StenosisType::Recess, bias: 0.10, study: 0.25, cell: 0.80 },
];

/// What the second reader sees of levels, given how severe each of their cells is.
pub(super) fn read(
    severities: &[[f64; Target::ALL.len()]],
    random: &mut Rng,
) -> Vec<[Grade; Target::ALL.len()]> {
    let of_study: Vec<f64> = DIFFICULTY.iter().map(|d| d.study * normal(random)).collect();
    let mut cell = |target: Target, severity: f64| {
        let stenosis = target.row().stenosis;
        let row = DIFFICULTY.iter().position(|d| d.stenosis == stenosis).unwrap_or(0);
        let Difficulty { bias, cell, .. } = DIFFICULTY[row];
        // What is wide open is rarely doubted.
        let doubt = (0.35 + severity).min(1.0);
        let misread = bias + of_study[row] + cell * normal(random);
        grade((severity + doubt * misread).clamp(0.0, WORST))
    };
    let level = |severity: &[f64; Target::ALL.len()]| {
        Target::ALL.map(|target| cell(target, severity[target as usize]))
    };
    severities.iter().map(level).collect()
}
