//! Free allowances of models, by region, and what other pages say.

use std::fmt;

use jiff::civil::Date;

use super::Region;

/// A free allowance of one model in one region, as one page prints it. Pages change often and contradict each other, so no
/// estimate deducts it unless the caller says how much of it is used.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Allowance {
    /// The region it applies to.
    pub region: Region,
    /// The amount in [`Allowance::unit`].
    pub quantity: u64,
    /// Its unit.
    pub unit: AllowanceUnit,
    /// Days it is valid from the activation of the service; null = renewed each month.
    pub valid_days: Option<u32>,
    /// What other pages say instead, in one clause; null = no contradiction found.
    pub contradiction: Option<String>,
    /// The page that prints it.
    pub source: String,
    /// Date of the page it was checked against.
    pub checked: Date,
}

/// The unit of an allowance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum AllowanceUnit {
    /// Billable seconds.
    Seconds,
    /// Tokens, in and out.
    Tokens,
}

impl AllowanceUnit {
    /// `seconds`, `tokens`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Tokens => "tokens",
        }
    }
}

/// `36000 seconds within 90 days of activation (contradicted: newer pages say there is none)`
impl fmt::Display for Allowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.quantity, self.unit.name())?;
        match self.valid_days {
            Some(days) => write!(f, " within {days} days of activation")?,
            None => f.write_str(" each month")?,
        }
        match &self.contradiction {
            Some(contradiction) => write!(f, " (contradicted: {contradiction})"),
            None => Ok(()),
        }
    }
}
