//! The provider's statement, row by row.

mod row;
mod unit;

pub use unit::Quantities;

use std::fmt;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::line::Meter;
use crate::error::{Error, Result};
use crate::sheet::{Layout, Row, Sheet};
use row::{COST, KEYS, QUANTITY, TOKENS_IN, TOKENS_OUT, statement_row};

/// A row of a provider's statement.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
#[non_exhaustive]
pub struct StatementRow {
    /// Task id, address, result file or name of a recording; empty if the row names none.
    pub resource: String,
    /// The day or month of the row; `None` = not stated.
    pub period: Option<Period>,
    /// The model; empty if the row names none.
    pub model: String,
    /// The project; empty if the row names none.
    pub project: String,
    /// The billed quantities. A quantity without a meter and a unit counts as seconds.
    pub quantities: Quantities,
    /// What its quantity is counted in, if that is no time and no tokens: the row is of something else than transcription.
    pub other_unit: Option<String>,
    /// The meter of the row; `None` = not stated, or several.
    pub meter: Option<Meter>,
    /// Amount billed; `None` = not stated.
    pub cost: Option<Decimal>,
    /// `USD` or `CNY` however the column or a sign at the amount names it, else as written; empty if the row names none.
    pub currency: String,
}

/// A day or a month, as written on a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[non_exhaustive]
pub enum Period {
    /// A day.
    Day(Date),
    /// A month, by its first day.
    Month(Date),
}

impl Period {
    /// `2026-10-05`, `2026-10`, `20261005`, `202610`, with `/` or `年月日`; a time of day behind it is ignored.
    pub(super) fn read(cell: &str) -> Option<Self> {
        let mut groups = cell.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty());
        let part = |group: Option<&str>| group.filter(|group| group.len() <= 2)?.parse::<i8>().ok();
        let first = groups.next().filter(|_| cell.starts_with(|c: char| c.is_ascii_digit()))?;
        let year = first.get(..4)?.parse().ok()?;
        let (month, day) = match first.len() {
            4 => (part(groups.next())?, groups.next().map(|day| part(Some(day)))),
            6 => (part(first.get(4..))?, None),
            8 | 14 => (part(first.get(4..6))?, Some(part(first.get(6..8)))),
            _ => return None,
        };
        match day {
            Some(day) => Some(Self::Day(Date::new(year, month, day?).ok()?)),
            None => Some(Self::Month(Date::new(year, month, 1).ok()?)),
        }
    }

    /// The first day, or the month if `end`, the day after the last, is a later one; `None` = longer than a month.
    fn until(self, end: Self) -> Option<Self> {
        let (Self::Day(first), Self::Day(end)) = (self, end) else { return Some(self) };
        let next_month = first.last_of_month().tomorrow().ok()?;
        if end <= first.tomorrow().ok()? { Some(self) } else { (end <= next_month).then_some(self.month()) }
    }

    /// The month it is in.
    fn month(self) -> Self {
        let (Self::Day(date) | Self::Month(date)) = self;
        Self::Month(date.first_of_month())
    }
}

impl fmt::Display for Period {
    /// `2026-10-05`, `2026-10`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(date) => write!(f, "{date}"),
            Self::Month(date) => write!(f, "{:04}-{:02}", date.year(), date.month()),
        }
    }
}

/// What the rows of a statement stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Grain {
    /// A recording, or a task of several.
    #[default]
    Recording,
    /// A day.
    Day,
    /// A month.
    Month,
    /// All that a model or project did.
    Whole,
}

/// A provider's statement.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
#[non_exhaustive]
pub struct Statement {
    /// In the order of the file.
    pub rows: Vec<StatementRow>,
    /// What a row stands for: a recording if any row names one, else its day or month.
    pub grain: Grain,
    /// Whether rows are also told apart by model.
    pub by_model: bool,
    /// Whether rows are also told apart by project.
    pub by_project: bool,
    /// The most decimals that an amount is printed with.
    pub decimals: u32,
    /// What to know about the file as a whole, as clauses: a guessed encoding, empty rows.
    pub notes: Vec<String>,
}

impl Statement {
    /// Reads a statement: CSV with a header, or JSON lines. Columns by any of these names, whatever their case:
    ///
    /// - `ResourceId`, `task_id`, `file`, `url` or `name`: which recording; else `date` or `ChargePeriodStart`, or `month`
    ///   or `BillingPeriodStart`; with `model` or `SkuId`, and `project`, where there are such;
    /// - `ConsumedQuantity`, `PricingQuantity`, `seconds` or `quantity`, of what `SkuMeter` or `meter` says (`speech`,
    ///   `tokens_in`, `tokens_out`), in what `ConsumedUnit` or `unit` says (ms, seconds, minutes, hours, tokens, thousands or
    ///   millions of them), else in seconds;
    /// - `input_tokens` or `tokens_in`, `output_tokens` or `tokens_out`;
    /// - `BilledCost`, `cost` or `amount`; `BillingCurrency` or `currency`, or a sign at the amount.
    ///
    /// A row from `ChargePeriodStart` to `ChargePeriodEnd` of more than a day is one of a month, of more than a month of no
    /// period.
    ///
    /// `name` tells JSON lines from CSV by its extension.
    ///
    /// ```
    /// use talkmeter::billing::{Grain, Meter, Statement};
    /// let csv = "task_id;quantity;meter;cost\nt-1;1.530;input_tokens;0,0002295\n";
    /// assert!(Statement::read("bill.csv", csv.as_bytes()).unwrap_err().to_string().contains("`1.530`"));
    /// let csv = csv.replace("1.530", "1530");
    /// let statement = Statement::read("bill.csv", csv.as_bytes())?;
    /// let row = &statement.rows[0];
    /// assert_eq!((row.meter, row.quantities.rounded_up().tokens_in), (Some(Meter::TokensIn), Some(1530)));
    /// assert_eq!(row.cost.ok_or("no cost")?.to_string(), "0.0002295");
    /// let csv = "month,SkuId,ConsumedQuantity\n2026-10,fun-asr,1205\n";
    /// assert_eq!(Statement::read("bill.csv", csv.as_bytes())?.grain, Grain::Month);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidInput`]: what is wrong, and in which line of `name`.
    pub fn read(name: &str, reader: impl std::io::Read) -> Result<Self> {
        let wrong = |why: &dyn fmt::Display| Error::invalid(format!("{name}: {why}"));
        let layout = Layout { needed: &[QUANTITY, TOKENS_IN, TOKENS_OUT, COST], plain: false, least_columns: 1 };
        let mut sheet = Sheet::new(name, reader, &layout);
        let mut statement = Self::default();
        let mut currency = String::new();
        let mut other_units: Vec<(String, u64, u64)> = Vec::new();
        while let Some(row) = sheet.next_row() {
            let (line, row) = row.map_err(|fault| wrong(&fault))?;
            let Row::Cells(cells) = row else { return Err(wrong(&format!("line {line}: not a JSON object"))) };
            let row = statement_row(&cells, sheet.has_decimal_commas());
            let row = row.map_err(|why| wrong(&format!("line {line}: {why}")))?;
            let names_nothing = row.resource.is_empty() && row.period.is_none();
            if names_nothing && row.model.is_empty() && row.project.is_empty() && !cells.has_any(&KEYS) {
                return Err(wrong(&format!("line 1: {}", cells.missing(&KEYS))));
            }
            if currency.is_empty() {
                currency.clone_from(&row.currency);
            }
            if !row.currency.is_empty() && !row.currency.eq_ignore_ascii_case(&currency) {
                return Err(wrong(&format!(
                    "line {line}: an amount in {}, the rows before are in {currency}: amounts in two currencies are not added",
                    row.currency
                )));
            }
            if let Some(unit) = &row.other_unit {
                match other_units.iter_mut().find(|(other, ..)| other == unit) {
                    Some((_, _, rows)) => *rows = rows.saturating_add(1),
                    None => other_units.push((unit.clone(), line, 1)),
                }
            }
            statement.decimals = statement.decimals.max(row.cost.map_or(0, |cost| cost.scale()));
            statement.rows.push(row);
        }
        if sheet.is_empty() {
            return Err(wrong(&"empty: a statement has a header and rows"));
        }
        statement.notes = sheet.notes();
        statement.notes.extend(other_units.into_iter().map(|(other, line, rows)| {
            let unit: String = other.chars().take(40).collect();
            let rows = if rows == 1 { "the row is" } else { "such rows are" };
            format!("line {line}: `{unit}` is neither time nor tokens: {rows} not compared (known: {})", unit::KNOWN)
        }));
        statement.decide_grain();
        Ok(statement)
    }

    /// The currency of its amounts; `None` = not stated.
    #[must_use]
    pub fn currency(&self) -> Option<&str> {
        self.rows.iter().map(|row| &*row.currency).find(|currency| !currency.is_empty())
    }

    fn decide_grain(&mut self) {
        let any = |has: fn(&StatementRow) -> bool| self.rows.iter().any(has);
        self.grain = if self.rows.is_empty() || any(|row| !row.resource.is_empty()) {
            Grain::Recording
        } else if any(|row| matches!(row.period, Some(Period::Month(_)))) {
            Grain::Month
        } else if any(|row| row.period.is_some()) {
            Grain::Day
        } else {
            Grain::Whole
        };
        let is_by_recording = self.grain == Grain::Recording;
        self.by_model = !is_by_recording && any(|row| !row.model.is_empty());
        self.by_project = !is_by_recording && any(|row| !row.project.is_empty());
        if self.grain == Grain::Month {
            self.rows.iter_mut().for_each(|row| row.period = row.period.map(Period::month));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::Usage;

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
        let stated = |row: &StatementRow| row.quantities.rounded_up();
        assert_eq!(stated(&rows[0]), usage(Some(9), None, None));
        assert_eq!(stated(&rows[1]), usage(None, Some(530), None));
        assert_eq!(stated(&rows[2]), usage(None, None, Some(109)));
        assert_eq!((stated(&rows[3]), rows[3].meter), (usage(Some(7), None, None), None));
        let rows = read("\u{feff}url,input_tokens,output_tokens,amount\nu,530,109,0.00013\n").unwrap();
        assert_eq!((stated(&rows[0]), rows[0].meter), (usage(None, Some(530), Some(109)), None));
        let hours = read("task_id,ConsumedQuantity,ConsumedUnit\nt,1.5,Hours\n").unwrap();
        assert_eq!(stated(&hours[0]), usage(Some(5400), None, None));
        let missing = read("url,currency\n").unwrap_err();
        assert!(
            missing.starts_with("bill.csv: line 1: no column `ConsumedQuantity` (or `PricingQuantity`, `seconds`,"),
            "{missing}"
        );
        assert!(missing.ends_with("; the header has `url`, `currency`"), "{missing}");
        assert_eq!(
            read("url,tokens_in\nu,many\n"),
            Err("bill.csv: line 2: `many` for `tokens_in` is not a number, or can be read in two ways".to_owned())
        );
        // A credit is money alone.
        let rows = read("url,seconds,cost\na,n/a,-0.5\nb,9,unknown\nc,-0,-\n").unwrap();
        let figures: Vec<_> = rows.iter().map(|row| (stated(row).seconds, row.cost.is_some())).collect();
        assert_eq!(figures, [(None, true), (Some(9), false), (Some(0), false)]);
        for (seconds, said) in [
            ("-9", "`-9` for `seconds` is below 0"),
            ("99999999999999999999999999999999", "is not a number a bill can have"),
            ("1000000000001", "is not a number a bill can have"),
            ("1e40", "`1e40` for `seconds` is not a number a bill can have"),
        ] {
            let refused = read(&format!("url,seconds\nu,1\nv,{seconds}\n")).unwrap_err();
            assert!(refused.starts_with("bill.csv: line 3: ") && refused.contains(said), "{refused}");
        }
    }

    #[test]
    fn a_quantity_in_another_unit_is_no_seconds() {
        let csv = "date,quantity,unit\n2026-10-05,2.6833,Mins\n2026-10-05,161000,ms\n2026-10-05,0.161,千秒\n2026-10-05,777,GB\n2026-10-05,7,1k tokens\n2026-10-05,1,GB\n";
        let statement = Statement::read("bill.csv", csv.as_bytes()).unwrap();
        let stated = |row: &StatementRow| (row.quantities.rounded_up().seconds, row.other_unit.clone());
        let rows: Vec<_> = statement.rows.iter().map(stated).collect();
        let seconds = |seconds| (Some(seconds), None);
        let other = (None, Some("GB".to_owned()));
        assert_eq!(rows, [seconds(161), seconds(161), seconds(161), other.clone(), (None, None), other]);
        assert_eq!(statement.rows[4].quantities.tokens, Some(7000.into()));
        let [note] = &statement.notes[..] else { panic!("{:?}", statement.notes) };
        assert!(note.starts_with("line 5: `GB` is neither time nor tokens: such rows are not compared"), "{note}");
        let read = |csv: &str| Statement::read("bill.csv", csv.as_bytes()).unwrap().rows.remove(0);
        // What another meter counts is no speech either.
        assert_eq!(read("url,quantity,meter\na,5,requests\n").other_unit.as_deref(), Some("requests"));
        assert_eq!(stated(&read("url,quantity,meter\na,5,Audio duration\n")), seconds(5));
        assert_eq!(
            read("url,quantity,meter,unit\na,5,input tokens,千tokens\n").quantities.tokens_in,
            Some(5000.into())
        );
    }

    #[test]
    fn a_currency_has_many_names_and_a_sign_is_one() {
        let read = |cost: &str, currency: &str| {
            let csv = format!("url;cost;currency\na;{cost};{currency}\n");
            let read = Statement::read("bill.csv", csv.as_bytes()).map_err(|error| error.to_string());
            read.map(|statement| statement.currency().unwrap_or_default().to_owned())
        };
        for (cost, currency, code) in [
            ("0.04", "人民币", "CNY"),
            ("0.04", "RMB", "CNY"),
            ("¥0.04", "", "CNY"),
            ("0,04 元", "", "CNY"),
            ("$0.04", "usd", "USD"),
            ("0,04 €", "", "€"),
            ("0,04 €", "EUR", "EUR"),
            ("HKD 0.04", "", "HKD"),
            ("$0.04", "SGD", "SGD"),
            ("0.04", "", ""),
        ] {
            assert_eq!(read(cost, currency).as_deref(), Ok(code), "{cost} {currency}");
        }
        let both = read("¥0.04", "USD").unwrap_err();
        assert_eq!(both, "bill.csv: line 2: `¥` for `cost`, but `USD` for `currency`");
    }

    #[test]
    fn the_columns_say_what_a_row_stands_for() {
        let read = |csv: &str| Statement::read("bill.csv", csv.as_bytes());
        let grain = |csv: &str| {
            let statement = read(csv).unwrap();
            let period = statement.rows[0].period.map(|period| period.to_string());
            (statement.grain, statement.by_model, period)
        };
        let (day, month) = (Some("2026-10-05".to_owned()), Some("2026-10".to_owned()));
        assert_eq!(grain("task_id,date,seconds\nt,never,1\n"), (Grain::Recording, false, None));
        for cell in ["2026-10-05", "20261005", "2026/10/5", "2026-10-05T08:00:00Z", "2026年10月05日", "20261005080000"]
        {
            assert_eq!(grain(&format!("date,seconds\n{cell},1\n")), (Grain::Day, false, day.clone()), "{cell}");
            let csv = format!("账期,实例ID,用量\n{cell},fun-asr,1\n");
            assert_eq!(grain(&csv), (Grain::Month, true, month.clone()), "{cell}");
        }
        for cell in ["2026-10", "202610", "2026/10", "2026年10月"] {
            assert_eq!(
                grain(&format!("month,SkuId,seconds\n{cell},m,1\n")),
                (Grain::Month, true, month.clone()),
                "{cell}"
            );
            assert_eq!(grain(&format!("day,seconds\n{cell},1\n")), (Grain::Month, false, month.clone()), "{cell}");
        }
        // A resource column without a cell says nothing.
        assert_eq!(grain("ResourceId,ChargePeriodStart,cost\n,2026-10-05,1\n"), (Grain::Day, false, day));
        assert_eq!(grain("model,seconds\nfun-asr,1\n"), (Grain::Whole, true, None));
        // A charge period of more than a day is a month, of more than a month none.
        for (end, period) in [
            ("2026-10-06", (Grain::Day, false, Some("2026-10-05".to_owned()))),
            ("2026-10-07", (Grain::Month, false, Some("2026-10".to_owned()))),
            ("2026-11-01T00:00:00Z", (Grain::Month, false, Some("2026-10".to_owned()))),
            ("2026-11-02", (Grain::Whole, false, None)),
        ] {
            let csv = format!("ChargePeriodStart,ChargePeriodEnd,seconds\n2026-10-05T00:00:00Z,{end},1\n");
            assert_eq!(grain(&csv), period, "{end}");
        }
        let refused = |csv: &str| read(csv).unwrap_err().to_string();
        for cell in ["05/10/2026", "2026-13", "2026-02-30", "soon", "2026", "202610051"] {
            let why = format!("bill.csv: line 2: `{cell}` for `date` is not a day or month such as");
            assert!(refused(&format!("date,seconds\n{cell},1\n")).starts_with(&why), "{cell}");
        }
        let missing = refused("product,seconds\nASR,1\n");
        assert!(missing.starts_with("bill.csv: line 1: no column `ResourceId` (or `task_id`, `file`,"), "{missing}");
        assert!(missing.contains("`date`") && missing.ends_with("; the header has `product`, `seconds`"), "{missing}");
        assert!(refused("file,cost,currency\na,1,USD\nb,1,CNY\n").contains("line 3: an amount in CNY"));
    }
}
