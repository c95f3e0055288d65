//! How to read inputs: flags of every verb that reads reports. Without any of them, everything is
//! found out from the files.

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use encoding_rs::Encoding;

use crate::report::{self, ColumnNames, DateOrder, FORMATS, Field, Format, Options};

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Reading")]
pub(super) struct ReadingArgs {
    /// The column or key that holds the report text, where its name is not a usual one.
    #[arg(long, value_name = "NAME")]
    text_column: Option<String>,

    /// The column or key that holds the report's id.
    #[arg(long, value_name = "NAME")]
    id_column: Option<String>,

    /// The column or key that holds any field, such as patient=MRN; may be repeated.
    #[arg(long, value_name = "FIELD=NAME", value_parser = column, long_help = column_help())]
    column: Vec<(Field, String)>,

    /// How the day and the month are ordered in dates such as 03/04/2019.
    #[arg(long, value_name = "ORDER", value_parser = date_orders())]
    date_order: Option<DateOrder>,

    /// The encoding of text files, such as windows-1252; guessed if not given.
    #[arg(long, value_name = "NAME", value_parser = report::encoding)]
    encoding: Option<&'static Encoding>,

    /// The format of every input, whatever its name.
    #[arg(long, value_name = "FORMAT", value_parser = input_formats())]
    input_format: Option<&'static Format>,

    /// Where reports come from that do not say so themselves: with the id their key.
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
}

impl ReadingArgs {
    pub(super) fn options(&self) -> Options {
        let mut columns = ColumnNames::default();
        for (field, name) in &self.column {
            columns.set(*field, name);
        }
        for (field, name) in [(Field::Text, &self.text_column), (Field::Id, &self.id_column)] {
            if let Some(name) = name {
                columns.set(field, name);
            }
        }
        Options {
            format: self.input_format,
            encoding: self.encoding,
            columns,
            date_order: self.date_order,
            source: self.source.clone(),
        }
    }
}

fn column(argument: &str) -> Result<(Field, String)> {
    let (field, name) = argument.split_once('=').unwrap_or((argument, ""));
    let field = field.parse()?;
    anyhow::ensure!(!name.is_empty(), "write FIELD=NAME, such as {field}=NAME");
    Ok((field, name.to_owned()))
}

fn column_help() -> String {
    let fields: Vec<_> = Field::all().map(Field::name).collect();
    format!(
        "The column or key that holds any field, such as patient=MRN; may be repeated. Fields: {}",
        fields.join(", ")
    )
}

fn date_orders() -> impl TypedValueParser<Value = DateOrder> {
    let values = [
        PossibleValue::new("dmy").help("day first"),
        PossibleValue::new("mdy").help("month first"),
    ];
    PossibleValuesParser::new(values).map(|order| match order.as_str() {
        "dmy" => DateOrder::Dmy,
        _ => DateOrder::Mdy,
    })
}

fn input_formats() -> impl TypedValueParser<Value = &'static Format> {
    PossibleValuesParser::new(FORMATS.iter().map(|format| format.name))
        .try_map(|name| Format::named(&name).ok_or("the parser lets only names of formats pass"))
}

/// How many threads to work on.
#[derive(Debug, clap::Args)]
pub(super) struct ThreadsArg {
    /// How many threads to use; all of the machine's if not given.
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
}

impl ThreadsArg {
    pub(super) fn count(&self) -> NonZeroUsize {
        let all = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        self.threads.unwrap_or_else(all)
    }
}

/// Refuses what would only fail, or do harm, after much work: inputs that cannot be opened, and an output,
/// which `flag` names, that takes the place of one.
pub(super) fn check_inputs(files: &[PathBuf], output: Option<&Path>, flag: &str) -> Result<()> {
    let output = output.and_then(|path| Some((path, fs::canonicalize(path).ok()?)));
    for file in files.iter().filter(|file| *file != Path::new("-")) {
        let name = file.display();
        let found = fs::metadata(file).with_context(|| {
            format!("`{name}` cannot be opened; check its name and your rights")
        })?;
        // A pipe has no path to compare.
        if let Some((path, output)) = &output
            && found.is_file()
            && fs::canonicalize(file).is_ok_and(|input| input == *output)
        {
            let name = path.display();
            bail!("`{name}` is input and output at once; give another name to {flag}");
        }
    }
    Ok(())
}
