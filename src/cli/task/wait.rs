//! `task wait`.

use std::time::{Duration, Instant};

use super::super::Exit;
use super::super::duration::duration;
use super::super::output::{Console, Failure, Format};
use super::show::conclude;
use super::{Ids, each};
use crate::client::{Client, PollPolicy, Task, TaskStatus};
use crate::error::Result;

/// Arguments of `task wait`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Tasks continue at the service: after a timeout or Ctrl-C, run the same command to wait again.
Prints the same as `task show`.

Exit code 3 if a file or task failed, was cancelled or is unknown; a recording without speech is not a failure.")]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    tasks: Ids,
    /// Maximum time to wait; the service ends a task after 3 hours
    #[arg(long, value_name = "LENGTH", default_value = "4h", value_parser = duration)]
    within: Duration,
    /// Interval between queries of a task
    #[arg(long, value_name = "LENGTH", value_parser = duration)]
    poll_interval: Option<Duration>,
}

/// Runs `task wait`.
pub(super) async fn run(args: &Args, client: &Client, format: Format, console: &Console) -> Result<Exit, Failure> {
    let bar = console.progress_of_tasks(args.tasks.ids.len());
    bar.enable_steady_tick(Duration::from_millis(200));
    let begun = Instant::now();
    let policy = match args.poll_interval {
        Some(interval) => PollPolicy::default().first_interval(interval).max_interval(interval),
        None => PollPolicy::default(),
    };
    let work = async |id: &_| {
        // A task that has already ended needs no wait.
        let task = client.tasks().query(id).await?;
        if task.status.is_final() {
            return Ok(task);
        }
        // The time runs from the start of the command, including waits for a turn.
        let deadline = args.within.saturating_sub(begun.elapsed());
        client.tasks().wait(id, policy.deadline(deadline)).await
    };
    let (tasks, tally) = each(&args.tasks.ids, work, &bar, console).await;
    let exit = conclude(&tasks, &tally, format, console)?;
    Ok(if exit == Exit::Done && !tasks.iter().all(is_good) { Exit::Partly } else { exit })
}

/// Whether every file has a result or is silent; the task's own state does not prove that.
fn is_good(task: &Task) -> bool {
    let good = |state: &TaskStatus| *state == TaskStatus::Succeeded;
    match task.outcomes.as_slice() {
        [] => good(&task.status),
        outcomes => outcomes.iter().all(|outcome| good(&outcome.status) || outcome.is_silence()),
    }
}
