//! The flag for the calls that a report is about.

use super::advice;
use super::output::{Console, Failure};
use crate::report::number::counted;
use crate::tables::{Condition, Joined};

/// Which calls a report is about.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct ConditionFlag {
    /// Only calls that meet an SQL condition on columns of the table `calls`; the others are left out of everything
    #[arg(long = "where", value_name = "EXPR")]
    condition: Option<String>,
}

impl ConditionFlag {
    /// The condition, if one was given. `joined` has the user's columns.
    pub(super) fn read(&self, joined: Option<&Joined>) -> Result<Option<Condition>, Failure> {
        let condition = self.condition.as_deref().map(|text| Condition::read(text, joined)).transpose();
        condition
            .map_err(|error| Failure::Usage(format!("--where {}", advice::line(&error.to_string(), error.check()))))
    }
}

/// Reports how many calls a condition leaves out; false, with an error, if none are kept.
pub(super) fn report_left_out(left_out: u64, kept: u64, console: &Console) -> bool {
    if left_out == 0 {
        return true;
    }
    let calls = counted(left_out, "call");
    if kept == 0 {
        console.error(&format!("--where leaves no call: {calls} left out"));
    } else {
        console.note(&format!("--where leaves out {calls}"));
    }
    kept > 0
}
