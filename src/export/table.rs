//! What the formats that are tables share: rows of CSV, and the names of columns.

use std::fmt::{self, Write as _};
use std::io::{self, Write};

use crate::label::Level;

/// One row of CSV in the making. Quoting is the csv crate's; the scratch text is reused from
/// field to field.
pub(super) struct Row<'a> {
    csv: csv::Writer<&'a mut dyn Write>,
    scratch: String,
}

impl<'a> Row<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        // A writer lives for the rows of one report, so the default buffer of 8 KiB would cost
        // more than what is put into it.
        let csv = csv::WriterBuilder::new().buffer_capacity(1 << 10).from_writer(out);
        Self { csv, scratch: String::new() }
    }

    pub(super) fn field(&mut self, text: &str) -> io::Result<()> {
        self.csv.write_field(text).map_err(io_error)
    }

    pub(super) fn empty(&mut self) -> io::Result<()> {
        self.field("")
    }

    /// A field of several parts, each written by `part`, with semicolons between.
    pub(super) fn list<T>(
        &mut self,
        items: impl Iterator<Item = T>,
        part: impl Fn(&mut String, T) -> fmt::Result,
    ) -> io::Result<()> {
        self.scratch.clear();
        for (i, item) in items.enumerate() {
            if i > 0 {
                self.scratch.push(';');
            }
            part(&mut self.scratch, item).expect("a String takes what is written to it");
        }
        self.csv.write_field(&self.scratch).map_err(io_error)
    }

    /// The field made of whatever displays itself.
    pub(super) fn display(&mut self, value: impl fmt::Display) -> io::Result<()> {
        self.list(std::iter::once(value), |text, value| write!(text, "{value}"))
    }

    /// Ends the row. What is started next is a row of its own.
    pub(super) fn end(&mut self) -> io::Result<()> {
        self.csv.write_record(None::<&[u8]>).map_err(io_error)
    }

    /// Hands everything on to the output.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.csv.flush()
    }
}

/// The error of the output beneath, whose kind the csv crate's own conversion would hide: a broken
/// pipe has to stay one.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        kind => io::Error::other(format!("{kind:?}")),
    }
}

/// A level in the name of a column: `l4_l5`.
pub(super) struct ColumnName(pub(super) Level);

impl fmt::Display for ColumnName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.name().chars() {
            f.write_char(if letter == '-' { '_' } else { letter.to_ascii_lowercase() })?;
        }
        Ok(())
    }
}
