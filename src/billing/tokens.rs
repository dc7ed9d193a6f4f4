//! Reported usage and statement side by side for models that are billed in tokens, with why they differ.
//!
//! A result file has no token counts, so nothing can be recomputed from it: reported usage is compared with the statement meter
//! by meter, and amounts with the list price.

use rust_decimal::Decimal;

use super::account::Terms;
use super::estimate::Bounds;
use super::line::Meter;
use super::money::checked_sum;
use super::prices::UnitPrice;
use super::verdict::Standing;

/// What is known about one meter of a recording.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct MeterAccount {
    /// [`Meter::TokensIn`] or [`Meter::TokensOut`].
    pub meter: Meter,
    /// Estimate from the stated length of the recording; `None` = unknown. `high` is not an upper bound.
    pub estimate: Option<Bounds<i64>>,
    /// As reported by the service; `None` = not reported.
    pub usage: Option<i64>,
    /// List price of one token; `None` = unknown.
    pub unit: Option<UnitPrice>,
    /// Tokens on the provider's statement; `None` = not listed.
    pub statement: Option<i64>,
    /// Amount on the statement for this meter alone; `None` = not listed.
    pub statement_cost: Option<Decimal>,
}

impl MeterAccount {
    /// Cost of the reported tokens at list price; `None` if either is unknown.
    #[must_use]
    pub fn list_cost(&self) -> Option<Decimal> {
        self.unit?.cost(self.usage?)
    }

    /// Why the figures differ; empty if tokens agree exactly, and amounts, where they can be compared, to the last digit
    /// printed on the statement.
    #[must_use]
    pub fn differences(&self, compares_amounts: bool) -> Vec<String> {
        let mut why = Vec::new();
        match (self.usage, self.statement) {
            (Some(usage), Some(statement)) if usage != statement => {
                why.push(format!("statement: {statement} tokens, {usage} reported by the service"));
            }
            (None, Some(statement)) => why.push(format!("statement: {statement} tokens, none reported by the service")),
            _ => {}
        }
        let counted = self.statement.or(self.usage);
        let list = self.unit.zip(counted).and_then(|(unit, counted)| unit.cost(counted));
        if let (Some(cost), Some(list), Some(counted)) = (self.statement_cost, list, counted)
            && compares_amounts
            && !agree(cost, list)
        {
            let (cost, list) = (cost.normalize(), list.normalize());
            why.push(format!("price: {cost} billed for {counted} tokens, {list} at list price"));
        }
        why
    }
}

/// What is known about the bill of a recording, or of all those that one row of a statement counts.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
#[non_exhaustive]
pub struct TokenAccount {
    /// A result file relative to the batch's results, or its name; a task, a day, a month.
    pub key: String,
    /// Whether the statement has a row for it.
    pub is_stated: bool,
    /// Input tokens, output tokens.
    pub meters: Vec<MeterAccount>,
    /// Whether amounts can be compared: the statement is in the currency of the prices.
    pub compares_amounts: bool,
    /// Amount on the statement for both meters together; `None` = not listed.
    pub both_cost: Option<Decimal>,
    /// Number of recordings.
    pub recordings: usize,
    /// Why recordings have no result and never will.
    pub failures: Vec<String>,
    /// Number of submits that may have been billed.
    pub submits: u32,
}

impl TokenAccount {
    /// Cost of all reported tokens at list price; `None` if the cost of either meter is unknown.
    #[must_use]
    pub fn list_cost(&self) -> Option<Decimal> {
        checked_sum(self.meters.iter().map(MeterAccount::list_cost))
    }

    /// All tokens of one source; `None` = it says nothing of either meter.
    pub(super) fn tokens(&self, of: impl Fn(&MeterAccount) -> Option<i64>) -> Option<i64> {
        self.meters.iter().filter_map(of).reduce(i64::saturating_add)
    }

    /// The amounts on the statement together; `None` = none is listed.
    pub(super) fn statement_cost(&self) -> Option<Decimal> {
        let amounts = self.meters.iter().map(|meter| meter.statement_cost).chain([self.both_cost]);
        let mut listed = amounts.flatten().peekable();
        listed.peek()?;
        checked_sum(listed.map(Some))
    }

    /// Why the figures as a whole differ; each meter has its own differences.
    #[must_use]
    pub fn differences(&self, terms: &Terms) -> Vec<String> {
        let mut why = Vec::new();
        let billed = self.tokens(|meter| meter.statement.or(meter.usage)).unwrap_or(0);
        match &self.failures[..] {
            [code] if self.recordings == 1 && billed > 0 => {
                why.push(format!("failed subtask: {code}, but {billed} tokens are billed"));
            }
            [code] if self.recordings == 1 => why.push(format!("failed subtask: {code}, no charge known")),
            [] if self.meters.iter().any(|meter| meter.usage.is_none()) => {
                why.push("usage: no tokens were reported".to_owned());
            }
            [] => {}
            failures => why.push(format!("failed: {} of {} recordings", failures.len(), self.recordings)),
        }
        if self.recordings == 1 && self.submits > 1 {
            why.push(format!("duplicate submit: {} submits may have been billed", self.submits));
        }
        if self.is_price_off()
            && let (Some(cost), Some(list)) = (self.both_cost, self.list_cost())
        {
            why.push(format!("price: {} billed for both meters, {} at list price", cost.normalize(), list.normalize()));
        }
        if let Some(cost) = self.statement_cost().filter(|_| self.is_not_priced()) {
            why.push(format!("price: {} billed, no price to compare it with", cost.normalize()));
        }
        let is_empty = self.statement_cost().is_none() && self.tokens(|meter| meter.statement).is_none();
        if self.is_stated && is_empty && self.failures.is_empty() {
            why.push("statement: neither tokens nor an amount".to_owned());
        }
        if self.standing(terms) == Standing::NotBilled {
            why.push("not billed: no row of the statement".to_owned());
        }
        why
    }

    /// Whether the amount for both meters is not that of the reported tokens.
    fn is_price_off(&self) -> bool {
        let amounts = self.both_cost.zip(self.list_cost()).filter(|_| self.compares_amounts);
        amounts.is_some_and(|(cost, list)| !agree(cost, list))
    }

    /// Whether the bill agrees with what was reported.
    #[must_use]
    pub fn standing(&self, terms: &Terms) -> Standing {
        let meters = || self.meters.iter().map(|meter| meter.differences(self.compares_amounts));
        let is_off = self.is_price_off() || meters().any(|why| !why.is_empty());
        let stated = self.tokens(|meter| meter.statement).is_some();
        let differs = if !terms.has_statement {
            is_off || self.recordings == 1 && self.submits > 1
        } else if self.is_stated {
            // A row without tokens and without an amount that can be compared agrees with nothing.
            is_off || !stated && (!self.compares_amounts || self.statement_cost().is_none())
        } else if self.tokens(|meter| meter.usage).is_some_and(|tokens| tokens > 0) {
            return Standing::NotBilled;
        } else {
            false
        };
        match differs {
            true => Standing::Differs,
            false if self.is_not_priced() => Standing::NotCompared,
            false => Standing::Agrees,
        }
    }

    /// Whether it has an amount, and no list price to compare it with.
    fn is_not_priced(&self) -> bool {
        self.statement_cost().is_some() && !self.compares_amounts
    }
}

/// Whether a billed amount equals the computed one to its last digit, or to the cent if it has fewer digits.
fn agree(billed: Decimal, computed: Decimal) -> bool {
    billed.checked_sub(computed).is_some_and(|off| off.abs() <= Decimal::new(1, billed.scale().max(2)))
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
        TokenAccount {
            meters: vec![meter(Meter::TokensIn, 0), meter(Meter::TokensOut, 1)],
            compares_amounts: true,
            recordings: 1,
            is_stated: true,
            ..TokenAccount::default()
        }
    }

    #[test]
    fn tokens_are_held_against_the_statement_meter_by_meter() {
        let terms = crate::billing::account::tests::terms(true);
        let why = |account: &TokenAccount| {
            let meters = account.meters.iter().map(|meter| meter.differences(true).join("; "));
            meters.chain([account.differences(&terms).join("; ")]).collect::<Vec<_>>()
        };
        let differs = |account: &TokenAccount| account.standing(&terms) == Standing::Differs;
        // 530 × 0.15 and 109 × 0.47 by the million.
        let agreed = account([Some(530), Some(109)], [Some(530), Some(109)], [Some("0.0000795"), Some("0.00005")]);
        assert_eq!(agreed.list_cost().unwrap().to_string(), "0.00013073");
        assert_eq!(why(&agreed), ["", "", ""]);
        assert!(!differs(&agreed));
        let off = account([Some(530), Some(109)], [Some(531), Some(109)], [None, Some("0.0002")]);
        assert_eq!(why(&off)[0], "statement: 531 tokens, 530 reported by the service");
        assert_eq!(why(&off)[1], "price: 0.0002 billed for 109 tokens, 0.00005123 at list price");
        assert!(differs(&off));
        let both = |cost: &str| TokenAccount {
            both_cost: Some(cost.parse().unwrap()),
            ..account([Some(530), Some(109)], [None, None], [None, None])
        };
        assert!(!differs(&both("0.00013")) && !differs(&both("0.00")));
        assert_eq!(why(&both("0.02"))[2], "price: 0.02 billed for both meters, 0.00013073 at list price");
        let silent = account([None, None], [Some(5), None], [None, None]);
        assert_eq!(why(&silent)[2], "usage: no tokens were reported");
        assert_eq!(why(&silent)[0], "statement: 5 tokens, none reported by the service");
        let failed =
            TokenAccount { failures: vec!["DOWNLOAD_FAILED".into()], ..account([None; 2], [None; 2], [None; 2]) };
        assert_eq!(why(&failed)[2], "failed subtask: DOWNLOAD_FAILED, no charge known");
        let twice = TokenAccount { submits: 2, ..agreed.clone() };
        assert!(!differs(&twice) && why(&twice)[2].starts_with("duplicate submit: 2"));
        let unstated = TokenAccount { is_stated: false, ..account([Some(5), Some(1)], [None; 2], [None; 2]) };
        assert_eq!(unstated.standing(&terms), Standing::NotBilled);
        // No tokens, and an amount in another currency.
        let incomparable = TokenAccount { compares_amounts: false, ..both("0.00013") };
        assert_eq!(incomparable.standing(&terms), Standing::Differs);
    }
}
