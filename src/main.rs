//! Parses the command line, runs the verb and tells its exit code.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;

fn main() -> anyhow::Result<ExitCode> {
    deepspine::cli::Cli::parse().run()
}
