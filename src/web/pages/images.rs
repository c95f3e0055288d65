//! The images of the study that a report is about: pictures, and what everyone says of them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::BufReader;

use actix_web::http::header::ContentType;
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Serialize;

use super::super::guard::Person;
use super::super::{Database, WebError};
use super::review::{escape_json, shows_machines};
use crate::archive::Archive;
use crate::imaging::crop::{SHAPES, Shape};
use crate::imaging::overview::{CONTOURS, Discs, IMAGE};
use crate::imaging::picture::strip;
use crate::imaging::spine::{LevelMeasures, Section, names, ways};
use crate::imaging::{Kind, npz};
use crate::label::{Grade, Level, Mode, Opinion, ReaderKind, TARGETS, TargetRow, Verdict};
use crate::store::{
    Action, CurrentReading, DiscReadings, Role, Slot, Store, StoreError, StudyImages, User,
};

/// The images of a study as the review shows them. Its [`std::fmt::Display`] is the HTML fragment.
#[derive(Template)]
#[template(path = "web/images.html")]
pub(super) struct ImagesPane {
    names: Vec<NameChoice>,
    /// Whether a person says that the names are right.
    are_confirmed: bool,
    /// Whether the person may settle what the image shows.
    may_settle: bool,
    /// Everything that the script works with, as JSON that no markup can break out of.
    work: String,
}

/// A way to call the lowest disc, and with it all others.
struct NameChoice {
    value: String,
    words: String,
    is_chosen: bool,
}

/// What the script works with.
#[derive(Serialize)]
struct Work {
    study: u64,
    run: u32,
    width: usize,
    height: usize,
    discs: Vec<DiscShown>,
}

#[derive(Serialize)]
struct DiscShown {
    ordinal: u8,
    level: Option<Level>,
    /// Where it is on the picture.
    line: [f64; 4],
    /// Kinds of series that show it.
    series: Vec<SeriesShown>,
    says: BTreeMap<&'static str, Vec<Says>>,
    measures: String,
}

#[derive(Serialize)]
struct SeriesShown {
    kind: Kind,
    width: usize,
    height: usize,
    slices: usize,
}

/// What a reader says of a target.
#[derive(Serialize)]
pub(in super::super) struct Says {
    kind: ReaderKind,
    name: String,
    verdict: Verdict,
    /// How probable each grade is, by [`Grade::ALL`].
    #[serde(skip_serializing_if = "Option::is_none")]
    distribution: Option<[f32; Grade::ALL.len()]>,
    /// The grades that the reader cannot exclude, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    may_be: Option<String>,
}

impl ImagesPane {
    /// Whether the discs are called as some way to name a spine has it.
    fn is_named(&self) -> bool {
        self.names.iter().any(|name| name.is_chosen)
    }

    fn targets(&self) -> &'static [TargetRow] {
        &TARGETS
    }

    fn shapes(&self) -> &'static [Shape] {
        &SHAPES
    }
}

/// Whose opinions a person sees.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Viewer<'a> {
    /// The person, whose own they are always shown.
    name: &'a str,
    /// Whether they see those of other people.
    sees_people: bool,
    /// Whether they see those of machines; not where they are to see for themselves.
    sees_machines: bool,
    /// Whether they may settle what others differ on.
    settles: bool,
    /// Since when they look again without being told so.
    again_since: Option<&'a str>,
}

impl<'a> Viewer<'a> {
    /// A person at a slot of theirs. Who annotates sees nobody else's, or they would not be independent.
    pub(in super::super) fn at(slot: &'a Slot, user: &'a User) -> Self {
        let sees_machines = shows_machines(slot.mode);
        // Who is to see for themselves sees nobody else's, whatever their role.
        let settles = sees_machines && user.role >= Role::Adjudicator;
        let looks_again = slot.repeat && slot.mode != Mode::Adjudication;
        let again_since = looks_again.then_some(slot.claimed_at.as_str());
        Self { name: &user.name, sees_people: settles, sees_machines, settles, again_since }
    }

    /// Whether they may settle what the image shows.
    pub(in super::super) const fn may_settle(self) -> bool {
        self.settles
    }

    /// How what they see is kept.
    pub(in super::super) const fn mode(self, settles: bool) -> Mode {
        match (settles, self.sees_machines) {
            (true, _) => Mode::Adjudication,
            (false, true) => Mode::Assisted,
            (false, false) => Mode::Blind,
        }
    }

    /// Since when they look again without being told so, where they do.
    pub(in super::super) const fn again_since(self) -> Option<&'a str> {
        self.again_since
    }

    /// The images of the study that a report is about, with what counts for this person as theirs.
    pub(in super::super) fn images(
        self,
        store: &Store,
        report: u64,
    ) -> Result<Option<StudyImages>, StoreError> {
        match self.again_since {
            Some(since) => store.images_again(report, self.name, since),
            None => store.images(report),
        }
    }

    fn sees(self, reading: &CurrentReading) -> bool {
        match reading.kind {
            ReaderKind::Person => self.sees_people || reading.name == self.name,
            _ => self.sees_machines,
        }
    }
}

/// The images of the study that a report is about; none where it was never segmented, or its
/// pictures were not kept.
pub(super) fn pane(
    archive: &Archive,
    report: u64,
    viewer: Viewer<'_>,
) -> Result<Option<ImagesPane>, WebError> {
    let store = archive.store();
    let Some(images) = viewer.images(store, report)? else { return Ok(None) };
    let Some(folder) = store.segments_of_run(images.study, images.run)? else { return Ok(None) };
    // Who took pictures away can segment again.
    let Ok(marks) = Discs::read(&folder) else { return Ok(None) };
    let mut discs = Vec::with_capacity(images.discs.len());
    for (disc, line) in images.discs.iter().zip(&marks.lines) {
        let file = File::open(folder.join(npz::file_name(usize::from(disc.ordinal) + 1)));
        let kinds = file.ok().and_then(|file| npz::kinds(BufReader::new(file)).ok());
        let shapes = SHAPES
            .iter()
            .filter(|shape| kinds.as_ref().is_some_and(|kinds| kinds.contains(&shape.kind)));
        discs.push(DiscShown {
            ordinal: disc.ordinal,
            level: disc.level,
            line: *line,
            series: shapes.map(shown).collect(),
            says: says(disc, viewer),
            measures: measures(disc, viewer).unwrap_or_default(),
        });
    }
    let [width, height] = marks.size;
    let names = choices(&images);
    let naming = store.naming(images.study)?;
    let are_confirmed = names.iter().any(|name| name.is_chosen)
        && naming.iter().all(|disc| disc.level.is_none() || disc.probability == Some(1.0));
    let work = Work { study: images.study, run: images.run, width, height, discs };
    let work = escape_json(&serde_json::to_string(&work).unwrap_or_default());
    Ok(Some(ImagesPane { names, are_confirmed, may_settle: viewer.settles, work }))
}

fn shown(shape: &Shape) -> SeriesShown {
    let [width, height, slices] = shape.size;
    SeriesShown { kind: shape.kind, width, height, slices }
}

/// The ways to call the lowest disc, with that which stands chosen.
fn choices(images: &StudyImages) -> Vec<NameChoice> {
    let stand: Vec<Option<Level>> = images.discs.iter().map(|disc| disc.level).collect();
    let choice = |(lowest, lumbar): (Level, u8)| NameChoice {
        value: format!("{lowest} {lumbar}"),
        words: match lumbar {
            4 => format!("{lowest}, of four lumbar vertebrae"),
            6 => format!("{lowest}, of six lumbar vertebrae"),
            _ => lowest.to_string(),
        },
        is_chosen: names(lowest, lumbar, stand.len()).as_ref() == Some(&stand),
    };
    ways().map(choice).collect()
}

/// What is said of a disc, by target.
pub(in super::super) fn says(
    disc: &DiscReadings,
    viewer: Viewer<'_>,
) -> BTreeMap<&'static str, Vec<Says>> {
    let mut by_target: BTreeMap<_, Vec<Says>> = BTreeMap::new();
    for reading in disc.readings.iter().filter(|reading| viewer.sees(reading)) {
        for opinion in &reading.body.opinions {
            by_target.entry(opinion.cell.target.name()).or_default().push(said(reading, opinion));
        }
    }
    by_target
}

/// The discs of a report's study with what is said of them, for programs; none where it was never
/// segmented.
pub(in super::super) fn images(
    archive: &Archive,
    report: u64,
    viewer: Viewer<'_>,
) -> Result<Option<serde_json::Value>, WebError> {
    let Some(images) = viewer.images(archive.store(), report)? else { return Ok(None) };
    let disc = |disc: &DiscReadings| {
        serde_json::json!({
            "ordinal": disc.ordinal,
            "level": disc.level,
            "says": says(disc, viewer),
        })
    };
    let discs: Vec<_> = images.discs.iter().map(disc).collect();
    Ok(Some(serde_json::json!({ "study": images.study, "run": images.run, "discs": discs })))
}

fn said(reading: &CurrentReading, opinion: &Opinion) -> Says {
    let doubt = opinion.doubt.filter(|doubt| doubt.may_be.len() > 1);
    Says {
        kind: reading.kind,
        name: reading.name.clone(),
        verdict: opinion.verdict,
        distribution: opinion.distribution,
        may_be: doubt.map(|doubt| doubt.may_be.to_string()),
    }
}

/// What was measured at a disc, in words.
fn measures(disc: &DiscReadings, viewer: Viewer<'_>) -> Option<String> {
    let mut seen = disc.readings.iter().rev().filter(|reading| viewer.sees(reading));
    let LevelMeasures { canal, narrowest, disc_height, listhesis, .. } =
        seen.find_map(|reading| reading.body.measures)?;
    let section = |what: &str, section: Section| {
        format!("{what} AP {:.1} mm, {:.0} mm²", section.ap, section.area)
    };
    let parts = [
        canal.map(|canal| section("canal", canal)),
        narrowest.map(|narrowest| section("narrowest", narrowest)),
        disc_height.map(|height| format!("disc {height:.1} mm high")),
        listhesis.map(|slip| format!("slip {slip:.1} mm")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    Some(parts.join(" · "))
}

/// The spine from the side, or the contours that are laid over it.
pub(in super::super) async fn overview(
    person: Person,
    database: web::Data<Database>,
    path: web::Path<(u64, u32, String)>,
) -> Result<HttpResponse, WebError> {
    let (study, run, name) = path.into_inner();
    let file = match name.as_str() {
        "median" => IMAGE,
        "contours" => CONTOURS,
        _ => return Err(WebError::NotFound),
    };
    let bytes = database
        .read(move |archive| {
            let folder = archive.store().segments_of_run(study, run)?.ok_or(WebError::NotFound)?;
            fs::read(folder.join(file)).map_err(|_| WebError::NotFound)
        })
        .await?;
    database
        .write(&person.user.name, move |writer| {
            Ok(writer.audit(Action::View, &format!("images of study {study}"), &run)?)
        })
        .await?;
    Ok(png(bytes))
}

/// All slices of a level's crop below each other.
pub(in super::super) async fn slices(
    _person: Person,
    database: web::Data<Database>,
    path: web::Path<(u64, u32, usize, String)>,
) -> Result<HttpResponse, WebError> {
    let (study, run, ordinal, kind) = path.into_inner();
    let shape = SHAPES.iter().find(|shape| shape.kind.name() == kind).ok_or(WebError::NotFound)?;
    let bytes = database
        .read(move |archive| {
            let folder = archive.store().segments_of_run(study, run)?.ok_or(WebError::NotFound)?;
            let file = File::open(folder.join(npz::file_name(ordinal + 1)));
            let file = BufReader::new(file.map_err(|_| WebError::NotFound)?);
            let crop = npz::read_crop(file, shape.kind).ok().flatten().ok_or(WebError::NotFound)?;
            let [width, height, slices] = crop.geometry.size;
            Ok(strip(crop.values.iter().map(|value| value.to_f32()), width, height * slices))
        })
        .await?;
    Ok(png(bytes))
}

fn png(bytes: Vec<u8>) -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::png()).body(bytes)
}
