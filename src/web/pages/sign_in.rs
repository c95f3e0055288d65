//! Getting in and out: signing in, choosing a password by a one-time link, signing out.

use actix_session::Session;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::super::guard::{Person, Proxy};
use super::super::layout::{Shell, html, see};
use super::super::session::{FORM_TOKEN, USER};
use super::super::{Database, WebError, password};
use crate::store::{Action, Secret, User};

/// How many failed attempts of late are allowed to one name from one address, to one address, and
/// to one name. The last is high, so that nobody can be locked out from elsewhere easily.
const LIMITS: [u64; 3] = [5, 30, 50];

/// For how many minutes failed attempts count.
const MINUTES: u32 = 15;

#[derive(Template)]
#[template(path = "web/sign_in.html")]
struct SignInPage {
    shell: Shell,
    name: String,
    failed: bool,
}

/// The form to sign in with.
pub(in super::super) async fn form() -> Result<HttpResponse, WebError> {
    html(&SignInPage { shell: Shell::open(), name: String::new(), failed: false })
}

#[derive(Deserialize)]
pub(in super::super) struct SignIn {
    name: String,
    password: String,
}

/// Signs someone in.
pub(in super::super) async fn sign_in(
    request: HttpRequest,
    database: web::Data<Database>,
    proxy: web::Data<Proxy>,
    session: Session,
    form: web::Form<SignIn>,
) -> Result<HttpResponse, WebError> {
    let SignIn { name, password } = form.into_inner();
    let address = proxy.address_of(&request);
    let keys = [format!("{name}@{address}"), format!("@{address}"), name.clone()];
    let asked = keys.clone();
    let (user, hash) = database
        .read(move |archive| {
            for (key, limit) in asked.iter().zip(LIMITS) {
                if archive.store().failures(key)? >= limit {
                    return Err(WebError::Throttled(MINUTES));
                }
            }
            let user = archive.store().user(&asked[2])?.filter(|user| user.active);
            let hash = user.as_ref().map(|user| archive.store().password(user.id)).transpose()?;
            Ok((user, hash.flatten()))
        })
        .await?;
    let right = password::is_right(password, hash).await?;
    match user.filter(|_| right) {
        Some(user) => {
            let detail = address.clone();
            database
                .write(&user.name, move |writer| {
                    writer.forget_failures(&keys[0])?;
                    Ok(writer.audit(Action::SignIn, "session", &detail)?)
                })
                .await?;
            begin(&session, &user)?;
            Ok(see("/"))
        }
        None => {
            // Whatever was typed in place of a name may be a password, so it is not logged.
            database
                .write("nobody", move |writer| {
                    writer.failed_sign_in(&[&keys[0], &keys[1], &keys[2]])?;
                    Ok(writer.audit(Action::SignInFailed, "session", &address)?)
                })
                .await?;
            let page = SignInPage { shell: Shell::open(), name, failed: true };
            Ok(HttpResponse::Unauthorized()
                .content_type("text/html; charset=utf-8")
                .body(page.render()?))
        }
    }
}

/// Begins a session under a new key, so that one that was planted before is worth nothing.
fn begin(session: &Session, user: &User) -> Result<(), WebError> {
    session.clear();
    session.renew();
    let token = Secret::new()?;
    let kept =
        session.insert(USER, user.id).and_then(|()| session.insert(FORM_TOKEN, token.reveal()));
    kept.map_err(|_| WebError::Busy)
}

/// Signs someone out.
pub(in super::super) async fn sign_out(
    person: Person,
    database: web::Data<Database>,
    session: Session,
) -> Result<HttpResponse, WebError> {
    session.purge();
    database
        .write(&person.user.name, |writer| Ok(writer.audit(Action::SignOut, "session", &())?))
        .await?;
    Ok(see("/sign-in"))
}

#[derive(Template)]
#[template(path = "web/welcome.html")]
struct WelcomePage {
    shell: Shell,
    name: String,
    shortest: usize,
    error: Option<String>,
}

/// The form by which someone chooses a password.
pub(in super::super) async fn welcome(
    secret: web::Path<String>,
    database: web::Data<Database>,
) -> Result<HttpResponse, WebError> {
    let invited = database.read(move |archive| Ok(archive.store().invited(&secret)?)).await?;
    let user = invited.ok_or(WebError::NotFound)?;
    welcome_page(user.name, None)
}

fn welcome_page(name: String, error: Option<String>) -> Result<HttpResponse, WebError> {
    html(&WelcomePage { shell: Shell::open(), name, shortest: password::SHORTEST, error })
}

#[derive(Deserialize)]
pub(in super::super) struct Chosen {
    password: String,
    again: String,
}

/// Sets the password and signs its owner in.
pub(in super::super) async fn choose_password(
    secret: web::Path<String>,
    database: web::Data<Database>,
    session: Session,
    form: web::Form<Chosen>,
) -> Result<HttpResponse, WebError> {
    let Chosen { password, again } = form.into_inner();
    let asked = secret.clone();
    let invited = database.read(move |archive| Ok(archive.store().invited(&asked)?)).await?;
    let user = invited.ok_or(WebError::NotFound)?;
    if password != again {
        return welcome_page(user.name, Some("the two passwords differ".to_owned()));
    }
    let hash = match password::hash(password).await {
        Ok(hash) => hash,
        Err(error @ WebError::Password(_)) => {
            return welcome_page(user.name, Some(error.to_string()));
        }
        Err(error) => return Err(error),
    };
    let used = database
        .write(&user.name, move |writer| Ok(writer.use_invitation(&secret, &hash)?))
        .await?;
    begin(&session, &used.ok_or(WebError::NotFound)?)?;
    Ok(see("/"))
}
