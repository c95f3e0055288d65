//! What there is along the column's curve: discs as peaks, vertebral bodies between them.

use super::curve::Curve;
use crate::imaging::geometry::along;
use crate::imaging::{Mask, Tissue, median};

/// Shares of tissues in the core of the column, half a millimetre after half a millimetre.
#[derive(Debug, Clone)]
pub(super) struct Profile {
    /// How far along the curve the first bin is, in mm.
    start: f64,
    /// The share of vertebra.
    vertebra: Vec<f64>,
    /// The share of disc.
    disc: Vec<f64>,
    /// Whether the image shows it.
    seen: Vec<bool>,
}

/// Where two vertebral bodies meet: at a disc that is seen, or at one that must be there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Joint {
    /// How far along the curve in mm.
    pub along: f64,
    /// How much disc there is, in mm of full discs; 0 where none is seen.
    pub disc: f64,
}

impl Profile {
    const STEP: f64 = 0.5;
    /// The core is so many mm wide on all sides.
    const CORE: f64 = 9.0;
    /// How far beyond the curve's ends is looked, in mm.
    const BEYOND: f64 = 40.0;

    /// Looks at a mask along a curve.
    pub fn of(mask: &Mask, curve: &Curve) -> Self {
        let start = -Self::BEYOND;
        let count = ((curve.length() + 2.0 * Self::BEYOND) / Self::STEP) as usize;
        let mut profile = Self { start, vertebra: vec![], disc: vec![], seen: vec![] };
        for bin in 0..count {
            let frame = curve.frame(start + bin as f64 * Self::STEP);
            let (mut inside, mut vertebra, mut disc) = (0.0, 0.0, 0.0);
            let mut all = 0.0;
            for beside in -6..=6 {
                for before in -9..=9 {
                    let (beside, before) = (f64::from(beside) * 1.5, f64::from(before));
                    if beside.hypot(before) > Self::CORE {
                        continue;
                    }
                    all += 1.0;
                    let at = along(along(frame.at, frame.left, beside), frame.front, before);
                    let Some(value) = mask.nearest(at) else { continue };
                    inside += 1.0;
                    vertebra += f64::from(value == Tissue::Vertebra.number());
                    disc += f64::from(value == Tissue::Disc.number());
                }
            }
            // A single slice shows but a strip of the core.
            let seen = inside >= 0.04 * all;
            profile.seen.push(seen);
            profile.vertebra.push(if seen { vertebra / inside } else { 0.0 });
            profile.disc.push(if seen { disc / inside } else { 0.0 });
        }
        profile
    }

    /// The mean share of vertebra between two places.
    pub fn vertebra(&self, from: f64, to: f64) -> f64 {
        let (from, to) = (self.bin(from), self.bin(to));
        let bins = &self.vertebra[from..to.max(from + 1)];
        bins.iter().sum::<f64>() / bins.len() as f64
    }

    /// How far the image goes on from a place, in mm, to the feet or to the head.
    pub fn seen_from(&self, place: f64, down: bool) -> f64 {
        let bin = self.bin(place);
        let count = match down {
            true => self.seen[bin..].iter().take_while(|seen| **seen).count(),
            false => self.seen[..=bin].iter().rev().take_while(|seen| **seen).count(),
        };
        count as f64 * Self::STEP
    }

    /// How far vertebra goes on from a place in or beside a disc, in mm, over gaps of less than 4 mm.
    pub fn vertebra_from(&self, place: f64, down: bool) -> f64 {
        const GAP: usize = 8;
        const SHARE: f64 = 0.3;
        let bin = self.bin(place);
        let bins: Vec<usize> = match down {
            true => (bin..self.vertebra.len()).collect(),
            false => (0..=bin).rev().collect(),
        };
        let (mut last, mut gap) = (0, 0);
        for (count, &bin) in bins.iter().enumerate() {
            let is_column = self.vertebra[bin] + self.disc[bin] >= SHARE;
            gap = if is_column { 0 } else { gap + 1 };
            if self.vertebra[bin] >= SHARE {
                last = count + 1;
            } else if gap > GAP {
                break;
            }
        }
        last as f64 * Self::STEP
    }

    /// All joints from head to foot, and the usual distance between them.
    pub fn joints(&self) -> (Vec<Joint>, f64) {
        let mut joints = self.peaks();
        let pitch = self.pitch(&joints);
        self.without_blots(&mut joints, pitch);
        without_extra(&mut joints, pitch);
        let mut all = Vec::with_capacity(joints.len());
        for (place, joint) in joints.iter().enumerate() {
            if place > 0 {
                let near = local_pitch(&joints, place, pitch);
                all.extend(self.between(joints[place - 1].along, joint.along, near));
            }
            all.push(*joint);
        }
        self.go_on(&mut all, pitch);
        (all, pitch)
    }

    /// Drops what is little of a disc and hangs together with no vertebra, at the ends, but where the
    /// next disc is expected.
    fn without_blots(&self, joints: &mut Vec<Joint>, pitch: f64) {
        const LITTLE: f64 = 0.4;
        const FEW: f64 = 0.3;
        const EXPECTED: std::ops::Range<f64> = 0.75..1.25;
        let usual = median(joints.iter().map(|joint| joint.disc).collect()).unwrap_or(0.0);
        let is_blot = |end: &Joint, next: &Joint| {
            let (from, to) = (end.along.min(next.along) + 5.0, end.along.max(next.along) - 5.0);
            end.disc < LITTLE * usual
                && (to <= from || self.vertebra(from, to) < FEW)
                && !EXPECTED.contains(&((end.along - next.along).abs() / pitch))
        };
        while let [.., next, end] = joints[..] {
            if !is_blot(&end, &next) {
                break;
            }
            joints.pop();
        }
        while let [end, next, ..] = joints[..] {
            if !is_blot(&end, &next) {
                break;
            }
            joints.remove(0);
        }
    }

    /// Where there is most disc.
    fn peaks(&self) -> Vec<Joint> {
        const LEAST: f64 = 0.1;
        const APART: usize = 18;
        let smooth = gaussian(&self.disc, 1.5 / Self::STEP);
        let mut peaks: Vec<usize> = (1..smooth.len().saturating_sub(1))
            .filter(|&bin| {
                let near = bin.saturating_sub(APART)..(bin + APART + 1).min(smooth.len());
                smooth[bin] >= LEAST
                    && near.clone().all(|other| {
                        smooth[other] < smooth[bin]
                            || (smooth[other] == smooth[bin] && other >= bin)
                    })
            })
            .collect();
        peaks.dedup();
        peaks.into_iter().map(|bin| self.joint(bin, APART)).collect()
    }

    /// The joint around a bin: where the middle of its disc is.
    fn joint(&self, bin: usize, apart: usize) -> Joint {
        let near = bin.saturating_sub(apart / 2)..(bin + apart / 2 + 1).min(self.disc.len());
        let disc: f64 = self.disc[near.clone()].iter().sum();
        let middle: f64 = near.map(|bin| bin as f64 * self.disc[bin]).sum();
        Joint { along: self.start + middle / disc * Self::STEP, disc: disc * Self::STEP }
    }

    /// The usual distance of joints. Joints that were not seen make some distances twice as long.
    fn pitch(&self, joints: &[Joint]) -> f64 {
        const USUAL: f64 = 34.0;
        const POSSIBLE: std::ops::Range<f64> = 18.0..50.0;
        let gaps: Vec<f64> = joints.windows(2).map(|pair| pair[1].along - pair[0].along).collect();
        let candidates = gaps.iter().flat_map(|gap| [*gap, gap / 2.0]);
        let unlikely = |pitch: f64| -> f64 {
            let misfit = |gap: &f64| {
                let times = (gap / pitch).round().max(1.0);
                (gap / pitch / times - 1.0).abs().min(0.5) + 0.2 * (times - 1.0).min(3.0)
            };
            gaps.iter().map(misfit).sum::<f64>() / gaps.len() as f64
                + 0.3 * (pitch / USUAL).ln().abs()
        };
        candidates
            .filter(|pitch| POSSIBLE.contains(pitch))
            .min_by(|a, b| unlikely(*a).total_cmp(&unlikely(*b)))
            .unwrap_or(USUAL)
    }

    /// Joints that must be between two others that are too far apart, where there is least
    /// vertebra.
    fn between(&self, from: f64, to: f64, pitch: f64) -> Vec<Joint> {
        let parts = ((to - from) / pitch).round().max(1.0);
        (1..parts as usize)
            .map(|part| {
                let expected = from + (to - from) * part as f64 / parts;
                Joint { along: self.thinnest(expected, pitch), disc: 0.0 }
            })
            .collect()
    }

    /// Where near a place there is least vertebra, rather nearer than further.
    fn thinnest(&self, expected: f64, pitch: f64) -> f64 {
        const REACH: f64 = 0.25;
        let smooth = gaussian(&self.vertebra, 1.0 / Self::STEP);
        let bins = self.bin(expected - REACH * pitch)..self.bin(expected + REACH * pitch) + 1;
        let place = |bin: usize| self.start + bin as f64 * Self::STEP;
        let cost = |bin: usize| smooth[bin] + ((place(bin) - expected) / pitch).powi(2);
        bins.min_by(|a, b| cost(*a).total_cmp(&cost(*b))).map_or(expected, place)
    }

    /// Joints beyond the first and the last disc, where vertebra goes on for longer than one body.
    fn go_on(&self, joints: &mut Vec<Joint>, pitch: f64) {
        const MORE_THAN_ONE: f64 = 1.25;
        for down in [false, true] {
            while let Some(end) = if down { joints.last() } else { joints.first() }.copied() {
                let more = self.vertebra_from(end.along, down);
                if more < MORE_THAN_ONE * pitch || joints.len() > 40 {
                    break;
                }
                let expected = end.along + if down { pitch } else { -pitch };
                let joint = Joint { along: self.thinnest(expected, pitch), disc: 0.0 };
                joints.insert(if down { joints.len() } else { 0 }, joint);
            }
        }
    }

    fn bin(&self, place: f64) -> usize {
        let bin = ((place - self.start) / Self::STEP).round().max(0.0) as usize;
        bin.min(self.vertebra.len() - 1)
    }
}

/// Drops the weaker of two joints that are too near to each other to have a body between them.
fn without_extra(joints: &mut Vec<Joint>, pitch: f64) {
    const TOO_NEAR: f64 = 0.5;
    while let Some(place) =
        joints.windows(2).position(|pair| pair[1].along - pair[0].along < TOO_NEAR * pitch)
    {
        let weaker = if joints[place].disc < joints[place + 1].disc { place } else { place + 1 };
        joints.remove(weaker);
    }
}

/// The usual distance near the gap before a joint: bodies grow from head to foot.
fn local_pitch(joints: &[Joint], place: usize, pitch: f64) -> f64 {
    let near = place.saturating_sub(3)..(place + 2).min(joints.len() - 1);
    let gaps = near.map(|first| joints[first + 1].along - joints[first].along);
    let single: Vec<f64> = gaps.filter(|gap| (0.7..1.35).contains(&(gap / pitch))).collect();
    median(single).unwrap_or(pitch)
}

/// Smoothed by a normal curve of so many bins' deviation.
fn gaussian(values: &[f64], deviation: f64) -> Vec<f64> {
    let reach = (3.0 * deviation).ceil() as i64;
    let weight = |off: i64| (-0.5 * (off as f64 / deviation).powi(2)).exp();
    let whole: f64 = (-reach..=reach).map(weight).sum();
    (0..values.len() as i64)
        .map(|bin| {
            let near = (-reach..=reach).filter_map(|off| {
                let value = values.get(usize::try_from(bin + off).ok()?)?;
                Some(weight(off) * value)
            });
            near.sum::<f64>() / whole
        })
        .collect()
}
