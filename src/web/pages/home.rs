//! What someone has to do.

use actix_web::{HttpResponse, web};
use askama::Template;

use super::super::guard::Person;
use super::super::layout::{Shell, html};
use super::super::{Database, WebError};
use crate::store::{Batch, Role};

#[derive(Template)]
#[template(path = "web/home.html")]
struct HomePage {
    shell: Shell,
    batches: Vec<OwnBatch>,
    /// What waits for an adjudicator, for those who may be one.
    to_adjudicate: Option<Queue>,
}

/// What people have to settle.
struct Queue {
    /// Reports that wait for an adjudicator.
    waiting: u64,
    /// Reports that annotators have to read first: their present text is in no batch.
    in_no_batch: u64,
}

/// A batch as someone who works on it sees it.
struct OwnBatch {
    batch: Batch,
    done: u64,
    left: u64,
}

impl OwnBatch {
    fn percent(&self) -> u64 {
        (self.done * 100).checked_div(self.done + self.left).unwrap_or(0)
    }
}

/// The page.
pub(in super::super) async fn page(
    person: Person,
    database: web::Data<Database>,
) -> Result<HttpResponse, WebError> {
    let user = person.user.clone();
    let (batches, to_adjudicate) = database
        .read(move |archive| {
            let store = archive.store();
            let mut batches = Vec::new();
            for batch in store.batches_of(user.id)? {
                let (done, left) = store.own_progress(batch.id, user.id)?;
                batches.push(OwnBatch { batch, done, left });
            }
            let adjudicates = user.role >= Role::Adjudicator;
            let queue = if adjudicates {
                let (waiting, in_no_batch) =
                    (store.adjudication_queue()?, store.to_adjudicate_in_no_batch()?);
                Some(Queue { waiting, in_no_batch })
            } else {
                None
            };
            Ok((batches, queue))
        })
        .await?;
    html(&HomePage { shell: Shell::of(&person, "/"), batches, to_adjudicate })
}
