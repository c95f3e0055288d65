//! The command line: a file a verb.

pub mod explain;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Lumbar spine MRI reports to level-by-level stenosis labels, offline.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum Verb {
    Explain(explain::Explain),
}

impl Cli {
    /// Runs the verb.
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        match &self.verb {
            Verb::Explain(args) => explain::run(args),
        }
    }
}
