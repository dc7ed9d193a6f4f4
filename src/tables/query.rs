//! SQL over stored tables, by the engine of polars.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use polars::prelude::*;
use polars::sql::{SQLContext, extract_table_identifiers};

use super::call_rows::Figure;
use super::files::Format;
use super::frame::schema;
use super::select::select;
use super::stored::{first_keys, labels};
use super::table_files::{TableFolder, scan_json_lines, sources};
use crate::error::{Check, Error, Result};
use crate::metrics::catalogue::Table;

/// The column that names the folder, if there are several.
const DIR: &str = "dir";

/// Tables in folders, each to be queried by its name.
#[derive(Debug)]
pub struct Query {
    /// By their labels.
    folders: Vec<(String, TableFolder)>,
}

impl Query {
    /// Finds the tables of folders: Parquet files, else JSON lines, else CSV. Several folders stand one under the other, with
    /// a column `dir`: as much of each folder's path as makes it unique.
    ///
    /// # Errors
    /// When a folder cannot be read, has no table, has shards that are not complete or not of one analysis, or is given twice.
    pub fn open(paths: &[PathBuf]) -> Result<Self> {
        let folder = |(label, path): (String, &PathBuf)| {
            let folder = TableFolder::open(path)?;
            if folder.tables.is_empty() {
                let message = format!("no table in {}", path.display());
                return Err(Error::invalid(message).with_check(Check::NoTables));
            }
            Ok((label, folder))
        };
        let folders: Result<_> = labels(paths)?.into_iter().zip(paths).map(folder).collect();
        Ok(Self { folders: folders? })
    }

    /// The rows of one `SELECT`. Tables that it does not name are not read; without `ORDER BY` rows come in any order.
    ///
    /// # Errors
    /// When it is no `SELECT`, names a table or column that is not there, or a table cannot be read.
    pub fn run(&self, sql: &str) -> Result<DataFrame> {
        let failed = |error: PolarsError| self.failed(&error);
        let sql = select(sql)?;
        let named = extract_table_identifiers(&sql, false, true).map_err(failed)?;
        let mut context = SQLContext::new();
        for name in named {
            // Others are tables of the query itself, or unknown, which polars says.
            if let Some(frame) = self.scan(&name)? {
                context.register(&name, frame);
            }
        }
        context.execute(&sql).and_then(LazyFrame::collect).map_err(failed)
    }

    /// An error of polars in one line, with the tables there are if it misses one.
    fn failed(&self, error: &PolarsError) -> Error {
        let text = error.to_string();
        let line = text.lines().next().unwrap_or_default();
        let quoted = |line: &str| line.split('\'').nth(1).map(str::to_owned);
        if line.contains("relation")
            && let Some(name) = quoted(line).filter(|name| Table::from_name(name).is_some())
        {
            let folders: Vec<String> =
                self.folders.iter().map(|(_, folder)| folder.path.display().to_string()).collect();
            let message = format!("no table `{name}` in {}", folders.join(", "));
            return Error::invalid(message).with_check(Check::NoTables);
        }
        Error::invalid(format!("cannot run the query: {}", self.said(line)))
    }

    fn said(&self, line: &str) -> String {
        if let Some((_, name)) = line.split_once("duplicate output name '") {
            let name = name.split('\'').next().unwrap_or_default();
            return format!("several results are called `{name}`; name them with AS");
        }
        if !line.contains("relation") {
            return line.to_owned();
        }
        let mut names: Vec<&str> =
            self.folders.iter().flat_map(|(_, folder)| folder.tables.keys()).map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        format!("{line}; the tables are {}", names.join(", "))
    }

    /// A table of all folders; `None` if no folder has it.
    fn scan(&self, name: &str) -> Result<Option<LazyFrame>> {
        let mut parts = Vec::new();
        for (label, folder) in &self.folders {
            let Some(table) = folder.get(name) else { continue };
            let part = scan(name, table.open()?, table.format);
            let mut part =
                part.map_err(|error| Error::table(format!("cannot read {}", table.path.display()), error))?;
            if self.folders.len() > 1 {
                part = part.select([lit(&**label).alias(DIR), all().as_expr()]);
            }
            parts.push(part);
        }
        if parts.len() < 2 {
            return Ok(parts.pop());
        }
        let together = UnionArgs { diagonal: true, to_supertypes: true, ..UnionArgs::default() };
        concat(parts, together).map(Some).map_err(|error| Error::table(format!("cannot read {name}"), error))
    }
}

/// Our columns have their types in every format; other columns of CSV and JSON lines are what their cells look like, those
/// behind ours text.
fn scan(name: &str, parts: Vec<File>, format: Format) -> PolarsResult<LazyFrame> {
    let order = parts.first().filter(|_| format == Format::JsonLines).map(first_keys).transpose()?;
    let ours = Table::from_name(name).map(schema);
    if format == Format::Parquet {
        let hive_options = polars::io::HiveOptions::new_disabled();
        return LazyFrame::scan_parquet_sources(
            sources(parts),
            ScanArgsParquet { hive_options, ..ScanArgsParquet::default() },
        );
    }
    // Money is read as text: not every reader takes decimals.
    let is_money = |dtype: &DataType| matches!(dtype, DataType::Decimal(..));
    let read_as = |(name, dtype): (&PlSmallStr, &DataType)| {
        Field::new(name.clone(), if is_money(dtype) { DataType::String } else { dtype.clone() })
    };
    let types: Option<SchemaRef> = ours.as_ref().map(|ours| Arc::new(ours.iter().map(read_as).collect()));
    let frame = if format == Format::Csv {
        let guessed_from = if ours.is_some() { Some(0) } else { None };
        LazyCsvReader::new_with_sources(sources(parts))
            .with_infer_schema_length(guessed_from)
            .with_dtype_overwrite(types)
            .finish()?
    } else {
        let mut frame = scan_json_lines(parts, types.as_ref())?;
        let mut names: Vec<PlSmallStr> = frame.collect_schema()?.iter_names().cloned().collect();
        order.unwrap_or_default().sort(&mut names);
        frame.select(names.into_iter().map(col).collect::<Vec<_>>())
    };
    let money = ours.iter().flat_map(Schema::iter).filter(|(_, dtype)| is_money(dtype));
    let money: Vec<Expr> = money.map(|(name, dtype)| col(name.clone()).cast(dtype.clone())).collect();
    Ok(if money.is_empty() { frame } else { frame.with_columns(money) })
}

/// The cells of a frame, row by row: money, times and lists are text.
///
/// # Errors
/// When a cell cannot be read.
pub fn cells(frame: &DataFrame) -> Result<Vec<Vec<Option<Figure>>>> {
    let cell = |column: &Column, row: usize| {
        Ok(match column.get(row)? {
            AnyValue::Null => None,
            AnyValue::Boolean(truth) => Some(Figure::Boolean(truth)),
            AnyValue::String(text) => Some(Figure::Text(text.to_owned())),
            AnyValue::StringOwned(text) => Some(Figure::Text(text.to_string())),
            AnyValue::Decimal(..) => {
                let text = column.get(row)?.to_string();
                let number = text.parse::<rust_decimal::Decimal>().map(|amount| amount.normalize().to_string());
                Some(Figure::Text(number.unwrap_or(text)))
            }
            value if value.is_float() => value.try_extract::<f64>().ok().map(Figure::Number),
            value if value.is_integer() => value.try_extract::<i64>().ok().map(Figure::Integer),
            value => Some(Figure::Text(value.to_string())),
        })
    };
    let row = |row: usize| frame.columns().iter().map(|column| cell(column, row)).collect::<PolarsResult<Vec<_>>>();
    let rows: PolarsResult<Vec<_>> = (0..frame.height()).map(row).collect();
    rows.map_err(|error| Error::table("cannot read the answer", error))
}
