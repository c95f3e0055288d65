//! Which levels are above and below each other.

use std::collections::HashMap;

use crate::label::Level;

/// A level of a study.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place<'a> {
    /// The study.
    pub study: &'a str,
    /// The level.
    pub level: Level,
}

/// For each level, where among them the one above it is, and the one below it; the number of all where
/// there is none.
pub(super) fn neighbours(levels: &[Place<'_>]) -> [Vec<i64>; 2] {
    let at: HashMap<Place<'_>, usize> =
        levels.iter().enumerate().map(|(at, place)| (*place, at)).collect();
    let none = levels.len() as i64;
    let (mut above, mut below) = (vec![none; levels.len()], vec![none; levels.len()]);
    for (own, place) in levels.iter().enumerate() {
        let upper = place.level.above().map(|level| Place { level, ..*place });
        if let Some(&upper) = upper.and_then(|upper| at.get(&upper)) {
            above[own] = upper as i64;
            below[upper] = own as i64;
        }
    }
    [above, below]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_of_one_study() {
        use Level::{L3L4, L4L5, L5L6, L5S1, L6S1};
        let place = |study, level| Place { study, level };
        let levels = [
            place("a", L4L5),
            place("b", L3L4),
            place("a", L5S1),
            place("a", L3L4),
            place("b", L6S1),
            place("b", L5L6),
        ];
        let [above, below] = neighbours(&levels);
        assert_eq!(above, [3, 6, 0, 6, 5, 6]);
        assert_eq!(below, [2, 6, 6, 0, 6, 4]);
    }
}
