//! JSON Lines as flat as a table: an object a row, with a key for each column. What is absent is
//! null.

use std::io::{self, BufWriter, Write};

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::column::{Column, Value};
use super::{DatasetWriter, Output};

struct Flat<R> {
    columns: Vec<Column<R>>,
    out: BufWriter<Output>,
}

pub(in crate::export) fn create<R: 'static>(
    columns: Vec<Column<R>>,
    out: Output,
) -> io::Result<Box<dyn DatasetWriter<R>>> {
    Ok(Box::new(Flat { columns, out: BufWriter::new(out) }))
}

impl<R> DatasetWriter<R> for Flat<R> {
    fn write(&mut self, row: &R) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, &Line { columns: &self.columns, row })?;
        self.out.write_all(b"\n")
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.out.flush()
    }
}

/// A row with its columns in their order.
struct Line<'a, R> {
    columns: &'a [Column<R>],
    row: &'a R,
}

impl<R> Serialize for Line<'_, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut line = serializer.serialize_map(Some(self.columns.len()))?;
        for column in self.columns {
            match column.value(self.row) {
                Value::Text(text) => line.serialize_entry(&column.name, &text)?,
                Value::Day(day) => line.serialize_entry(&column.name, &day)?,
                Value::Number(number) => line.serialize_entry(&column.name, &number)?,
                Value::Real(number) => line.serialize_entry(&column.name, &number)?,
            }
        }
        line.end()
    }
}
