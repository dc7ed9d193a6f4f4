//! Which service, with which key: flags and the environment.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::advice;
use super::max_result::MaxResult;
use super::output::{Console, Failure};
use crate::catalog::{Endpoint, Region};
use crate::client::environment::{BASE_URL, KEY, KEY_FILE, REGION, WORKSPACE};
use crate::client::{ApiKey, Client, ClientBuilder, Throttled};
use crate::error::{Error, Result};
use crate::named_file::FileKind;
use crate::sheet::text;

/// Which region is meant: its limits and prices, and its host.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct RegionFlag {
    /// intl (default), cn, us, hk, eu, jp, or a platform: qwencloud, qianwen, trial-intl, trial-cn, trial-hk
    /// [env: `DASHSCOPE_REGION`, `DASHSCOPE_API_REGION`]
    #[arg(long, global = true)]
    region: Option<String>,
}

impl RegionFlag {
    /// The region or platform that was named, if any.
    fn endpoint(&self) -> Result<Option<Endpoint>> {
        given(self.region.as_deref(), &REGION).map(|name| name.parse()).transpose()
    }

    /// The region that was named, if any.
    pub(super) fn named_region(&self) -> Result<Option<Region>> {
        Ok(self.endpoint()?.map(|endpoint| endpoint.region))
    }
}

/// The flags of commands that call the service. They are not validated before one does.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Service options")]
pub(super) struct Connection {
    #[command(flatten)]
    region: RegionFlag,
    /// Workspace id; calls go to its own host, which is faster than the shared one and allows longer requests
    /// [env: `DASHSCOPE_WORKSPACE`, `DASHSCOPE_WORKSPACE_ID`]
    #[arg(long, value_name = "ID", global = true)]
    workspace: Option<String>,
    /// Another host, including /api/v1; may be http, unless it is the vendor's
    /// [env: `DASHSCOPE_HTTP_BASE_URL`, `DASHSCOPE_BASE_URL`]
    #[arg(long, value_name = "URL", global = true)]
    base_url: Option<String>,
    /// Header to send with every request to the service, for your own gateway; repeatable
    #[arg(long = "header", value_name = "NAME: VALUE", global = true, value_parser = header)]
    headers: Vec<(String, String)>,
    /// Submits per second and model, for accounts whose quota was raised or cut
    #[arg(long, value_name = "N", global = true, value_parser = rate)]
    rate: Option<f64>,
    /// Time limit for one answer of the service, 1 to 3600
    #[arg(long, value_name = "SECONDS", global = true, value_parser = clap::value_parser!(u64).range(1..=3600), default_value_t = 60)]
    timeout: u64,
    /// File with nothing but the API key; default: the key in `DASHSCOPE_API_KEY`, then the file `DASHSCOPE_API_KEY_FILE_PATH`
    #[arg(long, value_name = "PATH", global = true)]
    api_key_file: Option<PathBuf>,
}

impl Connection {
    /// The region that was named, if any.
    pub(super) fn named_region(&self) -> Result<Option<Region>> {
        self.region.named_region()
    }

    /// The region whose limits and prices apply.
    pub(super) fn region(&self) -> Result<Region> {
        Ok(self.named_region()?.unwrap_or(Region::Intl))
    }

    /// The workspace that was named, if any.
    pub(super) fn workspace(&self) -> Option<String> {
        given(self.workspace.as_deref(), &WORKSPACE)
    }

    /// A client with the key; throttling is reported on the console.
    pub(super) fn client(&self, console: &Console) -> Result<Client, Failure> {
        self.build(|builder| builder, console)
    }

    /// The same, for a command that downloads results.
    pub(super) fn client_for_results(&self, most: MaxResult, console: &Console) -> Result<Client, Failure> {
        self.build(|builder| builder.max_result(most.bytes), console)
    }

    fn build(&self, with: impl FnOnce(ClientBuilder) -> ClientBuilder, console: &Console) -> Result<Client, Failure> {
        let endpoint = self.region.endpoint()?;
        let region = endpoint.as_ref().map_or(Region::Intl, |endpoint| endpoint.region);
        let note = console.detached_note();
        let mut builder = Client::builder()
            .region(region)
            .api_key(self.key()?)
            .timeout(Duration::from_secs(self.timeout))
            .on_throttle(move |throttled| note(&limited(throttled)));
        if let Some(workspace) = self.workspace() {
            builder = builder.workspace(workspace);
        }
        let host = endpoint.and_then(|endpoint| endpoint.host).map(|host| format!("https://{host}"));
        if let Some(url) = given(self.base_url.as_deref(), &BASE_URL).or(host) {
            builder = builder.base_url(url);
        }
        if let Some(rate) = self.rate {
            builder = builder.submits_per_second(rate);
        }
        builder = self.headers.iter().fold(builder, |builder, (name, value)| builder.header(name, value));
        let client = with(builder).build()?;
        client.warnings().iter().for_each(|warning| console.note(&advice::warning(warning)));
        Ok(client)
    }

    fn key(&self) -> Result<ApiKey> {
        let file = |path: &Path| ApiKey::new(text::read(path, FileKind::Key)?.0);
        if let Some(path) = &self.api_key_file {
            return file(path);
        }
        match (from_environment(KEY), from_environment(KEY_FILE)) {
            (Some(key), _) => ApiKey::new(key),
            (None, Some(path)) => file(Path::new(&path)),
            (None, None) => {
                Err(Error::auth(format!("no API key: set {KEY}, or name a file that holds it with --api-key-file")))
            }
        }
    }
}

/// One line when the service begins to refuse calls for their rate.
fn limited(throttled: &Throttled) -> String {
    let code = if throttled.code.is_empty() { String::new() } else { format!(" ({})", throttled.code) };
    format!("the service limits the rate of {}{code}: they pause, up to a minute at a time", throttled.calls)
}

/// The value of a flag, or of the first variable that is set.
fn given(flag: Option<&str>, variables: &[&str]) -> Option<String> {
    let flag = flag.map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned);
    flag.or_else(|| variables.iter().find_map(|name| from_environment(name)))
}

#[expect(clippy::disallowed_methods, reason = "the command line is where the environment is read")]
pub(super) fn from_environment(name: &str) -> Option<String> {
    std::env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("must be NAME: VALUE, as in 'X-Team: calls'")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.trim().parse::<f64>().ok().filter(|rate| (0.01..=1000.0).contains(rate));
    rate.ok_or_else(|| "must be a number from 0.01 to 1000".to_owned())
}
