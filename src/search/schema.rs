//! What the index holds of a report.
//!
//! Texts are indexed word by word, once as a whole and once by section. Everything else that a
//! query asks for is a *mark*, a word that stands for a fact: `L4-L5.central>=moderate`. Numbers
//! that are counted, sorted and ranged over are columns. Nothing is stored: the store has it.

use std::path::Path;

use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::tokenizer::{
    AsciiFoldingFilter, Language, LowerCaser, RAW_TOKENIZER_NAME, RemoveLongFilter,
    SimpleTokenizer, Stemmer, TextAnalyzer, TextAnalyzerBuilder, Tokenizer, TokenizerManager,
    WhitespaceTokenizer,
};

use super::SearchError;
use super::latin::LatinPlurals;
use super::pairs::Pairs;
use super::query::Section;

/// Rises whenever an index written before would be read wrong. Such an index is made anew.
pub(super) const SCHEMA_VERSION: u32 = 1;

/// Splits the text of reports into stems of words.
const WORDS: &str = "words";

/// Makes pairs of neighbours of those stems.
const PAIRS: &str = "pairs";

/// Splits marks at the spaces between them.
const MARKS: &str = "marks";

/// Longer ones are no words.
const LONGEST_WORD: usize = 60;

/// The columns that are read by name.
pub(super) mod column {
    pub(in super::super) const REPORT: &str = "report";
    pub(in super::super) const STUDY: &str = "study";
    pub(in super::super) const PATIENT: &str = "patient";
    pub(in super::super) const DATE: &str = "date";
    pub(in super::super) const AGE: &str = "age";
    pub(in super::super) const LABELS: &str = "labels";
    pub(in super::super) const MODALITY: &str = "modality";
    pub(in super::super) const SEX: &str = "sex";
}

/// The fields of the index.
#[derive(Debug, Clone, Copy)]
pub struct Fields {
    /// The number of the report, by which it is found again and replaced.
    pub(super) report: Field,
    pub(super) study: Field,
    pub(super) patient: Field,
    /// Year, month and day as one number: 20260131.
    pub(super) date: Field,
    /// Years.
    pub(super) age: Field,
    /// A number for each labelled cell and its verdict, for facets.
    pub(super) labels: Field,
    pub(super) modality: Field,
    pub(super) sex: Field,
    /// Facts of few different values, spaces between.
    pub(super) marks: Field,
    /// Facts that hold of few reports each, such as an accession.
    pub(super) keys: Field,
    /// The whole text.
    pub(super) text: Field,
    /// Each two neighbouring words of the whole text.
    pub(super) pairs: Field,
    /// The text of each section, in the order of [`Section::ALL`].
    pub(super) sections: [Field; Section::ALL.len()],
}

impl Fields {
    /// The field that a word is looked for in.
    pub(super) fn words(&self, section: Option<Section>) -> Field {
        section.map_or(self.text, |section| self.sections[section as usize])
    }
}

/// The schema, and the fields in it.
pub(super) fn schema() -> (Schema, Fields) {
    let mut schema = Schema::builder();
    let number = NumericOptions::default().set_fast();
    let facet = TextOptions::default().set_fast(RAW_TOKENIZER_NAME);
    let words = |norms| {
        TextOptions::default().set_indexing_options(
            TextFieldIndexing::default()
                .set_tokenizer(WORDS)
                .set_index_option(IndexRecordOption::WithFreqsAndPositions)
                .set_fieldnorms(norms),
        )
    };
    let facts = |tokenizer| {
        TextOptions::default().set_indexing_options(
            TextFieldIndexing::default()
                .set_tokenizer(tokenizer)
                .set_index_option(IndexRecordOption::Basic)
                .set_fieldnorms(false),
        )
    };
    let fields = Fields {
        report: schema.add_u64_field(column::REPORT, INDEXED | FAST),
        study: schema.add_u64_field(column::STUDY, number.clone()),
        patient: schema.add_u64_field(column::PATIENT, number.clone()),
        date: schema.add_u64_field(column::DATE, number.clone()),
        age: schema.add_u64_field(column::AGE, number.clone()),
        labels: schema.add_u64_field(column::LABELS, number),
        modality: schema.add_text_field(column::MODALITY, facet.clone()),
        sex: schema.add_text_field(column::SEX, facet),
        marks: schema.add_text_field("marks", facts(MARKS)),
        keys: schema.add_text_field("keys", facts(RAW_TOKENIZER_NAME)),
        text: schema.add_text_field("text", words(true)),
        pairs: schema.add_text_field(
            "pairs",
            TextOptions::default().set_indexing_options(
                TextFieldIndexing::default()
                    .set_tokenizer(PAIRS)
                    .set_index_option(IndexRecordOption::WithFreqs)
                    .set_fieldnorms(false),
            ),
        ),
        sections: Section::ALL.map(|section| schema.add_text_field(section.name(), words(false))),
    };
    (schema.build(), fields)
}

/// What cuts texts into words: letters and digits, in small letters without accents.
fn folded() -> TextAnalyzerBuilder<impl Tokenizer> {
    TextAnalyzer::builder(SimpleTokenizer::default())
        .filter(RemoveLongFilter::limit(LONGEST_WORD))
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter)
}

fn stemmed() -> TextAnalyzerBuilder<impl Tokenizer> {
    folded().filter(LatinPlurals).filter(Stemmer::new(Language::English))
}

/// What cuts texts into stems.
pub(super) fn words() -> TextAnalyzer {
    stemmed().build()
}

/// The same without stemming.
pub(super) fn unstemmed() -> TextAnalyzer {
    folded().build()
}

/// An empty index in a folder and its fields, to be filled without the rest of this module: what a
/// bench measures us against.
///
/// # Errors
/// Where the folder cannot be used, or has an index.
pub fn empty_index(folder: &Path) -> Result<(tantivy::Index, Fields), SearchError> {
    let (schema, fields) = schema();
    let mut index = tantivy::Index::create_in_dir(folder, schema)?;
    index.set_tokenizers(tokenizers());
    Ok((index, fields))
}

pub(super) fn tokenizers() -> TokenizerManager {
    let tokenizers = TokenizerManager::default();
    tokenizers.register(WORDS, words());
    tokenizers.register(PAIRS, stemmed().filter(Pairs).build());
    tokenizers.register(MARKS, WhitespaceTokenizer::default());
    tokenizers
}
