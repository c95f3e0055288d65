//! Sets of grades that follow each other, and which of them may be true of what is seen in images:
//! ordinal conformal sets (Lu, Angelopoulos & Pomerantz 2022).
//!
//! A set begins with the most probable grade and grows, each time by the more probable of its two
//! neighbours, until it holds as much probability as was found to be enough. How much that is, each
//! grade tells by itself, so that rare ones are covered as well as frequent ones (Vovk 2012).

use std::fmt;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize, Serializer};

use super::Grade;
use super::conformal::threshold;

/// The grades that images are graded on, those of Lu et al., *DeepSPINE* (2018).
pub const LADDER: [Grade; 4] = [Grade::Normal, Grade::Mild, Grade::Moderate, Grade::Severe];

/// A probability for each grade of [`LADDER`].
pub type Shares = [f32; LADDER.len()];

/// Grades of [`LADDER`] that follow each other: what a label admits, or what may be true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GradeSet {
    low: u8,
    high: u8,
}

impl GradeSet {
    /// Every grade.
    pub const ALL: Self = Self { low: 0, high: LADDER.len() as u8 - 1 };

    /// What the RSNA 2024 challenge does not part.
    pub const NORMAL_MILD: Self = Self { low: 0, high: 1 };

    /// The grade at a place of [`LADDER`] alone.
    ///
    /// # Panics
    /// Where the ladder has no such place.
    pub const fn only(place: usize) -> Self {
        assert!(place < LADDER.len());
        Self { low: place as u8, high: place as u8 }
    }

    /// What may be true where a label says `grade`: a half grade admits both of its neighbours, and
    /// `present` whatever is a stenosis.
    pub const fn admitted(grade: Grade) -> Self {
        let (low, high) = match grade {
            Grade::Normal => (0, 0),
            Grade::Mild => (1, 1),
            Grade::MildModerate => (1, 2),
            Grade::Moderate => (2, 2),
            Grade::ModerateSevere => (2, 3),
            Grade::Severe => (3, 3),
            Grade::Present => (1, 3),
        };
        Self { low, high }
    }

    /// The least grade.
    pub const fn low(self) -> Grade {
        LADDER[self.low as usize]
    }

    /// The worst grade.
    pub const fn high(self) -> Grade {
        LADDER[self.high as usize]
    }

    /// The places of its grades on [`LADDER`].
    pub fn places(self) -> RangeInclusive<usize> {
        usize::from(self.low)..=usize::from(self.high)
    }

    /// Whether the grade at a place is one of them.
    pub fn contains(self, place: usize) -> bool {
        self.places().contains(&place)
    }

    /// Whether both have a grade in common.
    pub const fn meets(self, other: Self) -> bool {
        self.low <= other.high && other.low <= self.high
    }

    /// How many steps lie between the nearest grades of both: none where they meet.
    pub const fn steps_to(self, other: Self) -> usize {
        let above = other.low.saturating_sub(self.high);
        let below = self.low.saturating_sub(other.high);
        (if above > below { above } else { below }) as usize
    }

    /// Whether all of its grades are in the other.
    pub const fn is_within(self, other: Self) -> bool {
        other.low <= self.low && self.high <= other.high
    }

    /// The place of its grade, where it has but one.
    pub fn exact(self) -> Option<usize> {
        (self.low == self.high).then_some(usize::from(self.low))
    }

    /// How many grades there are: at least one.
    #[allow(clippy::len_without_is_empty, reason = "it never is")]
    pub const fn len(self) -> usize {
        (self.high - self.low) as usize + 1
    }

    /// How probable its grades are together.
    pub fn share(self, shares: &Shares) -> f32 {
        self.places().map(|place| shares[place]).sum()
    }
}

/// Such as `mild to moderate`.
impl fmt::Display for GradeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.exact() {
            Some(_) => self.low().fmt(f),
            None => f.pad(&format!("{} to {}", self.low(), self.high())),
        }
    }
}

/// The names of the least grade and the worst.
impl Serialize for GradeSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        [self.low(), self.high()].serialize(serializer)
    }
}

/// The place of the most probable grade; of equals the worse.
pub fn likeliest(shares: &Shares) -> usize {
    (0..LADDER.len()).max_by(|&a, &b| shares[a].total_cmp(&shares[b])).unwrap_or_default()
}

/// How much probability a set does not hold yet when its growth comes to each grade: 1 for the most
/// probable grade, and less for each that comes after it.
fn left_when_reached(shares: &Shares) -> Shares {
    let mode = likeliest(shares);
    let (mut low, mut high) = (mode, mode);
    let mut held = shares[mode];
    let mut left = [0.0; LADDER.len()];
    left[mode] = 1.0;
    while high - low + 1 < LADDER.len() {
        let below = low.checked_sub(1);
        let above = Some(high + 1).filter(|place| *place < LADDER.len());
        let next = match (below, above) {
            (Some(below), Some(above)) if shares[below] > shares[above] => below,
            (Some(below), None) => below,
            (_, above) => above.unwrap_or_default(),
        };
        left[next] = (1.0 - held).max(0.0);
        held += shares[next];
        (low, high) = (low.min(next), high.max(next));
    }
    left
}

/// What a set has to hold for one coverage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrdinalConformal {
    /// How often a set shall hold the truth.
    pub coverage: f64,
    /// By grade: it is in the set where at least so much probability is left when the set's growth
    /// comes to it.
    left: Shares,
}

impl OrdinalConformal {
    /// What covers the truth of these distributions, each grade by itself. A grade of which there is
    /// too little to tell is in every set. Truths of several grades count only for grades that are
    /// never the truth alone: with whichever of theirs is reached first.
    pub fn fit(coverage: f64, known: &[(Shares, GradeSet)]) -> Self {
        let left = std::array::from_fn(|grade| {
            let left = |truth: GradeSet, shares: &Shares| {
                let left = left_when_reached(shares);
                truth.places().map(|place| left[place]).fold(0.0, f32::max)
            };
            let of = |is: &dyn Fn(GradeSet) -> bool| -> Vec<f32> {
                let own = known.iter().filter(|(_, truth)| is(*truth));
                own.map(|(shares, truth)| left(*truth, shares)).collect()
            };
            let alone = of(&|truth| truth.exact() == Some(grade));
            match alone.is_empty() {
                false => threshold(coverage, alone),
                true => threshold(coverage, of(&|truth| truth.contains(grade))),
            }
        });
        Self { coverage, left }
    }

    /// What may be true: the most probable grade, every other that is reached early enough, and
    /// those in between.
    pub fn set(&self, shares: &Shares) -> GradeSet {
        let left = left_when_reached(shares);
        let mode = likeliest(shares);
        let is_in = |place: &usize| *place == mode || left[*place] >= self.left[*place];
        let places = || (0..LADDER.len()).filter(is_in);
        let (low, high) = (places().min().unwrap_or(mode), places().max().unwrap_or(mode));
        GradeSet { low: low as u8, high: high as u8 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Distributions that are right as often as they say, and what was true.
    fn honest(count: usize, seed: u64) -> Vec<(Shares, GradeSet)> {
        let mut random = fastrand::Rng::with_seed(seed);
        let one = |_| {
            let centre = 4.0 * random.f32() - 0.5;
            let width = 0.3 + random.f32();
            let high = |place: usize| (-((place as f32 - centre) / width).powi(2)).exp();
            let all: Shares = std::array::from_fn(high);
            let sum: f32 = all.iter().sum();
            let shares = all.map(|share| share / sum);
            let mut rest = random.f32();
            let truth = (0..LADDER.len()).find(|place| {
                rest -= shares[*place];
                rest <= 0.0
            });
            (shares, GradeSet::only(truth.unwrap_or(LADDER.len() - 1)))
        };
        (0..count).map(one).collect()
    }

    #[test]
    fn every_grade_is_covered_as_asked() {
        let (known, unseen) = (honest(8000, 1), honest(8000, 2));
        for coverage in [0.8, 0.9, 0.95] {
            let conformal = OrdinalConformal::fit(coverage, &known);
            for grade in 0..LADDER.len() {
                let of_grade: Vec<_> =
                    unseen.iter().filter(|(_, truth)| truth.contains(grade)).collect();
                let held = of_grade.iter().filter(|(s, t)| t.is_within(conformal.set(s))).count();
                let share = held as f64 / of_grade.len() as f64;
                assert!(share > coverage - 0.025, "{grade}: {share} of {coverage}");
            }
        }
    }

    #[test]
    fn sets_grow_with_the_coverage_and_hold_the_likeliest() {
        let known = honest(4000, 3);
        let all = [0.6, 0.8, 0.95].map(|coverage| OrdinalConformal::fit(coverage, &known));
        let mut sizes = [0; 3];
        for (shares, _) in honest(500, 4) {
            let sets = all.each_ref().map(|conformal| conformal.set(&shares));
            assert!(sets.iter().all(|set| set.contains(likeliest(&shares))));
            assert!(sets.windows(2).all(|pair| pair[0].is_within(pair[1])), "{sets:?}");
            for (size, set) in sizes.iter_mut().zip(sets) {
                *size += set.len();
            }
        }
        assert!(sizes[0] < sizes[1] && sizes[1] < sizes[2] && sizes[2] < 4 * 500, "{sizes:?}");
    }

    #[test]
    fn a_set_grows_to_the_more_probable_side() {
        let left = left_when_reached(&[0.1, 0.5, 0.3, 0.1]);
        // Of equals the worse.
        let wanted = [0.1, 1.0, 0.5, 0.2];
        assert!(left.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-6), "{left:?}");
    }

    #[test]
    fn what_is_too_rare_to_tell_is_in_every_set() {
        let sure = [0.97, 0.01, 0.01, 0.01];
        let conformal = OrdinalConformal::fit(0.9, &[(sure, GradeSet::only(0)); 50]);
        assert_eq!(conformal.set(&sure), GradeSet::ALL);
        let partial = OrdinalConformal::fit(0.9, &[(sure, GradeSet::NORMAL_MILD); 50]);
        assert_eq!(partial.set(&sure).to_string(), "normal to severe");
    }

    #[test]
    fn labels_admit_what_they_leave_open() {
        let names = Grade::ALL.map(|grade| GradeSet::admitted(grade).to_string());
        let wanted = [
            "normal",
            "mild",
            "mild to moderate",
            "moderate",
            "moderate to severe",
            "severe",
            "mild to severe",
        ];
        assert_eq!(names, wanted);
        let half = GradeSet::admitted(Grade::MildModerate);
        assert!(half.meets(GradeSet::only(2)) && !half.meets(GradeSet::only(3)));
        assert!((half.share(&[0.1, 0.2, 0.3, 0.4]) - 0.5).abs() < 1e-6);
    }
}
