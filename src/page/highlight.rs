//! A text with the words that carry evidence marked in it.

use std::collections::BTreeSet;
use std::ops::Range;

use anstyle::Style;
use askama::Template;

use super::paint::Styled;
use super::tone;
use crate::label::{Grade, Span};

/// Why a stretch of text is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// It carries a claim of this grade that stands.
    Grade(Grade),
    /// It carries a claim that was set aside, or that has no grade.
    Aside,
    /// It is a mention or a measurement.
    Note,
    /// It is the heading of a section.
    Heading,
}

/// One mark on a text. Marks may overlap in any way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Where.
    pub span: Span,
    /// The key of what it belongs to.
    pub key: u32,
    /// Why.
    pub ink: Ink,
}

/// How a segment looks while nothing is pointed at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Unmarked text.
    Plain,
    /// All claims that stand on it agree in this grade.
    Grade(Grade),
    /// Claims of different grades stand on it, such as on a level that they share.
    Mixed,
    /// Only claims that were set aside.
    Aside,
    /// Only mentions and measurements.
    Note,
    /// Only the heading of a section.
    Heading,
}

impl Look {
    fn of<'a>(marks: impl Iterator<Item = &'a Mark> + Clone) -> Self {
        let mut grades = marks.clone().filter_map(|mark| match mark.ink {
            Ink::Grade(grade) => Some(grade),
            Ink::Aside | Ink::Note | Ink::Heading => None,
        });
        match grades.next() {
            Some(first) if grades.all(|grade| grade == first) => Self::Grade(first),
            Some(_) => Self::Mixed,
            None if marks.clone().any(|mark| mark.ink == Ink::Aside) => Self::Aside,
            None if marks.clone().any(|mark| mark.ink == Ink::Note) => Self::Note,
            None if marks.count() > 0 => Self::Heading,
            None => Self::Plain,
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Grade(grade) => tone::of_grade(grade).class,
            Self::Mixed => "mixed",
            Self::Aside => "aside",
            Self::Note => "note",
            Self::Heading => "heading",
        }
    }

    fn style(self) -> Style {
        match self {
            Self::Plain | Self::Note => Style::new(),
            Self::Heading => Style::new().bold(),
            Self::Grade(grade) => tone::of_grade(grade).style(),
            Self::Mixed => Style::new().bold().underline(),
            Self::Aside => Style::new().underline(),
        }
    }

    /// Whether the words are evidence, which a terminal without colours puts into brackets.
    fn is_evidence(self) -> bool {
        !matches!(self, Self::Plain | Self::Note | Self::Heading)
    }
}

/// A stretch of text that the same marks cover from end to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment<'a> {
    /// Its words.
    pub text: &'a str,
    /// How it looks.
    pub look: Look,
    /// The keys of the marks on it, rising.
    pub keys: Vec<u32>,
}

impl Segment<'_> {
    /// The words as HTML that reads back as just these bytes: a parser would drop a carriage
    /// return that stands as itself, and every place after it would be off by one.
    fn html(&self) -> String {
        let mut html = String::with_capacity(self.text.len());
        for sign in self.text.chars() {
            match sign {
                '&' => html.push_str("&#38;"),
                '<' => html.push_str("&#60;"),
                '>' => html.push_str("&#62;"),
                '"' => html.push_str("&#34;"),
                '\'' => html.push_str("&#39;"),
                '\r' => html.push_str("&#13;"),
                sign => html.push(sign),
            }
        }
        html
    }

    /// Whether it is nothing but a heading, which belongs to no cell.
    fn is_heading(&self) -> bool {
        self.look == Look::Heading
    }
}

/// A text cut into segments, which together are the text.
///
/// Its [`std::fmt::Display`] is the HTML fragment: the text itself, escaped, with `mark`
/// elements around the marked segments and nothing else, so that it shows as it was written
/// where white space is kept.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "highlight.html")]
pub struct Highlight<'a> {
    /// The segments in order.
    pub segments: Vec<Segment<'a>>,
}

impl<'a> Highlight<'a> {
    /// Cuts `text` where marks begin and end. A mark that does not lie within the text on
    /// character bounds, as one of another version of it may, is left out.
    pub fn new(text: &'a str, marks: &[Mark]) -> Self {
        let marks: Vec<&Mark> = marks
            .iter()
            .filter(|mark| text.get(mark.span.range()).is_some_and(|words| !words.is_empty()))
            .collect();
        let cuts: BTreeSet<usize> = marks
            .iter()
            .flat_map(|mark| [mark.span.start as usize, mark.span.end as usize])
            .chain([0, text.len()])
            .collect();
        let bounds: Vec<usize> = cuts.into_iter().collect();
        let segments =
            bounds.windows(2).map(|pair| segment(text, pair[0]..pair[1], &marks)).collect();
        Self { segments }
    }

    /// The number of the first segment under the mark with this key: its anchor is `t` and the
    /// number.
    pub fn anchor(&self, key: u32) -> Option<usize> {
        self.segments.iter().position(|segment| segment.keys.contains(&key))
    }

    /// The text for a terminal: in colours, or with brackets around evidence.
    pub(super) fn styled(&self, colour: bool) -> Styled {
        let mut styled = Styled::default();
        let mut inside = false;
        for segment in &self.segments {
            let evidence = segment.look.is_evidence();
            if !colour && evidence != inside {
                styled.push(if evidence { "[" } else { "]" }, Style::new());
            }
            inside = evidence;
            styled.push(segment.text, segment.look.style());
        }
        if !colour && inside {
            styled.push("]", Style::new());
        }
        styled
    }
}

fn segment<'a>(text: &'a str, range: Range<usize>, marks: &[&Mark]) -> Segment<'a> {
    let covering = marks.iter().copied().filter(|mark| {
        mark.span.range().start <= range.start && range.end <= mark.span.range().end
    });
    let keys: BTreeSet<u32> = covering.clone().map(|mark| mark.key).collect();
    Segment { look: Look::of(covering), keys: keys.into_iter().collect(), text: &text[range] }
}
