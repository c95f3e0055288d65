//! JSON lines: a line is an object is a report.

use std::io::BufRead;
use std::ops::ControlFlow;

use super::Fit;
use super::decode::{Content, Head, Line, read_line};
use super::json::Objects;
use super::problem::{Fault, Held, Position};
use super::record::Sink;
use super::text::LONGEST;

pub(super) fn fits(head: &Head<'_>) -> Fit {
    // An object over several lines has no brace at the start of its second.
    let mut lines = head.text.lines().filter(|line| !line.trim().is_empty()).take(2).peekable();
    Fit::likely_if(lines.peek().is_some() && lines.all(|line| line.starts_with('{')))
}

pub(super) fn read(content: Content, sink: &mut Sink<'_>) -> ControlFlow<()> {
    let mut input = content.into_text();
    let mut objects = Objects::default();
    let mut line = Vec::new();
    for number in 1.. {
        let position = Position::Line(number);
        line.clear();
        match read_line(&mut input, &mut line, LONGEST) {
            Ok(Line::Whole) if line.trim_ascii().is_empty() => {}
            Ok(Line::Whole) => match serde_json::from_slice(&line) {
                Ok(value) => objects.record(position, &value, sink)?,
                Err(error) => {
                    sink.bad_record(position, Fault::Json(in_line(&error)), Held::raw(&line))?;
                }
            },
            Ok(Line::TooLong) => {
                sink.bad(Some(position), Fault::TooLong { limit: LONGEST })?;
                if let Err(error) = input.skip_until(b'\n') {
                    return sink.bad(Some(position), Fault::Broken(error));
                }
            }
            Ok(Line::End) => break,
            Err(error) => return sink.bad(Some(position), Fault::Broken(error)),
        }
    }
    ControlFlow::Continue(())
}

/// The message with the column only: to the parser each line is the first.
fn in_line(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    format!("{message} at byte {}", error.column())
}
