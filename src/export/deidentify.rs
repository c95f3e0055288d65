//! Records without what names a person.
//!
//! Dropped: the text, the date of birth, and where in the text a finding stands. Replaced by keyed
//! hashes, the same for the same value and key, so that exports of one archive can be joined: ids
//! of reports, patients, studies and sources, hashes of texts, names of people who decided a label.
//! Shifted: dates of examination, by a number of days that is the patient's own, so that the time
//! between two examinations of a patient stays. Ages of 90 and over become 90.
//!
//! That is no proof of anonymity: rare combinations of age, sex, grades and findings remain.

use hmac::{Hmac, KeyInit, Mac};
use jiff::ToSpan;
use sha2::Sha256;

use super::dataset::Record;
use crate::label::{ReaderKind, Span};

/// Ages from here on are told as this one.
const OLDEST: u16 = 90;

/// Dates are shifted back by 1 day to this many.
const FARTHEST: u32 = 365;

/// Replaces identifiers under a secret key.
#[derive(Debug, Clone)]
pub struct Deidentifier {
    hashes: Hmac<Sha256>,
}

impl Deidentifier {
    /// With this key, which must stay secret: who has it can find out whose hash is whose by
    /// trying all ids.
    pub fn new(key: &[u8]) -> Self {
        Self { hashes: Hmac::new_from_slice(key).expect("a key may have any length") }
    }

    /// The record without identifiers.
    pub fn apply(&self, record: Record) -> Record {
        let source = record.source.as_deref().unwrap_or_default().to_owned();
        let of = |kind: &str, value: &str| self.hash(&[kind, &source, value]);
        let person = match &record.patient {
            Some(patient) => ["patient", patient.as_str()],
            None => ["study", record.study.as_str()],
        };
        let days = self.days(&[person[0], &source, person[1]]);
        let mut mentions = record.mentions;
        mentions.iter_mut().for_each(|mention| mention.span = Span { start: 0, end: 0 });
        Record {
            source: record.source.as_ref().map(|source| self.hash(&["source", source])),
            id: of("report", &record.id),
            text_hash: of("text", &record.text_hash),
            patient: record.patient.as_deref().map(|patient| of("patient", patient)),
            study: of("study", &record.study),
            accession: record.accession.as_deref().map(|accession| of("accession", accession)),
            // A StudyInstanceUID is the same wherever the report comes from.
            study_uid: record.study_uid.as_deref().map(|uid| self.hash(&["study_uid", uid])),
            exam_date: record.exam_date.and_then(|date| shifted(&date, days)),
            age: record.age.map(|age| age.min(OLDEST)),
            birth_date: None,
            decided_by: record.decided_by.iter().map(|name| self.reader(name)).collect(),
            mentions,
            text: None,
            ..record
        }
    }

    /// Machines keep their names.
    fn reader(&self, name: &str) -> String {
        match name.parse::<ReaderKind>() {
            Ok(_) => name.to_owned(),
            Err(_) => self.hash(&["reader", name]),
        }
    }

    fn digest(&self, parts: &[&str]) -> [u8; 32] {
        let mut hash = self.hashes.clone();
        for part in parts {
            hash.update(part.as_bytes());
            hash.update(&[0]);
        }
        hash.finalize().into_bytes().into()
    }

    fn hash(&self, parts: &[&str]) -> String {
        self.digest(parts)[..16].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn days(&self, person: &[&str]) -> u32 {
        let parts = [&["shift"], person].concat();
        let [a, b, c, d, ..] = self.digest(&parts);
        1 + u32::from_le_bytes([a, b, c, d]) % FARTHEST
    }
}

/// A date so many days earlier. What is no date says nothing that is worth the risk of keeping.
fn shifted(date: &str, days: u32) -> Option<String> {
    let date: jiff::civil::Date = date.parse().ok()?;
    Some(date.checked_sub(i64::from(days).days()).ok()?.to_string())
}
