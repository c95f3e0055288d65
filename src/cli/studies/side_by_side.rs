//! Work on many things, a few at a time.

use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Result, anyhow};

/// What comes of all things, which are worked on a few at a time: while one goes through a network,
/// another is read or written. What panics comes to an error.
pub(super) fn side_by_side<'a, T: Sync, R: Send>(
    all: &'a [T],
    work: impl Fn(&'a T) -> Result<R> + Sync,
) -> Vec<Result<R>> {
    /// Each takes the memory of a study.
    const MOST: usize = 4;
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let next = AtomicUsize::new(0);
    let whole = |one| {
        let outcome = catch_unwind(AssertUnwindSafe(|| work(one)));
        outcome.unwrap_or_else(|_| {
            Err(anyhow!("an error in this program, of which it says more above"))
        })
    };
    let take = || {
        let place = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|&at| at < all.len());
        std::iter::from_fn(place).map(|at| (at, whole(&all[at]))).collect::<Vec<_>>()
    };
    let mut outcomes: Vec<(usize, Result<R>)> = thread::scope(|scope| {
        let workers = (0..cores.clamp(2, MOST)).map(|_| scope.spawn(take));
        let workers: Vec<_> = workers.collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no work panics")).collect()
    });
    outcomes.sort_by_key(|(at, _)| *at);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use anyhow::ensure;

    use super::*;

    #[test]
    fn outcomes_stand_in_the_order_of_things_and_a_panic_is_one_of_them() {
        let numbers: Vec<u64> = (0..12).collect();
        let outcomes = side_by_side(&numbers, |&number| {
            thread::sleep(Duration::from_millis(12 - number));
            assert!(number != 5, "five");
            ensure!(number != 7, "seven");
            Ok(number * number)
        });
        let told: Vec<String> = outcomes
            .into_iter()
            .map(|outcome| outcome.map_or_else(|error| error.to_string(), |of| of.to_string()))
            .collect();
        assert_eq!(told[4..9].join(" ").matches("in this program").count(), 1);
        assert_eq!((told[4].as_str(), told[6].as_str(), told[7].as_str()), ("16", "36", "seven"));
        assert!(side_by_side(&[(); 0], |()| Ok(())).is_empty());
    }
}
