//! `task`: tasks of the account, submitted from any machine.

mod cancel;
mod download;
mod list;
mod show;
mod wait;

use futures_util::StreamExt as _;
use indicatif::ProgressBar;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::connection::Connection;
use super::outcomes::ItemOutcomes;
use super::output::{Console, Failure, Format};
use super::{Exit, block_on};
use crate::client::TaskId;
use crate::error::Result;

/// Concurrent queries; the service's limit is per account.
const AT_ONCE: usize = 16;

/// Arguments of `task`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// List the account's tasks of the last 24 hours; the list names no files
    List(list::Args),
    /// Show state, outcome of each file, usage
    Show(show::Args),
    /// Wait until tasks have ended, then show them; exit code 3 if a file failed
    Wait(wait::Args),
    /// Cancel tasks that are still pending
    Cancel(cancel::Args),
    /// Fetch results of tasks, byte for byte
    Download(download::Args),
}

/// The tasks a command is about.
#[derive(Debug, clap::Args)]
struct Ids {
    /// Ids of tasks
    #[arg(value_name = "ID", required = true, value_parser = task_id)]
    ids: Vec<TaskId>,
}

fn task_id(text: &str) -> Result<TaskId> {
    TaskId::new(text)
}

/// Runs `task`.
pub(super) fn run(args: &Args, connection: &Connection, format: Format, console: &Console) -> Result<Exit, Failure> {
    let client = match &args.verb {
        Verb::Download(args) => connection.client_for_results(args.max_result, console)?,
        _ => connection.client(console)?,
    };
    block_on(async {
        match &args.verb {
            Verb::List(args) => list::run(args, &client, format, console).await,
            Verb::Show(args) => show::run(args, &client, format, console).await,
            Verb::Wait(args) => wait::run(args, &client, format, console).await,
            Verb::Cancel(args) => cancel::run(args, &client, format, console).await,
            Verb::Download(args) => download::run(args, &client, format, console).await,
        }
    })
}

/// Does the same with each task, several at once; what comes of them stays in the order given.
async fn each<T>(
    ids: &[TaskId],
    work: impl AsyncFn(&TaskId) -> Result<T>,
    bar: &ProgressBar,
    console: &Console,
) -> (Vec<T>, ItemOutcomes) {
    let mut tally = ItemOutcomes::default();
    let mut found = Vec::new();
    let work = &work;
    let asked = ids.iter().map(|id| async move {
        let item = work(id).await;
        bar.inc(1);
        item
    });
    let mut asked = std::pin::pin!(futures_util::stream::iter(asked).buffered(AT_ONCE));
    while let Some(item) = asked.next().await {
        found.extend(bar.suspend(|| tally.record(item, console)));
        if tally.denied() {
            break;
        }
    }
    bar.finish_and_clear();
    (found, tally)
}

/// A time of the service for people and machines: UTC, to the second.
fn time(time: Option<Timestamp>) -> Value {
    time.map_or(Value::Null, |time| json!(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()))
}
