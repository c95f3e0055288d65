//! Batches: which reports are to be read by people.

use serde::{Deserialize, Serialize};

use super::order::{Order, ordered};
use super::{Archive, ArchiveError};
use crate::label::Mode;
use crate::search::query::Query;
use crate::store::{NewBatch, NewItem, Store, StoreError, Writer};

/// Where the reports of a batch come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// All that a query finds.
    Query(String),
    /// The members of a cohort.
    Cohort(String),
    /// These ids.
    Ids(Vec<String>),
}

/// How a batch is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchPlan {
    /// Where the reports come from.
    pub origin: Origin,
    /// Their order.
    pub order: Order,
    /// At most so many reports.
    pub limit: Option<usize>,
    /// How many of a hundred reports are read a second time by the same person.
    pub repeats: u8,
    /// Decides the random order and the repeats.
    pub seed: u64,
}

/// How many other reports stand between a report and its repeat, where there are as many.
const BETWEEN: usize = 20;

impl Archive {
    /// The versions that a batch consists of, in the order of work. The inner error names the ids
    /// that are not in the archive, or says that nothing is found.
    ///
    /// # Errors
    /// Those of the store and of the index, and where the query is misspelt.
    pub fn plan_batch(
        &self,
        plan: &BatchPlan,
    ) -> Result<Result<Vec<NewItem>, String>, ArchiveError> {
        let reports = match &plan.origin {
            Origin::Query(query) => {
                let query = Query::parse(query)?;
                self.catch_up_now()?;
                self.find(&query)?
            }
            Origin::Cohort(name) => {
                let members = self.store.members(&self.store.cohort(name)?)?;
                members.into_iter().map(|member| member.report).collect()
            }
            Origin::Ids(ids) => match named(&self.store, ids)? {
                Ok(reports) => reports,
                Err(message) => return Ok(Err(message)),
            },
        };
        let mut random = fastrand::Rng::with_seed(plan.seed);
        let mut versions = ordered(&self.store, reports, plan.order, &mut random)?;
        versions.truncate(plan.limit.unwrap_or(usize::MAX));
        if versions.is_empty() {
            return Ok(Err("no report is found, so there is nothing to read".to_owned()));
        }
        Ok(Ok(with_repeats(&versions, plan.repeats, &mut random)))
    }
}

/// Keeps a planned batch.
///
/// # Errors
/// Where its name is taken.
pub fn add_batch(
    writer: &Writer<'_>,
    by: u64,
    name: &str,
    how: (Mode, u8),
    users: &[u64],
    plan: &BatchPlan,
    items: &[NewItem],
) -> Result<u64, StoreError> {
    let (mode, annotators) = how;
    let plan = serde_json::to_string(plan).expect("a plan is plain data");
    writer.add_batch(by, &NewBatch { name, mode, annotators, plan: &plan, users, items })
}

/// The reports with these ids, each `id`, or `source` and `id` with a tab between them.
fn named(store: &Store, ids: &[String]) -> Result<Result<Vec<u64>, String>, StoreError> {
    let mut reports = Vec::with_capacity(ids.len());
    for line in ids {
        let (source, id) = match line.split_once('\t') {
            Some((source, id)) => (Some(source), id),
            None => (None, line.as_str()),
        };
        match store.report_named(source, id)? {
            Ok(report) => reports.push(report),
            Err(message) => return Ok(Err(message)),
        }
    }
    Ok(Ok(reports))
}

/// The versions as items, a share of which come again later.
fn with_repeats(versions: &[u64], percent: u8, random: &mut fastrand::Rng) -> Vec<NewItem> {
    let count = versions.len() * usize::from(percent.min(100)) / 100;
    let mut chosen: Vec<usize> = (0..versions.len()).collect();
    random.shuffle(&mut chosen);
    chosen.truncate(count);
    // By the place after which each comes again.
    let mut due: Vec<(usize, usize)> = chosen
        .into_iter()
        .map(|original| ((original + BETWEEN).min(versions.len() - 1), original))
        .collect();
    due.sort_unstable();
    let mut due = due.into_iter().peekable();
    let mut items = Vec::with_capacity(versions.len() + count);
    let mut places = Vec::with_capacity(versions.len());
    for (number, &version) in versions.iter().enumerate() {
        places.push(items.len());
        items.push(NewItem { version, repeats: None });
        while let Some((_, original)) = due.next_if(|(after, _)| *after <= number) {
            items.push(NewItem { version: versions[original], repeats: Some(places[original]) });
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_come_after_what_they_repeat_and_apart_from_it() {
        let versions: Vec<u64> = (100..200).collect();
        let items = with_repeats(&versions, 20, &mut fastrand::Rng::with_seed(1));
        let repeats: Vec<_> =
            items.iter().enumerate().filter_map(|(at, i)| Some((at, i.repeats?))).collect();
        assert_eq!((items.len(), repeats.len()), (120, 20));
        for (at, original) in repeats {
            assert_eq!(items[at].version, items[original].version);
            assert!(at > original && (at - original > BETWEEN || at >= 100), "{original} at {at}");
        }
    }
}
