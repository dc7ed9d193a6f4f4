//! `cost reconcile` for models billed in tokens: one row per recording and meter, plus one per recording if the statement has an
//! amount for both meters together.

use serde_json::json;

use super::super::output::Listing;
use super::breakdown::{code, exact};
use crate::billing::{Terms, TokenAccount};

pub(super) fn listing(accounts: &[TokenAccount], terms: &Terms) -> Listing {
    let head = vec![
        "key",
        "verdict",
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
        let mut whole = account.differences(terms);
        for meter in &account.meters {
            let mut why = meter.differences(account.compares_amounts);
            // Reported once, on the first meter, if there is no row for both.
            if account.both_cost.is_none() {
                why.splice(0..0, std::mem::take(&mut whole));
            }
            rows.push(vec![
                json!(account.key),
                json!(account.standing(terms).name()),
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
                json!(account.key),
                json!(account.standing(terms).name()),
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
