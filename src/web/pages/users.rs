//! Who may sign in, and what they may do.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::super::guard::{Person, Proxy};
use super::super::layout::{Shell, html, see};
use super::super::{Database, WebError};
use crate::store::{Role, Secret, User, check_name};

#[derive(Template)]
#[template(path = "web/users.html")]
struct UsersPage {
    shell: Shell,
    users: Vec<User>,
    /// A one-time link that was just made, and for whom: it is shown once.
    link: Option<(String, String)>,
}

impl UsersPage {
    fn roles(&self) -> [Role; 4] {
        Role::ALL
    }
}

async fn show(
    person: &Person,
    database: &Database,
    link: Option<(String, String)>,
) -> Result<HttpResponse, WebError> {
    let users = database.read(|archive| Ok(archive.store().users()?)).await?;
    html(&UsersPage { shell: Shell::of(person, "/users"), users, link })
}

/// The page.
pub(in super::super) async fn page(
    person: Person,
    database: web::Data<Database>,
) -> Result<HttpResponse, WebError> {
    show(&person, &database, None).await
}

fn link_to(request: &HttpRequest, proxy: Proxy, secret: &Secret) -> String {
    let info = request.connection_info();
    let scheme = if proxy.behind_tls { "https" } else { "http" };
    format!("{scheme}://{}/welcome/{}", info.host(), secret.reveal())
}

#[derive(Deserialize)]
pub(in super::super) struct NewUser {
    name: String,
    role: String,
}

/// Adds someone and shows the link by which they choose a password.
pub(in super::super) async fn add(
    request: HttpRequest,
    person: Person,
    database: web::Data<Database>,
    proxy: web::Data<Proxy>,
    form: web::Form<NewUser>,
) -> Result<HttpResponse, WebError> {
    let NewUser { name, role } = form.into_inner();
    let name = name.trim().to_owned();
    check_name(&name).map_err(WebError::Bad)?;
    let role = parse(&role)?;
    let added = name.clone();
    let (_, secret) =
        database.write(&person.user.name, move |writer| Ok(writer.add_user(&added, role)?)).await?;
    let link = link_to(&request, **proxy, &secret);
    show(&person, &database, Some((name, link))).await
}

fn parse(role: &str) -> Result<Role, WebError> {
    role.parse().map_err(|error: crate::label::UnknownName| WebError::Bad(error.to_string()))
}

async fn find(database: &Database, name: String) -> Result<User, WebError> {
    let found = database.read(move |archive| Ok(archive.store().user(&name)?)).await?;
    found.ok_or(WebError::NotFound)
}

#[derive(Deserialize)]
pub(in super::super) struct Change {
    role: String,
    active: Option<String>,
}

/// Changes what someone may do.
pub(in super::super) async fn change(
    person: Person,
    database: web::Data<Database>,
    name: web::Path<String>,
    form: web::Form<Change>,
) -> Result<HttpResponse, WebError> {
    let user = find(&database, name.into_inner()).await?;
    let Change { role, active } = form.into_inner();
    let role = parse(&role)?;
    database
        .write(&person.user.name, move |writer| {
            Ok(writer.change_user(&user, role, active.is_some())?)
        })
        .await?;
    Ok(see("/users"))
}

/// Makes a new one-time link for someone who forgot their password.
pub(in super::super) async fn link(
    request: HttpRequest,
    person: Person,
    database: web::Data<Database>,
    proxy: web::Data<Proxy>,
    name: web::Path<String>,
) -> Result<HttpResponse, WebError> {
    let user = find(&database, name.into_inner()).await?;
    let name = user.name.clone();
    let secret = database
        .write(&person.user.name, move |writer| Ok(writer.invite(user.id, &user.name)?))
        .await?;
    let link = link_to(&request, **proxy, &secret);
    show(&person, &database, Some((name, link))).await
}
