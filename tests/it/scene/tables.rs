//! Rows of tables, from every format that they are written in, and what they must hold.

use std::path::Path;

use polars::prelude::{DataFrame, JsonFormat, JsonWriter, ParquetReader, SerReader, SerWriter};
use serde_json::{Map, Value, json};

/// A row of a table, by column.
pub(crate) type Row = Map<String, Value>;

pub(crate) fn rows_of_lines(text: &str) -> Vec<Row> {
    assert!(text.is_empty() || text.ends_with('\n'), "the last line is not ended");
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

pub(crate) fn rows_of_parquet(path: &Path) -> Vec<Row> {
    rows_of_frame(ParquetReader::new(std::fs::File::open(path).unwrap()).finish().unwrap())
}

pub(crate) fn rows_of_frame(mut frame: DataFrame) -> Vec<Row> {
    let mut json = Vec::new();
    JsonWriter::new(&mut json).with_json_format(JsonFormat::Json).finish(&mut frame).unwrap();
    serde_json::from_slice(&json).unwrap()
}

/// The type of a column by the catalogue, which the schema test compares with the design.
pub(crate) fn kind(table: &str, column: &str) -> &'static str {
    let table = talkmeter::metrics::catalogue::Table::from_name(table);
    let column = table.and_then(|table| table.columns.iter().find(|known| known.name == column));
    column.map_or("text", |column| column.kind.name())
}

pub(crate) fn rows_of_csv(text: &str, kind: impl Fn(&str) -> &'static str) -> Vec<Row> {
    let mut records = csv(text).into_iter();
    let head = records.next().unwrap();
    let cell = |name: &String, (text, quoted): &(String, bool)| match kind(&name[..]) {
        _ if text.is_empty() && !quoted => Value::Null,
        "integer" => json!(text.parse::<i64>().unwrap()),
        "number" => json!(text.parse::<f64>().unwrap()),
        "boolean" => json!(text.parse::<bool>().unwrap()),
        _ => json!(text),
    };
    records
        .map(|record| {
            assert_eq!(record.len(), head.len(), "a record of another length: {record:?}");
            head.iter().zip(&record).map(|((name, _), value)| (name.clone(), cell(name, value))).collect()
        })
        .collect()
}

/// RFC 4180 with LF, strictly; whether a field was quoted is kept.
pub(crate) fn csv(text: &str) -> Vec<Vec<(String, bool)>> {
    let mut chars = text.chars().peekable();
    let mut records = Vec::new();
    let mut record = Vec::new();
    while chars.peek().is_some() {
        let quoted = chars.next_if_eq(&'"').is_some();
        let mut field = String::new();
        if quoted {
            loop {
                match chars.next().unwrap_or_else(|| panic!("a quoted field without an end: {field}")) {
                    '"' if chars.next_if_eq(&'"').is_none() => break,
                    c => field.push(c),
                }
            }
        }
        while let Some(c) = chars.next_if(|c| !quoted && !matches!(c, ',' | '\n')) {
            assert!(!matches!(c, '"' | '\r'), "{c:?} inside a field that is not quoted: {field}");
            field.push(c);
        }
        record.push((field, quoted));
        match chars.next() {
            Some(',') if chars.peek().is_some() => {}
            Some('\n') => records.push(std::mem::take(&mut record)),
            other => panic!("{other:?} behind a field"),
        }
    }
    records
}

/// Asserts that a row has these values; floats to twelve digits.
#[track_caller]
pub(crate) fn has(row: &Row, expected: Value) {
    let same = |one: &Value, two: &Value| match (one.as_i64(), two.as_i64(), one.as_f64(), two.as_f64()) {
        (Some(one), Some(two), ..) => one == two,
        (.., Some(one), Some(two)) => (one - two).abs() <= 1e-12 * one.abs().max(1.0),
        _ => one == two,
    };
    let differs = |(name, value): (&String, &Value)| {
        let found = row.get(name).unwrap_or_else(|| panic!("no column {name}"));
        (!same(found, value)).then(|| format!("{name}: {found} instead of {value}"))
    };
    let wrong: Vec<String> = expected.as_object().unwrap().iter().filter_map(differs).collect();
    assert!(wrong.is_empty(), "{}\nin {}", wrong.join("\n"), Value::Object(row.clone()));
}

/// The one row of a table that has one.
#[track_caller]
pub(crate) fn only(table: &str, mut rows: Vec<Row>) -> Row {
    assert_eq!(rows.len(), 1, "{table} has not one row: {rows:?}");
    rows.remove(0)
}

/// The one row in which `column` has this value.
#[track_caller]
pub(crate) fn row_where(rows: &[Row], column: &str, value: impl Into<Value>) -> Row {
    let value = value.into();
    let mut found = rows.iter().filter(|row| row[column] == value);
    let row = found.next().unwrap_or_else(|| panic!("no row with {column} {value}: {rows:?}")).clone();
    assert!(found.next().is_none(), "several rows with {column} {value}");
    row
}

/// Codes of rows of the table `warnings`, with their counts.
pub(crate) fn warnings(rows: &[Row]) -> Vec<(String, i64)> {
    rows.iter().map(|row| (row["code"].as_str().unwrap().to_owned(), row["count"].as_i64().unwrap())).collect()
}

/// One column of some rows.
pub(crate) fn column(rows: &[Row], name: &str) -> Vec<Value> {
    rows.iter().map(|row| row[name].clone()).collect()
}

mod tests {
    use super::*;
    use crate::scene::fails;

    #[test]
    fn csv_is_read_by_the_book() {
        let (plain, quoted) = (|text: &str| (text.to_owned(), false), |text: &str| (text.to_owned(), true));
        assert_eq!(
            csv("a,b,\n,\"\",\"x\"\"y,\nz\"\n"),
            [vec![plain("a"), plain("b"), plain("")], vec![plain(""), quoted(""), quoted("x\"y,\nz")]]
        );
        assert!(fails(|| drop(csv("a\"b\n"))).contains("inside a field that is not quoted"));
        assert!(fails(|| drop(csv("\"a\n"))).contains("without an end"));
        assert!(fails(|| drop(csv("a"))).contains("behind a field"));
    }
}
