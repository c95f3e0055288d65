//! Phrases that the rules misread, for whoever keeps the lexicon.

use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::super::guard::Person;
use super::super::layout::{Shell, html, see};
use super::super::{Database, WebError};
use crate::store::Suggestion;

#[derive(Template)]
#[template(path = "web/suggestions.html")]
struct SuggestionsPage {
    shell: Shell,
    suggestions: Vec<Suggestion>,
}

/// The page.
pub(in super::super) async fn page(
    person: Person,
    database: web::Data<Database>,
) -> Result<HttpResponse, WebError> {
    let suggestions = database.read(|archive| Ok(archive.store().suggestions()?)).await?;
    html(&SuggestionsPage { shell: Shell::of(&person, "/suggestions"), suggestions })
}

#[derive(Deserialize)]
pub(in super::super) struct Settle {
    phrase: String,
    settled: bool,
}

/// Settles a phrase, or opens it again.
pub(in super::super) async fn settle(
    person: Person,
    database: web::Data<Database>,
    form: web::Form<Settle>,
) -> Result<HttpResponse, WebError> {
    let Settle { phrase, settled } = form.into_inner();
    database
        .write(&person.user.name, move |writer| Ok(writer.settle_suggestion(&phrase, settled)?))
        .await?;
    Ok(see("/suggestions"))
}
