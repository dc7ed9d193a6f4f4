//! `task show`, and how tasks are printed.

use serde_json::{Value, json};

use super::super::outcomes::ItemOutcomes;
use super::super::output::{Console, Failure, Format, Listing};
use super::super::{Exit, advice};
use super::{Ids, each, time};
use crate::client::{Client, Outcome, Task, TaskStatus};
use crate::error::Result;
use crate::redact::{without_queries, without_query};

/// Arguments of `task show`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
--format json and jsonl print the answers of the service as received, with signed addresses: anyone who has such an
address can read the result for 24 hours. Tables and CSV omit the signatures.

Exit code 3 if a task is unknown to the service.")]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    tasks: Ids,
}

/// Runs `task show`.
pub(super) async fn run(args: &Args, client: &Client, format: Format, console: &Console) -> Result<Exit, Failure> {
    let bar = console.progress_of_tasks(args.tasks.ids.len());
    let (tasks, tally) = each(&args.tasks.ids, async |id| client.tasks().query(id).await, &bar, console).await;
    let exit = conclude(&tasks, &tally, format, console)?;
    Ok(if exit == Exit::Done && tasks.iter().any(|task| task.status == TaskStatus::Unknown) {
        Exit::Partly
    } else {
        exit
    })
}

/// Prints tasks as rows, or as received for JSON; hints go to stderr, each once.
pub(super) fn conclude(
    tasks: &[Task],
    tally: &ItemOutcomes,
    format: Format,
    console: &Console,
) -> Result<Exit, Failure> {
    let printed = match format {
        Format::Json => {
            let answers: Vec<&Value> = tasks.iter().map(|task| &task.raw).collect();
            let text = serde_json::to_string_pretty(&answers).unwrap_or_default();
            console.data(format!("{text}\n").as_bytes())
        }
        Format::Jsonl => {
            let lines: String = tasks.iter().map(|task| format!("{}\n", task.raw)).collect();
            console.data(lines.as_bytes())
        }
        Format::Table | Format::Csv | Format::Md => listing(tasks).print(format, console),
    };
    let exit = tally.exit(printed)?;
    let mut hints: Vec<&str> = tasks.iter().flat_map(hints).collect();
    hints.sort_unstable();
    hints.dedup();
    hints.iter().for_each(|hint| console.note(&format!("hint: {hint}")));
    Ok(exit)
}

fn listing(tasks: &[Task]) -> Listing {
    let head = vec!["task_id", "status", "file", "outcome", "code", "message", "result", "submitted", "ended", "usage"];
    let mut rows = Vec::new();
    for task in tasks {
        // Usage is per task and printed in its first row only, so that sums over rows are right.
        let mut usage = task.usage.as_ref().map(in_words);
        let mut row = |of: Option<&Outcome>| {
            let text = |text: Option<&String>| json!(text.map(|text| without_query(text)));
            let code = of.map_or(&task.code, |outcome| &outcome.code);
            let message = of.map_or(&task.message, |outcome| &outcome.message);
            vec![
                json!(task.id.as_str()),
                json!(task.status.to_string()),
                text(of.and_then(|outcome| outcome.file_url.as_ref())),
                json!(of.map(in_one_word)),
                json!(code),
                // Often the code again.
                json!(
                    message
                        .as_ref()
                        .filter(|message| Some(*message) != code.as_ref())
                        .map(|text| without_queries(text))
                ),
                text(of.and_then(|outcome| outcome.transcription_url.as_ref())),
                time(task.submitted),
                time(task.ended),
                json!(usage.take()),
            ]
        };
        if task.outcomes.is_empty() {
            rows.push(row(None));
        }
        rows.extend(task.outcomes.iter().map(|outcome| row(Some(outcome))));
    }
    Listing { head, rows }
}

/// Silence is a result, though the service reports a failure.
fn in_one_word(outcome: &Outcome) -> String {
    if outcome.is_silence() { "silent".to_owned() } else { outcome.status.to_string() }
}

/// `duration 9`, `input_tokens 238, output_tokens 80`.
fn in_words(usage: &Value) -> String {
    let pairs = usage.as_object().into_iter().flatten();
    pairs.map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
}

fn hints(task: &Task) -> Vec<&'static str> {
    let unknown = (task.status == TaskStatus::Unknown).then_some(advice::UNKNOWN_TASK);
    let said = |code: &Option<String>, message: &Option<String>| {
        advice::for_code(code.as_deref().unwrap_or_default(), message.as_deref().unwrap_or_default())
    };
    task.outcomes.iter().filter_map(|outcome| said(&outcome.code, &outcome.message)).chain(unknown).collect()
}
