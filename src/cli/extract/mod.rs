//! `extract`: report files to labels, in one pass that keeps nothing.

mod output;
mod progress;
mod stream;

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use self::output::SharedOutput;
use self::progress::Progress;
use self::stream::Labelling;
use super::INCOMPLETE;
use super::lexicon::LexiconArgs;
use super::reading::ReadingArgs;
use crate::export::{FORMATS, Format};
use crate::report::{Input, Reader};

const EXAMPLES: &str = "\
Examples:
  deepspine extract reports.csv -o labels.jsonl
  deepspine extract exports/ -o labels.csv --format wide
  deepspine extract ris.xlsx --text-column Befund --column patient=PatNr -o labels.jsonl
  deepspine extract reports.jsonl.gz | jq -c .cells

Exit codes:
  0    every record was labelled
  1    a fatal error; nothing was written to OUT
  2    done, but bad records were skipped
  130  interrupted; nothing was written to OUT";

/// Label reports: files in, a label file out, nothing kept.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Files with reports, or folders of them; - is standard input. Read are CSV, TSV, JSON Lines,
    /// JSON, XLSX and plain text, and with .gz or .zst what is compressed.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Where the labels go; standard output if not given. The file appears when it is complete.
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,

    /// Format of the labels; if not given, that of OUT's extension (.jsonl: jsonl, .csv: long),
    /// and jsonl without one.
    #[arg(long, value_parser = format_names())]
    format: Option<&'static Format>,

    /// Stop at the first bad record instead of skipping it.
    #[arg(long)]
    strict: bool,

    /// How many threads to use; all of the machine's if not given.
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,

    #[command(flatten)]
    lexicon: LexiconArgs,

    #[command(flatten)]
    reading: ReadingArgs,
}

fn format_names() -> impl TypedValueParser<Value = &'static Format> {
    let values = FORMATS.iter().map(|format| PossibleValue::new(format.name).help(format.about));
    PossibleValuesParser::new(values)
        .try_map(|name| Format::named(&name).ok_or("the parser lets only names of formats pass"))
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    check_inputs(args)?;
    let format = match args.format {
        Some(format) => format,
        None => format_of(args.output.as_deref())?,
    };
    let threads = match args.threads {
        Some(threads) => threads,
        None => std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
    };

    let labelling = Labelling { extractor: args.lexicon.extractor()?, format, threads };
    let inputs = args.files.iter().map(Input::named).collect();
    let reader = Reader::new(inputs, args.reading.options());
    let output = SharedOutput::open(args.output.as_deref())?;
    let mut progress = Progress::new(reader.progress());
    output.discard_on_interrupt(progress.bar())?;
    output.write(|out| format.write_header(out))?;
    labelling.run(reader, |batch| {
        if args.strict
            && let Some(bad) = batch.notes.bad.first()
        {
            bail!("{bad}; without --strict it would be skipped");
        }
        output.write(|out| batch.rendered.iter().try_for_each(|part| out.write_all(part)))?;
        progress.advance(&batch);
        Ok(())
    })?;
    if progress.only_skipped() {
        progress.bar().finish_and_clear();
        bail!("no report could be read; correct what is named above, or say how to read it");
    }
    output.complete()?;
    let skipped = progress.finish();
    Ok(if skipped > 0 { INCOMPLETE.into() } else { ExitCode::SUCCESS })
}

/// Refuses what would only fail, or do harm, after much work.
fn check_inputs(args: &Args) -> Result<()> {
    let output = args.output.as_ref().and_then(|path| fs::canonicalize(path).ok());
    for file in args.files.iter().filter(|file| *file != Path::new("-")) {
        let name = file.display();
        let found = fs::metadata(file).with_context(|| {
            format!("`{name}` cannot be opened; check its name and your rights")
        })?;
        // A pipe has no path to compare.
        if found.is_file() && output.is_some() && fs::canonicalize(file).ok() == output {
            bail!("`{name}` is input and output at once; give another name to -o");
        }
    }
    Ok(())
}

fn format_of(output: Option<&Path>) -> Result<&'static Format> {
    let Some((path, extension)) = output.and_then(|path| Some((path, path.extension()?))) else {
        return Ok(&FORMATS[0]);
    };
    Format::of_extension(&extension.to_string_lossy()).with_context(|| {
        let names = FORMATS.map(|format| format.name).join(", ");
        format!(
            "`{}`: the extension tells no format of labels; add --format, one of {names}",
            path.display()
        )
    })
}
