//! Invented people who read reports, and err at a known rate.

use crate::label::{
    Cell, CellEdit, Certainty, Choice, Edit, Evidence, Grade, How, Opinion, Verdict,
};

/// A person who says what a text says, but for errors.
#[derive(Debug, Clone)]
pub struct Annotator {
    random: fastrand::Rng,
    errors: f32,
}

impl Annotator {
    /// A person who errs on this share of the cells; the same seed errs on the same ones.
    pub fn new(seed: u64, errors: f32) -> Self {
        Self { random: fastrand::Rng::with_seed(seed), errors }
    }

    /// The edits by which the person says what they make of a text that says `truth`, a cell each.
    pub fn read(&mut self, truth: &[Opinion]) -> Vec<Edit> {
        truth.iter().map(|opinion| self.edit(opinion)).collect()
    }

    fn edit(&mut self, opinion: &Opinion) -> Edit {
        let errs = self.random.f32() < self.errors;
        let verdict = if errs { self.mistaken(opinion.verdict) } else { opinion.verdict };
        let choice = Choice {
            verdict,
            certainty: if errs { Certainty::Stated } else { opinion.certainty },
            evidence: evidence(opinion),
            comment: String::new(),
        };
        let cell: Cell = opinion.cell;
        let cells = vec![CellEdit { cell, before: None, after: Some(choice) }];
        Edit { how: How::Do, cells, notes: None }
    }

    /// A grade beside the right one, as people take one for the other; or the cell overlooked.
    fn mistaken(&mut self, verdict: Verdict) -> Verdict {
        let Some(rank) = verdict.grade().and_then(Grade::rank) else {
            return Verdict::Graded(Grade::Mild);
        };
        let beside = match self.random.u8(..5) {
            0 => return Verdict::NotMentioned,
            1 | 2 => rank.saturating_sub(1),
            _ => (rank + 1).min(5),
        };
        // At an end of the scale there is only one side.
        let beside = if beside == rank { rank.abs_diff(1) } else { beside };
        Verdict::Graded(Grade::ALL[beside as usize])
    }
}

fn evidence(opinion: &Opinion) -> Vec<crate::label::Span> {
    match &opinion.evidence {
        Evidence::Statements(statements) => {
            statements.iter().flat_map(|statement| statement.evidence.iter().copied()).collect()
        }
        Evidence::Spans(spans) => spans.clone(),
        Evidence::Image(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::{Draft, Level, Target};

    fn truth() -> Vec<Opinion> {
        let opinion = |cell| Opinion {
            cell,
            verdict: Verdict::Graded(Grade::Moderate),
            certainty: Certainty::Stated,
            conflict: false,
            distribution: None,
            doubt: None,
            evidence: Evidence::Spans(Vec::new()),
        };
        let level = Level::L4L5;
        Target::ALL.map(|target| opinion(Cell { level, target })).into()
    }

    #[test]
    fn who_never_errs_says_the_truth() {
        let edits = Annotator::new(1, 0.0).read(&truth());
        assert_eq!(Draft::of(&edits).opinions(&[]), truth());
    }

    #[test]
    fn errors_come_at_their_rate_and_are_errors() {
        let mut annotator = Annotator::new(1, 0.2);
        let (mut wrong, mut all) = (0, 0);
        for _ in 0..1000 {
            for edit in annotator.read(&truth()) {
                let said = edit.cells[0].after.as_ref().unwrap().verdict;
                wrong += usize::from(said != Verdict::Graded(Grade::Moderate));
                all += 1;
            }
        }
        assert!((0.18..0.22).contains(&(wrong as f64 / all as f64)), "{wrong} of {all}");
    }
}
