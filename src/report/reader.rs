//! The reader of all inputs: which format a file is, and on from one file to the next.

use std::io::Read;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::rc::Rc;

use super::columns::ColumnNames;
use super::decode::{Content, Decoding};
use super::input::{Found, Input, Progress, by_extension, find, name_parts, open};
use super::problem::{Caution, Fault};
use super::record::{Keys, Sink};
use super::{Event, FORMATS, Fit, Format, Options};

/// Reads reports from inputs, in their order.
#[derive(Debug)]
pub struct Reader {
    found: Vec<Found>,
    options: Options,
    progress: Progress,
}

impl Reader {
    /// Finds the files that `inputs` stand for. None is opened yet.
    pub fn new(inputs: Vec<Input>, options: Options) -> Self {
        let (found, progress) = find(inputs, options.format);
        Self { found, options, progress }
    }

    /// How far reading has come; a clone of it can be watched from another thread.
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Reads everything and hands it to `emit`, until that wants no more.
    pub fn for_each(self, mut emit: impl FnMut(Event) -> ControlFlow<()>) -> ControlFlow<()> {
        let mut keys = Keys::default();
        for found in self.found {
            let (input, name, path) = match found {
                Found::Event(event) => {
                    emit(*event)?;
                    continue;
                }
                Found::One(Input::Path(path)) => {
                    let name = path.display().to_string();
                    (Input::Path(path.clone()), name, path)
                }
                Found::One(Input::Stream(name, reader)) => {
                    (Input::Stream(name.clone(), reader), name, PathBuf::new())
                }
            };
            let mut sink = Sink {
                emit: &mut emit,
                options: &self.options,
                keys: &mut keys,
                file: name.into(),
                stem: name_parts(&path).0,
                decoding: Rc::default(),
                is_empty: true,
            };
            let extension = by_extension(&path);
            match open(input, &self.progress) {
                Ok(raw) => read(raw, extension, &mut sink)?,
                Err(error) => sink.bad(None, Fault::Unreadable(error))?,
            }
        }
        ControlFlow::Continue(())
    }
}

/// Reads one file; `by_extension` is the format that its name speaks of.
fn read(
    raw: Box<dyn Read>,
    by_extension: Option<&'static Format>,
    sink: &mut Sink<'_>,
) -> ControlFlow<()> {
    let decoding: Rc<Decoding> = Rc::clone(&sink.decoding);
    let content = match Content::open(raw, sink.options.encoding, decoding) {
        Ok(content) => content,
        Err(error) => return sink.bad(None, Fault::Unreadable(error)),
    };
    if content.is_empty() {
        return sink.bad(None, Fault::EmptyFile);
    }
    let Some(format) =
        sink.options.format.or_else(|| choose(&content, &sink.options.columns, by_extension))
    else {
        return sink.bad(None, Fault::UnknownFormat);
    };
    (format.read)(content, sink)?;
    if sink.is_empty {
        sink.bad(None, Fault::EmptyFile)?;
    }
    match sink.decoding.guess() {
        Some(encoding) => sink.warn(None, None, encoding, Caution::GuessedEncoding),
        None => ControlFlow::Continue(()),
    }
}

/// The format of a file that the user says nothing about. A name tells it, but that `.txt` may be
/// a table too, and that some formats show whatever a file is called.
fn choose(
    content: &Content,
    given: &ColumnNames,
    by_extension: Option<&'static Format>,
) -> Option<&'static Format> {
    let head = content.head(given);
    let first = |wanted| FORMATS.iter().find(|format| (format.fits)(&head) == wanted);
    let telling = by_extension.filter(|format| format.name != "text");
    first(Fit::Sure).or(telling).or_else(|| first(Fit::Likely)).or(by_extension)
}
