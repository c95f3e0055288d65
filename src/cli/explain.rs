//! `explain`: one report, its grid, and why each cell has its verdict.

use std::fs;
use std::io::{self, BufRead, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use anyhow::{Context, bail};

use crate::extract::{Extraction, Extractor, Measurement, Mention, Quantity};
use crate::label::{Certainty, Side};
use crate::page::{Note, Screen, Sheet, standalone, terminal};
use crate::pipeline::read_text;
use crate::report::Report;

/// Shows what one report says, cell by cell, and why.
#[derive(Debug, clap::Args)]
pub struct Explain {
    /// A report as plain text, or JSON Lines to take one from by --id; `-` reads standard input
    #[arg(default_value = "-")]
    file: PathBuf,

    /// The report of a file that holds several
    #[arg(long)]
    id: Option<String>,

    /// Write a page that stands alone, to be opened in any browser, instead of printing
    #[arg(long, value_name = "OUT.html")]
    html: Option<PathBuf>,

    /// When to colour what is printed
    #[arg(long, value_enum, default_value_t, alias = "color")]
    colour: Colour,

    /// Read with the lexicon in this folder instead of the built-in one
    #[arg(long, value_name = "DIR")]
    lexicon: Option<PathBuf>,
}

/// When to colour.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Colour {
    /// In a terminal that shows colours.
    #[default]
    Auto,
    Always,
    Never,
}

/// Runs the verb.
pub fn run(args: &Explain) -> anyhow::Result<ExitCode> {
    let report = read(&args.file, args.id.as_deref())?;
    let mut extractor = extractor(args.lexicon.as_deref())?;
    let (extraction, opinions) = read_text(&mut extractor, &report.text);
    let sheet = Sheet {
        title: &report.id,
        reader: &reader(&extractor),
        text: &report.text,
        opinions: &opinions,
        mentions: &mentions(&extraction),
        measurements: &measurements(&extraction),
    };
    match &args.html {
        Some(path) => fs::write(path, standalone(&sheet)?)
            .with_context(|| format!("cannot write {}", path.display()))?,
        None => print(&sheet, args.colour).or_else(unless_closed)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads the one report that is asked for.
fn read(path: &Path, id: Option<&str>) -> anyhow::Result<Report> {
    let context = || format!("cannot read {}", path.display());
    let mut text = String::new();
    if path == Path::new("-") {
        io::stdin().read_to_string(&mut text).with_context(context)?;
    } else {
        text = fs::read_to_string(path).with_context(context)?;
    }
    let Some(id) = id else {
        let id = path.file_stem().filter(|stem| *stem != "-").unwrap_or("report".as_ref());
        return Ok(Report { id: id.to_string_lossy().into_owned(), text, ..Report::default() });
    };
    for line in text.as_bytes().lines() {
        let report: Report = serde_json::from_str(&line?).with_context(context)?;
        if report.id == id {
            return Ok(report);
        }
    }
    bail!("no report `{id}` in {}", path.display());
}

fn extractor(lexicon: Option<&Path>) -> anyhow::Result<Extractor> {
    match lexicon {
        None => Ok(Extractor::default()),
        Some(folder) => bail!("lexicons are built in; cannot load {}", folder.display()),
    }
}

fn reader(extractor: &Extractor) -> String {
    format!("rules {}, lexicon {}", env!("CARGO_PKG_VERSION"), extractor.lexicon_version())
}

fn print(sheet: &Sheet<'_>, colour: Colour) -> io::Result<()> {
    let stdout = io::stdout();
    let choice = match colour {
        Colour::Auto => AutoStream::choice(&stdout),
        Colour::Always => ColorChoice::Always,
        Colour::Never => ColorChoice::Never,
    };
    // Where no terminal tells its width, such as in a pipe, the text should still be readable.
    let width = terminal_size::terminal_size().map_or(100, |(width, _)| usize::from(width.0));
    let screen = Screen { width, colour: choice != ColorChoice::Never };
    AutoStream::new(stdout, choice).write_all(terminal(sheet, screen).as_bytes())
}

/// A reader that closes the pipe early, such as `head`, has seen enough.
fn unless_closed(error: io::Error) -> io::Result<()> {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(error),
    }
}

fn mentions(extraction: &Extraction) -> Vec<Note> {
    extraction
        .mentions
        .iter()
        .map(|mention| Note {
            what: mentioned(mention),
            level: mention.level,
            negated: mention.negated,
            certainty: mention.certainty,
            span: mention.span,
        })
        .collect()
}

/// `listhesis 1`, `protrusion, left`.
fn mentioned(mention: &Mention) -> String {
    let mut what = mention.finding.name().replace('_', " ");
    if let Some(class) = mention.class {
        what.push_str(&format!(" {class}"));
    }
    match mention.side {
        Some(Side::Left) => what.push_str(", left"),
        Some(Side::Right) => what.push_str(", right"),
        None => {}
    }
    what
}

fn measurements(extraction: &Extraction) -> Vec<Note> {
    extraction
        .measurements
        .iter()
        .map(|measurement| Note {
            what: measured(measurement),
            level: measurement.level,
            negated: false,
            certainty: Certainty::Stated,
            span: measurement.span,
        })
        .collect()
}

fn measured(measurement: &Measurement) -> String {
    let (what, unit) = match measurement.quantity {
        Quantity::CanalDiameter => ("canal diameter", "mm"),
        Quantity::SacDiameter => ("thecal sac diameter", "mm"),
        Quantity::SacArea => ("thecal sac area", "mm²"),
    };
    format!("{what} {} {unit}", measurement.value)
}
