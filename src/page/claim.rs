//! Opinions taken apart into single claims, numbered alike for every part of a page.

use crate::label::{
    Cell, Certainty, Evidence, Filter, ImageEvidence, Opinion, Span, Statement, Verdict, sift,
};

use super::Ink;

/// What one claim rests on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Basis<'a> {
    /// A statement of the text.
    Statement(&'a Statement),
    /// Words of the text, as a person marks them or a transformer attends to them.
    Spans(&'a [Span]),
    /// A place in an image.
    Image(&'a ImageEvidence),
}

/// One claim about one cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Claim<'a> {
    /// The number by which every part of a page knows it.
    pub key: u32,
    /// The cell.
    pub cell: Cell,
    /// What is claimed.
    pub verdict: Verdict,
    /// Stated or hedged.
    pub certainty: Certainty,
    /// The filter of rule 22 that sets it aside.
    pub aside: Option<Filter>,
    /// What it rests on.
    pub basis: Basis<'a>,
}

impl<'a> Claim<'a> {
    /// Its words in the text.
    pub fn spans(&self) -> &'a [Span] {
        match self.basis {
            Basis::Statement(statement) => &statement.evidence,
            Basis::Spans(spans) => spans,
            Basis::Image(_) => &[],
        }
    }

    /// How its words are marked in the text.
    pub fn ink(&self) -> Ink {
        match self.verdict {
            Verdict::Graded(grade) if self.aside.is_none() => Ink::Grade(grade),
            _ => Ink::Aside,
        }
    }
}

/// All claims behind `opinions`, numbered from 0 in their order.
pub fn claims(opinions: &[Opinion]) -> Vec<Claim<'_>> {
    let mut claims: Vec<_> = opinions.iter().flat_map(of_opinion).collect();
    for (key, claim) in claims.iter_mut().enumerate() {
        claim.key = key as u32;
    }
    claims
}

fn of_opinion(opinion: &Opinion) -> Vec<Claim<'_>> {
    let whole = |basis| Claim {
        key: 0,
        cell: opinion.cell,
        verdict: opinion.verdict,
        certainty: opinion.certainty,
        aside: None,
        basis,
    };
    match &opinion.evidence {
        Evidence::Statements(statements) => statements
            .iter()
            .zip(sift(statements))
            .map(|(statement, aside)| Claim {
                verdict: Verdict::Graded(statement.grade),
                certainty: statement.certainty,
                aside,
                ..whole(Basis::Statement(statement))
            })
            .collect(),
        Evidence::Spans(spans) => vec![whole(Basis::Spans(spans))],
        Evidence::Image(image) => vec![whole(Basis::Image(image))],
    }
}
