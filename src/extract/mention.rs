//! Findings beside stenosis, and measurements, of one clause.

use super::context::{Reach, hedge, negated};
use super::finding::{Extraction, Finding, Measurement, Mention, Quantity};
use super::place::{Clause, Mark};
use super::scan::{Item, Scan, Tag};
use super::sense::{Anatomy, Change, Sense, Sides};
use crate::label::{Certainty, Level, LevelSet, Side, Span};

/// Adds the mentions and measurements of a clause about `levels` to `out`.
pub(super) fn read(
    scan: &Scan,
    text: &str,
    clause: &Clause,
    levels: LevelSet,
    out: &mut Extraction,
) {
    for (at, mark) in clause.marks.iter().enumerate() {
        let finding = match mark {
            Mark::Tag(Tag::Term(Sense::Finding(finding))) => Some(*finding),
            Mark::Tag(Tag::Term(Sense::Root)) => root_finding(clause, at),
            _ => None,
        };
        if let Some(finding) = finding {
            let reach = Reach { head: at, first: at, last: at, trailing: &[], wide: false };
            let negated = negated(clause, reach);
            let certainty =
                if hedge(clause, reach).is_some() { Certainty::Hedged } else { Certainty::Stated };
            let mention = |level| Mention {
                finding,
                level,
                side: side_of(clause, at),
                class: class_of(scan, text, clause, at, finding),
                negated,
                certainty,
                span: scan.span(clause.items[at]),
            };
            out.mentions.extend(each(levels).map(mention));
        }
        if let Some((quantity, value, span)) = measurement(scan, text, clause, at) {
            let measured = each(levels).map(|level| Measurement { quantity, level, value, span });
            out.measurements.extend(measured);
        }
    }
}

/// Every level, or one "no level" where there is none.
fn each(levels: LevelSet) -> impl Iterator<Item = Option<Level>> {
    let none = levels.is_empty().then_some(None);
    levels.iter().map(Some).collect::<Vec<_>>().into_iter().chain(none)
}

/// What a clause says of the nerve root at `at`.
fn root_finding(clause: &Clause, at: usize) -> Option<Finding> {
    let change = |i: usize| match clause.marks.get(i) {
        Some(Mark::Tag(Tag::Term(Sense::Change(change, _)))) => Some(*change),
        _ => None,
    };
    let near =
        |i: &usize| !matches!(clause.marks[*i], Mark::Tag(Tag::Term(Sense::With | Sense::But)));
    let found =
        change(at + 1).or_else(|| (0..at).rev().take(8).take_while(near).find_map(change))?;
    Some(match found {
        Change::Contact => Finding::NerveRootContact,
        _ => Finding::NerveRootCompression,
    })
}

/// The one side of the noun at `at`, said right before it.
fn side_of(clause: &Clause, at: usize) -> Option<Side> {
    let mut found = None;
    for mark in clause.marks[..at].iter().rev().take(6) {
        match mark {
            Mark::Tag(Tag::Term(Sense::Side(sides))) => {
                found = match (found, sides) {
                    (None, Sides::Left) => Some(Side::Left),
                    (None, Sides::Right) => Some(Side::Right),
                    _ => return None,
                }
            }
            Mark::Tag(
                Tag::Other
                | Tag::Comma
                | Tag::Term(Sense::Filler | Sense::Degree(_) | Sense::Anatomy(..) | Sense::And),
            ) => {}
            _ => break,
        }
    }
    found
}

/// "grade 2 anterolisthesis", "Modic type II": the number near the finding.
fn class_of(scan: &Scan, text: &str, clause: &Clause, at: usize, finding: Finding) -> Option<u8> {
    let most = match finding {
        Finding::Listhesis => 5,
        Finding::ModicChange => 3,
        _ => return None,
    };
    let number = |i: usize| {
        let item = clause.items.get(i)?;
        matches!(clause.marks[i], Mark::Tag(Tag::Number | Tag::Other)).then_some(())?;
        let class = match &text[scan.span(*item).range()] {
            "1" | "I" | "i" => 1,
            "2" | "II" | "ii" => 2,
            "3" | "III" | "iii" => 3,
            "4" | "IV" | "iv" => 4,
            "5" | "V" | "v" => 5,
            _ => return None,
        };
        (class <= most).then_some(class)
    };
    let before = (at.saturating_sub(2)..at).rev().find_map(number);
    before.or_else(|| (at + 1..at + 4).find_map(number))
}

/// A length of the canal or sac: the number at `at` with its unit.
fn measurement(
    scan: &Scan,
    text: &str,
    clause: &Clause,
    at: usize,
) -> Option<(Quantity, f32, Span)> {
    const REACH: usize = 8;
    if clause.marks[at] != Mark::Tag(Tag::Number) {
        return None;
    }
    let words = |i: usize| clause.items.get(i).map(|item| &text[scan.span(*item).range()]);
    let (factor, area) = match words(at + 1)?.to_ascii_lowercase().as_str() {
        "mm" => (1.0, false),
        "cm" => (10.0, false),
        "sqmm" => (1.0, true),
        _ => return None,
    };
    // "75 mm2", but not "9 mm 2 cm below".
    let squared = matches!(words(at + 2), Some("2" | "²"))
        && !scan.tokens[clause.items[at + 2].first as usize].spaced;
    let area = area || squared;
    let anatomy = (0..at).rev().take(REACH).find_map(|i| match clause.marks[i] {
        Mark::Tag(Tag::Term(Sense::Anatomy(anatomy, _))) => Some(Some(anatomy)),
        Mark::Tag(Tag::Term(Sense::Finding(_) | Sense::Noun | Sense::Root)) => Some(None),
        _ => None,
    });
    let after = || {
        (at + 2..at + REACH).find_map(|i| match clause.marks.get(i)? {
            Mark::Tag(Tag::Term(Sense::Anatomy(anatomy, _))) => Some(Some(*anatomy)),
            Mark::Tag(Tag::Term(Sense::Finding(_) | Sense::Noun | Sense::Root)) => Some(None),
            _ => None,
        })
    };
    let quantity = match (anatomy.or_else(after)??, area) {
        (Anatomy::Canal | Anatomy::Sac, true) => Quantity::SacArea,
        (Anatomy::Canal, false) => Quantity::CanalDiameter,
        (Anatomy::Sac, false) => Quantity::SacDiameter,
        _ => return None,
    };
    let span = scan.span(Item { end: clause.items[at + 1].end, ..clause.items[at] });
    let value: f32 = words(at)?.parse().ok()?;
    Some((quantity, value * factor, span))
}

/// Whether a finding is a lesion of the disc, which rule 17 goes by.
const fn is_lesion(finding: Finding) -> bool {
    matches!(
        finding,
        Finding::Bulge | Finding::Protrusion | Finding::Extrusion | Finding::Sequestration
    )
}

/// Whether a sentence has a disc lesion.
pub(super) fn has_lesion(items: &[Item]) -> bool {
    items.iter().any(|item| matches!(item.tag, Tag::Term(Sense::Finding(f)) if is_lesion(f)))
}

/// Whether a side stands at `at` and is said of no structure after it: "prolapse L4-5 right with ...".
fn is_side_alone(items: &[Item], at: usize) -> bool {
    let tag = |i: usize| items.get(i).map(|item| item.tag);
    matches!(tag(at), Some(Tag::Term(Sense::Side(_))))
        && matches!(
            tag(at + 1),
            None | Some(Tag::Comma | Tag::Stop | Tag::Term(Sense::With | Sense::Causing))
        )
}

/// The side of the disc lesion of a sentence, where it has exactly one: "left paracentral",
/// "central and to the left". A diffuse one has both.
pub(super) fn lesion_side(items: &[Item]) -> Option<Side> {
    const REACH: usize = 9;
    let mut sides = Vec::new();
    for (at, item) in items.iter().enumerate() {
        if !matches!(item.tag, Tag::Term(Sense::Finding(finding)) if is_lesion(finding)) {
            continue;
        }
        for before in items[..at].iter().rev().take(REACH) {
            match before.tag {
                Tag::Term(Sense::Side(side)) => sides.push(side),
                Tag::Term(Sense::Diffuse | Sense::Worse) => sides.push(Sides::Both),
                Tag::Other
                | Tag::Comma
                | Tag::Dash
                | Tag::Slash
                | Tag::Number
                | Tag::Term(
                    Sense::Filler
                    | Sense::Degree(_)
                    | Sense::Anatomy(..)
                    | Sense::And
                    | Sense::To
                    | Sense::Through
                    | Sense::Disc
                    | Sense::Finding(_)
                    | Sense::Noun
                    | Sense::Of
                    | Sense::Over,
                ) => {}
                _ => break,
            }
        }
        // "protrusion lies centrally and to the left", but not "bulge, more to the left".
        for after in items[at + 1..].iter().take(REACH) {
            match after.tag {
                Tag::Term(Sense::Side(side)) => sides.push(side),
                Tag::Levels(_) if is_side_alone(items, at + 2) => {}
                Tag::Other
                | Tag::Term(
                    Sense::Filler
                    | Sense::And
                    | Sense::Be
                    | Sense::Of
                    | Sense::Over
                    | Sense::To
                    | Sense::Anatomy(_, super::sense::Form::Adjective),
                ) => {}
                _ => break,
            }
        }
        if items[at + 1..].iter().take(5).any(|i| i.tag == Tag::Term(Sense::Worse)) {
            sides.push(Sides::Both);
        }
    }
    let all = |wanted: Sides| !sides.is_empty() && sides.iter().all(|&side| side == wanted);
    if all(Sides::Left) {
        Some(Side::Left)
    } else if all(Sides::Right) {
        Some(Side::Right)
    } else {
        None
    }
}
