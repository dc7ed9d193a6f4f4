//! What the demo's calls would cost: the estimate before, the cost by results and by reported usage after.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::super::cost::bill;
use super::super::output::{Console, Failure, Listing};
use super::batches::DemoBatch;
use crate::billing::{Basis, Line, Prices, Sum, checked_sum, estimate, sum};
use crate::catalog::Currency;
use crate::report::number::{NOT_PRICED, counted, decimal, money};
use crate::transcript::Inputs;

/// The estimate for a batch.
#[derive(Debug)]
pub(super) struct Estimated {
    recordings: u64,
    /// Recordings of unknown length, which are in no amount.
    unknown: u64,
    sum: Sum,
}

/// A row of the comparison; `None` means not priced.
#[derive(Debug)]
pub(super) struct Row {
    what: &'static str,
    estimated: Estimated,
    by_results: Option<Decimal>,
    reported: Option<Decimal>,
}

pub(super) fn estimated(batch: &DemoBatch, prices: &Prices) -> Estimated {
    let lines: Vec<_> = batch.recordings.iter().flat_map(|one| estimate(one, &batch.plan, prices)).collect();
    let unknown = batch.recordings.iter().filter(|one| one.duration_ms.is_none()).count() as u64;
    Estimated { recordings: batch.recordings.len() as u64, unknown, sum: sum(&lines, 0) }
}

impl Estimated {
    pub(super) fn in_words(&self) -> String {
        let amount = |amount: Option<Decimal>| money(amount.zip(self.sum.currency));
        let net = self.sum.net();
        let unknown = if self.unknown > 0 { format!(", {} of unknown length", self.unknown) } else { String::new() };
        format!(
            "{}{unknown}; estimate: expected {}, at most {}",
            counted(self.recordings, "recording"),
            amount(net.map(|net| net.expected)),
            amount(net.map(|net| net.most)),
        )
    }
}

/// Compares the estimates with the results on disk.
pub(super) fn rows(
    batches: &[DemoBatch],
    estimates: Vec<Estimated>,
    prices: &Prices,
    console: &Console,
) -> Result<Vec<Row>, Failure> {
    let row = |(batch, estimated): (&DemoBatch, Estimated)| {
        let inputs = Inputs::find(&[&batch.folder], None);
        let bill = bill(&inputs, prices, console)?;
        let cost = |basis| checked_sum(bill.lines.iter().filter(|line| line.basis == basis).map(Line::cost));
        Ok(Row { what: batch.what, estimated, by_results: cost(Basis::Result), reported: cost(Basis::Usage) })
    };
    batches.iter().zip(estimates).map(row).collect()
}

/// The columns of the comparison: expected, at most, by results, reported.
fn amounts(row: &Row) -> [Option<Decimal>; 4] {
    let net = row.estimated.sum.net();
    [net.map(|net| net.expected), net.map(|net| net.most), row.by_results, row.reported]
}

pub(super) fn listing(rows: &[Row]) -> Listing {
    let shown = |amount: Option<Decimal>| json!(amount.map_or_else(|| NOT_PRICED.to_owned(), decimal));
    let cells = |what: Value, recordings: u64, amounts: [Option<Decimal>; 4]| {
        [what, json!(recordings)].into_iter().chain(amounts.map(shown)).collect::<Vec<_>>()
    };
    let mut listed: Vec<Vec<Value>> =
        rows.iter().map(|row| cells(json!(row.what), row.estimated.recordings, amounts(row))).collect();
    let all = [0, 1, 2, 3].map(|at| checked_sum(rows.iter().map(|row| amounts(row).get(at).copied().flatten())));
    listed.push(cells(json!("all"), rows.iter().map(|row| row.estimated.recordings).sum(), all));
    let currency = rows.first().and_then(|row| row.estimated.sum.currency);
    let head = if currency == Some(Currency::Cny) { "cost in CNY" } else { "cost in USD" };
    Listing { head: vec![head, "recordings", "expected", "at most", "by results", "reported"], rows: listed }
}

pub(super) fn as_json(rows: &[Row]) -> Value {
    let exact = |amount: Option<Decimal>| json!(amount.map(|amount| amount.normalize().to_string()));
    let one = |row: &Row| {
        let [expected, most, by_results, reported] = amounts(row).map(exact);
        let high = exact(row.estimated.sum.net().map(|net| net.high));
        json!({
            "what": row.what, "recordings": row.estimated.recordings, "unknown_length": row.estimated.unknown,
            "currency": row.estimated.sum.currency.map(Currency::code), "expected": expected, "high": high, "most": most,
            "by_results": by_results, "reported": reported,
        })
    };
    rows.iter().map(one).collect()
}
