//! Searches in the index as it is at one moment.

use tantivy::collector::{Count, TopDocs};
use tantivy::columnar::Column;
use tantivy::{DocAddress, Order};

use super::collect::{Distinct, FacetCounts, Numbers};
use super::compile::compile;
use super::query::Query;
use super::schema::{Fields, column};
use super::{Counts, Facets, SearchError, Sort};

/// The index at one moment.
pub struct Searcher {
    searcher: tantivy::Searcher,
    fields: Fields,
    change: u64,
}

impl std::fmt::Debug for Searcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Searcher").field("change", &self.change).finish_non_exhaustive()
    }
}

impl Searcher {
    pub(super) const fn new(searcher: tantivy::Searcher, fields: Fields, change: u64) -> Self {
        Self { searcher, fields, change }
    }

    /// The last change of the archive that is searched.
    pub const fn change(&self) -> u64 {
        self.change
    }

    /// How many reports, studies and patients a query finds. Reports without a patient's id count
    /// towards no patient.
    ///
    /// # Errors
    /// Where the index is torn.
    pub fn counts(&self, query: &Query) -> Result<Counts, SearchError> {
        let compiled = compile(query, &self.fields)?;
        let collectors = (Count, Distinct(column::STUDY), Distinct(column::PATIENT));
        let (reports, studies, patients) = self.searcher.search(&compiled, &collectors)?;
        Ok(Counts { reports: reports as u64, studies: studies.len(), patients: patients.len() })
    }

    /// How many reports a query finds, and the numbers of those on one page: `limit` of them after
    /// the first `offset`.
    ///
    /// # Errors
    /// Where the index is torn.
    pub fn page(
        &self,
        query: &Query,
        sort: Sort,
        offset: usize,
        limit: usize,
    ) -> Result<(u64, Vec<u64>), SearchError> {
        let compiled = compile(query, &self.fields)?;
        if limit == 0 {
            return Ok((self.searcher.search(&compiled, &Count)? as u64, Vec::new()));
        }
        let top = TopDocs::with_limit(limit).and_offset(offset);
        let column = match sort {
            Sort::Relevance => None,
            Sort::Newest => Some((column::DATE, Order::Desc)),
            Sort::Oldest => Some((column::DATE, Order::Asc)),
            Sort::Number => Some((column::REPORT, Order::Asc)),
        };
        let (count, found) = match column {
            Some((column, order)) => {
                let top = top.order_by_u64_field(column, order);
                let (count, found) = self.searcher.search(&compiled, &(Count, top))?;
                (count, addresses(found))
            }
            // The best reports by a single word are found without looking at most of the others,
            // and how many there are is known beforehand.
            None if matches!(query, Query::Text(_)) => {
                let count = self.searcher.search(&compiled, &Count)?;
                (count, addresses(self.searcher.search(&compiled, &top.order_by_score())?))
            }
            None => {
                let both = (Count, top.order_by_score());
                let (count, found) = self.searcher.search(&compiled, &both)?;
                (count, addresses(found))
            }
        };
        Ok((count as u64, self.numbers_of(&found)?))
    }

    /// The number of every report that a query finds, in their order.
    ///
    /// # Errors
    /// Where the index is torn.
    pub fn all(&self, query: &Query) -> Result<Vec<u64>, SearchError> {
        let compiled = compile(query, &self.fields)?;
        let mut numbers = self.searcher.search(&compiled, &Numbers)?;
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// How what a query finds is spread over cells and verdicts, modalities, years, sexes and ages.
    ///
    /// # Errors
    /// Where the index is torn.
    pub fn facets(&self, query: &Query) -> Result<Facets, SearchError> {
        let compiled = compile(query, &self.fields)?;
        Ok(self.searcher.search(&compiled, &FacetCounts)?)
    }

    fn numbers_of(&self, found: &[DocAddress]) -> Result<Vec<u64>, SearchError> {
        let number = |address: &DocAddress| -> Result<u64, SearchError> {
            let segment = self.searcher.segment_reader(address.segment_ord);
            let column: Column<u64> = segment.fast_fields().u64(column::REPORT)?;
            column.first(address.doc_id).ok_or(SearchError::Stale)
        };
        found.iter().map(number).collect()
    }
}

fn addresses<S>(found: Vec<(S, DocAddress)>) -> Vec<DocAddress> {
    found.into_iter().map(|(_, address)| address).collect()
}
