//! The annotation server.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use anyhow::Result;

use super::data::DataArgs;
use crate::store;
use crate::web::{self, Config};

/// Serve the archive to annotators' browsers.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  deepspine serve                          on this machine alone: http://127.0.0.1:8790
  deepspine serve --data spine             another archive
  deepspine serve --behind-tls             behind a proxy that speaks TLS

The first start prints a one-time link by which the admin chooses a password. Others reach the
server through a proxy that speaks TLS and hands on the headers Host and X-Forwarded-For; start it
with --behind-tls then, so that cookies never travel in the clear.")]
pub(super) struct Args {
    #[command(flatten)]
    data: DataArgs,

    /// The address to listen on.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,

    /// The port; 0 takes a free one.
    #[arg(long, default_value_t = 8790)]
    port: u16,

    /// Browsers come through a proxy that speaks TLS.
    #[arg(long)]
    behind_tls: bool,

    /// How many threads answer requests [default: one a core].
    #[arg(long)]
    workers: Option<usize>,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_target(false).init();
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let config = Config {
        data: args.data.folder().to_owned(),
        address: SocketAddr::new(args.host, args.port),
        behind_tls: args.behind_tls,
        workers: args.workers.unwrap_or(cores).max(1),
    };
    if !args.host.is_loopback() && !args.behind_tls {
        eprintln!(
            "warning: others can reach {} and passwords travel in the clear; put a proxy that \
             speaks TLS before it and add --behind-tls",
            args.host
        );
    }
    let is_new = !config.data.join(store::FILE).is_file();
    web::run(&config, |built| {
        if is_new {
            let folder = config.data.display();
            eprintln!("`{folder}` held no archive; a new one was made (--data names another)");
        }
        let mut told = format!("http://{}\n", built.address);
        if let Some(link) = &built.first_link {
            told.push_str(&format!("to begin, choose the admin's password: {link}\n"));
        }
        // Whoever started the server need not listen to it.
        let _ = io::stdout().write_all(told.as_bytes());
    })?;
    Ok(ExitCode::SUCCESS)
}
