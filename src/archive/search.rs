//! A search: the index finds, the store shows.

use std::collections::HashSet;

use super::{Archive, ArchiveError};
use crate::label::{Evidence, Span};
use crate::search::query::Query;
use crate::search::{Counts, Facets, Highlighter, Snippet, Sort};
use crate::store::{Store, StoreError, StoredLabel, StoredReport};

/// How much of a text a snippet shows, in bytes.
const SNIPPET: usize = 240;

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked<'a> {
    /// The query.
    pub query: &'a Query,
    /// In what order.
    pub sort: Sort,
    /// How many reports come before the page.
    pub offset: usize,
    /// How many reports are on the page.
    pub limit: usize,
    /// Whether to count studies and patients too.
    pub counts: bool,
    /// Whether to count by cell, modality, year, sex and age.
    pub facets: bool,
}

/// A report that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The report.
    pub report: StoredReport,
    /// Its label.
    pub label: Vec<StoredLabel>,
    /// Where the query finds it.
    pub snippet: Snippet,
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// How many reports.
    pub reports: u64,
    /// How many reports, studies and patients, where asked for.
    pub counts: Option<Counts>,
    /// How they are spread, where asked for.
    pub facets: Option<Facets>,
    /// The page.
    pub hits: Vec<Hit>,
    /// How many changes of the archive the search does not know of yet.
    pub behind: u64,
}

impl Archive {
    /// Searches.
    ///
    /// # Errors
    /// Those of the store and of the index.
    pub fn search(&self, asked: &Asked<'_>) -> Result<Found, ArchiveError> {
        self.search_blind(asked, &HashSet::new())
    }

    /// Searches for someone who is to learn nothing of the labels of some reports, given by their
    /// numbers. These are shown without labels and counted under none; and a query that asks for
    /// labels does not find them, since to be found by it, or not to be, tells the label.
    ///
    /// # Errors
    /// Those of the store and of the index.
    pub fn search_blind(
        &self,
        asked: &Asked<'_>,
        blind: &HashSet<u64>,
    ) -> Result<Found, ArchiveError> {
        let all = self.index.searcher()?;
        let told = all.hiding(blind);
        let query = asked.query;
        let searcher = if asks_for_labels(query) { &told } else { &all };
        let counts = if asked.counts { Some(searcher.counts(query)?) } else { None };
        let mut facets = if asked.facets { Some(searcher.facets(query)?) } else { None };
        if let Some(facets) = &mut facets
            && !blind.is_empty()
        {
            facets.cells = told.facets(query)?.cells;
        }
        let (reports, numbers) = match counts {
            Some(counts) if asked.limit == 0 => (counts.reports, Vec::new()),
            _ => searcher.page(query, asked.sort, asked.offset, asked.limit)?,
        };
        let highlighter = Highlighter::new(query);
        let hits = self.store.snapshot(|store| {
            let hits = numbers
                .iter()
                .map(|number| hit(store, &highlighter, *number, blind.contains(number)));
            hits.filter_map(Result::transpose).collect::<Result<Vec<_>, StoreError>>()
        })?;
        let behind = self.store.change()?.saturating_sub(searcher.change());
        Ok(Found { reports, counts, facets, hits, behind })
    }

    /// The number of every report that a query finds, in order.
    ///
    /// # Errors
    /// Those of the index.
    pub fn find(&self, query: &Query) -> Result<Vec<u64>, ArchiveError> {
        Ok(self.index.searcher()?.all(query)?)
    }
}

/// Whether what a query finds depends on how reports are labelled.
fn asks_for_labels(query: &Query) -> bool {
    match query {
        Query::And(queries) | Query::Or(queries) => queries.iter().any(asks_for_labels),
        Query::Not(query) => asks_for_labels(query),
        Query::Cell(_) | Query::Status(_) | Query::Conflict | Query::By(_) => true,
        Query::All | Query::Text(_) | Query::Field(_) | Query::Finding(_) => false,
    }
}

/// The report of this number, with what the query asks for lit up; as good as unlabelled for who is
/// blind to it, so that no evidence of its readings is lit up either.
fn hit(
    store: &Store,
    highlighter: &Highlighter,
    number: u64,
    is_blind: bool,
) -> Result<Option<Hit>, StoreError> {
    let Some(report) = store.report(number)? else { return Ok(None) };
    let label = if is_blind { Vec::new() } else { store.label(number)? };
    let text = &report.report.text;
    let mut spans =
        highlighter.spans(text, &store.sections(report.version)?, &store.mentions(report.version)?);
    if label.iter().any(|label| highlighter.wants(&label.label)) {
        spans.extend(evidence(store, highlighter, &report)?);
    }
    let snippet = Snippet::new(text, spans, SNIPPET);
    Ok(Some(Hit { label, snippet, report }))
}

/// The words behind the opinions that the query asks for, of everyone who has read this text.
fn evidence(
    store: &Store,
    highlighter: &Highlighter,
    report: &StoredReport,
) -> Result<Vec<Span>, StoreError> {
    let mut spans = Vec::new();
    for reading in store.current_readings(report.version)? {
        for opinion in reading.body.opinions.iter().filter(|o| highlighter.wants(&(*o).into())) {
            match &opinion.evidence {
                Evidence::Statements(statements) => {
                    spans.extend(statements.iter().flat_map(|s| s.evidence.iter().copied()));
                }
                Evidence::Spans(marked) => spans.extend(marked),
                Evidence::Image(_) => {}
            }
        }
    }
    Ok(spans)
}
