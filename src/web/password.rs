//! Passwords: Argon2id with a salt each, checked on threads that may take their time.

use actix_web::web;
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

use super::WebError;

/// The shortest password, in characters: what NIST SP 800-63B asks of one that stands alone.
pub(super) const SHORTEST: usize = 15;

/// The longest, in bytes, so that nobody has the server hash a book.
const LONGEST: usize = 1024;

/// Hashes a new password.
pub(super) async fn hash(password: String) -> Result<String, WebError> {
    let length = password.chars().count();
    if length < SHORTEST {
        return Err(WebError::Password(format!(
            "this password has {length} characters; take at least {SHORTEST}, such as four words"
        )));
    }
    if password.len() > LONGEST {
        return Err(WebError::Password(format!("a password has at most {LONGEST} bytes")));
    }
    let hashed = web::block(move || {
        let hash: PasswordHash = Argon2::default().hash_password(password.as_bytes())?;
        Ok(hash.to_string())
    });
    hashed.await.map_err(|_| WebError::Busy)?.map_err(|error: argon2::password_hash::Error| {
        WebError::Password(format!("the password cannot be hashed: {error}"))
    })
}

/// Whether a password is the one that was hashed. Where there is no hash, it takes as long to say
/// no, so that nobody learns which names there are.
pub(super) async fn is_right(password: String, hash: Option<String>) -> Result<bool, WebError> {
    let checked = web::block(move || {
        let argon2 = Argon2::default();
        let parsed = hash.as_deref().and_then(|hash| PasswordHash::new(hash).ok());
        match parsed {
            _ if password.len() > LONGEST => false,
            Some(hash) => argon2.verify_password(password.as_bytes(), &hash).is_ok(),
            None => {
                let _: Result<PasswordHash, _> = argon2.hash_password(password.as_bytes());
                false
            }
        }
    });
    checked.await.map_err(|_| WebError::Busy)
}
