//! A CSV row a cell, for those who filter, pivot or review.
//!
//! A report without labels has no row; a cell that cannot be judged has one whose grade is
//! `unassessable`. `directness`, `naming`, `evidence` and `rules` tell of the statements that have
//! the row's grade, not of those that it outweighed: `direct` and `named` where any of them is.
//! Evidence is in bytes of the text's UTF-8, `start-end` with the end excluded, parted by
//! semicolons like the numbers of the guideline's rules.
//!
//! Where a network has read there are two columns more: `probability`, how probable the grade is, and
//! `may_be`, what else cannot be excluded, which is blank where the reader is in no doubt. What the
//! rules settled alone has neither.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::Labelled;
use super::table::Row;
use crate::label::{Directness, Evidence, Grade, Naming, Opinion, Span, Statement, Trace, Verdict};

const COLUMNS: [&str; 10] = [
    "id",
    "level",
    "target",
    "grade",
    "certainty",
    "conflict",
    "directness",
    "naming",
    "evidence",
    "rules",
];

const OF_A_NETWORK: [&str; 2] = ["probability", "may_be"];

pub(super) fn header(out: &mut dyn Write) -> io::Result<()> {
    columns(COLUMNS.into_iter(), out)
}

pub(super) fn header_of_a_network(out: &mut dyn Write) -> io::Result<()> {
    columns(COLUMNS.into_iter().chain(OF_A_NETWORK), out)
}

fn columns(mut names: impl Iterator<Item = &'static str>, out: &mut dyn Write) -> io::Result<()> {
    let mut row = Row::new(out);
    names.try_for_each(|name| row.field(name))?;
    row.end()?;
    row.finish()
}

pub(super) fn report(labelled: &Labelled, out: &mut dyn Write) -> io::Result<()> {
    rows(labelled, |_, _| Ok(()), out)
}

pub(super) fn report_of_a_network(labelled: &Labelled, out: &mut dyn Write) -> io::Result<()> {
    rows(labelled, how_sure, out)
}

/// The columns of a network.
fn how_sure(opinion: &Opinion, row: &mut Row) -> io::Result<()> {
    match opinion.probability() {
        Some(probability) => row.display(format_args!("{probability:.3}"))?,
        None => row.empty()?,
    }
    match opinion.doubt {
        Some(doubt) => row.display(doubt.may_be),
        None => row.empty(),
    }
}

/// A row a cell, which `further` adds its columns to.
fn rows(
    labelled: &Labelled,
    further: fn(&Opinion, &mut Row) -> io::Result<()>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut row = Row::new(out);
    for opinion in labelled.opinions {
        if opinion.verdict == Verdict::NotMentioned {
            continue;
        }
        row.field(&labelled.report.id)?;
        row.field(opinion.cell.level.name())?;
        row.field(opinion.cell.target.name())?;
        row.field(opinion.verdict.name())?;
        row.field(opinion.certainty.name())?;
        row.field(if opinion.conflict { "true" } else { "false" })?;
        evidence(opinion, &mut row)?;
        further(opinion, &mut row)?;
        row.end()?;
    }
    row.finish()
}

/// The last four columns of every reader.
fn evidence(opinion: &Opinion, row: &mut Row) -> io::Result<()> {
    let Some(grade) = opinion.verdict.grade() else { return blanks(4, row) };
    match &opinion.evidence {
        Evidence::Statements(statements) => supporting(statements, grade, row),
        Evidence::Spans(marked) => {
            blanks(2, row)?;
            spans(marked.clone(), row)?;
            blanks(1, row)
        }
        Evidence::Image(_) => blanks(4, row),
    }
}

fn blanks(count: usize, row: &mut Row) -> io::Result<()> {
    (0..count).try_for_each(|_| row.empty())
}

fn supporting(statements: &[Statement], grade: Grade, row: &mut Row) -> io::Result<()> {
    let supporting = || statements.iter().filter(|statement| statement.grade == grade);
    let direct = supporting().any(|statement| statement.directness == Directness::Direct);
    row.field(if direct { "direct" } else { "indirect" })?;
    let named = supporting().any(|statement| statement.naming == Naming::Named);
    row.field(if named { "named" } else { "universal" })?;
    spans(supporting().flat_map(|statement| statement.evidence.iter().copied()).collect(), row)?;
    let trace = supporting().fold(Trace::default(), |all, statement| all.and(statement.trace));
    row.list(trace.rules(), |text, rule| write!(text, "{}", rule.number()))
}

fn spans(mut spans: Vec<Span>, row: &mut Row) -> io::Result<()> {
    spans.sort_unstable();
    spans.dedup();
    row.list(spans.into_iter(), |text, span| write!(text, "{}-{}", span.start, span.end))
}
