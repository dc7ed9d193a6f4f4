//! `--budget`: a budget that several runs of `transcribe` and `flash` draw on.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard};

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::Exit;
use super::output::{Console, Failure, chain};
use super::prices::PriceFlags;
use crate::billing::{
    BudgetAccount, BudgetFile, DrawnByMonth, Plan, Prices, Recording, SharedBudget, Usage, checked_sum, estimate,
    month_of,
};
use crate::catalog::{Catalog, Region};
use crate::client::FlashAnswer;
use crate::error::{Error, ErrorKind, Result};

/// Assumed as the longest recording, in seconds, for a model whose limit is not known.
const LONGEST: u64 = 12 * 3600;
/// Where the draws of all flash calls add up.
const FLASH: &str = "flash";

/// Which budget to draw on.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Budget")]
pub(super) struct BudgetFlags {
    /// Submit only what fits into this budget, which several runs share (JSON lines of month, project, limit)
    #[arg(long, value_name = "FILE")]
    budget: Option<PathBuf>,
    /// Count this run towards this project of the budget
    #[arg(long, value_name = "NAME", requires = "budget")]
    project: Option<String>,
}

/// A budget and the prices it is counted with.
pub(super) struct OpenBudget {
    pub(super) shared: SharedBudget,
    /// Seconds assumed for a recording of unknown length.
    pub(super) longest: u64,
    model: String,
    region: Region,
    /// Bytes that go with the audio of each recording.
    prompt_bytes: usize,
    prices: Prices,
}

impl BudgetFlags {
    /// Whether a budget is drawn on.
    pub(super) fn is_given(&self) -> bool {
        self.budget.is_some()
    }

    /// Opens the budget; `None` without one.
    ///
    /// # Errors
    /// It cannot be read, or the model has no price in its currency: nothing may be sent.
    pub(super) fn open(
        &self,
        (model, region): (&str, Region),
        prompt_bytes: usize,
        prices: &PriceFlags,
        console: &Console,
    ) -> Result<Option<OpenBudget>, Failure> {
        let Some(path) = &self.budget else { return Ok(None) };
        let file = BudgetFile::open(path, self.project.as_deref())?;
        let prices = prices.prices(Some(file.currency()), console)?;
        let limit = Catalog::builtin().model(model).and_then(|model| model.limits.seconds);
        let longest = limit.unwrap_or(LONGEST);
        let model = model.to_owned();
        let plan = Plan::new(&*model, region, [0]).prompt_tokens(prompt_bytes);
        let unknown = most(&plan, Some(milliseconds(longest)), None, &prices).unwrap_or_default();
        match SharedBudget::new(file, (&model, region), &prices, unknown) {
            Ok(shared) => Ok(Some(OpenBudget { shared, longest, model, region, prompt_bytes, prices })),
            Err(error) => {
                console.error(&chain(&error));
                Err(Failure::Reported(Exit::Partly))
            }
        }
    }
}

impl OpenBudget {
    /// The most that a recording can cost; `None` = its length is unknown.
    pub(super) fn most(
        &self,
        duration_ms: Option<u64>,
        tracks: &[u32],
        distinct_tracks: Option<u32>,
    ) -> Option<Decimal> {
        let duration_ms = duration_ms.and_then(|duration| i64::try_from(duration).ok());
        let plan = Plan::new(&*self.model, self.region, tracks).prompt_tokens(self.prompt_bytes);
        most(&plan, duration_ms, distinct_tracks, &self.prices)
    }
}

fn milliseconds(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000)
}

fn most(plan: &Plan, duration_ms: Option<i64>, channels: Option<u32>, prices: &Prices) -> Option<Decimal> {
    let known = Recording { duration_ms, channels, ..Recording::default() };
    let lines = estimate(&known, plan, prices);
    checked_sum(lines.iter().map(|line| Some(line.cost()?.most)))
}

/// What flash calls draw on a budget.
pub(super) struct FlashBudget {
    budget: OpenBudget,
    account: Mutex<(BudgetAccount, Vec<String>)>,
}

impl FlashBudget {
    pub(super) fn new(budget: OpenBudget) -> Self {
        // Two processes never have both alike.
        let run = format!("{FLASH} {} {}", std::process::id(), Timestamp::now());
        let account = budget.shared.account(run, DrawnByMonth::new());
        Self { budget, account: Mutex::new((account, Vec::new())) }
    }

    fn account(&self) -> MutexGuard<'_, (BudgetAccount, Vec<String>)> {
        self.account.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Sends a clip if the most that it can cost fits into the budget.
    pub(super) async fn within(
        &self,
        duration_ms: Option<u64>,
        call: impl Future<Output = Result<FlashAnswer>>,
    ) -> Result<FlashAnswer> {
        let most = self.budget.most(duration_ms, &[0], None);
        let most = most.unwrap_or_else(|| self.budget.shared.most("", 1));
        let month = month_of(Timestamp::now());
        {
            let (account, refused) = &mut *self.account();
            if let Some(why) = account.reserve(month, most)? {
                refused.push(why.clone());
                return Err(Error::invalid(why));
            }
        }
        let outcome = call.await;
        let spent = match &outcome {
            Ok(answer) => {
                let usage = answer.usage.as_ref().map(|usage| Usage::from_json(&usage.raw));
                usage.and_then(|usage| self.budget.shared.cost(&usage)).unwrap_or(most)
            }
            // What was not accepted is not billed; what was accepted and not answered may be.
            Err(error) => {
                let is_refused = error.api().map_or(error.kind() == ErrorKind::InvalidInput, |api| api.refused);
                if is_refused { Decimal::ZERO } else { most }
            }
        };
        self.account().0.settle(month, most, spent);
        outcome
    }

    /// Adds what was drawn to that of all flash calls; whether the budget refused any.
    pub(super) fn end(self) -> Result<bool> {
        let (account, refused) = self.account.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        account.fold_into(FLASH)?;
        Ok(!refused.is_empty())
    }
}
