//! `task cancel`.

use std::path::PathBuf;

use serde_json::json;

use super::super::Exit;
use super::super::output::{Console, Failure, Format, Listing};
use super::{each, task_id};
use crate::batch::LedgerReport;
use crate::client::{Client, TaskId, TaskStatus};
use crate::error::{Error, Result};

/// Arguments of `task cancel`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Only PENDING tasks can be cancelled; a running task is completed and billed.

Exit code 3 when some tasks could not be cancelled, 1 when none could.")]
pub(in crate::cli) struct Args {
    /// Ids of tasks
    #[arg(value_name = "ID", required_unless_present = "batch", value_parser = task_id)]
    ids: Vec<TaskId>,
    /// Cancel all tasks of this folder of `transcribe` that have not ended
    #[arg(long, value_name = "DIR", conflicts_with = "ids")]
    batch: Option<PathBuf>,
}

impl Args {
    fn ids(&self) -> Result<Vec<TaskId>> {
        let Some(dir) = &self.batch else { return Ok(self.ids.clone()) };
        let ledger = LedgerReport::read(dir)?
            .ok_or_else(|| Error::invalid(format!("{}: no folder of `transcribe`: it has no ledger", dir.display())))?;
        Ok(ledger.open_tasks())
    }
}

/// Runs `task cancel`.
pub(super) async fn run(args: &Args, client: &Client, format: Format, console: &Console) -> Result<Exit, Failure> {
    let ids = args.ids()?;
    if ids.is_empty() {
        console.say("no task of this batch is open");
    }
    let bar = console.progress_of_tasks(ids.len());
    let work = async |id: &_| {
        let Err(refused) = client.tasks().cancel(id).await else { return Ok((id.clone(), TaskStatus::Canceled)) };
        if refused.api().is_none_or(|api| api.code != "UnsupportedOperation") {
            return Err(refused);
        }
        // An earlier attempt may have succeeded, with its answer lost.
        match client.tasks().query(id).await {
            Ok(task) if task.status == TaskStatus::Canceled => Ok((id.clone(), task.status)),
            Ok(task) => {
                bar.suspend(|| console.say(&format!("task {id} is {}", task.status)));
                Err(refused)
            }
            Err(_) => Err(refused),
        }
    };
    let (tasks, tally) = each(&ids, work, &bar, console).await;
    let rows = tasks.iter().map(|(id, status)| vec![json!(id.as_str()), json!(status.to_string())]).collect();
    tally.exit(Listing { head: vec!["task_id", "status"], rows }.print(format, console))
}
