//! `batch`: what people are to read, without a browser.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::data::DataArgs;
use super::search::parse_all;
use super::user::find;
use crate::archive::{Archive, BatchPlan, ORDERS, Order, Origin, add_batch};
use crate::label::Mode;
use crate::store::{Role, User};

/// Make and list batches: which reports people read, and in what order.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Orders:
  random       at random
  oldest       by date of examination
  uncertain    those first that the readers of texts are least certain of
  disagreed    those first on which the most readers differ
  discrepant   those first that are furthest from what the engine finds on their images
  widest       those first of whose images the grader can exclude the fewest grades

Examples:
  deepspine batch add pilot --limit 100                       at random, blind, by two people each
  deepspine batch add severe 'any.central=severe' 'age:60..' --annotators 1 --mode assisted
  deepspine batch add look --order discrepant --mode assisted --annotators 1 --limit 50
  deepspine batch add mine --cohort narrow --users anna,ben
  deepspine batch list --json")]
pub(super) struct Args {
    #[command(flatten)]
    data: DataArgs,

    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Make a batch.
    Add(AddArgs),
    /// List every batch, the newest first, and how far it is.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, clap::Args)]
struct AddArgs {
    /// What it is called.
    name: String,

    /// Which reports, as `deepspine search` finds them; all if not given. Several arguments must all
    /// hold.
    #[arg(value_name = "QUERY")]
    query: Vec<String>,

    /// The members of this cohort.
    #[arg(long, value_name = "NAME", conflicts_with = "query")]
    cohort: Option<String>,

    /// The reports of this file, an id a line; source and id with a tab between where ids are not unique.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["query", "cohort"])]
    ids: Option<PathBuf>,

    /// blind hides what machines say, assisted shows it.
    #[arg(long, default_value = "blind", value_parser = modes())]
    mode: Mode,

    /// How many people read each report, 1 to 5.
    #[arg(long, default_value_t = 2, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=5))]
    annotators: u8,

    /// Which are read first.
    #[arg(long, default_value = "random", value_parser = orders())]
    order: Order,

    /// At most so many reports.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,

    /// How many of a hundred reports come again unannounced, to measure people against themselves.
    #[arg(long, default_value_t = 0, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=50))]
    repeats: u8,

    /// Decides what is random.
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,

    /// Who may work on it; everyone if not given.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    users: Vec<String>,

    /// The lead or admin who makes it; if not given, the first there is.
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

fn modes() -> impl TypedValueParser<Value = Mode> {
    let names = [Mode::Blind, Mode::Assisted].map(Mode::name);
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Mode>())
}

fn orders() -> impl TypedValueParser<Value = Order> {
    PossibleValuesParser::new(ORDERS.map(|(_, name, _)| name)).try_map(|name| name.parse::<Order>())
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let mut archive = args.data.open()?;
    match &args.act {
        Act::Add(asked) => add(&mut archive, asked)?,
        Act::List { json } => list(&archive, *json)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn add(archive: &mut Archive, asked: &AddArgs) -> Result<()> {
    let name = asked.name.trim();
    ensure!(!name.is_empty(), "a batch needs a name");
    let by = lead(archive, asked.by.as_deref())?;
    let number = |name: &String| Ok(find(archive, name)?.id);
    let users = asked.users.iter().map(number).collect::<Result<Vec<u64>>>()?;
    let plan = BatchPlan {
        origin: origin(asked)?,
        order: asked.order,
        limit: asked.limit,
        repeats: asked.repeats,
        seed: asked.seed,
    };
    let items = archive.plan_batch(&plan)?.map_err(anyhow::Error::msg)?;
    let how = (asked.mode, asked.annotators);
    archive
        .store_mut()
        .write(|writer| add_batch(writer, by.id, name, how, &users, &plan, &items))?;
    println!(
        "batch `{name}`: {} reports",
        items.iter().filter(|item| item.repeats.is_none()).count()
    );
    Ok(())
}

fn origin(asked: &AddArgs) -> Result<Origin> {
    if let Some(cohort) = &asked.cohort {
        return Ok(Origin::Cohort(cohort.clone()));
    }
    let Some(path) = &asked.ids else {
        return Ok(Origin::Query(parse_all(&asked.query)?.to_string()));
    };
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("`{}` cannot be read", path.display()))?;
    let lines = text.lines().map(|line| line.trim_end_matches('\r'));
    Ok(Origin::Ids(lines.filter(|line| !line.trim().is_empty()).map(str::to_owned).collect()))
}

/// Whoever makes the batch.
fn lead(archive: &Archive, name: Option<&str>) -> Result<User> {
    if let Some(name) = name {
        let found = find(archive, name)?;
        ensure!(found.role >= Role::Lead, "`{name}` is no lead; only leads make batches");
        return Ok(found);
    }
    let first =
        archive.store().users()?.into_iter().find(|user| user.active && user.role >= Role::Lead);
    first.context("there is no lead yet; add one with `deepspine user add NAME --role lead`")
}

fn list(archive: &Archive, json: bool) -> Result<()> {
    let store = archive.store();
    let mut listed = Vec::new();
    for batch in store.batches()? {
        let progress = store.progress(&batch)?;
        if !json {
            println!(
                "{:24} {:9} {:6} {}/{} readings, {} to adjudicate",
                batch.name,
                batch.mode.name(),
                if batch.open { "open" } else { "closed" },
                progress.finished,
                progress.needed,
                progress.to_adjudicate
            );
        }
        listed.push(serde_json::json!({
            "batch": batch.id,
            "name": batch.name,
            "mode": batch.mode.name(),
            "annotators": batch.annotators,
            "open": batch.open,
            "created_by": batch.created_by,
            "created_at": batch.created_at,
            "progress": progress,
        }));
    }
    if json {
        println!("{:#}", serde_json::Value::from(listed));
    }
    Ok(())
}
