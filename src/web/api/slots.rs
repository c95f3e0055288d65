//! The work itself: claiming a report, saving what is said of it, finishing it.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::super::guard::Person;
use super::super::pages::images::{Viewer, images};
use super::super::pages::review::{self, own_slot};
use super::super::{Database, WebError};
use crate::archive::annotation;
use crate::label::{Edit, Mode};
use crate::store::{Action, Role, Saved, Slot, User, Writer};

/// Claims the next report of a batch.
pub(in super::super) async fn claim(
    person: Person,
    database: web::Data<Database>,
    batch: web::Path<u64>,
) -> Result<HttpResponse, WebError> {
    let slot = review::claim(&person, &database, *batch).await?;
    Ok(HttpResponse::Ok().json(json!({ "slot": slot })))
}

/// A slot of one's own: the text, what is shown, the images of its study, and the edits so far.
pub(in super::super) async fn show(
    person: Person,
    database: web::Data<Database>,
    slot: web::Path<u64>,
) -> Result<HttpResponse, WebError> {
    let user = person.user.clone();
    let (report, body) = database
        .read(move |archive| {
            let store = archive.store();
            let slot = own_slot(archive, *slot, &user)?;
            let versions = store.versions(slot.report)?;
            let version = versions.into_iter().find(|version| version.id == slot.version);
            let viewer = Viewer::at(&slot, &user);
            let shown = annotation::shown(slot.mode, &store.current_readings(slot.version)?);
            let body = json!({
                "slot": slot.id,
                "batch": slot.batch,
                "mode": slot.mode.name(),
                "finished_at": slot.finished_at,
                "text": version.ok_or(WebError::NotFound)?.text,
                "report": slot.report,
                "shown": shown,
                "images": images(archive, slot.report, viewer)?,
                "edits": store.edits(slot.id)?,
            });
            Ok((slot.report, body))
        })
        .await?;
    database
        .write(&person.user.name, move |writer| {
            Ok(writer.audit(Action::View, &format!("report {report}"), &())?)
        })
        .await?;
    Ok(HttpResponse::Ok().json(body))
}

/// The most edits that one request may bring.
const MOST_EDITS: usize = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Edits {
    first: u32,
    edits: Vec<Edit>,
    #[serde(default)]
    seconds: f32,
}

/// Keeps edits. Those that were kept before count once.
pub(in super::super) async fn save(
    person: Person,
    database: web::Data<Database>,
    slot: web::Path<u64>,
    edits: web::Json<Edits>,
) -> Result<HttpResponse, WebError> {
    let Edits { first, edits, seconds } = edits.into_inner();
    if first == 0 || edits.len() > MOST_EDITS {
        return Err(WebError::Bad(format!(
            "edits are numbered from 1 and come at most {MOST_EDITS} at a time"
        )));
    }
    let user = person.user.clone();
    let saved = database
        .write(&person.user.name, move |writer| {
            let slot = own(writer, *slot, &user)?;
            // Most edits are of cells alone, and are right whatever the text.
            if edits.iter().any(Edit::names_words) {
                let text = writer.text(slot.version)?;
                edits.iter().try_for_each(|edit| edit.check(&text))?;
            } else {
                edits.iter().try_for_each(|edit| edit.check(""))?;
            }
            Ok(writer.save_edits(slot.id, first, &edits, seconds.clamp(0.0, 1e6))?)
        })
        .await?;
    match saved {
        Saved::Kept(kept) => Ok(HttpResponse::Ok().json(json!({ "kept": kept }))),
        Saved::Gap(kept) => {
            Err(WebError::Conflict(format!("edit {} is missing; load the page again", kept + 1)))
        }
        Saved::Differs(_) => Err(WebError::Conflict(
            "this report is open in another window too; load the page again".to_owned(),
        )),
    }
}

/// The slot of this number, where it is the person's own.
pub(super) fn own(writer: &Writer<'_>, slot: u64, user: &User) -> Result<Slot, WebError> {
    let found = writer.slot(slot)?;
    found.filter(|slot| slot.user == user.id).ok_or(WebError::NotFound)
}

/// Keeps a slot claimed: the person is still there.
pub(in super::super) async fn hold(
    person: Person,
    database: web::Data<Database>,
    slot: web::Path<u64>,
) -> Result<HttpResponse, WebError> {
    let user = person.user.clone();
    database
        .write(&person.user.name, move |writer| {
            let slot = own(writer, *slot, &user)?;
            if writer.hold(slot.id)? {
                return Ok(());
            }
            let taken = "someone else is at this report now; what you saved is kept";
            Err(WebError::Conflict(taken.to_owned()))
        })
        .await?;
    Ok(HttpResponse::Ok().json(json!({})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Finish {
    #[serde(default)]
    seconds: f32,
}

/// Makes a reading of what was saved, and claims the next report.
pub(in super::super) async fn finish(
    person: Person,
    database: web::Data<Database>,
    slot: web::Path<u64>,
    finish: web::Json<Finish>,
) -> Result<HttpResponse, WebError> {
    let user = person.user.clone();
    let seconds = finish.seconds.clamp(0.0, 1e6);
    let next = database
        .write(&person.user.name, move |writer| {
            let mut slot = own(writer, *slot, &user)?;
            if slot.mode == Mode::Adjudication && !settles(&slot, &user) {
                return Err(WebError::Forbidden);
            }
            slot.seconds = slot.seconds.max(seconds);
            let batch = writer.batch_name(slot.batch)?;
            annotation::finish(writer, &slot, &batch, &user)??;
            next_of(writer, &slot, &user, None)
        })
        .await?;
    Ok(HttpResponse::Ok().json(json!({ "next": next })))
}

/// Whether someone may settle the report of a slot. Who claimed it may have lost the role since.
fn settles(slot: &Slot, user: &User) -> bool {
    slot.mode == Mode::Adjudication && user.role >= Role::Adjudicator
}

/// The next slot after this one.
fn next_of(
    writer: &Writer<'_>,
    slot: &Slot,
    user: &User,
    besides: Option<u64>,
) -> Result<Option<u64>, WebError> {
    if slot.mode == Mode::Adjudication {
        return Ok(writer.claim_adjudication(user.id, besides)?);
    }
    Ok(writer.claim(slot.batch, user.id, besides)?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
pub(in super::super) struct Words {
    reason: String,
    phrase: String,
    note: String,
}

/// The longest phrase or reason, in bytes.
const LONGEST_WORDS: usize = 2000;

/// The other acts upon a slot of one's own: `ahead` claims the next report before this one is
/// finished, `release` lets it go, `send-back` returns it to its annotators, `suggest` marks a
/// phrase as misread.
pub(in super::super) async fn act(
    person: Person,
    database: web::Data<Database>,
    path: web::Path<(u64, String)>,
    words: Option<web::Json<Words>>,
) -> Result<HttpResponse, WebError> {
    let (slot, act) = path.into_inner();
    let Words { reason, phrase, note } = words.map(web::Json::into_inner).unwrap_or_default();
    if [&reason, &phrase, &note].iter().any(|words| words.len() > LONGEST_WORDS) {
        return Err(WebError::Bad(format!("at most {LONGEST_WORDS} bytes of words")));
    }
    let user = person.user.clone();
    let next = database
        .write(&person.user.name, move |writer| {
            let slot = own(writer, slot, &user)?;
            match act.as_str() {
                "ahead" => return next_of(writer, &slot, &user, Some(slot.id)),
                "release" => writer.release(slot.id)?,
                "send-back" if !settles(&slot, &user) => return Err(WebError::Forbidden),
                "send-back" if reason.trim().is_empty() => {
                    return Err(WebError::Bad("say why it is sent back".to_owned()));
                }
                "send-back" => annotation::send_back(writer, &slot, &reason)??,
                "suggest" if phrase.trim().is_empty() => {
                    return Err(WebError::Bad("which phrase is misread?".to_owned()));
                }
                "suggest" => writer.suggest(slot.version, user.id, &phrase, &note)?,
                _ => return Err(WebError::NotFound),
            }
            Ok(None)
        })
        .await?;
    Ok(HttpResponse::Ok().json(json!({ "next": next })))
}
