//! One report: its text, its label, and who said what when.

use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::super::guard::Person;
use super::super::layout::{Shell, html, see};
use super::super::{Database, WebError};
use crate::archive::annotation::{as_reader, restore as restore_reading};
use crate::label::{Evidence, Mode, Opinion, Verdict};
use crate::page::{Grid, Highlight, Mark, Tone, claims, tone_of};
use crate::store::{Action, ReadingRow, Role, StoredLabel, StoredReport, Version};

#[derive(Template)]
#[template(path = "web/report.html")]
struct ReportPage<'a> {
    shell: Shell,
    report: &'a StoredReport,
    version: &'a Version,
    versions: usize,
    highlight: Highlight<'a>,
    grid: Grid,
    readings: Vec<&'a ReadingRow>,
    own: String,
    /// The person is to read it blind first, so nobody's opinions are shown.
    blind: bool,
}

impl ReportPage<'_> {
    /// Whether the person who looks at a reading may let it stand again: it is theirs, and of the
    /// present text.
    fn may_stand_again(&self, reading: &ReadingRow) -> bool {
        let stands = mode_of(reading).is_some_and(|mode| mode != Mode::Repeat);
        stands && reading.reader.name == self.own && reading.version == self.version.number
    }

    /// What a reading says beside *normal*, in few words.
    fn said(&self, reading: &ReadingRow) -> Vec<(String, &'static Tone)> {
        let told = |opinion: &&Opinion| match opinion.verdict {
            Verdict::Graded(grade) => grade.is_stenosis(),
            Verdict::Unassessable => true,
            Verdict::NotMentioned => false,
        };
        let opinions = reading.body.opinions.iter().filter(told);
        opinions
            .map(|o| {
                let name = format!("{} {}", o.cell.level, o.cell.target.row().short);
                (name, tone_of(o.verdict))
            })
            .collect()
    }
}

/// How a person came to read; none for machines.
fn mode_of(reading: &ReadingRow) -> Option<Mode> {
    reading.context.as_ref().map(|context| context.mode)
}

/// The page.
pub(in super::super) async fn page(
    person: Person,
    database: web::Data<Database>,
    number: web::Path<u64>,
) -> Result<HttpResponse, WebError> {
    let number = *number;
    let user = person.user.clone();
    let (report, label, versions, readings, blind) = database
        .read(move |archive| {
            let store = archive.store();
            let report = store.report(number)?.ok_or(WebError::NotFound)?;
            let blind = user.role < Role::Adjudicator && store.is_blind_to(number, user.id)?;
            let label = if blind { Vec::new() } else { store.label(number)? };
            Ok((report, label, store.versions(number)?, store.readings(number)?, blind))
        })
        .await?;
    database
        .write(&person.user.name, move |writer| {
            Ok(writer.audit(Action::View, &format!("report {number}"), &())?)
        })
        .await?;
    let version =
        versions.iter().find(|version| version.id == report.version).ok_or(WebError::NotFound)?;
    let opinions = labelled(&label, &readings, version.number);
    let claims = claims(&opinions);
    let marks: Vec<Mark> = claims
        .iter()
        .flat_map(|claim| {
            claim.spans().iter().map(|&span| Mark { span, key: claim.key, ink: claim.ink() })
        })
        .collect();
    // Whoever annotates sees only their own readings, or a blind batch would not be blind, and not
    // that some of them were repeats.
    let sees_all = person.user.role >= Role::Adjudicator;
    let is_seen = |reading: &&ReadingRow| {
        let is_machine = reading.context.is_none();
        let is_repeat = mode_of(reading) == Some(Mode::Repeat);
        let is_own = reading.reader == as_reader(&person.user) && !is_repeat;
        sees_all || is_own || is_machine && !blind
    };
    html(&ReportPage {
        shell: Shell::of(&person, "/search"),
        highlight: Highlight::new(&version.text, &marks),
        grid: Grid::new(&opinions, &claims),
        readings: readings.iter().rev().filter(is_seen).collect(),
        own: person.user.name.clone(),
        blind,
        versions: versions.len(),
        report: &report,
        version,
    })
}

/// The label as opinions, each with the evidence of whoever decided it.
fn labelled(label: &[StoredLabel], readings: &[ReadingRow], version: u32) -> Vec<Opinion> {
    let evidence = |stored: &StoredLabel| {
        let of = readings
            .iter()
            .rev()
            .filter(|reading| reading.version == version && reading.reader.name == stored.reader);
        let mut opinions = of.flat_map(|reading| &reading.body.opinions);
        opinions.find(|opinion| opinion.cell == stored.label.cell).map(|o| o.evidence.clone())
    };
    label
        .iter()
        .map(|stored| Opinion {
            cell: stored.label.cell,
            verdict: stored.label.verdict,
            certainty: stored.label.certainty,
            conflict: stored.label.conflict,
            distribution: None,
            doubt: None,
            evidence: evidence(stored).unwrap_or(Evidence::Spans(Vec::new())),
        })
        .collect()
}

#[derive(Deserialize)]
pub(in super::super) struct Restore {
    reading: u64,
}

/// Lets an earlier reading of one's own stand again.
pub(in super::super) async fn restore(
    person: Person,
    database: web::Data<Database>,
    number: web::Path<u64>,
    form: web::Form<Restore>,
) -> Result<HttpResponse, WebError> {
    let (number, user) = (*number, person.user.clone());
    let id = form.reading;
    let (reading, of) = database
        .read(move |archive| {
            let store = archive.store();
            let mut readings = store.readings(number)?.into_iter();
            let reading = readings.find(|reading| reading.id == id).ok_or(WebError::NotFound)?;
            let mut versions = store.versions(number)?.into_iter();
            let of = versions.find(|version| version.number == reading.version);
            Ok((reading, of.ok_or(WebError::NotFound)?.id))
        })
        .await?;
    let settles = mode_of(&reading) == Some(Mode::Adjudication);
    if settles && person.user.role < Role::Adjudicator {
        return Err(WebError::Forbidden);
    }
    let stands = database
        .write(&person.user.name, move |writer| {
            Ok(restore_reading(writer, number, of, &reading, &user)?)
        })
        .await?;
    if !stands {
        let message = "this is a reading of an earlier text; read the present text instead";
        return Err(WebError::Conflict(message.to_owned()));
    }
    Ok(see(&format!("/reports/{number}")))
}
