//! What all pages share.

use actix_web::HttpResponse;
use actix_web::ResponseError as _;
use actix_web::http::header::{self, ContentType};
use askama::Template;

use super::WebError;
use super::guard::Person;
use crate::store::Role;

/// The frame around a page: where one can go, who is signed in, and the token of its forms.
#[derive(Debug, Clone)]
pub(super) struct Shell {
    /// The person's name; none on pages for everyone.
    pub name: Option<String>,
    /// Their role.
    pub role: Option<Role>,
    /// What forms carry.
    pub form_token: String,
    /// The page of [`PLACES`] that this one belongs to.
    pub place: &'static str,
}

/// A page that the bar at the top leads to.
#[derive(Debug)]
pub(super) struct Place {
    pub path: &'static str,
    pub name: &'static str,
    least: Role,
}

/// Every page that the bar leads to, with who sees it there.
const PLACES: [Place; 9] = [
    Place { path: "/", name: "Work", least: Role::Annotator },
    Place { path: "/search", name: "Search", least: Role::Annotator },
    Place { path: "/guideline", name: "Guideline", least: Role::Annotator },
    Place { path: "/batches", name: "Batches", least: Role::Lead },
    Place { path: "/cohorts", name: "Cohorts", least: Role::Lead },
    Place { path: "/suggestions", name: "Phrases", least: Role::Lead },
    Place { path: "/users", name: "Users", least: Role::Admin },
    Place { path: "/audit", name: "Audit", least: Role::Admin },
    Place { path: "/account", name: "Account", least: Role::Annotator },
];

impl Shell {
    /// The frame for a person's page.
    pub fn of(person: &Person, place: &'static str) -> Self {
        Self {
            name: Some(person.user.name.clone()),
            role: Some(person.user.role),
            form_token: person.form_token.clone(),
            place,
        }
    }

    /// The frame of a page for everyone.
    pub const fn open() -> Self {
        Self { name: None, role: None, form_token: String::new(), place: "" }
    }

    /// Where the person can go.
    pub fn places(&self) -> impl Iterator<Item = &'static Place> {
        let role = self.role;
        PLACES.iter().filter(move |place| role.is_some_and(|role| role >= place.least))
    }
}

/// A page as an answer.
pub(super) fn html(page: &impl Template) -> Result<HttpResponse, WebError> {
    Ok(HttpResponse::Ok().content_type(ContentType::html()).body(page.render()?))
}

/// Sends the browser to another page.
pub(super) fn see(path: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, path)).finish()
}

#[derive(Template)]
#[template(path = "web/failure.html")]
struct FailurePage<'a> {
    shell: Shell,
    status: &'a str,
    message: String,
}

/// A page that says what went wrong.
pub(super) fn failure(error: &WebError, person: Option<&Person>) -> String {
    let shell = person.map_or_else(Shell::open, |person| Shell::of(person, ""));
    let status = error.status_code();
    let message = error.told();
    let page = FailurePage { shell, status: status.canonical_reason().unwrap_or("Error"), message };
    page.render().unwrap_or_else(|_| error.told())
}
