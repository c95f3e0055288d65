//! Every route on one page: what it answers, and who may ask.

use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{Handler, Route, guard as guards};

use super::guard::guard;
use super::layout;
use super::pages::{
    account, adjudicate, agreement, audit, batch, batches, cohorts, guideline, home, images,
    report, review, search, sign_in, suggestions, users,
};
use super::{WebError, api, assets};
use crate::store::Role;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Whoever reaches the server.
    Anyone,
    /// Whoever is signed in and may at least do this much.
    AtLeast(Role),
}

/// A route.
#[derive(Debug)]
pub struct Row {
    /// The method.
    pub method: Method,
    /// The path, with names of its variables in braces.
    pub path: &'static str,
    /// Who may use it.
    pub who: Who,
    route: fn() -> Route,
}

const ANYONE: Who = Who::Anyone;
const ANNOTATOR: Who = Who::AtLeast(Role::Annotator);
const ADJUDICATOR: Who = Who::AtLeast(Role::Adjudicator);
const LEAD: Who = Who::AtLeast(Role::Lead);
const ADMIN: Who = Who::AtLeast(Role::Admin);

const fn get(path: &'static str, who: Who, route: fn() -> Route) -> Row {
    Row { method: Method::GET, path, who, route }
}

const fn post(path: &'static str, who: Who, route: fn() -> Route) -> Row {
    Row { method: Method::POST, path, who, route }
}

/// Every route.
static ROWS: [Row; 55] = [
    get("/assets/{name}", ANYONE, || to(assets::asset)),
    get("/sign-in", ANYONE, || to(sign_in::form)),
    post("/sign-in", ANYONE, || to(sign_in::sign_in)),
    get("/welcome/{secret}", ANYONE, || to(sign_in::welcome)),
    post("/welcome/{secret}", ANYONE, || to(sign_in::choose_password)),
    post("/sign-out", ANNOTATOR, || to(sign_in::sign_out)),
    get("/", ANNOTATOR, || to(home::page)),
    post("/batches/{batch}/claim", ANNOTATOR, || to(review::next)),
    get("/slots/{slot}", ANNOTATOR, || to(review::page)),
    post("/adjudicate", ADJUDICATOR, || to(adjudicate::next)),
    post("/adjudicate/{item}", ADJUDICATOR, || to(adjudicate::item)),
    get("/search", ANNOTATOR, || to(search::form)),
    post("/search", ANNOTATOR, || to(search::results)),
    get("/guideline", ANNOTATOR, || to(guideline::page)),
    get("/reports/{report}", ANNOTATOR, || to(report::page)),
    post("/reports/{report}/restore", ANNOTATOR, || to(report::restore)),
    get("/studies/{study}/{run}/{name}.png", ANNOTATOR, || to(images::overview)),
    get("/studies/{study}/{run}/{ordinal}/{kind}.png", ANNOTATOR, || to(images::slices)),
    get("/account", ANNOTATOR, || to(account::page)),
    post("/account/password", ANNOTATOR, || to(account::password)),
    post("/account/tokens", ANNOTATOR, || to(account::add_token)),
    post("/account/tokens/{token}/delete", ANNOTATOR, || to(account::delete_token)),
    get("/batches", LEAD, || to(batches::page)),
    post("/batches", LEAD, || to(batches::add)),
    post("/batches/draft", LEAD, || to(batches::draft)),
    get("/batches/{batch}", LEAD, || to(batch::page)),
    post("/batches/{batch}/open", LEAD, || to(batch::set_open)),
    get("/batches/{batch}/agreement", LEAD, || to(agreement::page)),
    get("/cohorts", LEAD, || to(cohorts::page)),
    post("/cohorts", LEAD, || to(cohorts::freeze)),
    post("/queries", LEAD, || to(cohorts::save_query)),
    get("/cohorts/{cohort}", LEAD, || to(cohorts::cohort)),
    get("/cohorts/{cohort}/flow.svg", LEAD, || to(cohorts::flow)),
    get("/suggestions", LEAD, || to(suggestions::page)),
    post("/suggestions", LEAD, || to(suggestions::settle)),
    get("/users", ADMIN, || to(users::page)),
    post("/users", ADMIN, || to(users::add)),
    post("/users/{user}", ADMIN, || to(users::change)),
    post("/users/{user}/link", ADMIN, || to(users::link)),
    get("/audit", ADMIN, || to(audit::page)),
    get("/api/v1/openapi.json", ANYONE, || to(api::openapi::document)),
    get("/api/v1/batches", ANNOTATOR, || to(api::batches::list)),
    post("/api/v1/batches", LEAD, || to(api::batches::add)),
    get("/api/v1/batches/{batch}", LEAD, || to(api::batches::show)),
    post("/api/v1/batches/{batch}/claim", ANNOTATOR, || to(api::slots::claim)),
    get("/api/v1/batches/{batch}/agreement", LEAD, || to(api::batches::agreement)),
    get("/api/v1/batches/{batch}/labels.{format}", LEAD, || to(api::labels::batch)),
    post("/api/v1/search", ANNOTATOR, || to(api::search::search)),
    post("/api/v1/studies/{study}/names", ANNOTATOR, || to(api::studies::rename)),
    get("/api/v1/slots/{slot}", ANNOTATOR, || to(api::slots::show)),
    post("/api/v1/slots/{slot}/edits", ANNOTATOR, || to(api::slots::save)),
    post("/api/v1/slots/{slot}/hold", ANNOTATOR, || to(api::slots::hold)),
    post("/api/v1/slots/{slot}/finish", ANNOTATOR, || to(api::slots::finish)),
    post("/api/v1/slots/{slot}/look", ANNOTATOR, || to(api::studies::look)),
    post("/api/v1/slots/{slot}/{act}", ANNOTATOR, || to(api::slots::act)),
];

/// Every route, for those who test them all.
pub fn rows() -> &'static [Row] {
    &ROWS
}

fn to<F, Args>(handler: F) -> Route
where
    F: Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: actix_web::Responder + 'static,
{
    web::route().to(handler)
}

/// Adds every route to an application, each behind its guard.
pub(super) fn routes(config: &mut ServiceConfig) {
    for row in rows() {
        let who = row.who;
        let behind = from_fn(move |request, next| guard(who, request, next));
        let method = guards::Method(row.method.clone());
        config.service(web::resource(row.path).guard(method).route((row.route)()).wrap(behind));
    }
    config.default_service(web::to(|| async { nothing_here() }));
}

fn nothing_here() -> actix_web::HttpResponse {
    actix_web::HttpResponse::NotFound()
        .content_type("text/html; charset=utf-8")
        .body(layout::failure(&WebError::NotFound, None))
}
