//! Slices to volumes: by where they are and how they lie, never by file name or instance number.

use super::geometry::{Geometry, Lps, along, dot, length, minus};
use super::grid::Volume;
use super::median::median;
use super::slice::{Instance, Plane, Slice};

/// Slices that lie on each other like a stack of cards, and what was done to make them so.
#[derive(Debug, Clone, PartialEq)]
pub struct Stack {
    /// The slices as a volume, k from slice to slice.
    pub volume: Volume,
    /// Where each slice along k is from; none where a missing slice was filled in.
    pub slices: Vec<Option<Source>>,
    /// How a grid is put back into the order that the axes have in its file, where that is another.
    pub back: Option<[(usize, bool); 3]>,
    /// What was noticed.
    pub notes: Vec<Note>,
}

/// Where a slice is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its file, and which frame of it.
    pub name: String,
    /// The image that it is, where its format gives images a name of their own.
    pub instance: Option<Instance>,
}

/// What was noticed in a series.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what each is")]
pub enum Note {
    #[error("`{left_out}` shows the same as `{kept}` in the same place; one is enough")]
    Repeated { kept: String, left_out: String },
    #[error("`{left_out}` lies where `{kept}` lies but shows something else; it is left out")]
    SamePlace { kept: String, left_out: String },
    #[error("no slice between `{before}` and `{after}`; it was filled in from both")]
    Filled { before: String, after: String },
    #[error("{gap:.1} mm lie between `{before}` and `{after}`; they begin another stack")]
    Parted { before: String, after: String, gap: f64 },
    #[error(
        "`{beside}` and what is in line with it lie {by:.1} mm beside `{first}`: another stack"
    )]
    Beside { first: String, beside: String, by: f64 },
    #[error("slices are {least:.2} to {most:.2} mm apart; they are taken as evenly spaced")]
    Uneven { least: f64, most: f64 },
    #[error("`{name}` stands alone and has no thickness; 1 mm is assumed")]
    NoThickness { name: String },
    #[error("`{name}` cannot be part of a volume: {reason}")]
    Impossible { name: String, reason: super::GeometryError },
}

/// How far directions of one stack may be apart: the sine of a tenth of a degree.
const SAME_DIRECTION: f64 = 0.002;
/// How far apart in mm two slices in the same place may be.
const SAME_PLACE: f64 = 0.01;
/// A gap of so many times the usual distance is a gap.
const GAP: f64 = 1.5;
/// A single slice is missing in a gap up to so many times the usual distance.
const MISSING_ONE: f64 = 2.5;
/// How far beside the line of the others a slice may be, as a share of their distance.
const BESIDE: f64 = 0.25;
/// So many times as far beside each other as apart slices are not of one stack, however it leans.
const LEAN: f64 = 2.5;
/// Distances that differ more than this share of the usual one are told of.
const UNEVEN: f64 = 0.05;

/// Puts the slices of a series into stacks, those with most slices first, of like ones the lowest: the
/// lumbar station of a whole spine. What cannot be part of one is noted.
pub fn stacks(slices: Vec<Slice>) -> (Vec<Stack>, Vec<Note>) {
    let mut notes = Vec::new();
    let mut stacks = Vec::new();
    for group in alike(slices) {
        let apart = without_repeats(sorted(group), &mut notes);
        for line in lines(apart, &mut notes) {
            for run in runs(line, &mut notes) {
                match stack(run) {
                    Ok(stack) => stacks.push(stack),
                    Err(note) => notes.push(note),
                }
            }
        }
    }
    stacks.sort_by(|a, b| {
        let height = |stack: &Stack| stack.volume.geometry.centre()[2];
        b.slices.len().cmp(&a.slices.len()).then(height(a).total_cmp(&height(b)))
    });
    (stacks, notes)
}

/// Slices of the same size whose pixels lie in the same directions.
fn alike(slices: Vec<Slice>) -> Vec<Vec<Slice>> {
    let mut groups: Vec<Vec<Slice>> = Vec::new();
    for slice in slices {
        let same = groups.iter_mut().find(|group| is_alike(&group[0].plane, &slice.plane));
        match same {
            Some(group) => group.push(slice),
            None => groups.push(vec![slice]),
        }
    }
    groups
}

fn is_alike(a: &Plane, b: &Plane) -> bool {
    let close = |a: Lps, b: Lps| length(minus(a, b)) <= SAME_DIRECTION * length(a);
    a.size == b.size && close(a.steps[0], b.steps[0]) && close(a.steps[1], b.steps[1])
}

/// How far along the first slice's normal each slice is, from the least on.
fn sorted(group: Vec<Slice>) -> Vec<(f64, Slice)> {
    let normal = group[0].plane.normal;
    let mut at: Vec<(f64, Slice)> =
        group.into_iter().map(|slice| (dot(slice.plane.origin, normal), slice)).collect();
    at.sort_by(|(a, one), (b, other)| a.total_cmp(b).then(one.number.cmp(&other.number)));
    at
}

/// One slice of each place.
fn without_repeats(slices: Vec<(f64, Slice)>, notes: &mut Vec<Note>) -> Vec<(f64, Slice)> {
    let mut kept: Vec<(f64, Slice)> = Vec::new();
    for (at, slice) in slices {
        let here = kept.iter().rev().take_while(|(other, _)| at - other <= SAME_PLACE);
        let same = here
            .map(|(_, other)| other)
            .find(|o| length(minus(o.plane.origin, slice.plane.origin)) <= 2.0 * SAME_PLACE);
        let Some(other) = same else {
            kept.push((at, slice));
            continue;
        };
        let (kept, left_out) = (other.name.clone(), slice.name.clone());
        notes.push(match other.values == slice.values {
            true => Note::Repeated { kept, left_out },
            false => Note::SamePlace { kept, left_out },
        });
    }
    kept
}

/// Parts slices that do not lie before each other: stations of a spine, which share their distances
/// from side to side.
fn lines(slices: Vec<(f64, Slice)>, notes: &mut Vec<Note>) -> Vec<Vec<(f64, Slice)>> {
    let mut lines: Vec<Vec<(f64, Slice)>> = Vec::new();
    for (at, slice) in slices {
        let beside = |(before, other): &(f64, Slice)| {
            let way = minus(slice.plane.origin, other.plane.origin);
            length(along(way, other.plane.normal, before - at))
        };
        let nearest = lines
            .iter_mut()
            .map(|line| (beside(&line[line.len() - 1]), line))
            .min_by(|(a, _), (b, _)| a.total_cmp(b));
        match nearest {
            Some((by, line)) if by <= LEAN * (at - line[line.len() - 1].0) + SAME_PLACE => {
                line.push((at, slice));
            }
            before => {
                if let Some((by, line)) = before {
                    let (first, beside) = (line[0].1.name.clone(), slice.name.clone());
                    notes.push(Note::Beside { first, beside, by });
                }
                lines.push(vec![(at, slice)]);
            }
        }
    }
    lines
}

/// Parts slices where a gap is too wide, or where they do not go on in a line.
fn runs(slices: Vec<(f64, Slice)>, notes: &mut Vec<Note>) -> Vec<Vec<Slice>> {
    let usual = usual_distance(&slices);
    let mut runs: Vec<Vec<Slice>> = Vec::new();
    let mut last_at = f64::NAN;
    for (at, slice) in slices {
        let gap = at - last_at;
        last_at = at;
        match runs.last_mut() {
            Some(run) if goes_on(run, &slice, gap, usual) => run.push(slice),
            before => {
                if let Some(before) = before.and_then(|run| run.last()) {
                    let (before, after) = (before.name.clone(), slice.name.clone());
                    notes.push(Note::Parted { before, after, gap });
                }
                runs.push(vec![slice]);
            }
        }
    }
    runs
}

/// The distance that most neighbours have.
fn usual_distance(slices: &[(f64, Slice)]) -> f64 {
    let gaps: Vec<f64> = slices.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    median(gaps).unwrap_or(0.0)
}

/// Whether a slice is the next of a run: not too far, and in line with those before.
fn goes_on(run: &[Slice], slice: &Slice, gap: f64, usual: f64) -> bool {
    if gap > usual * MISSING_ONE {
        return false;
    }
    let [.., before, last] = run else { return true };
    let step = minus(last.plane.origin, before.plane.origin);
    let normal = last.plane.normal;
    let along_normal = dot(step, normal);
    // A leaning stack goes on leaning.
    let wanted = along(last.plane.origin, step, gap / along_normal);
    length(minus(wanted, slice.plane.origin)) <= BESIDE * usual.max(1.0)
}

/// A run as a volume.
fn stack(run: Vec<Slice>) -> Result<Stack, Note> {
    let mut notes = Vec::new();
    let first = run[0].plane;
    let gaps: Vec<f64> = run
        .windows(2)
        .map(|pair| length(minus(pair[1].plane.origin, pair[0].plane.origin)))
        .collect();
    let usual = median(gaps.clone()).unwrap_or(0.0);
    let mut slices: Vec<Option<Source>> = Vec::new();
    let mut values: Vec<f32> = Vec::with_capacity(run.len() * run[0].values.len());
    let last = run[run.len() - 1].plane.origin;
    for (number, slice) in run.into_iter().enumerate() {
        let missing = number > 0 && gaps[number - 1] > GAP * usual;
        if missing {
            let before = name(slices.last());
            notes.push(Note::Filled { before, after: slice.name.clone() });
            let start = values.len() - slice.values.len();
            let between: Vec<f32> =
                values[start..].iter().zip(&slice.values).map(|(a, b)| (a + b) / 2.0).collect();
            values.extend(between);
            slices.push(None);
        }
        values.extend(&slice.values);
        slices.push(Some(Source { name: slice.name, instance: slice.instance }));
    }
    let step = match slices.len() {
        1 => {
            let thickness = first.thickness.unwrap_or_else(|| {
                notes.push(Note::NoThickness { name: name(slices.first()) });
                1.0
            });
            first.normal.map(|part| part * thickness)
        }
        count => minus(last, first.origin).map(|part| part / (count as f64 - 1.0)),
    };
    let filled: Vec<f64> = gaps.iter().copied().filter(|gap| *gap <= GAP * usual).collect();
    let least = filled.iter().copied().fold(f64::INFINITY, f64::min);
    let most = filled.iter().copied().fold(0.0, f64::max);
    if most - least > UNEVEN * usual {
        notes.push(Note::Uneven { least, most });
    }
    let size = [first.size[0], first.size[1], slices.len()];
    let steps = [first.steps[0], first.steps[1], step];
    match Geometry::new(size, first.origin, steps) {
        Ok(geometry) => {
            Ok(Stack { volume: Volume { geometry, values }, slices, back: None, notes })
        }
        Err(reason) => Err(Note::Impossible { name: name(slices.first()), reason }),
    }
}

/// The name of a slice, in words.
fn name(slice: Option<&Option<Source>>) -> String {
    slice.and_then(Option::as_ref).map_or_else(String::new, |source| source.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sagittal slice whose pixels have its place as their value.
    fn sagittal(left: f64) -> Slice {
        Slice {
            name: format!("{left}"),
            instance: None,
            number: 0,
            plane: Plane {
                size: [4, 3],
                origin: [left, -50.0, 100.0],
                steps: [[0.0, 0.5, 0.0], [0.0, 0.0, -0.5]],
                normal: [-1.0, 0.0, 0.0],
                thickness: Some(4.0),
            },
            values: vec![left as f32; 12],
        }
    }

    fn places(stack: &Stack) -> Vec<f32> {
        (0..stack.slices.len()).map(|k| stack.volume.slice(k)[0]).collect()
    }

    fn of(lefts: &[f64]) -> (Vec<Stack>, Vec<Note>) {
        stacks(lefts.iter().map(|&left| sagittal(left)).collect())
    }

    #[test]
    fn slices_stand_in_the_order_of_their_places() {
        let (stacks, notes) = of(&[4.0, -8.0, 8.0, 0.0, -4.0]);
        assert_eq!((stacks.len(), notes.len()), (1, 0));
        assert_eq!(places(&stacks[0]), [8.0, 4.0, 0.0, -4.0, -8.0]);
        let geometry = stacks[0].volume.geometry;
        assert_eq!(geometry.steps[2], [-4.0, 0.0, 0.0]);
        assert_eq!(geometry.origin, [8.0, -50.0, 100.0]);
        assert!(stacks[0].notes.is_empty());
    }

    #[test]
    fn a_missing_slice_is_filled_in_and_told_of() {
        let (stacks, _) = of(&[-8.0, -4.0, 4.0, 8.0, 12.0]);
        assert_eq!(places(&stacks[0]), [12.0, 8.0, 4.0, 0.0, -4.0, -8.0]);
        assert_eq!(stacks[0].slices[3], None);
        let note = Note::Filled { before: "4".into(), after: "-4".into() };
        assert_eq!(stacks[0].notes, [note]);
    }

    #[test]
    fn a_wide_gap_begins_another_stack() {
        let (stacks, notes) = of(&[-8.0, -4.0, 0.0, 40.0, 44.0]);
        assert_eq!(
            stacks.iter().map(places).collect::<Vec<_>>(),
            [vec![0.0, -4.0, -8.0], vec![44.0, 40.0]]
        );
        assert_eq!(notes, [Note::Parted { before: "40".into(), after: "0".into(), gap: 40.0 }]);
    }

    #[test]
    fn what_lies_in_the_same_place_is_taken_once() {
        let mut other = sagittal(0.0);
        other.name = "again".into();
        let mut contrary = sagittal(4.0);
        contrary.name = "contrary".into();
        contrary.values[0] += 1.0;
        let all = [-4.0, 0.0, 4.0].map(sagittal).into_iter().chain([other, contrary]);
        let (stacks, notes) = stacks(all.collect());
        assert_eq!(places(&stacks[0]), [4.0, 0.0, -4.0]);
        assert_eq!(
            notes,
            [
                Note::SamePlace { kept: "4".into(), left_out: "contrary".into() },
                Note::Repeated { kept: "0".into(), left_out: "again".into() },
            ]
        );
    }

    #[test]
    fn other_directions_and_sizes_are_other_stacks() {
        let mut turned = [20.0, 24.0].map(sagittal);
        for slice in &mut turned {
            slice.plane.steps[0] = [0.05, 0.497, 0.0];
        }
        let mut large = sagittal(28.0);
        large.plane.size = [12, 1];
        let all = [0.0, 4.0, 8.0].map(sagittal).into_iter().chain(turned).chain([large]);
        let (stacks, _) = stacks(all.collect());
        assert_eq!(stacks.iter().map(|s| s.slices.len()).collect::<Vec<_>>(), [3, 2, 1]);
        assert_eq!(length(stacks[2].volume.geometry.steps[2]), 4.0);
    }

    #[test]
    fn a_leaning_stack_stays_one_and_a_shifted_one_is_parted() {
        let leaning = |left: f64, lean: f64| {
            let mut slice = sagittal(left);
            slice.plane.origin[1] += left * lean;
            slice
        };
        let (stacks_of, _) = stacks([0.0, 4.0, 8.0, 12.0].map(|left| leaning(left, 0.2)).into());
        assert_eq!(stacks_of.len(), 1);
        let shifted = [0.0, 4.0, 8.0, 12.0].map(|left| leaning(left, f64::from(left > 4.0) * 2.0));
        let (stacks_of, _) = stacks(shifted.into());
        assert_eq!(stacks_of.len(), 2);
    }

    #[test]
    fn stations_in_one_series_are_a_stack_each() {
        let station = |left: f64, up: f64| {
            let mut slice = sagittal(left);
            slice.name = format!("{left} {up}");
            slice.plane.origin[2] += up;
            slice
        };
        // The second station has the same places from side to side, then others.
        for shift in [0.0, 0.5, 2.0] {
            let lefts = [-8.0, -4.0, 0.0, 4.0, 8.0];
            let upper = lefts.map(|left| station(left, 220.0));
            let lower = lefts.map(|left| station(left + shift, 0.0));
            let (stacks, notes) = stacks(upper.into_iter().chain(lower).collect());
            assert_eq!(stacks.iter().map(|s| s.slices.len()).collect::<Vec<_>>(), [5, 5]);
            let heights = [0, 1].map(|n| stacks[n].volume.geometry.origin[2]);
            assert_eq!(heights, [100.0, 320.0], "the lower one first");
            assert!(stacks.iter().all(|stack| stack.volume.geometry.steps[2] == [-4.0, 0.0, 0.0]));
            assert!(matches!(notes[..], [Note::Beside { .. }]), "{notes:?}");
        }
    }

    #[test]
    fn uneven_distances_are_told_of() {
        let (stacks, _) = of(&[0.0, 4.0, 8.6, 12.6]);
        assert_eq!(stacks.len(), 1);
        assert!(matches!(stacks[0].notes[..], [Note::Uneven { .. }]));
    }
}
