//! The labels of a batch as files for other programs.

use std::io::{Read, Seek, Write};

use actix_web::http::header::{ContentDisposition, DispositionParam, DispositionType};
use actix_web::{HttpResponse, web};
use serde_json::json;

use super::super::guard::Person;
use super::super::pages::batch::find;
use super::super::{Database, WebError};
use crate::archive::Archive;
use crate::export::dataset::Dataset;
use crate::export::{Format, Labelled};
use crate::extract::Extraction;
use crate::label::{Evidence, Opinion};
use crate::store::{Action, Batch, Member, StoreError, StoredLabel};

/// What a batch is written as, beside the formats of cohorts.
const RSNA: &str = "rsna2024";

/// Every reading with who, when, in what circumstances, and why: a line each.
const READINGS: &str = "readings";

/// Writes the labels of a batch.
pub(in super::super) async fn batch(
    person: Person,
    database: web::Data<Database>,
    path: web::Path<(u64, String)>,
) -> Result<HttpResponse, WebError> {
    let (batch, format) = path.into_inner();
    let asked = format.clone();
    let (batch, bytes) = database
        .read(move |archive| {
            let batch = find(archive, batch)?;
            let bytes = match asked.as_str() {
                RSNA => rsna(archive, &batch)?,
                READINGS => readings(archive, &batch)?,
                name => {
                    let format = Dataset::named(name).ok_or(WebError::NotFound)?;
                    dataset(archive, &batch, format)?
                }
            };
            Ok((batch, bytes))
        })
        .await?;
    let name = batch.name.clone();
    let told = format.clone();
    database
        .write(&person.user.name, move |writer| Ok(writer.audit(Action::Export, &name, &told)?))
        .await?;
    let extension = match format.as_str() {
        RSNA => "rsna2024.csv",
        READINGS => "readings.jsonl",
        other => other,
    };
    let file = format!("batch-{}.{extension}", batch.id);
    let disposition = ContentDisposition {
        disposition: DispositionType::Attachment,
        parameters: vec![DispositionParam::Filename(file)],
    };
    Ok(HttpResponse::Ok()
        .content_type("application/octet-stream")
        .insert_header(disposition)
        .body(bytes))
}

fn members(archive: &Archive, batch: &Batch) -> Result<Vec<Member>, WebError> {
    let store = archive.store();
    let of_version = store.candidates_of(store.batch_versions(batch.id)?.into_iter())?;
    Ok(of_version.into_iter().map(|candidate| candidate.member(None)).collect())
}

fn io(error: std::io::Error) -> WebError {
    StoreError::Io(error).into()
}

fn dataset(archive: &Archive, batch: &Batch, format: &Dataset) -> Result<Vec<u8>, WebError> {
    let mut file = tempfile::tempfile().map_err(io)?;
    let mut writer = format.create(Box::new(file.try_clone().map_err(io)?)).map_err(io)?;
    for member in members(archive, batch)? {
        writer.write(&archive.record(&member)?).map_err(io)?;
    }
    writer.finish().map_err(io)?;
    let mut bytes = Vec::new();
    file.rewind().map_err(io)?;
    file.read_to_end(&mut bytes).map_err(io)?;
    Ok(bytes)
}

fn rsna(archive: &Archive, batch: &Batch) -> Result<Vec<u8>, WebError> {
    let format = Format::named(RSNA).ok_or(WebError::NotFound)?;
    let mut bytes = Vec::new();
    format.write_header(&mut bytes).map_err(io)?;
    for member in members(archive, batch)? {
        let store = archive.store();
        let report = store.report(member.report)?.ok_or(WebError::NotFound)?.report;
        let label = store.label_of_version(member.report, member.version)?;
        let opinions: Vec<Opinion> = label.iter().map(opinion).collect();
        let labelled = Labelled {
            readings: &[],
            report: &report,
            opinions: &opinions,
            extraction: &Extraction::default(),
            lexicon: "",
        };
        format.write_report(&labelled, &mut bytes).map_err(io)?;
    }
    Ok(bytes)
}

fn opinion(stored: &StoredLabel) -> Opinion {
    Opinion {
        cell: stored.label.cell,
        verdict: stored.label.verdict,
        certainty: stored.label.certainty,
        conflict: stored.label.conflict,
        distribution: None,
        doubt: None,
        evidence: Evidence::Spans(Vec::new()),
    }
}

fn readings(archive: &Archive, batch: &Batch) -> Result<Vec<u8>, WebError> {
    let mut lines = Vec::new();
    for member in members(archive, batch)? {
        let store = archive.store();
        let report = store.report(member.report)?.ok_or(WebError::NotFound)?.report;
        for reading in store.readings(member.report)? {
            let line = json!({
                "source": report.source,
                "id": report.id,
                "version": reading.version,
                "reading": reading.id,
                "reader": reading.reader,
                "at": reading.at,
                "context": reading.context,
                "opinions": reading.body.opinions,
                "comments": reading.body.comments,
                "notes": reading.body.notes,
            });
            writeln!(lines, "{line}").map_err(io)?;
        }
    }
    Ok(lines)
}
