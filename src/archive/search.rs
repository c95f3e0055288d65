//! A search: the index finds, the store shows.

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
        let searcher = self.index.searcher()?;
        let query = asked.query;
        let counts = if asked.counts { Some(searcher.counts(query)?) } else { None };
        let facets = if asked.facets { Some(searcher.facets(query)?) } else { None };
        let (reports, numbers) = match counts {
            Some(counts) if asked.limit == 0 => (counts.reports, Vec::new()),
            _ => searcher.page(query, asked.sort, asked.offset, asked.limit)?,
        };
        let highlighter = Highlighter::new(query);
        let hits = self.store.snapshot(|store| {
            let hits = numbers.iter().map(|&number| hit(store, &highlighter, number));
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

/// The report of this number, with what the query asks for lit up.
fn hit(store: &Store, highlighter: &Highlighter, number: u64) -> Result<Option<Hit>, StoreError> {
    let Some(report) = store.report(number)? else { return Ok(None) };
    let label = store.label(number)?;
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
