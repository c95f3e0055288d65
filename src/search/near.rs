//! Words near each other.
//!
//! tantivy's own slop is exact for two words and a heuristic beyond; counts here are exact. Each
//! word's places are shifted back by its place in the phrase, so that an exact phrase has all its
//! words in one place; a report is found where the words, one each, lie within `slop` places.

use tantivy::postings::Postings;
use tantivy::query::{EmptyScorer, EnableScoring, Explanation, Query, Scorer, Weight};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, DocSet, Score, SegmentReader, TERMINATED, Term};

/// Words, each with its place in the phrase, that lie within `slop` places of it.
#[derive(Debug, Clone)]
pub(super) struct NearQuery {
    terms: Vec<(u32, Term)>,
    slop: u32,
}

impl NearQuery {
    /// Of at least one term, all of one field that keeps positions.
    pub const fn new(terms: Vec<(u32, Term)>, slop: u32) -> Self {
        Self { terms, slop }
    }
}

impl Query for NearQuery {
    fn weight(&self, _: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(self.clone()))
    }

    fn query_terms<'a>(&'a self, visitor: &mut dyn FnMut(&'a Term, bool)) {
        self.terms.iter().for_each(|(_, term)| visitor(term, true));
    }
}

impl Weight for NearQuery {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let mut words = Vec::new();
        for (place, term) in &self.terms {
            let index = reader.inverted_index(term.field())?;
            let option = IndexRecordOption::WithFreqsAndPositions;
            match index.read_postings(term, option)? {
                Some(postings) => words.push(Word { place: *place, postings: Box::new(postings) }),
                None => return Ok(Box::new(EmptyScorer)),
            }
        }
        // Driven by the rarest word.
        words.sort_by_key(|word| word.postings.size_hint());
        let mut scorer =
            NearScorer { words, slop: self.slop, boost, places: Vec::new(), of_word: Vec::new() };
        let first = scorer.doc();
        scorer.settle(first);
        Ok(Box::new(scorer))
    }

    fn explain(&self, reader: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        let mut scorer = self.scorer(reader, 1.0)?;
        if scorer.seek(doc) != doc {
            return Err(tantivy::TantivyError::InvalidArgument(format!("{doc} does not match")));
        }
        Ok(Explanation::new("words near each other", scorer.score()))
    }
}

struct Word {
    /// Its place in the phrase.
    place: u32,
    postings: Box<dyn Postings>,
}

struct NearScorer {
    words: Vec<Word>,
    slop: u32,
    boost: Score,
    /// Scratch: every shifted place of every word, with the word.
    places: Vec<(i64, usize)>,
    of_word: Vec<u32>,
}

impl NearScorer {
    /// Moves on from `doc` to the first report that matches.
    fn settle(&mut self, mut doc: DocId) -> DocId {
        while doc != TERMINATED {
            match self.first_without(doc) {
                Some(next) => doc = self.words[0].postings.seek(next),
                None if self.is_near() => return doc,
                None => doc = self.words[0].postings.advance(),
            }
        }
        TERMINATED
    }

    /// Where some word is not in `doc`, the next report that has that word.
    fn first_without(&mut self, doc: DocId) -> Option<DocId> {
        for word in &mut self.words[1..] {
            let at = word.postings.doc();
            let at = if at < doc { word.postings.seek(doc) } else { at };
            if at != doc {
                return Some(at);
            }
        }
        None
    }

    /// Whether the words of the present report lie within the slop: the narrowest stretch of
    /// places that has each word, found in one pass over the places in order.
    fn is_near(&mut self) -> bool {
        self.places.clear();
        for (number, word) in self.words.iter_mut().enumerate() {
            word.postings.positions(&mut self.of_word);
            let shifted = self.of_word.iter().map(|&at| i64::from(at) - i64::from(word.place));
            self.places.extend(shifted.map(|place| (place, number)));
        }
        self.places.sort_unstable();
        let mut last = vec![None; self.words.len()];
        self.places.iter().any(|&(place, number)| {
            last[number] = Some(place);
            let earliest = last.iter().copied().min().flatten();
            earliest.is_some_and(|earliest| place - earliest <= i64::from(self.slop))
        })
    }
}

impl DocSet for NearScorer {
    fn advance(&mut self) -> DocId {
        let next = self.words[0].postings.advance();
        self.settle(next)
    }

    fn seek(&mut self, target: DocId) -> DocId {
        let doc = self.doc();
        if doc >= target {
            return doc;
        }
        let next = self.words[0].postings.seek(target);
        self.settle(next)
    }

    fn doc(&self) -> DocId {
        self.words[0].postings.doc()
    }

    fn size_hint(&self) -> u32 {
        self.words[0].postings.size_hint()
    }
}

impl Scorer for NearScorer {
    fn score(&mut self) -> Score {
        self.boost
    }
}
