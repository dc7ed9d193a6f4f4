//! One workbook of the tables that people look at in a spreadsheet: a sheet for each, written row by row.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use polars::prelude::{AnyValue, Column, DataFrame, Schema};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Worksheet, XlsxError};
use tempfile::NamedTempFile;

use crate::disk;
use crate::error::{Error, Result};

/// The file name of the workbook.
pub const WORKBOOK: &str = "tables.xlsx";

/// The tables that have a sheet, in the order of the sheets.
const SHEETS: [&str; 8] = ["calls", "calls_by_role", "participants", "rollup", "hits", "events", "costs", "warnings"];

/// Rows of a sheet, with its header.
const MOST_ROWS: u32 = 1_048_576;

/// UTF-16 code units of a cell.
const MOST_TEXT: usize = 32_767;

/// A spreadsheet shows 15 digits; longer whole numbers are written as text.
const MOST_INTEGER: u64 = 1_000_000_000_000_000;

/// 1970-01-01 as a day of a spreadsheet, and the first day from which all programs count alike.
const DAY_OF_1970: i32 = 25_569;
const FIRST_DAY: i32 = 61;

/// A sheet that does not hold all of its table.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShortSheet {
    /// The table.
    pub sheet: String,
    /// Rows that did not fit.
    pub rows_left_out: u64,
    /// Texts that were cut to the length that a cell holds.
    pub texts_cut: u64,
}

/// A workbook being written.
pub(super) struct Workbook {
    book: rust_xlsxwriter::Workbook,
    path: PathBuf,
    /// In the order of the worksheets of the book.
    sheets: Vec<Sheet>,
    bold: Format,
    date: Format,
    most_rows: u32,
}

struct Sheet {
    name: String,
    next_row: u32,
    rows_left_out: u64,
    texts_cut: u64,
}

impl std::fmt::Debug for Workbook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workbook").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Whether a table has a sheet.
pub(super) fn has_sheet(table: &str) -> bool {
    SHEETS.contains(&table)
}

impl Workbook {
    /// Rows wait in unnamed files of this folder.
    pub(super) fn create(folder: &Path) -> Result<Self> {
        let mut workbook = Self {
            book: rust_xlsxwriter::Workbook::new(),
            path: folder.join(WORKBOOK),
            sheets: Vec::new(),
            bold: Format::new().set_bold(),
            date: Format::new().set_num_format("yyyy-mm-dd"),
            most_rows: MOST_ROWS,
        };
        workbook.guarded(|workbook| {
            workbook.book.set_tempdir(folder)?;
            // The same tables give the same bytes.
            let created = ExcelDateTime::from_ymd(2000, 1, 1)?;
            workbook.book.set_properties(&DocProperties::new().set_creation_datetime(&created));
            Ok(())
        })?;
        Ok(workbook)
    }

    pub(super) fn has_sheets(&self) -> bool {
        !self.sheets.is_empty()
    }

    /// Adds the sheet of a table with its header, unless it is there.
    pub(super) fn add_sheet(&mut self, table: &str, schema: &Schema) -> Result<()> {
        self.guarded(|workbook| workbook.sheet(table, schema).map(|_| ()))
    }

    /// Appends rows to the sheet of a table.
    pub(super) fn append(&mut self, table: &str, frame: &DataFrame) -> Result<()> {
        self.guarded(|workbook| {
            let at = workbook.sheet(table, frame.schema())?;
            let worksheet = workbook.book.worksheet_from_index(at)?;
            let Some(sheet) = workbook.sheets.get_mut(at) else { return Ok(()) };
            let room = workbook.most_rows.saturating_sub(sheet.next_row) as usize;
            let rows = frame.height().min(room);
            sheet.rows_left_out += (frame.height() - rows) as u64;
            for row in 0..rows {
                for (column, cells) in (0..).zip(frame.columns()) {
                    let cell = Cell { worksheet, row: sheet.next_row, column, date: &workbook.date };
                    sheet.texts_cut += u64::from(cell.write(cells, row)?);
                }
                sheet.next_row += 1;
            }
            Ok(())
        })
    }

    /// Writes the file; it appears under its name when it is persisted.
    pub(super) fn finish(mut self) -> Result<((NamedTempFile, PathBuf), Vec<ShortSheet>)> {
        let mut file = disk::create(&self.path)?;
        self.guarded(|workbook| {
            let place = |sheet: &Worksheet| SHEETS.iter().position(|table| *table == sheet.name());
            workbook.book.worksheets_mut().sort_by_key(place);
            workbook.book.save_to_writer(std::io::BufWriter::new(file.as_file_mut()))
        })?;
        let short = |sheet: Sheet| {
            let Sheet { name, rows_left_out, texts_cut, .. } = sheet;
            (rows_left_out + texts_cut > 0).then_some(ShortSheet { sheet: name, rows_left_out, texts_cut })
        };
        Ok(((file, self.path), self.sheets.into_iter().filter_map(short).collect()))
    }

    /// The number of a table's worksheet, with its header.
    fn sheet(&mut self, table: &str, schema: &Schema) -> Result<usize, XlsxError> {
        if let Some(at) = self.sheets.iter().position(|sheet| sheet.name == table) {
            return Ok(at);
        }
        let worksheet = self.book.add_worksheet_with_constant_memory()?;
        worksheet.set_name(table)?.set_freeze_panes(1, 0)?;
        for (column, name) in (0..).zip(schema.iter_names()) {
            worksheet.set_column_width(column, name.chars().count().clamp(8, 40) as f64 + 2.0)?;
            worksheet.write_string_with_format(0, column, name.as_str(), &self.bold)?;
        }
        self.sheets.push(Sheet { name: table.to_owned(), next_row: 1, rows_left_out: 0, texts_cut: 0 });
        Ok(self.sheets.len() - 1)
    }

    /// The writer panics where a temporary file cannot be written, such as on a full disk.
    fn guarded<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, XlsxError>) -> Result<T> {
        let path = self.path.clone();
        match catch_unwind(AssertUnwindSafe(|| work(self))) {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) => Err(Error::io("write", &path, std::io::Error::other(error))),
            Err(_) => Err(Error::io("write", &path, std::io::Error::other("a temporary file could not be written"))),
        }
    }
}

/// Where a cell is written.
struct Cell<'w> {
    worksheet: &'w mut Worksheet,
    row: u32,
    column: u16,
    date: &'w Format,
}

impl Cell<'_> {
    /// Writes a value of a column; returns whether a text was cut. Null is an empty cell.
    fn write(self, cells: &Column, at: usize) -> Result<bool, XlsxError> {
        let Self { worksheet, row, column, date } = self;
        let value = cells.get(at).unwrap_or(AnyValue::Null);
        match &value {
            AnyValue::Null => {}
            AnyValue::Boolean(truth) => drop(worksheet.write_boolean(row, column, *truth)?),
            AnyValue::Date(day) if day.saturating_add(DAY_OF_1970) >= FIRST_DAY => {
                let day = f64::from(day.saturating_add(DAY_OF_1970));
                worksheet.write_number_with_format(row, column, day, date)?;
            }
            AnyValue::Decimal(..) | AnyValue::Float32(_) | AnyValue::Float64(_) => {
                if let Some(number) = value.extract::<f64>().filter(|number| number.is_finite()) {
                    worksheet.write_number(row, column, number)?;
                }
            }
            number if number.is_integer() => match number.extract::<i64>() {
                Some(number) if number.unsigned_abs() < MOST_INTEGER => {
                    worksheet.write_number(row, column, number as f64)?;
                }
                _ => drop(worksheet.write_string(row, column, number.to_string())?),
            },
            AnyValue::String(text) => return write_text(worksheet, row, column, text),
            AnyValue::StringOwned(text) => return write_text(worksheet, row, column, text),
            other => return write_text(worksheet, row, column, &other.to_string()),
        }
        Ok(false)
    }
}

fn write_text(worksheet: &mut Worksheet, row: u32, column: u16, text: &str) -> Result<bool, XlsxError> {
    let mut units = 0;
    let fits = |c: &char| {
        units += c.len_utf16();
        units <= MOST_TEXT
    };
    let kept: usize = text.chars().take_while(fits).map(char::len_utf8).sum();
    worksheet.write_string(row, column, text.get(..kept).unwrap_or_default())?;
    Ok(kept < text.len())
}

#[cfg(test)]
mod tests {
    use polars::prelude::df;

    use super::*;

    #[test]
    fn rows_and_texts_past_the_limits_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        let mut workbook = Workbook::create(folder.path()).unwrap();
        workbook.most_rows = 4;
        let long = "𝄞".repeat(MOST_TEXT);
        let frame = df!("file" => ["a", "b"], "text" => [long.as_str(), "short"]).unwrap();
        workbook.append("hits", &frame).unwrap();
        workbook.append("hits", &frame).unwrap();
        workbook.append("calls", &frame).unwrap();
        let ((file, path), short) = workbook.finish().unwrap();
        assert_eq!(path, folder.path().join(WORKBOOK));
        assert!(file.as_file().metadata().unwrap().len() > 0);
        let sheet =
            |name: &str, rows_left_out, texts_cut| ShortSheet { sheet: name.to_owned(), rows_left_out, texts_cut };
        assert_eq!(short, [sheet("hits", 1, 2), sheet("calls", 0, 1)]);
        drop(file);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "a temporary file is left");
    }
}
