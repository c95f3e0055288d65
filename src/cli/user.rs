//! Who may sign in to the server.

use std::process::ExitCode;

use anyhow::{Result, bail, ensure};
use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::data::DataArgs;
use crate::archive::Archive;
use crate::store::{Role, Secret, User, check_name};

/// Add, change and list those who may sign in to the server.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  deepspine user add anna                    an annotator; prints a one-time link for her
  deepspine user add ben --role adjudicator
  deepspine user change ben --role lead
  deepspine user link anna                   a new link, when she forgot her password
  deepspine user token anna nightly-export   a token for a program that works in her name
  deepspine user list")]
pub(super) struct Args {
    #[command(flatten)]
    data: DataArgs,

    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Add someone and print the one-time link by which they choose a password.
    Add {
        /// Their name.
        name: String,
        /// What they may do.
        #[arg(long, default_value = "annotator", value_parser = roles())]
        role: Role,
        #[command(flatten)]
        url: Url,
    },
    /// Change what someone may do, with one of --role, --on and --off or several.
    Change {
        /// Their name.
        name: String,
        /// What they may do from now on.
        #[arg(long, value_parser = roles())]
        role: Option<Role>,
        /// They may no longer sign in.
        #[arg(long, conflicts_with = "on")]
        off: bool,
        /// They may sign in again.
        #[arg(long)]
        on: bool,
    },
    /// Print a new one-time link for someone.
    Link {
        /// Their name.
        name: String,
        #[command(flatten)]
        url: Url,
    },
    /// Print a token with which a program may use the server in someone's name. It is shown once; who
    /// owns it takes it back on the page of their account.
    Token {
        /// Their name.
        name: String,
        /// What the token is for.
        purpose: String,
    },
    /// List everyone.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, clap::Args)]
struct Url {
    /// Where they reach the server.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8790")]
    url: String,
}

impl Url {
    fn link(&self, secret: &Secret) -> String {
        format!("{}/welcome/{}", self.url.trim_end_matches('/'), secret.reveal())
    }
}

fn roles() -> impl TypedValueParser<Value = Role> {
    PossibleValuesParser::new(Role::ALL.map(Role::name)).try_map(|name| name.parse::<Role>())
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    // Only who is added may be the first in an archive; what else is asked of a new one is a mistyped
    // --data.
    let mut archive = match &args.act {
        Act::Add { .. } => args.data.open_or_create()?,
        _ => args.data.open()?,
    };
    match &args.act {
        Act::Add { name, role, url } => {
            check_name(name).map_err(anyhow::Error::msg)?;
            let (_, secret) = archive.store_mut().write(|writer| writer.add_user(name, *role))?;
            println!("{}", url.link(&secret));
        }
        Act::Change { name, role, off, on } => {
            ensure!(
                role.is_some() || *on || *off,
                "nothing is to change; add --role, --on or --off"
            );
            let user = find(&archive, name)?;
            let active = (user.active || *on) && !off;
            let role = role.unwrap_or(user.role);
            archive.store_mut().write(|writer| writer.change_user(&user, role, active))?;
        }
        Act::Link { name, url } => {
            let user = find(&archive, name)?;
            let secret = archive.store_mut().write(|writer| writer.invite(user.id, name))?;
            println!("{}", url.link(&secret));
        }
        Act::Token { name, purpose } => {
            let user = find(&archive, name)?;
            let secret = archive.store_mut().write(|writer| writer.add_token(&user, purpose))?;
            println!("{}", secret.reveal());
        }
        Act::List { json } => list(&archive.store().users()?, *json),
    }
    Ok(ExitCode::SUCCESS)
}

/// The person of this name, who has to be there.
pub(super) fn find(archive: &Archive, name: &str) -> Result<User> {
    match archive.store().user(name)? {
        Some(user) => Ok(user),
        None => bail!("there is no user `{name}`; `deepspine user list` shows who there is"),
    }
}

fn list(users: &[User], json: bool) {
    if json {
        let users = users.iter().map(|user| {
            serde_json::json!({
                "name": user.name,
                "role": user.role.name(),
                "active": user.active,
                "has_password": user.has_password,
                "created_at": user.created_at,
            })
        });
        println!("{:#}", serde_json::Value::from_iter(users));
        return;
    }
    for user in users {
        let state = match (user.active, user.has_password) {
            (false, _) => "may not sign in",
            (true, false) => "has not chosen a password yet",
            (true, true) => "",
        };
        println!("{:24} {:12} {state}", user.name, user.role);
    }
}
