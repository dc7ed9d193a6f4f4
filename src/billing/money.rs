//! An amount and its currency.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;

use crate::catalog::Currency;
use crate::error::{Error, Result};

/// An amount in one currency. Amounts in different currencies are never added.
///
/// ```
/// use talkmeter::billing::Money;
/// let budget: Money = "5usd".parse()?;
/// assert_eq!(budget.to_string(), "5 USD");
/// assert!("5".parse::<Money>().is_err());
/// # Ok::<(), talkmeter::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Money {
    /// The amount.
    pub amount: Decimal,
    /// Its currency.
    pub currency: Currency,
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount.normalize(), self.currency)
    }
}

/// The exact sum; `None` if an amount is unknown, or the sum exceeds what a decimal holds. No amounts: 0.
pub(crate) fn checked_sum(amounts: impl IntoIterator<Item = Option<Decimal>>) -> Option<Decimal> {
    amounts.into_iter().try_fold(Decimal::ZERO, |sum, amount| sum.checked_add(amount?))
}

/// `5usd`, `0.50 USD`, `12.5cny`; negative amounts are errors.
impl FromStr for Money {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        let wrong = || Error::invalid(format!("`{text}` is not an amount such as 5usd or 12.50cny"));
        let letters = text.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(wrong)?;
        let (amount, currency) = text.split_at(letters);
        let amount: Decimal = amount.trim().parse().map_err(|_| wrong())?;
        if amount.is_sign_negative() { Err(wrong()) } else { Ok(Self { amount, currency: currency.parse()? }) }
    }
}
