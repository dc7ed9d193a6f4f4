//! A batch that is stopped half-way and resumed: `cargo run --example batch_resume`.
//!
//! Without `DASHSCOPE_API_KEY` the emulator answers: no key, no network, no bill.

mod service;

use std::path::Path;

use talkmeter::Result;
use talkmeter::batch::{Batch, BatchRequest, ManifestBuilder, Progress, RunOptions, Summary};
use talkmeter::client::{Client, Recognition};
use tokio::sync::Notify;

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "an example for the terminal")]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let (client, emulator) = service::client().await?;
    let dir = std::env::temp_dir().join(format!("talkmeter-example-{}", std::process::id()));

    // Cancelled after three results; killing the process would do as well.
    let first = run(&client, &dir, 3).await?;
    println!("first run:  {} of {} transcribed, stopped: {}", first.counts.stored, first.counts.total(), first.stopped);

    // The same request on the same folder: what was submitted is not submitted again.
    let second = run(&client, &dir, usize::MAX).await?;
    println!("second run: {} of {} transcribed", second.counts.stored, second.counts.total());

    if let Some(emulator) = emulator {
        let accepted = emulator.accepted();
        println!(
            "accepted by the service: {} files, {} of them once",
            accepted.len(),
            accepted.values().filter(|times| **times == 1).count()
        );
        assert!(accepted.len() == 12 && accepted.values().all(|times| *times == 1), "billed twice");
    }
    std::fs::remove_dir_all(&dir)?;
    Ok(())
}

/// Runs the batch until `enough` results are there.
async fn run(client: &Client, dir: &Path, enough: usize) -> Result<Summary> {
    let list: String = (1..=12).map(|n| format!("https://calls.example/{n}.wav\n")).collect();
    let mut builder = ManifestBuilder::default();
    builder.list("calls.txt", list.as_bytes());
    let request = BatchRequest::new(Recognition::new("fun-asr"), builder.finish()?.recordings);
    let stop = Notify::new();
    let observer = |progress: Progress<'_>| {
        if let Progress::Counts(counts) = progress
            && counts.stored >= enough
        {
            stop.notify_one();
        }
    };
    let options = RunOptions::new().cancel(stop.notified()).observer(observer);
    Batch::open(dir, client.clone(), request)?.run(options).await
}
