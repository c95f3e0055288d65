//! A single term of a query: words, a field, a cell, a finding.

use std::ops::Range;

use super::error::Suggestion;
use super::{
    AgeRange, CellQuery, CellTest, Comparison, DateRange, Field, FindingQuery, LevelPick, Pattern,
    Problem, Query, Section, TargetPick, Text,
};
use crate::extract::Finding;
use crate::label::{Grade, Level, Status};

/// What is wrong, and with which bytes of the term.
type Wrong = (Range<usize>, Problem);

/// The fields, sections and other words that may stand before a colon, each with an example of
/// what comes after it.
const HEADS: [(&str, &str); 16] = [
    ("modality", "MR"),
    ("sex", "F"),
    ("patient", "4711"),
    ("accession", "A-17"),
    ("source", "\"St. Mary\""),
    ("study", "1.2.840.99"),
    ("id", "R-17"),
    ("date", "2020-01..2021-06"),
    ("age", "50..70"),
    ("status", "adjudicated"),
    ("by", "rules"),
    ("finding", "extrusion"),
    ("findings", "stenosis"),
    ("impression", "severe"),
    ("addendum", "corrected"),
    ("background", "\"back pain\""),
];

/// Parses a term, which has no spaces but in quotes.
pub(super) fn parse(term: &str) -> Result<Query, Wrong> {
    match term {
        "*" => return Ok(Query::All),
        "conflict" => return Ok(Query::Conflict),
        _ => {}
    }
    if term.starts_with('"') {
        return pattern(term, 0, None);
    }
    if let Some((level, rest)) = level_and_rest(term) {
        return at_level(term, level, term.len() - rest.len());
    }
    match term.find([':', '<', '>', '=', '!', '"']) {
        Some(at) if !term[at..].starts_with('"') && term[..at].contains('.') => {
            Err(unknown_level(term))
        }
        Some(at) if term[at..].starts_with(':') => after_colon(term, at),
        Some(at) if !term[at..].starts_with('"') => {
            Err((0..term.len(), Problem::MissingLevel(term[..at].to_owned())))
        }
        _ => pattern(term, 0, None),
    }
}

/// A level, `any` or `all` before a dot, and what comes after the dot.
fn level_and_rest(term: &str) -> Option<(LevelPick, &str)> {
    let (head, rest) = term.split_once('.')?;
    let level = match head {
        "any" => LevelPick::Any,
        "all" => LevelPick::All,
        name => LevelPick::One(level(name)?),
    };
    Some((level, rest))
}

/// What is wrong with a term that asks something of a cell whose level, before the first dot, is none.
fn unknown_level(term: &str) -> Wrong {
    let name = term.split('.').next().unwrap_or_default();
    let known: Vec<&str> = ["any", "all"].into_iter().chain(Level::ALL.map(Level::name)).collect();
    let suggestion = Suggestion::among(name, known.iter().copied());
    let problem = Problem::UnknownName(name.to_owned(), "level", known.join(" "), suggestion);
    (0..name.len(), problem)
}

/// A level, also in small letters or with the first letter alone: `l4-5`.
fn level(name: &str) -> Option<Level> {
    let (above, below) = name.split_once(['-', '/'])?;
    let below = match below.chars().next()? {
        digit if digit.is_ascii_digit() => format!("{}{below}", above.chars().next()?),
        _ => below.to_owned(),
    };
    let name = format!("{above}-{below}").to_ascii_uppercase();
    Level::ALL.into_iter().find(|level| level.name() == name)
}

/// What comes after a colon that is not a cell's.
fn after_colon(term: &str, colon: usize) -> Result<Query, Wrong> {
    let (head, at) = (&term[..colon], colon + 1);
    let Some(&(_, example)) = HEADS.iter().find(|(name, _)| *name == head) else {
        let names = || HEADS.iter().map(|(name, _)| *name);
        let known = names().collect::<Vec<_>>().join(" ");
        let suggestion = Suggestion::among(head, names());
        return Err((0..at, Problem::UnknownField(head.to_owned(), known, suggestion)));
    };
    if at == term.len() {
        return Err((0..at, Problem::MissingValue(head.to_owned(), example)));
    }
    if let Some(section) = Section::ALL.into_iter().find(|section| section.name() == head) {
        return pattern(term, at, Some(section));
    }
    let wrong = |problem| (at..term.len(), problem);
    let value = || value(term, at, head, example);
    Ok(match head {
        "finding" => finding(term, at, None)?,
        "status" => Query::Status(named(term, at, "status", &Status::ALL, |status| status.name())?),
        "by" => Query::By(value()?),
        "date" => Query::Field(Field::Date(DateRange::parse(&term[at..]).map_err(wrong)?)),
        "age" => Query::Field(Field::Age(AgeRange::parse(&term[at..]).map_err(wrong)?)),
        "sex" => {
            let sex = |sex: &&'static str| -> &'static str { sex };
            let upper = term.to_ascii_uppercase();
            Query::Field(Field::Sex(named(&upper, at, "sex", &["F", "M", "O"], sex)?.to_owned()))
        }
        "modality" => Query::Field(Field::Modality(value()?.to_uppercase())),
        "patient" => Query::Field(Field::Patient(value()?)),
        "accession" => Query::Field(Field::Accession(value()?)),
        "source" => Query::Field(Field::Source(value()?)),
        "study" => Query::Field(Field::Study(value()?)),
        _ => Query::Field(Field::Id(value()?)),
    })
}

/// A value from byte `at` on, in quotes or not.
fn value(term: &str, at: usize, head: &str, example: &'static str) -> Result<String, Wrong> {
    let text = &term[at..];
    let value = match text.strip_prefix('"') {
        None => text,
        Some(quoted) => match quoted.find('"') {
            Some(end) if end + 1 == quoted.len() => &quoted[..end],
            Some(end) => {
                let stray = at + end + 2;
                return Err(stray_sign(term, stray));
            }
            None => quoted,
        },
    };
    if let Some(stray) = value.find('"') {
        return Err(stray_sign(term, at + stray));
    }
    if value.trim().is_empty() {
        return Err((0..term.len(), Problem::MissingValue(head.to_owned(), example)));
    }
    Ok(value.to_owned())
}

fn stray_sign(term: &str, at: usize) -> Wrong {
    let sign = term[at..].chars().next().unwrap_or('"');
    (at..at + sign.len_utf8(), Problem::StraySign(sign))
}

/// The one of `all` that is named from byte `at` on.
fn named<T: Copy>(
    term: &str,
    at: usize,
    what: &'static str,
    all: &[T],
    name: impl Fn(&T) -> &'static str,
) -> Result<T, Wrong> {
    let word = &term[at..];
    all.iter().find(|one| name(one) == word).copied().ok_or_else(|| {
        let known = all.iter().map(&name).collect::<Vec<_>>();
        let suggestion = Suggestion::among(word, known.iter().copied());
        let problem = Problem::UnknownName(word.to_owned(), what, known.join(" "), suggestion);
        (at..term.len(), problem)
    })
}

/// What comes after a level and its dot, from byte `at` on: a cell or a finding.
fn at_level(term: &str, level: LevelPick, at: usize) -> Result<Query, Wrong> {
    let rest = &term[at..];
    if rest.starts_with("finding:") {
        let at = at + "finding:".len();
        return match level {
            LevelPick::One(level) => finding(term, at, Some(level)),
            LevelPick::Any => finding(term, at, None),
            LevelPick::All => {
                Err((0..term.len(), Problem::FindingAtAll(format!("finding:{}", &term[at..]))))
            }
        };
    }
    let end = rest.find(['<', '>', '=', '!', ':']).map_or(term.len(), |end| at + end);
    let picks: Vec<_> = TargetPick::all().collect();
    let target = named(&term[..end], at, "target", &picks, |pick| pick.name())?;
    let test = cell_test(term, end)?;
    Ok(Query::Cell(CellQuery { level, target, test }))
}

/// What is asked of a cell, from byte `at` on.
fn cell_test(term: &str, at: usize) -> Result<CellTest, Wrong> {
    let rest = &term[at..];
    if rest.is_empty() {
        return Ok(CellTest::Labelled);
    }
    if rest.starts_with('!') {
        return Err((at..term.len(), Problem::NotEqual));
    }
    if rest.starts_with(':') {
        let all = [
            ("hedged", CellTest::Hedged),
            ("stated", CellTest::Stated),
            ("conflict", CellTest::Conflict),
        ];
        return Ok(named(term, at + 1, "property of a cell", &all, |(name, _)| name)?.1);
    }
    let comparison = Comparison::ALL.into_iter().find(|one| rest.starts_with(one.sign()));
    let comparison = comparison.ok_or_else(|| stray_sign(term, at))?;
    let value = at + comparison.sign().len();
    match (&term[value..], comparison) {
        ("", _) => return Err((at..term.len(), Problem::MissingGrade(comparison.sign()))),
        ("unassessable", Comparison::Equal) => return Ok(CellTest::Unassessable),
        _ => {}
    }
    let grade = named(term, value, "grade", &Grade::ALL, |grade| grade.name())?;
    if grade == Grade::Present && comparison != Comparison::Equal {
        return Err((at..term.len(), Problem::PresentIsNoOrder));
    }
    Ok(CellTest::Compare(comparison, grade))
}

fn finding(term: &str, at: usize, level: Option<Level>) -> Result<Query, Wrong> {
    let (name, or_hedged) = match term.strip_suffix('?') {
        Some(name) if name.len() >= at => (name, true),
        _ => (term, false),
    };
    let finding = named(name, at, "finding", &Finding::ALL, |finding| finding.name())?;
    Ok(Query::Finding(FindingQuery { level, finding, or_hedged }))
}

/// Words from byte `at` on.
fn pattern(term: &str, at: usize, section: Option<Section>) -> Result<Query, Wrong> {
    let text = &term[at..];
    let pattern = match text.strip_prefix('"') {
        Some(quoted) => phrase(term, at, quoted)?,
        None => word(term, at)?,
    };
    Ok(Query::Text(Text { section, pattern }))
}

/// A phrase, of which `quoted` is what follows its first quote at byte `at`.
fn phrase(term: &str, at: usize, quoted: &str) -> Result<Pattern, Wrong> {
    const MOST: u32 = 50;
    let end = quoted.find('"').unwrap_or(quoted.len());
    let words = quoted[..end].to_owned();
    if !words.contains(char::is_alphanumeric) {
        return Err((at..at + end + 1, Problem::MissingTerm));
    }
    let after = at + 1 + (end + 1).min(quoted.len());
    let slop = match term[after..].strip_prefix('~') {
        None if after == term.len() => 0,
        None => return Err(stray_sign(term, after)),
        Some(places) => {
            let places = places.parse().ok().filter(|places| (1..=MOST).contains(places));
            places.ok_or((after..term.len(), Problem::BadSlop(MOST)))?
        }
    };
    Ok(Pattern::Phrase { words, slop })
}

/// A word, perhaps with a mark after it.
fn word(term: &str, at: usize) -> Result<Pattern, Wrong> {
    let text = &term[at..];
    let end = text.find(['*', '~']).map_or(term.len(), |end| at + end);
    let word = &term[at..end];
    if let Some(stray) = word.find([':', '"', '<', '>', '=', '!', '?']) {
        return Err(stray_sign(term, at + stray));
    }
    if !word.contains(char::is_alphanumeric) {
        return Err(if end < term.len() {
            (at..term.len(), Problem::StrayMark)
        } else {
            stray_sign(term, at)
        });
    }
    let word = word.to_owned();
    match &term[end..] {
        "" => Ok(Pattern::Word(word)),
        "*" => Ok(Pattern::Prefix(word)),
        "~" | "~1" => Ok(Pattern::Fuzzy { word, distance: 1 }),
        "~2" => Ok(Pattern::Fuzzy { word, distance: 2 }),
        mark if mark.starts_with('~') => Err((end..term.len(), Problem::BadDistance)),
        _ => Err((end..term.len(), Problem::StrayMark)),
    }
}
