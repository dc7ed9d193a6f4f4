//! What the provider's statement says: a CSV, row by row.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::line::Meter;
use super::usage::Usage;

/// A row of a provider's statement.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StatementRow {
    /// Task id, address, result or name of a recording; empty where the row is of many.
    pub resource: String,
    /// What was counted; a quantity of which the row does not say what it is of stands as seconds.
    pub usage: Usage,
    /// The one meter that the row is of; `None` = it does not say, or is of several.
    pub meter: Option<Meter>,
    /// Amount billed; `None` = the row does not say.
    pub cost: Option<Decimal>,
    /// As the statement writes it.
    pub currency: String,
}

/// Reads a statement: CSV with a header. Columns by any of these names: `ResourceId`, `task_id`, `file` or `url`;
/// `ConsumedQuantity`, `PricingQuantity`, `seconds` or `quantity`, of what `SkuMeter` or `meter` says (`speech`, `tokens_in`,
/// `tokens_out`); `input_tokens` or `tokens_in` and `output_tokens` or `tokens_out`; `BilledCost`, `cost` or `amount`;
/// `BillingCurrency` or `currency`.
///
/// ```
/// use talkmeter::billing::{Meter, read_statement};
/// let rows = read_statement("task_id,quantity,meter,cost\nt-1,530,input_tokens,0.0000795\n".as_bytes())?;
/// assert_eq!((rows[0].meter, rows[0].usage.tokens_in), (Some(Meter::TokensIn), Some(530)));
/// # Ok::<(), String>(())
/// ```
///
/// # Errors
/// One clause: what is wrong, and where.
pub fn read_statement(csv: impl std::io::Read) -> Result<Vec<StatementRow>, String> {
    let mut csv = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(csv);
    let head = csv.headers().map_err(|error| error.to_string())?.clone();
    let column = |names: &[&str]| {
        names.iter().find_map(|name| {
            head.iter().position(|head| head.trim_start_matches('\u{feff}').eq_ignore_ascii_case(name))
        })
    };
    let resource = column(&["ResourceId", "task_id", "file", "url"]);
    let quantity = column(&["ConsumedQuantity", "PricingQuantity", "seconds", "quantity"]);
    let meter = column(&["SkuMeter", "meter"]);
    let tokens_in = column(&["input_tokens", "tokens_in"]);
    let tokens_out = column(&["output_tokens", "tokens_out"]);
    let cost = column(&["BilledCost", "cost", "amount"]);
    let currency = column(&["BillingCurrency", "currency"]);
    if [quantity, tokens_in, tokens_out, cost].iter().all(Option::is_none) {
        return Err("no column of a quantity or of a cost".to_owned());
    }
    let mut rows = Vec::new();
    for (number, record) in (2..).zip(csv.records()) {
        let record = record.map_err(|error| error.to_string())?;
        let cell = |column: Option<usize>| column.and_then(|at| record.get(at)).filter(|cell| !cell.is_empty());
        let decimal = |column| match cell(column) {
            None => Ok(None),
            Some(text) => {
                text.parse::<Decimal>().map(Some).map_err(|_| format!("line {number}: `{text}` is no number"))
            }
        };
        let whole = |column| Ok::<_, String>(decimal(column)?.and_then(|quantity| quantity.ceil().to_i64()));
        let meter = cell(meter).and_then(|name| named(&name.to_ascii_lowercase()));
        let mut usage = Usage { tokens_in: whole(tokens_in)?, tokens_out: whole(tokens_out)?, ..Usage::default() };
        if let Some(quantity) = whole(quantity)? {
            *match meter {
                None | Some(Meter::Speech) => &mut usage.seconds,
                Some(Meter::TokensIn) => &mut usage.tokens_in,
                Some(Meter::TokensOut) => &mut usage.tokens_out,
            } = Some(quantity);
        }
        rows.push(StatementRow {
            resource: cell(resource).unwrap_or_default().to_owned(),
            usage,
            meter,
            cost: decimal(cost)?,
            currency: cell(currency).unwrap_or_default().to_owned(),
        });
    }
    Ok(rows)
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
        let read = |csv: &str| read_statement(csv.as_bytes());
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
        assert_eq!(read("url,currency\n"), Err("no column of a quantity or of a cost".to_owned()));
        assert_eq!(read("url,tokens_in\nu,many\n"), Err("line 2: `many` is no number".to_owned()));
    }
}
