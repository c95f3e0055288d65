//! A person's work on a report: what they are shown, and what it becomes.

use super::ArchiveError;
use crate::label::{Cell, Draft, Mode, Opinion, Reader, ReaderKind, Verdict};
use crate::store::{
    Action, Body, CurrentReading, NewReading, ReadingRow, Slot, StoreError, User, Writer,
};

/// Why a slot cannot be finished, or its report not sent back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "each message says it")]
pub enum Unfinished {
    #[error("others have read this report meanwhile; what you saved is kept")]
    Taken,
    #[error("this report was sent back and is being read anew; what you saved is kept")]
    SentBack,
    #[error(
        "another adjudicator has settled this report meanwhile; what you saved is kept, and a lead \
         can have it settled anew from its batch"
    )]
    Settled,
    #[error("decide {} first: its readers differ", list(.0))]
    Undecided(Vec<Cell>),
    #[error("say why {} is none of what its readers said", list(.0))]
    NoReason(Vec<Cell>),
}

fn list(cells: &[Cell]) -> String {
    cells.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The opinions that a person starts from: none when blind, those that label it when assisted, and
/// for an adjudicator what all people agree on.
pub fn shown(mode: Mode, readings: &[CurrentReading]) -> Vec<Opinion> {
    match mode {
        Mode::Assisted => machine(readings).map_or_else(Vec::new, |r| r.body.opinions.clone()),
        Mode::Adjudication => agreed(readings),
        Mode::Blind | Mode::Imported | Mode::Repeat => Vec::new(),
    }
}

/// The newest reading of those that label a report; readings are given oldest first.
pub fn machine(readings: &[CurrentReading]) -> Option<&CurrentReading> {
    readings.iter().rev().find(|reading| reading.kind.labels_reports())
}

/// The annotators' readings: those of people that settle nothing.
pub fn annotators(readings: &[CurrentReading]) -> impl Iterator<Item = &CurrentReading> + Clone {
    readings.iter().filter(|reading| reading.kind == ReaderKind::Person && !reading.adjudicates)
}

fn opinion(reading: &CurrentReading, cell: Cell) -> Option<&Opinion> {
    reading.body.opinions.iter().find(|opinion| opinion.cell == cell)
}

/// Whether all annotators say the same of a cell.
fn is_agreed(readings: &[CurrentReading], cell: Cell) -> bool {
    let said = |reading| opinion(reading, cell).map(|o| (o.verdict, o.certainty));
    let mut all = annotators(readings).map(said);
    let first = all.next();
    all.all(|other| Some(other) == first)
}

fn agreed(readings: &[CurrentReading]) -> Vec<Opinion> {
    let Some(first) = annotators(readings).next() else { return Vec::new() };
    let agreed = |opinion: &&Opinion| is_agreed(readings, opinion.cell);
    first.body.opinions.iter().filter(agreed).cloned().collect()
}

/// The cells of which annotators say different things, in order.
pub fn differing(readings: &[CurrentReading]) -> Vec<Cell> {
    Cell::all().filter(|&cell| !is_agreed(readings, cell)).collect()
}

/// The cells on which an adjudicator must say why: what they chose is nobody's opinion, neither a
/// person's nor a machine's.
fn overruled(draft: &Draft, readings: &[CurrentReading]) -> Vec<Cell> {
    let is_nobodys = |cell: Cell, verdict: Verdict| {
        readings.iter().filter(|reading| !reading.adjudicates).all(|reading| {
            opinion(reading, cell).map_or(Verdict::NotMentioned, |o| o.verdict) != verdict
        })
    };
    let cells = draft.cells.iter().filter(|(cell, choice)| {
        choice.comment.trim().is_empty() && is_nobodys(**cell, choice.verdict)
    });
    cells.map(|(cell, _)| *cell).collect()
}

/// A person as a reader.
pub fn as_reader(user: &User) -> Reader {
    Reader {
        kind: ReaderKind::Person,
        name: user.name.clone(),
        version: String::new(),
        content_hash: String::new(),
    }
}

/// Why whatever is done in a slot comes too late, where it does: its round is over, or it is an
/// adjudicator's, and another has settled the report since it was claimed.
fn too_late(writer: &Writer<'_>, slot: &Slot) -> Result<Option<Unfinished>, StoreError> {
    if !slot.current {
        return Ok(Some(Unfinished::SentBack));
    }
    let is_settled = slot.mode == Mode::Adjudication && writer.is_settled_since(slot)?;
    Ok(is_settled.then_some(Unfinished::Settled))
}

/// Sends the report of an adjudicator's slot back to its annotators, who all read it anew. The inner
/// error says why it is too late for that.
///
/// # Errors
/// Those of the store.
pub fn send_back(
    writer: &Writer<'_>,
    slot: &Slot,
    reason: &str,
) -> Result<Result<(), Unfinished>, ArchiveError> {
    if let Some(late) = too_late(writer, slot)? {
        return Ok(Err(late));
    }
    writer.send_back(slot, reason)?;
    Ok(Ok(()))
}

/// Makes a reading of what someone saved in a slot of theirs. The inner error says why it cannot
/// be one yet.
///
/// # Errors
/// Those of the store.
pub fn finish(
    writer: &Writer<'_>,
    slot: &Slot,
    batch: &str,
    user: &User,
) -> Result<Result<(), Unfinished>, ArchiveError> {
    if let Some(late) = too_late(writer, slot)? {
        return Ok(Err(late));
    }
    let edits = writer.edits(slot.id)?;
    let draft = Draft::of(&edits);
    let readings = writer.current_readings(slot.version)?;
    if slot.mode == Mode::Adjudication {
        let open = |cell: &Cell| !draft.cells.contains_key(cell);
        let undecided: Vec<Cell> = differing(&readings).into_iter().filter(open).collect();
        if !undecided.is_empty() {
            return Ok(Err(Unfinished::Undecided(undecided)));
        }
        let overruled = overruled(&draft, &readings);
        if !overruled.is_empty() {
            return Ok(Err(Unfinished::NoReason(overruled)));
        }
    }
    let body = Body {
        opinions: draft.opinions(&shown(slot.mode, &readings)),
        comments: draft.comments(),
        notes: draft.notes,
        ..Body::default()
    };
    let reader = writer.reader(&as_reader(user))?;
    let done = writer.finish(slot, batch, reader, &body)?;
    Ok(if done { Ok(()) } else { Err(Unfinished::Taken) })
}

/// Lets an earlier reading of someone's stand again, as a new reading of the same. `of` is the number
/// in the archive of the version that it is of. False where that is not the present one: another text
/// says other things, in other places.
///
/// # Errors
/// Where there is no such reading of theirs, and those of the store.
pub fn restore(
    writer: &Writer<'_>,
    report: u64,
    of: u64,
    reading: &ReadingRow,
    user: &User,
) -> Result<bool, ArchiveError> {
    if reading.reader != as_reader(user) {
        let (what, name) = ("reading of yours", reading.id.to_string());
        return Err(StoreError::Unknown { what, name, known: Vec::new() }.into());
    }
    let (version, subject) = writer.present(report)?;
    if version != of {
        return Ok(false);
    }
    let restored = NewReading {
        reader: writer.reader(&reading.reader)?,
        at: None,
        context: reading.context.as_ref(),
        body: &reading.body,
        packed: &reading.body.pack(),
    };
    writer.add_reading(report, version, subject, &restored)?;
    writer.audit(Action::Restate, &format!("report {report}"), &reading.id)?;
    Ok(true)
}
