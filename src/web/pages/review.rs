//! The page on which a person reads a report and says what it says, cell by cell.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Serialize;

use super::super::guard::Person;
use super::super::layout::{Shell, html, see};
use super::super::{Database, WebError};
use super::images::{ImagesPane, Viewer, pane};
use crate::archive::Archive;
use crate::archive::annotation::{differing, machine, shown};
use crate::extract::SectionSpan;
use crate::label::{
    Cell, Certainty, Edit, Flag, Level, LevelSet, Mode, Opinion, ReaderKind, Span, TARGETS,
    TargetRow, Verdict,
};
use crate::page::{Highlight, Ink, Mark, Tone, claims, tone_of};
use crate::store::{Action, Batch, CurrentReading, Slot, User};

/// Claims the next report of a batch; none where nothing is left for the person.
pub(in super::super) async fn claim(
    person: &Person,
    database: &Database,
    batch: u64,
) -> Result<Option<u64>, WebError> {
    let user = person.user.id;
    database.write(&person.user.name, move |writer| Ok(writer.claim(batch, user, None)?)).await
}

/// Claims the next report of a batch and goes there.
pub(in super::super) async fn next(
    person: Person,
    database: web::Data<Database>,
    batch: web::Path<u64>,
) -> Result<HttpResponse, WebError> {
    let slot = claim(&person, &database, *batch).await?;
    Ok(see(&slot.map_or_else(|| "/".to_owned(), |slot| format!("/slots/{slot}"))))
}

#[derive(Template)]
#[template(path = "web/review.html")]
struct ReviewPage<'a> {
    shell: Shell,
    report: &'a str,
    batch: &'a Batch,
    slot: &'a Slot,
    done: u64,
    highlight: Highlight<'a>,
    levels: Vec<(Level, bool)>,
    sides: Vec<&'a str>,
    differing: Vec<DifferingRow>,
    images: Option<&'a ImagesPane>,
    /// Everything that the script works with, as JSON that no markup can break out of.
    work: String,
}

impl ReviewPage<'_> {
    fn targets(&self) -> &'static [TargetRow] {
        &TARGETS
    }

    fn flags(&self) -> [(Flag, char); 4] {
        let keys = ['U', 'L', 'T', 'C'];
        std::array::from_fn(|i| (Flag::ALL[i], keys[i]))
    }

    fn adjudicates(&self) -> bool {
        self.slot.mode == Mode::Adjudication
    }
}

/// A cell on which readers differ, with what each of them said.
struct DifferingRow {
    cell: Cell,
    said: Vec<Option<Said>>,
}

/// What a reader said of a cell, for an adjudicator.
struct Said {
    verdict: Verdict,
    hedged: bool,
    quotes: Vec<String>,
    comment: Option<String>,
}

impl Said {
    fn tone(&self) -> &'static Tone {
        tone_of(self.verdict)
    }
}

/// What the script works with.
#[derive(Serialize)]
struct Work<'a> {
    slot: u64,
    batch: u64,
    mode: &'static str,
    /// What stands in cells that nobody has touched, by cell.
    shown: BTreeMap<String, ShownCell>,
    /// What each machine says, by cell, where several have read and the person may know it.
    machines: BTreeMap<String, Vec<MachineSays>>,
    /// The keys of the words that a cell rests on, by cell.
    keys: BTreeMap<String, Vec<u32>>,
    /// The cells that an adjudicator has to decide.
    differing: Vec<String>,
    /// What each side said, for taking a side: by cell, in the order of the sides.
    sides: BTreeMap<String, Vec<Option<SideCell>>>,
    edits: &'a [Edit],
    seconds: f32,
    finished: bool,
}

#[derive(Serialize)]
struct ShownCell {
    verdict: Verdict,
    certainty: Certainty,
    origin: &'static str,
    conflict: bool,
    uncertain: bool,
}

/// What a machine says of a cell.
#[derive(Serialize)]
struct MachineSays {
    reader: &'static str,
    verdict: Verdict,
    certainty: Certainty,
    #[serde(skip_serializing_if = "Option::is_none")]
    probability: Option<f32>,
    /// The outcomes that it thinks possible, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    may_be: Option<String>,
}

#[derive(Serialize)]
struct SideCell {
    verdict: Verdict,
    certainty: Certainty,
    evidence: Vec<Span>,
}

/// What the page is made of, as it was read.
struct Read {
    slot: Slot,
    batch: Batch,
    report: String,
    text: String,
    sections: Vec<SectionSpan>,
    readings: Vec<CurrentReading>,
    edits: Vec<Edit>,
    done: u64,
    images: Option<ImagesPane>,
}

/// The slot of this number, where it is the person's own.
pub(in super::super) fn own_slot(
    archive: &Archive,
    slot: u64,
    user: &User,
) -> Result<Slot, WebError> {
    let found = archive.store().slot(slot)?;
    found.filter(|slot| slot.user == user.id).ok_or(WebError::NotFound)
}

fn read(archive: &Archive, slot: u64, user: &User) -> Result<Read, WebError> {
    let store = archive.store();
    let slot = own_slot(archive, slot, user)?;
    let stored = store.report(slot.report)?.ok_or(WebError::NotFound)?;
    let version = store.versions(slot.report)?.into_iter().find(|v| v.id == slot.version);
    Ok(Read {
        batch: store.batch(slot.batch)?.ok_or(WebError::NotFound)?,
        report: stored.report.id,
        text: version.ok_or(WebError::NotFound)?.text,
        sections: store.sections(slot.version)?,
        readings: store.current_readings(slot.version)?,
        edits: store.edits(slot.id)?,
        done: store.finished_count(slot.batch, user.id)?,
        images: pane(archive, slot.report, Viewer::at(&slot, user))?,
        slot,
    })
}

/// The page.
pub(in super::super) async fn page(
    person: Person,
    database: web::Data<Database>,
    slot: web::Path<u64>,
) -> Result<HttpResponse, WebError> {
    let user = person.user.clone();
    let read = database.read(move |archive| read(archive, *slot, &user)).await?;
    let (slot, report) = (read.slot.id, read.slot.report);
    database
        .write(&person.user.name, move |writer| {
            writer.hold(slot)?;
            Ok(writer.audit(Action::View, &format!("report {report}"), &slot)?)
        })
        .await?;
    let shell = Shell::of(&person, "/");
    html(&compose(shell, &read))
}

/// Whether a person sees what machines say.
pub(in super::super) const fn shows_machines(mode: Mode) -> bool {
    matches!(mode, Mode::Assisted | Mode::Adjudication)
}

fn compose(shell: Shell, read: &Read) -> ReviewPage<'_> {
    let adjudicates = read.slot.mode == Mode::Adjudication;
    let starting = shown(read.slot.mode, &read.readings);
    // An adjudicator sees what everyone rests on; anyone else what they start from.
    let sides: Vec<&CurrentReading> =
        read.readings.iter().filter(|reading| adjudicates && !reading.adjudicates).collect();
    let evidence: Vec<Opinion> = if adjudicates {
        sides.iter().flat_map(|reading| reading.body.opinions.iter().cloned()).collect()
    } else {
        starting.clone()
    };
    let claims = claims(&evidence);
    let mut keys: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for claim in &claims {
        keys.entry(claim.cell.to_string()).or_default().push(claim.key);
    }
    let mut marks: Vec<Mark> = claims
        .iter()
        .flat_map(|claim| {
            claim.spans().iter().map(|&span| Mark { span, key: claim.key, ink: claim.ink() })
        })
        .collect();
    marks.extend(read.sections.iter().filter_map(|section| heading(&read.text, section)));
    let open = if adjudicates { differing(&read.readings) } else { Vec::new() };
    let labeller = machine(&read.readings).map_or(ReaderKind::Rules, |reading| reading.kind);
    let origin = if adjudicates { "agreed" } else { labeller.name() };
    let shown_cell = |opinion: &Opinion| ShownCell {
        verdict: opinion.verdict,
        certainty: opinion.certainty,
        origin,
        conflict: opinion.conflict,
        uncertain: opinion.doubt.is_some(),
    };
    let work = Work {
        slot: read.slot.id,
        batch: read.slot.batch,
        mode: read.slot.mode.name(),
        shown: starting.iter().map(|o| (o.cell.to_string(), shown_cell(o))).collect(),
        machines: match shows_machines(read.slot.mode) {
            false => BTreeMap::new(),
            true => machines(&read.readings),
        },
        keys,
        differing: open.iter().map(Cell::to_string).collect(),
        sides: if adjudicates {
            let all = Cell::all().filter(|&cell| sides.iter().any(|s| opinion(s, cell).is_some()));
            all.map(|cell| (cell.to_string(), side_cells(&sides, cell))).collect()
        } else {
            BTreeMap::new()
        },
        edits: &read.edits,
        seconds: read.slot.seconds,
        finished: read.slot.finished_at.is_some(),
    };
    ReviewPage {
        report: &read.report,
        batch: &read.batch,
        slot: &read.slot,
        done: read.done,
        highlight: Highlight::new(&read.text, &marks),
        levels: levels(&evidence, &read.edits),
        differing: open.iter().map(|&cell| differing_row(&read.text, &sides, cell)).collect(),
        sides: sides.iter().map(|reading| side_name(reading)).collect(),
        images: read.images.as_ref(),
        work: escape_json(&serde_json::to_string(&work).unwrap_or_default()),
        shell,
    }
}

/// JSON as it may stand within a `script` element: nothing in it can end the element.
pub(super) fn escape_json(json: &str) -> String {
    json.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

fn side_name(reading: &CurrentReading) -> &str {
    if reading.kind == ReaderKind::Person { &reading.name } else { reading.kind.name() }
}

fn opinion(reading: &CurrentReading, cell: Cell) -> Option<&Opinion> {
    reading.body.opinions.iter().find(|opinion| opinion.cell == cell)
}

/// What each machine says of the cells that any of them has an opinion on; nothing where only one
/// has read.
fn machines(readings: &[CurrentReading]) -> BTreeMap<String, Vec<MachineSays>> {
    let of_text = [ReaderKind::Rules, ReaderKind::Transformer, ReaderKind::Fused];
    let machines: Vec<&CurrentReading> = of_text
        .iter()
        .filter_map(|kind| readings.iter().find(|reading| reading.kind == *kind))
        .collect();
    if machines.len() < 2 {
        return BTreeMap::new();
    }
    let cells = Cell::all().filter(|&cell| machines.iter().any(|m| opinion(m, cell).is_some()));
    let says = |reading: &&CurrentReading, cell: Cell| {
        let opinion = opinion(reading, cell);
        MachineSays {
            reader: reading.kind.name(),
            verdict: opinion.map_or(Verdict::NotMentioned, |opinion| opinion.verdict),
            certainty: opinion.map_or(Certainty::Stated, |opinion| opinion.certainty),
            probability: opinion.and_then(Opinion::probability),
            may_be: opinion
                .and_then(|opinion| opinion.doubt)
                .filter(|doubt| doubt.may_be.len() > 1)
                .map(|doubt| doubt.may_be.to_string()),
        }
    };
    cells.map(|cell| (cell.to_string(), machines.iter().map(|m| says(m, cell)).collect())).collect()
}

fn spans(opinion: &Opinion) -> Vec<Span> {
    let one = std::slice::from_ref(opinion);
    claims(one).iter().flat_map(|claim| claim.spans().to_vec()).collect()
}

fn side_cells(sides: &[&CurrentReading], cell: Cell) -> Vec<Option<SideCell>> {
    let side = |reading: &&CurrentReading| {
        opinion(reading, cell).map(|opinion| SideCell {
            verdict: opinion.verdict,
            certainty: opinion.certainty,
            evidence: spans(opinion),
        })
    };
    sides.iter().map(side).collect()
}

fn differing_row(text: &str, sides: &[&CurrentReading], cell: Cell) -> DifferingRow {
    let said = |reading: &&CurrentReading| {
        let comment = reading.body.comments.iter().find(|(of, _)| *of == cell);
        let opinion = opinion(reading, cell)?;
        let quotes = spans(opinion).into_iter().filter_map(|s| text.get(s.range()));
        Some(Said {
            verdict: opinion.verdict,
            hedged: opinion.certainty == Certainty::Hedged,
            quotes: quotes.map(str::to_owned).collect(),
            comment: comment.map(|(_, comment)| comment.clone()),
        })
    };
    DifferingRow { cell, said: sides.iter().map(said).collect() }
}

/// The levels in order, and whether they are shown from the start: the lumbar ones, and any that
/// something is said of.
fn levels(opinions: &[Opinion], edits: &[Edit]) -> Vec<(Level, bool)> {
    let edited = edits.iter().flat_map(|edit| edit.cells.iter().map(|cell| cell.cell.level));
    let named: LevelSet = opinions.iter().map(|o| o.cell.level).chain(edited).collect();
    let shown = named.union(LevelSet::LUMBAR);
    Level::ALL.into_iter().map(|level| (level, shown.contains(level))).collect()
}

/// The longest first line of a section that is taken for its heading, in bytes.
const LONGEST_HEADING: usize = 60;

/// The heading of a section: what its first line has up to a colon, or the line where it is short.
fn heading(text: &str, section: &SectionSpan) -> Option<Mark> {
    let line = text.get(section.span.range())?.lines().next()?;
    let end = match line.find(':') {
        Some(colon) => colon + 1,
        None => line.trim_end().len(),
    };
    let span = Span { start: section.span.start, end: section.span.start + end as u32 };
    // A text may begin without any, with the first level in its place.
    let is_level = line[..end].contains(|sign: char| sign.is_ascii_digit());
    (0 < end && end <= LONGEST_HEADING && !is_level).then_some(Mark {
        span,
        key: u32::MAX,
        ink: Ink::Heading,
    })
}
