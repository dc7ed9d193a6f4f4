//! The verdict of a reconciliation, from its accounts.

use std::collections::BTreeMap;

use super::{Accounts, Reconciliation, amounts};
use crate::billing::account::{Account, Terms};
use crate::billing::money::checked_sum;
use crate::billing::statement::StatementRow;
use crate::billing::tokens::TokenAccount;
use crate::billing::usage::Usage;
use crate::billing::verdict::{Explained, Finding, Standing, Sums, Verdict};

impl Reconciliation<'_> {
    /// Whether all agrees, in a few figures.
    #[must_use]
    pub fn verdict(&self, accounts: &Accounts, terms: &Terms) -> Verdict {
        let (mut findings, rounding) = match accounts {
            Accounts::Seconds(accounts) => (
                accounts.iter().map(|account| self.finding(account, terms)).collect::<Vec<_>>(),
                Some(Explained::by(accounts, terms.rounding, terms)),
            ),
            Accounts::Tokens(accounts) => {
                (accounts.iter().map(|account| token_finding(account, terms)).collect(), None)
            }
        };
        let results = match accounts {
            Accounts::Seconds(accounts) => self
                .sums(accounts.iter().filter_map(|account| account.actual(terms.rounding)).map(Usage::seconds).sum()),
            Accounts::Tokens(_) => Sums::default(),
        };
        let foreign = self.foreign.iter().map(|(key, rows)| Finding {
            key: key.clone(),
            standing: Standing::NotOurs,
            billed: stated(rows),
            results: Sums::default(),
            why: "nothing of this batch".to_owned(),
        });
        findings.extend(foreign);
        let shared: BTreeMap<&str, Usage> = self
            .recordings
            .iter()
            .flat_map(|one| &one.submission.shared)
            .map(|(task, usage)| (&**task, *usage))
            .collect();
        let reported = self.recordings.iter().map(|recording| recording.submission.usage);
        Verdict {
            differ: 0,
            not_billed: 0,
            not_ours: 0,
            statement: self.statement.as_ref().map(|statement| stated(&statement.rows)),
            service: self.sums(reported.chain(shared.into_values()).sum()),
            results,
            rounding,
            is_empty: self.statement.as_ref().is_some_and(|statement| statement.rows.is_empty()),
            findings: Vec::new(),
        }
        .with_findings(findings)
    }

    /// Quantities by the model's meters, at list price.
    fn sums(&self, usage: Usage) -> Sums {
        let meters = self.meters().iter().map(|meter| (usage.quantity(*meter), self.unit_of(*meter)));
        let cost = checked_sum(meters.map(|(quantity, unit)| unit?.cost(quantity.unwrap_or(0))));
        let is_known = |known: bool| if known { cost } else { None };
        match self.is_by_tokens() {
            true => {
                let tokens = sum_of([usage.tokens_in, usage.tokens_out]);
                Sums { seconds: None, tokens, cost: is_known(tokens.is_some()) }
            }
            false => Sums { seconds: usage.seconds, tokens: None, cost: is_known(usage.seconds.is_some()) },
        }
    }

    fn finding(&self, account: &Account, terms: &Terms) -> Finding {
        let at_list = |seconds: Option<i64>| Some(seconds?).and_then(|seconds| terms.unit?.cost(seconds));
        let billed = if terms.has_statement { account.statement } else { account.usage };
        let results = account.actual(terms.rounding);
        Finding {
            key: account.key.clone(),
            standing: account.standing(terms),
            billed: Sums { seconds: billed, tokens: None, cost: account.statement_cost.or_else(|| at_list(billed)) },
            results: Sums { seconds: results, tokens: None, cost: at_list(results) },
            why: account.differences(terms).join("; "),
        }
    }
}

/// Quantities and amounts of rows.
fn stated(rows: &[StatementRow]) -> Sums {
    let usage: Usage = rows.iter().map(|row| row.usage).sum();
    Sums { seconds: usage.seconds, tokens: sum_of([usage.tokens_in, usage.tokens_out]), cost: amounts(rows.iter()) }
}

fn sum_of(quantities: [Option<i64>; 2]) -> Option<i64> {
    quantities.into_iter().flatten().reduce(i64::saturating_add)
}

fn token_finding(account: &TokenAccount, terms: &Terms) -> Finding {
    let billed = if terms.has_statement {
        Sums {
            seconds: None,
            tokens: account.tokens(|meter| meter.statement),
            cost: account.statement_cost().or_else(|| {
                let meters = account.meters.iter().map(|meter| meter.unit?.cost(meter.statement.unwrap_or(0)));
                checked_sum(meters).filter(|_| account.is_stated)
            }),
        }
    } else {
        Sums { seconds: None, tokens: account.tokens(|meter| meter.usage), cost: account.list_cost() }
    };
    let results = Sums { seconds: None, tokens: account.tokens(|meter| meter.usage), cost: account.list_cost() };
    let meters = account.meters.iter().flat_map(|meter| meter.differences(terms));
    let why: Vec<String> = account.differences(terms).into_iter().chain(meters).collect();
    Finding { key: account.key.clone(), standing: account.standing(terms), billed, results, why: why.join("; ") }
}
