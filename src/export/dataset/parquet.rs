//! Parquet: the columns of the CSV, typed, with zstd. Every column may be absent in a row.

use std::io;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, Int32Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::Type;

use super::column::{Column, Kind, Value, columns};
use super::{DatasetWriter, Output, Record};

/// How many rows are kept until they are written as one group.
const GROUP: usize = 10_000;

struct Parquet {
    columns: Vec<Column>,
    rows: Vec<Record>,
    out: SerializedFileWriter<Output>,
}

pub(super) fn create(out: Output) -> io::Result<Box<dyn DatasetWriter>> {
    let columns = columns();
    let fields = columns.iter().map(field).collect::<Result<_, _>>().map_err(io_error)?;
    let schema =
        Type::group_type_builder("report").with_fields(fields).build().map_err(io_error)?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by(format!("deepspine {}", env!("CARGO_PKG_VERSION")))
        .build();
    let out = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties));
    Ok(Box::new(Parquet { columns, rows: Vec::new(), out: out.map_err(io_error)? }))
}

fn field(column: &Column) -> Result<Arc<Type>, ParquetError> {
    let (physical, logical) = match column.kind {
        Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Kind::Number => (Physical::INT32, None),
        Kind::Day => (Physical::INT32, Some(LogicalType::Date)),
    };
    let field = Type::primitive_type_builder(&column.name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical);
    Ok(Arc::new(field.build()?))
}

impl Parquet {
    fn write_group(&mut self) -> Result<(), ParquetError> {
        let rows = std::mem::take(&mut self.rows);
        let mut group = self.out.next_row_group()?;
        for column in &self.columns {
            let mut out = group.next_column()?.expect("the schema has every column");
            write_column(column, &rows, &mut out)?;
            out.close()?;
        }
        group.close()?;
        Ok(())
    }
}

/// Writes the values of one column: those that are there, and for each row whether it has one.
fn write_column(
    column: &Column,
    rows: &[Record],
    out: &mut SerializedColumnWriter<'_>,
) -> Result<(), ParquetError> {
    let (mut texts, mut numbers): (Vec<ByteArray>, Vec<i32>) = (Vec::new(), Vec::new());
    let mut there = Vec::with_capacity(rows.len());
    for row in rows {
        let before = texts.len() + numbers.len();
        match column.value(row) {
            Value::Text(text) => texts.extend(text.as_deref().map(ByteArray::from)),
            Value::Number(number) => numbers.extend(number),
            Value::Day(day) => numbers.extend(day.and_then(days_since_1970)),
        }
        there.push((texts.len() + numbers.len() - before) as i16);
    }
    match column.kind {
        Kind::Text => out.typed::<ByteArrayType>().write_batch(&texts, Some(&there), None)?,
        Kind::Number | Kind::Day => {
            out.typed::<Int32Type>().write_batch(&numbers, Some(&there), None)?
        }
    };
    Ok(())
}

fn days_since_1970(day: &str) -> Option<i32> {
    let day: jiff::civil::Date = day.parse().ok()?;
    let epoch = jiff::civil::date(1970, 1, 1);
    Some(epoch.until(day).ok()?.get_days())
}

impl DatasetWriter for Parquet {
    fn write(&mut self, record: &Record) -> io::Result<()> {
        self.rows.push(record.clone());
        if self.rows.len() >= GROUP { self.write_group().map_err(io_error) } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        if !self.rows.is_empty() {
            self.write_group().map_err(io_error)?;
        }
        self.out.close().map_err(io_error)?;
        Ok(())
    }
}

fn io_error(error: ParquetError) -> io::Error {
    io::Error::other(error)
}
