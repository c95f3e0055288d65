//! JSON: an array of objects, read item by item, or objects one after the other.

use std::borrow::Cow;
use std::cell::Cell as Shared;
use std::fmt;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::rc::Rc;

use serde::Deserializer;
use serde::de::{Error, SeqAccess, Visitor};
use serde_json::Value;

use super::columns::Layout;
use super::decode::{Content, Decoded, Head};
use super::problem::{Fault, Held, Position};
use super::record::{Cell, Sink};
use super::text::LONGEST;
use super::{Fit, jsonl};

pub(super) fn fits(head: &Head<'_>) -> Fit {
    let text = head.text.trim_start();
    let is_array =
        text.strip_prefix('[').is_some_and(|rest| rest.trim_start().starts_with(['{', ']']));
    Fit::likely_if(is_array || text.starts_with('{') && jsonl::fits(head) == Fit::No)
}

pub(super) fn read(content: Content, sink: &mut Sink<'_>) -> ControlFlow<()> {
    let head = content.head(&sink.options.columns);
    if jsonl::fits(&head) != Fit::No {
        return jsonl::read(content, sink);
    }
    let is_array = head.text.trim_start().starts_with('[');
    let budget = Rc::new(Shared::new(LONGEST));
    let input = Metered { input: content.into_text(), budget: Rc::clone(&budget) };
    let mut items = Items { sink, objects: Objects::default(), number: 0, budget, is_over: false };
    let mut json = serde_json::Deserializer::from_reader(input);
    let outcome = if is_array {
        json.deserialize_seq(&mut items).and_then(|()| json.end())
    } else {
        json.into_iter::<Value>().try_for_each(|value| items.take(&value?))
    };
    match outcome {
        _ if items.is_over => ControlFlow::Break(()),
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            let position = Some(Position::Item(items.number + 1));
            let fault = if error.is_io() {
                Fault::Broken(error.into())
            } else {
                Fault::BrokenJson(error.to_string())
            };
            items.sink.bad(position, fault)
        }
    }
}

/// A reader that fails where an item grows past all bounds, since the parser keeps an item in
/// memory and a missing quote makes one of all that follows.
struct Metered {
    input: Decoded,
    budget: Rc<Shared<usize>>,
}

impl Read for Metered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        match self.budget.get().checked_sub(read) {
            Some(left) => self.budget.set(left),
            None => {
                let message = format!("an item is longer than {LONGEST} bytes");
                return Err(io::Error::new(io::ErrorKind::InvalidData, message));
            }
        }
        Ok(read)
    }
}

/// Takes the items of a file as they are parsed.
struct Items<'a, 'b> {
    sink: &'a mut Sink<'b>,
    objects: Objects,
    number: u64,
    budget: Rc<Shared<usize>>,
    /// Whether the caller wants no more.
    is_over: bool,
}

impl Items<'_, '_> {
    fn take<E: Error>(&mut self, value: &Value) -> Result<(), E> {
        self.budget.set(LONGEST);
        self.number += 1;
        let position = Position::Item(self.number);
        self.is_over = self.objects.record(position, value, self.sink).is_break();
        // The parser knows no other way to stop.
        if self.is_over { Err(E::custom("stopped")) } else { Ok(()) }
    }
}

impl<'de> Visitor<'de> for &mut Items<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(value) = items.next_element::<Value>()? {
            self.take(&value)?;
        }
        Ok(())
    }
}

/// Turns objects into reports. Objects of a file mostly have the same keys, so the last layout
/// is kept.
#[derive(Default)]
pub(super) struct Objects {
    last: Option<(Vec<String>, Layout)>,
}

impl Objects {
    /// Makes a report of an object.
    pub fn record(
        &mut self,
        position: Position,
        value: &Value,
        sink: &mut Sink<'_>,
    ) -> ControlFlow<()> {
        let Value::Object(object) = value else {
            let fault = Fault::NotAnObject { found: kind(value) };
            return sink.bad_record(position, fault, Held::Raw(value.to_string()));
        };
        let is_known = self.last.as_ref().is_some_and(|(keys, _)| keys.iter().eq(object.keys()));
        if !is_known {
            let keys: Vec<String> = object.keys().cloned().collect();
            let layout = match Layout::with_text(&keys, &sink.options.columns) {
                Ok(layout) => layout,
                Err(fault) => {
                    let names: Vec<_> = keys.iter().map(|key| key.as_str().into()).collect();
                    let held = Held::fields(&names, object.values().map(as_text));
                    return sink.bad_record(position, fault, held);
                }
            };
            sink.warn_of_other_texts(position, &layout)?;
            self.last = Some((keys, layout));
        }
        let Some((_, layout)) = &self.last else { return ControlFlow::Continue(()) };
        let cells: Vec<Cell<'_>> = object.values().map(cell).collect();
        sink.record(position, layout, &cells)
    }
}

fn cell(value: &Value) -> Cell<'_> {
    // Beyond this whole numbers lose digits, and an id that lost digits is another's.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Null => Cell::Text(Cow::Borrowed("")),
        Value::String(text) => Cell::Text(Cow::Borrowed(text)),
        Value::Number(number)
            if number.is_f64() && number.as_f64().is_some_and(|n| n.abs() > EXACT) =>
        {
            Cell::Unusable("a number with too many digits")
        }
        Value::Number(number) => Cell::Text(Cow::Owned(number.to_string())),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => Cell::Unusable(kind(value)),
    }
}

/// A value as it is listed for mending.
fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
