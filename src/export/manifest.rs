//! What a file of a dataset is: written beside it, so that who gets the one gets the other.

use serde::Serialize;

use super::dataset::columns;

/// Rises when a key changes its meaning or goes; a new key changes nothing.
const SCHEMA: u32 = 1;

/// Everything about an exported file that the file itself does not say.
#[derive(Debug, Clone, Serialize)]
pub struct Manifest<R> {
    schema: u32,
    /// The cohort's name.
    pub cohort: String,
    /// When it was frozen, in RFC 3339.
    pub frozen_at: String,
    /// SHA-256 over its members; none where their ids are left out.
    pub cohort_hash: Option<String>,
    /// How it came about.
    pub recipe: R,
    /// Whether identifiers are left out.
    pub deidentified: bool,
    /// The file.
    pub file: ManifestFile,
    software: String,
    columns: Vec<ManifestColumn>,
}

/// A file of a dataset.
#[derive(Debug, Clone, Serialize)]
pub struct ManifestFile {
    /// Its name.
    pub name: String,
    /// Its format.
    pub format: &'static str,
    /// Its length in bytes.
    pub bytes: u64,
    /// SHA-256 of it, in hexadecimal digits.
    pub sha256: String,
    /// How many reports are in it.
    pub rows: u64,
}

#[derive(Debug, Clone, Serialize)]
struct ManifestColumn {
    name: String,
    meaning: String,
}

impl<R: Serialize> Manifest<R> {
    /// The manifest of a file.
    pub fn new(
        cohort: String,
        frozen_at: String,
        cohort_hash: Option<String>,
        recipe: R,
        deidentified: bool,
        file: ManifestFile,
    ) -> Self {
        let columns = columns().into_iter();
        Self {
            schema: SCHEMA,
            cohort,
            frozen_at,
            cohort_hash,
            recipe,
            deidentified,
            file,
            software: format!("deepspine {}", env!("CARGO_PKG_VERSION")),
            columns: columns.map(|c| ManifestColumn { name: c.name, meaning: c.meaning }).collect(),
        }
    }

    /// The manifest as JSON, for people to read too.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a manifest is plain data")
    }
}
