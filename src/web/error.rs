//! What can go wrong with a request, and what the person is told.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};

use crate::archive::ArchiveError;
use crate::archive::annotation::Unfinished;
use crate::label::EditError;
use crate::search::query::QueryError;
use crate::store::StoreError;

/// Why a request was not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum WebError {
    #[error("sign in first")]
    SignedOut,
    #[error("your role does not allow this; ask whoever keeps the users")]
    Forbidden,
    #[error("there is nothing here; it may have been moved or the link may be old")]
    NotFound,
    #[error("this page is no longer good; load it again and try once more")]
    BadToken,
    #[error("{0}")]
    Bad(String),
    #[error("{0}")]
    Conflict(String),
    #[error("too many failed attempts; wait {0} minutes and try again")]
    Throttled(u32),
    #[error("the server is stopping or overloaded; try again")]
    Busy,
    #[error("this could not be saved: {0}")]
    NotSaved(String),
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error(transparent)]
    Store(StoreError),
    #[error(transparent)]
    Archive(ArchiveError),
    #[error("a page could not be made: {0}")]
    Template(#[from] askama::Error),
    #[error("{0}")]
    Password(String),
}

impl From<StoreError> for WebError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unknown { .. } | StoreError::Taken { .. } | StoreError::LastAdmin => {
                Self::Conflict(error.to_string())
            }
            error => Self::Store(error),
        }
    }
}

impl From<ArchiveError> for WebError {
    fn from(error: ArchiveError) -> Self {
        match error {
            ArchiveError::Query(error) => Self::Query(error),
            ArchiveError::Store(error) => error.into(),
            error => Self::Archive(error),
        }
    }
}

impl From<EditError> for WebError {
    fn from(error: EditError) -> Self {
        Self::Bad(error.to_string())
    }
}

impl From<Unfinished> for WebError {
    fn from(error: Unfinished) -> Self {
        Self::Conflict(error.to_string())
    }
}

impl WebError {
    /// What the person is told. What went wrong inside is for the server's log alone.
    pub fn told(&self) -> String {
        match self {
            Self::Store(_) | Self::Archive(_) | Self::Template(_) | Self::NotSaved(_) => {
                "this could not be done; the server's log says why".to_owned()
            }
            told => told.to_string(),
        }
    }
}

impl ResponseError for WebError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::SignedOut => StatusCode::UNAUTHORIZED,
            Self::Forbidden | Self::BadToken => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Bad(_) | Self::Query(_) | Self::Password(_) => StatusCode::BAD_REQUEST,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Throttled(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::NotSaved(_) | Self::Store(_) | Self::Archive(_) | Self::Template(_) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }

    /// The bare message; `guard` makes a page or JSON of it.
    fn error_response(&self) -> HttpResponse {
        if self.status_code().is_server_error() {
            tracing::error!(error = %self, "request failed");
        }
        HttpResponse::build(self.status_code()).body(self.told())
    }
}
