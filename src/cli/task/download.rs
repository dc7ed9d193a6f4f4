//! `task download`: the results of tasks, however they were submitted.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::super::max_result::MaxResult;
use super::super::outcomes::ItemOutcomes;
use super::super::output::{Console, Failure, Format, Listing};
use super::super::{Exit, advice};
use super::{Ids, each};
use crate::batch::{silence, store};
use crate::client::{Client, Outcome, Task, TaskStatus};
use crate::error::{Error, Result};
use crate::redact::{without_queries, without_query};

/// Arguments of `task download`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Each file of a task becomes DIR/<task>-<n>.json, n from 1; a recording without speech becomes an empty transcript.
`talkmeter analyze DIR` reads them. The service keeps results for 24 hours after the end of a task.

Exit code 3 when some results could not be fetched, 1 when none could.")]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    tasks: Ids,
    /// Folder for the results; created if missing
    #[arg(short, long, value_name = "DIR", value_parser = crate::cli::stores::local_path())]
    output: PathBuf,
    #[command(flatten)]
    pub(super) max_result: MaxResult,
}

/// Runs `task download`.
pub(super) async fn run(args: &Args, client: &Client, format: Format, console: &Console) -> Result<Exit, Failure> {
    let dir = &args.output;
    std::fs::create_dir_all(dir).map_err(|error| Error::io("make", dir, error))?;
    let bar = console.progress_of_tasks(args.tasks.ids.len());
    let work = async |id: &_| {
        let task = client.tasks().query(id).await?;
        let mut fetched = Vec::new();
        for (at, outcome) in ended(&task)?.iter().enumerate() {
            fetched.push((outcome.file_url.clone(), fetch(client, &task, at, dir).await));
        }
        Ok((task.id, fetched))
    };
    let (tasks, missed) = each(&args.tasks.ids, work, &bar, console).await;
    let mut rows = Vec::new();
    let mut tally = ItemOutcomes::default();
    tally.add_failures_of(&missed);
    for (id, fetched) in tasks {
        for (url, stored) in fetched {
            if let Some(path) = tally.record(stored, console) {
                let url = url.map(|url| without_query(&url));
                rows.push(vec![json!(id.as_str()), json!(url), json!(path.to_string_lossy())]);
            }
        }
    }
    tally.exit(Listing { head: vec!["task_id", "file", "result"], rows }.print(format, console))
}

/// The outcomes of a task that has any.
fn ended(task: &Task) -> Result<&[Outcome]> {
    let (id, status) = (&task.id, &task.status);
    let why = match status {
        TaskStatus::Unknown => advice::UNKNOWN_TASK.to_owned(),
        _ if !status.is_final() => format!("it is {status}: wait with `talkmeter task wait {id}`"),
        _ if task.outcomes.is_empty() => format!("it is {status} and names no files"),
        _ => return Ok(&task.outcomes),
    };
    Err(Error::invalid(format!("cannot fetch the results of task {id}: {why}")))
}

/// One result into its file.
async fn fetch(client: &Client, task: &Task, at: usize, dir: &Path) -> Result<PathBuf> {
    let (id, n) = (&task.id, at + 1);
    let Some(outcome) = task.outcomes.get(at) else {
        return Err(Error::invalid(format!("task {id} no longer names file {n}")));
    };
    let name = format!("{}-{n}.json", id.as_str().replace(|c: char| !c.is_ascii_alphanumeric() && c != '-', "_"));
    let path = dir.join(&name);
    match &outcome.transcription_url {
        Some(link) => match client.tasks().download_to(link, &path).await {
            // The link has expired; another query returns a fresh one.
            Err(error) if error.api().is_some_and(|api| api.status == Some(403)) => {
                let again = client.tasks().query(id).await?;
                let fresh = again.outcomes.get(at).and_then(|outcome| outcome.transcription_url.as_deref());
                client.tasks().download_to(fresh.ok_or(error)?, &path).await?;
            }
            other => drop(other?),
        },
        None if outcome.is_silence() => {
            store(dir, &name, &silence(outcome.file_url.as_deref().unwrap_or_default()))?;
        }
        None => {
            let [code, message] = [&outcome.code, &outcome.message].map(|text| text.as_deref().unwrap_or_default());
            let hint = advice::for_code(code, message).map(|hint| format!("; {hint}")).unwrap_or_default();
            let message = &without_queries(message)[..];
            let reason =
                if message.is_empty() || message == code { code.to_owned() } else { format!("{code}: {message}") };
            return Err(Error::invalid(format!(
                "file {n} of task {id} has no result: {} {reason}{hint}",
                outcome.status
            )));
        }
    }
    Ok(path)
}
