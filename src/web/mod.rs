//! The annotation server.
//!
//! [`build`] makes a server of a [`Config`]; `app` has all its routes on one page, each with who may
//! use it; `guard` stands before every one of them. It shows what the store holds and runs no
//! model. What is saved is durable before the answer goes out.

mod api;
mod app;
mod assets;
mod database;
mod error;
mod freshen;
mod guard;
mod layout;
mod pages;
mod password;
mod session;

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;

use actix_web::dev::Server;
use actix_web::middleware::DefaultHeaders;
use actix_web::{App, HttpServer, web};

use crate::archive::Archive;
use crate::store::{Role, Secret};

pub use app::{Row, Who, rows};
use database::Database;
use error::WebError;

/// How the server runs.
#[derive(Debug, Clone)]
pub struct Config {
    /// The data folder.
    pub data: PathBuf,
    /// Where it listens; port 0 takes a free one.
    pub address: SocketAddr,
    /// Browsers reach it through a proxy that speaks TLS and says whom it speaks for.
    pub behind_tls: bool,
    /// How many threads answer requests.
    pub workers: usize,
}

/// A server that is bound and ready to run.
#[allow(missing_debug_implementations, reason = "the framework's server has none")]
pub struct Built {
    /// Where it listens.
    pub address: SocketAddr,
    /// The server; it runs when awaited.
    pub server: Server,
    /// The one-time link by which the first admin chooses a password, where nobody keeps users yet.
    pub first_link: Option<String>,
}

/// The largest body of a request, in bytes. Ids for a batch are the longest thing sent.
const LARGEST_BODY: usize = 4 << 20;

/// Builds the server. It runs when its [`Built::server`] is awaited.
///
/// # Errors
/// Where the archive cannot be opened or the address is taken.
pub fn build(config: &Config) -> anyhow::Result<Built> {
    let mut archive = Archive::open_or_create(&config.data)?;
    let listener = TcpListener::bind(config.address)
        .map_err(|error| anyhow::anyhow!("{} cannot be listened on: {error}", config.address))?;
    let address = listener.local_addr()?;
    let first_link = first_admin(&mut archive)?
        .map(|secret| format!("http://{address}/welcome/{}", secret.reveal()));
    let secret = archive.store().secret()?;
    let database = Database::open(&config.data)?;
    freshen::start(&config.data, archive);
    let behind_tls = config.behind_tls;
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::new(database.clone()))
            .app_data(web::Data::new(guard::Proxy { behind_tls }))
            .app_data(web::PayloadConfig::new(LARGEST_BODY))
            .app_data(web::FormConfig::default().limit(LARGEST_BODY))
            .app_data(web::JsonConfig::default().limit(LARGEST_BODY))
            .configure(app::routes)
            .wrap(session::middleware(&database, &secret, behind_tls))
            .wrap(safe_headers())
    })
    .workers(config.workers)
    .listen(listener)?
    .run();
    Ok(Built { address, server, first_link })
}

/// Makes the first admin, or a new link for one, while none has chosen a password.
fn first_admin(archive: &mut Archive) -> anyhow::Result<Option<Secret>> {
    let users = archive.store().users()?;
    let mut admins = users.iter().filter(|user| user.role == Role::Admin && user.active);
    if admins.clone().any(|user| user.has_password) {
        return Ok(None);
    }
    let secret = archive.store_mut().write(|writer| match admins.next() {
        None => Ok(writer.add_user("admin", Role::Admin)?.1),
        Some(user) => writer.invite(user.id, &user.name),
    })?;
    Ok(Some(secret))
}

/// What every answer tells the browser: run nothing but our own files, keep nothing, show the pages
/// in nobody's frame. `same-origin` and not `no-referrer`, which would hide the origin of forms.
fn safe_headers() -> DefaultHeaders {
    DefaultHeaders::new()
        .add((
            "Content-Security-Policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
             connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        ))
        .add(("X-Content-Type-Options", "nosniff"))
        .add(("Referrer-Policy", "same-origin"))
        .add(("Cross-Origin-Opener-Policy", "same-origin"))
        .add(("Cross-Origin-Resource-Policy", "same-origin"))
        .add(("Cache-Control", "no-store"))
}

/// Runs a server until Ctrl-C; requests that are being answered are answered first.
///
/// # Errors
/// Where the system refuses to go on serving.
pub fn run(config: &Config, begun: impl FnOnce(&Built)) -> anyhow::Result<()> {
    actix_web::rt::System::new().block_on(async {
        let built = build(config)?;
        begun(&built);
        Ok(built.server.await?)
    })
}
