//! Cohorts as they are chosen and frozen.

use anyhow::{Result, bail};
use indicatif::HumanCount;

use super::super::search::parse;
use super::super::shares;
use crate::archive::{Archive, Combination, Keep, Plan, Sample, Selection, Split, Step};
use crate::label::Cell;

/// Choose reports and freeze them: which versions, how they were chosen, and a hash over them.
#[derive(Debug, clap::Args)]
pub(super) struct FreezeArgs {
    /// What the cohort is to be called.
    name: String,

    /// Queries as search understands them, each of which narrows what those before it leave. At least
    /// one is needed without --saved.
    #[arg(required_unless_present = "saved", value_name = "QUERY")]
    queries: Vec<String>,

    /// A saved query to begin with.
    #[arg(long, value_name = "NAME")]
    saved: Option<String>,

    /// Keep the first study of each patient.
    #[arg(long, conflicts_with = "last_study")]
    first_study: bool,

    /// Keep the last study of each patient.
    #[arg(long)]
    last_study: bool,

    /// Keep at most N reports of each grade of the cell given by --by.
    #[arg(long, value_name = "N", requires = "by")]
    sample: Option<usize>,

    /// The cell whose grades are sampled, such as L4-L5/central or L4-L5.central.
    #[arg(long, value_name = "CELL", requires = "sample")]
    by: Option<Cell>,

    /// Split by patient into train, validation and test in these shares.
    #[arg(long, value_name = "A/B/C", value_parser = shares)]
    split: Option<[u32; 3]>,

    /// Decides what is sampled and who is in which part.
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,

    /// Show what would be chosen, and freeze nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Make one cohort of two.
#[derive(Debug, clap::Args)]
pub(super) struct CombineArgs {
    /// What the new cohort is to be called.
    name: String,
    /// The first cohort.
    first: String,
    /// The second cohort.
    second: String,
}

pub(super) fn freeze(archive: Archive, args: &FreezeArgs) -> Result<()> {
    let mut queries = Vec::new();
    if let Some(name) = &args.saved {
        queries.push(parse(&archive.store().saved_query(name)?.query)?);
    }
    for text in &args.queries {
        queries.push(parse(text)?);
    }
    let keep = match (args.first_study, args.last_study) {
        (true, _) => Keep::FirstStudy,
        (_, true) => Keep::LastStudy,
        _ => Keep::All,
    };
    let sample = args.sample.zip(args.by);
    let plan = Plan {
        queries,
        keep,
        sample: sample.map(|(per_grade, cell)| Sample { cell, per_grade, seed: args.seed }),
        split: args.split.map(|shares| Split { shares, seed: args.seed }),
    };
    let selection = archive.choose(&plan)?;
    print_steps(&selection.steps);
    if args.dry_run {
        return Ok(());
    }
    keep_selection(archive, &args.name, &selection)
}

pub(super) fn combine(archive: Archive, how: Combination, args: &CombineArgs) -> Result<()> {
    let selection = archive.combine(how, &args.first, &args.second)?;
    print_steps(&selection.steps);
    keep_selection(archive, &args.name, &selection)
}

fn keep_selection(mut archive: Archive, name: &str, selection: &Selection) -> Result<()> {
    if selection.members.is_empty() {
        bail!("nothing is left, so there is nothing to freeze");
    }
    archive.freeze(name, selection)?;
    println!("frozen as `{name}`, hash {}", selection.hash());
    Ok(())
}

/// Prints what each step leaves; no word of patients where the reports name none.
pub(super) fn print_steps(steps: &[Step]) {
    let named = steps.iter().any(|step| step.patients > 0);
    for step in steps {
        let count = |number: u64| HumanCount(number).to_string();
        let patients =
            if named { format!("{:>12} patients ", count(step.patients)) } else { String::new() };
        println!(
            "{:>12} reports {:>12} studies {patients}  {}",
            count(step.reports),
            count(step.studies),
            step.name
        );
    }
}
