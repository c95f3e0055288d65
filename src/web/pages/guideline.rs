//! The labelling guideline.

use actix_web::HttpResponse;
use askama::Template;

use super::super::WebError;
use super::super::guard::Person;
use super::super::layout::{Shell, html};

/// The guideline as it lies in the repository, so that there is one.
const GUIDELINE: &str = include_str!("../../../LABELLING.md");

/// A piece of the guideline.
enum Block<'a> {
    Heading(usize, Vec<Piece<'a>>),
    Paragraph(Vec<Piece<'a>>),
    Item(Option<&'a str>, Vec<Piece<'a>>),
}

/// A stretch of a line.
enum Piece<'a> {
    Plain(&'a str),
    Code(&'a str),
    Strong(&'a str),
}

#[derive(Template)]
#[template(path = "web/guideline.html")]
struct GuidelinePage<'a> {
    shell: Shell,
    blocks: Vec<Block<'a>>,
}

/// The page.
pub(in super::super) async fn page(person: Person) -> Result<HttpResponse, WebError> {
    let lines = unwrapped(GUIDELINE);
    let blocks = lines.iter().map(|line| block(line)).collect();
    html(&GuidelinePage { shell: Shell::of(&person, "/guideline"), blocks })
}

/// The headings, list items and paragraphs of a text, a line each.
fn unwrapped(markdown: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in markdown.lines().map(str::trim) {
        let begins = line.starts_with('#') || line.starts_with("- ") || numbered(line).is_some();
        match lines.last_mut() {
            Some(last) if goes_on && !begins && !line.is_empty() => {
                last.push(' ');
                last.push_str(line);
            }
            _ if !line.is_empty() => lines.push(line.to_owned()),
            _ => {}
        }
        goes_on = !line.is_empty() && !line.starts_with('#');
    }
    lines
}

/// The number and the words of a numbered item.
fn numbered(line: &str) -> Option<(&str, &str)> {
    let (number, item) = line.split_once(". ")?;
    (!number.is_empty() && number.chars().all(|c| c.is_ascii_digit())).then_some((number, item))
}

fn block(line: &str) -> Block<'_> {
    let hashes = line.len() - line.trim_start_matches('#').len();
    if hashes > 0 {
        return Block::Heading(hashes, pieces(line[hashes..].trim()));
    }
    match (line.strip_prefix("- "), numbered(line)) {
        (Some(item), _) => Block::Item(None, pieces(item)),
        (_, Some((number, item))) => Block::Item(Some(number), pieces(item)),
        _ => Block::Paragraph(pieces(line)),
    }
}

/// A line cut at its code and its strong words.
fn pieces(line: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.find(['`', '*']) {
        let sign = if rest[at..].starts_with('`') { "`" } else { "**" };
        let inside = rest[at..].strip_prefix(sign).and_then(|after| after.split_once(sign));
        let Some((inside, after)) = inside else { break };
        pieces.push(Piece::Plain(&rest[..at]));
        pieces.push(if sign == "`" { Piece::Code(inside) } else { Piece::Strong(inside) });
        rest = after;
    }
    pieces.push(Piece::Plain(rest));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_were_wrapped_are_one_again() {
        let markdown =
            "# Rules\nOne\nparagraph.\n\n1. First,\n   which goes on.\n2. Second.\n- `third`\n";
        let wanted =
            ["# Rules", "One paragraph.", "1. First, which goes on.", "2. Second.", "- `third`"];
        assert_eq!(unwrapped(markdown), wanted);
    }

    #[test]
    fn every_rule_of_the_guideline_has_its_place() {
        let lines = unwrapped(GUIDELINE);
        let numbers: Vec<&str> = lines.iter().filter_map(|line| Some(numbered(line)?.0)).collect();
        let wanted: Vec<String> = (1..=22).map(|number| number.to_string()).collect();
        assert_eq!(numbers, wanted);
    }
}
