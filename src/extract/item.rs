//! Passes over the items of a text: dictated signs, lost line ends, and levels and degrees that
//! belong together.

use super::level::Levels;
use super::scan::{Item, Tag};
use super::sense::Sense;
use super::token::Token;
use crate::label::Grade;

/// Dictated punctuation becomes punctuation where a text has enough of it to be dictated;
/// otherwise "period" is a word like any other.
pub(super) fn hear_dictation(items: &mut [Item]) {
    let spoken = |item: &&mut Item| matches!(item.tag, Tag::Term(Sense::Spoken(_)));
    let dictated = items.iter_mut().filter(spoken).count() >= 2;
    for item in items.iter_mut().filter(spoken) {
        item.tag = match item.tag {
            Tag::Term(Sense::Spoken(_)) if !dictated => Tag::Other,
            Tag::Term(Sense::Spoken('.')) => Tag::Stop,
            Tag::Term(Sense::Spoken(',')) => Tag::Comma,
            Tag::Term(Sense::Spoken(':')) => Tag::Colon,
            Tag::Term(Sense::Spoken(';')) => Tag::Semicolon,
            Tag::Term(Sense::Spoken('-')) => Tag::Dash,
            Tag::Term(Sense::Spoken('/')) => Tag::Slash,
            _ => Tag::Paragraph,
        };
    }
}

/// A side in brackets of its own, or a degree after its level, stands where it would without them: "(L)
/// foramen narrowed", "L4-5 (mild) and L5-S1 (moderate) stenosis".
pub(super) fn unwrap_brackets(items: &mut Vec<Item>) {
    let mut kept = 0;
    let mut at = 0;
    while at < items.len() {
        let mut item = items[at];
        let is_after_level = items[..kept]
            .iter()
            .rfind(|item| item.tag != Tag::Term(Sense::LevelWord))
            .is_some_and(|item| matches!(item.tag, Tag::Levels(_)));
        if let [open, inside, close, ..] = items[at..]
            && (open.tag, close.tag) == (Tag::Open, Tag::Close)
            && (matches!(inside.tag, Tag::Term(Sense::Side(_)))
                || (is_after_level && degree_of(inside.tag).is_some()))
        {
            item = Item { tag: inside.tag, first: open.first, end: close.end };
            at += 2;
        }
        items[kept] = item;
        kept += 1;
        at += 1;
    }
    items.truncate(kept);
}

/// Where what is said of one level after the other has no punctuation, as in dictations that nobody has
/// read, a sentence ends before each "at" that begins a level.
pub(super) fn part_run_on_levels(items: &mut [Item]) {
    const LONG: usize = 25;
    let ends = |item: &Item| matches!(item.tag, Tag::Newline | Tag::Paragraph | Tag::Stop);
    for sentence in items.split_mut(ends).filter(|sentence| is_run_on(sentence, LONG)) {
        for at in 0..sentence.len() - 1 {
            let is_level = matches!(sentence[at + 1].tag, Tag::Levels(_));
            if is_level && sentence[at].tag == Tag::Term(Sense::Of) {
                sentence[at].tag = Tag::Stop;
            }
        }
    }
}

/// Whether a sentence of at least `long` items without punctuation names several levels, and tells nothing
/// before the first of them: each then begins what is told of it.
pub(super) fn is_run_on(sentence: &[Item], long: usize) -> bool {
    const MANY: usize = 3;
    let is_sign = |item: &Item| matches!(item.tag, Tag::Comma | Tag::Colon | Tag::Semicolon);
    let is_level = |item: &Item| matches!(item.tag, Tag::Levels(_));
    let tells = |item: &Item| matches!(item.tag, Tag::Term(Sense::Change(..)));
    let Some(first) = sentence.iter().position(is_level) else { return false };
    sentence.len() >= long
        && sentence.iter().filter(|item| is_level(item)).count() >= MANY
        && !sentence.iter().any(|item| is_sign(item) || item.tag == Tag::Border)
        && !sentence[..first].iter().any(tells)
}

/// Levels that a phrase of several words lists together: "L4-5 as well as L3-4". Single words between
/// levels are the grammar's.
pub(super) fn join_levels(items: &mut Vec<Item>, levels: &mut [Levels]) {
    let mut kept = 0;
    let mut at = 0;
    let mut is_told = false;
    while at < items.len() {
        let mut item = items[at];
        match item.tag {
            Tag::Stop | Tag::Newline | Tag::Paragraph | Tag::Semicolon => is_told = false,
            Tag::Term(Sense::Change(..) | Sense::Finding(_) | Sense::Normal | Sense::Patent) => {
                is_told = true
            }
            _ => {}
        }
        while let Tag::Levels(index) = item.tag
            && let Some((further, used)) = listed(&items[at..], is_told)
        {
            let further = std::mem::take(&mut levels[further as usize]);
            levels[index as usize].extend(further);
            item.end = items[at + used].end;
            at += used;
        }
        items[kept] = item;
        kept += 1;
        at += 1;
    }
    items.truncate(kept);
}

/// The levels that the first item's list goes on with, and how many items after the first they end at.
/// Where the sentence has told something of the first (`is_told`), further levels that something else is
/// told of do not belong to them: "stenosis at L4-5 as well as L5-S1 foraminal narrowing".
fn listed(items: &[Item], is_told: bool) -> Option<(u32, usize)> {
    let tells = |item: &Item| {
        let Tag::Term(sense) = item.tag else { return false };
        matches!(
            sense,
            Sense::Degree(_)
                | Sense::Side(_)
                | Sense::Anatomy(..)
                | Sense::Change(..)
                | Sense::Finding(_)
                | Sense::Noun
                | Sense::Not
                | Sense::None
                | Sense::Normal
                | Sense::Patent
        )
    };
    let mut is_listed = false;
    let is_wrap = |at: usize| {
        let is_and = |at: usize| items.get(at).is_some_and(|i| i.tag == Tag::Term(Sense::And));
        is_and(at - 1) || is_and(at + 1)
    };
    for (at, item) in items.iter().enumerate().skip(1) {
        match item.tag {
            Tag::Newline if is_wrap(at) => {}
            Tag::Term(Sense::And) => is_listed |= item.end - item.first > 1,
            Tag::Comma | Tag::Term(Sense::LevelWord | Sense::Disc) => {}
            Tag::Term(Sense::To | Sense::Of | Sense::Filler) if is_listed => {}
            Tag::Levels(index) if is_listed => {
                let disc = usize::from(
                    items.get(at + 1).is_some_and(|item| item.tag == Tag::Term(Sense::Disc)),
                );
                let has_own = is_told && items.get(at + 1 + disc).is_some_and(tells);
                return (!has_own).then_some((index, at));
            }
            _ => break,
        }
    }
    None
}

/// Where a line has many slashes set apart, they stand for the line ends that it lost.
pub(super) fn part_run_on_lines(items: &mut [Item], tokens: &[Token]) {
    const MANY: usize = 4;
    let is_apart = |item: &Item| {
        let next = tokens.get(item.end as usize);
        item.tag == Tag::Slash
            && tokens[item.first as usize].spaced
            && next.is_some_and(|t| t.spaced)
    };
    for line in items.split_mut(|item| matches!(item.tag, Tag::Newline | Tag::Paragraph)) {
        if line.iter().filter(|item| is_apart(item)).count() >= MANY {
            line.iter_mut()
                .filter(|item| is_apart(item))
                .for_each(|item| item.tag = Tag::Paragraph);
        }
    }
}

/// Joins two degrees to one: "mild to moderate", "mild/moderate", and "from mild to moderate",
/// whose second is the present one (rules 1, 18).
pub(super) fn fold_degrees(items: &mut Vec<Item>, spaced: impl Fn(Item) -> bool) {
    let mut kept = 0;
    let mut at = 0;
    while at < items.len() {
        let mut item = items[at];
        if let Some((tag, used)) = joined_degree(&items[at..], &spaced) {
            item = Item { tag, first: item.first, end: items[at + used - 1].end };
            at += used - 1;
        }
        items[kept] = item;
        kept += 1;
        at += 1;
    }
    items.truncate(kept);
}

fn joined_degree(items: &[Item], spaced: &impl Fn(Item) -> bool) -> Option<(Tag, usize)> {
    let degree = |i: usize| items.get(i).and_then(|item| degree_of(item.tag));
    let joins = |i: usize| {
        matches!(
            items.get(i).map(|item| item.tag),
            Some(Tag::Term(Sense::To | Sense::Through) | Tag::Dash)
        ) || items.get(i).is_some_and(|item| item.tag == Tag::Slash && !spaced(*item))
    };
    if matches!(items[0].tag, Tag::Term(Sense::From | Sense::Progressed))
        && let Some(grade) = items.get(1).and_then(|item| upper_of(item.tag))
    {
        return Some((Tag::Term(Sense::Degree(grade)), 2));
    }
    if items[0].tag == Tag::Term(Sense::From) {
        let to = if joins(2) { 3 } else { 2 };
        if degree_or_none(items.get(1)?.tag) && degree(to).is_some() && joins(2) {
            return Some((items[to].tag, to + 1));
        }
        return None;
    }
    let low = degree(0)?;
    // "mild-mod": only a hyphen, which is no item, stands between.
    if let Some(high) = degree(1)
        && items[1].first > items[0].end
        && !spaced(items[1])
    {
        return Some((Tag::Term(Sense::Degree(between(low, high))), 2));
    }
    let high = joins(1).then(|| degree(2)).flatten()?;
    Some((Tag::Term(Sense::Degree(between(low, high))), 3))
}

/// The second degree of a phrase such as "mild to moderate", which is the present one after
/// "progressed from".
fn upper_of(tag: Tag) -> Option<Grade> {
    match tag {
        Tag::Term(Sense::Degree(Grade::MildModerate)) => Some(Grade::Moderate),
        Tag::Term(Sense::Degree(Grade::ModerateSevere)) => Some(Grade::Severe),
        _ => None,
    }
}

fn degree_or_none(tag: Tag) -> bool {
    degree_of(tag).is_some() || matches!(tag, Tag::Term(Sense::None | Sense::Normal))
}

/// The grade that a word of degree says when no negation is about.
pub(super) fn degree_of(tag: Tag) -> Option<Grade> {
    match tag {
        Tag::Term(Sense::Degree(grade)) => Some(grade),
        Tag::Term(Sense::Significant) => Some(Grade::Severe),
        Tag::Term(Sense::Borderline) => Some(Grade::Mild),
        _ => None,
    }
}

/// The grade of a range of two: the half grade between neighbours, else the higher one.
fn between(low: Grade, high: Grade) -> Grade {
    let (low, high) = if low.rank() <= high.rank() { (low, high) } else { (high, low) };
    match (low, high) {
        (Grade::Mild, Grade::Moderate) => Grade::MildModerate,
        (Grade::Moderate, Grade::Severe) => Grade::ModerateSevere,
        _ => high,
    }
}
