//! Every batch, and the form that makes one.

use std::str::FromStr;

use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::super::guard::Person;
use super::super::layout::{Shell, html, see};
use super::super::{Database, WebError};
use crate::archive::{BatchPlan, Order, Origin, add_batch};
use crate::label::Mode;
use crate::store::{Batch, Cohort, Progress, User};

#[derive(Template)]
#[template(path = "web/batches.html")]
struct BatchesPage {
    shell: Shell,
    batches: Vec<(Batch, Progress)>,
    cohorts: Vec<Cohort>,
    users: Vec<User>,
    /// A query that was brought along from the search.
    query: String,
}

/// The page.
pub(in super::super) async fn page(
    person: Person,
    database: web::Data<Database>,
) -> Result<HttpResponse, WebError> {
    show(&person, &database, String::new()).await
}

#[derive(Deserialize)]
pub(in super::super) struct Brought {
    query: String,
}

/// The page with a query that was brought along from the search.
pub(in super::super) async fn draft(
    person: Person,
    database: web::Data<Database>,
    brought: web::Form<Brought>,
) -> Result<HttpResponse, WebError> {
    show(&person, &database, brought.into_inner().query).await
}

async fn show(
    person: &Person,
    database: &Database,
    query: String,
) -> Result<HttpResponse, WebError> {
    let (batches, cohorts, users) = database
        .read(|archive| {
            let store = archive.store();
            let batches = store.batches()?.into_iter().map(|batch| {
                let progress = store.progress(&batch)?;
                Ok((batch, progress))
            });
            let batches = batches.collect::<Result<Vec<_>, WebError>>()?;
            let users = store.users()?.into_iter().filter(|user| user.active).collect();
            Ok((batches, store.cohorts()?, users))
        })
        .await?;
    html(&BatchesPage { shell: Shell::of(person, "/batches"), batches, cohorts, users, query })
}

/// The form, as browsers send it.
#[derive(Deserialize)]
pub(in super::super) struct NewBatch {
    name: String,
    from: String,
    #[serde(default)]
    query: String,
    #[serde(default)]
    cohort: String,
    #[serde(default)]
    ids: String,
    mode: String,
    annotators: u8,
    order: String,
    limit: String,
    repeats: u8,
    seed: u64,
    #[serde(default)]
    users: String,
}

impl NewBatch {
    fn origin(&self) -> Result<Origin, WebError> {
        match self.from.as_str() {
            "query" => Ok(Origin::Query(self.query.clone())),
            "cohort" if self.cohort.is_empty() => {
                Err(WebError::Bad("choose the cohort that the reports come from".to_owned()))
            }
            "cohort" => Ok(Origin::Cohort(self.cohort.clone())),
            _ => {
                let lines = self.ids.lines().map(str::trim).filter(|line| !line.is_empty());
                Ok(Origin::Ids(lines.map(str::to_owned).collect()))
            }
        }
    }

    fn order(&self) -> Result<Order, WebError> {
        match self.order.as_str() {
            "random" => Ok(Order::Random),
            "oldest" => Ok(Order::Oldest),
            "uncertain" => Ok(Order::Uncertain),
            "disagreed" => Ok(Order::Disagreed),
            other => Err(WebError::Bad(format!("`{other}` is no order of a batch"))),
        }
    }

    fn mode(&self) -> Result<Mode, WebError> {
        match Mode::from_str(&self.mode) {
            Ok(mode @ (Mode::Blind | Mode::Assisted)) => Ok(mode),
            _ => Err(WebError::Bad("a batch is blind or assisted".to_owned())),
        }
    }
}

/// Makes a batch.
pub(in super::super) async fn add(
    person: Person,
    database: web::Data<Database>,
    form: web::Form<NewBatch>,
) -> Result<HttpResponse, WebError> {
    let form = form.into_inner();
    let name = form.name.trim().to_owned();
    if name.is_empty() {
        return Err(WebError::Bad("a batch needs a name".to_owned()));
    }
    if !(1..=5).contains(&form.annotators) {
        return Err(WebError::Bad("a report is read by 1 to 5 people".to_owned()));
    }
    let limit = match form.limit.trim() {
        "" => None,
        limit => Some(limit.parse().map_err(|_| {
            WebError::Bad(format!("`{limit}` is no number of reports; leave it empty for all"))
        })?),
    };
    let plan = BatchPlan {
        origin: form.origin()?,
        order: form.order()?,
        limit,
        repeats: form.repeats.min(50),
        seed: form.seed,
    };
    let (mode, annotators) = (form.mode()?, form.annotators);
    let names = form.users.clone();
    let planned = plan.clone();
    let (items, users) = database
        .read(move |archive| {
            let items = archive.plan_batch(&planned)?.map_err(WebError::Bad)?;
            let mut users = Vec::new();
            for name in names.split([',', '\n']).map(str::trim).filter(|name| !name.is_empty()) {
                let unknown = || WebError::Bad(format!("there is no user `{name}`"));
                users.push(archive.store().user(name)?.ok_or_else(unknown)?.id);
            }
            Ok((items, users))
        })
        .await?;
    if items.is_empty() {
        return Err(WebError::Bad("no report is found, so there is nothing to read".to_owned()));
    }
    let by = person.user.id;
    let batch = database
        .write(&person.user.name, move |writer| {
            Ok(add_batch(writer, by, &name, (mode, annotators), &users, &plan, &items)?)
        })
        .await?;
    Ok(see(&format!("/batches/{batch}")))
}
