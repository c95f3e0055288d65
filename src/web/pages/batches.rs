//! Every batch, and the form that makes one.

use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::super::guard::Person;
use super::super::layout::{Shell, html, see};
use super::super::{Database, WebError};
use crate::archive::{BatchPlan, ORDERS, Order, Origin, add_batch};
use crate::label::{Mode, UnknownName};
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

impl BatchesPage {
    fn orders(&self) -> &'static [(Order, &'static str, &'static str)] {
        &ORDERS
    }
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

    fn limit(&self) -> Result<Option<usize>, WebError> {
        match self.limit.trim() {
            "" => Ok(None),
            limit => limit.parse().map(Some).map_err(|_| {
                WebError::Bad(format!("`{limit}` is no number of reports; leave it empty for all"))
            }),
        }
    }

    fn wanted(&self) -> Result<Wanted, WebError> {
        let users = self.users.split([',', '\n']).map(str::trim).filter(|name| !name.is_empty());
        Ok(Wanted {
            name: self.name.clone(),
            mode: self.mode.parse().map_err(bad)?,
            annotators: self.annotators,
            users: users.map(str::to_owned).collect(),
            plan: BatchPlan {
                origin: self.origin()?,
                order: self.order.parse().map_err(bad)?,
                limit: self.limit()?,
                repeats: self.repeats,
                seed: self.seed,
            },
        })
    }
}

fn bad(error: UnknownName) -> WebError {
    WebError::Bad(error.to_string())
}

/// Makes a batch as the form says.
pub(in super::super) async fn add(
    person: Person,
    database: web::Data<Database>,
    form: web::Form<NewBatch>,
) -> Result<HttpResponse, WebError> {
    let batch = make(&person, &database, form.wanted()?).await?;
    Ok(see(&format!("/batches/{batch}")))
}

/// A batch that someone asks for.
pub(in super::super) struct Wanted {
    pub name: String,
    pub mode: Mode,
    pub annotators: u8,
    /// Who may work on it; empty for everyone.
    pub users: Vec<String>,
    pub plan: BatchPlan,
}

/// The largest share of reports that come a second time, in percent.
const MOST_REPEATS: u8 = 50;

/// Makes a batch, and returns its number.
pub(in super::super) async fn make(
    person: &Person,
    database: &Database,
    wanted: Wanted,
) -> Result<u64, WebError> {
    let Wanted { name, mode, annotators, users, mut plan } = wanted;
    let name = name.trim().to_owned();
    if name.is_empty() {
        return Err(WebError::Bad("a batch needs a name".to_owned()));
    }
    if !matches!(mode, Mode::Blind | Mode::Assisted) {
        return Err(WebError::Bad("a batch is blind or assisted".to_owned()));
    }
    if !(1..=5).contains(&annotators) {
        return Err(WebError::Bad("a report is read by 1 to 5 people".to_owned()));
    }
    plan.repeats = plan.repeats.min(MOST_REPEATS);
    let planned = plan.clone();
    let (items, users) = database
        .read(move |archive| {
            let items = archive.plan_batch(&planned)?.map_err(WebError::Bad)?;
            let number = |name: &String| {
                let unknown = || WebError::Bad(format!("there is no user `{name}`"));
                Ok(archive.store().user(name)?.ok_or_else(unknown)?.id)
            };
            let users = users.iter().map(number).collect::<Result<Vec<_>, WebError>>()?;
            Ok((items, users))
        })
        .await?;
    let by = person.user.id;
    database
        .write(&person.user.name, move |writer| {
            Ok(add_batch(writer, by, &name, (mode, annotators), &users, &plan, &items)?)
        })
        .await
}
