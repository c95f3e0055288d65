//! What is learned from: the text of a level, and what it says of each target.

use crate::engine::encoder::{Sequence, Vocabulary};
use crate::extract::Extractor;
use crate::label::{Cell, Certainty, Target};
use crate::learn::Gold;

/// One level of one report.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Example {
    /// What the network reads.
    pub sequence: Sequence,
    /// By target: 0 for not mentioned, else 1 more than the grade's place among all.
    pub classes: [i64; Target::ALL.len()],
    /// By target: 1 where the statement is hedged.
    pub hedged: [i64; Target::ALL.len()],
}

/// The examples of a report: a level each, of those that any text may bear on.
pub fn examples(
    Gold { text, labels, .. }: &Gold,
    extractor: &mut Extractor,
    vocabulary: &Vocabulary,
    longest: usize,
) -> Vec<Example> {
    let extraction = extractor.extract(text);
    extraction
        .passages()
        .iter()
        .map(|passage| {
            let label = |target| labels.get(Cell { level: passage.level, target });
            Example {
                sequence: vocabulary.sequence(text, passage, &extraction.namings, longest),
                classes: Target::ALL.map(|target| label(target).map_or(0, |l| l.grade as i64 + 1)),
                hedged: Target::ALL.map(|target| {
                    label(target).is_some_and(|l| l.certainty == Certainty::Hedged).into()
                }),
            }
        })
        .collect()
}
