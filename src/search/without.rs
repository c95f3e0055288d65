//! What a query does not find.
//!
//! tantivy walks along what is excluded by leaps, and some of its walkers lose their place on the
//! way: phrases fail an assertion, ranges a subtraction. Here everything excluded is looked up
//! first, a bit a report, which costs what counting it costs.

use tantivy::query::{
    BitSetDocSet, ConstScorer, EnableScoring, Explanation, Query, Scorer, Weight,
};
use tantivy::{BitSet, DocId, Score, SegmentReader};

/// Everything that a query does not find.
#[derive(Debug)]
pub(super) struct WithoutQuery(pub Box<dyn Query>);

impl Clone for WithoutQuery {
    fn clone(&self) -> Self {
        Self(self.0.box_clone())
    }
}

impl Query for WithoutQuery {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        let excluded = self.0.weight(scoring)?;
        Ok(Box::new(WithoutWeight { excluded }))
    }
}

struct WithoutWeight {
    excluded: Box<dyn Weight>,
}

impl Weight for WithoutWeight {
    fn scorer(&self, reader: &SegmentReader, _: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let mut left = BitSet::with_max_value_and_full(reader.max_doc());
        self.excluded.for_each_no_score(reader, &mut |found| {
            found.iter().for_each(|&doc| left.remove(doc));
        })?;
        Ok(Box::new(ConstScorer::new(BitSetDocSet::from(left), 0.0)))
    }

    fn explain(&self, _: &SegmentReader, _: DocId) -> tantivy::Result<Explanation> {
        Ok(Explanation::new("not found by what is excluded", 0.0))
    }
}
