//! `task cancel`.

use serde_json::json;

use super::super::Exit;
use super::super::output::{Console, Failure, Format, Listing};
use super::{Ids, each};
use crate::client::{Client, TaskStatus};
use crate::error::Result;

/// Arguments of `task cancel`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Only PENDING tasks can be cancelled; a running task is completed and billed.

Exit code 3 when some tasks could not be cancelled, 1 when none could.")]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    tasks: Ids,
}

/// Runs `task cancel`.
pub(super) async fn run(args: &Args, client: &Client, format: Format, console: &Console) -> Result<Exit, Failure> {
    let bar = console.progress_of_tasks(args.tasks.ids.len());
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
    let (tasks, tally) = each(&args.tasks.ids, work, &bar, console).await;
    let rows = tasks.iter().map(|(id, status)| vec![json!(id.as_str()), json!(status.to_string())]).collect();
    tally.exit(Listing { head: vec!["task_id", "status"], rows }.print(format, console))
}
