//! `extract`: report files to labels, in one pass that keeps nothing.

mod counts;
mod stored;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use self::counts::Counts;
use super::INCOMPLETE;
use super::data::DataArgs;
use super::output::{SharedOutput, discard_on_interrupt};
use super::progress::Progress;
use super::reader::TextReaderArgs;
use super::reading::{ReadingArgs, ThreadsArg, check_inputs};
use super::stream::Workers;
use crate::export::{FORMATS, Format, Labelled, UNCERTAIN};
use crate::pipeline::TextReader;
use crate::report::{Input, Reader, Report};

const EXAMPLES: &str = "\
Examples:
  deepspine extract reports.csv -o labels.jsonl
  deepspine extract exports/ -o labels.csv --format wide
  deepspine extract ris.xlsx --text-column Befund --column patient=PatNr -o labels.jsonl
  deepspine extract reports.jsonl.gz | jq -c .cells
  deepspine extract reports.csv --reader fused -o labels.jsonl
  deepspine extract reports.csv --reader fused --uncertain -o uncertain.csv
  deepspine extract --stored -o changes.csv   # the archive, read anew

Exit codes:
  0    every record was labelled
  1    a fatal error; nothing was written to OUT
  2    done, but bad records were skipped
  130  interrupted; nothing was written to OUT
With --stored, what was read anew until then stays in the archive, and OUT has what changed in it.";

/// Label reports: files in, a label file out, nothing kept.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Files with reports, or folders of them; - is standard input. Read are CSV, TSV, JSON Lines,
    /// JSON, XLSX and plain text, and with .gz or .zst what is compressed.
    #[arg(required_unless_present = "stored", value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Read the archive's reports anew instead, with the lexicon of today; what was read before
    /// stays in their history. Shown is what changed, and listed as CSV where OUT is given.
    #[arg(long, conflicts_with_all = ["files", "format", "strict"])]
    stored: bool,

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

    /// List the cells that the fused reader is uncertain of, instead of all labels.
    #[arg(long, conflicts_with_all = ["stored", "format"])]
    uncertain: bool,

    #[command(flatten)]
    data: DataArgs,

    #[command(flatten)]
    threads: ThreadsArg,

    #[command(flatten)]
    text_reader: TextReaderArgs,

    #[command(flatten)]
    reading: ReadingArgs,
}

fn format_names() -> impl TypedValueParser<Value = &'static Format> {
    let values = FORMATS.iter().map(|format| PossibleValue::new(format.name).help(format.about));
    PossibleValuesParser::new(values)
        .try_map(|name| Format::named(&name).ok_or("the parser lets only names of formats pass"))
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    if args.stored { stored::run(args) } else { label_files(args) }
}

fn label_files(args: &Args) -> Result<ExitCode> {
    ensure!(
        !args.uncertain || args.text_reader.is_fused(),
        "only the fused reader tells how sure it is; add --reader fused to --uncertain"
    );
    check_inputs(&args.files, args.output.as_deref(), "-o")?;
    let format = match args.format {
        Some(format) => format,
        None if args.uncertain => listed(args.output.as_deref())?,
        None => format_of(args.output.as_deref())?,
    };
    let format = if args.text_reader.is_neural() { format.of_a_network() } else { format };
    let workers = Workers {
        texts: args.text_reader.open()?,
        threads: args.threads.count(),
        work: |texts: &mut TextReader, reports: Vec<Report>| render(texts, format, &reports),
    };
    let inputs = args.files.iter().map(Input::named).collect();
    let reader = Reader::new(inputs, args.reading.options());
    let output = SharedOutput::open(args.output.as_deref())?;
    let mut progress = Progress::new(reader.progress());
    let mut counts = Counts::default();
    discard_on_interrupt(&[&output], progress.bar())?;
    output.write(|out| format.write_header(out))?;
    workers.run(reader, |batch| {
        if args.strict
            && let Some(bad) = batch.notes.bad.first()
        {
            bail!("{bad}; without --strict it would be skipped");
        }
        let mut rendered = batch.shares.iter().map(|(rendered, _)| rendered);
        output.write(|out| rendered.try_for_each(|part| out.write_all(part)))?;
        batch.shares.iter().for_each(|(_, of_share)| counts += *of_share);
        progress.advance(counts.reports, &batch.notes);
        Ok(())
    })?;
    let skipped = progress.skipped();
    if counts.reports == 0 && skipped > 0 {
        progress.bar().finish_and_clear();
        bail!("no report could be read; correct what is named above, or say how to read it");
    }
    output.complete()?;
    progress.finish(|elapsed| counts.tell(elapsed));
    Ok(if skipped > 0 { INCOMPLETE.into() } else { ExitCode::SUCCESS })
}

/// Labels reports and renders them one after the other.
fn render(texts: &mut TextReader, format: &Format, reports: &[Report]) -> (Vec<u8>, Counts) {
    let mut rendered = Vec::new();
    let mut counts = Counts::default();
    let all: Vec<&str> = reports.iter().map(|report| report.text.as_str()).collect();
    for (report, reading) in reports.iter().zip(texts.read(&all)) {
        counts.add(report, reading.opinions());
        let labelled = Labelled {
            report,
            opinions: reading.opinions(),
            readings: &reading.readings,
            extraction: &reading.extraction,
            lexicon: texts.lexicon_version(),
        };
        format.write_report(&labelled, &mut rendered).expect("a Vec takes what is written to it");
    }
    (rendered, counts)
}

/// The format of what is listed as uncertain, unless the output's name says that it is another.
fn listed(output: Option<&Path>) -> Result<&'static Format> {
    if let Some((path, extension)) = output.and_then(|path| Some((path, path.extension()?))) {
        ensure!(
            extension.eq_ignore_ascii_case(UNCERTAIN.extension),
            "`{}`: --uncertain lists cells as CSV; give a name that ends in .csv",
            path.display()
        );
    }
    Ok(&UNCERTAIN)
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
