//! How far what a report says of a cell is from what its image shows.

use super::{Grade, GradeSet, Opinion};

/// Neighbouring grades are told apart by no two readers of the same image alike.
const FAR: usize = 2;

/// How probable it is that what an image shows is two or more grades from what a report says, as the
/// reader of the image holds it possible: how far its grades are apart on average would put readers that
/// are unsure before reports that are wrong. None where the reader gave no grade. A half grade is as far
/// as the nearer of its two, and `present` as far as the nearest stenosis.
pub fn discrepancy(told: Grade, seen: &Opinion) -> Option<f64> {
    let told = GradeSet::admitted(told);
    let is_far = |grade: Grade| told.steps_to(GradeSet::admitted(grade)) >= FAR;
    let Some(shares) = seen.distribution else {
        return seen.verdict.grade().map(|grade| f64::from(u8::from(is_far(grade))));
    };
    let all: f64 = shares.iter().copied().map(f64::from).sum();
    let far = Grade::ALL.into_iter().zip(shares).filter(|(grade, _)| is_far(*grade));
    (all > 0.0).then(|| far.map(|(_, share)| f64::from(share)).sum::<f64>() / all)
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
    fn neighbouring_grades_are_near() {
        let far = |told, of| discrepancy(told, &seen(Verdict::Graded(of), None)).unwrap();
        assert_eq!(far(Grade::Normal, Grade::Severe), 1.0);
        assert_eq!(far(Grade::Severe, Grade::Mild), 1.0);
        assert_eq!(far(Grade::Mild, Grade::Moderate), 0.0);
        assert_eq!(far(Grade::MildModerate, Grade::Severe), 0.0);
        assert_eq!(far(Grade::Present, Grade::Normal), 0.0);
        assert_eq!(far(Grade::Present, Grade::Severe), 0.0);
        assert_eq!(discrepancy(Grade::Mild, &seen(Verdict::NotMentioned, None)), None);
    }

    #[test]
    fn who_is_unsure_of_a_grade_finds_less_wrong_with_another() {
        let mut shares = [0.0; Grade::ALL.len()];
        shares[Grade::Mild as usize] = 0.25;
        shares[Grade::Moderate as usize] = 0.25;
        shares[Grade::Severe as usize] = 0.5;
        let unsure = seen(Verdict::Graded(Grade::Moderate), Some(shares));
        assert_eq!(discrepancy(Grade::Normal, &unsure), Some(0.75));
        assert_eq!(discrepancy(Grade::Mild, &unsure), Some(0.5));
        assert_eq!(discrepancy(Grade::Severe, &unsure), Some(0.25));
    }
}
