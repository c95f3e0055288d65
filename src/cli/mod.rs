//! The command line: a file a verb, one row in the table of verbs.
//!
//! Exit codes are the same for every verb: 0 where all is well, 1 where the verb could not be done
//! or the command was misspelt, 2 where it was done but records were left out, 130 after Ctrl-C.

mod backup;
mod batch;
mod cohort;
mod data;
mod evaluate;
mod explain;
mod extract;
mod gold;
#[cfg(feature = "neural")]
mod grade;
mod import;
mod index;
mod lexicon;
mod link;
#[cfg(feature = "neural")]
mod model;
mod new_folder;
mod output;
mod progress;
mod reader;
mod reading;
mod search;
#[cfg(feature = "neural")]
mod segment;
mod serve;
mod simulate;
mod stop;
mod stream;
#[cfg(feature = "neural")]
mod studies;
#[cfg(feature = "neural")]
mod train;
mod user;

use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};

/// Lumbar spine MRI, offline: reports to level-by-level stenosis labels, studies to named, measured and
/// graded levels.
#[derive(Debug, Parser)]
#[command(version, infer_subcommands = true, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

/// Every verb.
#[derive(Debug, Subcommand)]
enum Verb {
    Extract(extract::Args),
    Explain(explain::Args),
    Evaluate(evaluate::Args),
    Import(import::Args),
    Search(search::Args),
    #[cfg(feature = "neural")]
    Segment(segment::Args),
    #[cfg(feature = "neural")]
    Grade(grade::Args),
    Link(link::Args),
    Cohort(cohort::Args),
    Batch(batch::Args),
    Serve(serve::Args),
    User(user::Args),
    Index(index::Args),
    Simulate(simulate::Args),
    #[cfg(feature = "neural")]
    Train(train::Args),
    Backup(backup::BackupArgs),
    Restore(backup::RestoreArgs),
}

/// Three shares, for training, validation and testing.
fn shares(text: &str) -> Result<[u32; 3]> {
    let shares: Vec<u32> = text.split('/').map(str::parse).collect::<Result<_, _>>()?;
    let shares: [u32; 3] =
        shares.try_into().ok().context("write three shares, such as 70/15/15")?;
    ensure!(shares.iter().any(|&share| share > 0), "some share must be more than 0");
    Ok(shares)
}

/// Some records were left out.
const INCOMPLETE: u8 = 2;

/// Ctrl-C, as shells count it.
const INTERRUPTED: u8 = 130;

/// Does what the command line says and tells how it went.
pub fn run(cli: Cli) -> ExitCode {
    let result = match cli.verb {
        Verb::Extract(args) => extract::run(&args),
        Verb::Explain(args) => explain::run(&args),
        Verb::Evaluate(args) => evaluate::run(&args),
        Verb::Import(args) => import::run(&args),
        Verb::Search(args) => search::run(&args),
        #[cfg(feature = "neural")]
        Verb::Segment(args) => segment::run(&args),
        #[cfg(feature = "neural")]
        Verb::Grade(args) => grade::run(&args),
        Verb::Link(args) => link::run(&args),
        Verb::Cohort(args) => cohort::run(&args),
        Verb::Batch(args) => batch::run(&args),
        Verb::Serve(args) => serve::run(&args),
        Verb::User(args) => user::run(&args),
        Verb::Index(args) => index::run(&args),
        Verb::Simulate(args) => simulate::run(&args),
        #[cfg(feature = "neural")]
        Verb::Train(args) => train::run(&args),
        Verb::Backup(args) => backup::back_up(&args),
        Verb::Restore(args) => backup::restore(&args),
    };
    match result {
        Ok(code) => code,
        // Whoever read our output has had enough of it, as `head` does.
        Err(error) if output::is_had_enough(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Prints help, version or what is wrong with the command line. Clap's own exit code for the
/// latter is 2, which here means that records were left out.
pub fn usage(message: &clap::Error) -> ExitCode {
    // Where even this cannot be printed there is nobody to tell.
    let _ = message.print();
    if message.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
