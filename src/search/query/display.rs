//! The canonical spelling of queries.

use std::fmt::{self, Display};

use super::{CellQuery, CellTest, Field, FindingQuery, LevelPick, Pattern, Query, Text, range};

impl Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::And(queries) => joined(queries, " AND ", f),
            Self::Or(queries) => joined(queries, " OR ", f),
            Self::Not(query) => write!(f, "NOT {}", Operand(query)),
            Self::Text(text) => text.fmt(f),
            Self::Field(field) => field.fmt(f),
            Self::Cell(cell) => cell.fmt(f),
            Self::Finding(finding) => finding.fmt(f),
            Self::Status(status) => write!(f, "status:{status}"),
            Self::Conflict => f.write_str("conflict"),
            Self::By(reader) => write!(f, "by:{}", Value(reader)),
        }
    }
}

fn joined(queries: &[Query], between: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match queries {
        // What is empty or alone is no operation: nothing asked of all is everything.
        [] => f.write_str("*"),
        [only] => only.fmt(f),
        _ => queries.iter().enumerate().try_for_each(|(i, query)| {
            f.write_str(if i == 0 { "" } else { between })?;
            Operand(query).fmt(f)
        }),
    }
}

/// A query within another, in parentheses where it needs them.
struct Operand<'a>(&'a Query);

impl Display for Operand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Query::And(queries) | Query::Or(queries) if queries.len() > 1 => {
                write!(f, "({})", self.0)
            }
            query => query.fmt(f),
        }
    }
}

impl Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(section) = self.section {
            write!(f, "{}:", section.name())?;
        }
        match &self.pattern {
            Pattern::Word(word) => f.write_str(word),
            Pattern::Prefix(start) => write!(f, "{start}*"),
            Pattern::Fuzzy { word, distance: 1 } => write!(f, "{word}~"),
            Pattern::Fuzzy { word, distance } => write!(f, "{word}~{distance}"),
            Pattern::Phrase { words, slop: 0 } => write!(f, "\"{words}\""),
            Pattern::Phrase { words, slop } => write!(f, "\"{words}\"~{slop}"),
        }
    }
}

impl Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Modality(value) => write!(f, "modality:{}", Value(value)),
            Self::Sex(value) => write!(f, "sex:{}", Value(value)),
            Self::Patient(value) => write!(f, "patient:{}", Value(value)),
            Self::Accession(value) => write!(f, "accession:{}", Value(value)),
            Self::Source(value) => write!(f, "source:{}", Value(value)),
            Self::Study(value) => write!(f, "study:{}", Value(value)),
            Self::Id(value) => write!(f, "id:{}", Value(value)),
            Self::Date(dates) => write!(f, "date:{}", range::Spelt(&dates.from, &dates.to)),
            Self::Age(ages) => write!(f, "age:{}", range::Spelt(&ages.from, &ages.to)),
        }
    }
}

/// A value, in quotes where it would not be read as one otherwise.
struct Value<'a>(&'a str);

impl Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '/');
        if !self.0.is_empty() && self.0.chars().all(is_plain) {
            f.write_str(self.0)
        } else {
            write!(f, "\"{}\"", self.0)
        }
    }
}

impl Display for CellQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.level {
            LevelPick::Any => f.write_str("any.")?,
            LevelPick::All => f.write_str("all.")?,
            LevelPick::One(level) => write!(f, "{}.", level.name())?,
        }
        f.write_str(self.target.name())?;
        match self.test {
            CellTest::Labelled => Ok(()),
            CellTest::Compare(comparison, grade) => {
                write!(f, "{}{}", comparison.sign(), grade.name())
            }
            CellTest::Unassessable => f.write_str("=unassessable"),
            CellTest::Hedged => f.write_str(":hedged"),
            CellTest::Stated => f.write_str(":stated"),
            CellTest::Conflict => f.write_str(":conflict"),
        }
    }
}

impl Display for FindingQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(level) = self.level {
            write!(f, "{}.", level.name())?;
        }
        let hedged = if self.or_hedged { "?" } else { "" };
        write!(f, "finding:{}{hedged}", self.finding.name())
    }
}
