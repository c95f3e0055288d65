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
    html(&GuidelinePage { shell: Shell::of(&person, "/guideline"), blocks: blocks(GUIDELINE) })
}

/// The few forms of Markdown that the guideline uses: headings, lists, paragraphs of one line.
fn blocks(markdown: &str) -> Vec<Block<'_>> {
    markdown.lines().filter(|line| !line.trim().is_empty()).map(block).collect()
}

fn block(line: &str) -> Block<'_> {
    let hashes = line.len() - line.trim_start_matches('#').len();
    if hashes > 0 {
        return Block::Heading(hashes, pieces(line[hashes..].trim()));
    }
    let line = line.trim();
    if let Some(item) = line.strip_prefix("- ") {
        return Block::Item(None, pieces(item));
    }
    match line.split_once(". ") {
        Some((number, item)) if number.chars().all(|c| c.is_ascii_digit()) => {
            Block::Item(Some(number), pieces(item))
        }
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
