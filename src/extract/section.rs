//! Sections: the headings of a report, what counts under them, and which part of the body it is
//! about.

use std::ops::Range;

use super::finding::{Section, SectionSpan};
use super::layout::{Line, Physical, bullet_items, label_end};
use super::scan::{Item, Scan, Tag};
use super::sense::{Region, Sense};
use super::token::Kind;
use super::vocabulary::Vocabulary;
use crate::label::Span;

/// Cuts a line at the headings in it and adds what is left to `lines`.
pub(super) fn split_headings(
    scan: &Scan,
    vocabulary: &Vocabulary,
    text: &str,
    start: Physical,
    lines: &mut Vec<Line>,
) {
    let Physical { mut first, end, start: line_start, mut from, .. } = start;
    let mut after_blank = start.after_blank;
    let mut bullet = None;
    if let Some(n) = bullet_items(&scan.items[first..end]) {
        bullet = Some(start.indent);
        first += n;
    } else if is_bullet_mark(scan, text, &scan.items[first..end]) {
        bullet = Some(start.indent);
        first += 1;
    }
    let mut at = first;
    let mut opened = None;
    while at < end {
        let begins = at == first
            || matches!(scan.items[at - 1].tag, Tag::Stop | Tag::Semicolon | Tag::Border)
            || is_capital_label(scan, text, &scan.items[at..end]);
        if begins
            && let Some((section, body)) = heading(scan, vocabulary, text, at, end, at == first)
        {
            if at > first || opened.is_some() {
                push(lines, (line_start, from), first..at, after_blank, bullet, opened);
                after_blank = false;
                from = scan.span(scan.items[at]).start;
            }
            bullet = bullet.filter(|_| opened.is_none());
            opened = Some(section);
            first = body;
            at = body;
            continue;
        }
        at += 1;
    }
    push(lines, (line_start, from), first..end, after_blank, bullet, opened);
}

/// Whether a line begins with "•" or the "o" that stands for one.
fn is_bullet_mark(scan: &Scan, text: &str, items: &[Item]) -> bool {
    let token = scan.tokens[items[0].first as usize];
    items.len() > 1
        && items[0].tag == Tag::Other
        && (token.is_sign(b'*')
            || (token.text(text) == "o" && scan.tokens[items[1].first as usize].spaced))
}

/// Whether a single word in capitals before a colon stands here, which in run-together text is
/// where a line was: "... stenosis COMPARISON: none".
fn is_capital_label(scan: &Scan, text: &str, items: &[Item]) -> bool {
    const SHORTEST: usize = 4;
    let word = &text[scan.span(items[0]).range()];
    items.get(1).is_some_and(|item| item.tag == Tag::Colon)
        && word.len() >= SHORTEST
        && word.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn push(
    lines: &mut Vec<Line>,
    (start, from): (u32, u32),
    items: Range<usize>,
    after_blank: bool,
    bullet: Option<u32>,
    opened: Option<Section>,
) {
    lines.push(Line {
        start,
        from,
        items,
        after_blank,
        bullet,
        section: opened.unwrap_or(Section::Findings),
        opens_section: opened.is_some(),
        elsewhere: false,
    });
}

/// The section that a heading at item `at` opens, and the first item of its body.
fn heading(
    scan: &Scan,
    vocabulary: &Vocabulary,
    text: &str,
    at: usize,
    end: usize,
    at_line_start: bool,
) -> Option<(Section, usize)> {
    const LONGEST_ALONE: usize = 6;
    const LONGEST_SEARCH: usize = 50;
    let items = &scan.items[at..end];
    let words = |items: &[Item]| -> Vec<u16> {
        let (Some(first), Some(last)) = (items.first(), items.last()) else { return Vec::new() };
        scan.tokens[first.first as usize..last.end as usize]
            .iter()
            .filter(|token| token.kind == Kind::Word)
            .map(|token| token.word)
            .collect()
    };
    if let Some(colon) = label_end(items) {
        // What stands in brackets is no part of a heading: "LSS MRI (follow up):".
        let bracket = items[..colon].iter().position(|item| item.tag == Tag::Open);
        let label = words(&items[..bracket.unwrap_or(colon)]);
        // A heading among other words counts only where these do not say what a value follows
        // of: "Remaining lumbar levels:" and "Canal compromise:" are none.
        let is_value_label = items[..colon].iter().any(|item| {
            is_anatomy(item.tag)
                || matches!(
                    item.tag,
                    Tag::Levels(_) | Tag::Term(Sense::Remaining | Sense::Universal | Sense::Except)
                )
        });
        let loose = at_line_start && !is_value_label;
        let section = vocabulary
            .exact_heading(&label)
            .or_else(|| loose.then(|| vocabulary.heading(&label)).flatten());
        // "2019 MRI:" tells of an earlier study, not of this one.
        let dated = items[..colon].iter().any(|item| item.tag == Tag::Number);
        return section
            .filter(|&section| !dated || section != Section::Findings)
            .map(|section| (section, at + colon + 1));
    }
    let alone = at_line_start && items.len() <= LONGEST_ALONE;
    if alone && !items.iter().any(|item| item.tag == Tag::Stop) {
        let last = items.len() - usize::from(items[items.len() - 1].tag == Tag::Dash);
        return Some((vocabulary.exact_heading(&words(&items[..last]))?, end));
    }
    // "IMPRESSION 1. ...", "FINDINGS - ...": capitals in a line that has small letters too.
    for n in (1..=items.len().min(3)).rev() {
        let span = &items[..n];
        let covered = &text[scan.span(span[0]).start as usize..scan.span(span[n - 1]).end as usize];
        let is_capital = covered.len() > 3 && !covered.contains(|c: char| c.is_lowercase());
        let rest = &items[n..];
        let set_off = rest.first().is_some_and(|item| {
            item.tag == Tag::Dash
                || text[scan.span(*item).start as usize..].starts_with(|c: char| !c.is_lowercase())
        });
        if is_capital
            && set_off
            && rest.iter().take(LONGEST_SEARCH).any(|item| {
                let span = scan.span(*item);
                text[span.range()].contains(|c: char| c.is_lowercase())
            })
            && let Some(section) = vocabulary.exact_heading(&words(span))
            && (section != Section::Findings || !span.iter().any(|item| item.tag == Tag::Number))
        {
            let dash = usize::from(rest[0].tag == Tag::Dash);
            return Some((section, at + n + dash));
        }
    }
    None
}

fn is_anatomy(tag: Tag) -> bool {
    matches!(tag, Tag::Term(Sense::Anatomy(..) | Sense::Change(..)))
}

/// Carries sections and regions from the lines that open them to those that follow.
pub(super) fn settle_sections(lines: &mut [Line], scan: &Scan) {
    let last_findings =
        lines.iter().rposition(|line| line.opens_section && line.section == Section::Findings);
    let mut section = Section::Findings;
    let mut elsewhere = false;
    let mut filled = false;
    let mut bullet = None;
    for at in 0..lines.len() {
        if lines[at].opens_section {
            section = lines[at].section;
            bullet = lines[at].bullet;
            filled = !lines[at].items.is_empty();
        } else {
            // An ignored section ends with its paragraph, unless findings have a heading of
            // their own further down; and where a label of its own begins.
            let items = &scan.items[lines[at].items.clone()];
            let labelled = label_end(items).is_some();
            let by_level = labelled && matches!(items[0].tag, Tag::Levels(_));
            let over =
                lines[at].after_blank && (labelled || last_findings.is_none_or(|last| last < at));
            let next_bullet = bullet.is_some() && lines[at].bullet == bullet;
            if section == Section::Background && filled && (over || by_level || next_bullet) {
                section = Section::Findings;
            }
            filled |= !lines[at].items.is_empty();
        }
        if let Some(region) = title_region(lines, at, scan) {
            elsewhere = region == Region::Elsewhere;
        }
        lines[at].section = section;
        lines[at].elsewhere = elsewhere;
    }
}

/// The sections of a text, which together are all of it; none of a text without words.
pub(super) fn sections(lines: &[Line], text: &str) -> Vec<SectionSpan> {
    let mut spans: Vec<SectionSpan> = Vec::new();
    let end = text.len() as u32;
    for line in lines {
        let start = if spans.is_empty() { 0 } else { line.from };
        match spans.last_mut() {
            Some(last) if last.section == line.section => continue,
            // Nothing stands between a heading and another right after it.
            Some(last) if last.span.start == start => last.section = line.section,
            Some(last) => {
                last.span.end = start;
                spans.push(SectionSpan { section: line.section, span: Span { start, end } });
            }
            None => spans.push(SectionSpan { section: line.section, span: Span { start, end } }),
        }
    }
    spans
}

/// The region that a title ("CERVICAL SPINE MRI:") sets for the lines under it.
fn title_region(lines: &[Line], at: usize, scan: &Scan) -> Option<Region> {
    const LONGEST_TITLE: usize = 12;
    let items = &scan.items[lines[at].items.clone()];
    let title = match label_end(items) {
        Some(colon) => &items[..colon],
        None if items.len() <= LONGEST_TITLE => items,
        None => return None,
    };
    let is_statement = title.iter().any(|item| {
        is_anatomy(item.tag)
            || matches!(
                item.tag,
                Tag::Stop
                    | Tag::Levels(_)
                    | Tag::Term(
                        Sense::Not | Sense::Be | Sense::Finding(_) | Sense::Noun | Sense::Normal
                    )
            )
    });
    let mut regions = title.iter().filter_map(|item| match item.tag {
        Tag::Term(Sense::Region(region)) => Some(region),
        _ => None,
    });
    if is_statement {
        return None;
    }
    let first = regions.next()?;
    let lumbar = first == Region::Lumbar || regions.any(|region| region == Region::Lumbar);
    Some(if lumbar { Region::Lumbar } else { Region::Elsewhere })
}
