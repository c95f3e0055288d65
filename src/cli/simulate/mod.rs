//! `simulate`: invented data whose truth is known.

mod annotators;
mod phantom;
mod reports;
mod studies;

use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Subcommand;

const EXAMPLES: &str = "\
Examples:
  deepspine simulate reports --count 100000 -o reports.jsonl
  deepspine simulate reports --seed 7 -o reports.csv --labels gold.jsonl
  deepspine evaluate reader gold.jsonl     # the rules on what was simulated
  deepspine simulate reports --wording held-out -o free.jsonl --labels free-gold.jsonl
  deepspine simulate annotators --data try # people who read half of what is there
  deepspine simulate phantom -o phantom.nii.gz
  deepspine simulate studies --count 20 -o archive";

/// Invent data whose truth is known.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Reports(reports::ReportsArgs),
    Annotators(annotators::AnnotatorsArgs),
    Phantom(phantom::PhantomArgs),
    Studies(studies::StudiesArgs),
}

/// A share of a whole, which may be none or all of it.
fn share(argument: &str) -> Result<f64> {
    let share: f64 = argument.parse()?;
    ensure!((0.0..=1.0).contains(&share), "write a share from 0 to 1");
    Ok(share)
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    match &args.what {
        What::Reports(args) => reports::run(args),
        What::Annotators(args) => annotators::run(args),
        What::Phantom(args) => phantom::run(args),
        What::Studies(args) => studies::run(args),
    }
}
