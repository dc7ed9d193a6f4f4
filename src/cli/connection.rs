//! Which service, with which key: the global flags and the environment.

use std::path::PathBuf;
use std::time::Duration;

use super::inputs::read_exact_text;
use super::output::Failure;
use crate::catalog::Region;
use crate::client::{ApiKey, Client};
use crate::error::{Error, Result};

/// Where the key is looked for when no file is named.
const KEY: &str = "DASHSCOPE_API_KEY";

/// The flags of every command that talks to the service. Not checked before one does.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Service options")]
pub(super) struct Connection {
    /// Whose hosts, limits and prices: intl (the default), cn, us or hk
    #[arg(long, global = true, env = "DASHSCOPE_REGION")]
    region: Option<String>,
    /// The workspace, which has a host of its own
    #[arg(long, value_name = "ID", global = true, env = "DASHSCOPE_WORKSPACE")]
    workspace: Option<String>,
    /// Another host, up to and with /api/v1; it alone may be http
    #[arg(long, value_name = "URL", global = true, env = "DASHSCOPE_HTTP_BASE_URL")]
    base_url: Option<String>,
    /// How long one answer of the service may take, from 1 to 3600
    #[arg(long, value_name = "SECONDS", global = true, value_parser = clap::value_parser!(u64).range(1..=3600), default_value_t = 60)]
    timeout: u64,
    /// A file with the API key and nothing else; otherwise the key is taken from `DASHSCOPE_API_KEY`
    #[arg(long, value_name = "PATH", global = true)]
    api_key_file: Option<PathBuf>,
}

impl Connection {
    /// The region that was named, if any.
    pub(super) fn named_region(&self) -> Result<Option<Region>> {
        self.region.as_deref().map(str::trim).filter(|region| !region.is_empty()).map(str::parse).transpose()
    }

    /// The region that holds.
    pub(super) fn region(&self) -> Result<Region> {
        Ok(self.named_region()?.unwrap_or(Region::Intl))
    }

    /// A client, if there is a key.
    pub(super) fn client(&self) -> Result<Client, Failure> {
        let mut builder =
            Client::builder().region(self.region()?).api_key(self.key()?).timeout(Duration::from_secs(self.timeout));
        let given = |value: &Option<String>| {
            value.as_deref().map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned)
        };
        if let Some(workspace) = given(&self.workspace) {
            builder = builder.workspace(workspace);
        }
        if let Some(url) = given(&self.base_url) {
            builder = builder.base_url(url);
        }
        Ok(builder.build()?)
    }

    fn key(&self) -> Result<ApiKey> {
        if let Some(path) = &self.api_key_file {
            return ApiKey::new(read_exact_text("read the API key from", path)?);
        }
        match from_environment(KEY).filter(|key| !key.trim().is_empty()) {
            Some(key) => ApiKey::new(key),
            None => {
                Err(Error::auth(format!("no API key: set {KEY}, or name a file that holds it with --api-key-file")))
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the command line is where the environment is read")]
fn from_environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
