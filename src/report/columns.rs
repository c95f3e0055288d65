//! Which column is which field: the names that exports use, as one table.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::problem::Fault;

/// What a column can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names say it, and the docs of `Report`")]
pub enum Field {
    Text,
    History,
    Technique,
    Comparison,
    Findings,
    Impression,
    Id,
    Patient,
    Accession,
    StudyUid,
    ExamDate,
    Sex,
    Age,
    BirthDate,
    Modality,
    Source,
}

/// A field, its name for flags, and the header names it goes by, the likeliest first.
type FieldRow = (Field, &'static str, &'static str);

/// Every field. Header names match whatever their case, spaces and punctuation are.
const FIELDS: [FieldRow; 16] = [
    (
        Field::Text,
        "text",
        "report text, full report text, full report, full text, report body, report content, \
         report narrative, narrative, note text, result text, radiology report, radiology \
         report text, rad report, final report, document text, exam report, dictation, \
         transcription, text, body, report, note, content",
    ),
    (
        Field::History,
        "history",
        "clinical history, history, clinical information, indication, reason for exam",
    ),
    (Field::Technique, "technique", "technique, procedure technique"),
    (Field::Comparison, "comparison", "comparison, comparisons"),
    (Field::Findings, "findings", "findings, report findings, finding, finding text"),
    (
        Field::Impression,
        "impression",
        "impression, report impression, impressions, impression text, conclusion",
    ),
    (
        Field::Id,
        "id",
        "report id, note id, document id, result id, report number, report no, report key, \
         report uid, record id, id",
    ),
    (
        Field::Patient,
        "patient",
        "patient id, mrn, patient mrn, medical record number, patient identifier, patient \
         number, patient no, patient key, pat id, subject id, person id, patient, pid",
    ),
    (
        Field::Accession,
        "accession",
        "accession number, accession, accession no, accession num, accession nbr, accession id, \
         acc number, acc no, acc num, acc",
    ),
    (
        Field::StudyUid,
        "study_uid",
        "study instance uid, study uid, dicom study instance uid, dicom study uid",
    ),
    (
        Field::ExamDate,
        "exam_date",
        "exam date, study date, examination date, date of exam, date of examination, exam \
         datetime, study datetime, exam performed date, performed date, procedure date, service \
         date, date of service, chart time, chart date, date",
    ),
    (Field::Sex, "sex", "sex, patient sex, gender, patient gender"),
    (Field::Age, "age", "age, patient age, age at exam, age at study, age years, age in years"),
    (
        Field::BirthDate,
        "birth_date",
        "birth date, date of birth, dob, patient birth date, patient dob",
    ),
    (Field::Modality, "modality", "modality, modality code, modalities in study"),
    (
        Field::Source,
        "source",
        "source, site, facility, facility name, institution, institution name, hospital, source \
         system",
    ),
];

/// The header names that a field goes by.
fn aliases(names: &str) -> impl Iterator<Item = &str> {
    names.split(", ")
}

impl Field {
    /// How many fields there are.
    pub(super) const COUNT: usize = FIELDS.len();

    /// The sections that make up a text where no column holds all of it, in reading order.
    const SECTIONS: [Self; 5] =
        [Self::History, Self::Technique, Self::Comparison, Self::Findings, Self::Impression];

    /// The name for flags, such as `exam_date`.
    pub const fn name(self) -> &'static str {
        FIELDS[self as usize].1
    }

    /// Every field.
    pub fn all() -> impl Iterator<Item = Self> {
        FIELDS.iter().map(|row| row.0)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A word that names no field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is no field of a report; known are: {known}")]
pub struct UnknownField {
    found: String,
    known: String,
}

impl FromStr for Field {
    type Err = UnknownField;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::all().find(|field| field.name() == name).ok_or_else(|| UnknownField {
            found: name.to_owned(),
            known: Self::all().map(Self::name).collect::<Vec<_>>().join(" "),
        })
    }
}

/// Column names given by the user. They go before the known ones, and must be there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnNames(BTreeMap<Field, String>);

impl ColumnNames {
    /// Says that the column called `name` holds `field`.
    pub fn set(&mut self, field: Field, name: impl Into<String>) {
        self.0.insert(field, name.into());
    }

    /// Whether the user named the column of a field.
    pub(super) fn names(&self, field: Field) -> bool {
        self.0.contains_key(&field)
    }

    /// Whether the user named the column of the text, or of a section of it.
    pub(super) fn names_text(&self) -> bool {
        self.names(Field::Text) || self.names_sections_only()
    }

    fn names_sections_only(&self) -> bool {
        !self.names(Field::Text) && Field::SECTIONS.iter().any(|&section| self.names(section))
    }
}

/// A column that holds a field.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub index: usize,
    pub name: Arc<str>,
}

/// Where each field of a record stands.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    columns: [Option<Column>; Field::COUNT],
    /// Every column, in the order of the file.
    pub names: Vec<Arc<str>>,
    /// Columns that could hold the text as well as the one taken.
    pub other_texts: Vec<Arc<str>>,
}

impl Layout {
    /// Finds the fields among `names`, the text among them.
    pub fn with_text<S: AsRef<str>>(names: &[S], given: &ColumnNames) -> Result<Self, Fault> {
        let layout = Self::of(names, given)?;
        if layout.has_text() {
            Ok(layout)
        } else {
            Err(Fault::NoTextColumn { found: listed(names) })
        }
    }

    /// Finds the fields among `names`.
    pub fn of<S: AsRef<str>>(names: &[S], given: &ColumnNames) -> Result<Self, Fault> {
        let mut columns = [const { None }; Field::COUNT];
        let mut other_texts = Vec::new();
        for (field, _, known) in FIELDS {
            let column = |index: usize| Column { index, name: names[index].as_ref().trim().into() };
            columns[field as usize] = if let Some(wanted) = given.0.get(&field) {
                let index = position(names, |name| name.trim() == wanted)
                    .or_else(|| position(names, |name| same(name, wanted)))
                    .ok_or_else(|| Fault::NoSuchColumn {
                        wanted: wanted.clone(),
                        found: listed(names),
                    })?;
                Some(column(index))
            } else if field == Field::Text && given.names_sections_only() {
                None
            } else {
                let mut found =
                    aliases(known).filter_map(|alias| position(names, |name| same(name, alias)));
                let first = found.next().map(column);
                if field == Field::Text {
                    other_texts = found.map(|index| column(index).name).collect();
                }
                first
            };
        }
        let names = names.iter().map(|name| name.as_ref().trim().into()).collect();
        Ok(Self { columns, names, other_texts })
    }

    /// The column of a field.
    pub fn column(&self, field: Field) -> Option<&Column> {
        self.columns[field as usize].as_ref()
    }

    /// Which field the column at `index` holds.
    pub fn field_at(&self, index: usize) -> Option<Field> {
        Field::all().find(|&field| self.column(field).is_some_and(|c| c.index == index))
    }

    /// The columns that the text is put together from, where no single one holds it.
    pub fn sections(&self) -> impl Iterator<Item = (Field, &Column)> {
        Field::SECTIONS.into_iter().filter_map(|section| Some((section, self.column(section)?)))
    }

    /// Whether a text can be had: a column of its own, or findings or impression.
    fn has_text(&self) -> bool {
        [Field::Text, Field::Findings, Field::Impression]
            .into_iter()
            .any(|field| self.column(field).is_some())
    }

    /// Whether the header says that these are reports with something to tell them apart by.
    pub fn is_convincing(&self) -> bool {
        let keys = [Field::Id, Field::Patient, Field::Accession, Field::StudyUid];
        self.has_text() && keys.into_iter().any(|field| self.column(field).is_some())
    }

    /// How many fields were found.
    pub fn found(&self) -> usize {
        self.columns.iter().flatten().count()
    }
}

fn position<S: AsRef<str>>(names: &[S], is_it: impl Fn(&str) -> bool) -> Option<usize> {
    names.iter().position(|name| is_it(name.as_ref()))
}

/// Whether two header names differ in case, spaces, underscores, hyphens and the like only.
fn same(a: &str, b: &str) -> bool {
    fn letters(name: &str) -> impl Iterator<Item = char> {
        name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase)
    }
    letters(a).eq(letters(b)) && letters(a).next().is_some()
}

/// Column names for a message. Without a header line these are values, a report's text among
/// them, so what is too long for a name is not quoted: a report does not belong in a log.
fn listed<S: AsRef<str>>(names: &[S]) -> String {
    const MOST: usize = 20;
    const LONGEST: usize = 40;
    const WORDS: usize = 4;
    let mut list: Vec<String> = names
        .iter()
        .take(MOST)
        .map(|name| {
            let name = name.as_ref();
            let length = name.chars().count();
            if length <= LONGEST && name.split_whitespace().count() <= WORDS {
                format!("`{name}`")
            } else {
                format!("a text of {length} characters")
            }
        })
        .collect();
    if names.len() > MOST {
        list.push(format!("and {} more", names.len() - MOST));
    }
    if list.is_empty() { "none".to_owned() } else { list.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_fields_and_names_each_alias_once() {
        let mut seen: Vec<(Field, &str)> = Vec::new();
        for (index, (field, name, known)) in FIELDS.into_iter().enumerate() {
            assert_eq!(field as usize, index);
            assert_eq!(name.parse(), Ok(field));
            for alias in aliases(known) {
                let twice = seen.iter().find(|(_, other)| same(alias, other));
                assert!(twice.is_none(), "{alias} of {field} is also {twice:?}");
                seen.push((field, alias));
            }
        }
    }

    #[test]
    fn header_names_match_whatever_their_spelling() {
        for name in ["StudyInstanceUID", "study_instance_uid", "\u{feff}Study Instance-UID "] {
            let layout = Layout::of(&["text", name], &ColumnNames::default()).unwrap();
            assert_eq!(layout.column(Field::StudyUid).unwrap().index, 1, "{name}");
        }
    }

    #[test]
    fn a_headerless_file_is_described_without_spilling_its_text() {
        let list = listed(&["17", "Moderate central stenosis at L4-L5 in this patient"]);
        assert_eq!(list, "`17`, a text of 50 characters");
    }
}
