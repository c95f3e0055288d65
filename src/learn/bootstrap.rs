//! 95 % intervals by resampling reports. Cells of one report stand or fall together, so reports
//! are what is drawn.

use super::Labels;
use super::tally::{Headline, Tally};

/// How to draw: the same seed gives the same intervals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bootstrap {
    /// How many times to draw as many reports as there are, with replacement.
    pub resamples: usize,
    /// Where the random numbers start.
    pub seed: u64,
}

/// The 2.5th and 97.5th percentile.
pub type Interval = [f64; 2];

/// An interval for each of some statistics of units that are drawn whole, given by their numbers.
/// Resamples that leave a statistic undefined do not count for it, and without any resample that
/// defines it there is none.
pub(super) fn resampled<const N: usize>(
    units: usize,
    Bootstrap { resamples, seed }: Bootstrap,
    mut statistics: impl FnMut(&[usize]) -> [Option<f64>; N],
) -> [Option<Interval>; N] {
    let mut values: [Vec<f64>; N] = std::array::from_fn(|_| Vec::with_capacity(resamples));
    let mut random = fastrand::Rng::with_seed(seed);
    for _ in 0..resamples {
        let drawn: Vec<usize> = (0..units).map(|_| random.usize(..units)).collect();
        for (values, value) in values.iter_mut().zip(statistics(&drawn)) {
            values.extend(value);
        }
    }
    values.map(|mut values| {
        values.sort_unstable_by(f64::total_cmp);
        Some([percentile(&values, 0.025)?, percentile(&values, 0.975)?])
    })
}

/// An interval for each of [`Headline::ratios`].
pub(super) fn intervals(
    reports: &[Headline],
    bootstrap: Bootstrap,
) -> [Option<Interval>; Headline::RATIOS] {
    resampled(reports.len(), bootstrap, |drawn| {
        let mut sum = Headline::default();
        drawn.iter().for_each(|&report| sum += reports[report]);
        sum.ratios()
    })
}

/// How much higher the first reader's strict cell F1 is than the second's, and the interval of that
/// over resamples that are the same for both. Each report comes as gold labels, the first reader's
/// and the second's.
pub fn paired<'a>(
    reports: impl IntoIterator<Item = (&'a Labels, &'a Labels, &'a Labels)>,
    bootstrap: Option<Bootstrap>,
) -> (f64, Option<Interval>) {
    let cells = |gold, labels| Headline::of(gold, labels).cells;
    let tallies: Vec<[Tally; 2]> =
        reports.into_iter().map(|(gold, a, b)| [cells(gold, a), cells(gold, b)]).collect();
    let ahead = |drawn: &[usize]| {
        let mut sums = [Tally::default(); 2];
        for &report in drawn {
            for (sum, tally) in sums.iter_mut().zip(tallies[report]) {
                *sum += tally;
            }
        }
        let [first, second] = sums.map(|sum| sum.ratios()[2].unwrap_or_default());
        first - second
    };
    let interval = bootstrap.and_then(|bootstrap| {
        let [interval] = resampled(tallies.len(), bootstrap, |drawn| [Some(ahead(drawn))]);
        interval
    });
    let all: Vec<usize> = (0..tallies.len()).collect();
    (ahead(&all), interval)
}

/// The nearest-rank percentile of sorted values.
fn percentile(sorted: &[f64], share: f64) -> Option<f64> {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_rank_is_taken() {
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(percentile(&hundred, 0.025), Some(3.0));
        assert_eq!(percentile(&hundred, 0.975), Some(98.0));
        assert_eq!(percentile(&[7.0], 0.025), Some(7.0));
        assert_eq!(percentile(&[], 0.025), None);
    }
}
