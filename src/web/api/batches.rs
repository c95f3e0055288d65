//! Batches: what there is, how far it is, how far its readers agree.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::super::guard::Person;
use super::super::pages::agreement::{Asked, RESAMPLING};
use super::super::pages::batch::find;
use super::super::pages::batches::{Wanted, make};
use super::super::{Database, WebError};
use crate::archive::{BatchPlan, Order, Origin};
use crate::label::Mode;

/// The batches that the person may work on.
pub(in super::super) async fn list(
    person: Person,
    database: web::Data<Database>,
) -> Result<HttpResponse, WebError> {
    let user = person.user.id;
    let batches = database
        .read(move |archive| {
            let store = archive.store();
            let mut batches = Vec::new();
            for batch in store.batches_of(user)? {
                let (done, left) = store.own_progress(batch.id, user)?;
                batches.push(json!({
                    "batch": batch.id,
                    "name": batch.name,
                    "mode": batch.mode.name(),
                    "annotators": batch.annotators,
                    "done": done,
                    "left": left,
                }));
            }
            Ok(batches)
        })
        .await?;
    Ok(HttpResponse::Ok().json(json!({ "batches": batches })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct NewBatch {
    name: String,
    mode: Mode,
    annotators: u8,
    origin: Origin,
    #[serde(default)]
    order: Order,
    #[serde(default)]
    limit: Option<usize>,
    #[serde(default)]
    repeats: u8,
    #[serde(default)]
    seed: u64,
    #[serde(default)]
    users: Vec<String>,
}

/// Makes a batch.
pub(in super::super) async fn add(
    person: Person,
    database: web::Data<Database>,
    batch: web::Json<NewBatch>,
) -> Result<HttpResponse, WebError> {
    let NewBatch { name, mode, annotators, origin, order, limit, repeats, seed, users } =
        batch.into_inner();
    let plan = BatchPlan { origin, order, limit, repeats, seed };
    let batch = make(&person, &database, Wanted { name, mode, annotators, users, plan }).await?;
    Ok(HttpResponse::Ok().json(json!({ "batch": batch })))
}

/// How many reports one answer lists, at most.
const MOST_ITEMS: usize = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct From {
    #[serde(default)]
    offset: usize,
}

/// How far a batch is, and its reports in the order of work.
pub(in super::super) async fn show(
    _person: Person,
    database: web::Data<Database>,
    batch: web::Path<u64>,
    from: web::Query<From>,
) -> Result<HttpResponse, WebError> {
    let body = database
        .read(move |archive| {
            let (batch, store) = (find(archive, *batch)?, archive.store());
            Ok(json!({
                "batch": batch.id,
                "name": batch.name,
                "mode": batch.mode.name(),
                "annotators": batch.annotators,
                "open": batch.open,
                "progress": store.progress(&batch)?,
                "items": store.items(batch.id, None, from.offset, MOST_ITEMS)?,
            }))
        })
        .await?;
    Ok(HttpResponse::Ok().json(body))
}

/// How far the readers of a batch agree.
pub(in super::super) async fn agreement(
    _person: Person,
    database: web::Data<Database>,
    batch: web::Path<u64>,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, WebError> {
    let choice = asked.choice()?;
    let agreement = database
        .read(move |archive| {
            let batch = find(archive, *batch)?;
            Ok(archive.agreement(&batch, choice, RESAMPLING)?)
        })
        .await?;
    Ok(HttpResponse::Ok().json(agreement))
}
