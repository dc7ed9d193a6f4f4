//! What transcription will cost, what it has cost, and whether the bill agrees.
//!
//! Money is decimal, never floating point. An unknown cost is `None` and printed as "not priced": never as free, never as 0.
//! Totals are exact sums of their lines, and unknown where a sum exceeds what a decimal holds. Rules: definitions: billable speech, billed seconds, price.
//!
//! ```
//! use talkmeter::billing::{Meter, Prices};
//! use talkmeter::catalog::Region;
//!
//! let prices = Prices::builtin();
//! let unit = prices.unit("fun-asr", Region::Intl, Meter::Speech).ok_or("no price")?;
//! assert_eq!(unit.cost(3600).ok_or("too much")?.to_string(), "0.126000"); // an hour
//! assert!(prices.unit("qwen-audio-3.1-asr-flash", Region::Intl, Meter::Speech).is_none());
//! # Ok::<(), &str>(())
//! ```

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod account;
mod actual;
mod adjustments;
mod bill;
mod budget;
#[cfg(feature = "client")]
mod budget_file;
mod estimate;
mod line;
mod money;
mod prices;
mod reconcile;
mod rounding;
mod share;
#[cfg(feature = "client")]
mod shared_budget;
mod statement;
mod sum;
#[cfg_attr(not(feature = "client"), allow(dead_code, reason = "figures of batches, which come with the client"))]
mod tariff;
mod tokens;
#[cfg_attr(
    not(feature = "client"),
    allow(dead_code, unused_imports, reason = "figures of batches, which come with the client")
)]
mod usage;
mod verdict;

pub use account::{Account, TaskSpeech, Terms};
pub use actual::result_lines;
pub use adjustments::{AdjustedTotal, Adjustments, CurrencyRate};
pub use bill::{Bill, BillTotal, CurrencyTotal};
pub use budget::Budget;
#[cfg(feature = "client")]
pub use budget_file::{BudgetFile, month_of};
#[cfg(feature = "client")]
pub(crate) use budget_file::{Drawn, DrawnByMonth};
pub use estimate::{Bounds, Estimate, MeasuredSpeech, Plan, Recording, Shares, SpeechSource, estimate};
pub use line::{Basis, Line, Meter, Total, Totals};
pub use money::Money;
#[cfg(feature = "cli")]
pub(crate) use money::checked_sum;
pub use prices::{PriceBook, Prices, UnitPrice};
pub use reconcile::{Accounts, Charge, ReconciledRecording, Reconciliation, Submission};
pub use rounding::Rounding;
pub use share::{EarlierShares, Share};
#[cfg(feature = "client")]
pub(crate) use shared_budget::BudgetAccount;
#[cfg(feature = "client")]
pub use shared_budget::SharedBudget;
pub use statement::{Grain, Period, Quantities, Statement, StatementRow};
pub use sum::{Sum, sum};
pub use tokens::{MeterAccount, TokenAccount};
pub use usage::{ReportedUsage, Usage, of_usage};
pub use verdict::{Explained, Finding, Standing, Sums, Verdict};
