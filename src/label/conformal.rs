//! Conformal sets: outcomes that hold the truth as often as was asked for, for each kind of truth.
//!
//! First a set over {not mentioned, present, graded}, then, where *graded* is in it, an interval of
//! the ladder's grades around the most probable (as Lu, Angelopoulos & Pomerantz 2022). An outcome is
//! in the set where it is as probable as it mostly is when it is true (Sadinle, Lei & Wasserman
//! 2019); what that is, each class tells by itself, so that rare ones are covered as well as
//! frequent ones (Vovk 2012).

use serde::{Deserialize, Serialize};

use super::{Belief, Grade, Outcome};

/// Outcomes that may be true of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OutcomeSet {
    /// The text may not mention the cell.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_mentioned: bool,
    /// It may state a stenosis without a degree.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub present: bool,
    /// It may give one of the grades from the first to the second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grades: Option<(Grade, Grade)>,
}

impl OutcomeSet {
    /// Whether an outcome is one of them.
    pub fn contains(&self, outcome: Outcome) -> bool {
        match outcome {
            None => self.not_mentioned,
            Some(Grade::Present) => self.present,
            Some(grade) => self
                .grades
                .is_some_and(|(low, high)| (low as u8..=high as u8).contains(&(grade as u8))),
        }
    }

    /// How many outcomes there are.
    pub fn len(&self) -> usize {
        Belief::outcomes().filter(|outcome| self.contains(*outcome)).count()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The set with one more outcome, and with the grades in between.
    fn with(mut self, outcome: Outcome) -> Self {
        match outcome {
            None => self.not_mentioned = true,
            Some(Grade::Present) => self.present = true,
            Some(grade) => {
                let (low, high) = self.grades.unwrap_or((grade, grade));
                let lower = if (grade as u8) < low as u8 { grade } else { low };
                let higher = if grade as u8 > high as u8 { grade } else { high };
                self.grades = Some((lower, higher));
            }
        }
        self
    }
}

/// Such as `not mentioned, mild to moderate`.
impl std::fmt::Display for OutcomeSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut parts = Vec::new();
        parts.extend(self.not_mentioned.then(|| "not_mentioned".to_owned()));
        parts.extend(self.grades.map(|(low, high)| match low == high {
            true => low.to_string(),
            false => format!("{low} to {high}"),
        }));
        parts.extend(self.present.then(|| Grade::Present.to_string()));
        f.write_str(&parts.join(", "))
    }
}

/// What is graded may be missed by its kind or by its grade: this share of the misses is the kind's.
/// Grades differ in how often their kind is missed. One that has none left for itself would be in
/// every set, so the kind's share is small.
const MISSED_BY_KIND: f64 = 0.25;

/// The grades of the ladder.
const LADDER: usize = Grade::ALL.len() - 1;

/// Thresholds for one coverage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conformal {
    /// How often a set shall hold the truth.
    pub coverage: f64,
    /// How probable not mentioned, present and graded have to be to be in the set.
    kinds: [f32; 3],
    /// By grade of the ladder: how probable among graded ones it has to be.
    grades: [f32; LADDER],
}

impl Conformal {
    /// The thresholds under which the truth of these beliefs is covered, each class by itself. A
    /// class of which there is too little to tell is in every set.
    pub fn fit(coverage: f64, known: &[(Belief, Outcome)]) -> Self {
        let kinds = std::array::from_fn(|kind| {
            let of_kind = known.iter().filter(|(_, truth)| kind_of(*truth) == kind);
            let probabilities = of_kind.map(|(belief, _)| kind_probability(belief, kind)).collect();
            let misses = if kind == GRADED { MISSED_BY_KIND } else { 1.0 };
            threshold(1.0 - misses * (1.0 - coverage), probabilities)
        });
        let grades = std::array::from_fn(|grade| {
            let of_grade = known.iter().filter(|(_, t)| *t == Some(Grade::ALL[grade]));
            let probability = |(belief, _): &(Belief, Outcome)| {
                let graded = kind_probability(belief, GRADED);
                if graded >= kinds[GRADED] { among_graded(belief)[grade] } else { 0.0 }
            };
            threshold(coverage, of_grade.map(probability).collect())
        });
        Self { coverage, kinds, grades }
    }

    /// What may be true: the most probable outcome, and every other that is probable enough for its
    /// class.
    pub fn set(&self, belief: &Belief) -> OutcomeSet {
        let within = |kind| kind_probability(belief, kind) >= self.kinds[kind];
        let mut set = OutcomeSet::default().with(belief.likeliest());
        set.not_mentioned |= within(NOT_MENTIONED);
        set.present |= within(PRESENT);
        if !within(GRADED) {
            return set;
        }
        let ladder = among_graded(belief);
        let likeliest = (0..LADDER).max_by(|&a, &b| ladder[a].total_cmp(&ladder[b]));
        (0..LADDER)
            .filter(|&grade| Some(grade) == likeliest || ladder[grade] >= self.grades[grade])
            .fold(set, |set, grade| set.with(Some(Grade::ALL[grade])))
    }
}

const NOT_MENTIONED: usize = 0;
const PRESENT: usize = 1;
const GRADED: usize = 2;

const fn kind_of(outcome: Outcome) -> usize {
    match outcome {
        None => NOT_MENTIONED,
        Some(Grade::Present) => PRESENT,
        Some(_) => GRADED,
    }
}

fn kind_probability(belief: &Belief, kind: usize) -> f32 {
    Belief::outcomes().filter(|o| kind_of(*o) == kind).map(|outcome| belief.of(outcome)).sum()
}

/// How probable each grade of the ladder is, where one of them is true.
fn among_graded(belief: &Belief) -> [f32; LADDER] {
    let graded = kind_probability(belief, GRADED).max(f32::MIN_POSITIVE);
    std::array::from_fn(|grade| belief.of(Some(Grade::ALL[grade])) / graded)
}

/// The highest threshold that as many of the probabilities are at or over as the coverage asks for,
/// with one more, the one to come, reckoned with. None, that is 0, where there are too few.
pub(super) fn threshold(coverage: f64, mut probabilities: Vec<f32>) -> f32 {
    probabilities.sort_unstable_by(|a, b| b.total_cmp(a));
    let rank = ((probabilities.len() + 1) as f64 * coverage).ceil() as usize;
    probabilities.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Beliefs that are right as often as they say, and what was true.
    fn honest(count: usize, seed: u64) -> Vec<(Belief, Outcome)> {
        let mut random = fastrand::Rng::with_seed(seed);
        let one = |_| {
            let belief = Belief::softmax(std::array::from_fn(|_| 4.0 * random.f32()));
            let mut rest = random.f32();
            let truth = Belief::outcomes().find(|outcome| {
                rest -= belief.of(*outcome);
                rest <= 0.0
            });
            (belief, truth.flatten())
        };
        (0..count).map(one).collect()
    }

    #[test]
    fn every_class_is_covered_as_asked() {
        let (known, unseen) = (honest(20_000, 1), honest(20_000, 2));
        for coverage in [0.8, 0.9, 0.95, 0.99] {
            let conformal = Conformal::fit(coverage, &known);
            for outcome in Belief::outcomes() {
                let of_class: Vec<_> = unseen.iter().filter(|(_, t)| *t == outcome).collect();
                let held = of_class.iter().filter(|(b, t)| conformal.set(b).contains(*t)).count();
                let share = held as f64 / of_class.len() as f64;
                assert!(share > coverage - 0.015, "{outcome:?}: {share} of {coverage}");
            }
        }
    }

    #[test]
    fn sets_grow_with_the_coverage_and_hold_the_likeliest() {
        let known = honest(5000, 3);
        let all = [0.5, 0.8, 0.99].map(|coverage| Conformal::fit(coverage, &known));
        for (belief, _) in honest(500, 4) {
            let sizes = all.each_ref().map(|conformal| {
                let set = conformal.set(&belief);
                assert!(set.contains(belief.likeliest()));
                set.len()
            });
            assert!(sizes.is_sorted(), "{sizes:?}");
        }
    }

    #[test]
    fn what_is_too_rare_to_tell_is_in_every_set() {
        let sure = (Belief::default(), None);
        let conformal = Conformal::fit(0.9, &[sure; 50]);
        let set = conformal.set(&Belief::default());
        assert_eq!(set.to_string(), "not_mentioned, normal to severe, present");
        assert_eq!(set.len(), Belief::OUTCOMES);
    }

    #[test]
    fn an_interval_has_no_gap() {
        let mut scores = [-9.0; Belief::OUTCOMES];
        for (grade, score) in [(Grade::Mild, 2.0), (Grade::Moderate, 1.9)] {
            scores[Belief::place(Some(grade))] = score;
        }
        let grades = [0.3; LADDER];
        let conformal = Conformal { coverage: 0.9, kinds: [0.5; 3], grades };
        let set = conformal.set(&Belief::softmax(scores));
        assert_eq!(set.to_string(), "mild to moderate");
        assert!(set.contains(Some(Grade::MildModerate)) && !set.contains(None));
    }
}
