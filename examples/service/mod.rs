//! The service for the examples: the real one where a key is set, else the emulator in this process.

use talkmeter::Result;
use talkmeter::client::{ApiKey, Client};
use talkmeter::emulator::{Emulator, Settings};

/// A client, and what must be kept while it is used.
#[expect(clippy::disallowed_methods, reason = "the library reads no environment; a program does")]
pub(crate) async fn client() -> Result<(Client, Option<Emulator>)> {
    if let Ok(key) = std::env::var("DASHSCOPE_API_KEY") {
        return Ok((Client::builder().api_key(ApiKey::new(key)?).build()?, None));
    }
    let emulator = Emulator::start(Settings::default()).await?;
    let builder = Client::builder().base_url(emulator.base_url()).api_key(ApiKey::new("sk-emulator")?);
    Ok((builder.build()?, Some(emulator)))
}
