//! The bill of a recording whose model counts tokens: what the service reported, what the statement has, and why they differ.
//!
//! A result file counts no tokens, so nothing can be recomputed from it: what was reported stands against the statement, meter
//! by meter, and amounts against the price of each.

use rust_decimal::Decimal;

use super::estimate::Bounds;
use super::line::Meter;
use super::prices::UnitPrice;

/// One meter of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeterAccount {
    /// [`Meter::TokensIn`] or [`Meter::TokensOut`].
    pub meter: Meter,
    /// By the stated length of the recording; `None` = that is not known. Its `high` is no bound.
    pub estimate: Option<Bounds<i64>>,
    /// As the service reported; `None` = it did not.
    pub usage: Option<i64>,
    /// List price of one token; `None` = not known.
    pub unit: Option<UnitPrice>,
    /// As the provider's statement has it; `None` = it does not.
    pub statement: Option<i64>,
    /// Amount of the statement for this meter alone; `None` = it names none.
    pub statement_cost: Option<Decimal>,
}

impl MeterAccount {
    /// What the reported tokens cost at list price; `None` where either is not known.
    #[must_use]
    pub fn list_cost(&self) -> Option<Decimal> {
        Some(self.unit?.cost(self.usage?))
    }

    /// Why the figures differ; empty where they agree to the token, and amounts to the last digit that is printed.
    #[must_use]
    pub fn differences(&self) -> Vec<String> {
        let mut why = Vec::new();
        match (self.usage, self.statement) {
            (Some(usage), Some(statement)) if usage != statement => {
                why.push(format!("statement: {statement} tokens, the service reported {usage}"));
            }
            (None, Some(statement)) => why.push(format!("statement: {statement} tokens, the service reported none")),
            _ => {}
        }
        let counted = self.statement.or(self.usage);
        if let (Some(cost), Some(unit), Some(counted)) = (self.statement_cost, self.unit, counted)
            && !agree(cost, unit.cost(counted))
        {
            let (cost, list) = (cost.normalize(), unit.cost(counted).normalize());
            why.push(format!("price: {cost} is billed for {counted} tokens, {list} by the list"));
        }
        why
    }
}

/// Everything that is known of the bill of one recording.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TokenAccount {
    /// Its result file below the batch's results, or its name.
    pub file: String,
    /// Tokens in, tokens out.
    pub meters: Vec<MeterAccount>,
    /// Amount of the statement that is of both together; `None` = there is none.
    pub both_cost: Option<Decimal>,
    /// Why it has no result.
    pub failure: Option<String>,
    /// Submits that may have been billed.
    pub submits: u32,
}

impl TokenAccount {
    /// What all reported tokens cost at list price; `None` where that of one meter is not known.
    #[must_use]
    pub fn list_cost(&self) -> Option<Decimal> {
        self.meters.iter().map(MeterAccount::list_cost).sum()
    }

    /// Why the figures of the recording as a whole differ; those of each meter stand with it.
    #[must_use]
    pub fn differences(&self) -> Vec<String> {
        let mut why = Vec::new();
        let billed: i64 = self.meters.iter().filter_map(|meter| meter.statement.or(meter.usage)).sum();
        match &self.failure {
            Some(code) if billed > 0 => why.push(format!("failed subtask: {code}, but {billed} tokens are billed")),
            Some(code) => why.push(format!("failed subtask: {code}, not billed as far as is known")),
            None if self.meters.iter().any(|meter| meter.usage.is_none()) => {
                why.push("usage: no tokens are reported of it".to_owned());
            }
            None => {}
        }
        if self.submits > 1 {
            why.push(format!("duplicate submit: {} submits may have been billed", self.submits));
        }
        if let (Some(cost), Some(list)) = (self.both_cost, self.list_cost())
            && !agree(cost, list)
        {
            why.push(format!("price: {} is billed for both, {} by the list", cost.normalize(), list.normalize()));
        }
        why
    }

    /// Whether the bill is another than was reported.
    #[must_use]
    pub fn is_off(&self) -> bool {
        let other_price = self.both_cost.zip(self.list_cost()).is_some_and(|(cost, list)| !agree(cost, list));
        self.submits > 1 || other_price || self.meters.iter().any(|meter| !meter.differences().is_empty())
    }
}

/// Whether an amount is what was reckoned: to its last digit, and to the cent where it has fewer.
fn agree(billed: Decimal, reckoned: Decimal) -> bool {
    (billed - reckoned).abs() <= Decimal::new(1, billed.scale().max(2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::Prices;
    use crate::catalog::Region;

    fn account(usage: [Option<i64>; 2], statement: [Option<i64>; 2], cost: [Option<&str>; 2]) -> TokenAccount {
        let meter = |meter, at: usize| MeterAccount {
            meter,
            estimate: None,
            usage: usage[at],
            unit: Prices::builtin().unit("qwen-audio-3.1-asr-flash-filetrans", Region::Intl, meter),
            statement: statement[at],
            statement_cost: cost[at].map(|cost| cost.parse().unwrap()),
        };
        TokenAccount { meters: vec![meter(Meter::TokensIn, 0), meter(Meter::TokensOut, 1)], ..TokenAccount::default() }
    }

    #[test]
    fn tokens_are_held_against_the_statement_meter_by_meter() {
        let why = |account: &TokenAccount| {
            let meters = account.meters.iter().map(|meter| meter.differences().join("; "));
            meters.chain([account.differences().join("; ")]).collect::<Vec<_>>()
        };
        // 530 × 0.15 and 109 × 0.47 by the million.
        let agreed = account([Some(530), Some(109)], [Some(530), Some(109)], [Some("0.0000795"), Some("0.00005")]);
        assert_eq!(agreed.list_cost().unwrap().to_string(), "0.00013073");
        assert_eq!(why(&agreed), ["", "", ""]);
        assert!(!agreed.is_off());
        let off = account([Some(530), Some(109)], [Some(531), Some(109)], [None, Some("0.0002")]);
        assert_eq!(why(&off)[0], "statement: 531 tokens, the service reported 530");
        assert_eq!(why(&off)[1], "price: 0.0002 is billed for 109 tokens, 0.00005123 by the list");
        assert!(off.is_off());
        let both = |cost: &str| TokenAccount {
            both_cost: Some(cost.parse().unwrap()),
            ..account([Some(530), Some(109)], [None, None], [None, None])
        };
        assert!(!both("0.00013").is_off() && !both("0.00").is_off());
        assert_eq!(why(&both("0.02"))[2], "price: 0.02 is billed for both, 0.00013073 by the list");
        let silent = account([None, None], [Some(5), None], [None, None]);
        assert_eq!(why(&silent)[2], "usage: no tokens are reported of it");
        assert_eq!(why(&silent)[0], "statement: 5 tokens, the service reported none");
        let failed =
            TokenAccount { failure: Some("DOWNLOAD_FAILED".into()), ..account([None; 2], [None; 2], [None; 2]) };
        assert_eq!(why(&failed)[2], "failed subtask: DOWNLOAD_FAILED, not billed as far as is known");
        let twice = TokenAccount { submits: 2, ..agreed };
        assert!(twice.is_off() && why(&twice)[2].starts_with("duplicate submit: 2"));
    }
}
