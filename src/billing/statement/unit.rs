//! What the quantities of a statement are counted in.

use std::iter::Sum;
use std::ops::AddAssign;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use crate::billing::usage::Usage;
use crate::sheet::folded;

/// What rows of a statement count, with fractions; `None` = not stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[non_exhaustive]
pub struct Quantities {
    /// Seconds.
    pub seconds: Option<Decimal>,
    /// Input tokens.
    pub tokens_in: Option<Decimal>,
    /// Output tokens.
    pub tokens_out: Option<Decimal>,
    /// Tokens that are said to be neither input nor output. They are not compared.
    pub tokens: Option<Decimal>,
}

impl Quantities {
    /// Whole seconds and tokens, fractions rounded up: to be done once, after rows are added.
    #[must_use]
    pub fn rounded_up(&self) -> Usage {
        let whole = |quantity: Option<Decimal>| quantity.map(|quantity| quantity.ceil().to_i64().unwrap_or(i64::MAX));
        Usage { seconds: whole(self.seconds), tokens_in: whole(self.tokens_in), tokens_out: whole(self.tokens_out) }
    }
}

impl AddAssign for Quantities {
    /// Unknown quantities add nothing.
    fn add_assign(&mut self, other: Self) {
        let add = |one: &mut Option<Decimal>, two: Option<Decimal>| {
            *one = match (*one, two) {
                (Some(one), Some(two)) => Some(one.checked_add(two).unwrap_or(Decimal::MAX)),
                (one, two) => one.or(two),
            };
        };
        add(&mut self.seconds, other.seconds);
        add(&mut self.tokens_in, other.tokens_in);
        add(&mut self.tokens_out, other.tokens_out);
        add(&mut self.tokens, other.tokens);
    }
}

impl Sum for Quantities {
    fn sum<I: Iterator<Item = Self>>(quantities: I) -> Self {
        let mut total = Self::default();
        quantities.for_each(|quantity| total.add_assign(quantity));
        total
    }
}

/// A unit of quantities, and how much of the base unit one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Its length in seconds.
    Time(Decimal),
    /// Its number of tokens.
    Tokens(Decimal),
}

/// Units of time, with their length in ms.
const TIMES: [(&[&str], i64); 5] = [
    (&["ms", "msec", "msecs", "millisecond", "milliseconds", "毫秒"], 1),
    (&["s", "sec", "secs", "second", "seconds", "秒", "秒钟"], 1000),
    (&["min", "mins", "minute", "minutes", "分", "分钟"], 60_000),
    (&["h", "hr", "hrs", "hour", "hours", "时", "小时"], 3_600_000),
    (&["ks", "kilosecond", "kiloseconds", "千秒"], 1_000_000),
];

/// What may stand before `tokens`.
const MULTIPLES: [(&[&str], i64); 4] = [
    (&[""], 1),
    (&["千", "k", "1k", "1000", "thousand"], 1000),
    (&["万"], 10_000),
    (&["百万", "m", "1m", "1000000", "million"], 1_000_000),
];

/// The units that are known, for messages.
pub(super) const KNOWN: &str = "ms, seconds, minutes, hours, tokens, thousands or millions of tokens";

impl Unit {
    /// `Seconds`, `Mins`, `千秒`, `1K tokens`; `None` = another unit.
    pub(super) fn read(cell: &str) -> Option<Self> {
        let name = folded(cell).replace(',', "");
        let name = name.strip_suffix("(s)").unwrap_or(&name);
        let of = |rows: &[(&[&str], i64)], name: &str| {
            rows.iter().find(|(names, _)| names.contains(&name)).map(|(_, factor)| *factor)
        };
        if let Some(ms) = of(&TIMES, name) {
            return Some(Self::Time(Decimal::new(ms, 3)));
        }
        let multiple = name.strip_suffix("tokens").or_else(|| name.strip_suffix("token"))?;
        Some(Self::Tokens(of(&MULTIPLES, multiple.trim_end_matches('个'))?.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_known_by_many_names() {
        for (cell, seconds) in [
            ("Seconds", "1"),
            ("sec", "1"),
            ("ms", "0.001"),
            ("Mins", "60"),
            ("分钟", "60"),
            ("hrs", "3600"),
            ("Hour(s)", "3600"),
            ("千秒", "1000"),
        ] {
            assert_eq!(Unit::read(cell), Some(Unit::Time(seconds.parse().unwrap())), "{cell}");
        }
        for (cell, tokens) in [
            ("Tokens", 1),
            ("token", 1),
            ("千tokens", 1000),
            ("千个token", 1000),
            ("1K Tokens", 1000),
            ("1,000 tokens", 1000),
            ("Million Tokens", 1_000_000),
        ] {
            assert_eq!(Unit::read(cell), Some(Unit::Tokens(tokens.into())), "{cell}");
        }
        for cell in ["GB", "m", "requests", "tokens/s", "days"] {
            assert_eq!(Unit::read(cell), None, "{cell}");
        }
    }
}
