//! The coefficients, each a function of one square table.

/// How often a pair of categories occurs.
pub type Table<const N: usize> = [[f64; N]; N];

/// What a pair of categories counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weights {
    /// Equal counts, all else does not.
    Identity,
    /// The distance is lost.
    Linear,
    /// The square of the distance is lost: neighbours almost count.
    Quadratic,
}

impl Weights {
    fn of<const N: usize>(self, row: usize, column: usize) -> f64 {
        match self {
            Self::Identity => f64::from(row == column),
            Self::Linear => 1.0 - row.abs_diff(column) as f64 / (N as f64 - 1.0),
            Self::Quadratic => {
                let distance = row.abs_diff(column) as f64 / (N as f64 - 1.0);
                1.0 - distance * distance
            }
        }
    }
}

/// Cohen's κ (Cohen 1960), weighted (Cohen 1968): chance is that each reader keeps the own
/// frequencies of categories. None where that alone explains everything.
pub fn cohen_kappa<const N: usize>(table: &Table<N>, weights: Weights) -> Option<f64> {
    let (rows, columns, total) = margins(table);
    let mut expected = 0.0;
    for (row, of_row) in rows.iter().enumerate() {
        for (column, of_column) in columns.iter().enumerate() {
            expected += weights.of::<N>(row, column) * of_row * of_column;
        }
    }
    beyond_chance(observed(table, weights), expected / (total * total))
}

/// Gwet's AC1, and with weights AC2 (Gwet 2008, 2014): chance is that a share of the cells is hard
/// and answered at random, so that rare categories do not make agreement worthless as they do κ.
pub fn gwet_ac<const N: usize>(table: &Table<N>, weights: Weights) -> Option<f64> {
    let (rows, columns, total) = margins(table);
    let spread: f64 = rows
        .iter()
        .zip(&columns)
        .map(|(row, column)| (row + column) / (2.0 * total))
        .map(|share| share * (1.0 - share))
        .sum();
    let mut weight = 0.0;
    for row in 0..N {
        for column in 0..N {
            weight += weights.of::<N>(row, column);
        }
    }
    let categories = N as f64;
    beyond_chance(observed(table, weights), weight / (categories * (categories - 1.0)) * spread)
}

/// Krippendorff's α for ordinal data (Krippendorff 2004), of a matrix of coincidences: symmetric,
/// each cell of m readers adding its ordered pairs with 1/(m − 1).
pub fn alpha_ordinal<const N: usize>(coincidences: &Table<N>) -> Option<f64> {
    let (sums, _, total) = margins(coincidences);
    let (mut observed, mut expected) = (0.0, 0.0);
    for low in 0..N {
        for high in low + 1..N {
            let between: f64 = sums[low..=high].iter().sum();
            let distance = (between - (sums[low] + sums[high]) / 2.0).powi(2);
            observed += coincidences[low][high] * distance;
            expected += sums[low] * sums[high] * distance;
        }
    }
    (expected > 0.0).then(|| 1.0 - (total - 1.0) * observed / expected)
}

/// Sums of rows, of columns, and of all.
fn margins<const N: usize>(table: &Table<N>) -> ([f64; N], [f64; N], f64) {
    let mut columns = [0.0; N];
    for row in table {
        for (sum, count) in columns.iter_mut().zip(row) {
            *sum += count;
        }
    }
    let rows = table.map(|row| row.iter().sum());
    (rows, columns, columns.iter().sum())
}

fn observed<const N: usize>(table: &Table<N>, weights: Weights) -> f64 {
    let (_, _, total) = margins(table);
    let mut agreed = 0.0;
    for (row, counts) in table.iter().enumerate() {
        for (column, count) in counts.iter().enumerate() {
            agreed += weights.of::<N>(row, column) * count;
        }
    }
    agreed / total
}

fn beyond_chance(observed: f64, expected: f64) -> Option<f64> {
    let room = 1.0 - expected;
    (room.is_finite() && room > 1e-12).then(|| (observed - expected) / room)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(found: Option<f64>, wanted: f64) {
        assert!((found.unwrap() - wanted).abs() < 5e-4, "{found:?} is not {wanted}");
    }

    /// Nearly everyone is in one category: κ collapses, AC1 does not (Gwet 2002).
    #[test]
    fn rare_categories_ruin_kappa_and_not_ac1() {
        let table = [[118.0, 5.0], [2.0, 0.0]];
        check(cohen_kappa(&table, Weights::Identity), -0.0234);
        check(gwet_ac(&table, Weights::Identity), 0.9408);
    }

    /// With two categories the weights are those of identity.
    #[test]
    fn weights_make_no_difference_between_two_categories() {
        let table = [[40.0, 9.0], [6.0, 45.0]];
        let plain = cohen_kappa(&table, Weights::Identity);
        check(cohen_kappa(&table, Weights::Quadratic), plain.unwrap());
        check(plain, 0.6995);
    }

    #[test]
    fn near_misses_count_more_than_far_ones() {
        let near = [[10.0, 5.0, 0.0], [0.0, 10.0, 5.0], [0.0, 0.0, 10.0]];
        let far = [[10.0, 0.0, 5.0], [0.0, 10.0, 0.0], [5.0, 0.0, 10.0]];
        for statistic in [cohen_kappa::<3>, gwet_ac::<3>] {
            let weighted = |table| statistic(table, Weights::Quadratic).unwrap();
            assert!(weighted(&near) > weighted(&far) + 0.2);
        }
    }

    /// The worked example of Hayes & Krippendorff (2007): four observers, twelve units, five
    /// ordered categories, with gaps; α = 0.815.
    #[test]
    fn alpha_is_that_of_the_worked_example() {
        let observers: [[u8; 12]; 4] = [
            [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
            [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
            [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
            [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
        ];
        let mut table = [[0.0; 5]; 5];
        for unit in 0..12 {
            let values: Vec<usize> = observers
                .iter()
                .filter(|ratings| ratings[unit] > 0)
                .map(|ratings| ratings[unit] as usize - 1)
                .collect();
            for (i, &row) in values.iter().enumerate() {
                for (j, &column) in values.iter().enumerate() {
                    if i != j {
                        table[row][column] += 1.0 / (values.len() as f64 - 1.0);
                    }
                }
            }
        }
        check(alpha_ordinal(&table), 0.815);
    }
}
