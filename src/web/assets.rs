//! Styles and scripts, which lie within the binary.

use actix_web::http::header::{self, CacheControl, CacheDirective};
use actix_web::{HttpResponse, web};

use super::WebError;
use crate::page;

/// A file that pages refer to.
struct Asset {
    name: &'static str,
    mime: &'static str,
    content: &'static str,
}

const CSS: &str = "text/css; charset=utf-8";
const SVG: &str = "image/svg+xml";
const JS: &str = "text/javascript; charset=utf-8";

/// Every file that pages refer to.
const ASSETS: [Asset; 12] = [
    Asset { name: "mark.svg", mime: SVG, content: include_str!("../../templates/web/mark.svg") },
    Asset { name: "page.css", mime: CSS, content: page::STYLE },
    Asset { name: "page.js", mime: JS, content: page::SCRIPT },
    Asset { name: "web.css", mime: CSS, content: include_str!("../../templates/web/web.css") },
    Asset { name: "web.js", mime: JS, content: include_str!("../../templates/web/web.js") },
    Asset {
        name: "review.css",
        mime: CSS,
        content: include_str!("../../templates/web/review.css"),
    },
    Asset {
        name: "images.css",
        mime: CSS,
        content: include_str!("../../templates/web/images.css"),
    },
    Asset { name: "images.js", mime: JS, content: include_str!("../../templates/web/images.js") },
    Asset { name: "tones.js", mime: JS, content: include_str!("../../templates/web/tones.js") },
    Asset { name: "edits.js", mime: JS, content: include_str!("../../templates/web/edits.js") },
    Asset { name: "words.js", mime: JS, content: include_str!("../../templates/web/words.js") },
    Asset { name: "review.js", mime: JS, content: include_str!("../../templates/web/review.js") },
];

/// A file of [`ASSETS`]. Browsers ask each time whether it is still the same, which is cheap and
/// never shows the script of an older server.
pub(super) async fn asset(name: web::Path<String>) -> Result<HttpResponse, WebError> {
    let asset = ASSETS.iter().find(|asset| asset.name == *name).ok_or(WebError::NotFound)?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, asset.mime))
        .insert_header(CacheControl(vec![CacheDirective::Private, CacheDirective::MaxAge(60)]))
        .body(asset.content))
}
