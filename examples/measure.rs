//! Reads one result file and prints who spoke, how long and how fast: `cargo run --example measure [FILE]`.

use talkmeter::metrics::{Settings, measure};
use talkmeter::transcript;

#[expect(clippy::print_stdout, reason = "an example for the terminal")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "examples/calls/refund-anna.json".to_owned());
    let bytes = std::fs::read(&path)?;
    let transcript = transcript::read(&bytes)?;
    let measured = measure(&path, &transcript, &Settings::default());
    for participant in &measured.participants {
        let share = participant.talk_share.map_or("–".to_owned(), |share| format!("{:.0} %", share * 100.0));
        let rate = participant.units_per_min.map_or("–".to_owned(), |rate| format!("{rate:.0} words/min"));
        println!("{:8} talks {share:>5} of the time, {rate}", participant.participant);
    }
    for event in &measured.events {
        println!("{:>8} ms  {:17} {}", event.begin_ms, event.kind.name(), event.text.as_deref().unwrap_or_default());
    }
    Ok(())
}
