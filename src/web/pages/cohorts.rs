//! Cohorts and saved queries.

use actix_web::http::header::ContentType;
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::super::guard::Person;
use super::super::layout::{Shell, html, see};
use super::super::{Database, WebError};
use crate::archive::{Archive, Keep, Plan, Recipe};
use crate::page::{FlowStep, flow_chart};
use crate::search::query::Query;
use crate::store::{Cohort, SavedQuery};

#[derive(Template)]
#[template(path = "web/cohorts.html")]
struct CohortsPage {
    shell: Shell,
    cohorts: Vec<Cohort>,
    queries: Vec<SavedQuery>,
}

/// The page.
pub(in super::super) async fn page(
    person: Person,
    database: web::Data<Database>,
) -> Result<HttpResponse, WebError> {
    let (cohorts, queries) = database
        .read(|archive| Ok((archive.store().cohorts()?, archive.store().saved_queries()?)))
        .await?;
    html(&CohortsPage { shell: Shell::of(&person, "/cohorts"), cohorts, queries })
}

#[derive(Deserialize)]
pub(in super::super) struct Freeze {
    name: String,
    /// One query a line, each of which narrows what the one before it leaves.
    query: String,
    #[serde(default)]
    keep: String,
}

/// Freezes what queries find.
pub(in super::super) async fn freeze(
    person: Person,
    database: web::Data<Database>,
    form: web::Form<Freeze>,
) -> Result<HttpResponse, WebError> {
    let Freeze { name, query, keep } = form.into_inner();
    let name = named(&name)?;
    let lines = query.lines().map(str::trim).filter(|line| !line.is_empty());
    let queries = lines.map(Query::parse).collect::<Result<Vec<_>, _>>()?;
    let keep = match keep.as_str() {
        "first" => Keep::FirstStudy,
        "last" => Keep::LastStudy,
        _ => Keep::All,
    };
    let plan = Plan { queries, keep, sample: None, split: None };
    let selection = database.read(move |archive| Ok(archive.choose(&plan)?)).await?;
    if selection.members.is_empty() {
        return Err(WebError::Bad("nothing is found, so there is nothing to freeze".to_owned()));
    }
    database.write(&person.user.name, move |writer| Ok(selection.freeze(writer, &name)?)).await?;
    Ok(see("/cohorts"))
}

fn named(name: &str) -> Result<String, WebError> {
    let name = name.trim();
    if name.is_empty() || name.len() > 100 {
        return Err(WebError::Bad("a name has 1 to 100 characters".to_owned()));
    }
    Ok(name.to_owned())
}

#[derive(Deserialize)]
pub(in super::super) struct Save {
    name: String,
    query: String,
}

/// Saves a query under a name.
pub(in super::super) async fn save_query(
    person: Person,
    database: web::Data<Database>,
    form: web::Form<Save>,
) -> Result<HttpResponse, WebError> {
    let Save { name, query } = form.into_inner();
    let name = named(&name)?;
    Query::parse(&query)?;
    database.write(&person.user.name, move |writer| Ok(writer.save_query(&name, &query)?)).await?;
    Ok(see("/cohorts"))
}

#[derive(Template)]
#[template(path = "web/cohort.html")]
struct CohortPage {
    shell: Shell,
    cohort: Cohort,
    recipe: Recipe,
}

fn find(archive: &Archive, id: u64) -> Result<Cohort, WebError> {
    let all = archive.store().cohorts()?;
    all.into_iter().find(|cohort| cohort.id == id).ok_or(WebError::NotFound)
}

/// One cohort and how it was chosen.
pub(in super::super) async fn cohort(
    person: Person,
    database: web::Data<Database>,
    id: web::Path<u64>,
) -> Result<HttpResponse, WebError> {
    let cohort = database.read(move |archive| find(archive, *id)).await?;
    let recipe = Archive::recipe(&cohort)?;
    html(&CohortPage { shell: Shell::of(&person, "/cohorts"), cohort, recipe })
}

/// How a cohort was chosen, as a flow chart that stands alone.
pub(in super::super) async fn flow(
    _person: Person,
    database: web::Data<Database>,
    id: web::Path<u64>,
) -> Result<HttpResponse, WebError> {
    let cohort = database.read(move |archive| find(archive, *id)).await?;
    let steps: Vec<FlowStep> = Archive::recipe(&cohort)?
        .steps
        .into_iter()
        .map(|step| FlowStep {
            name: step.name,
            reports: step.reports,
            studies: step.studies,
            patients: step.patients,
        })
        .collect();
    let chart = flow_chart(&cohort.name, &steps)?;
    Ok(HttpResponse::Ok()
        .content_type(ContentType("image/svg+xml".parse().map_err(|_| WebError::Busy)?))
        // The chart brings its own style and nothing else.
        .insert_header(("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"))
        .body(chart))
}
