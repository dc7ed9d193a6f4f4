//! What a model may be used for free of charge, where, and who says otherwise.

use std::fmt;

use jiff::civil::Date;

use super::Region;

/// A free allowance of one model in one region, as one page prints it. Pages change it often and contradict each other, so
/// nothing counts it unless somebody says how much of it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Allowance {
    /// Where it holds.
    pub region: Region,
    /// How much, in [`Allowance::unit`].
    pub quantity: u64,
    /// What is counted.
    pub unit: AllowanceUnit,
    /// Days from the activation of the service for which it can be used; null = it comes anew each month.
    pub valid_days: Option<u32>,
    /// What other pages say instead, in a clause; null = none was found that does.
    pub contradiction: Option<String>,
    /// The page that prints it.
    pub source: String,
    /// Date of the page it was compared with.
    pub checked: Date,
}

/// What an allowance is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum AllowanceUnit {
    /// Seconds that would be billed.
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
