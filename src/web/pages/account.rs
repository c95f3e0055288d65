//! One's own account: password and tokens.

use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::super::guard::Person;
use super::super::layout::{Shell, html, see};
use super::super::{Database, WebError, password};
use crate::store::Token;

#[derive(Template)]
#[template(path = "web/account.html")]
struct AccountPage {
    shell: Shell,
    tokens: Vec<Token>,
    /// A token that was just made: it is shown once.
    secret: Option<String>,
    shortest: usize,
}

async fn show(
    person: &Person,
    database: &Database,
    secret: Option<String>,
) -> Result<HttpResponse, WebError> {
    let id = person.user.id;
    let tokens = database.read(move |archive| Ok(archive.store().tokens(id)?)).await?;
    let shell = Shell::of(person, "/account");
    html(&AccountPage { shell, tokens, secret, shortest: password::SHORTEST })
}

/// The page.
pub(in super::super) async fn page(
    person: Person,
    database: web::Data<Database>,
) -> Result<HttpResponse, WebError> {
    show(&person, &database, None).await
}

#[derive(Deserialize)]
pub(in super::super) struct NewPassword {
    old: String,
    new: String,
}

/// Sets a new password; every session ends, this one too.
pub(in super::super) async fn password(
    person: Person,
    database: web::Data<Database>,
    form: web::Form<NewPassword>,
) -> Result<HttpResponse, WebError> {
    let NewPassword { old, new } = form.into_inner();
    let user = person.user.clone();
    let hash = database.read(move |archive| Ok(archive.store().password(user.id)?)).await?;
    if !password::is_right(old, hash).await? {
        return Err(WebError::Password("the present password is another one".to_owned()));
    }
    let hash = password::hash(new).await?;
    let user = person.user.clone();
    database.write(&person.user.name, move |writer| Ok(writer.set_password(&user, &hash)?)).await?;
    Ok(see("/sign-in"))
}

#[derive(Deserialize)]
pub(in super::super) struct NewToken {
    name: String,
}

/// Makes a token and shows it, once.
pub(in super::super) async fn add_token(
    person: Person,
    database: web::Data<Database>,
    form: web::Form<NewToken>,
) -> Result<HttpResponse, WebError> {
    let (user, name) = (person.user.clone(), form.into_inner().name);
    let secret = database
        .write(&person.user.name, move |writer| Ok(writer.add_token(&user, &name)?))
        .await?;
    show(&person, &database, Some(secret.reveal().to_owned())).await
}

/// Takes a token back.
pub(in super::super) async fn delete_token(
    person: Person,
    database: web::Data<Database>,
    token: web::Path<u64>,
) -> Result<HttpResponse, WebError> {
    let (user, token) = (person.user.clone(), token.into_inner());
    database.write(&person.user.name, move |writer| Ok(writer.delete_token(&user, token)?)).await?;
    Ok(see("/account"))
}
