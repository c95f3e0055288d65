//! CSV: a row a report. What is absent is blank.

use std::io;

use super::column::{Column, Value, columns};
use super::{DatasetWriter, Output, Record};

struct Csv {
    columns: Vec<Column>,
    out: csv::Writer<Output>,
}

pub(super) fn create(out: Output) -> io::Result<Box<dyn DatasetWriter>> {
    let columns = columns();
    let mut out = csv::Writer::from_writer(out);
    out.write_record(columns.iter().map(|column| column.name.as_str()))?;
    Ok(Box::new(Csv { columns, out }))
}

impl DatasetWriter for Csv {
    fn write(&mut self, record: &Record) -> io::Result<()> {
        for column in &self.columns {
            match column.value(record) {
                Value::Text(text) => self.out.write_field(text.as_deref().unwrap_or_default())?,
                Value::Day(day) => self.out.write_field(day.unwrap_or_default())?,
                Value::Number(number) => {
                    let number = number.map(|number| number.to_string()).unwrap_or_default();
                    self.out.write_field(number)?;
                }
            }
        }
        Ok(self.out.write_record(None::<&[u8]>)?)
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.out.flush()
    }
}
