//! What a model costs by list price, where and since when we know.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::Region;
use crate::error::{Error, Result};

/// A list price of one model in one region. No discounts, no free quota, no tax.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Price {
    /// Where it holds.
    pub region: Region,
    /// What it is charged in.
    pub currency: Currency,
    /// The amount, and for what.
    pub rate: Rate,
    /// `true` where no page prints it for this very model: concluded from its siblings.
    pub inferred: bool,
    /// The page that prints it.
    pub source: String,
    /// Date of the page it was compared with.
    pub checked: Date,
}

impl Price {
    /// Days since it was compared with its page; negative when `today` is before that.
    #[must_use]
    pub fn age_days(&self, today: Date) -> i64 {
        (today - self.checked).get_days().into()
    }
}

/// `0.000035 USD/s`, `0.15 in, 0.47 out USD/M tokens`; ` (inferred)` behind it where no page prints it.
impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rate {
            Rate::Second(amount) => write!(f, "{amount} {}/s", self.currency)?,
            Rate::MillionTokens { input, output } => {
                write!(f, "{input} in, {output} out {}/M tokens", self.currency)?;
            }
        }
        if self.inferred { f.write_str(" (inferred)") } else { Ok(()) }
    }
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rate {
    /// An amount for a second of speech, each requested track counted by itself.
    Second(Decimal),
    /// Amounts for a million tokens.
    MillionTokens {
        /// Tokens that go in: the audio, and the context.
        input: Decimal,
        /// Tokens that come out: the text.
        output: Decimal,
    },
}

/// ISO 4217.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[non_exhaustive]
pub enum Currency {
    /// US dollars.
    Usd,
    /// Chinese yuan.
    Cny,
}

impl Currency {
    /// `USD`, `CNY`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Usd => "USD",
            Self::Cny => "CNY",
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

/// In any case: `usd`, `CNY`.
impl FromStr for Currency {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match &text.to_ascii_uppercase()[..] {
            "USD" => Ok(Self::Usd),
            "CNY" => Ok(Self::Cny),
            _ => Err(Error::invalid(format!("no currency `{text}`: there are usd and cny"))),
        }
    }
}
