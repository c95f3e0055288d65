//! Batches: what there is, how far it is, how far its readers agree.

use actix_web::{HttpResponse, web};
use serde_json::json;

use super::super::guard::Person;
use super::super::pages::agreement::{Asked, RESAMPLING};
use super::super::pages::batch::find;
use super::super::{Database, WebError};

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
