//! Items to lines: hard wraps undone, bullets taken off, sections told apart.

use std::ops::Range;

use super::finding::Section;
use super::scan::{Item, Scan, Tag};
use super::section::{settle_sections, split_headings};
use super::sense::{Class, Sense};
use super::table::is_by_comma;
use super::vocabulary::Vocabulary;

/// A line of the author's, whether or not it was wrapped on the way.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// Where it begins in the text.
    pub start: u32,
    /// Where its heading begins in the text, or the line itself. A line that headings cut has
    /// several parts, and each its own.
    pub from: u32,
    /// Its items, without bullet and heading.
    pub items: Range<usize>,
    /// Whether a blank line stands before it.
    pub after_blank: bool,
    /// How far its bullet or number is indented; none without one.
    pub bullet: Option<u32>,
    /// The section that it stands in.
    pub section: Section,
    /// Whether it opens a section.
    pub opens_section: bool,
    /// Whether its part of the text is about another region than the lumbar spine.
    pub elsewhere: bool,
}

/// A line as it stands in the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Physical {
    pub first: usize,
    pub end: usize,
    pub after_blank: bool,
    /// Length in bytes, for telling wrapped lines.
    length: u32,
    first_word: u32,
    /// Where the line of the text begins that it stands in.
    pub start: u32,
    /// Where it begins itself, which `//` or dots for a line's end may put in mid-line.
    pub from: u32,
    pub indent: u32,
    /// Whether runs of blanks set its words in columns.
    columns: bool,
}

/// The lines of a text, in order.
///
/// The items of line ends are taken out of the scan: a wrapped line is one run of items.
pub(super) fn lines(scan: &mut Scan, vocabulary: &Vocabulary, text: &str) -> Vec<Line> {
    let physical = unwrap(scan, physical_lines(scan, text), text);
    let mut lines = Vec::with_capacity(physical.len());
    for line in physical {
        split_headings(scan, vocabulary, text, line, &mut lines);
    }
    settle_sections(&mut lines, scan);
    lines
}

/// Joins wrapped lines.
fn unwrap(scan: &mut Scan, physical: Vec<Physical>, text: &str) -> Vec<Physical> {
    let wraps = wraps(scan, &physical, text);
    let mut items = Vec::with_capacity(scan.items.len());
    let mut joined: Vec<Physical> = Vec::with_capacity(physical.len());
    for (line, wraps) in physical.into_iter().zip(wraps) {
        let first = items.len();
        items.extend_from_slice(&scan.items[line.first..line.end]);
        match joined.last_mut() {
            Some(last) if wraps => last.end = items.len(),
            _ => joined.push(Physical { first, end: items.len(), ..line }),
        }
    }
    scan.items = items;
    joined
}

fn physical_lines(scan: &Scan, text: &str) -> Vec<Physical> {
    let mut lines = Vec::new();
    let mut first = 0;
    let mut blank = true;
    let (mut line_start, mut from) = (0, 0);
    for end in 0..=scan.items.len() {
        let tag = scan.items.get(end).map(|item| item.tag);
        if !matches!(tag, None | Some(Tag::Newline | Tag::Paragraph)) {
            continue;
        }
        if first == end {
            // The second slash of `//` leaves no blank line behind.
            blank |= tag == Some(Tag::Newline);
        } else if !is_page_number(&scan.items[first..end]) {
            let (start, stop) = (scan.items[first], scan.items[end - 1]);
            let (start, stop) = (scan.span(start), scan.span(stop));
            let first_word = scan.tokens[scan.items[first].first as usize];
            lines.push(Physical {
                first,
                end,
                after_blank: blank,
                length: stop.end - line_start,
                first_word: first_word.end - first_word.start,
                start: line_start,
                from,
                indent: start.start - line_start,
                columns: in_columns(&text[start.start as usize..stop.end as usize]),
            });
            blank = false;
        }
        if let Some(mark) = scan.items.get(end) {
            from = scan.span(*mark).end;
        }
        if tag == Some(Tag::Newline) {
            line_start = from;
        }
        first = end + 1;
    }
    lines
}

/// Whether a line has two or more gaps of three blanks or a tab.
fn in_columns(line: &str) -> bool {
    let is_gap = |gap: &&str| gap.len() >= 3 || gap.contains('\t');
    line.split(|c: char| !matches!(c, ' ' | '\t')).filter(is_gap).count() >= 2
}

/// "2 / 3", "Page 2 of 3": the foot of a page in the middle of a text.
fn is_page_number(items: &[Item]) -> bool {
    const LONGEST_FOOTER: usize = 24;
    let is_page = |at: usize| {
        items[at].tag == Tag::Term(Sense::Page)
            && items.get(at + 1).is_some_and(|item| item.tag == Tag::Number)
    };
    let is_counter = |item: &Item| {
        matches!(
            item.tag,
            Tag::Number | Tag::Slash | Tag::Dash | Tag::Term(Sense::Of | Sense::Page)
        )
    };
    let numbers = items.iter().filter(|item| item.tag == Tag::Number).count();
    (items.len() <= LONGEST_FOOTER && (0..items.len()).any(is_page))
        || (numbers == 2 && items.len() <= LONGEST_FOOTER && items.iter().all(is_counter))
}

/// Whether each line goes on with the sentence of the line before.
fn wraps(scan: &Scan, lines: &[Physical], text: &str) -> Vec<bool> {
    const NARROWEST: u32 = 40;
    const WIDEST: u32 = 140;
    let width = lines.iter().map(|line| line.length).max().unwrap_or(0);
    let plausible = (NARROWEST..=WIDEST).contains(&width);
    // The next word would not have fitted any more.
    let full = |line: &Physical, next: &Physical| line.length + 1 + next.first_word > width;
    let open = |line: &Physical| {
        !matches!(scan.items[line.end - 1].tag, Tag::Stop | Tag::Colon | Tag::Semicolon)
    };
    let small = |line: &Physical| {
        let start = scan.span(scan.items[line.first]).start as usize;
        text[start..].starts_with(char::is_lowercase)
    };
    let is_full_pair = |pair: &&[Physical]| {
        !pair[1].after_blank
            && open(&pair[0])
            && full(&pair[0], &pair[1])
            && !begins_anew(&scan.items[pair[1].first..pair[1].end])
    };
    let full_pairs = || lines.windows(2).filter(is_full_pair);
    // The longest line is full by itself and proves nothing: a sentence must be seen to go on,
    // unless all is in capitals. Who begins every line in small letters tells nothing by it.
    let tells = !lines.iter().all(small);
    let is_wrapped = plausible
        && full_pairs().count() >= if tells { 2 } else { 3 }
        && (full_pairs().any(|pair| small(&pair[1])) || !text.contains(char::is_lowercase));
    // Where small letters begin a line only in mid-sentence, they tell a wrapped line too.
    let runs_on = |last: &Physical, line: &Physical| {
        open(last)
            && last.length >= NARROWEST
            && small(line)
            && !is_statement(&scan.items[line.first..line.end])
    };
    let pairs = || lines.windows(2).filter(|pair| !pair[1].after_blank && small(&pair[1]));
    let small_runs_on = tells
        && pairs().filter(|pair| runs_on(&pair[0], &pair[1])).count() >= 2
        && pairs().all(|pair| open(&pair[0]));
    let mut wraps = vec![false; lines.len()];
    for at in 1..lines.len() {
        let (last, line) = (&lines[at - 1], &lines[at]);
        let items = &scan.items[line.first..line.end];
        wraps[at] = !line.after_blank
            && !begins_anew(items)
            && !line.columns
            && !last.columns
            && ((is_wrapped && full(last, line))
                || (small_runs_on && runs_on(last, line))
                || goes_on(items)
                || (small(line) && matches!(items[0].tag, Tag::Term(Sense::Of | Sense::Over)))
                || is_parted(scan.items[last.end - 1], items[0])
                || (open(last) && is_unfinished(&scan.items[last.first..last.end])));
    }
    wraps
}

/// Whether a line begins with a bullet, a number, or a label before a colon.
fn begins_anew(items: &[Item]) -> bool {
    let is_row = items.iter().any(|item| item.tag == Tag::Border)
        || is_by_comma(items)
        || (matches!(items[0].tag, Tag::Levels(_))
            && matches!(items.get(1).map(|item| item.tag), Some(Tag::Semicolon | Tag::Dash)));
    is_row || bullet_items(items).is_some() || label_end(items).is_some()
}

/// Whether a line can only continue another one: "compressing the thecal sac", "with ...".
fn goes_on(items: &[Item]) -> bool {
    let first = items.iter().find(|item| {
        !matches!(item.tag, Tag::Term(Sense::Degree(_) | Sense::Significant | Sense::Filler))
    });
    let is_verb =
        matches!(first.map(|item| item.tag), Some(Tag::Term(Sense::Change(_, Class::Verb))));
    is_verb
        || matches!(
            items[0].tag,
            Tag::Term(
                Sense::With
                    | Sense::Causing
                    | Sense::Anaphor
                    | Sense::And
                    | Sense::Or
                    | Sense::But
                    | Sense::To
            )
        )
}

/// Whether a line can begin a statement of its own even in small letters: "no canal stenosis",
/// "adequate canal", "mild disc bulge".
fn is_statement(items: &[Item]) -> bool {
    let noun = items.iter().find(|item| {
        !matches!(
            item.tag,
            Tag::Other | Tag::Term(Sense::Filler | Sense::Degree(_) | Sense::Side(_) | Sense::Disc)
        )
    });
    let sense = |item: &Item| match item.tag {
        Tag::Term(sense) => Some(sense),
        _ => None,
    };
    let begins = matches!(
        sense(&items[0]),
        Some(
            Sense::Not
                | Sense::Patent
                | Sense::Normal
                | Sense::NoAbnormality
                | Sense::Diffuse
                | Sense::Multilevel
                | Sense::ThereIs
        )
    );
    begins || matches!(noun.and_then(sense), Some(Sense::Finding(_)))
}

/// Whether a line ends between a structure and what happens to it.
fn is_parted(last: Item, next: Item) -> bool {
    matches!(last.tag, Tag::Term(Sense::Anatomy(..)))
        && matches!(next.tag, Tag::Term(Sense::Change(_, Class::Noun)))
}

/// Whether a line cannot be the end of its sentence.
fn is_unfinished(items: &[Item]) -> bool {
    if items.len() < 2 {
        return false;
    }
    match items[items.len() - 1].tag {
        Tag::Comma | Tag::Slash | Tag::Open => true,
        Tag::Term(sense) => matches!(
            sense,
            Sense::And
                | Sense::Or
                | Sense::Of
                | Sense::Over
                | Sense::With
                | Sense::Causing
                | Sense::Worst
                | Sense::To
                | Sense::Not
                | Sense::Filler
                | Sense::Change(_, Class::Verb)
                | Sense::ThereIs
                | Sense::Anatomy(_, super::sense::Form::Adjective)
        ),
        _ => false,
    }
}

/// The number of items of a bullet or list number at the beginning of a line: "-", "1.", "(2)".
pub(super) fn bullet_items(items: &[Item]) -> Option<usize> {
    let tag = |i: usize| items.get(i).map(|item| item.tag);
    match (tag(0)?, tag(1), tag(2)) {
        (Tag::Dash | Tag::Stop | Tag::Greater, ..) => Some(1),
        (Tag::Number, Some(Tag::Close | Tag::Stop), Some(_)) => Some(2),
        (Tag::Open, Some(Tag::Number | Tag::Other), Some(Tag::Close)) => Some(3),
        _ => None,
    }
}

/// The number of items before the colon of a label such as "Canal stenosis:".
pub(super) fn label_end(items: &[Item]) -> Option<usize> {
    const LONGEST_LABEL: usize = 10;
    let colon = items.iter().take(LONGEST_LABEL).position(|item| item.tag == Tag::Colon)?;
    let plain = items[..colon].iter().all(|item| {
        !matches!(item.tag, Tag::Stop | Tag::Semicolon | Tag::Term(Sense::Be | Sense::ThereIs))
    });
    (colon > 0 && plain).then_some(colon)
}
