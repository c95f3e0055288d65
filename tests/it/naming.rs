//! Names of levels on real masks, and on masks with something amiss. `DEEPSPINE_SETS=1000` tries so
//! many of the latter, on all subjects, and prints what came of them; else a few on some must do.

use std::collections::BTreeMap;
use std::path::Path;

use deepspine::imaging::spine::{Column, Measures, Named, Naming};
use deepspine::imaging::{Geometry, Gray, Mask, Tissue};
use fastrand::Rng;
use rayon::prelude::*;

use crate::perturbed::{Amiss, Disc, Spine};

/// The reference masks at hand, by subject; none where they are not.
fn references() -> Vec<Mask> {
    let folder = Path::new("../shared/mri/spider_space/masks");
    let Ok(files) = std::fs::read_dir(folder) else {
        eprintln!("skipped: `{}` is not here", folder.display());
        return Vec::new();
    };
    let mut subjects: BTreeMap<String, BTreeMap<u32, Gray>> = BTreeMap::new();
    for file in files {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let (subject, number) = name.split_once("_t2_SPACE_slice").unwrap();
        let slices = subjects.entry(subject.to_owned()).or_default();
        slices.insert(number.parse().unwrap(), Gray::read(&path).unwrap());
    }
    subjects.into_values().map(|slices| volume(&slices)).collect()
}

fn volume(slices: &BTreeMap<u32, Gray>) -> Mask {
    let (first, last) = (slices.keys().next().unwrap(), slices.keys().last().unwrap());
    let apart = 0.9 * f64::from(last - first) / (slices.len() - 1) as f64;
    let steps = [[0.0, 0.468_75, 0.0], [0.0, 0.0, -0.468_75], [apart, 0.0, 0.0]];
    let one = slices.values().next().unwrap();
    let geometry = Geometry::new([one.width, one.height, slices.len()], [0.0; 3], steps).unwrap();
    let tissue = |pixel: &u16| match pixel {
        29 => Tissue::Disc,
        76 => Tissue::Vertebra,
        150 => Tissue::Canal,
        _ => Tissue::Background,
    };
    let pixels = slices.values().flat_map(|slice| &slice.pixels);
    Mask { geometry, values: pixels.map(|pixel| tissue(pixel).number()).collect() }
}

/// What came of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Outcome {
    /// All names are right.
    right: bool,
    /// A person was asked for.
    flagged: bool,
}

/// How many sets with something amiss may be named wrongly without a word, of all of a kind.
const fn most_silent(amiss: Amiss) -> f64 {
    match amiss {
        Amiss::Nothing => 0.0,
        // Without ribs nothing in a mask tells for sure how many lumbar bodies there are.
        Amiss::SixthLumbarBody => 0.75,
        Amiss::FourLumbarBodies => 0.95,
        _ => 0.02,
    }
}

/// Names are right where every disc that is named is one that is known by this name, and every disc
/// that the mask shows was found.
fn named(spine: &Spine) -> Outcome {
    const NEAR: f64 = 14.0;
    let Some(column) = Column::find(&spine.mask) else {
        return Outcome { right: false, flagged: true };
    };
    let naming = Naming::of(&column, &Measures::of(&spine.mask, &column));
    let geometry = &spine.mask.geometry;
    let found: Vec<_> = column.discs.iter().map(|disc| geometry.to_voxel(disc.centre)).collect();
    let is_right = |(at, named): (&[f64; 3], &Named)| {
        let away = |known: &&Disc| spine.away(known, *at);
        let nearest = spine.discs.iter().min_by(|a, b| away(a).total_cmp(&away(b)));
        let known = nearest.filter(|known| away(known) <= NEAR);
        named.level == known.and_then(|known| known.level)
    };
    let is_missed =
        |known: &Disc| spine.shows(known) && !found.iter().any(|at| spine.away(known, *at) <= NEAR);
    let right =
        found.iter().zip(&naming.levels).all(is_right) && !spine.discs.iter().any(is_missed);
    Outcome { right, flagged: naming.needs_a_person() }
}

#[test]
fn levels_are_named_right_or_a_person_is_asked_for() {
    let sets: Option<usize> =
        std::env::var("DEEPSPINE_SETS").ok().and_then(|sets| sets.parse().ok());
    let every = if sets.is_some() { 1 } else { 4 };
    let masks: Vec<Mask> = references().into_iter().step_by(every).collect();
    let references: Vec<Spine> = masks.par_iter().map(Spine::of).collect();
    if references.is_empty() {
        return;
    }
    let of_each = sets.map_or(4, |sets| sets.div_ceil(Amiss::ALL.len()));
    let mut asked = Vec::new();
    for amiss in [Amiss::Nothing].into_iter().chain(Amiss::ALL) {
        let count = match amiss {
            Amiss::Nothing => references.len().max(of_each),
            // Few are told: among as few as of the others there may be none.
            Amiss::SixthLumbarBody | Amiss::FourLumbarBodies => of_each.max(12),
            _ => of_each,
        };
        let outcomes: Vec<Outcome> = (0..count)
            .into_par_iter()
            .map(|set| {
                let mut random = Rng::with_seed(set as u64 * 7 + amiss as u64);
                named(&references[set % references.len()].with(amiss, &mut random))
            })
            .collect();
        let share = |of: &dyn Fn(&Outcome) -> bool| {
            outcomes.iter().filter(|outcome| of(outcome)).count() as f64 / count as f64
        };
        let (right, flagged) = (share(&|outcome| outcome.right), share(&|outcome| outcome.flagged));
        let silent = share(&|outcome| !outcome.right && !outcome.flagged);
        eprintln!(
            "{amiss:?}: of {count} right {right:.3}, flagged {flagged:.3}, silently wrong {silent:.3}"
        );
        assert!(silent <= most_silent(amiss), "{amiss:?}: {silent}");
        match amiss {
            Amiss::Nothing => assert!(right == 1.0 && flagged <= 0.02, "{right} {flagged}"),
            // What is not the column takes nothing from it.
            Amiss::Belly => assert!(right >= 0.98 && flagged <= 0.05, "{right} {flagged}"),
            _ => {}
        }
        if amiss != Amiss::Nothing {
            asked.push(flagged);
        }
    }
    let asked = asked.iter().sum::<f64>() / asked.len() as f64;
    eprintln!("with something amiss, whatever it is: flagged {asked:.3}");
    assert!(asked <= 0.3, "{asked}");
}
