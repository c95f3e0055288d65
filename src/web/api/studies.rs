//! What people see on images, and what they call the levels of a study.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::super::guard::Person;
use super::super::pages::images::{Viewer, says};
use super::super::{Database, WebError};
use super::slots::own;
use crate::archive::annotation::as_reader;
use crate::imaging::spine::names;
use crate::label::{Level, Target, Verdict};
use crate::store::Seen;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Look {
    run: u32,
    ordinal: u8,
    targets: Vec<Target>,
    verdict: Verdict,
    /// Whether it settles what the image shows, for those who may.
    #[serde(default)]
    settles: bool,
}

/// Records what a person sees at a disc of the study that the report of a slot of theirs is about, and
/// shows what others say of it as far as the slot does.
pub(in super::super) async fn look(
    person: Person,
    database: web::Data<Database>,
    slot: web::Path<u64>,
    look: web::Json<Look>,
) -> Result<HttpResponse, WebError> {
    let Look { run, ordinal, targets, verdict, settles } = look.into_inner();
    let reader = as_reader(&person.user);
    let user = person.user.clone();
    let slot = database
        .write(&person.user.name, move |writer| {
            let slot = own(writer, *slot, &user)?;
            let study = writer.study_of(slot.report)?.ok_or(WebError::NotFound)?;
            let viewer = Viewer::at(&slot, &user);
            if settles && !viewer.may_settle() {
                return Err(WebError::Forbidden);
            }
            let (targets, mode) = (&targets, viewer.mode(settles));
            let again_since = viewer.again_since();
            let seen = Seen { study, run, ordinal, targets, verdict, mode, again_since };
            match writer.see(&reader, &seen)? {
                true => Ok(slot),
                false => Err(outdated()),
            }
        })
        .await?;
    let user = person.user.clone();
    let says = database
        .read(move |archive| {
            let viewer = Viewer::at(&slot, &user);
            let images = viewer.images(archive.store(), slot.report)?.ok_or(WebError::NotFound)?;
            let disc = images.discs.iter().find(|disc| disc.ordinal == ordinal);
            Ok(says(disc.ok_or(WebError::NotFound)?, viewer))
        })
        .await?;
    Ok(HttpResponse::Ok().json(json!({ "says": says })))
}

fn outdated() -> WebError {
    let told = "this study was segmented anew, or the level has no name; load the page again";
    WebError::Conflict(told.to_owned())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Names {
    run: u32,
    lowest: Level,
    lumbar: u8,
}

/// Calls the lowest disc of a study so, and all others by it.
pub(in super::super) async fn rename(
    person: Person,
    database: web::Data<Database>,
    study: web::Path<u64>,
    asked: web::Json<Names>,
) -> Result<HttpResponse, WebError> {
    let (study, Names { run, lowest, lumbar }) = (*study, asked.into_inner());
    let reader = as_reader(&person.user);
    database
        .write(&person.user.name, move |writer| {
            let (uid, discs) = writer.newest_discs(study, run)?.ok_or_else(outdated)?;
            let Some(names) = names(lowest, lumbar, discs) else {
                let told = format!("no spine of {lumbar} lumbar vertebrae has {lowest} lowest");
                return Err(WebError::Bad(told));
            };
            Ok(writer.correct_naming(&uid, &names, &reader)?)
        })
        .await?;
    Ok(HttpResponse::Ok().json(json!({})))
}
