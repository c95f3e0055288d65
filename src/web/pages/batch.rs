//! One batch: how far it is, who did what, and its reports.

use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::super::guard::Person;
use super::super::layout::{Shell, html, see};
use super::super::{Database, WebError};
use super::chart::{Bars, bars};
use crate::archive::Archive;
use crate::store::{Batch, DayOfWork, Item, Progress};

/// How many reports are on a page.
const ITEMS: usize = 100;

#[derive(Template)]
#[template(path = "web/batch.html")]
struct BatchPage {
    shell: Shell,
    batch: Batch,
    progress: Progress,
    people: Vec<Share>,
    days: Bars,
    items: Vec<Item>,
    state: String,
    offset: usize,
    /// Days that the rest takes at the pace of the last week; none without a pace.
    days_left: Option<u64>,
}

/// What one person did.
struct Share {
    user: String,
    finished: u64,
    seconds_each: f64,
}

impl BatchPage {
    fn states(&self) -> [&'static str; 7] {
        ["open", "claimed", "sent back", "agreed", "to adjudicate", "settled", "superseded"]
    }

    fn next(&self) -> Option<usize> {
        (self.items.len() == ITEMS).then_some(self.offset + ITEMS)
    }
}

/// The batch of this number.
pub(in super::super) fn find(archive: &Archive, batch: u64) -> Result<Batch, WebError> {
    archive.store().batch(batch)?.ok_or(WebError::NotFound)
}

#[derive(Deserialize)]
pub(in super::super) struct Which {
    #[serde(default)]
    state: String,
    #[serde(default)]
    offset: usize,
}

/// The page.
pub(in super::super) async fn page(
    person: Person,
    database: web::Data<Database>,
    batch: web::Path<u64>,
    which: web::Query<Which>,
) -> Result<HttpResponse, WebError> {
    let Which { state, offset } = which.into_inner();
    let asked = Some(state.clone()).filter(|state| !state.is_empty());
    let (batch, progress, days, items) = database
        .read(move |archive| {
            let batch = find(archive, *batch)?;
            let store = archive.store();
            let items = store.items(batch.id, asked.as_deref(), offset, ITEMS)?;
            let (progress, days) = (store.progress(&batch)?, store.days_of_work(batch.id)?);
            Ok((batch, progress, days, items))
        })
        .await?;
    html(&BatchPage {
        shell: Shell::of(&person, "/batches"),
        people: shares(&days),
        days_left: days_left(&progress, &days),
        days: per_day(&days),
        batch,
        progress,
        items,
        state,
        offset,
    })
}

fn shares(days: &[DayOfWork]) -> Vec<Share> {
    let mut people: Vec<Share> = Vec::new();
    for day in days {
        let known = people.iter_mut().find(|share| share.user == day.user);
        match known {
            Some(share) => {
                share.seconds_each += day.seconds;
                share.finished += day.finished;
            }
            None => people.push(Share {
                user: day.user.clone(),
                finished: day.finished,
                seconds_each: day.seconds,
            }),
        }
    }
    for share in &mut people {
        share.seconds_each /= share.finished.max(1) as f64;
    }
    people.sort_by_key(|share| std::cmp::Reverse(share.finished));
    people
}

fn per_day(days: &[DayOfWork]) -> Bars {
    let mut sums: Vec<(String, u64)> = Vec::new();
    for day in days {
        match sums.last_mut() {
            Some((last, sum)) if *last == day.day => *sum += day.finished,
            _ => sums.push((day.day.clone(), day.finished)),
        }
    }
    bars(&sums[sums.len().saturating_sub(30)..])
}

/// At the mean pace of the last seven days on which anyone worked.
fn days_left(progress: &Progress, days: &[DayOfWork]) -> Option<u64> {
    let mut worked: Vec<&str> = days.iter().map(|day| day.day.as_str()).collect();
    worked.dedup();
    let recent = &worked[worked.len().saturating_sub(7)..];
    let done: u64 = days.iter().filter(|d| recent.contains(&&*d.day)).map(|d| d.finished).sum();
    let left = progress.needed.saturating_sub(progress.finished);
    (left * recent.len() as u64).checked_div(done)
}

#[derive(Deserialize)]
pub(in super::super) struct Open {
    open: bool,
}

/// Opens a batch for work, or closes it.
pub(in super::super) async fn set_open(
    person: Person,
    database: web::Data<Database>,
    batch: web::Path<u64>,
    form: web::Form<Open>,
) -> Result<HttpResponse, WebError> {
    let id = *batch;
    let batch = database.read(move |archive| find(archive, id)).await?;
    database
        .write(&person.user.name, move |writer| Ok(writer.set_batch_open(&batch, form.open)?))
        .await?;
    Ok(see(&format!("/batches/{id}")))
}
