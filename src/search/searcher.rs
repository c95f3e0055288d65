//! Searches in the index as it is at one moment.

use std::collections::HashSet;
use std::sync::Arc;

use tantivy::collector::{Collector, Count, FilterCollector, TopDocs};
use tantivy::columnar::Column;
use tantivy::query::Query as Compiled;
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
    /// The numbers of reports that are passed over.
    hidden: Arc<HashSet<u64>>,
}

impl std::fmt::Debug for Searcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Searcher").field("change", &self.change).finish_non_exhaustive()
    }
}

impl Searcher {
    pub(super) fn new(searcher: tantivy::Searcher, fields: Fields, change: u64) -> Self {
        Self { searcher, fields, change, hidden: Arc::default() }
    }

    /// The same index at the same moment, as if it had no reports of these numbers.
    #[must_use]
    pub fn hiding(&self, reports: &HashSet<u64>) -> Self {
        let (searcher, fields, change) = (self.searcher.clone(), self.fields, self.change);
        Self { searcher, fields, change, hidden: Arc::new(reports.clone()) }
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
        let (reports, studies, patients) = self.search(&compiled, collectors)?;
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
        // Sorting makes room for everything up to the end of the page before it knows how much is
        // found, so that a page may not end further on than there are reports.
        let end = offset.saturating_add(limit).min(self.searcher.num_docs() as usize);
        if end <= offset {
            return Ok((self.search(&compiled, Count)? as u64, Vec::new()));
        }
        let top = TopDocs::with_limit(end - offset).and_offset(offset);
        let column = match sort {
            Sort::Relevance => None,
            Sort::Newest => Some((column::DATE, Order::Desc)),
            Sort::Oldest => Some((column::DATE, Order::Asc)),
            Sort::Number => Some((column::REPORT, Order::Asc)),
        };
        let (count, found) = match column {
            Some((column, order)) => {
                let top = top.order_by_u64_field(column, order);
                let (count, found) = self.search(&compiled, (Count, top))?;
                (count, addresses(found))
            }
            // The best reports by a single word are found without looking at most of the others,
            // and how many there are is known beforehand.
            None if matches!(query, Query::Text(_)) => {
                let count = self.search(&compiled, Count)?;
                (count, addresses(self.search(&compiled, top.order_by_score())?))
            }
            None => {
                let (count, found) = self.search(&compiled, (Count, top.order_by_score()))?;
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
        let mut numbers = self.search(&compiled, Numbers)?;
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// How what a query finds is spread over cells and verdicts, modalities, years, sexes and ages.
    ///
    /// # Errors
    /// Where the index is torn.
    pub fn facets(&self, query: &Query) -> Result<Facets, SearchError> {
        let compiled = compile(query, &self.fields)?;
        self.search(&compiled, FacetCounts)
    }

    /// What a collector gathers of everything found that is not hidden.
    fn search<C: Collector>(
        &self,
        query: &dyn Compiled,
        collector: C,
    ) -> Result<C::Fruit, SearchError> {
        if self.hidden.is_empty() {
            return Ok(self.searcher.search(query, &collector)?);
        }
        let hidden = Arc::clone(&self.hidden);
        let is_shown = move |report: u64| !hidden.contains(&report);
        let shown: FilterCollector<_, _, u64> =
            FilterCollector::new(column::REPORT.to_owned(), is_shown, collector);
        Ok(self.searcher.search(query, &shown)?)
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
