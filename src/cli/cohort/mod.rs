//! `cohort`: reports chosen once and for all, and handed on.

mod export;
mod freeze;
mod show;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use super::data::DataArgs;

const EXAMPLES: &str = "\
Examples:
  deepspine cohort freeze severe 'L4-L5.central=severe' 'age:50..' --last-study
  deepspine cohort freeze graded 'modality:MR' --sample 200 --by L4-L5/central --split 70/15/15
  deepspine cohort union either severe graded
  deepspine cohort show severe --flow severe.svg
  deepspine cohort check severe
  deepspine cohort export severe -o severe.parquet --deidentify";

/// Choose reports, freeze the choice, and export it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,

    #[command(flatten)]
    data: DataArgs,
}

#[derive(Debug, Subcommand)]
enum What {
    Freeze(freeze::FreezeArgs),
    /// Freeze what is in either of two cohorts.
    Union(freeze::CombineArgs),
    /// Freeze what is in both of two cohorts.
    Intersection(freeze::CombineArgs),
    /// Freeze what is in the first of two cohorts and not in the second.
    Difference(freeze::CombineArgs),
    /// List cohorts and saved queries.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show how a cohort was chosen.
    Show {
        /// The cohort.
        name: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
        /// Draw its steps as a flow chart.
        #[arg(long, value_name = "OUT.svg")]
        flow: Option<PathBuf>,
    },
    /// Choose a cohort again, and say whether the same reports are chosen.
    Check {
        /// The cohort.
        name: String,
    },
    Export(export::ExportArgs),
    /// Forget a cohort; its reports stay.
    Delete {
        /// The cohort.
        name: String,
    },
    /// Forget a saved query.
    DeleteQuery {
        /// The saved query.
        name: String,
    },
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    use crate::archive::Combination::{Difference, Intersection, Union};
    let archive = args.data.open()?;
    match &args.what {
        What::Freeze(args) => freeze::freeze(archive, args)?,
        What::Union(args) => freeze::combine(archive, Union, args)?,
        What::Intersection(args) => freeze::combine(archive, Intersection, args)?,
        What::Difference(args) => freeze::combine(archive, Difference, args)?,
        What::List { json } => show::list(&archive, *json)?,
        What::Show { name, json, flow } => show::show(&archive, name, *json, flow.as_deref())?,
        What::Check { name } => return show::check(&archive, name),
        What::Export(args) => export::run(archive, args)?,
        What::Delete { name } => delete(archive, name)?,
        What::DeleteQuery { name } => delete_query(archive, name)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn delete(mut archive: crate::archive::Archive, name: &str) -> Result<()> {
    let cohort = archive.store().cohort(name)?;
    Ok(archive.store_mut().write(|writer| writer.delete_cohort(&cohort))?)
}

fn delete_query(mut archive: crate::archive::Archive, name: &str) -> Result<()> {
    archive.store().saved_query(name)?;
    Ok(archive.store_mut().write(|writer| writer.delete_query(name))?)
}
