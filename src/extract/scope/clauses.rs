//! A line cut into clauses, and what holds for a clause as a whole.

use super::has;
use crate::extract::claim::Claim;
use crate::extract::item::is_run_on;
use crate::extract::place::{Clause, Place};
use crate::extract::scan::{Item, Scan, Tag};
use crate::extract::sense::Sense;
use crate::label::Level;

/// Binding looks around within a clause, so a bound on its length keeps the whole linear.
pub(super) const LONGEST_CLAUSE: usize = 400;

/// The marks of a clause that tell what an earlier study showed (rule 1): from the cue to the
/// end, or to a word that returns to the present.
pub(super) fn past(clause: &Clause, scan: &Scan, text: &str) -> Option<std::ops::Range<usize>> {
    let is_year = |at: usize| {
        clause.tag(at) == Some(Tag::Number)
            && matches!(text[scan.span(clause.items[at]).range()].parse(), Ok(1950..=2100))
    };
    let cue = (0..clause.marks.len()).find(|&at| match clause.sense(at) {
        Some(Sense::PriorStudy) => true,
        // "Before surgery the canal was ...", but not "prior severe stenosis".
        Some(Sense::Previously) => at == 0 && clause.items[at].end - clause.items[at].first > 1,
        Some(Sense::Exam) => {
            let earlier =
                at > 0 && (is_year(at - 1) || clause.sense(at - 1) == Some(Sense::Previously));
            let compared = at > 1
                && (at.saturating_sub(4)..at).any(|i| clause.sense(i) == Some(Sense::Unchanged));
            earlier && !compared
        }
        _ => false,
    })?;
    let end = (cue..clause.marks.len()).find(|&at| {
        let resumes = clause.tag(at) == Some(Tag::Comma) && clause.sense(at + 1) == Some(Sense::Be);
        resumes || clause.sense(at) == Some(Sense::Now)
    });
    Some(cue..end.unwrap_or(clause.marks.len()))
}

/// Cuts items into clauses: at full stops, semicolons and cell borders, before a label that names levels
/// ("... patent L5-S1: ..."), and before each level where punctuation is missing.
pub(super) fn sentences(items: &[Item]) -> Vec<std::ops::Range<usize>> {
    /// Without an "at" before its levels a shorter sentence may be none that has lost its punctuation.
    const LONG: usize = 40;
    let mut parts = Vec::new();
    let mut first = 0;
    let ends = |item: &Item| matches!(item.tag, Tag::Stop | Tag::Semicolon | Tag::Border);
    let runs_on = |from: usize| {
        let rest = &items[from..];
        is_run_on(&rest[..rest.iter().position(ends).unwrap_or(rest.len())], LONG)
    };
    let mut run_on = runs_on(0);
    for (at, item) in items.iter().enumerate() {
        if at - first >= LONGEST_CLAUSE {
            parts.push(first..at);
            first = at;
        }
        let ends = ends(item);
        let labels = at > first && matches!(item.tag, Tag::Levels(_)) && {
            let next = items[at + 1..]
                .iter()
                .find(|i| !matches!(i.tag, Tag::Term(Sense::LevelWord | Sense::Disc)));
            let listed = matches!(
                items[at - 1].tag,
                Tag::Comma
                    | Tag::Term(
                        Sense::And
                            | Sense::Of
                            | Sense::Filler
                            | Sense::LevelWord
                            | Sense::Above
                            | Sense::Below
                            | Sense::Except
                    )
            );
            (run_on || next.is_some_and(|i| i.tag == Tag::Colon)) && !listed
        };
        if ends || labels {
            if at > first {
                parts.push(first..at);
            }
            first = if ends { at + 1 } else { at };
            run_on = if ends { runs_on(first) } else { run_on };
        }
    }
    if first < items.len() {
        parts.push(first..items.len());
    }
    parts
}

/// "moderate and severe, respectively": a level for each claim.
pub(super) fn respective(
    clause: &Clause,
    claims: &[Claim],
    candidates: &[(usize, Place)],
) -> Option<Vec<Level>> {
    if !has(clause, |sense| sense == Sense::Respectively) {
        return None;
    }
    let levels = candidates.iter().find_map(|(_, place)| match place {
        Place::Named(levels) if levels.len() > 1 => Some(levels),
        _ => None,
    })?;
    (levels.len() == claims.len()).then(|| levels.to_vec())
}
