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

A token has all rights of its key, cannot be revoked, and is valid in its own region.";

/// Arguments of `token`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Lifetime, 1s to 30m
    #[arg(long, value_name = "LENGTH", default_value = "60s", value_parser = duration)]
    lifetime: Duration,
}

/// Runs `token`.
pub(super) fn run(args: &Args, connection: &Connection, format: Format, console: &Console) -> Result<Exit, Failure> {
    let client = connection.client(console)?;
    let token = block_on(async { Ok(client.tokens().create(args.lifetime).await?) })?;
    let row = [("token", json!(token.expose())), ("expires_at", json!(token.expires.to_string()))];
    let exit = match format {
        // Nothing else on stdout, for use in a shell.
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
    console.note(&format!("the token is valid until {}", token.expires));
    Ok(exit)
}
