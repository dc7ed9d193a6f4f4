//! List prices of models, by region, with source and date.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::Region;
use crate::error::{Error, Result};

/// A list price of one model in one region, without discounts, free quota and tax.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Price {
    /// The region it applies to.
    pub region: Region,
    /// Its currency.
    pub currency: Currency,
    /// The amount and its unit.
    pub rate: Rate,
    /// `true` if no page prints it for this model: inferred from its siblings.
    pub inferred: bool,
    /// The page that prints it.
    pub source: String,
    /// Date of the page it was checked against.
    pub checked: Date,
}

impl Price {
    /// Days since it was checked; negative if `today` is before that.
    #[must_use]
    pub fn age_days(&self, today: Date) -> i64 {
        (today - self.checked).get_days().into()
    }
}

/// `0.000035 USD/s` or `0.15 in, 0.47 out USD/M tokens`, followed by ` (inferred)` if it is.
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

/// An amount and its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Rate {
    /// Per second: of speech in each requested track, or of audio where the length is billed.
    Second(Decimal),
    /// Per million tokens.
    MillionTokens {
        /// Input tokens: the audio and the context.
        input: Decimal,
        /// Output tokens: the text.
        output: Decimal,
    },
}

/// A currency of bills.
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

/// Codes, names and signs, whatever their case: `usd`, `$`, `美元`; `cny`, `RMB`, `¥`, `元`, `人民币`.
impl FromStr for Currency {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match &text.trim().to_uppercase()[..] {
            "USD" | "US$" | "$" | "美元" => Ok(Self::Usd),
            "CNY" | "RMB" | "CN¥" | "¥" | "￥" | "元" | "人民币" | "人民币元" => Ok(Self::Cny),
            _ => Err(Error::invalid(format!("unknown currency `{text}`: the currencies are usd and cny"))),
        }
    }
}
