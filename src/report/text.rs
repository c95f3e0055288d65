//! Plain text: a file is a report.

use std::io::Read;
use std::ops::ControlFlow;

use super::decode::{Content, Head};
use super::problem::Fault;
use super::record::{Cell, Sink};
use super::{Fit, Report};

/// The most that one report, or a record of another format, may be long. It keeps memory flat
/// where a wrong format or a quote never closed would make one record of a whole file.
pub(super) const LONGEST: usize = 16 * 1024 * 1024;

pub(super) fn fits(head: &Head<'_>) -> Fit {
    let strange =
        |c: &char| c.is_control() && !c.is_whitespace() || *c == char::REPLACEMENT_CHARACTER;
    let count = head.text.chars().filter(strange).count();
    Fit::likely_if(count * 100 <= head.text.len() && !head.given.names_text())
}

pub(super) fn read(content: Content, sink: &mut Sink<'_>) -> ControlFlow<()> {
    let mut bytes = Vec::new();
    if let Err(error) = content.into_text().take(LONGEST as u64 + 1).read_to_end(&mut bytes) {
        return sink.bad(None, Fault::Unreadable(error));
    }
    if bytes.len() > LONGEST {
        return sink.bad(None, Fault::TooLong { limit: LONGEST });
    }
    // They are UTF-8 by now, so nothing is lost.
    match sink.text(&Cell::Text(String::from_utf8_lossy(&bytes))) {
        Ok(text) => sink.report(None, Report { id: sink.stem.clone(), text, ..Report::default() }),
        Err(fault) => sink.bad(None, fault),
    }
}
