//! How far the readers of a batch agree.

use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::super::guard::Person;
use super::super::layout::{Shell, html};
use super::super::{Database, WebError};
use super::batch::find;
use super::chart::{Lines, lines};
use crate::archive::{Archive, BatchAgreement, Choice, Disagreement, PairAgreement};
use crate::label::agreement::{Coefficient, Resampling, VERDICTS, verdict_at};
use crate::label::{Level, Target, UnknownName};
use crate::page::{Tone, tone_of};
use crate::store::{Batch, Candidate};

/// How often intervals are resampled on the page.
pub(in super::super) const RESAMPLING: Resampling = Resampling { resamples: 400, seed: 1 };

#[derive(Template)]
#[template(path = "web/agreement.html")]
struct AgreementPage {
    shell: Shell,
    batch: Batch,
    choice: Choice,
    agreement: BatchAgreement,
    drift: Lines,
    /// The pair whose confusion is shown.
    pair: usize,
    /// On what they differ, each with its report.
    differing: Vec<(Candidate, Disagreement)>,
}

impl AgreementPage {
    fn targets(&self) -> [Target; 5] {
        Target::ALL
    }

    fn levels(&self) -> [Level; 12] {
        Level::ALL
    }

    fn shown(&self) -> Option<&PairAgreement> {
        self.agreement.pairs.get(self.pair)
    }

    /// The verdicts that either reader of the pair gave, by place.
    fn places(&self, pair: &PairAgreement) -> Vec<usize> {
        let table = &pair.agreement.confusion;
        let occurs = |&at: &usize| (0..VERDICTS).any(|j| table[at][j] + table[j][at] > 0);
        (0..VERDICTS).filter(occurs).collect()
    }

    fn word(&self, place: &usize) -> &'static str {
        tone_of(verdict_at(*place)).word
    }

    fn count(&self, pair: &PairAgreement, row: &usize, column: &usize) -> u64 {
        pair.agreement.confusion[*row][*column]
    }
}

fn tones(one: &Disagreement) -> [&'static Tone; 2] {
    [tone_of(one.verdicts.0), tone_of(one.verdicts.1)]
}

/// `0.82 (0.74 to 0.89)`
fn told(coefficient: &Coefficient) -> String {
    // What rounds to nothing has no sign.
    let round = |value: f64| (value * 100.0).round() / 100.0 + 0.0;
    let interval = coefficient.interval.map(|(low, high)| (round(low), round(high)));
    match (coefficient.value.map(round), interval) {
        (None, _) => "–".to_owned(),
        (Some(value), None) => format!("{value:.2}"),
        (Some(value), Some((low, high))) => format!("{value:.2} ({low:.2} to {high:.2})"),
    }
}

#[derive(Deserialize)]
pub(in super::super) struct Asked {
    #[serde(default)]
    target: String,
    #[serde(default)]
    level: String,
    #[serde(default)]
    pair: usize,
}

impl Asked {
    /// Which cells are compared.
    pub(in super::super) fn choice(&self) -> Result<Choice, WebError> {
        let unknown = |error: UnknownName| WebError::Bad(error.to_string());
        let given = |name: &str| (!name.is_empty()).then(|| name.to_owned());
        Ok(Choice {
            target: given(&self.target).map(|t| t.parse()).transpose().map_err(unknown)?,
            level: given(&self.level).map(|l| l.parse()).transpose().map_err(unknown)?,
        })
    }
}

/// The page.
pub(in super::super) async fn page(
    person: Person,
    database: web::Data<Database>,
    batch: web::Path<u64>,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, WebError> {
    let choice = asked.choice()?;
    let pair = asked.pair;
    let (batch, agreement, drift, differing) = database
        .read(move |archive| {
            let batch = find(archive, *batch)?;
            let agreement = archive.agreement(&batch, choice, RESAMPLING)?;
            let drift = archive.drift(&batch)?;
            let differing = match agreement.pairs.get(pair) {
                Some(pair) => differing(archive, &batch, choice, pair)?,
                None => Vec::new(),
            };
            Ok((batch, agreement, drift, differing))
        })
        .await?;
    let shares: Vec<_> = drift
        .into_iter()
        .filter(|drift| drift.cells > 0)
        .map(|drift| (drift.reader, drift.week, drift.same as f64 / drift.cells as f64))
        .collect();
    html(&AgreementPage {
        shell: Shell::of(&person, "/batches"),
        batch,
        choice,
        agreement,
        drift: lines(&shares),
        pair,
        differing,
    })
}

/// How many disagreements are listed.
const LISTED: usize = 200;

/// On what a pair differs, each with its report.
fn differing(
    archive: &Archive,
    batch: &Batch,
    choice: Choice,
    pair: &PairAgreement,
) -> Result<Vec<(Candidate, Disagreement)>, WebError> {
    let found = archive.disagreements(batch, choice, (&pair.first, &pair.second), LISTED)?;
    let reports = archive.store().candidates_of(found.iter().map(|one| one.version))?;
    Ok(reports.into_iter().zip(found).collect())
}
