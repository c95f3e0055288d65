//! To the reports on which their readers differ. The page is that of [`super::review`].

use actix_web::{HttpResponse, web};

use super::super::guard::Person;
use super::super::layout::see;
use super::super::{Database, WebError};

/// Claims the next report that waits for an adjudicator and goes there.
pub(in super::super) async fn next(
    person: Person,
    database: web::Data<Database>,
) -> Result<HttpResponse, WebError> {
    let user = person.user.id;
    let slot = database
        .write(&person.user.name, move |writer| Ok(writer.claim_adjudication(user, None)?))
        .await?;
    Ok(see(&slot.map_or_else(|| "/".to_owned(), |slot| format!("/slots/{slot}"))))
}

/// Claims one report, to settle it whatever its state.
pub(in super::super) async fn item(
    person: Person,
    database: web::Data<Database>,
    item: web::Path<u64>,
) -> Result<HttpResponse, WebError> {
    let user = person.user.id;
    let slot = database
        .write(&person.user.name, move |writer| Ok(writer.claim_item(*item, user)?))
        .await?;
    let open = || {
        let message = "its annotators are not done with this report, or someone is settling it";
        WebError::Conflict(message.to_owned())
    };
    Ok(see(&format!("/slots/{}", slot.ok_or_else(open)?)))
}
