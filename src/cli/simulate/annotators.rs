//! `simulate annotators`: people, a batch, and their work on it, to try the server on.

use std::process::ExitCode;

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};

use super::share;
use crate::archive::annotation::{finish, machine};
use crate::archive::{Archive, ArchiveError, BatchPlan, Order, Origin, add_batch};
use crate::cli::data::DataArgs;
use crate::label::Mode;
use crate::simulate::Annotator;
use crate::store::{Role, User};

/// Invent two annotators, an adjudicator and a lead, and let the annotators read a share of a batch.
///
/// They say what the rules say, but err on a tenth of the cells. Nobody gets a password: `user link`
/// makes the link by which one of them is signed in.
#[derive(Debug, clap::Args)]
#[command(after_help = super::EXAMPLES)]
pub(super) struct AnnotatorsArgs {
    #[command(flatten)]
    data: DataArgs,

    /// The name of the batch.
    #[arg(long, default_value = "demo")]
    batch: String,

    /// How many reports it has; all where there are fewer.
    #[arg(long, default_value_t = 100, value_name = "N")]
    reports: usize,

    /// What share of its reports is read.
    #[arg(long, default_value_t = 0.5, value_name = "SHARE", value_parser = share)]
    share: f64,

    /// On what share of the cells they err.
    #[arg(long, default_value_t = 0.1, value_name = "SHARE", value_parser = share)]
    errors: f64,

    /// Decides everything.
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
}

/// Who there is.
const PEOPLE: [(&str, Role); 4] = [
    ("anna", Role::Annotator),
    ("ben", Role::Annotator),
    ("cora", Role::Adjudicator),
    ("lea", Role::Lead),
];

pub(super) fn run(args: &AnnotatorsArgs) -> Result<ExitCode> {
    let mut archive = args.data.open()?;
    let people = people(&mut archive)?;
    let plan = BatchPlan {
        origin: Origin::Query(String::new()),
        order: Order::Random,
        limit: Some(args.reports),
        repeats: 0,
        seed: args.seed,
    };
    let items = archive.plan_batch(&plan)?.map_err(anyhow::Error::msg)?;
    let lead = people.last().context("there is a lead")?.id;
    let batch = archive.store_mut().write(|writer| {
        add_batch(writer, lead, &args.batch, (Mode::Blind, 2), &[], &plan, &items)
    })?;
    let count = (items.len() as f64 * args.share).round() as u64;
    let bar = ProgressBar::new(2 * count).with_style(
        ProgressStyle::with_template("{bar:30} {percent:>3} %, {pos} readings, {eta} left")
            .expect("the template is valid"),
    );
    for (number, user) in people.iter().take(2).enumerate() {
        let mut annotator = Annotator::new(args.seed + number as u64, args.errors as f32);
        for _ in 0..count {
            read_one(&mut archive, batch, &args.batch, user, &mut annotator)?;
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    println!("batch `{}`: {count} of {} reports read by anna and ben", args.batch, items.len());
    Ok(ExitCode::SUCCESS)
}

/// The people, made where they are not there yet.
fn people(archive: &mut Archive) -> Result<Vec<User>> {
    let mut people = Vec::new();
    for (name, role) in PEOPLE {
        if archive.store().user(name)?.is_none() {
            archive.store_mut().write(|writer| writer.add_user(name, role))?;
        }
        people.push(archive.store().user(name)?.context("whoever was added is there")?);
    }
    Ok(people)
}

/// Lets someone read the next report of a batch, as they would in a browser.
fn read_one(
    archive: &mut Archive,
    batch: u64,
    name: &str,
    user: &User,
    annotator: &mut Annotator,
) -> Result<()> {
    Ok(archive.store_mut().write(|writer| {
        let Some(slot) = writer.claim(batch, user.id, None)? else { return Ok(()) };
        let Some(slot) = writer.slot(slot)? else { return Ok(()) };
        let readings = writer.current_readings(slot.version)?;
        let labelled = machine(&readings);
        let edits = labelled.map(|r| annotator.read(&r.body.opinions)).unwrap_or_default();
        let seconds = 8.0 + 1.5 * edits.len() as f32;
        writer.save_edits(slot.id, 1, &edits, seconds)?;
        let Some(slot) = writer.slot(slot.id)? else { return Ok(()) };
        // Nobody else is at the batch, so nothing stands in the way.
        let _ = finish(writer, &slot, name, user)?;
        Ok::<_, ArchiveError>(())
    })?)
}
