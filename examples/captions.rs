//! Captions of one result file, and what breaks their limits: `cargo run --example captions [FILE] [srt|vtt]`.

use talkmeter::captions::{Captions, Format, Limits, check};
use talkmeter::metrics::{Settings, measure};
use talkmeter::transcript::read;

#[expect(clippy::print_stdout, reason = "an example for the terminal")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap_or_else(|| "examples/calls/vacuum-liu.json".to_owned());
    let format = if arguments.next().as_deref() == Some("srt") { Format::Srt } else { Format::WebVtt };
    let bytes = std::fs::read(&path)?;
    let transcript = read(&bytes)?;

    // Names come from roles; cues are cut by the script of the text.
    let mut settings = Settings::default();
    settings.roles = "ch0=agent,ch1=customer".parse()?;
    let mut limits = Limits::default();
    limits.reading_speed = Some(8);
    let captions = Captions::new(&measure(&path, &transcript, &settings), &limits);
    let cues = captions.cues(format);
    println!("{}", format.write(&cues));

    for violation in check(&cues, format, &limits) {
        let (rule, unit) = (violation.rule.name(), violation.rule.unit());
        println!("cue {}: {rule}, {} {unit}, limit {}", violation.cue, violation.value, violation.limit);
    }
    Ok(())
}
