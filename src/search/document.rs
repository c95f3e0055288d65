//! A report on its way into the index.

use tantivy::TantivyDocument;

use super::facets::verdict_code;
use super::mark;
use super::query::{FindingQuery, Query, Section};
use super::schema::Fields;
use crate::extract::{self, Mention, SectionSpan};
use crate::label::{CellLabel, Certainty, Status};
use crate::report::Report;

/// What the index is told of a report.
#[derive(Debug, Clone, Default)]
pub struct Document {
    /// The report's number.
    pub number: u64,
    /// The number of its study.
    pub study: u64,
    /// The number of its patient, where one is known.
    pub patient: Option<u64>,
    /// The report, with the text that is searched.
    pub report: Report,
    /// The sections of the text.
    pub sections: Vec<SectionSpan>,
    /// Its label, at most one a cell.
    pub labels: Vec<CellLabel>,
    /// How far people have settled the label.
    pub status: Option<Status>,
    /// Who decided the label: kinds of readers and names of people.
    pub decided_by: Vec<String>,
    /// The findings that its text mentions.
    pub mentions: Vec<Mention>,
}

impl Document {
    /// The document in the index's own terms.
    pub fn to_tantivy(&self, fields: &Fields) -> TantivyDocument {
        let report = &self.report;
        let mut document = TantivyDocument::with_capacity(2 * report.text.len() + 2048);
        document.add_u64(fields.report, self.number);
        document.add_u64(fields.study, self.study);
        if let Some(patient) = self.patient {
            document.add_u64(fields.patient, patient);
        }
        if let Some(date) = report.exam_date.as_deref().and_then(day_number) {
            document.add_u64(fields.date, date);
        }
        if let Some(age) = report.age {
            document.add_u64(fields.age, age.into());
        }
        for label in &self.labels {
            if let Some(code) = verdict_code(label.cell, label.verdict) {
                document.add_u64(fields.labels, code);
            }
        }
        document.add_text(fields.marks, self.marks());
        for (field, value) in [(fields.modality, &report.modality), (fields.sex, &report.sex)] {
            if let Some(value) = value {
                document.add_text(field, value);
            }
        }
        self.add_keys(fields, &mut document);
        document.add_text(fields.text, &report.text);
        document.add_text(fields.pairs, &report.text);
        for SectionSpan { section, span } in &self.sections {
            if let Some(text) = report.text.get(span.range()) {
                document.add_text(fields.words(Some(to_query(*section))), text);
            }
        }
        document
    }

    /// Facts of few different values.
    fn marks(&self) -> String {
        let mut marks = String::with_capacity(2048);
        let mut add = |query: Query| {
            marks.push(' ');
            marks.push_str(&query.to_string());
        };
        if let Some(status) = self.status {
            add(Query::Status(status));
        }
        if self.labels.iter().any(|label| label.conflict) {
            add(Query::Conflict);
        }
        for mention in self.mentions.iter().filter(|mention| !mention.negated) {
            let certain = mention.certainty == Certainty::Stated;
            for level in [None, mention.level] {
                for or_hedged in [false, true].into_iter().filter(|hedged| *hedged || certain) {
                    let finding = mention.finding;
                    add(Query::Finding(FindingQuery { level, finding, or_hedged }));
                }
            }
        }
        mark::of_labels(&self.labels, &mut marks);
        marks
    }

    fn add_keys(&self, fields: &Fields, document: &mut TantivyDocument) {
        let Report { id, patient, accession, study_uid, modality, sex, source, .. } = &self.report;
        let id = Some(id);
        let keys = [
            (Key::Id, id),
            (Key::Patient, patient.as_ref()),
            (Key::Accession, accession.as_ref()),
            (Key::Study, study_uid.as_ref()),
            (Key::Modality, modality.as_ref()),
            (Key::Sex, sex.as_ref()),
            (Key::Source, source.as_ref()),
        ];
        for (key, value) in keys {
            if let Some(value) = value {
                document.add_text(fields.keys, key.of(value));
            }
        }
        for reader in &self.decided_by {
            document.add_text(fields.keys, Key::By.of(reader));
        }
    }
}

/// What an exact value is a value of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Key {
    Id,
    Patient,
    Accession,
    Study,
    Modality,
    Sex,
    Source,
    By,
}

impl Key {
    /// The one word that stands for the value in the index.
    pub fn of(self, value: &str) -> String {
        let name = match self {
            Self::Id => "id",
            Self::Patient => "patient",
            Self::Accession => "accession",
            Self::Study => "study",
            Self::Modality => "modality",
            Self::Sex => "sex",
            Self::Source => "source",
            Self::By => "by",
        };
        format!("{name}:{value}")
    }
}

/// An ISO date as one number that sorts like it; none where it is no whole date.
pub(super) fn day_number(date: &str) -> Option<u64> {
    let digits = |range: std::ops::Range<usize>| date.get(range)?.parse::<u64>().ok();
    Some(digits(0..4)? * 10_000 + digits(5..7)? * 100 + digits(8..10)?)
}

/// What the query language calls a section of a text.
pub(super) const fn to_query(section: extract::Section) -> Section {
    match section {
        extract::Section::Findings => Section::Findings,
        extract::Section::Impression => Section::Impression,
        extract::Section::Addendum => Section::Addendum,
        extract::Section::Background => Section::Background,
    }
}
