//! The one `send`: pace, sign, send, read, map failures, try again, trace. No other file names the HTTP library.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use super::attempt::Attempt;
use super::failure::ErrorBody;
use super::key::ApiKey;
use super::pacing::{Class, Pacing, Permit};
use super::retry::{RetryPolicy, RetrySafety, again};
use crate::error::{Error, ErrorKind, Result};

/// No answer of the service is longer; the longest known is a page of a hundred tasks.
const LONGEST_ANSWER: usize = 64 << 20;
/// No result is longer: twelve hours of fast talk in eight channels are a tenth of it.
const LONGEST_RESULT: usize = 1 << 30;

/// One call, as a value.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// What is being done, for the error: `submit 3 files to fun-asr`.
    pub(crate) doing: String,
    pub(crate) target: Target<'a>,
    pub(crate) body: Body,
    pub(crate) headers: &'a [(&'static str, &'static str)],
    pub(crate) class: Class,
    pub(crate) repeat: RetrySafety,
}

/// Where a call goes.
#[derive(Debug)]
pub(crate) enum Target<'a> {
    /// The service, with the key: path segments below the base URL, and a query.
    Service(&'a [&'a str], Vec<(&'a str, String)>),
    /// The service in the clothes of another, with the key: path segments below `/compatible-mode/v1` of the same host.
    Compatible(&'a [&'a str]),
    /// Any other host, without the key; the query may be a signature.
    Elsewhere(Url),
}

impl Target<'_> {
    /// Whether the key goes along.
    fn is_service(&self) -> bool {
        !matches!(self, Self::Elsewhere(_))
    }
}

/// What a call carries.
#[derive(Debug)]
pub(crate) enum Body {
    /// `GET`.
    Get,
    /// `POST` without a body.
    Empty,
    /// `POST` of JSON.
    Json(Value),
    /// `POST` of a form whose last field is a file. Whoever sends it watches `sent`: no time-out ends it.
    Form { fields: Vec<(&'static str, String)>, file: PathBuf, name: String, sent: Sent },
}

/// Counts the bytes of an upload that have left.
#[derive(Clone)]
pub(crate) struct Sent(pub(crate) Arc<dyn Fn(u64) + Send + Sync>);

impl std::fmt::Debug for Sent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sent")
    }
}

/// An answer with a status of success.
#[derive(Debug)]
pub(crate) struct Answer {
    /// As received.
    pub(crate) raw: Bytes,
    /// Parsed, where the service answered; null for other hosts.
    pub(crate) json: Value,
    pub(crate) request_id: Option<String>,
}

/// What was answered to a call that may be answered bit by bit.
pub(crate) enum Opened {
    /// All at once.
    Whole(Answer),
    /// A stream of server-sent events that has begun.
    Events(Attempt, BoxStream<'static, Result<Bytes>>),
}

/// Connections, key, pace.
#[derive(Debug)]
pub(super) struct Transport {
    http: reqwest::Client,
    /// The same without an end to the wait for an answer: it would run while a file is still leaving. Made when needed.
    uploading: OnceLock<reqwest::Client>,
    base: Url,
    key: ApiKey,
    workspace: Option<String>,
    timeout: Duration,
    proxies: bool,
    policy: RetryPolicy,
    pacing: Pacing,
    /// The service's clock when it last told, and ours at that moment.
    served_at: Mutex<Option<(Timestamp, Instant)>>,
}

impl Transport {
    pub(super) fn new(
        base: Url,
        key: ApiKey,
        workspace: Option<String>,
        (timeout, proxies): (Duration, bool),
        policy: RetryPolicy,
        pacing: Pacing,
    ) -> Result<Self> {
        let http = http(timeout, proxies, Some(timeout))?;
        let (uploading, served_at) = (OnceLock::new(), Mutex::new(None));
        Ok(Self { http, uploading, base, key, workspace, timeout, proxies, policy, pacing, served_at })
    }

    /// For one answer of the service.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    pub(super) fn base(&self) -> &Url {
        &self.base
    }

    /// What the service's clock shows now; `None` before its first answer.
    pub(super) fn server_time(&self) -> Option<Timestamp> {
        let served = *self.served_at.lock().unwrap_or_else(PoisonError::into_inner);
        let (told, at) = served?;
        told.checked_add(at.elapsed()).ok()
    }

    /// Waits for a turn in the call's lane.
    pub(super) async fn permit(&self, class: &Class) -> Permit {
        self.pacing.permit(class).await
    }

    /// Sends a call, again where that is safe and may help, and reads the answer.
    pub(super) async fn send(&self, call: Call<'_>) -> Result<Answer> {
        let permit = self.permit(&call.class).await;
        self.send_with(permit, call).await
    }

    /// Like [`Self::send`], by leave already given.
    pub(super) async fn send_with(&self, permit: Permit, call: Call<'_>) -> Result<Answer> {
        let mut permit = Some(permit);
        let mut tries = Tries::new(&self.policy);
        loop {
            let leave = match permit.take() {
                Some(leave) => leave,
                None => self.permit(&call.class).await,
            };
            let outcome = match self.begin(&call, &tries, Some(self.timeout)).await {
                Ok((response, exchange)) => self.read(&call, response, &exchange).await,
                Err(error) => Err(error),
            };
            drop(leave);
            match outcome {
                Ok(answer) => return Ok(answer),
                Err(error) => self.pause(&call, error, &mut tries).await?,
            }
        }
    }

    /// Sends a call whose answer may come as a stream of events, again where that is safe and none has begun. The leave is
    /// kept until the stream is dropped.
    pub(super) async fn open(&self, call: Call<'_>) -> Result<Opened> {
        let mut tries = Tries::new(&self.policy);
        loop {
            let leave = self.permit(&call.class).await;
            // A stream lasts as long as there is something to say; how long it may be silent bounds the connection.
            let error = match self.begin(&call, &tries, None).await {
                Ok((response, exchange)) if is_stream(&response) => {
                    return Ok(Opened::Events(exchange.clone(), events(response, exchange, leave)));
                }
                Ok((response, exchange)) => match self.read(&call, response, &exchange).await {
                    Ok(answer) => return Ok(Opened::Whole(answer)),
                    Err(error) => error,
                },
                Err(error) => error,
            };
            drop(leave);
            self.pause(&call, error, &mut tries).await?;
        }
    }

    /// Waits before the next try; gives the error back where none is left, or none is safe.
    async fn pause(&self, call: &Call<'_>, error: Error, tries: &mut Tries) -> Result<()> {
        let asked = error.api().and_then(|api| api.retry_after);
        if error.kind() == ErrorKind::RateLimited {
            let pause = asked.unwrap_or(self.policy.first);
            self.pacing.hold(&call.class, pause);
        }
        let wait = match tries.delays.next() {
            Some(delay) if again(call.repeat, &error) => asked.unwrap_or(delay),
            _ => return Err(error),
        };
        if tries.begun.elapsed() + wait > self.policy.total {
            return Err(error);
        }
        tokio::time::sleep(wait).await;
        tries.attempts += 1;
        Ok(())
    }

    /// Sends, and waits for the head of the answer; `within` bounds the whole of it.
    async fn begin(
        &self,
        call: &Call<'_>,
        tries: &Tries,
        within: Option<Duration>,
    ) -> Result<(reqwest::Response, Attempt)> {
        let url = self.url(&call.target)?;
        let method = if matches!(call.body, Body::Get) { "GET" } else { "POST" };
        let mut exchange =
            Attempt::new(&call.doing, method, &url, &self.key, tries.attempts, tries.begun, self.timeout);
        exchange.keyless = !call.target.is_service();
        let mut request = self.request(call, url).await?;
        if let Some(within) = within.filter(|_| call.target.is_service()) {
            request = request.timeout(within);
        }
        let response = request.send().await.map_err(|error| unanswered(&exchange, error))?;
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        exchange.status = Some(response.status().as_u16());
        exchange.request_id = header("x-request-id").map(str::to_owned);
        exchange.retry_after = retry_after(header("retry-after-ms"), header("retry-after"), header("date"));
        if call.target.is_service()
            && let Some(told) = header("date").and_then(http_date)
        {
            *self.served_at.lock().unwrap_or_else(PoisonError::into_inner) = Some((told, Instant::now()));
        }
        Ok((response, exchange))
    }

    /// Reads an answer to its end, and what it says.
    async fn read(&self, call: &Call<'_>, response: reqwest::Response, exchange: &Attempt) -> Result<Answer> {
        let success = response.status().is_success();
        let bound = if call.target.is_service() { LONGEST_ANSWER } else { LONGEST_RESULT };
        let redirects = response.status().is_redirection();
        let mut raw = BytesMut::new();
        let mut chunks = response.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = match chunk {
                Ok(chunk) => chunk,
                // The status of a refusal is known, whatever became of its body.
                Err(_) if !success => break,
                Err(error) => return Err(unanswered(exchange, error)),
            };
            if raw.len() + chunk.len() > bound {
                let message = format!("the answer is longer than {bound} bytes");
                return Err(exchange.failed(ErrorKind::InvalidInput, ErrorBody { message, ..ErrorBody::default() }));
            }
            raw.extend_from_slice(&chunk);
        }
        // Before anything is cut off: half a key is no secret any more either.
        let masked = call.target.is_service().then(|| self.key.masked_body(&raw)).flatten();
        let raw = masked.map_or_else(|| raw.freeze(), Bytes::from);

        if !success {
            let mut said = ErrorBody::read(&raw);
            if redirects {
                said.message = "the address redirects, which is not followed: the key goes to one host only".to_owned();
            }
            return Err(exchange.refused(said));
        }
        let mut answer = Answer { raw, json: Value::Null, request_id: exchange.request_id.clone() };
        if call.target.is_service() {
            answer.json = serde_json::from_slice(&answer.raw).map_err(|_| {
                let mut said = ErrorBody::read(&answer.raw);
                said.message = if answer.raw.is_empty() {
                    "the answer is empty".to_owned()
                } else {
                    format!("the answer is no JSON: {}", said.message)
                };
                said.request_id = None;
                exchange.failed(ErrorKind::Protocol, said)
            })?;
            let mut said = ErrorBody::of(&answer.json);
            answer.request_id = said.request_id.take().or(answer.request_id);
            // The code of a task's answer is to be ignored: its state stands in `output`.
            let task = answer.json.pointer("/output/task_id").is_some_and(Value::is_string);
            if !said.code.is_empty() && !task {
                said.request_id = answer.request_id.clone();
                return Err(exchange.refused(said));
            }
        }
        tracing::debug!(endpoint = %exchange.endpoint, attempt = exchange.attempts, status = exchange.status, request_id = answer.request_id.as_deref(), bytes = answer.raw.len(), duration_ms = exchange.sent_at.elapsed().as_millis() as u64, "answered");
        Ok(answer)
    }

    async fn request(&self, call: &Call<'_>, url: Url) -> Result<reqwest::RequestBuilder> {
        let mut request = match &call.body {
            Body::Get => self.http.get(url),
            Body::Empty => self.http.post(url).header("Content-Length", "0"),
            Body::Json(value) => self.http.post(url).header("Content-Type", "application/json").body(value.to_string()),
            Body::Form { fields, file, name, sent } => {
                let http = match self.uploading.get() {
                    Some(http) => http,
                    None => {
                        let made = http(self.timeout, self.proxies, None)?;
                        self.uploading.get_or_init(|| made)
                    }
                };
                http.post(url).multipart(form(fields, file, name, sent)?)
            }
        };
        if call.target.is_service() {
            request = request.header("Authorization", self.key.bearer());
            if let Some(workspace) = &self.workspace {
                request = request.header("X-DashScope-WorkSpace", workspace);
            }
        }
        Ok(call.headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)))
    }

    fn url(&self, target: &Target<'_>) -> Result<Url> {
        match target {
            Target::Elsewhere(url) => Ok(url.clone()),
            Target::Service(segments, query) => {
                let mut url = self.base.clone();
                url.path_segments_mut()
                    .map_err(|()| Error::invalid("the base URL has no path"))?
                    .pop_if_empty()
                    .extend(*segments);
                if !query.is_empty() {
                    url.query_pairs_mut().extend_pairs(query);
                }
                Ok(url)
            }
            Target::Compatible(segments) => {
                let mut url = self.base.clone();
                let path = url.path().trim_end_matches('/');
                let root = path.strip_suffix("/api/v1").unwrap_or(path).to_owned();
                url.set_path(&format!("{root}/compatible-mode/v1/{}", segments.join("/")));
                Ok(url)
            }
        }
    }
}

/// Connections; `idle` ends the wait for an answer and for each part of it.
fn http(timeout: Duration, proxies: bool, idle: Option<Duration>) -> Result<reqwest::Client> {
    let builder = reqwest::Client::builder()
        // A redirect could carry the key to another host, or hide that the address is wrong.
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(10).min(timeout))
        .tcp_keepalive(Duration::from_secs(30))
        // Long idle connections are dropped on the way without a word.
        .pool_idle_timeout(Duration::from_secs(20))
        .user_agent(concat!("talkmeter/", env!("CARGO_PKG_VERSION")));
    let builder = if proxies { builder } else { builder.no_proxy() };
    let builder = match idle {
        Some(idle) => builder.read_timeout(idle),
        None => builder,
    };
    builder.build().map_err(|error| Error::invalid(format!("cannot set up HTTPS: {error}")))
}

/// How often a call was tried, and how often it may be.
struct Tries {
    begun: Instant,
    attempts: u32,
    delays: Box<dyn Iterator<Item = Duration> + Send + Sync>,
}

impl Tries {
    fn new(policy: &RetryPolicy) -> Self {
        Self { begun: Instant::now(), attempts: 1, delays: Box::new(policy.delays()) }
    }
}

fn is_stream(response: &reqwest::Response) -> bool {
    let kind = response.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    response.status().is_success() && kind.trim_start().to_ascii_lowercase().starts_with("text/event-stream")
}

/// The body as it comes; whatever breaks it says what was asked.
fn events(response: reqwest::Response, exchange: Attempt, leave: Permit) -> BoxStream<'static, Result<Bytes>> {
    tracing::debug!(endpoint = %exchange.endpoint, attempt = exchange.attempts, status = exchange.status, request_id = exchange.request_id.as_deref(), duration_ms = exchange.sent_at.elapsed().as_millis() as u64, "a stream began");
    let chunks = response.bytes_stream().map(move |chunk| {
        let _until_the_end = &leave;
        chunk.map_err(|error| unanswered(&exchange, error))
    });
    chunks.boxed()
}

/// No answer, or one that broke off.
fn unanswered(exchange: &Attempt, error: reqwest::Error) -> Error {
    let kind = if error.is_timeout() { ErrorKind::Timeout } else { ErrorKind::Unavailable };
    let message = if error.is_connect() {
        format!("no connection to {}", exchange.host)
    } else if error.is_timeout() {
        format!("no answer within {} s", exchange.timeout.as_secs())
    } else {
        "the connection broke before the answer was complete".to_owned()
    };
    let refused = error.is_connect();
    // An address may be signed: it is not shown with its query, by the cause either.
    exchange.unanswered(kind, message, refused, error.without_url().into())
}

/// A form in the documented order: all fields, then the file, read as it is sent.
fn form(
    fields: &[(&'static str, String)],
    path: &PathBuf,
    name: &str,
    sent: &Sent,
) -> Result<reqwest::multipart::Form> {
    let file = std::fs::File::open(path).map_err(|error| Error::io("read", path, error))?;
    let length = file.metadata().map_err(|error| Error::io("read", path, error))?.len();
    let sent = sent.clone();
    let chunks = futures_util::stream::try_unfold((file, 0u64), move |(mut file, before)| {
        let sent = sent.clone();
        async move {
            let read = tokio::task::spawn_blocking(move || {
                let mut chunk = vec![0; 256 << 10];
                let length = std::io::Read::read(&mut file, &mut chunk)?;
                chunk.truncate(length);
                std::io::Result::Ok((file, chunk))
            });
            let (file, chunk) = read.await.map_err(std::io::Error::other)??;
            let after = before + chunk.len() as u64;
            (sent.0)(after);
            std::io::Result::Ok((!chunk.is_empty()).then_some((chunk, (file, after))))
        }
    });
    let body = reqwest::Body::wrap_stream(chunks.into_stream());
    let form =
        fields.iter().fold(reqwest::multipart::Form::new(), |form, (name, value)| form.text(*name, value.clone()));
    let part = reqwest::multipart::Part::stream_with_length(body, length).file_name(name.to_owned());
    Ok(form.part("file", part))
}

/// How long the server asks to wait: milliseconds, seconds, or a date by its own clock.
fn retry_after(millis: Option<&str>, header: Option<&str>, date: Option<&str>) -> Option<Duration> {
    // A day is longer than anybody waits, and keeps absurd numbers out of arithmetic.
    let bounded = |seconds: f64| (0.0..=86_400.0).contains(&seconds).then(|| Duration::from_secs_f64(seconds));
    if let Some(millis) = millis.and_then(|millis| millis.trim().parse::<f64>().ok()) {
        return bounded(millis / 1000.0);
    }
    let header = header?.trim();
    if let Ok(seconds) = header.parse::<f64>() {
        return bounded(seconds);
    }
    let (until, now) = (http_date(header)?, date.and_then(http_date)?);
    bounded(until.duration_since(now).as_secs_f64().max(0.0))
}

fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_wish_to_wait_is_understood_in_its_three_spellings() {
        let seconds = |found: Option<Duration>| found.map(|found| found.as_secs_f64());
        assert_eq!(seconds(retry_after(None, Some("2"), None)), Some(2.0));
        assert_eq!(seconds(retry_after(Some("1500"), Some("9"), None)), Some(1.5));
        let (now, then) = ("Sat, 21 Nov 2026 10:00:00 GMT", "Sat, 21 Nov 2026 10:00:07 GMT");
        assert_eq!(seconds(retry_after(None, Some(then), Some(now))), Some(7.0));
        assert_eq!(seconds(retry_after(None, Some(now), Some(then))), Some(0.0));
        for nonsense in ["-1", "NaN", "inf", "1e300", "soon", ""] {
            assert_eq!(retry_after(None, Some(nonsense), Some(now)), None, "{nonsense}");
        }
    }
}
