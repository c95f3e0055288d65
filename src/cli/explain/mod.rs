//! `explain`: one report, its grid, and why each cell has its verdict.

mod notes;
mod one;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use anyhow::{Context, Result, ensure};

use super::INCOMPLETE;
use super::output::of_stdout;
use super::reader::TextReaderArgs;
use super::reading::ReadingArgs;
use crate::page::{Screen, Sheet, standalone, terminal};

const EXAMPLES: &str = "\
Examples:
  deepspine explain report.txt
  deepspine explain report.txt --reader fused
  deepspine explain reports.csv --id R-17 --html R-17.html
  deepspine explain ris.xlsx --text-column Befund --id 4711 | less
  pbpaste | deepspine explain";

/// Show what one report says, cell by cell, and why.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The file that holds the report, in any format that extract reads; - is standard input.
    #[arg(default_value = "-", value_name = "FILE")]
    file: PathBuf,

    /// Which report, where the file holds several.
    #[arg(long)]
    id: Option<String>,

    /// Write a page that stands alone, to be opened in any browser, instead of printing.
    #[arg(long, value_name = "OUT.html")]
    html: Option<PathBuf>,

    /// When to colour what is printed.
    #[arg(long, value_enum, default_value_t, value_name = "WHEN", alias = "color")]
    colour: Colour,

    #[command(flatten)]
    text_reader: TextReaderArgs,

    #[command(flatten)]
    reading: ReadingArgs,
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

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    if let Some(path) = &args.html {
        ensure!(
            !is_same(path, &args.file),
            "`{}` is the report; give another name to --html",
            path.display()
        );
    }
    let mut texts = args.text_reader.open()?;
    let one::Found { report, skipped } =
        one::find(&args.file, args.id.as_deref(), args.reading.options())?;
    let reading = texts.read(&[&report.text]).swap_remove(0);
    let readers: Vec<String> =
        texts.readers().iter().map(|r| format!("{} {}", r.kind, r.version)).collect();
    let sheet = Sheet {
        title: one::title(&report, &args.file),
        reader: &readers.join(", "),
        text: &report.text,
        opinions: reading.opinions(),
        mentions: &notes::mentions(&reading.extraction),
        measurements: &notes::measurements(&reading.extraction),
    };
    match &args.html {
        Some(path) => fs::write(path, standalone(&sheet)?)
            .with_context(|| format!("`{}` cannot be written", path.display()))?,
        None => print(&sheet, args.colour).context("the report cannot be printed")?,
    }
    Ok(if skipped { INCOMPLETE.into() } else { ExitCode::SUCCESS })
}

fn is_same(a: &Path, b: &Path) -> bool {
    fs::canonicalize(a).is_ok_and(|a| fs::canonicalize(b).is_ok_and(|b| a == b))
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
    let mut out = AutoStream::new(stdout, choice);
    out.write_all(terminal(sheet, screen).as_bytes()).map_err(of_stdout)
}
