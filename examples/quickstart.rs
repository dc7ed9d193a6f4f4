//! One recording, from its URL to its text: `cargo run --example quickstart -- [URL]`.
//!
//! Without `DASHSCOPE_API_KEY` the emulator answers: no key, no network, no bill.

mod service;

use talkmeter::client::{PollPolicy, Recognition};
use talkmeter::metrics::{Settings, measure};

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "an example for the terminal")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "https://calls.example/quickstart-2ch.wav".to_owned());
    let (client, _emulator) = service::client().await?;

    // Submitting costs money and cannot be repeated safely: a batch keeps a ledger of it (see `batch_resume`).
    let recognition = Recognition::new("fun-asr").channels(&[0, 1]);
    let submitted = client.tasks().submit(&recognition, &[&url]).await?;
    let task = client.tasks().wait(&submitted.id, PollPolicy::default()).await?;

    // A task that SUCCEEDED can contain files that failed: each has its own status.
    for outcome in &task.outcomes {
        let Some(address) = &outcome.transcription_url else {
            println!("{}: {} {}", url, outcome.status, outcome.code.as_deref().unwrap_or_default());
            continue;
        };
        let json = client.tasks().download(address).await?;
        let transcript = talkmeter::transcript::read(&json)?;
        let measured = measure("call.json", &transcript, &Settings::default());
        for turn in measured.turns.iter().take(6) {
            println!("{:>6} ms  {}: {}", turn.begin_ms, turn.participant, turn.text);
        }
        println!("…\ntalk {:?} ms, silence {:?} ms", measured.call.speech_ms, measured.call.silence_ms);
    }
    Ok(())
}
