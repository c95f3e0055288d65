//! How far what a report says of a cell is from what its image shows.

use super::{Grade, GradeSet, Opinion};

/// How often a reader calls what is of a grade so many grades off, next to how often they agree. Readers of
/// the same image mostly agree, or else differ by one; how often exactly moves few reports in an order.
const CALLED: [f64; 4] = [1.0, 0.125, 0.0125, 0.00125];

/// How surprising it is that a report says a grade, in nats, from what the reader of its image holds
/// possible: how much more rarely a reader of that image says so than what all agree on, as a logarithm;
/// 0 where the image surely shows what the report says. None where the reader gave no grade. A half
/// grade is as far as the nearer of its two, and `present` as far as the nearest stenosis.
///
/// How many grades both are apart would put readers that are unsure before reports that are wrong, and so
/// would how probably they are far apart: a reader that holds it possible too that the report is right is
/// less surprised.
pub fn discrepancy(told: Grade, seen: &Opinion) -> Option<f64> {
    let told = GradeSet::admitted(told);
    let called = |grade: Grade| CALLED[told.steps_to(GradeSet::admitted(grade))];
    let Some(shares) = seen.distribution else {
        return seen.verdict.grade().map(|grade| -called(grade).ln());
    };
    let shares = shares.map(f64::from);
    let said: f64 = Grade::ALL.into_iter().zip(shares).map(|(of, share)| share * called(of)).sum();
    let all: f64 = shares.iter().sum();
    (all > 0.0).then(|| -(said / all).ln())
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
    fn the_further_apart_the_more_surprising() {
        let by = |told, of| discrepancy(told, &seen(Verdict::Graded(of), None)).unwrap();
        let same = by(Grade::Normal, Grade::Normal);
        let further = [Grade::Mild, Grade::Moderate, Grade::Severe].map(|of| by(Grade::Normal, of));
        assert_eq!(same, 0.0);
        assert!(further[0] > 1.0 && further.is_sorted(), "{further:?}");
        assert_eq!(by(Grade::Severe, Grade::Mild), further[1]);
        assert_eq!(by(Grade::MildModerate, Grade::Severe), further[0]);
        assert_eq!(by(Grade::Present, Grade::Normal), further[0]);
        assert_eq!(by(Grade::Present, Grade::Severe), same);
        assert_eq!(discrepancy(Grade::Mild, &seen(Verdict::NotMentioned, None)), None);
    }

    /// How surprising it is that a report says `normal` where an image shows so much of each grade.
    fn of_normal(normal: f32, mild: f32, severe: f32) -> f64 {
        let mut shares = [0.0; Grade::ALL.len()];
        shares[Grade::Normal as usize] = normal;
        shares[Grade::Mild as usize] = mild;
        shares[Grade::Severe as usize] = severe;
        discrepancy(Grade::Normal, &seen(Verdict::Graded(Grade::Severe), Some(shares))).unwrap()
    }

    #[test]
    fn who_holds_it_possible_is_less_surprised() {
        assert!((of_normal(0.5, 0.0, 0.5) + 0.500625f64.ln()).abs() < 1e-9);
        // As much of it is far, and none of it is what the report says.
        assert!(of_normal(0.0, 0.5, 0.5) > of_normal(0.5, 0.0, 0.5) + 1.0);
    }

    #[test]
    fn a_distribution_counts_by_its_shares() {
        assert!((of_normal(5.0, 0.0, 5.0) - of_normal(0.5, 0.0, 0.5)).abs() < 1e-9);
        let nothing = seen(Verdict::Graded(Grade::Mild), Some([0.0; Grade::ALL.len()]));
        assert_eq!(discrepancy(Grade::Mild, &nothing), None);
    }
}
