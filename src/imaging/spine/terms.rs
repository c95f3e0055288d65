//! What the parts of a spine are called outside: SNOMED CT as DICOM lists it (PS3.16, context groups
//! 7603 and 7604).

use super::designate::Naming;
use super::parts::Part;
use crate::imaging::dicom_seg::{Code, Segment};
use crate::label::Level;

const VERTEBRAE: [(&str, &str, &str); 9] = [
    ("T9", "82687006", "T9 vertebra"),
    ("T10", "7610001", "T10 vertebra"),
    ("T11", "12989004", "T11 vertebra"),
    ("T12", "23215003", "T12 vertebra"),
    ("L1", "66794005", "L1 vertebra"),
    ("L2", "14293000", "L2 vertebra"),
    ("L3", "36470004", "L3 vertebra"),
    ("L4", "11994002", "L4 vertebra"),
    ("L5", "49668003", "L5 vertebra"),
];

const DISCS: [(Level, &str, &str); 9] = [
    (Level::T9T10, "113209001", "T9/T10 disc"),
    (Level::T10T11, "34959001", "T10/T11 disc"),
    (Level::T11T12, "1537001", "T11/T12 disc"),
    (Level::T12L1, "76206002", "T12/L1 disc"),
    (Level::L1L2, "80064006", "L1/L2 disc"),
    (Level::L2L3, "67459009", "L2/L3 disc"),
    (Level::L3L4, "62551000", "L3/L4 disc"),
    (Level::L4L5, "84020006", "L4/L5 disc"),
    (Level::L5S1, "715056000", "L5/S1 disc"),
];

const VERTEBRA: Code = sct("51282000", "Vertebra");
const DISC: Code = sct("360499006", "Intervertebral disc");
const CANAL: Code = sct("61853006", "Spinal canal");

const fn sct(value: &'static str, meaning: &'static str) -> Code {
    Code { scheme: "SCT", value, meaning }
}

/// All parts that the discs of a column can have, from head to foot, and the canal. What a level is
/// called decides what its disc and the vertebra above it are called; without a name they have their
/// number from below.
pub fn segments(naming: &Naming) -> Vec<Segment> {
    let count = naming.levels.len();
    let mut segments = Vec::with_capacity(2 * count + 2);
    for (place, named) in naming.levels.iter().enumerate() {
        let from_below = (count - place) as u8;
        let (upper, _) = ends(named.level);
        segments.push(vertebra(Part::Vertebra(from_below), upper, from_below));
        segments.push(Segment {
            value: Part::Disc(from_below).number(),
            label: named.level.map_or_else(|| format!("disc {from_below}"), |l| l.to_string()),
            code: disc(named.level),
        });
    }
    let (_, lower) = ends(naming.levels.last().and_then(|named| named.level));
    segments.push(vertebra(Part::VertebraBelow, lower, 0));
    segments.push(Segment {
        value: Part::Canal.number(),
        label: "spinal canal".to_owned(),
        code: CANAL,
    });
    segments
}

/// The vertebrae above and below a level.
fn ends(level: Option<Level>) -> (Option<&'static str>, Option<&'static str>) {
    level.and_then(|level| level.name().split_once('-')).unzip()
}

fn vertebra(part: Part, name: Option<&'static str>, from_below: u8) -> Segment {
    let row = VERTEBRAE.iter().find(|row| Some(row.0) == name);
    Segment {
        value: part.number(),
        label: name.map_or_else(|| format!("vertebra {from_below}"), str::to_owned),
        code: row.map_or(VERTEBRA, |(_, value, meaning)| sct(value, meaning)),
    }
}

fn disc(level: Option<Level>) -> Code {
    let row = DISCS.iter().find(|row| Some(row.0) == level);
    row.map_or(DISC, |(_, value, meaning)| sct(value, meaning))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::spine::Named;

    #[test]
    fn parts_are_called_after_their_levels() {
        let named = |level| Named { level, confidence: 1.0 };
        let levels = [None, Some(Level::L4L5), Some(Level::L5S1)].map(named).to_vec();
        let naming = Naming { levels, candidates: Vec::new(), doubts: Vec::new() };
        let all = segments(&naming);
        let shown: Vec<String> =
            all.iter().map(|s| format!("{} {}: {}", s.value, s.label, s.code.meaning)).collect();
        assert_eq!(
            shown,
            [
                "3 vertebra 3: Vertebra",
                "203 disc 3: Intervertebral disc",
                "2 L4: L4 vertebra",
                "202 L4-L5: L4/L5 disc",
                "1 L5: L5 vertebra",
                "201 L5-S1: L5/S1 disc",
                "99 S1: Vertebra",
                "100 spinal canal: Spinal canal",
            ]
        );
    }
}
