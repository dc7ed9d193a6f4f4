//! Whether a statement agrees with a batch, in a few figures (definitions: reconciliation).

use rust_decimal::Decimal;

use super::account::{Account, Terms};
use super::rounding::Rounding;

/// Whether what a row of a statement counts agrees with the results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Standing {
    /// Within the tolerance.
    Agrees,
    /// Billed, and not what the results come to.
    Differs,
    /// Its quantity agrees, and there is no price in the currency of its amount.
    NotCompared,
    /// There are results, and no row of the statement.
    NotBilled,
    /// A row of the statement names nothing of the batch.
    NotOurs,
}

impl Standing {
    /// `agrees`, `differs`, `not_compared`, `not_billed`, `not_ours`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::Differs => "differs",
            Self::NotCompared => "not_compared",
            Self::NotBilled => "not_billed",
            Self::NotOurs => "not_ours",
        }
    }
}

/// Quantities and their cost; `None` = unknown, or none is stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[non_exhaustive]
pub struct Sums {
    /// Seconds of speech.
    pub seconds: Option<i64>,
    /// Input and output tokens.
    pub tokens: Option<i64>,
    /// On a statement the amounts, else at list price.
    pub cost: Option<Decimal>,
}

impl Sums {
    /// How much of `other` these are more, in per cent with two decimals: by cost if both have one, else by quantity.
    #[must_use]
    pub fn percent_above(&self, other: &Self) -> Option<Decimal> {
        let quantity = |sums: &Self| sums.seconds.or(sums.tokens).map(Decimal::from);
        let (own, other) = self.cost.zip(other.cost).or_else(|| quantity(self).zip(quantity(other)))?;
        let more = own.checked_sub(other)?.checked_mul(Decimal::ONE_HUNDRED)?;
        Some(more.checked_div(other)?.round_dp(2))
    }
}

/// What became of one row, for the verdict.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// What the row stands for.
    pub key: String,
    /// Whether it agrees.
    pub standing: Standing,
    /// By the statement, or without one as the service reported.
    pub billed: Sums,
    /// By the results.
    pub results: Sums,
    /// Why they differ; empty where there is nothing to say.
    pub why: String,
}

impl Finding {
    /// By how much it differs, in money, then in seconds or tokens.
    fn size(&self) -> (Decimal, i64) {
        let cost = |sums: &Sums| sums.cost.unwrap_or_default();
        let quantity = |sums: &Sums| sums.seconds.or(sums.tokens).unwrap_or(0);
        let off = cost(&self.billed).checked_sub(cost(&self.results)).map_or(Decimal::MAX, |off| off.abs());
        (off, quantity(&self.billed).saturating_sub(quantity(&self.results)).saturating_abs())
    }
}

/// How many of the rows a rule of rounding explains exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Explained {
    /// The rule.
    pub rule: Rounding,
    /// Rows that it explains.
    pub explains: u64,
    /// Rows with something to explain.
    pub of: u64,
}

impl Explained {
    /// How much a rule explains.
    pub(super) fn by(accounts: &[Account], rule: Rounding, terms: &Terms) -> Self {
        let explained = accounts.iter().filter_map(|account| account.is_explained(terms, rule));
        let (mut explains, mut of) = (0_u64, 0_u64);
        for is_explained in explained {
            (explains, of) = (explains.saturating_add(u64::from(is_explained)), of.saturating_add(1));
        }
        Self { rule, explains, of }
    }

    /// The rule that explains the most; of several the first.
    pub(super) fn best(accounts: &[Account], terms: &Terms) -> Self {
        let [first, others @ ..] = Rounding::ALL.map(|rule| Self::by(accounts, rule, terms));
        others.into_iter().fold(first, |best, other| if other.explains > best.explains { other } else { best })
    }
}

/// Whether a statement, or without one the usage that the service reported, agrees with the results of a batch.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Verdict {
    /// Rows that differ by more than the tolerance.
    pub differ: u64,
    /// What has results and no row.
    pub not_billed: u64,
    /// Rows that name nothing of the batch.
    pub not_ours: u64,
    /// Rows whose quantity agrees, and whose amount has no price to be compared with.
    pub not_compared: u64,
    /// All rows of the statement, ours or not; `None` without one.
    pub statement: Option<Sums>,
    /// As reported by the service, at list price.
    pub service: Sums,
    /// By the results and the rule of rounding, at list price; nothing for a model billed in tokens, which they do not count.
    pub results: Sums,
    /// The rule by which results were rounded; `None` for a model billed in tokens.
    pub rounding: Option<Explained>,
    /// The statement has a header and no row.
    pub is_empty: bool,
    /// All that does not agree, the largest difference first.
    pub findings: Vec<Finding>,
}

impl Verdict {
    /// Whether all agrees.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.findings.is_empty() && !self.is_empty
    }

    /// By how many per cent the statement is above the results, or above the reported usage where results count nothing.
    #[must_use]
    pub fn percent(&self) -> Option<Decimal> {
        let stated = self.statement.as_ref().unwrap_or(&self.service);
        let known = |sums: &Sums| sums.seconds.is_some() || sums.tokens.is_some();
        stated.percent_above(if known(&self.results) { &self.results } else { &self.service })
    }

    pub(super) fn with_findings(mut self, mut findings: Vec<Finding>) -> Self {
        findings.retain(|finding| finding.standing != Standing::Agrees);
        let count = |standing| findings.iter().filter(|finding| finding.standing == standing).count() as u64;
        (self.differ, self.not_billed) = (count(Standing::Differs), count(Standing::NotBilled));
        (self.not_ours, self.not_compared) = (count(Standing::NotOurs), count(Standing::NotCompared));
        findings.sort_by_cached_key(|finding| std::cmp::Reverse(finding.size()));
        self.findings = findings;
        self
    }
}

/// Half the last decimal that amounts are printed with, a cent having two.
pub(super) fn half_decimal(decimals: u32) -> Decimal {
    Decimal::new(5, decimals.max(2).saturating_add(1).min(Decimal::MAX_SCALE))
}
