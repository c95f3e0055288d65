//! Degrees, sides and places around a noun, told apart into parts: "mild on the left and
//! moderate on the right" has two.

use smallvec::SmallVec;

use super::item::degree_of;
use super::place::{Clause, Mark};
use super::scan::Tag;
use super::sense::{Sense, Sides};
use crate::label::{Grade, Side};

/// A degree with the sides and the place that go with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Part {
    pub grade: Option<Grade>,
    /// The mark of the degree.
    pub degree: Option<usize>,
    pub hedged: bool,
    pub sides: Option<Sides>,
    /// One side was said to be worse: both are meant (rule 16).
    pub worse: bool,
    /// The mark of the place.
    pub place: Option<usize>,
    /// Marks that say all this.
    pub marks: SmallVec<[usize; 8]>,
}

impl Part {
    fn is_empty(&self) -> bool {
        self.grade.is_none() && self.sides.is_none() && self.place.is_none() && !self.worse
    }

    /// The side where exactly one is meant.
    pub fn side(&self) -> Option<Side> {
        match self.sides {
            Some(Sides::Left) => Some(Side::Left),
            Some(Sides::Right) => Some(Side::Right),
            _ => None,
        }
    }

    fn add_side(&mut self, sides: Sides) {
        self.sides = Some(match self.sides {
            None => sides,
            Some(same) if same == sides => sides,
            Some(_) => Sides::Both,
        });
    }
}

/// What a run of modifiers is made of, separators included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Degree(Grade, bool),
    Side(Sides),
    Place,
    Worse,
    Separator,
}

/// The parts of a run of marks, in order. Degrees before a word like "now" are of the past and
/// left out (rule 1), and so is one right after "previously".
pub(super) fn parts(clause: &Clause, run: &[usize]) -> Vec<Part> {
    let now = run.iter().rposition(|&at| term(clause, at) == Some(Sense::Now)).unwrap_or(0);
    let mut pieces: Vec<(usize, Piece)> = Vec::new();
    for (n, &at) in run.iter().enumerate() {
        let past = n < now || is_past(clause, &run[..n]);
        let piece = match clause.marks[at] {
            Mark::Place(_) => Some(Piece::Place),
            Mark::Tag(tag) => match tag {
                Tag::Term(Sense::None | Sense::Normal | Sense::Patent | Sense::Absent) => {
                    (!past).then_some(Piece::Degree(Grade::Normal, false))
                }
                Tag::Term(Sense::Not) if clause.is_listed_no(at) => {
                    Some(Piece::Degree(Grade::Normal, false))
                }
                Tag::Term(Sense::Side(sides)) => Some(Piece::Side(sides)),
                Tag::Term(Sense::Worse) | Tag::Greater => Some(Piece::Worse),
                Tag::Comma
                | Tag::Slash
                | Tag::Dash
                | Tag::Open
                | Tag::Close
                | Tag::Semicolon
                | Tag::Term(Sense::And | Sense::Or | Sense::But) => Some(Piece::Separator),
                tag => degree_of(tag)
                    .filter(|_| !past)
                    .map(|grade| Piece::Degree(grade, tag == Tag::Term(Sense::Borderline))),
            },
        };
        pieces.extend(piece.map(|piece| (at, piece)));
    }
    let mut parts = Vec::new();
    for segment in pieces.split(|(_, piece)| *piece == Piece::Separator) {
        segment_parts(segment, &mut parts);
    }
    parts.retain(|part: &Part| !part.is_empty());
    share(&mut parts);
    parts
}

fn term(clause: &Clause, at: usize) -> Option<Sense> {
    match clause.marks[at] {
        Mark::Tag(Tag::Term(sense)) => Some(sense),
        _ => None,
    }
}

/// Whether the word before, fillers aside, is "previously".
fn is_past(clause: &Clause, before: &[usize]) -> bool {
    before
        .iter()
        .rev()
        .map(|&at| term(clause, at))
        .find(|sense| !matches!(sense, Some(Sense::Filler | Sense::Be | Sense::Of)))
        == Some(Some(Sense::Previously))
}

/// Cuts a stretch without separators where a new degree or side begins: "severe right none left"
/// has two parts.
fn segment_parts(segment: &[(usize, Piece)], parts: &mut Vec<Part>) {
    let degrees = segment.iter().filter(|(_, p)| matches!(p, Piece::Degree(..))).count();
    let side_first = segment
        .iter()
        .find(|(_, p)| matches!(p, Piece::Degree(..) | Piece::Side(_)))
        .is_some_and(|(_, p)| matches!(p, Piece::Side(_)));
    // "L3-4 mild L4-5 moderate" has a degree after each place.
    let places = segment.iter().filter(|(_, p)| *p == Piece::Place).count();
    let place_first = places > 1
        && places == degrees
        && segment
            .iter()
            .find(|(_, p)| matches!(p, Piece::Degree(..) | Piece::Place))
            .is_some_and(|(_, p)| *p == Piece::Place);
    let mut part = Part::default();
    for &(at, piece) in segment {
        let full = match piece {
            Piece::Degree(..) => part.grade.is_some(),
            Piece::Side(_) => degrees > 1 && side_first && part.grade.is_some(),
            Piece::Place => place_first && part.grade.is_some(),
            _ => false,
        };
        if full {
            parts.push(std::mem::take(&mut part));
        }
        match piece {
            Piece::Degree(grade, hedged) => {
                (part.grade, part.degree, part.hedged) = (Some(grade), Some(at), hedged);
            }
            Piece::Side(sides) => part.add_side(sides),
            Piece::Place => part.place = Some(at),
            Piece::Worse => part.worse = true,
            Piece::Separator => {}
        }
        part.marks.push(at);
    }
    parts.push(part);
}

/// Lets parts without a degree or a side take those of their neighbours.
fn share(parts: &mut Vec<Part>) {
    for part in parts.iter_mut().filter(|part| part.worse) {
        part.sides = None;
    }
    // "worse on the left" adds nothing of its own to the parts beside it.
    if parts.len() > 1 {
        parts.retain(|part| !(part.worse && part.grade.is_none() && part.place.is_none()));
    }
    // "bilateral, mild left and moderate right": the sum before its parts.
    if parts.len() > 1
        && parts[0].grade.is_none()
        && parts[0].place.is_none()
        && parts[0].sides == Some(Sides::Both)
        && parts[1..].iter().any(|part| part.grade.is_some() && part.side().is_some())
    {
        parts.remove(0);
    }
    // "mild on the left and moderate on the right, both as before".
    let one_sided = parts.iter().any(|part| part.side().is_some() && part.grade.is_some());
    if one_sided {
        parts.retain(|part| {
            part.grade.is_some() || part.place.is_some() || part.sides != Some(Sides::Both)
        });
    }
    spread_places(parts);
    pair_columns(parts);
    // "mild, bilaterally" and "on the left, severe": a degree and a side that commas part.
    let mut at = 0;
    while at + 1 < parts.len() {
        let (a, b) = (&parts[at], &parts[at + 1]);
        let completes = |degree: &Part, side: &Part| {
            degree.grade.is_some()
                && degree.sides.is_none()
                && side.grade.is_none()
                && side.sides.is_some()
                && !(degree.place.is_some() && side.place.is_some())
        };
        let sided = parts.iter().filter(|part| part.sides.is_some()).count();
        if (completes(a, b) || completes(b, a)) && sided == 1 {
            let next = parts.remove(at + 1);
            let part = &mut parts[at];
            part.grade = part.grade.or(next.grade);
            part.degree = part.degree.or(next.degree);
            part.sides = part.sides.or(next.sides);
            part.place = part.place.or(next.place);
            part.marks.extend(next.marks);
        } else {
            at += 1;
        }
    }
    // In a list a degree carries forward (rule 19).
    let mut carried = None;
    for part in parts.iter_mut() {
        match part.grade {
            Some(_) => carried = Some((part.grade, part.degree, part.hedged)),
            None => {
                if let Some((grade, degree, hedged)) = carried {
                    (part.grade, part.degree, part.hedged) = (grade, degree, hedged);
                }
            }
        }
    }
}

/// "narrowed at L4-5, severely on the right and mildly on the left": a place alone holds for the
/// parts after it.
fn spread_places(parts: &mut Vec<Part>) {
    let is_bare =
        |part: &Part| part.place.is_some() && part.grade.is_none() && part.sides.is_none();
    let mut at = 0;
    while at + 1 < parts.len() {
        if is_bare(&parts[at]) && parts[at + 1].place.is_none() && parts[at + 1].grade.is_some() {
            let place = parts.remove(at).place;
            for part in parts[at..].iter_mut().take_while(|part| part.place.is_none()) {
                part.place = place;
            }
        }
        at += 1;
    }
}

/// "the left and right are moderately and mildly narrowed, respectively": a degree for each side.
pub(super) fn pair_respectively(sides: &[Part], degrees: &[Part]) -> Option<Vec<Part>> {
    let bare = sides.iter().all(|part| part.side().is_some() && part.grade.is_none());
    let graded = degrees.iter().all(|part| part.sides.is_none() && part.grade.is_some());
    (sides.len() > 1 && sides.len() == degrees.len() && bare && graded).then(|| {
        let paired = sides.iter().zip(degrees);
        paired.map(|(side, degree)| Part { sides: side.sides, ..degree.clone() }).collect()
    })
}

/// "(R / L): mild / moderate": sides first, then a degree for each.
fn pair_columns(parts: &mut Vec<Part>) {
    let [a, b, c, d] = &parts[..] else { return };
    let sides = |part: &Part| part.grade.is_none() && part.side().is_some();
    let degree = |part: &Part| part.grade.is_some() && part.sides.is_none();
    if sides(a) && sides(b) && a.sides != b.sides && degree(c) && degree(d) {
        let (first, second) = (a.sides, b.sides);
        parts.drain(..2);
        parts[0].sides = first;
        parts[1].sides = second;
    }
}

/// Gives parts that have no degree the one after them: "left and right severe". In "present on
/// the right and moderate on the left" the degree leads its own side and reaches no other.
pub(super) fn fill_backward(parts: &mut [Part]) {
    let first = parts.iter().find(|part| {
        part.grade.is_some() && part.sides.is_some() && part.degree != part.marks.first().copied()
    });
    if let Some((grade, degree, hedged)) = first.map(|p| (p.grade, p.degree, p.hedged)) {
        for part in parts.iter_mut().filter(|part| part.grade.is_none()) {
            (part.grade, part.degree, part.hedged) = (grade, degree, hedged);
        }
    }
}
