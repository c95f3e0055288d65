//! One reading as a page in a single file.

use askama::Template;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

use super::{Parts, SCRIPT, STYLE, Sheet};

#[derive(Template)]
#[template(path = "explain.html")]
struct Explain<'a> {
    sheet: &'a Sheet<'a>,
    style: &'static str,
    script: &'static str,
    policy: String,
    parts: Parts<'a>,
}

/// The page of one reading. It needs no other file and reaches for none.
pub fn standalone(sheet: &Sheet<'_>) -> Result<String, askama::Error> {
    Explain { sheet, style: STYLE, script: SCRIPT, policy: policy(), parts: Parts::new(sheet) }
        .render()
}

/// What the browser may do with the page: use its own style and script, and nothing else. A
/// patient's report must not leave the machine, whatever its text holds.
fn policy() -> String {
    let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; \
         base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}
