//! Parquet: the columns of the CSV, typed, with zstd. Every column may be absent in a row.

use std::io;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::Type;

use super::column::{Column, Kind, Value};
use super::{DatasetWriter, Output};

/// How many rows are kept until they are written as one group.
const GROUP: usize = 10_000;

struct Parquet<R> {
    columns: Vec<Column<R>>,
    rows: Vec<R>,
    out: SerializedFileWriter<Output>,
}

/// `row` is what a row is, in a word.
pub(in crate::export) fn create<R: Clone + 'static>(
    columns: Vec<Column<R>>,
    row: &str,
    out: Output,
) -> io::Result<Box<dyn DatasetWriter<R>>> {
    let fields = columns.iter().map(field).collect::<Result<_, _>>().map_err(io_error)?;
    let schema = Type::group_type_builder(row).with_fields(fields).build().map_err(io_error)?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by(format!("deepspine {}", env!("CARGO_PKG_VERSION")))
        .build();
    let out = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties));
    Ok(Box::new(Parquet { columns, rows: Vec::new(), out: out.map_err(io_error)? }))
}

fn field<R>(column: &Column<R>) -> Result<Arc<Type>, ParquetError> {
    let (physical, logical) = match column.kind {
        Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Kind::Number => (Physical::INT32, None),
        Kind::Real => (Physical::DOUBLE, None),
        Kind::Day => (Physical::INT32, Some(LogicalType::Date)),
    };
    let field = Type::primitive_type_builder(&column.name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical);
    Ok(Arc::new(field.build()?))
}

impl<R> Parquet<R> {
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
fn write_column<R>(
    column: &Column<R>,
    rows: &[R],
    out: &mut SerializedColumnWriter<'_>,
) -> Result<(), ParquetError> {
    let (mut texts, mut numbers, mut reals) =
        (Vec::<ByteArray>::new(), Vec::<i32>::new(), Vec::<f64>::new());
    let mut there = Vec::with_capacity(rows.len());
    for row in rows {
        let before = texts.len() + numbers.len() + reals.len();
        match column.value(row) {
            Value::Text(text) => texts.extend(text.as_deref().map(ByteArray::from)),
            Value::Number(number) => numbers.extend(number),
            Value::Real(number) => reals.extend(number),
            Value::Day(day) => numbers.extend(day.and_then(days_since_1970)),
        }
        there.push((texts.len() + numbers.len() + reals.len() - before) as i16);
    }
    match column.kind {
        Kind::Text => out.typed::<ByteArrayType>().write_batch(&texts, Some(&there), None)?,
        Kind::Real => out.typed::<DoubleType>().write_batch(&reals, Some(&there), None)?,
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

impl<R: Clone> DatasetWriter<R> for Parquet<R> {
    fn write(&mut self, row: &R) -> io::Result<()> {
        self.rows.push(row.clone());
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
