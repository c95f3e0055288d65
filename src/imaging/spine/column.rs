//! The column of vertebral bodies and discs, told apart one by one.

use std::cmp::Reverse;

use super::canal::Canal;
use super::curve::{Curve, Frame, Sight};
use super::pieces::{Pieces, Reach, in_line};
use super::profile::{Joint, Profile};
use super::{by_height, sights};
use crate::imaging::geometry::{Lps, along, direction, dot, length, minus};
use crate::imaging::{Mask, Tissue};

/// The column, from head to foot.
#[derive(Debug, Clone)]
pub struct Column {
    /// Through the middles of bodies and discs.
    pub curve: Curve,
    /// The canal behind it, where there is one.
    pub canal: Option<Canal>,
    /// Where bodies meet. Body `n` is above disc `n`, and the last body below the last disc.
    pub discs: Vec<Disc>,
    /// The usual distance of discs in mm.
    pub pitch: f64,
    /// How far the image goes on below the last disc, along the curve in mm.
    pub image_below: f64,
    /// How far vertebra goes on below the last disc, along the curve in mm.
    pub vertebra_below: f64,
}

/// Where two vertebral bodies meet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Disc {
    /// How far along the curve in mm.
    pub along: f64,
    /// Its middle.
    pub centre: Lps,
    /// Its normal, to the feet.
    pub down: Lps,
    /// How much of it the mask shows, in mm of height in the column's core; 0 for a disc that must be
    /// there but is not in the mask.
    pub seen: f64,
    /// How much vertebra there is from here to the disc above, 0 to 1.
    pub body_above: f64,
}

impl Disc {
    /// With a smaller share of vertebra than this to the disc above, there is no body.
    pub(super) const NO_BODY: f64 = 0.3;

    /// Its middle and its directions.
    pub fn frame(&self) -> Frame {
        Frame::new(self.centre, self.down)
    }

    /// How far a place is below its plane, in mm; negative above it.
    pub fn below(&self, patient: Lps) -> f64 {
        dot(minus(patient, self.centre), self.down)
    }
}

impl Column {
    /// How far before and behind the curve there can be body or disc, in mm.
    const DEPTH: f64 = 45.0;
    /// How often the curve is fitted anew, to what its own normal planes show.
    const PASSES: usize = 2;

    /// The column of a mask of tissues; none where there is too little of it.
    pub fn find(mask: &Mask) -> Option<Self> {
        let canal = Canal::find(mask);
        let places = column_places(mask, canal.as_ref());
        let mut curve = match &canal {
            Some(canal) => fitted(&canal.curve, &places)?,
            None => by_height(&places)?,
        };
        for _ in 0..Self::PASSES {
            curve = fitted(&curve, &places)?;
        }
        let profile = Profile::of(mask, &curve);
        let (joints, pitch) = profile.joints();
        let is_disc = |place: &&Lps| mask.nearest(**place) == Some(Tissue::Disc.number());
        let of_discs: Vec<Lps> = places.iter().filter(is_disc).copied().collect();
        let mut discs = discs(&of_discs, &curve, &joints, &profile, pitch);
        drop_strays(&mut discs);
        let last = discs.last()?.along;
        Some(Self {
            discs,
            pitch,
            image_below: profile.seen_from(last, true),
            vertebra_below: profile.vertebra_from(last, true),
            curve,
            canal,
        })
    }
}

/// Places of discs, and of vertebrae before the canal, of the largest piece of them and of those in line
/// with it: gut and hips are taken for discs and bodies too.
fn column_places(mask: &Mask, canal: Option<&Canal>) -> Vec<Lps> {
    /// Pieces of less than this share of the largest are left out.
    const PIECE: f64 = 0.005;
    /// How far another piece may be from the course of the largest: two bodies may be missing. The
    /// canal bends as the column does.
    const REACH: Reach = Reach { off: 30.0, beyond: 85.0 };
    let disc = Tissue::Disc.number();
    let pieces = Pieces::of(mask, |value| value == disc || value == Tissue::Vertebra.number());
    let is_column = |&place: &Lps| {
        let is_disc = mask.nearest(place) == Some(disc);
        // Without a canal nothing tells bodies from what is behind them.
        canal.map_or(is_disc, |canal| may_be_column(canal, place, is_disc))
    };
    let mut pieces = pieces.places(mask, PIECE);
    pieces.iter_mut().for_each(|piece| piece.retain(is_column));
    pieces.retain(|piece| !piece.is_empty());
    pieces.sort_by_key(|piece| Reverse(piece.len()));
    let unbent = |place| canal.map_or(place, |canal| canal.unbent(place));
    in_line(pieces, REACH, unbent).unwrap_or_default()
}

/// Whether a place of disc or vertebra can be of the column, by where it is from the canal.
fn may_be_column(canal: &Canal, place: Lps, is_disc: bool) -> bool {
    /// Bodies reach so far before the canal's front, and so far beside its middle, in mm.
    const BEFORE: f64 = 52.0;
    const BESIDE: f64 = 30.0;
    /// So many mm beyond the canal's ends it is still known how far before it a place is, and how far
    /// beside it: a spine bends to the front and to the back rather than to a side.
    const BEFORE_IS_KNOWN: f64 = 15.0;
    const BESIDE_IS_KNOWN: f64 = 80.0;
    let along = canal.curve.nearest(place);
    let beyond = canal.curve.beyond(along);
    let before = canal.before_at(along, place);
    let beside = canal.curve.frame(along).offsets(place)[0].abs();
    (is_disc || before > 0.0)
        && (beyond > BEFORE_IS_KNOWN || before <= BEFORE)
        && (beyond > BESIDE_IS_KNOWN || beside <= BESIDE)
}

/// A curve through places, by how far along another curve they are.
fn fitted(curve: &Curve, places: &[Lps]) -> Option<Curve> {
    let mut guess = 0.0;
    let seen: Vec<Sight> = places
        .iter()
        .filter_map(|&at| {
            guess = curve.nearest_from(guess, at);
            (length(minus(at, curve.at(guess))) < 2.0 * Column::DEPTH)
                .then_some(Sight { along: guess, at })
        })
        .collect();
    Curve::through(&sights(&seen))
}

/// The discs of joints, each with the plane through its places.
fn discs(
    places: &[Lps],
    curve: &Curve,
    joints: &[Joint],
    profile: &Profile,
    pitch: f64,
) -> Vec<Disc> {
    let mut near: Vec<Vec<Lps>> = vec![Vec::new(); joints.len()];
    let mut guess = 0.0;
    for &patient in places {
        guess = curve.nearest_from(guess, patient);
        let frame = curve.frame(guess);
        if length(minus(patient, frame.at)) > Column::DEPTH {
            continue;
        }
        let away = |joint: &Joint| (joint.along - guess).abs();
        let nearest =
            (0..joints.len()).min_by(|&a, &b| away(&joints[a]).total_cmp(&away(&joints[b])));
        if let Some(nearest) = nearest.filter(|&nearest| away(&joints[nearest]) < 0.4 * pitch) {
            near[nearest].push(patient);
        }
    }
    let planes: Vec<(Lps, Lps)> = joints
        .iter()
        .zip(&near)
        .map(|(joint, near)| plane(curve, joint.along, if joint.disc > 0.0 { near } else { &[] }))
        .collect();
    (0..joints.len())
        .map(|place| {
            let (centre, down) = planes[place];
            let joint = joints[place];
            let above = if place == 0 { joint.along - pitch } else { joints[place - 1].along };
            let (from, to) = (above + 0.2 * pitch, joint.along - 0.2 * pitch);
            let body_above = profile.vertebra(from, to);
            Disc { along: joint.along, centre, down, seen: joint.disc, body_above }
        })
        .collect()
}

/// Takes away discs at the ends that neither a body nor a disc joins to the rest, such as a blot far
/// down in the pelvis. Where but one body is missing, its disc stays.
fn drop_strays(discs: &mut Vec<Disc>) {
    let is_gap = |disc: &Disc| disc.body_above < Disc::NO_BODY;
    let is_inferred = |disc: &Disc| disc.seen <= 0.0;
    while let [.., before, last] = discs.as_slice()
        && is_gap(last)
        && (is_inferred(last) || is_inferred(before) && is_gap(before))
    {
        discs.pop();
    }
    while let [first, next, after, ..] = discs.as_slice()
        && is_gap(next)
        && (is_inferred(first) || is_inferred(next) && is_gap(after))
    {
        discs.remove(0);
    }
}

/// The middle of places around a joint, and the normal of the plane through them: the least squares,
/// held towards the curve's own where places say little about it.
fn plane(curve: &Curve, joint: f64, places: &[Lps]) -> (Lps, Lps) {
    /// As if there were places that say it is not askew, with this much spread in mm².
    const HOLD: f64 = 4.0;
    let frame = curve.frame(joint);
    if places.is_empty() {
        return (frame.at, frame.down);
    }
    let count = places.len() as f64;
    let sum = places.iter().fold([0.0; 3], |sum, &place| along(sum, place, 1.0));
    let centre = sum.map(|sum| sum / count);
    let (mut ll, mut lf, mut ff, mut ld, mut fd) = (HOLD, 0.0, HOLD, 0.0, 0.0);
    for &place in places {
        let [left, front, down] = Frame { at: centre, ..frame }.offsets(place);
        ll += left * left / count;
        lf += left * front / count;
        ff += front * front / count;
        ld += left * down / count;
        fd += front * down / count;
    }
    let determinant = ll * ff - lf * lf;
    let (to_left, to_front) =
        ((ld * ff - fd * lf) / determinant, (fd * ll - ld * lf) / determinant);
    let normal = along(along(frame.down, frame.left, -to_left), frame.front, -to_front);
    (centre, direction(normal).unwrap_or(frame.down))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Discs from above: how much of each is seen, and of the body above it.
    fn left_of(discs: &[(f64, f64)]) -> Vec<usize> {
        let disc = |(place, &(seen, body_above)): (usize, &(f64, f64))| Disc {
            along: place as f64,
            centre: [0.0; 3],
            down: [0.0, 0.0, -1.0],
            seen,
            body_above,
        };
        let mut discs: Vec<Disc> = discs.iter().enumerate().map(disc).collect();
        drop_strays(&mut discs);
        discs.iter().map(|disc| disc.along as usize).collect()
    }

    #[test]
    fn a_blot_beyond_two_missing_bodies_is_no_disc() {
        let body = (8.0, 0.9);
        assert_eq!(left_of(&[body, body, body, (0.0, 0.1), (4.0, 0.0)]), [0, 1, 2]);
        assert_eq!(left_of(&[body, body, (0.0, 0.1), (0.0, 0.0), (4.0, 0.0)]), [0, 1]);
        assert_eq!(left_of(&[(4.0, 0.0), (0.0, 0.1), (8.0, 0.1), body, body]), [2, 3, 4]);
    }

    #[test]
    fn a_disc_below_one_missing_body_stays() {
        let body = (8.0, 0.9);
        assert_eq!(left_of(&[body, body, (8.0, 0.1)]), [0, 1, 2]);
        assert_eq!(left_of(&[body, (8.0, 0.1), body, body]), [0, 1, 2, 3]);
        assert_eq!(left_of(&[body, (0.0, 0.9), body]), [0, 1, 2], "a disc that is not seen");
    }
}
