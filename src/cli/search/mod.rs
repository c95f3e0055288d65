//! `search`: reports by what they say and how they are labelled.

mod facets;
mod hits;

use std::io::{self, Write};
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use anyhow::{Result, bail};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use indicatif::HumanCount;

use super::data::DataArgs;
use super::output::stdout;
use crate::archive::{Archive, Asked, Found};
use crate::extract::Finding;
use crate::search::query::{Query, SYNTAX, TargetPick};
use crate::search::{Counts, Sort};

/// Find reports by words, cells, findings and fields.
#[derive(Debug, clap::Args)]
#[command(after_help = help())]
pub(super) struct Args {
    /// What to find; everything if not given. Several arguments must all hold.
    #[arg(value_name = "QUERY")]
    query: Vec<String>,

    /// A saved query, which must hold too.
    #[arg(long, value_name = "NAME")]
    saved: Option<String>,

    /// Save the query under a name.
    #[arg(long, value_name = "NAME")]
    save: Option<String>,

    /// In what order; if not given, the best first where words are asked for, else the latest.
    #[arg(long, value_parser = orders())]
    sort: Option<Sort>,

    /// How many reports are shown.
    #[arg(short = 'n', long, default_value_t = 10, value_name = "N")]
    limit: usize,

    /// Which page of them, from 1.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    page: u32,

    /// Show every report that is found.
    #[arg(long, conflicts_with_all = ["limit", "page"])]
    all: bool,

    /// Count by cell and grade, modality, year, sex and age too.
    #[arg(long)]
    facets: bool,

    /// Print one JSON object.
    #[arg(long, conflicts_with = "csv")]
    json: bool,

    /// Print CSV, a row a report.
    #[arg(long, conflicts_with = "facets")]
    csv: bool,

    #[command(flatten)]
    data: DataArgs,
}

fn orders() -> impl TypedValueParser<Value = Sort> {
    PossibleValuesParser::new(Sort::ALL.map(Sort::name)).try_map(|name| {
        let found = Sort::ALL.into_iter().find(|sort| sort.name() == name);
        found.ok_or("the parser lets only names of orders pass")
    })
}

fn help() -> String {
    let widest = SYNTAX.iter().map(|(example, _)| example.len()).max().unwrap_or(0);
    let rows = SYNTAX.iter().map(|(example, meaning)| format!("  {example:widest$}  {meaning}\n"));
    let targets: Vec<&str> = TargetPick::all().map(TargetPick::name).collect();
    let row = |findings: &[Finding]| {
        let names: Vec<&str> = findings.iter().map(|finding| finding.name()).collect();
        format!("  {}\n", names.join(" "))
    };
    let findings: String = Finding::ALL.chunks(FINDINGS_A_ROW).map(row).collect();
    format!(
        "Queries:\n{}\n\
         After a level and a dot:\n  {}\n\
         After finding:\n{findings}\n\
         Examples:\n  \
         deepspine search 'L4-L5.central>=moderate' 'age:60..'\n  \
         deepspine search 'finding:extrusion AND \"left leg\"' --facets\n  \
         deepspine search 'any.foraminal=severe NOT status:adjudicated' --csv --all > severe.csv",
        rows.collect::<String>(),
        targets.join(" "),
    )
}

/// How many names of findings stand in a row of help.
const FINDINGS_A_ROW: usize = 5;

/// How many reports are fetched at a time where all are shown.
const FETCH: usize = 1000;

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let mut archive = args.data.open()?;
    let query = query(args, &archive)?;
    if let Some(name) = &args.save {
        archive.store_mut().write(|writer| writer.save_query(name, &query.to_string()))?;
    }
    archive.catch_up(|_| ())?;
    let mut out = io::BufWriter::new(stdout());
    let (first, last) = window(args);
    let asked = |offset: usize, is_first: bool| Asked {
        query: &query,
        sort: args.sort.unwrap_or_else(|| default_order(&query)),
        offset,
        limit: FETCH.min(last.saturating_sub(offset)),
        counts: is_first,
        facets: is_first && args.facets,
    };
    let mut found = archive.search(&asked(first, true))?;
    if args.json {
        let rest = |found: &mut Found| -> Result<()> {
            let mut offset = first + found.hits.len();
            while offset < last.min(found.reports as usize) {
                let more = archive.search(&asked(offset, false))?.hits;
                offset += more.len();
                found.hits.extend(more);
            }
            Ok(())
        };
        rest(&mut found)?;
        hits::json(&query, &found, &mut out)?;
    } else if args.csv {
        hits::csv_header(&mut out)?;
        each_page(&archive, asked, first, last, found, |_, found| hits::csv(found, &mut out))?;
    } else {
        let colour = AutoStream::choice(&io::stdout()) != ColorChoice::Never;
        print_counts(&found, &mut out)?;
        if let Some(facets) = &found.facets {
            facets::print(facets, &mut out)?;
        }
        each_page(&archive, asked, first, last, found, |offset, found| {
            hits::print(found, offset, colour, &mut out)
        })?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// The reports from the first to before the last.
fn window(args: &Args) -> (usize, usize) {
    if args.all {
        return (0, usize::MAX);
    }
    let first = (args.page as usize - 1).saturating_mul(args.limit);
    (first, first.saturating_add(args.limit))
}

fn query(args: &Args, archive: &Archive) -> Result<Query> {
    let mut all = Vec::new();
    if let Some(name) = &args.saved {
        all.push(archive.store().saved_query(name)?.query);
    }
    all.extend_from_slice(&args.query);
    parse_all(&all)
}

/// Parses queries that must all hold; without any, everything is asked for.
pub(super) fn parse_all(texts: &[String]) -> Result<Query> {
    let mut all = texts.iter().map(|text| parse(text)).collect::<Result<Vec<Query>>>()?;
    Ok(match all.len() {
        0 => Query::All,
        1 => all.remove(0),
        _ => Query::And(all),
    })
}

/// Parses a query; the error shows where it went wrong.
pub(super) fn parse(text: &str) -> Result<Query> {
    match Query::parse(text) {
        Ok(query) => Ok(query),
        Err(error) => bail!("the query cannot be understood\n{}", error.pointed(text)),
    }
}

/// Words tell which report fits best; facts do not.
fn default_order(query: &Query) -> Sort {
    let has_words = |queries: &[Query]| queries.iter().any(|q| default_order(q) == Sort::Relevance);
    match query {
        Query::Text(_) => Sort::Relevance,
        Query::And(queries) | Query::Or(queries) if has_words(queries) => Sort::Relevance,
        _ => Sort::Newest,
    }
}

fn each_page<'a>(
    archive: &Archive,
    asked: impl Fn(usize, bool) -> Asked<'a>,
    first: usize,
    last: usize,
    mut found: Found,
    mut show: impl FnMut(usize, &Found) -> io::Result<()>,
) -> Result<()> {
    let mut offset = first;
    loop {
        show(offset, &found)?;
        offset += found.hits.len();
        if found.hits.is_empty() || offset >= last.min(found.reports as usize) {
            return Ok(());
        }
        found = archive.search(&asked(offset, false))?;
    }
}

/// `1 report`, `1,234 reports`
fn counted(count: u64, one: &str, several: &str) -> String {
    format!("{} {}", HumanCount(count), if count == 1 { one } else { several })
}

fn print_counts(found: &Found, out: &mut dyn Write) -> io::Result<()> {
    if let Some(counts) = found.counts {
        let Counts { reports, studies, patients } = counts;
        let reports = counted(reports, "report", "reports");
        let studies = counted(studies, "study", "studies");
        match patients {
            0 => writeln!(out, "{reports} of {studies}")?,
            _ => writeln!(
                out,
                "{reports} of {studies}, {}",
                counted(patients, "patient", "patients")
            )?,
        }
    }
    if found.behind > 0 {
        let behind = HumanCount(found.behind);
        writeln!(out, "{behind} changes of the archive are being indexed and not searched yet")?;
    }
    Ok(())
}
