//! The provider's statement, row by row.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::line::Meter;
use super::usage::{MOST_QUANTITY, Usage};
use crate::error::{Error, Result};
use crate::sheet::{Cells, Column, Layout, Row, Sheet, number};

/// A row of a provider's statement.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
#[non_exhaustive]
pub struct StatementRow {
    /// Task id, address, result file or name of a recording; empty if the row names none.
    pub resource: String,
    /// The billed quantities. A quantity without a meter counts as seconds.
    pub usage: Usage,
    /// The meter of the row; `None` = not stated, or several.
    pub meter: Option<Meter>,
    /// Amount billed; `None` = not stated.
    pub cost: Option<Decimal>,
    /// Currency code, as written.
    pub currency: String,
}

/// A provider's statement.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
#[non_exhaustive]
pub struct Statement {
    /// In the order of the file.
    pub rows: Vec<StatementRow>,
    /// What to know about the file as a whole, as clauses: a guessed encoding, empty rows.
    pub notes: Vec<String>,
}

const RESOURCE: Column =
    Column::new(&["ResourceId", "task_id", "file", "url", "file_url", "InstanceID", "资源ID", "实例ID"]);
const QUANTITY: Column = Column::new(&["ConsumedQuantity", "PricingQuantity", "seconds", "quantity", "usage", "用量"]);
const METER: Column = Column::new(&["SkuMeter", "meter"]);
const TOKENS_IN: Column = Column::new(&["input_tokens", "tokens_in"]);
const TOKENS_OUT: Column = Column::new(&["output_tokens", "tokens_out"]);
const COST: Column = Column::new(&["BilledCost", "cost", "amount", "应付金额"]);
const CURRENCY: Column = Column::new(&["BillingCurrency", "currency", "币种"]);

impl Statement {
    /// Reads a statement: CSV with a header, or JSON lines. Columns by any of these names, whatever their case:
    ///
    /// - `ResourceId`, `task_id`, `file` or `url`: which recording;
    /// - `ConsumedQuantity`, `PricingQuantity`, `seconds` or `quantity`, of what `SkuMeter` or `meter` says (`speech`,
    ///   `tokens_in`, `tokens_out`);
    /// - `input_tokens` or `tokens_in`, `output_tokens` or `tokens_out`;
    /// - `BilledCost`, `cost` or `amount`; `BillingCurrency` or `currency`.
    ///
    /// `name` tells JSON lines from CSV by its extension.
    ///
    /// ```
    /// use talkmeter::billing::{Meter, Statement};
    /// let csv = "task_id;quantity;meter;cost\nt-1;1.530;input_tokens;0,0002295\n";
    /// assert!(Statement::read("bill.csv", csv.as_bytes()).unwrap_err().to_string().contains("`1.530`"));
    /// let csv = csv.replace("1.530", "1530");
    /// let statement = Statement::read("bill.csv", csv.as_bytes())?;
    /// let row = &statement.rows[0];
    /// assert_eq!((row.meter, row.usage.tokens_in), (Some(Meter::TokensIn), Some(1530)));
    /// assert_eq!(row.cost.ok_or("no cost")?.to_string(), "0.0002295");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidInput`]: what is wrong, and in which line of `name`.
    pub fn read(name: &str, reader: impl std::io::Read) -> Result<Self> {
        let wrong = |why: &dyn std::fmt::Display| Error::invalid(format!("{name}: {why}"));
        let layout = Layout { needed: &[QUANTITY, TOKENS_IN, TOKENS_OUT, COST], plain: false, least_columns: 1 };
        let mut sheet = Sheet::new(name, reader, &layout);
        let mut rows = Vec::new();
        while let Some(row) = sheet.next_row() {
            let (line, row) = row.map_err(|fault| wrong(&fault))?;
            let Row::Cells(cells) = row else { return Err(wrong(&format!("line {line}: not a JSON object"))) };
            let row = statement_row(&cells, sheet.has_decimal_commas());
            rows.push(row.map_err(|why| wrong(&format!("line {line}: {why}")))?);
        }
        Ok(Self { rows, notes: sheet.notes() })
    }
}

fn statement_row(cells: &Cells, has_decimal_commas: bool) -> std::result::Result<StatementRow, String> {
    let decimal = |column: &Column| {
        let Some(cell) = cells.figure(column) else { return Ok(None) };
        let name = column.name();
        match number(cell, has_decimal_commas) {
            None => Err(format!("`{cell}` for `{name}` is not a number, or can be read in two ways")),
            Some(number) if number.abs() > Decimal::from(MOST_QUANTITY) => {
                Err(format!("`{cell}` for `{name}` is not a number a bill can have (up to 1,000,000,000,000)"))
            }
            number => Ok(number),
        }
    };
    let whole = |column: &Column| match decimal(column)? {
        // Money may be paid back; speech is not taken back.
        Some(quantity) if quantity.is_sign_negative() && !quantity.is_zero() => {
            Err(format!("`{quantity}` for `{}` is below 0", column.name()))
        }
        quantity => Ok(quantity.and_then(|quantity| quantity.ceil().to_i64())),
    };
    let meter = cells.get(&METER).and_then(|name| named(&name.to_ascii_lowercase()));
    let mut usage = Usage { tokens_in: whole(&TOKENS_IN)?, tokens_out: whole(&TOKENS_OUT)?, ..Usage::default() };
    if let Some(quantity) = whole(&QUANTITY)? {
        *match meter {
            None | Some(Meter::Speech) => &mut usage.seconds,
            Some(Meter::TokensIn) => &mut usage.tokens_in,
            Some(Meter::TokensOut) => &mut usage.tokens_out,
        } = Some(quantity);
    }
    Ok(StatementRow {
        resource: cells.get(&RESOURCE).unwrap_or_default().to_owned(),
        usage,
        meter,
        cost: decimal(&COST)?,
        currency: cells.get(&CURRENCY).unwrap_or_default().to_owned(),
    })
}

fn named(meter: &str) -> Option<Meter> {
    match meter {
        "speech" | "seconds" => Some(Meter::Speech),
        "tokens_in" | "input_tokens" | "input" => Some(Meter::TokensIn),
        "tokens_out" | "output_tokens" | "output" => Some(Meter::TokensOut),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_is_of_what_the_row_says() {
        let read = |csv: &str| {
            let read = Statement::read("bill.csv", csv.as_bytes());
            read.map(|statement| statement.rows).map_err(|error| error.to_string())
        };
        let rows = read(
            "ResourceId,ConsumedQuantity,SkuMeter,BilledCost\na,9,speech,0.1\na,530,tokens_in,\na,109,Output_Tokens,\na,7,,\n",
        )
        .unwrap();
        let usage = |seconds, tokens_in, tokens_out| Usage { seconds, tokens_in, tokens_out };
        assert_eq!(rows[0].usage, usage(Some(9), None, None));
        assert_eq!(rows[1].usage, usage(None, Some(530), None));
        assert_eq!(rows[2].usage, usage(None, None, Some(109)));
        assert_eq!((rows[3].usage, rows[3].meter), (usage(Some(7), None, None), None));
        let rows = read("\u{feff}url,input_tokens,output_tokens,amount\nu,530,109,0.00013\n").unwrap();
        assert_eq!((rows[0].usage, rows[0].meter), (usage(None, Some(530), Some(109)), None));
        let missing = read("url,currency\n").unwrap_err();
        assert!(
            missing.starts_with("bill.csv: line 1: no column `ConsumedQuantity` (or `PricingQuantity`, `seconds`,"),
            "{missing}"
        );
        assert!(missing.ends_with("; the header has `url`, `currency`"), "{missing}");
        assert_eq!(
            read("url,tokens_in\nu,many\n"),
            Err("bill.csv: line 2: `many` for `input_tokens` is not a number, or can be read in two ways".to_owned())
        );
        // A credit is money alone.
        let rows = read("url,seconds,cost\na,n/a,-0.5\nb,9,unknown\nc,-0,-\n").unwrap();
        let figures: Vec<_> = rows.iter().map(|row| (row.usage.seconds, row.cost.is_some())).collect();
        assert_eq!(figures, [(None, true), (Some(9), false), (Some(0), false)]);
        for (seconds, said) in [
            ("-9", "`-9` for `ConsumedQuantity` is below 0"),
            ("99999999999999999999999999999999", "is not a number"),
            ("1000000000001", "is not a number a bill can have"),
        ] {
            let refused = read(&format!("url,seconds\nu,1\nv,{seconds}\n")).unwrap_err();
            assert!(refused.starts_with("bill.csv: line 3: ") && refused.contains(said), "{refused}");
        }
    }
}
