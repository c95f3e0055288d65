//! What stands before every route: who is asking, may they, and did they mean to.

use std::future::{Ready, ready};

use actix_session::SessionExt;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, HttpResponse, web};

use super::app::Who;
use super::session::{FORM_TOKEN, USER};
use super::{Database, WebError, layout};
use crate::store::User;

/// How browsers reach the server.
#[derive(Debug, Clone, Copy)]
pub(super) struct Proxy {
    /// Through a proxy that speaks TLS.
    pub behind_tls: bool,
}

impl Proxy {
    /// Where a request comes from, for throttling and the audit log.
    pub fn address_of(self, request: &HttpRequest) -> String {
        let info = request.connection_info();
        let address = if self.behind_tls { info.realip_remote_addr() } else { info.peer_addr() };
        address.unwrap_or("unknown").to_owned()
    }
}

/// Who is asking, for handlers of routes that demand a role.
#[derive(Debug, Clone)]
pub(super) struct Person {
    /// The person.
    pub user: User,
    /// What forms of the session carry; none where a token was shown.
    pub form_token: String,
}

impl FromRequest for Person {
    type Error = WebError;
    type Future = Ready<Result<Self, WebError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(request.extensions().get::<Self>().cloned().ok_or(WebError::SignedOut))
    }
}

/// The header in which scripts send the form token.
const TOKEN_HEADER: &str = "x-form-token";

/// Lets a request through to its handler, or says why not. What went wrong is told as a page, or as
/// JSON where a program asks.
pub(super) async fn guard(
    who: Who,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let is_api = request.path().starts_with("/api/");
    let person = match check(who, &mut request).await {
        Ok(person) => person,
        Err(error) => {
            return Ok(request.into_response(failure(&error, is_api, None)));
        }
    };
    if let Some(person) = &person {
        request.extensions_mut().insert(person.clone());
    }
    let (request, response) = next.call(request).await?.into_parts();
    let told = match response.error() {
        None => response.map_into_boxed_body(),
        Some(failed) => match failed.as_error::<WebError>() {
            Some(error) => failure(error, is_api, person.as_ref()),
            // What the framework says of a body or a path that it could make no sense of.
            None => {
                let status = failed.as_response_error().status_code();
                let error = WebError::Bad(format!("this request makes no sense: {failed}"));
                let mut told = failure(&error, is_api, person.as_ref());
                *told.status_mut() = status;
                told
            }
        },
    };
    Ok(ServiceResponse::new(request, told))
}

/// What went wrong, as JSON or as a page. Whoever is signed out is shown the way in.
fn failure(error: &WebError, is_api: bool, person: Option<&Person>) -> HttpResponse {
    let mut response = actix_web::ResponseError::error_response(error);
    if matches!(error, WebError::SignedOut) && !is_api {
        return HttpResponse::SeeOther().insert_header((header::LOCATION, "/sign-in")).finish();
    }
    let (kind, body) = if is_api {
        ("application/json", serde_json::json!({ "error": error.told() }).to_string())
    } else {
        ("text/html; charset=utf-8", layout::failure(error, person))
    };
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response.set_body(body).map_into_boxed_body()
}

/// Who is asking, where the route demands to know, and where they may ask.
async fn check(who: Who, request: &mut ServiceRequest) -> Result<Option<Person>, WebError> {
    let changes = !request.method().is_safe();
    if changes && !is_of_this_site(request.headers()) {
        return Err(WebError::BadToken);
    }
    let Who::AtLeast(role) = who else { return Ok(None) };
    let person = match bearer(request) {
        Some(token) => by_token(request, token).await?,
        None => {
            let person = by_session(request).await?;
            if changes && !carries(request, &person.form_token).await? {
                return Err(WebError::BadToken);
            }
            person
        }
    };
    if person.user.role < role {
        return Err(WebError::Forbidden);
    }
    Ok(Some(person))
}

/// Whether a browser sends this from one of our own pages, as far as it says. Programs say nothing.
fn is_of_this_site(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    match (text("origin"), text("host")) {
        (None, _) => true,
        (Some(origin), Some(host)) => {
            origin.split_once("://").is_some_and(|(_, of_origin)| of_origin == host)
        }
        (Some(_), None) => false,
    }
}

/// The token that a program shows. Pages are for browsers alone.
fn bearer(request: &ServiceRequest) -> Option<String> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let token = value.strip_prefix("Bearer ")?;
    request.path().starts_with("/api/").then(|| token.to_owned())
}

fn database(request: &ServiceRequest) -> Result<web::Data<Database>, WebError> {
    request.app_data::<web::Data<Database>>().cloned().ok_or(WebError::Busy)
}

async fn by_token(request: &ServiceRequest, token: String) -> Result<Person, WebError> {
    let found =
        database(request)?.read(move |archive| Ok(archive.store().user_of_token(&token)?)).await?;
    let user = found.ok_or(WebError::SignedOut)?;
    Ok(Person { user, form_token: String::new() })
}

async fn by_session(request: &ServiceRequest) -> Result<Person, WebError> {
    let session = request.get_session();
    let id = session.get::<u64>(USER).ok().flatten().ok_or(WebError::SignedOut)?;
    let form_token = session.get::<String>(FORM_TOKEN).ok().flatten().ok_or(WebError::SignedOut)?;
    let found =
        database(request)?.read(move |archive| Ok(archive.store().active_user(id)?)).await?;
    let user = found.ok_or(WebError::SignedOut)?;
    Ok(Person { user, form_token })
}

/// The part of every form that the guard reads.
#[derive(serde::Deserialize)]
struct Form {
    form_token: String,
}

/// Whether a request carries the form token of its session, in a header or in the form.
async fn carries(request: &mut ServiceRequest, wanted: &str) -> Result<bool, WebError> {
    if let Some(token) = request.headers().get(TOKEN_HEADER) {
        return Ok(same(token.as_bytes(), wanted.as_bytes()));
    }
    let is_form = request.content_type() == "application/x-www-form-urlencoded";
    if !is_form {
        return Ok(false);
    }
    let body = request
        .extract::<web::Bytes>()
        .await
        .map_err(|error| WebError::Bad(format!("this form cannot be read: {error}")))?;
    let form = web::Query::<Form>::from_query(std::str::from_utf8(&body).unwrap_or_default());
    // The handler reads the form again.
    request.set_payload(Payload::from(body));
    Ok(form.is_ok_and(|form| same(form.form_token.as_bytes(), wanted.as_bytes())))
}

/// Compares secrets in a time that does not tell where they differ.
fn same(one: &[u8], another: &[u8]) -> bool {
    let differing = one.iter().zip(another).fold(0, |sum, (a, b)| sum | (a ^ b));
    one.len() == another.len() && differing == 0
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

    fn check(headers: &[(&'static str, &'static str)], wanted: bool) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        assert_eq!(super::is_of_this_site(&map), wanted, "{headers:?}");
    }

    #[test]
    fn other_sites_are_told_from_ours() {
        check(&[], true);
        check(&[("sec-fetch-site", "same-origin")], true);
        check(&[("sec-fetch-site", "cross-site"), ("origin", "http://a"), ("host", "a")], false);
        check(&[("sec-fetch-site", "same-site")], false);
        check(&[("origin", "http://a:80"), ("host", "a:80")], true);
        check(&[("origin", "http://b"), ("host", "a")], false);
        check(&[("origin", "null"), ("host", "null")], false);
    }
}
