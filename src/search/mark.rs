//! Marks: the words that stand for facts in the index.
//!
//! A mark is spelt like the query that asks for it, so that what a report is given when it is
//! indexed and what a query looks for come from the same place.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::query::{CellQuery, CellTest, Comparison, LevelPick, TargetPick};
use crate::label::{Cell, CellLabel, Certainty, Grade, Level, LevelSet, Verdict};

/// The worst place on the ordered scale.
const WORST: u8 = 5;

/// Everything that a query can ask of one cell, a bit each in the order of [`Tests::EACH`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tests(u32);

impl Tests {
    const NONE: Self = Self(0);
    const EVERY: Self = Self(u32::MAX);

    /// The tests by bit.
    const EACH: [CellTest; 24] = {
        use CellTest::{Compare, Conflict, Hedged, Labelled, Stated, Unassessable};
        use Comparison::{AtLeast, AtMost, Equal};
        use Grade::{Mild, MildModerate, Moderate, ModerateSevere, Normal, Present, Severe};
        [
            Compare(Equal, Normal),
            Compare(Equal, Mild),
            Compare(Equal, MildModerate),
            Compare(Equal, Moderate),
            Compare(Equal, ModerateSevere),
            Compare(Equal, Severe),
            Compare(Equal, Present),
            Unassessable,
            Hedged,
            Conflict,
            Compare(AtLeast, Mild),
            Compare(AtLeast, MildModerate),
            Compare(AtLeast, Moderate),
            Compare(AtLeast, ModerateSevere),
            Compare(AtLeast, Severe),
            Stated,
            Labelled,
            Compare(AtLeast, Normal),
            Compare(AtMost, Normal),
            Compare(AtMost, Mild),
            Compare(AtMost, MildModerate),
            Compare(AtMost, Moderate),
            Compare(AtMost, ModerateSevere),
            Compare(AtMost, Severe),
        ]
    };

    /// Those that a report is marked with where *some* cell will do; the others follow from them.
    const OF_SOME: Self = Self(0xffff);

    /// The tests that a labelled cell passes.
    fn of(label: &CellLabel) -> Self {
        let bits = Self::EACH.iter().enumerate().filter(|&(_, &test)| passes(label, test));
        Self(bits.fold(0, |all, (bit, _)| all | 1 << bit))
    }

    const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn bits(self) -> impl Iterator<Item = usize> {
        (0..Self::EACH.len()).filter(move |bit| self.0 & 1 << bit != 0)
    }
}

/// The spelling of every mark of cells, by pick and bit.
struct Spelling(HashMap<(LevelPick, TargetPick), [String; Tests::EACH.len()]>);

static SPELLING: LazyLock<Spelling> = LazyLock::new(|| {
    let levels = Level::ALL.into_iter().map(LevelPick::One);
    let levels = levels.chain([LevelPick::Any, LevelPick::All]);
    let picks = levels.flat_map(|level| TargetPick::all().map(move |target| (level, target)));
    let spell = |(level, target)| {
        let spelt = Tests::EACH.map(|test| CellQuery { level, target, test }.to_string());
        ((level, target), spelt)
    };
    Spelling(picks.map(spell).collect())
});

/// Adds the marks of a report's labels to `marks`, each with a space before it.
pub(super) fn of_labels(labels: &[CellLabel], marks: &mut String) {
    let mut tests = [Tests::NONE; Cell::COUNT];
    for label in labels {
        tests[label.cell.index()] = Tests::of(label);
        let pick = (LevelPick::One(label.cell.level), TargetPick::One(label.cell.target));
        add(pick, tests[label.cell.index()].and(Tests::OF_SOME), marks);
    }
    let at = |level, target| tests[Cell { level, target }.index()];
    let six = labels.iter().any(|l| matches!(l.cell.level, Level::L5L6 | Level::L6S1));
    let lumbar = if six { LevelSet::SIX_LUMBAR } else { LevelSet::LUMBAR };
    for pick in TargetPick::all() {
        let of_level = |level| pick.targets().map(move |target| at(level, target));
        let any = Level::ALL.into_iter().flat_map(of_level).fold(Tests::NONE, Tests::or);
        add((LevelPick::Any, pick), any.and(Tests::OF_SOME), marks);
        let all = lumbar.iter().flat_map(of_level).fold(Tests::EVERY, Tests::and);
        add((LevelPick::All, pick), all, marks);
    }
}

fn add(pick: (LevelPick, TargetPick), tests: Tests, marks: &mut String) {
    let spelling = &SPELLING.0[&pick];
    for bit in tests.bits() {
        marks.push(' ');
        marks.push_str(&spelling[bit]);
    }
}

/// The marks of which a report has any where it passes a query of cells. There are none where no
/// report can.
pub(super) fn of_query(query: &CellQuery) -> Vec<String> {
    let &CellQuery { level, target, test } = query;
    let picks = match level {
        // At a single level there are marks of single targets only.
        LevelPick::One(_) => target.targets().map(TargetPick::One).collect(),
        LevelPick::Any | LevelPick::All => vec![target],
    };
    let tests = marked(test, level == LevelPick::All);
    let spell =
        |target| tests.iter().map(move |&test| CellQuery { level, target, test }.to_string());
    picks.into_iter().flat_map(spell).collect()
}

/// The tests that reports are marked with of which any is passed where `test` is. Reports have
/// marks for all tests of *all* cells, but for few of them where *some* cell will do.
fn marked(test: CellTest, all: bool) -> Vec<CellTest> {
    use CellTest::{Compare, Labelled, Unassessable};
    use Comparison::{AtLeast, AtMost, Equal, Less, More};
    let at = |rank: u8| Grade::ALL[rank as usize];
    let equal = |worst: u8| (0..=worst).map(|rank| Compare(Equal, at(rank))).collect::<Vec<_>>();
    let Compare(comparison, grade) = test else {
        let labelled = || [equal(WORST), vec![Compare(Equal, Grade::Present), Unassessable]];
        return if test == Labelled && !all { labelled().concat() } else { vec![test] };
    };
    match (comparison, grade.rank()) {
        (Equal, _) => vec![test],
        (_, None) | (More, Some(WORST)) | (Less, Some(0)) => Vec::new(),
        (More, Some(rank)) => marked(Compare(AtLeast, at(rank + 1)), all),
        (Less, Some(rank)) => marked(Compare(AtMost, at(rank - 1)), all),
        (AtLeast, Some(0)) if !all => equal(WORST),
        (AtMost, Some(rank)) if !all => equal(rank),
        (AtLeast | AtMost, _) => vec![test],
    }
}

/// Whether a labelled cell passes a test.
pub(super) fn passes(label: &CellLabel, test: CellTest) -> bool {
    match test {
        CellTest::Labelled => label.verdict != Verdict::NotMentioned,
        CellTest::Unassessable => label.verdict == Verdict::Unassessable,
        CellTest::Hedged => label.certainty == Certainty::Hedged,
        CellTest::Stated => label.certainty == Certainty::Stated,
        CellTest::Conflict => label.conflict,
        CellTest::Compare(comparison, grade) => {
            label.verdict.grade().is_some_and(|found| holds(found, comparison, grade))
        }
    }
}

/// Whether a grade passes a comparison. `present` has no place on the scale, and passes none but
/// being the same.
fn holds(found: Grade, comparison: Comparison, wanted: Grade) -> bool {
    match (comparison, found.rank(), wanted.rank()) {
        (Comparison::Equal, ..) => found == wanted,
        (Comparison::AtLeast, Some(found), Some(wanted)) => found >= wanted,
        (Comparison::More, Some(found), Some(wanted)) => found > wanted,
        (Comparison::AtMost, Some(found), Some(wanted)) => found <= wanted,
        (Comparison::Less, Some(found), Some(wanted)) => found < wanted,
        _ => false,
    }
}
