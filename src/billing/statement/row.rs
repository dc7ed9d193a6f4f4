//! One row of a statement: its columns, and what their cells mean.

use std::str::FromStr as _;

use rust_decimal::Decimal;

use super::unit::{Quantities, Unit};
use super::{Period, StatementRow};
use crate::billing::line::Meter;
use crate::billing::usage::MOST_QUANTITY;
use crate::catalog::Currency;
use crate::sheet::{Cells, Column, amount};

const RESOURCE: Column =
    Column::new(&["ResourceId", "task_id", "file", "url", "file_url", "address", "name", "资源ID", "任务ID"]);
const DAY: Column =
    Column::new(&["date", "day", "ChargePeriodStart", "BillingDate", "usage_date", "日期", "账单日期", "消费日期"]);
const END: Column = Column::new(&["ChargePeriodEnd"]);
const MONTH: Column = Column::new(&["month", "BillingPeriodStart", "BillingCycle", "账期", "账单月份", "月份"]);
const MODEL: Column =
    Column::new(&["model", "model_name", "SkuId", "InstanceID", "实例ID", "模型", "模型名称", "商品ID"]);
const PROJECT: Column = Column::new(&["project", "project_id", "项目", "项目ID"]);
pub(super) const QUANTITY: Column =
    Column::new(&["ConsumedQuantity", "PricingQuantity", "seconds", "quantity", "usage", "用量"]);
const UNIT: Column = Column::new(&["ConsumedUnit", "PricingUnit", "unit", "用量单位"]);
const METER: Column = Column::new(&["SkuMeter", "meter"]);
pub(super) const TOKENS_IN: Column = Column::new(&["input_tokens", "tokens_in"]);
pub(super) const TOKENS_OUT: Column = Column::new(&["output_tokens", "tokens_out"]);
pub(super) const COST: Column = Column::new(&["BilledCost", "cost", "amount", "应付金额"]);
const CURRENCY: Column = Column::new(&["BillingCurrency", "currency", "币种"]);

/// What a row may stand for.
pub(super) const KEYS: [Column; 5] = [RESOURCE, DAY, MONTH, MODEL, PROJECT];

/// Reads a row.
///
/// # Errors
/// In one clause, a cell that cannot be what its column says.
pub(super) fn statement_row(cells: &Cells, has_decimal_commas: bool) -> Result<StatementRow, String> {
    let text = |column| cells.get(column).unwrap_or_default().to_owned();
    let resource = text(&RESOURCE);
    // The dates of rows that name a recording are not needed.
    let period = if resource.is_empty() { period(cells)? } else { None };
    let meter = cells.get(&METER).and_then(named);
    let (quantities, other_unit) = quantities(cells, meter, has_decimal_commas)?;
    let (cost, sign) = match figure(cells, &COST, has_decimal_commas)? {
        Some((cost, sign)) => (Some(cost), sign),
        None => (None, String::new()),
    };
    Ok(StatementRow {
        resource,
        period,
        model: text(&MODEL),
        project: text(&PROJECT),
        quantities,
        other_unit,
        meter,
        cost,
        currency: currency(cells, &sign)?,
    })
}

/// A number, and the text around it.
fn figure(cells: &Cells, column: &Column, has_decimal_commas: bool) -> Result<Option<(Decimal, String)>, String> {
    let Some(cell) = cells.figure(column) else { return Ok(None) };
    let name = cells.name(column);
    let most = Decimal::from(MOST_QUANTITY);
    let is_huge = || cell.parse::<f64>().is_ok_and(|number| number.abs() > MOST_QUANTITY as f64);
    match amount(cell, has_decimal_commas) {
        Some(figure) if figure.0.abs() <= most => Ok(Some(figure)),
        None if !is_huge() => Err(format!("`{cell}` for `{name}` is not a number, or can be read in two ways")),
        _ => Err(format!("`{cell}` for `{name}` is not a number a bill can have (up to 1,000,000,000,000)")),
    }
}

/// The quantities, or in what else the row is counted.
fn quantities(
    cells: &Cells,
    meter: Option<Meter>,
    has_decimal_commas: bool,
) -> Result<(Quantities, Option<String>), String> {
    let quantity = |column: &Column| match figure(cells, column, has_decimal_commas)? {
        // Money may be paid back; speech is not taken back.
        Some((quantity, _)) if quantity.is_sign_negative() && !quantity.is_zero() => {
            Err(format!("`{quantity}` for `{}` is below 0", cells.name(column)))
        }
        figure => Ok(figure.map(|(quantity, _)| quantity)),
    };
    let (tokens_in, tokens_out) = (quantity(&TOKENS_IN)?, quantity(&TOKENS_OUT)?);
    let mut quantities = Quantities { tokens_in, tokens_out, ..Quantities::default() };
    let Some(quantity) = quantity(&QUANTITY)? else { return Ok((quantities, None)) };
    let unit = match (cells.get(&UNIT), cells.get(&METER)) {
        (Some(cell), _) => Unit::read(cell).ok_or(cell),
        // What is counted by another meter is not speech.
        (None, Some(cell)) if meter.is_none() => Unit::read(cell).ok_or(cell),
        (None, _) if matches!(meter, Some(Meter::TokensIn | Meter::TokensOut)) => Ok(Unit::Tokens(Decimal::ONE)),
        (None, _) => Ok(Unit::Time(Decimal::ONE)),
    };
    let (place, factor) = match (unit, meter) {
        (Ok(Unit::Time(factor)), None | Some(Meter::Speech)) => (&mut quantities.seconds, factor),
        (Ok(Unit::Tokens(factor)), Some(Meter::TokensIn)) => (&mut quantities.tokens_in, factor),
        (Ok(Unit::Tokens(factor)), Some(Meter::TokensOut)) => (&mut quantities.tokens_out, factor),
        (Ok(Unit::Tokens(factor)), _) => (&mut quantities.tokens, factor),
        (Ok(Unit::Time(_)), _) => return Ok((quantities, Some(cells.get(&UNIT).unwrap_or_default().to_owned()))),
        (Err(other), _) => return Ok((quantities, Some(other.to_owned()))),
    };
    *place = quantity.checked_mul(factor);
    Ok((quantities, None))
}

/// The day or month; of a charge period of more than a day the month.
fn period(cells: &Cells) -> Result<Option<Period>, String> {
    let read = |column: &Column| match cells.get(column) {
        None => Ok(None),
        Some(cell) => match Period::read(cell) {
            None => Err(format!(
                "`{cell}` for `{}` is not a day or month such as 2026-10-05 or 2026-10",
                cells.name(column)
            )),
            period => Ok(period),
        },
    };
    match (read(&DAY)?, read(&END)?) {
        (Some(start), Some(end)) => Ok(start.until(end)),
        (Some(start), None) => Ok(Some(start)),
        (None, _) => Ok(read(&MONTH)?.map(Period::month)),
    }
}

/// The currency that the column names, else the sign at the amount.
fn currency(cells: &Cells, sign: &str) -> Result<String, String> {
    let code = |name: &str| Currency::from_str(name).map_or_else(|_| name.to_owned(), |known| known.code().to_owned());
    // Other words around a number say nothing.
    let is_sign = |sign: &str| {
        let is_code = sign.len() == 3 && sign.chars().all(|c| c.is_ascii_uppercase());
        Currency::from_str(sign).is_ok() || is_code || matches!(sign, "€" | "£")
    };
    let Some(column) = cells.get(&CURRENCY) else {
        return Ok(Some(sign).filter(|sign| is_sign(sign)).map(code).unwrap_or_default());
    };
    match (Currency::from_str(column), Currency::from_str(sign)) {
        (Ok(named), Ok(signed)) if named != signed => {
            Err(format!("`{sign}` for `{}`, but `{column}` for `{}`", cells.name(&COST), cells.name(&CURRENCY)))
        }
        _ => Ok(code(column)),
    }
}

fn named(meter: &str) -> Option<Meter> {
    const SPEECH: [&str; 6] = ["speech", "audio", "second", "duration", "时长", "秒"];
    let meter = meter.to_lowercase();
    match &*meter {
        "tokens_in" | "input" => Some(Meter::TokensIn),
        "tokens_out" | "output" => Some(Meter::TokensOut),
        _ if meter.contains("token") && meter.contains("input") => Some(Meter::TokensIn),
        _ if meter.contains("token") && meter.contains("output") => Some(Meter::TokensOut),
        _ if meter.contains("token") => None,
        _ => SPEECH.iter().any(|word| meter.contains(word)).then_some(Meter::Speech),
    }
}
