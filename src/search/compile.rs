//! A query in the index's own terms.

use std::ops::Bound;

use tantivy::Term;
use tantivy::query::{
    AllQuery, BooleanQuery, EmptyQuery, FuzzyTermQuery, Occur, PhraseQuery, Query as Compiled,
    RangeQuery, RegexQuery, TermQuery,
};
use tantivy::schema::{Field as SchemaField, IndexRecordOption};

use super::SearchError;
use super::document::{Key, day_number};
use super::mark;
use super::near::NearQuery;
use super::pairs::pair;
use super::query::{Field, Query, Text};
use super::schema::Fields;
use super::words::Words;

/// Compiles a query.
pub(super) fn compile(query: &Query, fields: &Fields) -> Result<Box<dyn Compiled>, SearchError> {
    compile_within(query, fields, false)
}

/// Compiles a part of a query, which may be one that excludes. tantivy asks what is excluded about
/// reports that its own phrases have left behind and then cannot answer for; ours can.
fn compile_within(
    query: &Query,
    fields: &Fields,
    excluded: bool,
) -> Result<Box<dyn Compiled>, SearchError> {
    let all = |queries: &[Query]| -> Result<Vec<Box<dyn Compiled>>, SearchError> {
        queries.iter().map(|query| compile_within(query, fields, excluded)).collect()
    };
    Ok(match query {
        Query::All => Box::new(AllQuery),
        Query::And(queries) => intersection(queries, fields, excluded)?,
        Query::Or(queries) => union(all(queries)?),
        Query::Not(query) => {
            excluding(vec![Box::new(AllQuery)], vec![compile_within(query, fields, true)?])
        }
        Query::Text(text) => text_query(text, fields, excluded)?,
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

/// What all must hold. What must not hold only takes away, so it is no query of its own here.
fn intersection(
    queries: &[Query],
    fields: &Fields,
    excluded: bool,
) -> Result<Box<dyn Compiled>, SearchError> {
    let (mut wanted, mut unwanted) = (Vec::new(), Vec::new());
    for query in queries {
        match query {
            Query::Not(query) => unwanted.push(compile_within(query, fields, true)?),
            query => wanted.push(compile_within(query, fields, excluded)?),
        }
    }
    if wanted.is_empty() {
        wanted.push(Box::new(AllQuery));
    }
    Ok(excluding(wanted, unwanted))
}

fn excluding(
    mut wanted: Vec<Box<dyn Compiled>>,
    unwanted: Vec<Box<dyn Compiled>>,
) -> Box<dyn Compiled> {
    if wanted.len() == 1 && unwanted.is_empty() {
        return wanted.remove(0);
    }
    let wanted = wanted.into_iter().map(|query| (Occur::Must, query));
    let unwanted = unwanted.into_iter().map(|query| (Occur::MustNot, query));
    Box::new(BooleanQuery::new(wanted.chain(unwanted).collect()))
}

fn union(mut queries: Vec<Box<dyn Compiled>>) -> Box<dyn Compiled> {
    match queries.len() {
        0 => Box::new(EmptyQuery),
        1 => queries.remove(0),
        _ => Box::new(BooleanQuery::union(queries)),
    }
}

fn term(field: SchemaField, text: &str) -> Box<dyn Compiled> {
    Box::new(TermQuery::new(Term::from_field_text(field, text), IndexRecordOption::Basic))
}

fn text_query(
    text: &Text,
    fields: &Fields,
    excluded: bool,
) -> Result<Box<dyn Compiled>, SearchError> {
    let field = fields.words(text.section);
    let words = Words::of(&text.pattern);
    if text.section.is_none()
        && let Words::Near { stems, slop: 0 } = &words
        && let Some(pairs) = pairs(stems, fields)
    {
        return phrase_of_pairs(pairs, stems, fields, excluded);
    }
    let scored = |stem: &str| {
        let term = Term::from_field_text(field, stem);
        Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs)) as Box<dyn Compiled>
    };
    Ok(match &words {
        Words::None => Box::new(EmptyQuery),
        Words::One(stem) => scored(stem),
        Words::Near { stems, slop: 0 } if !excluded => {
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
    excluded: bool,
) -> Result<Box<dyn Compiled>, SearchError> {
    if pairs.len() > 1 {
        let terms = stems.iter().map(|(at, stem)| (*at, Term::from_field_text(fields.text, stem)));
        pairs.push(if excluded {
            Box::new(NearQuery::new(terms.map(|(at, term)| (at as u32, term)).collect(), 0))
        } else {
            Box::new(PhraseQuery::new_with_offset(terms.collect()))
        });
    }
    Ok(excluding(pairs, Vec::new()))
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
