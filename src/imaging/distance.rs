//! Distances to a shape, exact and in time linear in the pixels (Felzenszwalb & Huttenlocher 2012).

/// For each pixel of a picture the distance in mm to the nearest pixel of a shape; infinite where
/// there is none. `inside` goes along rows, which are `width` long; `spacing` is that of pixels in
/// a row and of rows.
pub fn distances(inside: &[bool], width: usize, spacing: [f64; 2]) -> Vec<f32> {
    let height = inside.len().checked_div(width).unwrap_or(0);
    let mut squared: Vec<f64> =
        inside.iter().map(|&inside| if inside { 0.0 } else { f64::INFINITY }).collect();
    let mut line = Line::default();
    for column in 0..width {
        line.pass((0..height).map(|row| squared[row * width + column]), spacing[1]);
        for row in 0..height {
            squared[row * width + column] = line.out[row];
        }
    }
    for row in squared.chunks_mut(width.max(1)) {
        line.pass(row.iter().copied(), spacing[0]);
        row.copy_from_slice(&line.out);
    }
    squared.into_iter().map(|square| square.sqrt() as f32).collect()
}

/// The lower envelope of parabolas along a line.
#[derive(Default)]
struct Line {
    /// Squared distances so far.
    values: Vec<f64>,
    /// Where the lowest parabolas stand, from the first on.
    feet: Vec<usize>,
    /// From where on each is the lowest.
    starts: Vec<f64>,
    out: Vec<f64>,
}

impl Line {
    /// Takes the distance along the line into account.
    fn pass(&mut self, values: impl Iterator<Item = f64>, step: f64) {
        self.values.clear();
        self.values.extend(values);
        self.feet.clear();
        self.starts.clear();
        let square = step * step;
        for (place, &value) in self.values.iter().enumerate() {
            if value.is_infinite() {
                continue;
            }
            let mut start = f64::NEG_INFINITY;
            while let (Some(&foot), Some(&begins)) = (self.feet.last(), self.starts.last()) {
                let (a, b) = (foot as f64, place as f64);
                let meet = ((value - self.values[foot]) / square + b * b - a * a) / (2.0 * (b - a));
                if meet > begins {
                    start = meet;
                    break;
                }
                self.feet.pop();
                self.starts.pop();
            }
            self.feet.push(place);
            self.starts.push(start);
        }
        self.out.clear();
        let mut lowest = 0;
        for place in 0..self.values.len() {
            while self.starts.get(lowest + 1).is_some_and(|&start| start <= place as f64) {
                lowest += 1;
            }
            self.out.push(match self.feet.get(lowest) {
                Some(&foot) => {
                    let away = place as f64 - foot as f64;
                    square * away * away + self.values[foot]
                }
                None => f64::INFINITY,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_a_search_through_all_pixels() {
        let (width, height, spacing) = (13, 9, [0.5, 0.8]);
        let mut random = fastrand::Rng::with_seed(4);
        for share in [0.02, 0.2, 0.9] {
            let inside: Vec<bool> = (0..width * height).map(|_| random.f64() < share).collect();
            let found = distances(&inside, width, spacing);
            for (place, &found) in found.iter().enumerate() {
                let away = |other: usize| {
                    let x = (place % width) as f64 - (other % width) as f64;
                    let y = (place / width) as f64 - (other / width) as f64;
                    (x * spacing[0]).hypot(y * spacing[1])
                };
                let nearest = (0..inside.len()).filter(|&other| inside[other]).map(away);
                let nearest = nearest.fold(f64::INFINITY, f64::min);
                assert!((f64::from(found) - nearest).abs() < 1e-5 || nearest.is_infinite());
            }
        }
    }

    #[test]
    fn nothing_is_infinitely_far_away() {
        assert_eq!(distances(&[false; 6], 3, [1.0, 1.0]), [f32::INFINITY; 6]);
        assert!(distances(&[], 3, [1.0, 1.0]).is_empty());
    }
}
