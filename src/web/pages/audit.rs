//! The audit log.

use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::super::guard::Person;
use super::super::layout::{Shell, html};
use super::super::{Database, WebError};
use crate::store::Entry;

/// How many lines are on a page.
const LINES: usize = 200;

#[derive(Template)]
#[template(path = "web/audit.html")]
struct AuditPage {
    shell: Shell,
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
pub(in super::super) struct From {
    before: Option<u64>,
}

/// The page.
pub(in super::super) async fn page(
    person: Person,
    database: web::Data<Database>,
    from: web::Query<From>,
) -> Result<HttpResponse, WebError> {
    // The largest number that the database has.
    let before = from.before.unwrap_or(i64::MAX as u64);
    let entries =
        database.read(move |archive| Ok(archive.store().audit_log(before, LINES)?)).await?;
    html(&AuditPage { shell: Shell::of(&person, "/audit"), entries })
}
