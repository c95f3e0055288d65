//! Sessions of browsers, kept in the store: they survive a restart and end when they idle.

use std::collections::HashMap;

use actix_session::SessionMiddleware;
use actix_session::config::{BrowserSession, CookieContentSecurity, TtlExtensionPolicy};
use actix_session::storage::{
    LoadError, SaveError, SessionKey, SessionStore, UpdateError, generate_session_key,
};
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Key, SameSite};

use super::{Database, WebError};

/// After how much time without a request a session ends.
const IDLE: Duration = Duration::hours(2);

/// A session is extended in the store at most this often, in seconds: not every page is a write.
const EXTEND_EVERY: i64 = 60;

/// The name of what a session is of: the number of its user.
pub(super) const USER: &str = "user";

/// The token that forms of the session carry.
pub(super) const FORM_TOKEN: &str = "form_token";

/// What puts sessions under every request. `secure` is for servers that browsers reach over TLS.
pub(super) fn middleware(
    database: &Database,
    secret: &[u8],
    secure: bool,
) -> SessionMiddleware<Sessions> {
    let lifecycle = BrowserSession::default()
        .state_ttl(IDLE)
        .state_ttl_extension_policy(TtlExtensionPolicy::OnEveryRequest);
    let key = Key::derive_from(secret);
    SessionMiddleware::builder(Sessions(database.clone()), key)
        .cookie_name("deepspine".to_owned())
        .cookie_secure(secure)
        .cookie_http_only(true)
        .cookie_same_site(SameSite::Strict)
        .cookie_content_security(CookieContentSecurity::Signed)
        .session_lifecycle(lifecycle)
        .build()
}

/// The sessions in the store.
pub(super) struct Sessions(Database);

type State = HashMap<String, String>;

impl Sessions {
    async fn put(&self, key: &str, state: State, ttl: &Duration) -> Result<(), WebError> {
        // The values of a session are JSON.
        let user = state.get(USER).and_then(|user| serde_json::from_str::<u64>(user).ok());
        let user = user.ok_or(WebError::SignedOut)?;
        let json = serde_json::to_string(&state).expect("strings are plain data");
        let (key, seconds) = (key.to_owned(), ttl.whole_seconds());
        self.0
            .write("session", move |writer| Ok(writer.put_session(&key, user, &json, seconds)?))
            .await
    }
}

impl SessionStore for Sessions {
    async fn load(&self, key: &SessionKey) -> Result<Option<State>, LoadError> {
        let key = key.as_ref().to_owned();
        let found = self.0.read(move |archive| Ok(archive.store().session(&key)?)).await;
        match found.map_err(|error| LoadError::Other(error.into()))? {
            None => Ok(None),
            Some((state, _)) => serde_json::from_str(&state)
                .map(Some)
                .map_err(|error| LoadError::Deserialization(error.into())),
        }
    }

    async fn save(&self, state: State, ttl: &Duration) -> Result<SessionKey, SaveError> {
        let key = generate_session_key();
        self.put(key.as_ref(), state, ttl).await.map_err(|error| SaveError::Other(error.into()))?;
        Ok(key)
    }

    async fn update(
        &self,
        key: SessionKey,
        state: State,
        ttl: &Duration,
    ) -> Result<SessionKey, UpdateError> {
        self.put(key.as_ref(), state, ttl)
            .await
            .map_err(|error| UpdateError::Other(error.into()))?;
        Ok(key)
    }

    async fn update_ttl(&self, key: &SessionKey, ttl: &Duration) -> Result<(), anyhow::Error> {
        let (key, seconds) = (key.as_ref().to_owned(), ttl.whole_seconds());
        let asked = key.clone();
        let found = self.0.read(move |archive| Ok(archive.store().session(&asked)?)).await?;
        let Some((_, expires)) = found else { return Ok(()) };
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |elapsed| elapsed.as_secs() as i64);
        if expires - now > seconds - EXTEND_EVERY {
            return Ok(());
        }
        self.0.write("session", move |writer| Ok(writer.extend_session(&key, seconds)?)).await?;
        Ok(())
    }

    async fn delete(&self, key: &SessionKey) -> Result<(), anyhow::Error> {
        let key = key.as_ref().to_owned();
        self.0.write("session", move |writer| Ok(writer.end_session(&key)?)).await?;
        Ok(())
    }
}
