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
The tasks go on at the service whether or not anybody waits: after a time-out or Ctrl-C the same command waits on.
What is printed is what `task show` prints.

Exit code 3 when a file or a task failed, was cancelled or is unknown; a recording without speech is no failure.")]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    tasks: Ids,
    /// Wait no longer; the service itself ends a task after 3 hours
    #[arg(long, value_name = "LENGTH", default_value = "4h", value_parser = duration)]
    within: Duration,
}

/// Runs `task wait`.
pub(super) async fn run(args: &Args, client: &Client, format: Format, console: &Console) -> Result<Exit, Failure> {
    let bar = console.progress_of_tasks(args.tasks.ids.len());
    bar.enable_steady_tick(Duration::from_millis(200));
    let begun = Instant::now();
    let work = async |id: &_| {
        // One question at once: who asks again about a task that has ended does not wait.
        let task = client.tasks().query(id).await?;
        if task.status.is_final() {
            return Ok(task);
        }
        // The time runs from the command's start, for a task that had to queue for its turn too.
        let deadline = args.within.saturating_sub(begun.elapsed());
        client.tasks().wait(id, PollPolicy::default().deadline(deadline)).await
    };
    let (tasks, tally) = each(&args.tasks.ids, work, &bar, console).await;
    let exit = conclude(&tasks, &tally, format, console)?;
    Ok(if exit == Exit::Done && !tasks.iter().all(is_good) { Exit::Partly } else { exit })
}

/// Every file has a result, or is known to be silent. The task's own state is no proof.
fn is_good(task: &Task) -> bool {
    let good = |state: &TaskStatus| *state == TaskStatus::Succeeded;
    match task.outcomes.as_slice() {
        [] => good(&task.status),
        outcomes => outcomes.iter().all(|outcome| good(&outcome.status) || outcome.is_silence()),
    }
}
