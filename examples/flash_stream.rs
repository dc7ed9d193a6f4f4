//! The text of a clip as it is heard, with names from earlier turns as context: `cargo run --example flash_stream -- [URL|FILE]`.
//!
//! Without `DASHSCOPE_API_KEY` the emulator answers: no key, no network, no bill.

mod service;

use talkmeter::client::{Clip, Conversation, Flash, FlashEvent, Recognition};
use talkmeter::metrics::{Settings, measure};

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "an example for the terminal")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let given = std::env::args().nth(1).unwrap_or_else(|| "https://calls.example/jargon.wav".to_owned());
    let clip = if given.contains("://") { Clip::url(&given) } else { Clip::bytes(&std::fs::read(&given)?) };
    let (client, _emulator) = service::client().await?;

    // Earlier turns help with names: without them the emulator hears "Bird Rock".
    let mut conversation = Conversation::new();
    conversation.heard("tell me about investment banks");
    conversation.replied("There are four kinds: Bulge Bracket, Boutique, Middle Market and domestic securities firms.");
    let request = conversation.add_to(Recognition::new("qwen-audio-3.1-asr-flash"));

    let mut stream = client.flash().stream(&Flash::new(request, clip)).await?;
    while let Some(event) = stream.next().await {
        match event? {
            // The whole text so far: it replaces what was shown before.
            FlashEvent::Text(text) => println!("… {text}"),
            FlashEvent::Done(answer) => {
                println!("\n{}", answer.text);
                let transcript = answer.transcript();
                let measured = measure("clip", &transcript, &Settings::default());
                println!("{} units, {:?} ms of talk", measured.call.units.unwrap_or(0), measured.call.speech_ms);
                conversation.heard(answer.text);
            }
            _ => {}
        }
    }
    Ok(())
}
