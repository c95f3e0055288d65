//! In what order people read the reports of a batch.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::annotation::machine;
use crate::label::{
    Cell, Certainty, Grade, GradeSet, LevelSet, Opinion, ReaderKind, UnknownName, Verdict,
    discrepancy,
};
use crate::link::disagreement;
use crate::store::{Candidate, CurrentReading, Store, StoreError, StoredLabel, StudyImages};

/// In what order the reports of a batch are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// At random.
    #[default]
    Random,
    /// By date of examination, those without one last.
    Oldest,
    /// Those first that have the most cells in doubt, then the most hedged, contradictory and
    /// ungraded ones.
    Uncertain,
    /// Those first on whose cells the most readers differ.
    Disagreed,
    /// Those first that say of a cell what is most surprising by what the engine finds on its image and
    /// nobody has looked at, where both have the same levels.
    Discrepant,
    /// Those first of whose images the grader can exclude the fewest grades of a cell.
    Widest,
}

/// Every order, with its name in programs and what people choose it by.
pub const ORDERS: [(Order, &str, &str); 6] = [
    (Order::Random, "random", "random"),
    (Order::Oldest, "oldest", "oldest first"),
    (Order::Uncertain, "uncertain", "most uncertain first"),
    (Order::Disagreed, "disagreed", "most disagreed first"),
    (Order::Discrepant, "discrepant", "report furthest from image first"),
    (Order::Widest, "widest", "grader least certain first"),
];

impl FromStr for Order {
    type Err = UnknownName;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let found = ORDERS.into_iter().find(|(_, name, _)| *name == s);
        let known = ORDERS.iter().map(|(_, name, _)| name);
        found.map(|(order, ..)| order).ok_or_else(|| UnknownName::new("order", s, known))
    }
}

/// The present versions of reports, in order.
pub(super) fn ordered(
    store: &Store,
    mut reports: Vec<u64>,
    order: Order,
    random: &mut fastrand::Rng,
) -> Result<Vec<u64>, StoreError> {
    reports.sort_unstable();
    reports.dedup();
    // Where an order leaves reports equal, chance decides rather than the order of import.
    random.shuffle(&mut reports);
    let mut candidates = store.candidates(&reports)?;
    match order {
        Order::Random => {}
        Order::Oldest => candidates.sort_by(|one, another| {
            let date = |date: &Option<String>| (date.is_none(), date.clone());
            date(&one.exam_date).cmp(&date(&another.exam_date))
        }),
        Order::Uncertain => candidates = first(store, candidates, uncertainty)?,
        Order::Disagreed => candidates = first(store, candidates, differing)?,
        Order::Discrepant => candidates = first(store, candidates, furthest)?,
        Order::Widest => candidates = first(store, candidates, widest)?,
    }
    Ok(candidates.into_iter().map(|candidate| candidate.version).collect())
}

/// What reports are put in order by, the second number where the first is the same.
type Weight = (usize, usize);

/// Candidates, those with the greatest weights first.
fn first(
    store: &Store,
    candidates: Vec<Candidate>,
    weigh: fn(&Store, &Candidate) -> Result<Weight, StoreError>,
) -> Result<Vec<Candidate>, StoreError> {
    let mut weighed = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        weighed.push((weigh(store, &candidate)?, candidate));
    }
    weighed.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    Ok(weighed.into_iter().map(|(_, candidate)| candidate).collect())
}

/// How many cells the machine that labels a report is uncertain of, and then how many cells of its
/// label are hedged, contradictory or without a degree.
fn uncertainty(store: &Store, candidate: &Candidate) -> Result<Weight, StoreError> {
    let readings = store.current_readings(candidate.version)?;
    let machine = machine(&readings).map_or(&[][..], |reading| &reading.body.opinions);
    let labels = store.label(candidate.report)?;
    let unsure = labels.iter().map(|stored| &stored.label).filter(|label| {
        label.conflict
            || label.certainty == Certainty::Hedged
            || label.verdict == Verdict::Graded(Grade::Present)
    });
    Ok((machine.iter().filter(|opinion| opinion.doubt.is_some()).count(), unsure.count()))
}

/// How many cells those who have read a report differ on, machines too.
fn differing(store: &Store, candidate: &Candidate) -> Result<Weight, StoreError> {
    let readings = store.current_readings(candidate.version)?;
    let differs = |cell: &Cell| {
        let verdict = |reading: &CurrentReading| {
            let opinion = reading.body.opinions.iter().find(|opinion| opinion.cell == *cell);
            opinion.map(|opinion| opinion.verdict)
        };
        readings.windows(2).any(|two| verdict(&two[0]) != verdict(&two[1]))
    };
    Ok((Cell::all().filter(differs).count(), 0))
}

/// How surprising the worst cell of a report is by its image, in thousandths of a nat, and the same of
/// all cells together. What people have looked at on the image is settled, however far it is; and where
/// both have different levels, their names are wrong rather than their grades.
fn furthest(store: &Store, candidate: &Candidate) -> Result<Weight, StoreError> {
    const THOUSANDTHS: f64 = 1000.0;
    let Some(images) = store.images(candidate.report)? else { return Ok((0, 0)) };
    let labels = store.label(candidate.report)?;
    let told: LevelSet = labels.iter().map(|stored| stored.label.cell.level).collect();
    let shown: LevelSet = images.discs.iter().filter_map(|disc| disc.level).collect();
    if disagreement(told, shown).is_some() {
        return Ok((0, 0));
    }
    let decided = store.image_label(images.study)?;
    let far = labels.iter().filter_map(|StoredLabel { label, .. }| {
        let by = decided.iter().find(|of| of.label.cell == label.cell)?.kind;
        let seen = seen(&images, label.cell, by)?;
        Some((discrepancy(label.verdict.grade()?, seen)? * THOUSANDTHS) as usize)
    });
    Ok(far.fold((0, 0), |(most, all), far| (most.max(far), all + far)))
}

/// What the machine sees of a cell that decides what its image shows; nothing where people do.
fn seen(images: &StudyImages, cell: Cell, decided_by: ReaderKind) -> Option<&Opinion> {
    if decided_by == ReaderKind::Person {
        return None;
    }
    let disc = images.discs.iter().find(|disc| disc.level == Some(cell.level))?;
    let own = disc.readings.iter().rev().filter(|reading| reading.kind == decided_by);
    own.flat_map(|reading| &reading.body.opinions).find(|of| of.cell.target == cell.target)
}

/// How many grades the widest set of a report's images has beyond one, and how many all have.
fn widest(store: &Store, candidate: &Candidate) -> Result<Weight, StoreError> {
    let Some(images) = store.images(candidate.report)? else { return Ok((0, 0)) };
    let grader = |reading: &&CurrentReading| reading.kind == ReaderKind::Grader;
    let discs = images.discs.iter().filter(|disc| disc.level.is_some());
    let opinions = discs
        .flat_map(|disc| disc.readings.iter().rev().find(grader))
        .flat_map(|r| &r.body.opinions);
    let beyond = opinions.filter_map(|opinion| {
        let (low, high) = opinion.doubt?.may_be.grades?;
        Some(GradeSet::admitted(low).steps_to(GradeSet::admitted(high)))
    });
    Ok(beyond.fold((0, 0), |(most, all), beyond| (most.max(beyond), all + beyond)))
}
