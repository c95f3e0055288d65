//! CSV: a line a row. What is absent is blank.

use std::io;

use super::column::{Column, Value};
use super::{DatasetWriter, Output};

struct Csv<R> {
    columns: Vec<Column<R>>,
    out: csv::Writer<Output>,
}

pub(in crate::export) fn create<R: 'static>(
    columns: Vec<Column<R>>,
    out: Output,
) -> io::Result<Box<dyn DatasetWriter<R>>> {
    let mut out = csv::Writer::from_writer(out);
    out.write_record(columns.iter().map(|column| column.name.as_str()))?;
    Ok(Box::new(Csv { columns, out }))
}

impl<R> DatasetWriter<R> for Csv<R> {
    fn write(&mut self, row: &R) -> io::Result<()> {
        let shown = |number: Option<String>| number.unwrap_or_default();
        for column in &self.columns {
            match column.value(row) {
                Value::Text(text) => self.out.write_field(text.as_deref().unwrap_or_default())?,
                Value::Day(day) => self.out.write_field(day.unwrap_or_default())?,
                Value::Number(number) => {
                    self.out.write_field(shown(number.map(|number| number.to_string())))?;
                }
                Value::Real(number) => {
                    self.out.write_field(shown(number.map(|number| number.to_string())))?;
                }
            }
        }
        Ok(self.out.write_record(None::<&[u8]>)?)
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.out.flush()
    }
}
