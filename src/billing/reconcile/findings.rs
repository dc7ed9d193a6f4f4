//! The verdict of a reconciliation, from its accounts.

use std::collections::{BTreeMap, HashSet};
use std::ops::AddAssign as _;

use super::{Accounts, ReconciledRecording, Reconciliation, Submission, amounts};
use crate::billing::account::{Account, Terms};
use crate::billing::line::Meter;
use crate::billing::money::checked_sum;
use crate::billing::statement::{Quantities, StatementRow};
use crate::billing::tokens::TokenAccount;
use crate::billing::usage::Usage;
use crate::billing::verdict::{Explained, Finding, Standing, Sums, Verdict};
use crate::catalog::Region;

impl Reconciliation<'_> {
    /// Whether all agrees, in a few figures.
    #[must_use]
    pub fn verdict(&self, accounts: &Accounts, terms: &Terms) -> Verdict {
        let own = accounts.seconds.iter().map(|account| finding(account, terms));
        let mut findings: Vec<Finding> = own.collect();
        findings.extend(accounts.tokens.iter().map(|account| token_finding(account, terms)));
        // Without any recording the rule is one of seconds all the same.
        let is_by_seconds = !accounts.seconds.is_empty() || accounts.tokens.is_empty();
        let rounding = is_by_seconds.then(|| Explained::by(&accounts.seconds, terms.rounding, terms));
        let costs = accounts.seconds.iter().filter(|account| account.results > 0);
        let results = Sums {
            seconds: accounts
                .seconds
                .iter()
                .filter_map(|account| account.actual(terms.rounding))
                .reduce(i64::saturating_add),
            tokens: None,
            cost: checked_sum(costs.map(|account| account.actual_cost(terms.rounding))),
        };
        let results = if results.seconds.is_some() { results } else { Sums::default() };
        let foreign = self.foreign.iter().map(|(key, rows)| Finding {
            key: key.clone(),
            standing: Standing::NotOurs,
            billed: stated(rows),
            results: Sums::default(),
            why: match rows.iter().find_map(|row| row.other_unit.as_ref()) {
                Some(unit) => format!("`{unit}` is neither time nor tokens"),
                None => "nothing of this batch".to_owned(),
            },
        });
        findings.extend(foreign);
        Verdict {
            differ: 0,
            not_billed: 0,
            not_ours: 0,
            not_compared: 0,
            statement: self.statement.as_ref().map(|statement| stated(&statement.rows)),
            service: self.service(),
            results,
            rounding,
            is_empty: self.statement.as_ref().is_some_and(|statement| statement.rows.is_empty()),
            findings: Vec::new(),
        }
        .with_findings(findings)
    }

    /// What the service reported, shared tasks once, at list price if amounts can be compared.
    fn service(&self) -> Sums {
        let mut by_model: BTreeMap<(&str, Option<&str>), (&Submission, Usage)> = BTreeMap::new();
        let mut counted: HashSet<&str> = HashSet::new();
        for ReconciledRecording { submission, .. } in &self.recordings {
            let key = (&*submission.model, submission.region.map(Region::name));
            let (_, usage) = by_model.entry(key).or_insert((submission, Usage::default()));
            usage.add_assign(submission.usage);
            for (task, shared) in &submission.shared {
                if counted.insert(task) {
                    usage.add_assign(*shared);
                }
            }
        }
        let parts: Vec<Sums> = by_model.into_values().map(|(one, usage)| self.priced(one, usage)).collect();
        let reported = || parts.iter().filter(|part| part.seconds.or(part.tokens).is_some());
        let sum = |of: fn(&Sums) -> Option<i64>| reported().filter_map(of).reduce(i64::saturating_add);
        let cost = checked_sum(reported().map(|part| part.cost));
        let cost = cost.filter(|_| self.currency().is_some_and(|currency| self.is_comparable(currency)));
        Sums {
            seconds: sum(|part| part.seconds),
            tokens: sum(|part| part.tokens),
            cost: cost.filter(|_| reported().next().is_some()),
        }
    }

    /// Quantities by the meters of a model, at list price.
    fn priced(&self, submission: &Submission, usage: Usage) -> Sums {
        let meters = submission.meters(self.prices);
        let costs =
            meters.iter().map(|meter| submission.unit(*meter, self.prices)?.cost(usage.quantity(*meter).unwrap_or(0)));
        let cost = checked_sum(costs);
        let by_seconds = meters == [Meter::Speech];
        let seconds = usage.seconds.filter(|_| by_seconds);
        let tokens = sum_of([usage.tokens_in, usage.tokens_out]).filter(|_| !by_seconds);
        Sums { seconds, tokens, cost: cost.filter(|_| seconds.or(tokens).is_some()) }
    }
}

fn finding(account: &Account, terms: &Terms) -> Finding {
    let billed = if terms.has_statement { account.statement } else { account.usage };
    let at_list = || account.unit?.cost(billed?);
    Finding {
        key: account.key.clone(),
        standing: account.standing(terms),
        billed: Sums { seconds: billed, tokens: None, cost: account.statement_cost.or_else(at_list) },
        results: Sums {
            seconds: account.actual(terms.rounding),
            tokens: None,
            cost: account.actual_cost(terms.rounding),
        },
        why: account.differences(terms).join("; "),
    }
}

/// Quantities and amounts of rows.
fn stated(rows: &[StatementRow]) -> Sums {
    let usage = rows.iter().map(|row| row.quantities).sum::<Quantities>().rounded_up();
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
    let meters = account.meters.iter().flat_map(|meter| meter.differences(account.compares_amounts));
    let why: Vec<String> = account.differences(terms).into_iter().chain(meters).collect();
    Finding { key: account.key.clone(), standing: account.standing(terms), billed, results, why: why.join("; ") }
}
