//! Two readers of one text made one: what the rules found and why, and how probable the
//! transformer thinks each outcome, into one belief a cell.
//!
//! The belief is log-linear: the transformer's log-probabilities times a trust, plus bonuses for
//! the outcome that the rules found and for outcomes of the same kind. Trust and bonuses depend on
//! what the rules' opinion rests on, and the bonus also on how far both agree about the rest of the
//! report. They are learned and come with the model: nothing here is chosen by hand.

use serde::{Deserialize, Serialize};

use super::{
    Belief, Cell, Certainty, Conformal, Directness, Evidence, Grade, Naming, Opinion, Outcome,
    OutcomeSet, Span, Statement, StenosisType, Verdict,
};

/// What a transformer makes of one cell of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The cell.
    pub cell: Cell,
    /// How probable each outcome is.
    pub belief: Belief,
    /// How probably a statement about the cell is hedged.
    pub hedged: f32,
    /// The words that it mostly attended to, in the order of the text.
    pub evidence: Vec<Span>,
    /// Whether the text was too long for it to see all that bears on the cell's level.
    pub is_cut: bool,
}

impl Seen {
    const fn certainty(&self) -> Certainty {
        if self.hedged > 0.5 { Certainty::Hedged } else { Certainty::Stated }
    }

    /// The opinion that follows: the most probable outcome, where that is a grade.
    pub fn opinion(&self) -> Option<Opinion> {
        let grade = self.belief.likeliest()?;
        Some(Opinion {
            cell: self.cell,
            verdict: Verdict::Graded(grade),
            certainty: self.certainty(),
            conflict: false,
            distribution: Some(self.belief.grades()),
            doubt: None,
            evidence: Evidence::Spans(self.evidence.clone()),
        })
    }
}

/// Why a cell should be looked at before others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// The outcomes that may be true, at the coverage that was asked for.
    pub may_be: OutcomeSet,
    /// Whether the rules and the transformer said different things.
    pub readers_differ: bool,
    /// Whether the text was too long for the transformer to see all of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_cut: bool,
}

/// Such as `may be mild to moderate, its readers differ`.
impl std::fmt::Display for Doubt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let several = (self.may_be.len() > 1).then(|| format!("may be {}", self.may_be));
        let differ = self.readers_differ.then(|| "its readers differ".to_owned());
        let cut = self.is_cut.then(|| "its text was too long to be read whole".to_owned());
        f.write_str(&[several, differ, cut].into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

/// What the rules' opinion on a cell rests on, as far as it tells how much to trust it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// They found nothing.
    Silent,
    /// A statement about the target itself at this level.
    Direct,
    /// A statement about what the narrowing does.
    Indirect,
    /// A statement about the whole lumbar spine.
    Universal,
    /// Statements that contradict each other.
    Conflict,
}

impl Ground {
    /// How many there are.
    pub const COUNT: usize = 5;

    fn of(rules: Option<&Opinion>) -> Self {
        let Some(opinion) = rules else { return Self::Silent };
        let Evidence::Statements(statements) = &opinion.evidence else { return Self::Silent };
        let any = |test: fn(&Statement) -> bool| statements.iter().any(test);
        if opinion.verdict.grade().is_none() {
            Self::Silent
        } else if opinion.conflict {
            Self::Conflict
        } else if any(|s| s.naming == Naming::Named && s.directness == Directness::Direct) {
            Self::Direct
        } else if any(|s| s.naming == Naming::Named) {
            Self::Indirect
        } else {
            Self::Universal
        }
    }
}

/// A cell as both readers have it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Case {
    /// What the rules' opinion rests on.
    pub ground: Ground,
    /// What the rules found.
    pub found: Outcome,
    /// What the transformer believes.
    pub belief: Belief,
    /// On which share of what is said in the report's other cells both say the same.
    pub agreement: f32,
}

impl Case {
    /// How many terms a case has.
    pub const TERMS: usize = 4;

    /// What each term adds to the score of each outcome, before its weight: the transformer's
    /// log-probability; being what the rules found; that, by the agreement; being of the same kind.
    pub fn terms(&self) -> [[f32; Belief::OUTCOMES]; Self::TERMS] {
        let mut terms = [self.belief.logs(), [0.0; _], [0.0; _], [0.0; _]];
        for outcome in Belief::outcomes() {
            let place = Belief::place(outcome);
            if outcome == self.found {
                terms[1][place] = 1.0;
                terms[2][place] = self.agreement;
            }
            if kind(outcome) == kind(self.found) {
                terms[3][place] = 1.0;
            }
        }
        terms
    }
}

/// Not mentioned, normal, or stenosis.
const fn kind(outcome: Outcome) -> u8 {
    match outcome {
        None => 0,
        Some(Grade::Normal) => 1,
        Some(_) => 2,
    }
}

/// The learned weights: of each term, by what the rules' opinion rests on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fusion(pub [[f32; Case::TERMS]; Ground::COUNT]);

impl Fusion {
    /// What to believe of a cell.
    pub fn belief(&self, case: &Case) -> Belief {
        let weights = self.0[case.ground as usize];
        let terms = case.terms();
        Belief::softmax(std::array::from_fn(|outcome| {
            weights.iter().zip(&terms).map(|(weight, term)| weight * term[outcome]).sum()
        }))
    }

    /// The fused reader's opinions: one a cell that it thinks mentioned or doubts, in the order of
    /// cells. `rules` and `seen` are of one text and in the order of cells; where the transformer
    /// was not asked, the rules' opinion stands.
    pub fn opinions(
        &self,
        rules: &[Opinion],
        seen: &[Seen],
        conformal: &Conformal,
    ) -> Vec<Opinion> {
        let mut fused: Vec<Opinion> = rules
            .iter()
            .filter(|opinion| seen.iter().all(|seen| seen.cell != opinion.cell))
            .cloned()
            .collect();
        for (seen, case) in seen.iter().zip(cases(rules, seen)) {
            let rules = rules.iter().find(|opinion| opinion.cell == seen.cell);
            fused.extend(opinion(rules, seen, &case, &self.belief(&case), conformal));
        }
        fused.sort_by_key(|opinion| opinion.cell);
        fused
    }
}

/// The cells that a transformer has seen, with what the rules found there.
pub fn cases(rules: &[Opinion], seen: &[Seen]) -> Vec<Case> {
    let opinion = |cell: Cell| rules.iter().find(|opinion| opinion.cell == cell);
    let said = |seen: &Seen| Said {
        stenosis: seen.cell.target.row().stenosis,
        rules: opinion(seen.cell).and_then(|opinion| opinion.verdict.grade()),
        transformer: seen.belief.likeliest(),
    };
    let mut distinct: Vec<Said> = Vec::new();
    for said in seen.iter().map(said).filter(Said::is_something) {
        if !distinct.contains(&said) {
            distinct.push(said);
        }
    }
    let case = |seen: &Seen| {
        let own = said(seen);
        let others = distinct.iter().filter(|said| **said != own);
        let agreed = others.clone().filter(|said| said.rules == said.transformer).count();
        Case {
            ground: Ground::of(opinion(seen.cell)),
            found: own.rules,
            belief: seen.belief,
            // Few others tell little, so the share is drawn towards the middle (Laplace).
            agreement: (agreed + 1) as f32 / (others.count() + 2) as f32,
        }
    };
    seen.iter().map(case).collect()
}

/// What both readers say of a cell. One sentence often speaks of many levels and of both sides, and
/// whoever misreads it errs in all of them: so what is said alike counts once.
#[derive(PartialEq)]
struct Said {
    stenosis: StenosisType,
    rules: Outcome,
    transformer: Outcome,
}

impl Said {
    const fn is_something(&self) -> bool {
        self.rules.is_some() || self.transformer.is_some()
    }
}

fn opinion(
    rules: Option<&Opinion>,
    seen: &Seen,
    case: &Case,
    belief: &Belief,
    conformal: &Conformal,
) -> Option<Opinion> {
    let outcome = belief.likeliest();
    let readers_differ = case.found != seen.belief.likeliest();
    let may_be = conformal.set(belief);
    let is_cut = seen.is_cut;
    let doubt = (readers_differ || may_be.len() > 1 || is_cut).then_some(Doubt {
        may_be,
        readers_differ,
        is_cut,
    });
    if outcome.is_none() && doubt.is_none() {
        return None;
    }
    let of_rules = rules.filter(|opinion| opinion.verdict.grade() == outcome);
    Some(Opinion {
        cell: seen.cell,
        verdict: outcome.map_or(Verdict::NotMentioned, Verdict::Graded),
        certainty: of_rules.map_or(seen.certainty(), |opinion| opinion.certainty),
        conflict: of_rules.is_some_and(|opinion| opinion.conflict),
        distribution: Some(belief.grades()),
        doubt,
        evidence: match of_rules {
            Some(opinion) => opinion.evidence.clone(),
            None => Evidence::Spans(seen.evidence.clone()),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Level, Target, Trace, resolve};
    use super::*;

    const CELL: Cell = Cell { level: Level::L4L5, target: Target::Central };
    const EVEN: Fusion = Fusion([[1.0, 2.0, 0.0, 0.5]; Ground::COUNT]);

    fn rules(grade: Grade) -> Opinion {
        let statement = Statement {
            cell: CELL,
            grade,
            certainty: Certainty::Hedged,
            directness: Directness::Direct,
            naming: Naming::Named,
            evidence: Default::default(),
            trace: Trace::default(),
        };
        resolve(CELL, vec![statement])
    }

    /// A transformer that gives an outcome `odds` times the probability of each other.
    fn seen(outcome: Outcome, odds: f32) -> Seen {
        let mut scores = [0.0; Belief::OUTCOMES];
        scores[Belief::place(outcome)] = odds.ln();
        let evidence = vec![Span { start: 3, end: 9 }];
        let belief = Belief::softmax(scores);
        Seen { cell: CELL, belief, hedged: 0.1, evidence, is_cut: false }
    }

    fn certain() -> Conformal {
        let known: Vec<_> = (0..200)
            .map(|n| Belief::outcomes().nth(n % Belief::OUTCOMES).flatten())
            .map(|outcome| (seen(outcome, 1e6).belief, outcome))
            .collect();
        Conformal::fit(0.9, &known)
    }

    fn fused(rules: &[Opinion], seen: Seen) -> Option<Opinion> {
        EVEN.opinions(rules, &[seen], &certain()).pop()
    }

    #[test]
    fn readers_that_agree_are_believed_and_the_rules_say_why() {
        let opinion = fused(&[rules(Grade::Mild)], seen(Some(Grade::Mild), 1e6)).unwrap();
        assert_eq!(opinion.verdict, Verdict::Graded(Grade::Mild));
        assert_eq!((opinion.certainty, opinion.doubt), (Certainty::Hedged, None));
        assert!(matches!(opinion.evidence, Evidence::Statements(_)));
    }

    #[test]
    fn where_they_differ_the_surer_one_is_believed_and_the_cell_is_in_doubt() {
        let doubted = |odds| {
            let opinion = fused(&[rules(Grade::Mild)], seen(Some(Grade::Severe), odds)).unwrap();
            assert!(opinion.doubt.unwrap().readers_differ);
            opinion
        };
        assert_eq!(doubted(1.5).verdict, Verdict::Graded(Grade::Mild));
        let convinced = doubted(1e4);
        assert_eq!(convinced.verdict, Verdict::Graded(Grade::Severe));
        assert_eq!(convinced.evidence, Evidence::Spans(vec![Span { start: 3, end: 9 }]));
        assert_eq!(convinced.certainty, Certainty::Stated);
    }

    #[test]
    fn what_neither_mentions_is_left_out_unless_it_is_in_doubt() {
        assert_eq!(fused(&[], seen(None, 1e6)), None);
        let doubted = fused(&[], seen(Some(Grade::Mild), 3.0)).unwrap();
        assert_eq!(doubted.verdict, Verdict::NotMentioned);
        assert!(doubted.doubt.unwrap().may_be.not_mentioned);
    }

    #[test]
    fn a_cell_whose_text_was_not_read_whole_is_in_doubt() {
        let cut = Seen { is_cut: true, ..seen(None, 1e6) };
        let doubt = fused(&[], cut).unwrap().doubt.unwrap();
        assert!(doubt.is_cut && !doubt.readers_differ);
        assert_eq!(doubt.to_string(), "its text was too long to be read whole");
    }

    #[test]
    fn where_the_transformer_was_not_asked_the_rules_stand() {
        let rules = [rules(Grade::Moderate)];
        assert_eq!(EVEN.opinions(&rules, &[], &certain()), rules);
    }

    #[test]
    fn agreement_is_that_on_other_cells_and_what_is_said_alike_counts_once() {
        let elsewhere = |level| Cell { level, target: Target::Central };
        let at = |level, outcome| Seen { cell: elsewhere(level), ..seen(outcome, 1e3) };
        let all = [
            at(Level::L2L3, Some(Grade::Mild)),
            at(Level::L3L4, Some(Grade::Mild)),
            at(Level::L4L5, Some(Grade::Mild)),
            at(Level::L5S1, None),
        ];
        let shares: Vec<f32> =
            cases(&[rules(Grade::Mild)], &all).iter().map(|case| case.agreement).collect();
        assert_eq!(shares, [2.0 / 3.0, 2.0 / 3.0, 1.0 / 3.0, 2.0 / 4.0]);
    }
}
