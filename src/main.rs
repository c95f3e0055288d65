//! Parses the command line, runs the verb and tells its exit code.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;
use deepspine::cli::{self, Cli};

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => cli::run(cli),
        Err(message) => cli::usage(&message),
    }
}
