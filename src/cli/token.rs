//! `token`: a temporary key.

use std::time::Duration;

use serde_json::json;

use super::connection::Connection;
use super::duration::duration;
use super::output::{Console, Failure, Format, Listing};
use super::{Exit, block_on};

const EXAMPLES: &str = "\
Examples:
  export DASHSCOPE_API_KEY=$(talkmeter token --lifetime 30m --api-key-file key)
  talkmeter token --format json

A token has all rights of its key, cannot be revoked, and counts in the region it was made in.";

/// Arguments of `token`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// How long it lives: 1s to 30m
    #[arg(long, value_name = "LENGTH", default_value = "60s", value_parser = duration)]
    lifetime: Duration,
}

/// Runs `token`.
pub(super) fn run(args: &Args, connection: &Connection, format: Format, console: &Console) -> Result<Exit, Failure> {
    let client = connection.client()?;
    let token = block_on(async { Ok(client.tokens().create(args.lifetime).await?) })?;
    let row = [("token", json!(token.expose())), ("expires_at", json!(token.expires.to_string()))];
    let exit = match format {
        // Alone on its line, so that a shell can take it.
        Format::Table => console.data(format!("{}\n", token.expose()).as_bytes())?,
        // One token is one object, not a list of one.
        Format::Json | Format::Jsonl => {
            let object: serde_json::Map<_, _> = row.into_iter().map(|(name, cell)| (name.to_owned(), cell)).collect();
            console.data(format!("{}\n", serde_json::Value::Object(object)).as_bytes())?
        }
        Format::Csv | Format::Md => {
            let (head, cells) = row.into_iter().unzip();
            Listing { head, rows: vec![cells] }.print(format, console)?
        }
    };
    console.note(&format!("the token is taken until {}", token.expires));
    Ok(exit)
}
