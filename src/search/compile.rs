//! A query in the index's own terms.

use std::ops::Bound;

use tantivy::Term;
use tantivy::query::{
    AllQuery, BooleanQuery, ConstScoreQuery, EmptyQuery, FuzzyTermQuery, PhraseQuery,
    Query as Compiled, RangeQuery, RegexQuery, TermQuery,
};
use tantivy::schema::{Field as SchemaField, IndexRecordOption};

use super::SearchError;
use super::document::{Key, day_number};
use super::mark;
use super::near::NearQuery;
use super::pairs::pair;
use super::query::{Field, Query, Text};
use super::schema::Fields;
use super::without::WithoutQuery;
use super::words::Words;

/// Compiles a query.
pub(super) fn compile(query: &Query, fields: &Fields) -> Result<Box<dyn Compiled>, SearchError> {
    let all = |queries: &[Query]| -> Result<Vec<Box<dyn Compiled>>, SearchError> {
        queries.iter().map(|query| compile(query, fields)).collect()
    };
    Ok(match query {
        Query::All => Box::new(AllQuery),
        Query::And(queries) => intersection(all(queries)?),
        Query::Or(queries) => union(all(queries)?),
        Query::Not(query) => Box::new(WithoutQuery(compile(query, fields)?)),
        Query::Text(text) => text_query(text, fields)?,
        Query::Field(field) => field_query(field, fields),
        Query::Cell(cell) => {
            union(mark::of_query(cell).iter().map(|m| term(fields.marks, m)).collect())
        }
        Query::Finding(_) | Query::Status(_) | Query::Conflict => {
            term(fields.marks, &query.to_string())
        }
        Query::By(reader) => term(fields.keys, &Key::By.of(reader)),
    })
}

fn intersection(mut queries: Vec<Box<dyn Compiled>>) -> Box<dyn Compiled> {
    match queries.len() {
        0 => Box::new(AllQuery),
        1 => queries.remove(0),
        _ => Box::new(BooleanQuery::intersection(queries)),
    }
}

fn union(mut queries: Vec<Box<dyn Compiled>>) -> Box<dyn Compiled> {
    match queries.len() {
        0 => Box::new(EmptyQuery),
        1 => queries.remove(0),
        _ => Box::new(BooleanQuery::union(queries)),
    }
}

/// A fact, which a report has or has not: it adds nothing to relevance, and costs no arithmetic.
fn term(field: SchemaField, text: &str) -> Box<dyn Compiled> {
    let term = TermQuery::new(Term::from_field_text(field, text), IndexRecordOption::Basic);
    Box::new(ConstScoreQuery::new(Box::new(term), 0.0))
}

fn text_query(text: &Text, fields: &Fields) -> Result<Box<dyn Compiled>, SearchError> {
    let field = fields.words(text.section);
    let words = Words::of(&text.pattern);
    if text.section.is_none()
        && let Words::Near { stems, slop: 0 } = &words
        && let Some(pairs) = pairs(stems, fields)
    {
        return Ok(phrase_of_pairs(pairs, stems, fields));
    }
    let scored = |stem: &str| {
        let term = Term::from_field_text(field, stem);
        Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs)) as Box<dyn Compiled>
    };
    Ok(match &words {
        Words::None => Box::new(EmptyQuery),
        Words::One(stem) => scored(stem),
        Words::Near { stems, slop: 0 } => {
            let terms = stems.iter().map(|(at, stem)| (*at, Term::from_field_text(field, stem)));
            Box::new(PhraseQuery::new_with_offset(terms.collect()))
        }
        Words::Near { stems, slop } => {
            let terms =
                stems.iter().map(|(at, stem)| (*at as u32, Term::from_field_text(field, stem)));
            Box::new(NearQuery::new(terms.collect(), *slop))
        }
        Words::Starting { with, stem } => {
            let pattern = format!("{}.*", escaped(with));
            let starting = RegexQuery::from_pattern(&pattern, field)?;
            union(vec![Box::new(starting), scored(stem)])
        }
        Words::Like { stem, distance } => {
            Box::new(FuzzyTermQuery::new(Term::from_field_text(field, stem), *distance, true))
        }
    })
}

/// The pairs that a phrase is made of; none where a word of it was left out.
fn pairs(stems: &[(usize, String)], fields: &Fields) -> Option<Vec<Box<dyn Compiled>>> {
    let neighbours = stems.windows(2).map(|two| {
        let [(at, first), (next, second)] = two else { return None };
        let term = Term::from_field_text(fields.pairs, &pair(first, second));
        let query: Box<dyn Compiled> = Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs));
        (at + 1 == *next).then_some(query)
    });
    neighbours.collect()
}

/// A phrase by its pairs. One of more than two words has all its pairs, and is looked for in place
/// only where they are.
fn phrase_of_pairs(
    mut pairs: Vec<Box<dyn Compiled>>,
    stems: &[(usize, String)],
    fields: &Fields,
) -> Box<dyn Compiled> {
    if pairs.len() > 1 {
        let terms = stems.iter().map(|(at, stem)| (*at, Term::from_field_text(fields.text, stem)));
        pairs.push(Box::new(PhraseQuery::new_with_offset(terms.collect())));
    }
    intersection(pairs)
}

fn field_query(field: &Field, fields: &Fields) -> Box<dyn Compiled> {
    let key = |key: Key, value: &str| term(fields.keys, &key.of(value));
    match field {
        Field::Modality(value) => key(Key::Modality, value),
        Field::Sex(value) => key(Key::Sex, value),
        Field::Patient(value) => key(Key::Patient, value),
        Field::Accession(value) => key(Key::Accession, value),
        Field::Source(value) => key(Key::Source, value),
        Field::Study(value) => key(Key::Study, value),
        Field::Id(value) => key(Key::Id, value),
        Field::Date(range) => {
            let day = |date: &Option<String>| date.as_deref().and_then(day_number);
            between(fields.date, day(&range.from), day(&range.to))
        }
        Field::Age(range) => {
            between(fields.age, range.from.map(u64::from), range.to.map(u64::from))
        }
    }
}

/// The column between two values, both included.
fn between(field: SchemaField, from: Option<u64>, to: Option<u64>) -> Box<dyn Compiled> {
    let bound = |value: Option<u64>| match value {
        Some(value) => Bound::Included(Term::from_field_u64(field, value)),
        None => Bound::Unbounded,
    };
    Box::new(RangeQuery::new(bound(from), bound(to)))
}

/// Words hold letters and digits only, of which none means anything in a pattern.
fn escaped(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric()).collect()
}
