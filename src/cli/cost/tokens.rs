//! `cost reconcile` for models billed in tokens: one row per recording and meter, plus one per recording if the statement has an
//! amount for both meters together.

use serde_json::json;

use super::super::output::{Console, Listing};
use super::breakdown::{code, exact};
use super::focus::Charge;
use super::reconcile::ReconciledRecording;
use crate::batch::Receipts;
use crate::billing::{Meter, MeterAccount, Prices, TokenAccount, Usage};
use crate::report::number::counted;

const METERS: [Meter; 2] = [Meter::TokensIn, Meter::TokensOut];

/// The table, the charges, and how many recordings are billed differently from the reported usage.
pub(super) fn compare(
    recordings: &[ReconciledRecording<'_>],
    receipts: &Receipts,
    prices: &Prices,
    console: &Console,
) -> (Listing, Vec<Charge>, u64) {
    let accounts: Vec<TokenAccount> = recordings.iter().map(|known| account(known, receipts, prices)).collect();
    let rows = recordings.iter().flat_map(|known| &known.rows);
    let unclear = rows.filter(|row| row.usage.seconds.is_some()).count() as u64;
    if unclear > 0 {
        console.say(&format!(
            "warning: {} not say which tokens {} (input or output): not compared",
            if unclear == 1 {
                "1 statement row does".to_owned()
            } else {
                format!("{} do", counted(unclear, "statement row"))
            },
            if unclear == 1 { "it counts" } else { "they count" },
        ));
    }
    let charges = recordings.iter().zip(&accounts).flat_map(|(known, account)| charges(known.at, account)).collect();
    let off = accounts.iter().filter(|account| account.is_different()).count() as u64;
    (side_by_side(&accounts), charges, off)
}

fn account(known: &ReconciledRecording<'_>, receipts: &Receipts, prices: &Prices) -> TokenAccount {
    let region = receipts.region;
    let mut statement = Usage::default();
    known.rows.iter().for_each(|row| statement += row.usage);
    let meter = |meter: Meter| MeterAccount {
        meter,
        estimate: known.estimated(meter),
        usage: known.usage.quantity(meter),
        unit: region.and_then(|region| prices.unit(&receipts.model, region, meter)),
        statement: statement.quantity(meter),
        statement_cost: known.billed(|row| row.meter == Some(meter)),
    };
    TokenAccount {
        file: known.file.clone(),
        meters: METERS.map(meter).into(),
        both_cost: known.billed(|row| row.meter.is_none_or(|meter| meter == Meter::Speech)),
        failure: known.sent.failure.clone(),
        submits: known.sent.submits,
    }
}

fn charges(at: usize, account: &TokenAccount) -> Vec<Charge> {
    let currency = account.meters.iter().find_map(|meter| meter.unit).map(|unit| unit.currency);
    let charge = |meter: Option<&MeterAccount>, billed| Charge {
        at,
        file: account.file.clone(),
        meter: meter.map(|meter| meter.meter),
        quantity: meter.and_then(|meter| meter.usage),
        unit: meter.and_then(|meter| meter.unit),
        currency,
        billed,
    };
    let mut charges: Vec<Charge> =
        account.meters.iter().map(|meter| charge(Some(meter), meter.statement_cost)).collect();
    // An amount for both meters is not split: that would be computed, not billed.
    charges.extend(account.both_cost.map(|cost| charge(None, Some(cost))));
    charges
}

fn side_by_side(accounts: &[TokenAccount]) -> Listing {
    let head = vec![
        "file",
        "meter",
        "estimate",
        "estimate_high",
        "usage",
        "unit_price",
        "currency",
        "usage_cost",
        "statement",
        "statement_cost",
        "why",
    ];
    let mut rows = Vec::new();
    for account in accounts {
        let mut whole = account.differences();
        for meter in &account.meters {
            let mut why = meter.differences();
            // Reported once, on the first meter, if there is no row for both.
            if account.both_cost.is_none() {
                why.splice(0..0, std::mem::take(&mut whole));
            }
            rows.push(vec![
                json!(account.file),
                json!(meter.meter.name()),
                json!(meter.estimate.map(|tokens| tokens.expected)),
                json!(meter.estimate.map(|tokens| tokens.high)),
                json!(meter.usage),
                exact(meter.unit.map(|unit| unit.amount)),
                code(meter.unit.map(|unit| unit.currency)),
                exact(meter.list_cost()),
                json!(meter.statement),
                exact(meter.statement_cost),
                json!(why.join("; ")),
            ]);
        }
        if account.both_cost.is_some() {
            let currency = account.meters.iter().find_map(|meter| meter.unit).map(|unit| unit.currency);
            rows.push(vec![
                json!(account.file),
                json!("both"),
                json!(null),
                json!(null),
                json!(null),
                json!(null),
                code(currency),
                exact(account.list_cost()),
                json!(null),
                exact(account.both_cost),
                json!(whole.join("; ")),
            ]);
        }
    }
    Listing { head, rows }
}
