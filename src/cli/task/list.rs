//! `task list`.

use std::collections::HashSet;

use clap::builder::PossibleValuesParser;
use serde_json::json;

use super::super::Exit;
use super::super::output::{Console, Failure, Format, Listing};
use super::time;
use crate::client::{Client, Filter, Listed, TaskStatus};
use crate::error::Result;

/// Arguments of `task list`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Only tasks of this model
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Only tasks in this state
    #[arg(long, ignore_case = true, value_parser = PossibleValuesParser::new(["PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELED"]))]
    status: Option<String>,
    /// Maximum number of tasks
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    limit: u64,
    /// List all tasks
    #[arg(long, conflicts_with = "limit")]
    all: bool,
}

/// Runs `task list`.
pub(super) async fn run(args: &Args, client: &Client, format: Format, console: &Console) -> Result<Exit, Failure> {
    let limit = if args.all { usize::MAX } else { usize::try_from(args.limit).unwrap_or(usize::MAX) };
    let (tasks, total) = collect(args, client, limit).await?;
    let row = |task: &Listed| {
        vec![
            json!(task.id.as_str()),
            json!(task.status.to_string()),
            json!(task.model),
            time(task.created),
            time(task.ended),
        ]
    };
    let rows: Vec<_> = tasks.iter().map(row).collect();
    let shown = rows.len() as u64;
    let exit = Listing { head: vec!["task_id", "status", "model", "created", "ended"], rows }.print(format, console)?;
    match (shown, total) {
        (0, _) => console.note("no tasks in the last 24 hours that this key may see"),
        (shown, None) if shown == args.limit => console.note(&format!("{shown} tasks; --all lists them all")),
        (shown, Some(total)) if shown < total && !args.all => {
            console.note(&format!("{shown} of {total} tasks; --all lists them all"))
        }
        _ => {}
    }
    Ok(exit)
}

/// Reads pages until there are enough tasks; also returns their total, if the service says.
async fn collect(args: &Args, client: &Client, limit: usize) -> Result<(Vec<Listed>, Option<u64>)> {
    let mut filter = Filter::new();
    if let Some(model) = &args.model {
        filter = filter.model(model);
    }
    if let Some(status) = &args.status {
        filter = filter.status(TaskStatus::new(&status.to_ascii_uppercase()));
    }
    let (mut tasks, mut seen): (Vec<Listed>, _) = (Vec::new(), HashSet::new());
    for page in 1.. {
        let listed = client.tasks().list(&filter.clone().page(page)).await?;
        let before = tasks.len();
        // New tasks move old ones to the next page, where they appear again.
        tasks.extend(listed.tasks.into_iter().filter(|task| seen.insert(task.id.clone())));
        if tasks.len() >= limit || tasks.len() == before || listed.pages.is_some_and(|pages| page >= pages) {
            tasks.truncate(limit);
            return Ok((tasks, listed.total));
        }
    }
    Ok((tasks, None))
}
