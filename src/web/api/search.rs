//! The search.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::super::guard::Person;
use super::super::pages::search::{Wanted, find, sort};
use super::super::{Database, WebError};
use crate::archive::Hit;
use crate::search::query::Query;

/// The most reports that one answer holds.
const MOST: usize = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Search {
    query: String,
    #[serde(default)]
    sort: String,
    #[serde(default)]
    offset: usize,
    #[serde(default = "twenty")]
    limit: usize,
    #[serde(default)]
    facets: bool,
}

const fn twenty() -> usize {
    20
}

/// What a query finds.
pub(in super::super) async fn search(
    person: Person,
    database: web::Data<Database>,
    asked: web::Json<Search>,
) -> Result<HttpResponse, WebError> {
    let Search { query, sort: order, offset, limit, facets } = asked.into_inner();
    let query = Query::parse(&query)?;
    let wanted = Wanted { query, sort: sort(&order), offset, limit: limit.min(MOST), facets };
    let found = find(&person, &database, wanted).await?;
    let hits: Vec<_> = found.hits.iter().map(hit).collect();
    let counts = found.counts.unwrap_or_default();
    Ok(HttpResponse::Ok().json(json!({
        "reports": counts.reports,
        "studies": counts.studies,
        "patients": counts.patients,
        "behind": found.behind,
        "hits": hits,
        "facets": found.facets,
    })))
}

fn hit(hit: &Hit) -> serde_json::Value {
    let report = &hit.report.report;
    let cells: serde_json::Map<_, _> = hit
        .label
        .iter()
        .map(|stored| (stored.label.cell.to_string(), json!(stored.label.verdict)))
        .collect();
    json!({
        "report": hit.report.number,
        "source": report.source,
        "id": report.id,
        "status": hit.report.status.name(),
        "exam_date": report.exam_date,
        "cells": cells,
    })
}
