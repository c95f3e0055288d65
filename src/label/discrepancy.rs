//! How far what a report says of a cell is from what its image shows.

use super::{Grade, GradeSet, Opinion};

/// How many grades lie between what a report says and what an image shows, on average over what the
/// reader of the image holds possible: 0 where the report is right for certain, 3 where it says normal
/// of what is severe for certain. None where the reader gave no grade. A half grade is as far as the
/// nearer of its two, and `present` as far as the nearest stenosis.
pub fn discrepancy(told: Grade, seen: &Opinion) -> Option<f64> {
    let told = GradeSet::admitted(told);
    let steps = |grade: Grade| told.steps_to(GradeSet::admitted(grade)) as f64;
    let Some(shares) = seen.distribution else { return seen.verdict.grade().map(steps) };
    let all: f64 = shares.iter().copied().map(f64::from).sum();
    let far =
        Grade::ALL.into_iter().zip(shares).map(|(grade, share)| steps(grade) * f64::from(share));
    (all > 0.0).then(|| far.sum::<f64>() / all)
}

#[cfg(test)]
mod tests {
    use super::super::{Cell, Certainty, Evidence, Level, Target, Verdict};
    use super::*;

    fn seen(verdict: Verdict, distribution: Option<[f32; Grade::ALL.len()]>) -> Opinion {
        Opinion {
            cell: Cell { level: Level::L4L5, target: Target::Central },
            verdict,
            certainty: Certainty::Stated,
            conflict: false,
            distribution,
            doubt: None,
            evidence: Evidence::Spans(Vec::new()),
        }
    }

    #[test]
    fn it_counts_the_grades_in_between() {
        let far = |told, of| discrepancy(told, &seen(Verdict::Graded(of), None)).unwrap();
        assert_eq!(far(Grade::Normal, Grade::Severe), 3.0);
        assert_eq!(far(Grade::Severe, Grade::Normal), 3.0);
        assert_eq!(far(Grade::Mild, Grade::Mild), 0.0);
        assert_eq!(far(Grade::MildModerate, Grade::Severe), 1.0);
        assert_eq!(far(Grade::Present, Grade::Normal), 1.0);
        assert_eq!(far(Grade::Present, Grade::Severe), 0.0);
        assert_eq!(discrepancy(Grade::Mild, &seen(Verdict::NotMentioned, None)), None);
    }

    #[test]
    fn who_is_unsure_of_a_grade_finds_less_wrong_with_another() {
        let mut shares = [0.0; Grade::ALL.len()];
        shares[Grade::Moderate as usize] = 0.5;
        shares[Grade::Severe as usize] = 0.5;
        let moderate = seen(Verdict::Graded(Grade::Moderate), Some(shares));
        assert_eq!(discrepancy(Grade::Normal, &moderate), Some(2.5));
        assert_eq!(discrepancy(Grade::Severe, &moderate), Some(0.5));
    }
}
