//! A smooth curve in the patient, from head to foot.

use crate::imaging::geometry::{Lps, along, cross, direction, dot, length, minus};

/// A curve of points a millimetre apart, from head to foot. Before its first point and after its
/// last it goes on straight.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    points: Vec<Lps>,
    /// Along the curve at each point, to the feet.
    downs: Vec<Lps>,
}

/// The directions at a place of a curve, normal to each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    /// The place.
    pub at: Lps,
    /// Along the curve, to the feet.
    pub down: Lps,
    /// Normal to it, as far to the front as can be.
    pub front: Lps,
    /// Normal to both, to the patient's left.
    pub left: Lps,
}

impl Frame {
    /// The directions at a place that belong to one to the feet, which has a length of 1.
    pub fn new(at: Lps, down: Lps) -> Self {
        let towards = |axis: Lps| direction(along(axis, down, -dot(axis, down)));
        let front = towards([0.0, -1.0, 0.0]).or_else(|| towards([0.0, 0.0, 1.0]));
        let front = front.expect("no direction is along two axes");
        Self { at, down, front, left: cross(front, down) }
    }

    /// The place so many mm to the left, to the front and down from here.
    pub fn place(&self, left: f64, front: f64, down: f64) -> Lps {
        along(along(along(self.at, self.left, left), self.front, front), self.down, down)
    }

    /// The same directions so many mm further to the left.
    #[must_use]
    pub fn moved(&self, left: f64) -> Self {
        Self { at: along(self.at, self.left, left), ..*self }
    }

    /// How far to the left, to the front and down a place is from here.
    pub fn offsets(&self, patient: Lps) -> [f64; 3] {
        let from = minus(patient, self.at);
        [dot(from, self.left), dot(from, self.front), dot(from, self.down)]
    }
}

/// Where something was seen of what the curve goes through.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sight {
    /// How far along, in mm.
    pub along: f64,
    /// Where.
    pub at: Lps,
}

impl Curve {
    /// Bends over less than about this many mm are smoothed away, so that a slipped or a missing
    /// vertebra does not turn the planes beside it.
    const BEND: f64 = 80.0;
    /// Sights that lie further from the curve in mm count less (Huber 1964).
    const NEAR: f64 = 2.5;
    /// Passes, each with the weights that the last gave.
    const PASSES: usize = 6;

    /// The smooth curve through most of the sights; none where there are too few.
    pub(super) fn through(sights: &[Sight]) -> Option<Self> {
        let first = sights.iter().map(|sight| sight.along).fold(f64::INFINITY, f64::min);
        let last = sights.iter().map(|sight| sight.along).fold(f64::NEG_INFINITY, f64::max);
        let count = (last - first).ceil() as usize + 1;
        if sights.len() < 3 || !(4..=4000).contains(&count) {
            return None;
        }
        let places: Vec<usize> =
            sights.iter().map(|sight| (sight.along - first).round() as usize).collect();
        let stiffness = (Self::BEND / std::f64::consts::TAU).powi(4);
        let mut trust = vec![1.0; sights.len()];
        let mut points = Vec::new();
        for _ in 0..Self::PASSES {
            let mut weights = vec![0.0; count];
            let mut sums = vec![[0.0; 3]; count];
            for ((sight, &place), &trust) in sights.iter().zip(&places).zip(&trust) {
                weights[place] += trust;
                sums[place] = along(sums[place], sight.at, trust);
            }
            points = smoothed(&sums, &weights, stiffness);
            for ((sight, &place), trust) in sights.iter().zip(&places).zip(&mut trust) {
                let off = length(minus(sight.at, points[place]));
                *trust = if off <= Self::NEAR { 1.0 } else { Self::NEAR / off };
            }
        }
        Some(Self::new(points))
    }

    /// The curve through points, from head to foot; there are at least two.
    pub fn new(points: Vec<Lps>) -> Self {
        let points = evenly(&points);
        // Directions go over a few mm, as the points are but a mm apart.
        const OVER: usize = 3;
        let last = points.len() - 1;
        let downs = (0..points.len()).map(|place| {
            let inside = place.clamp(OVER.min(last / 2), last - OVER.min(last / 2));
            let (from, to) = (inside.saturating_sub(OVER), (inside + OVER).min(last));
            direction(minus(points[to], points[from])).unwrap_or([0.0, 0.0, -1.0])
        });
        Self { downs: downs.collect(), points }
    }

    /// Its length in mm.
    pub fn length(&self) -> f64 {
        self.points.len() as f64 - 1.0
    }

    /// How far beyond its ends a place is that is so many mm along; 0 between them.
    pub fn beyond(&self, along_it: f64) -> f64 {
        (along_it - along_it.clamp(0.0, self.length())).abs()
    }

    /// The point so many mm along.
    pub fn at(&self, along_it: f64) -> Lps {
        let last = self.points.len() - 1;
        let place = along_it.floor().clamp(0.0, last as f64) as usize;
        let rest = along_it - place as f64;
        if rest < 0.0 || place == last {
            return along(self.points[place], self.downs[place], rest);
        }
        along(self.points[place], minus(self.points[place + 1], self.points[place]), rest)
    }

    /// Place and directions so many mm along.
    pub fn frame(&self, along_it: f64) -> Frame {
        let nearest = along_it.round().clamp(0.0, self.length()) as usize;
        Frame::new(self.at(along_it), self.downs[nearest])
    }

    /// How far along the curve its point is that is nearest to a place.
    pub fn nearest(&self, patient: Lps) -> f64 {
        let mut best = (f64::INFINITY, 0.0);
        let step = 16;
        for place in (0..self.points.len()).step_by(step) {
            let away = length(minus(patient, self.points[place]));
            if away < best.0 {
                best = (away, place as f64);
            }
        }
        self.nearest_from(best.1, patient)
    }

    /// The same, where a place nearby is known.
    pub fn nearest_from(&self, guess: f64, patient: Lps) -> f64 {
        let mut along_it = guess;
        for _ in 0..8 {
            let nearest = along_it.round().clamp(0.0, self.length()) as usize;
            let ahead = dot(minus(patient, self.at(along_it)), self.downs[nearest]);
            // Half of a long way: the curve may bend towards the place.
            along_it += if ahead.abs() > 8.0 { ahead * 0.7 } else { ahead };
            if ahead.abs() < 0.05 {
                break;
            }
        }
        along_it
    }
}

/// Points a millimetre apart on the polygon through `points`.
fn evenly(points: &[Lps]) -> Vec<Lps> {
    let mut even = vec![points[0]];
    let (mut travelled, mut next) = (0.0, 1.0);
    for pair in points.windows(2) {
        let step = length(minus(pair[1], pair[0]));
        while step > 0.0 && next <= travelled + step {
            even.push(along(pair[0], minus(pair[1], pair[0]), (next - travelled) / step));
            next += 1.0;
        }
        travelled += step;
    }
    if even.len() < 2 {
        even.push(points[points.len() - 1]);
    }
    even
}

/// Values on a line with their weights, smoothed by a penalty on second differences (Whittaker
/// 1923, Eilers 2003); `sums` are values times weights. Where weights are 0 the line goes on.
fn smoothed(sums: &[Lps], weights: &[f64], stiffness: f64) -> Vec<Lps> {
    let count = weights.len();
    // The upper half of a matrix with five diagonals.
    let mut diagonals = vec![[0.0; 3]; count];
    for (row, &weight) in diagonals.iter_mut().zip(weights) {
        // Nowhere is nothing known, or there would be no answer with a single point.
        row[0] = weight + 1e-9;
    }
    for first in 0..count - 2 {
        for (a, of_a) in [(0, 1.0), (1, -2.0), (2, 1.0)] {
            for (b, of_b) in [(0, 1.0), (1, -2.0), (2, 1.0)] {
                if b >= a {
                    diagonals[first + a][b - a] += stiffness * of_a * of_b;
                }
            }
        }
    }
    solved(diagonals, sums.to_vec())
}

/// Solves a symmetric system with five diagonals by LDLᵀ.
fn solved(mut rows: Vec<[f64; 3]>, mut values: Vec<Lps>) -> Vec<Lps> {
    let count = rows.len();
    for place in 0..count {
        let [pivot, next, after] = rows[place];
        let (one, two) = (next / pivot, after / pivot);
        if place + 1 < count {
            rows[place + 1][0] -= one * next;
            rows[place + 1][1] -= one * after;
            values[place + 1] = along(values[place + 1], values[place], -one);
        }
        if place + 2 < count {
            rows[place + 2][0] -= two * after;
            values[place + 2] = along(values[place + 2], values[place], -two);
        }
        rows[place] = [pivot, one, two];
    }
    for place in (0..count).rev() {
        let [pivot, one, two] = rows[place];
        let mut value = values[place].map(|value| value / pivot);
        if place + 1 < count {
            value = along(value, values[place + 1], -one);
        }
        if place + 2 < count {
            value = along(value, values[place + 2], -two);
        }
        values[place] = value;
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An arc of 150 mm radius in the sagittal plane, with some of its sights far off.
    fn arc(off: impl Fn(usize) -> f64) -> Vec<Sight> {
        (0..=200)
            .map(|place| {
                let angle = f64::from(place as u32) / 150.0 - 0.6;
                let at = [5.0, -150.0 * angle.cos() + off(place), -150.0 * angle.sin()];
                Sight { along: place as f64, at }
            })
            .collect()
    }

    #[test]
    fn a_curve_stays_with_most_of_its_sights() {
        let curve = Curve::through(&arc(|_| 0.0)).unwrap();
        assert!((curve.length() - 200.0).abs() <= 1.0, "{}", curve.length());
        let off = Curve::through(&arc(|place| if (95..108).contains(&place) { 12.0 } else { 0.0 }));
        let off = off.unwrap();
        for along in [0.0, 50.0, 100.0, 150.0, 199.0] {
            let at = curve.at(along);
            assert!((length([0.0, at[1], at[2]]) - 150.0).abs() < 1.2, "{at:?}");
            let at = off.at(off.nearest(at));
            assert!((length([0.0, at[1], at[2]]) - 150.0).abs() < 3.0, "{at:?}");
        }
    }

    #[test]
    fn frames_are_those_of_the_patient() {
        let curve = Curve::through(&arc(|_| 0.0)).unwrap();
        let frame = curve.frame(90.0);
        assert!(dot(frame.down, [0.0, 0.0, -1.0]) > 0.99);
        assert!(dot(frame.front, [0.0, -1.0, 0.0]) > 0.99);
        assert!(dot(frame.left, [1.0, 0.0, 0.0]) > 0.99);
        for along in [10.0, 77.7, 190.0, -20.0, 230.0] {
            let frame = curve.frame(along);
            let beside = super::along(frame.at, frame.front, 12.0);
            assert!((curve.nearest(beside) - along).abs() < 1.0, "{along}");
        }
    }

    #[test]
    fn too_few_sights_are_no_curve() {
        assert!(Curve::through(&[]).is_none());
        let here = Sight { along: 3.0, at: [0.0; 3] };
        assert!(Curve::through(&[here; 9]).is_none());
    }
}
