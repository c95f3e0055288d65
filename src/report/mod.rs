//! Reports as data teams have them: one file a format, one row in the table of formats.

use serde::{Deserialize, Serialize};

/// One report with what is known about it. Absent fields are empty, never invented.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// Id within the source; the SHA-256 of the text where the input has none.
    pub id: String,
    /// The text, decoded to UTF-8 and otherwise untouched: spans are bytes of it.
    pub text: String,
    /// Patient id.
    pub patient: Option<String>,
    /// Accession number.
    pub accession: Option<String>,
    /// StudyInstanceUID.
    pub study_uid: Option<String>,
    /// Date of the examination, ISO 8601.
    pub exam_date: Option<String>,
    /// `F`, `M` or `O`.
    pub sex: Option<String>,
    /// Age in years at the examination.
    pub age: Option<u16>,
    /// Date of birth, ISO 8601.
    pub birth_date: Option<String>,
    /// Modality, such as `MR`.
    pub modality: Option<String>,
    /// Where the report comes from: with the id its key.
    pub source: Option<String>,
}
