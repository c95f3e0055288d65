//! `index`: the index brought up to date, or made anew.

use std::process::ExitCode;

use anyhow::Result;
use indicatif::{HumanCount, ProgressBar, ProgressStyle};

use super::data::DataArgs;
use crate::archive::CaughtUp;

const EXAMPLES: &str = "\
Examples:
  deepspine index             # what is not indexed yet
  deepspine index --rebuild   # everything anew, from the archive
  deepspine index --relabel   # labels and all else that follows from readings, then the index";

/// Bring the index up to date; it is derived from the archive and can always be made anew.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Make the index anew.
    #[arg(long)]
    rebuild: bool,

    /// Derive labels, findings and opinions anew from the readings first.
    #[arg(long)]
    relabel: bool,

    #[command(flatten)]
    data: DataArgs,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let mut archive = args.data.open()?;
    let reports = archive.store().report_count()?;
    let bar = ProgressBar::new(reports);
    let template = "{bar:30} {percent:>3} %, {pos} reports, {per_sec}, {eta} left {msg}";
    bar.set_style(ProgressStyle::with_template(template).expect("the template is valid"));
    if args.relabel {
        bar.set_message("labelling");
        archive.store_mut().write(|writer| writer.derive_again(|| bar.inc(1)))?;
    }
    if args.rebuild {
        archive.empty_index()?;
    }
    bar.set_length(archive.behind()?.min(reports));
    bar.set_message("indexing");
    let caught_up = archive.catch_up(|done| bar.set_position(done))?;
    let elapsed = bar.elapsed();
    bar.finish_and_clear();
    match caught_up {
        CaughtUp::Indexed(0) => eprintln!("the index is up to date"),
        CaughtUp::Indexed(reports) => {
            eprintln!("{} reports indexed in {:.1} s", HumanCount(reports), elapsed.as_secs_f64())
        }
        CaughtUp::Elsewhere => eprintln!("another process is indexing already"),
    }
    Ok(ExitCode::SUCCESS)
}
