//! Row groups of Parquet files: encoded and compressed on any thread, written in order.
//!
//! The rows know what they hold, so that nothing is tried out as polars does for every column: times and numbers are stored
//! as differences, and a text that recurs is stored once in a row group.

use std::io::Write;

use polars::prelude::*;
use polars_arrow::array::{Array, BooleanArray, DictionaryArray, PrimitiveArray, Utf8Array};
use polars_arrow::bitmap::Bitmap;
use polars_arrow::datatypes::{ArrowDataType, ArrowSchema, IntegerType};
use polars_arrow::types::NativeType;
use polars_parquet::write::{
    CompressedPage, CompressionOptions, DynIter, DynStreamingIterator, Encoding, FileWriter, Nested, ParquetType,
    StatisticsOptions, Version, WriteOptions, ZstdLevel, array_to_columns, array_to_pages, compress,
    fallible_streaming_iterator, get_dtype_encoding, to_nested, to_parquet_leaves, to_parquet_schema,
};

use super::frame::{DECIMALS, DIGITS, Rows, days, smallest_units, validity};
use crate::metrics::catalogue::{Cells, TextCells, ValueCells};

/// The columns of a file.
pub(super) struct Layout {
    schema: ArrowSchema,
    types: Vec<ParquetType>,
    options: WriteOptions,
}

/// Some rows, as they are in the file.
pub(super) struct RowGroup {
    rows: u64,
    columns: Vec<Vec<CompressedPage>>,
}

impl Layout {
    /// The file holds this schema with the metadata of its fields.
    pub(super) fn new(schema: ArrowSchema) -> PolarsResult<Self> {
        let types = to_parquet_schema(&schema)?.fields().to_vec();
        // The differences leave little to find for a higher level.
        let compression = CompressionOptions::Zstd(Some(ZstdLevel::try_new(1)?));
        let statistics = StatisticsOptions::default();
        Ok(Self {
            schema,
            types,
            options: WriteOptions { statistics, version: Version::V1, compression, data_page_size: None },
        })
    }

    pub(super) fn writer<W: Write>(&self, to: W) -> PolarsResult<FileWriter<W>> {
        FileWriter::try_new(to, self.schema.clone(), self.options)
    }

    /// Rows that follow each other, and further columns of theirs.
    pub(super) fn rows(&self, rows: Vec<Rows>, further: Vec<Column>) -> PolarsResult<RowGroup> {
        let count = rows.iter().map(|rows| rows.count as u64).sum();
        let own = Rows::into_columns(rows).map(|(_, cells)| {
            let (array, encoding) = encodable(cells);
            (array, vec![encoding])
        });
        let further = further.into_iter().map(|column| {
            let array = column.as_materialized_series().rechunk().to_arrow(0, CompatLevel::newest());
            let encodings = get_dtype_encoding(array.dtype());
            (array, encodings)
        });
        self.group(count, own.chain(further))
    }

    /// A whole frame.
    pub(super) fn frame(&self, frame: &DataFrame) -> PolarsResult<RowGroup> {
        self.rows(Vec::new(), frame.columns().to_vec()).map(|group| RowGroup { rows: frame.height() as u64, ..group })
    }

    fn group(
        &self,
        rows: u64,
        columns: impl Iterator<Item = (Box<dyn Array>, Vec<Encoding>)>,
    ) -> PolarsResult<RowGroup> {
        let mut compressed = Vec::with_capacity(self.types.len());
        for (((array, encodings), own), field) in columns.zip(&self.types).zip(self.schema.iter_values()) {
            // It would be written as a zero.
            if !field.is_nullable && array.null_count() > 0 {
                polars_bail!(ComputeError: "`{}` is null, which it never is", field.name);
            }
            let leaves = match &to_nested(&*array, own)?[..] {
                // Not by `array_to_columns`: of nulls alone it makes zeros, of which polars keeps 8 MiB.
                [nested] if matches!(nested[..], [Nested::Primitive(_)]) => {
                    let types = to_parquet_leaves(own.clone()).into_iter().zip(encodings);
                    let pages = |(own, encoding)| array_to_pages(&*array, own, nested, self.options, encoding);
                    types.map(pages).collect::<PolarsResult<_>>()?
                }
                // A nested column of the user's.
                _ => array_to_columns(array, own.clone(), self.options, &encodings)?,
            };
            for pages in leaves {
                let pages = pages.map(|page| Ok(compress(page?, Vec::new(), self.options.compression)?));
                compressed.push(pages.collect::<PolarsResult<_>>()?);
            }
        }
        Ok(RowGroup { rows, columns: compressed })
    }
}

impl RowGroup {
    pub(super) fn write<W: Write>(&self, writer: &mut FileWriter<W>) -> PolarsResult<()> {
        let columns = self.columns.iter().map(|pages| {
            let pages = pages.iter().map(PolarsResult::Ok);
            Ok(DynStreamingIterator::new(fallible_streaming_iterator::convert(pages)))
        });
        writer.write(self.rows, DynIter::new(columns))
    }
}

/// The cells of a column as an array, and how it is stored.
fn encodable(cells: Cells) -> (Box<dyn Array>, Encoding) {
    match cells {
        Cells::Integer(cells) => {
            let array = primitive(ArrowDataType::Int64, cells);
            // Not every reader takes a list of differences without any.
            let is_null = array.null_count() == array.len();
            (Box::new(array), if is_null { Encoding::Plain } else { Encoding::DeltaBinaryPacked })
        }
        Cells::Number(cells) => (Box::new(primitive(ArrowDataType::Float64, cells)), Encoding::Plain),
        Cells::Text(cells) => match dictionary(&cells) {
            Some(array) => (Box::new(array), Encoding::RleDictionary),
            None => (Box::new(Utf8Array::<i64>::from_iter(cells.iter())), Encoding::Plain),
        },
        Cells::Boolean(cells) => {
            let (values, valid) = cells.into_parts();
            (
                Box::new(BooleanArray::new(ArrowDataType::Boolean, Bitmap::from(values), validity(valid))),
                Encoding::Plain,
            )
        }
        Cells::Decimal(cells) => {
            let units: PrimitiveArray<i128> = smallest_units(&cells).collect();
            (Box::new(units.to(ArrowDataType::Decimal(DIGITS, DECIMALS))), Encoding::Plain)
        }
        Cells::Date(cells) => {
            let days: PrimitiveArray<i32> = days(&cells).collect();
            (Box::new(days.to(ArrowDataType::Date32)), Encoding::Plain)
        }
    }
}

fn primitive<T: NativeType>(dtype: ArrowDataType, cells: ValueCells<T>) -> PrimitiveArray<T> {
    let (values, valid) = cells.into_parts();
    PrimitiveArray::new(dtype, values.into(), validity(valid))
}

/// Each different text once; `None` where more than half of the cells differ.
fn dictionary(cells: &TextCells) -> Option<DictionaryArray<u32>> {
    let mut numbers: PlHashMap<&str, u32> = PlHashMap::new();
    let mut texts = Vec::new();
    // The number of each stored text in the dictionary.
    let mut number_of = Vec::with_capacity(cells.stored().len());
    for text in cells.stored() {
        number_of.push(*numbers.entry(text).or_insert_with(|| {
            texts.push(text);
            texts.len() as u32 - 1
        }));
        if texts.len() * 2 > cells.places().len() {
            return None;
        }
    }
    let key = |place: Option<u32>| place.and_then(|place| number_of.get(place as usize).copied()).unwrap_or_default();
    let keys: Vec<u32> = cells.places().map(key).collect();
    let valid =
        cells.places().any(|place| place.is_none()).then(|| cells.places().map(|place| place.is_some()).collect());
    let keys = PrimitiveArray::new(ArrowDataType::UInt32, keys.into(), valid);
    let values = Utf8Array::<i64>::from_iter_values(texts.into_iter());
    let dtype = ArrowDataType::Dictionary(IntegerType::UInt32, Box::new(values.dtype().clone()), false);
    DictionaryArray::try_new(dtype, keys, Box::new(values)).ok()
}
