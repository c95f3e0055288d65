//! The search. Queries travel in the body, since a query may name a patient and URLs are logged.

use std::collections::HashSet;

use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::super::guard::Person;
use super::super::layout::{Shell, html};
use super::super::{Database, WebError};
use crate::archive::{Archive, Asked, Found, Hit};
use crate::label::{Cell, TARGETS, TargetRow, Verdict};
use crate::page::{Tone, tone_of};
use crate::search::query::Query;
use crate::search::{CellCounts, Facets, Sort};
use crate::store::{Action, Role, SavedQuery, User};

/// How many reports are on a page.
const HITS: usize = 20;

#[derive(Template)]
#[template(path = "web/search.html")]
struct SearchPage {
    shell: Shell,
    query: String,
    sort: String,
    saved: Vec<SavedQuery>,
    error: Option<String>,
    found: Option<Results>,
}

/// What was found.
struct Results {
    found: Found,
    facets: Facets,
    offset: usize,
}

impl SearchPage {
    fn is_lead(&self) -> bool {
        self.shell.role.is_some_and(|role| role >= Role::Lead)
    }

    fn sorts(&self) -> [(&'static str, &'static str); 3] {
        [("relevance", "best first"), ("newest", "newest first"), ("oldest", "oldest first")]
    }
}

impl Results {
    fn next(&self) -> Option<usize> {
        let next = self.offset.saturating_add(HITS);
        (next < self.found.reports as usize).then_some(next)
    }

    fn before(&self) -> Option<usize> {
        self.offset.checked_sub(HITS)
    }

    /// The cells that anything is said of, with how often which verdict.
    fn matrix(&self) -> Vec<(Cell, Vec<(Verdict, u64)>)> {
        let row = |cell: Cell| {
            let counts = CellCounts::verdicts().map(|v| (v, self.facets.cells.get(cell, v)));
            (cell, counts.collect::<Vec<_>>())
        };
        Cell::all().map(row).filter(|(_, row)| row.iter().any(|(_, count)| *count > 0)).collect()
    }

    fn verdicts(&self) -> Vec<&'static Tone> {
        CellCounts::verdicts().map(tone_of).collect()
    }
}

fn tone(verdict: &Verdict) -> &'static Tone {
    tone_of(*verdict)
}

/// What a facet adds to the query.
fn cell_term(cell: &Cell, verdict: &Verdict) -> String {
    format!("{}.{}={}", cell.level, cell.target, verdict.name())
}

fn target_of(cell: &Cell) -> &'static TargetRow {
    &TARGETS[cell.target as usize]
}

/// The labels of a hit that state a narrowing, worst first, as far as there is room.
fn worst(hit: &Hit) -> Vec<(Cell, Verdict)> {
    let mut labels: Vec<(Cell, Verdict)> =
        hit.label.iter().map(|stored| (stored.label.cell, stored.label.verdict)).collect();
    labels.retain(|(_, verdict)| verdict.grade().is_some_and(|grade| grade.is_stenosis()));
    labels.sort_by_key(|(_, verdict)| {
        std::cmp::Reverse(verdict.grade().and_then(|grade| grade.rank()))
    });
    labels.truncate(6);
    labels
}

async fn saved(database: &Database) -> Result<Vec<SavedQuery>, WebError> {
    database.read(|archive| Ok(archive.store().saved_queries()?)).await
}

/// The empty form.
pub(in super::super) async fn form(
    person: Person,
    database: web::Data<Database>,
) -> Result<HttpResponse, WebError> {
    html(&SearchPage {
        shell: Shell::of(&person, "/search"),
        query: String::new(),
        sort: "relevance".to_owned(),
        saved: saved(&database).await?,
        error: None,
        found: None,
    })
}

#[derive(Deserialize)]
pub(in super::super) struct Search {
    query: String,
    #[serde(default)]
    sort: String,
    #[serde(default)]
    offset: usize,
}

/// The order of this name; the best first where there is none.
pub(in super::super) fn sort(name: &str) -> Sort {
    match name {
        "newest" => Sort::Newest,
        "oldest" => Sort::Oldest,
        "number" => Sort::Number,
        _ => Sort::Relevance,
    }
}

/// What someone wants to find.
pub(in super::super) struct Wanted {
    pub query: Query,
    pub sort: Sort,
    pub offset: usize,
    pub limit: usize,
    pub facets: bool,
}

/// Searches in someone's name: they learn nothing of labels that they are not to see yet, and which
/// reports they were shown is logged; not what they asked for, since a query may name someone.
pub(in super::super) async fn find(
    person: &Person,
    database: &Database,
    wanted: Wanted,
) -> Result<Found, WebError> {
    let user = person.user.clone();
    let found = database
        .read(move |archive| {
            let Wanted { query, sort, offset, limit, facets } = wanted;
            let asked = Asked { query: &query, sort, offset, limit, counts: true, facets };
            Ok(archive.search_blind(&asked, &blind_to(archive, &user)?)?)
        })
        .await?;
    let shown: Vec<u64> = found.hits.iter().map(|hit| hit.report.number).collect();
    database
        .write(&person.user.name, move |writer| {
            Ok(writer.audit(Action::Search, "reports", &shown)?)
        })
        .await?;
    Ok(found)
}

/// The reports that an annotator is still to read blind, by their numbers. Who settles reports sees
/// all labels.
fn blind_to(archive: &Archive, user: &User) -> Result<HashSet<u64>, WebError> {
    if user.role >= Role::Adjudicator {
        return Ok(HashSet::new());
    }
    Ok(archive.store().reports_blind_to(user.id)?)
}

/// What a query finds.
pub(in super::super) async fn results(
    person: Person,
    database: web::Data<Database>,
    form: web::Form<Search>,
) -> Result<HttpResponse, WebError> {
    let Search { query, sort: order, offset } = form.into_inner();
    let mut page = SearchPage {
        shell: Shell::of(&person, "/search"),
        query: query.clone(),
        sort: order.clone(),
        saved: saved(&database).await?,
        error: None,
        found: None,
    };
    let parsed = match Query::parse(&query) {
        Ok(parsed) => parsed,
        Err(error) => {
            page.error = Some(error.to_string());
            return html(&page);
        }
    };
    let wanted = Wanted { query: parsed, sort: sort(&order), offset, limit: HITS, facets: true };
    let found = find(&person, &database, wanted).await?;
    let facets = found.facets.clone().unwrap_or_default();
    page.found = Some(Results { found, facets, offset });
    html(&page)
}
