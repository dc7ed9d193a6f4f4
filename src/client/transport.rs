//! The one `send`: pacing, authorization, reading, mapping of failures, retries, tracing. No other file uses the HTTP library.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use hyper_util::client::proxy::matcher::Matcher;
use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use super::attempt::Attempt;
use super::download::Sink;
use super::failure::ErrorBody;
use super::key::ApiKey;
use super::pacing::{Class, Pacing, Pause, Permit};
use super::retry::{RetryPolicy, RetrySafety, retries};
use super::service_clock::{ServiceClock, SharedClock};
use super::throttle::{ThrottleObserver, Throttled};
use crate::error::{Check, Error, ErrorKind, Result};

/// The longest answer of the service, in bytes; the longest known is a page of 100 tasks.
const LONGEST_ANSWER: u64 = 8 << 20;
/// The longest refusal that is read, in bytes.
const LONGEST_REFUSAL: usize = 64 << 10;
/// The longest result unless set, in bytes: more than twice twelve hours of fast speech in eight channels.
pub(super) const MAX_RESULT: u64 = 256 << 20;
/// A transfer may be slower than this, in bytes per second, only until the time limit of an answer has passed.
const SLOWEST: u64 = 64 << 10;

/// One call.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// Completes `cannot …` in errors: `submit 3 files to fun-asr`.
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
    /// The OpenAI-compatible endpoint, with the key: path segments below `/compatible-mode/v1` of the same host.
    Compatible(&'a [&'a str]),
    /// Another host, without the key; the query may be a signature.
    Elsewhere(Url),
}

impl Target<'_> {
    /// Whether the key is sent.
    fn is_service(&self) -> bool {
        !matches!(self, Self::Elsewhere(_))
    }
}

/// The method and body of a call.
#[derive(Debug)]
pub(crate) enum Body {
    /// `GET`.
    Get,
    /// `POST` without a body.
    Empty,
    /// `POST` of JSON.
    Json(Value),
    /// `POST` of a form whose last field is a file. It has no time limit: the sender watches `sent`.
    Form { fields: Vec<(&'static str, String)>, file: PathBuf, name: String, sent: Sent },
}

/// Receives the number of bytes of an upload that were sent.
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
    /// Parsed; null for other hosts than the service.
    pub(crate) json: Value,
    pub(crate) request_id: Option<String>,
}

/// The answer to a call that may be streamed.
pub(crate) enum Opened {
    /// A complete answer.
    Whole(Answer),
    /// A stream of server-sent events.
    Events(Attempt, BoxStream<'static, Result<Bytes>>),
}

/// Connections, key and rate limits.
#[derive(Debug)]
pub(super) struct Transport {
    http: reqwest::Client,
    /// The same without a time limit for the answer, which would end long uploads. Created on first use.
    uploading: OnceLock<reqwest::Client>,
    base: Url,
    key: ApiKey,
    workspace: Option<String>,
    timeout: Duration,
    max_result: u64,
    proxies: bool,
    policy: RetryPolicy,
    pacing: Pacing,
    on_throttle: Option<ThrottleObserver>,
    /// Sent with every call to the service.
    headers: HeaderMap,
    clock: SharedClock,
}

impl Transport {
    pub(super) fn new(
        base: Url,
        key: ApiKey,
        workspace: Option<String>,
        (timeout, max_result, proxies): (Duration, u64, bool),
        policy: RetryPolicy,
        (pacing, on_throttle): (Pacing, Option<ThrottleObserver>),
        headers: &[(String, String)],
    ) -> Result<Self> {
        let http = http(timeout, proxies, Some(timeout))?;
        let (uploading, clock) = (OnceLock::new(), SharedClock::default());
        let headers = extra_headers(headers)?;
        Ok(Self {
            http,
            uploading,
            base,
            key,
            workspace,
            timeout,
            max_result,
            proxies,
            policy,
            pacing,
            on_throttle,
            headers,
            clock,
        })
    }

    /// The time limit for one answer of the service.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    pub(super) fn base(&self) -> &Url {
        &self.base
    }

    /// The proxy that reads the key as it passes: over https a proxy sees the name of the host only.
    pub(super) fn proxy_that_sees_the_key(&self) -> Option<String> {
        if !self.proxies || self.base.scheme() != "http" {
            return None;
        }
        let proxy = Matcher::from_env().intercept(&self.base.as_str().parse().ok()?)?;
        Some(proxy.uri().authority().map_or_else(String::new, ToString::to_string))
    }

    /// The service's clock; `None` before an answer has told its time.
    pub(super) fn clock(&self) -> Option<ServiceClock> {
        self.clock.get()
    }

    /// Waits for a turn in the call's class.
    pub(super) async fn permit(&self, class: &Class) -> Permit {
        self.pacing.permit(class).await
    }

    /// Sends a call, retries it where that is safe and may help, and reads the answer.
    pub(super) async fn send(&self, call: Call<'_>) -> Result<Answer> {
        self.exchange(None, call, self.timeout, None).await
    }

    /// Like [`Self::send`], with a permit already held.
    pub(super) async fn send_with(&self, permit: Permit, call: Call<'_>) -> Result<Answer> {
        self.exchange(Some(permit), call, self.timeout, None).await
    }

    /// Like [`Self::send`], with `longer` added to the time limit.
    pub(super) async fn send_longer(&self, call: Call<'_>, longer: Duration) -> Result<Answer> {
        self.exchange(None, call, self.timeout.saturating_add(longer), None).await
    }

    /// Like [`Self::send`]; the body of the answer goes to `sink`.
    pub(super) async fn receive(&self, call: Call<'_>, sink: &mut Sink<'_>) -> Result<()> {
        self.exchange(None, call, self.timeout, Some(sink)).await.map(drop)
    }

    async fn exchange(
        &self,
        mut permit: Option<Permit>,
        call: Call<'_>,
        within: Duration,
        mut sink: Option<&mut Sink<'_>>,
    ) -> Result<Answer> {
        let mut tries = Tries::new(&self.policy);
        loop {
            let held = match permit.take() {
                Some(held) => held,
                None => self.permit(&call.class).await,
            };
            tries.sent_at = Instant::now();
            let outcome = match self.begin(&call, &tries, within).await {
                Ok((response, attempt)) => self.read(&call, response, &attempt, sink.as_deref_mut()).await,
                Err(error) => Err(error),
            };
            drop(held);
            match outcome {
                Ok(answer) => {
                    self.pacing.succeeded(&call.class, tries.sent_at);
                    return Ok(answer);
                }
                Err(error) => self.pause(&call, error, &mut tries).await?,
            }
        }
    }

    /// Sends a call whose answer may be a stream of events; retries it where that is safe and no stream has begun. The permit
    /// is held until the stream is dropped. `longer` is added to the time limit, which is that of the whole stream.
    pub(super) async fn open(&self, call: Call<'_>, longer: Duration) -> Result<Opened> {
        let mut tries = Tries::new(&self.policy);
        let within = self.timeout.saturating_add(longer);
        loop {
            let permit = self.permit(&call.class).await;
            tries.sent_at = Instant::now();
            let error = match self.begin(&call, &tries, within).await {
                Ok((response, attempt)) if is_stream(&response) => {
                    self.pacing.succeeded(&call.class, tries.sent_at);
                    return Ok(Opened::Events(attempt.clone(), events(response, attempt, permit)));
                }
                Ok((response, attempt)) => match self.read(&call, response, &attempt, None).await {
                    Ok(answer) => {
                        self.pacing.succeeded(&call.class, tries.sent_at);
                        return Ok(Opened::Whole(answer));
                    }
                    Err(error) => error,
                },
                Err(error) => error,
            };
            drop(permit);
            self.pause(&call, error, &mut tries).await?;
        }
    }

    /// Waits before the next attempt, or returns the error if there is none.
    async fn pause(&self, call: &Call<'_>, error: Error, tries: &mut Tries) -> Result<()> {
        if error.kind() == ErrorKind::RateLimited {
            return self.throttle(call, error, tries);
        }
        let asked = error.api().and_then(|api| api.retry_after);
        let wait = match tries.delays.next() {
            Some(delay) if retries(call.repeat, &error) => asked.unwrap_or(delay),
            _ => return Err(error),
        };
        if tries.begun.elapsed() + wait > self.policy.total {
            return Err(error);
        }
        tokio::time::sleep(wait).await;
        tries.attempts += 1;
        Ok(())
    }

    /// Pauses all calls of the class. The next attempt waits with them for its turn; gives the error back if the call must not be
    /// repeated, or would wait too long.
    fn throttle(&self, call: &Call<'_>, error: Error, tries: &mut Tries) -> Result<()> {
        let api = error.api();
        let code = api.map(|api| api.code.clone()).unwrap_or_default();
        let most = self.policy.throttle_most;
        // A quota per minute takes longer to recover than a rate per second.
        let first = if code.ends_with("AllocationQuota") { self.policy.first.max(most / 8) } else { self.policy.first };
        let pause = Pause { first, most, asked: api.and_then(|api| api.retry_after) };
        let (until, begins) = self.pacing.throttled(&call.class, tries.sent_at, pause);
        if begins && let Some(observer) = &self.on_throttle {
            (observer.0)(&Throttled { calls: call.class.to_string(), code, pause: until - Instant::now() });
        }
        let since = *tries.throttled_since.get_or_insert_with(Instant::now);
        if !retries(call.repeat, &error) || until - since > self.policy.throttle_total {
            return Err(error);
        }
        tries.attempts += 1;
        Ok(())
    }

    /// When the pause of a class ends, if there is one.
    pub(super) fn paused_until(&self, class: &Class) -> Option<Instant> {
        self.pacing.paused_until(class)
    }

    /// Sends a request and waits for the head of the answer; `within` limits the whole answer.
    async fn begin(&self, call: &Call<'_>, tries: &Tries, within: Duration) -> Result<(reqwest::Response, Attempt)> {
        let url = self.url(&call.target)?;
        let method = if matches!(call.body, Body::Get) { "GET" } else { "POST" };
        let mut attempt = Attempt::new(&call.doing, method, &url, &self.key, tries.attempts, tries.begun, within);
        attempt.keyless = !call.target.is_service();
        let mut request = self.request(call, url).await?;
        // A transfer is limited by its pace.
        if call.target.is_service() {
            request = request.timeout(within);
        }
        let response = request.send().await.map_err(|error| unanswered(&attempt, error))?;
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        attempt.status = Some(response.status().as_u16());
        attempt.request_id = header("x-request-id").map(|id| attempt.masked(id));
        attempt.retry_after = retry_after(header("retry-after-ms"), header("retry-after"), header("date"));
        if call.target.is_service()
            && let Some(time) = header("date").and_then(http_date)
        {
            self.clock.read(time);
        }
        Ok((response, attempt))
    }

    /// Reads an answer to its end, into `sink` if it is a success.
    async fn read(
        &self,
        call: &Call<'_>,
        response: reqwest::Response,
        attempt: &Attempt,
        sink: Option<&mut Sink<'_>>,
    ) -> Result<Answer> {
        let success = response.status().is_success();
        let redirects = response.status().is_redirection();
        let raw = if success {
            self.body(call, response, attempt, sink).await?
        } else {
            refusal(response, attempt.timeout).await
        };
        // Before anything is cut: a part of the key is secret, too.
        let masked = (call.target.is_service() || !success).then(|| self.key.masked_body(&raw)).flatten();
        let raw = masked.map_or_else(|| raw.freeze(), Bytes::from);

        if !success {
            let mut body = ErrorBody::read(&raw);
            if redirects {
                body.message =
                    "the address redirects; redirects are not followed, because the key is for one host".to_owned();
            }
            return Err(attempt.refused(body));
        }
        let mut answer = Answer { raw, json: Value::Null, request_id: attempt.request_id.clone() };
        if call.target.is_service() {
            answer.json = serde_json::from_slice(&answer.raw).map_err(|_| {
                let mut body = ErrorBody::read(&answer.raw);
                body.message = if answer.raw.is_empty() {
                    "the answer is empty".to_owned()
                } else {
                    format!("the answer is not JSON: {}", body.message)
                };
                body.request_id = None;
                attempt.failed(ErrorKind::Protocol, body)
            })?;
            let mut body = ErrorBody::from_json(&answer.json);
            answer.request_id = body.request_id.take().or(answer.request_id);
            // The code of an answer about a task is ignored, as documented: `output` has its state.
            let task = answer.json.pointer("/output/task_id").is_some_and(Value::is_string);
            if !body.code.is_empty() && !task {
                body.request_id = answer.request_id.clone();
                return Err(attempt.refused(body));
            }
        }
        tracing::debug!(endpoint = %attempt.endpoint, attempt = attempt.attempts, status = attempt.status, request_id = answer.request_id.as_deref(), bytes = answer.raw.len(), duration_ms = attempt.sent_at.elapsed().as_millis() as u64, "answered");
        Ok(answer)
    }

    /// The body of a success, or nothing where it went to `sink`.
    async fn body(
        &self,
        call: &Call<'_>,
        response: reqwest::Response,
        attempt: &Attempt,
        mut sink: Option<&mut Sink<'_>>,
    ) -> Result<BytesMut> {
        let is_service = call.target.is_service();
        let most = if is_service { LONGEST_ANSWER } else { self.max_result };
        let too_long = || {
            let message = format!("the answer is longer than {most} bytes");
            let error = attempt.failed(ErrorKind::InvalidInput, ErrorBody { message, ..ErrorBody::default() });
            if is_service { error } else { error.with_check(Check::ResultSize) }
        };
        // Nothing of it is read where it says so itself.
        if response.content_length().is_some_and(|length| length > most) {
            return Err(too_long());
        }
        if let Some(sink) = &mut sink {
            sink.restart()?;
        }
        // Of an upload, the answer begins long after the request.
        let begun = Instant::now();
        let (mut raw, mut received) = (BytesMut::new(), 0_u64);
        let mut chunks = response.bytes_stream();
        loop {
            // The whole of an answer of the service is limited by its request.
            let patience = attempt.timeout.max(Duration::from_secs(received / SLOWEST));
            let next = tokio::time::timeout_at(begun + patience, chunks.next());
            let chunk = match if is_service { Ok(chunks.next().await) } else { next.await } {
                Ok(Some(chunk)) => chunk.map_err(|error| unanswered(attempt, error))?,
                Ok(None) => return Ok(raw),
                Err(_) => {
                    let message = format!("{received} bytes came in {} s: too slow", patience.as_secs());
                    return Err(attempt.failed(ErrorKind::Timeout, ErrorBody { message, ..ErrorBody::default() }));
                }
            };
            received += chunk.len() as u64;
            if received > most {
                return Err(too_long());
            }
            match &mut sink {
                Some(sink) => sink.take(&chunk)?,
                None => raw.extend_from_slice(&chunk),
            }
        }
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
                        let http = http(self.timeout, self.proxies, None)?;
                        self.uploading.get_or_init(|| http)
                    }
                };
                http.post(url).multipart(form(fields, file, name, sent)?)
            }
        };
        if call.target.is_service() {
            request = request.headers(self.headers.clone()).header("Authorization", self.key.bearer());
            if let Some(workspace) = &self.workspace {
                request = request.header("X-DashScope-WorkSpace", workspace);
            }
        }
        Ok(call.headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)))
    }

    fn url(&self, target: &Target<'_>) -> Result<Url> {
        match target {
            Target::Elsewhere(url) if self.key.is_in(url.as_str()) => Err(Error::protocol(format!(
                "the service named an address on {} that has the API key in it: it is not requested",
                self.key.masked_in(url.host_str().unwrap_or_default())
            ))),
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

/// The body of a refusal, as far as it comes in time: its status is enough.
async fn refusal(response: reqwest::Response, within: Duration) -> BytesMut {
    let mut raw = BytesMut::new();
    let mut chunks = response.bytes_stream();
    let read = async {
        while let Some(Ok(chunk)) = chunks.next().await {
            let left = LONGEST_REFUSAL.saturating_sub(raw.len());
            raw.extend_from_slice(chunk.get(..left).unwrap_or(&chunk));
            if chunk.len() >= left {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(within, read).await;
    raw
}

/// A pool of connections; `idle` limits the wait for an answer and for each part of it.
fn http(timeout: Duration, proxies: bool, idle: Option<Duration>) -> Result<reqwest::Client> {
    let builder = reqwest::Client::builder()
        // A redirect could send the key to another host, or hide a wrong address.
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(10).min(timeout))
        .tcp_keepalive(Duration::from_secs(30))
        // Gateways drop idle connections silently.
        .pool_idle_timeout(Duration::from_secs(20))
        .user_agent(concat!("talkmeter/", env!("CARGO_PKG_VERSION")));
    let builder = if proxies { builder } else { builder.no_proxy() };
    let builder = match idle {
        Some(idle) => builder.read_timeout(idle),
        None => builder,
    };
    builder.build().map_err(|error| Error::invalid(format!("cannot set up HTTPS: {error}")))
}

/// The attempts of a call so far, and the delays that are left.
struct Tries {
    begun: Instant,
    /// When the last request left.
    sent_at: Instant,
    throttled_since: Option<Instant>,
    attempts: u32,
    delays: Box<dyn Iterator<Item = Duration> + Send + Sync>,
}

impl Tries {
    fn new(policy: &RetryPolicy) -> Self {
        let now = Instant::now();
        Self { begun: now, sent_at: now, throttled_since: None, attempts: 1, delays: Box::new(policy.delays()) }
    }
}

/// Headers of the caller, except those that the client itself sets.
fn extra_headers(given: &[(String, String)]) -> Result<HeaderMap> {
    const OWN: [&str; 9] = [
        "authorization",
        "content-length",
        "content-type",
        "host",
        "transfer-encoding",
        "x-dashscope-async",
        "x-dashscope-ossresourceresolve",
        "x-dashscope-sse",
        "x-dashscope-workspace",
    ];
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let refuse = |why: &str| {
            let shown: String = name.chars().take(80).collect();
            Err(Error::invalid(format!("header `{shown}` {why}")).with_check(Check::Header))
        };
        let Ok(parsed) = HeaderName::from_bytes(name.trim().as_bytes()) else { return refuse("is not a header name") };
        if OWN.contains(&parsed.as_str()) {
            return refuse("is set by the client itself");
        }
        // The value may be a secret, so it is not shown.
        let Ok(mut value) = HeaderValue::from_str(value.trim()) else {
            return refuse("has a value with control characters");
        };
        value.set_sensitive(true);
        headers.append(parsed, value);
    }
    Ok(headers)
}

fn is_stream(response: &reqwest::Response) -> bool {
    let kind = response.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    response.status().is_success() && kind.trim_start().to_ascii_lowercase().starts_with("text/event-stream")
}

/// The body as it arrives; errors name the call.
fn events(response: reqwest::Response, attempt: Attempt, permit: Permit) -> BoxStream<'static, Result<Bytes>> {
    tracing::debug!(endpoint = %attempt.endpoint, attempt = attempt.attempts, status = attempt.status, request_id = attempt.request_id.as_deref(), duration_ms = attempt.sent_at.elapsed().as_millis() as u64, "a stream began");
    let chunks = response.bytes_stream().map(move |chunk| {
        let _held_until_the_end = &permit;
        chunk.map_err(|error| unanswered(&attempt, error))
    });
    chunks.boxed()
}

/// The error for a missing or broken answer.
fn unanswered(attempt: &Attempt, error: reqwest::Error) -> Error {
    let kind = if error.is_timeout() { ErrorKind::Timeout } else { ErrorKind::Unavailable };
    let message = if error.is_connect() {
        format!("no connection to {}", attempt.host)
    } else if error.is_timeout() {
        format!("no answer within {} s", attempt.timeout.as_secs())
    } else {
        "the connection broke before the answer was complete".to_owned()
    };
    let refused = error.is_connect();
    // An address may be signed, so the cause must not show its query either.
    attempt.unanswered(kind, message, refused, error.without_url().into())
}

/// A form in the documented order: all fields, then the file, read while it is sent.
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
    // Longer than a day would not be waited for, and could overflow.
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
    fn retry_after_is_read_in_three_spellings() {
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
