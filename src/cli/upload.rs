//! `upload`: local files into the service's temporary storage.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::StreamExt as _;
use serde_json::json;

use super::connection::Connection;
use super::outcomes::ItemOutcomes;
use super::output::{Console, Failure, Format, Listing};
use super::transcribe::TEMPORARY;
use super::{Exit, block_on};
use crate::client::TempUrl;
use crate::error::Result;

/// Concurrent uploads; more would share the same bandwidth.
const AT_ONCE: usize = 4;

const EXAMPLES: &str = "\
Examples:
  talkmeter upload call.wav
  talkmeter upload calls/*.wav --format csv

An address is valid for calls of the same account to the model it was made for. `talkmeter transcribe` takes it as an input;
other programs add the header `X-DashScope-OssResourceResolve: enable`.

Exit code 3 when some files failed, 1 when all did.";

/// Arguments of `upload`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Local files
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Model that will read them
    #[arg(long, value_name = "NAME", default_value = "fun-asr")]
    model: String,
}

/// Runs `upload`.
pub(super) fn run(args: Args, connection: &Connection, format: Format, console: &Console) -> Result<Exit, Failure> {
    let client = connection.client(console)?;
    console.say(TEMPORARY);
    let size = |path: &PathBuf| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    let bar = console.progress_of_bytes(args.files.iter().map(size).sum());
    let mut tally = ItemOutcomes::default();
    let mut rows = Vec::new();
    let model = &args.model;
    let work = async {
        let uploads = args.files.into_iter().map(|path| {
            let (client, bar) = (client.clone(), bar.clone());
            async move {
                // A retried upload starts at 0 again; the bar moves by the difference.
                let told = Arc::new(AtomicU64::new(0));
                let sent = move |bytes: u64| {
                    let before = told.swap(bytes, Ordering::Relaxed);
                    if bytes < before {
                        bar.set_position(bar.position().saturating_sub(before - bytes));
                    } else {
                        bar.inc(bytes - before);
                    }
                };
                let stored = client.uploads().upload_with(model, &path, sent).await;
                (path, stored)
            }
        });
        let mut uploads = std::pin::pin!(futures_util::stream::iter(uploads).buffered(AT_ONCE));
        while let Some((path, stored)) = uploads.next().await {
            if let Some(stored) = bar.suspend(|| tally.record(stored, console)) {
                rows.push(row(&path, &stored));
            }
            if tally.denied() {
                break;
            }
        }
        Ok(())
    };
    block_on(work)?;
    bar.finish_and_clear();
    tally.exit(Listing { head: vec!["file", "url", "expires"], rows }.print(format, console))
}

fn row(path: &Path, stored: &TempUrl) -> Vec<serde_json::Value> {
    let expires = stored.expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    vec![json!(path.to_string_lossy()), json!(stored.url), json!(expires)]
}
