//! Scenarios: which faults occur when.
//!
//! A scenario is a TOML file with a list of rules. Each states the kind of request it acts on, how many of them pass first,
//! how often it acts, and what it does:
//!
//! ```toml
//! [[fault]]
//! on = "submit"              # submit query list cancel policy upload result flash vocabulary token models recognition
//! url_contains = "call-17"   # optional: only if a file URL (upload: the key) contains this
//! skip = 1                   # optional: this many matching requests pass first
//! times = 2                  # optional: how often it acts, 1 by default; 0 = always
//! do = "status"
//! status = 429
//! retry_after = 2
//! ```
//!
//! | `do` | what happens | keys |
//! | --- | --- | --- |
//! | `status` | an error answer, in the service's shape unless `body` is given | `status`, `code`, `message`, `body` (verbatim, may be empty or plain text), `retry_after` (seconds), `accepted`, `event_stream` (`flash`) |
//! | `ok_with_code` | HTTP 200 with `code` and `message` | `code`, `message`, `accepted` |
//! | `empty` | an empty body | `status` (200), `accepted` |
//! | `reset_before` | the connection is dropped, nothing was accepted | |
//! | `reset_after` | the request is carried out, then the connection is dropped | |
//! | `slow` | carried out, answered `delay_ms` later | `delay_ms` |
//! | `slow_before_accept` | carried out `delay_ms` later | `delay_ms` |
//! | `truncate` | half the body, the connection closed | |
//! | `expired` | on `result`: this link has expired; a link from a new query works | |
//! | `unknown` | on `query`: `task_status` UNKNOWN | |
//! | `fail` | on `recognition`: this file fails | `code` (`FILE_DOWNLOAD_FAILED`), `message` (the code) |
//! | `all_failed` | on `recognition`: every file of the task fails | `code`, `message` |
//! | `succeeded_with_failed` | on `recognition`: every file fails, yet the task is SUCCEEDED | `code`, `message` |
//! | `silence` | on `recognition`: no speech; with `ASR_RESPONSE_HAVE_NO_WORDS` and one file the task has `code` and no `results` | `code` (`SUCCESS_WITH_NO_VALID_FRAGMENT`) |
//! | `reshape` | on `flash`, streams: the same events in another layout | any key of a stream, see below |
//! | `cut` | on `flash`, streams: the end is missing; the connection is closed in order | `frames` (how many come, at most all but the last), `mid_frame` (half of the next one follows), `abrupt` (the connection breaks), and those of a stream |
//! | `error_event` | on `flash`, streams: an error under HTTP 200 ends it | `frames` (0; how many come before), `event` (`error`; or `result`), `status` (400; in the frame's comment), `code`, `message`, and those of a stream |
//! | `silence` | on `flash`: no speech; 400 `CLIENT_ERROR` `ASR_RESPONSE_HAVE_NO_WORDS`, of Qwen models an empty text | |
//! | `hold` | on `recognition`: it is pending for `pending_s` and then takes `hold_s`, in seconds of the emulator's clock | `hold_s`, `pending_s` |
//!
//! Keys of a stream: `no_blank_lines` (neither between frames nor at the end), `crlf` (line endings), `values_per_frame`
//! (this many values in one frame, each on a `data:` line of its own), `chunk_bytes` (the body is sent in pieces of this
//! size, wherever they split it), `frame_ms` (pause between frames). A rule about streams ignores requests that do not ask
//! for one. Above the rules, `frame_ms = 0` sets the pause of all streams, 10 by default. `event_stream = true` on `status`
//! sends the error as an event, under its status.
//!
//! `delay_ms` and `frame_ms` are real time. `accepted = true` carries out the request before its answer is replaced. Rules
//! are tried in order and only the first that matches acts; a key that a rule does not use is an error. `url_contains` is
//! compared with the files named in the body on `submit` and `flash`, with the files of the task on `query`, `cancel` and
//! `result`, with the key on `upload`, and with path and query elsewhere.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use serde::Deserialize;

use super::answer::Refusal;
use super::operation::Operation;
use super::stream::{End, Event, Shape};
use crate::{Error, Result};

/// Rules, and how often each matched.
#[derive(Debug, Default)]
pub struct Scenario {
    rules: Vec<Rule>,
    met: Mutex<Vec<Met>>,
    frame_ms: Option<u64>,
}

#[derive(Debug, Default, Clone)]
struct Met {
    matched: u64,
    acted: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    frame_ms: Option<u64>,
    #[serde(default)]
    fault: Vec<toml::Spanned<Rule>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    on: Operation,
    url_contains: Option<String>,
    #[serde(default)]
    skip: u64,
    times: Option<u64>,
    #[serde(rename = "do")]
    act: Act,
    status: Option<u16>,
    code: Option<String>,
    message: Option<String>,
    body: Option<String>,
    retry_after: Option<u64>,
    accepted: Option<bool>,
    delay_ms: Option<u64>,
    hold_s: Option<f64>,
    pending_s: Option<f64>,
    event_stream: Option<bool>,
    frames: Option<usize>,
    mid_frame: Option<bool>,
    abrupt: Option<bool>,
    event: Option<Event>,
    no_blank_lines: Option<bool>,
    crlf: Option<bool>,
    values_per_frame: Option<usize>,
    chunk_bytes: Option<usize>,
    frame_ms: Option<u64>,
}

/// Keys of every rule about streams.
const STREAM: [&str; 5] = ["no_blank_lines", "crlf", "values_per_frame", "chunk_bytes", "frame_ms"];

/// What a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Act {
    Status,
    OkWithCode,
    Empty,
    ResetBefore,
    ResetAfter,
    Slow,
    SlowBeforeAccept,
    Truncate,
    Expired,
    Unknown,
    Fail,
    AllFailed,
    SucceededWithFailed,
    Silence,
    Reshape,
    Cut,
    ErrorEvent,
    #[serde(alias = "hold_s")]
    Hold,
}

impl Act {
    fn of_streams(self) -> bool {
        matches!(self, Self::Reshape | Self::Cut | Self::ErrorEvent)
    }
}

/// What happens to a request.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fault {
    /// Another answer; the request is carried out if `accepted`.
    Answer {
        status: u16,
        body: Body,
        retry_after: Option<u64>,
        accepted: bool,
        event_stream: bool,
    },
    Stream(Shape),
    /// No speech is recognised.
    Silence,
    ResetBefore,
    ResetAfter,
    Slow(Duration),
    SlowBeforeAccept(Duration),
    Truncate,
    Expired,
    Unknown,
}

/// The body of another answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Body {
    Verbatim(String),
    Error { code: String, message: String },
}

/// What happens to the recognition of a file.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Trouble {
    Fail { code: String, message: String },
    AllFailed { code: String, message: String },
    SucceededWithFailed { code: String, message: String },
    Silence { code: String },
    Hold { pending_ms: Option<i64>, hold_ms: Option<i64> },
}

impl Scenario {
    /// Reads a scenario file.
    ///
    /// # Errors
    ///
    /// It cannot be read, or something in it is not a rule; the line is named.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|error| Error::io("read", path, error))?;
        Self::parse(&text).map_err(|error| Error::invalid(format!("{}: {error}", path.display())))
    }

    /// Reads the rules of a scenario, see the module's documentation.
    ///
    /// # Errors
    ///
    /// Something in it is not a rule; the line is named.
    pub fn parse(text: &str) -> Result<Self> {
        let line = |at: usize| text.get(..at).unwrap_or(text).matches('\n').count() + 1;
        let document: Document = toml::from_str(text).map_err(|error| {
            let place = error.span().map_or(String::new(), |span| format!("line {}: ", line(span.start)));
            Error::invalid(format!("{place}{}", error.message().replace('\n', " ")))
        })?;
        let mut rules = Vec::new();
        for rule in document.fault {
            let at = line(rule.span().start);
            let rule = rule.into_inner();
            rule.check().map_err(|why| Error::invalid(format!("line {at}: {why}")))?;
            rules.push(rule);
        }
        let met = Mutex::new(vec![Met::default(); rules.len()]);
        Ok(Self { rules, met, frame_ms: document.frame_ms })
    }

    /// Whether any rule is about requests of this kind.
    pub(super) fn concerns(&self, on: Operation) -> bool {
        self.rules.iter().any(|rule| rule.on == on)
    }

    /// The rule that acts on a request; it is counted. `subject` is what `url_contains` is compared with.
    fn next<'s>(&self, on: Operation, streams: bool, subject: impl FnOnce() -> Vec<&'s str>) -> Option<&Rule> {
        if !self.concerns(on) {
            return None;
        }
        let subject = subject();
        let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        for (rule, met) in self.rules.iter().zip(met.iter_mut()) {
            let wanted = rule.url_contains.as_deref();
            let elsewhere = rule.on != on || rule.act.of_streams() && !streams;
            if elsewhere || wanted.is_some_and(|part| !subject.iter().any(|text| text.contains(part))) {
                continue;
            }
            let times = rule.times.unwrap_or(1);
            met.matched += 1;
            if met.matched > rule.skip && (times == 0 || met.acted < times) {
                met.acted += 1;
                return Some(rule);
            }
        }
        None
    }

    pub(super) fn fault<'s>(&self, on: Operation, subject: impl FnOnce() -> Vec<&'s str>) -> Option<Fault> {
        self.next(on, false, subject).and_then(Rule::fault)
    }

    /// Like [`Self::fault`], on `flash`; `streams`: the request asks for events.
    pub(super) fn flash_fault<'s>(&self, streams: bool, subject: impl FnOnce() -> Vec<&'s str>) -> Option<Fault> {
        self.next(Operation::Flash, streams, subject).and_then(Rule::fault)
    }

    /// The pause between two frames of a stream.
    pub(super) fn pause(&self) -> Duration {
        Duration::from_millis(self.frame_ms.unwrap_or(10))
    }

    pub(super) fn trouble(&self, url: &str) -> Option<Trouble> {
        self.next(Operation::Recognition, false, || vec![url]).and_then(Rule::trouble)
    }

    /// Rules that have not acted as often as they should, one line each.
    #[must_use]
    pub fn unreached(&self) -> Vec<String> {
        let met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        let pairs = self.rules.iter().zip(met.iter()).enumerate();
        pairs
            .filter(|(_, (rule, met))| met.acted < rule.times.unwrap_or(1).max(1))
            .map(|(at, (rule, met))| {
                let wanted = rule.url_contains.as_ref().map_or(String::new(), |part| format!(" with {part}"));
                let (on, acted) = (rule.on.name(), met.acted);
                let times = rule.times.unwrap_or(1).max(1);
                format!("fault {} on {on}{wanted}: acted {acted} of {times} times, met {}", at + 1, met.matched)
            })
            .collect()
    }
}

impl Rule {
    /// Refuses keys that the act does not use, and acts that make no sense for the kind of request.
    fn check(&self) -> Result<(), String> {
        let recognition =
            matches!(self.act, Act::Fail | Act::AllFailed | Act::SucceededWithFailed | Act::Silence | Act::Hold);
        let silent_clip = self.act == Act::Silence && self.on == Operation::Flash;
        if recognition != (self.on == Operation::Recognition) && !silent_clip {
            let other = if recognition { "only to" } else { "to requests, not to" };
            return Err(format!("this `do` belongs {other} `on = \"recognition\"`"));
        }
        if self.act == Act::Expired && self.on != Operation::Result {
            return Err("`do = \"expired\"` goes with `on = \"result\"`".to_owned());
        }
        if self.act == Act::Unknown && self.on != Operation::Query {
            return Err("`do = \"unknown\"` goes with `on = \"query\"`".to_owned());
        }
        if (self.act.of_streams() || self.event_stream.is_some()) && self.on != Operation::Flash {
            return Err("this goes with `on = \"flash\"`".to_owned());
        }
        let takes: &[&str] = match self.act {
            Act::Status => &["status", "code", "message", "body", "retry_after", "accepted", "event_stream"],
            Act::OkWithCode => &["code", "message", "accepted"],
            Act::Empty => &["status", "accepted"],
            Act::Slow | Act::SlowBeforeAccept => &["delay_ms"],
            Act::Fail | Act::AllFailed | Act::SucceededWithFailed => &["code", "message"],
            Act::Silence if self.on == Operation::Recognition => &["code"],
            Act::Hold => &["hold_s", "pending_s"],
            Act::Cut => &["frames", "mid_frame", "abrupt"],
            Act::ErrorEvent => &["frames", "event", "status", "code", "message"],
            Act::ResetBefore
            | Act::ResetAfter
            | Act::Truncate
            | Act::Expired
            | Act::Unknown
            | Act::Silence
            | Act::Reshape => &[],
        };
        let takes_key = |key: &str| takes.contains(&key) || self.act.of_streams() && STREAM.contains(&key);
        let given = [
            ("status", self.status.is_some()),
            ("code", self.code.is_some()),
            ("message", self.message.is_some()),
            ("body", self.body.is_some()),
            ("retry_after", self.retry_after.is_some()),
            ("accepted", self.accepted.is_some()),
            ("delay_ms", self.delay_ms.is_some()),
            ("hold_s", self.hold_s.is_some()),
            ("pending_s", self.pending_s.is_some()),
            ("event_stream", self.event_stream.is_some()),
            ("frames", self.frames.is_some()),
            ("mid_frame", self.mid_frame.is_some()),
            ("abrupt", self.abrupt.is_some()),
            ("event", self.event.is_some()),
            ("no_blank_lines", self.no_blank_lines.is_some()),
            ("crlf", self.crlf.is_some()),
            ("values_per_frame", self.values_per_frame.is_some()),
            ("chunk_bytes", self.chunk_bytes.is_some()),
            ("frame_ms", self.frame_ms.is_some()),
        ];
        if let Some((key, _)) = given.iter().find(|(key, there)| *there && !takes_key(key)) {
            return Err(format!("`{key}` is not a key of this `do`"));
        }
        match self.act {
            Act::Status if !self.status.is_some_and(|status| (200..600).contains(&status)) => {
                Err("`do = \"status\"` needs a `status` from 200 to 599".to_owned())
            }
            Act::Status if self.body.is_some() && self.event_stream.is_some() => {
                Err("`body` is the whole body: `event_stream` has no place beside it".to_owned())
            }
            Act::Cut if self.frames.is_none() => Err("`frames` is missing".to_owned()),
            Act::Reshape if !given.iter().any(|(key, there)| *there && STREAM.contains(key)) => {
                Err(format!("one of `{}` is missing", STREAM.join("`, `")))
            }
            _ if self.values_per_frame == Some(0) || self.chunk_bytes == Some(0) => {
                Err("`values_per_frame` and `chunk_bytes` are at least 1".to_owned())
            }
            Act::ErrorEvent if self.status.is_some_and(|status| !(200..600).contains(&status)) => {
                Err("`status` goes from 200 to 599".to_owned())
            }
            Act::Status if self.body.is_some() && (self.code.is_some() || self.message.is_some()) => {
                Err("`body` is the whole body: `code` and `message` have no place in it".to_owned())
            }
            Act::Empty if self.status.is_some_and(|status| !(200..600).contains(&status)) => {
                Err("`status` goes from 200 to 599".to_owned())
            }
            Act::Slow | Act::SlowBeforeAccept if self.delay_ms.is_none() => Err("`delay_ms` is missing".to_owned()),
            Act::Hold if self.hold_s.is_none() && self.pending_s.is_none() => {
                Err("`hold_s` or `pending_s` is missing".to_owned())
            }
            Act::Hold if [self.hold_s, self.pending_s].iter().flatten().any(|s| !(0.0..=1e9).contains(s)) => {
                Err("seconds are neither negative nor endless".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn fault(&self) -> Option<Fault> {
        let delay = Duration::from_millis(self.delay_ms.unwrap_or(0));
        let accepted = self.accepted.unwrap_or(false);
        let retry_after = self.retry_after;
        Some(match self.act {
            Act::Status => {
                let status = self.status.unwrap_or(500);
                let (code, message) = said_with(status);
                let body = match &self.body {
                    Some(body) => Body::Verbatim(body.clone()),
                    None => Body::Error {
                        code: self.code.clone().unwrap_or_else(|| code.to_owned()),
                        message: self.message.clone().unwrap_or_else(|| message.to_owned()),
                    },
                };
                Fault::Answer { status, body, retry_after, accepted, event_stream: self.event_stream.unwrap_or(false) }
            }
            Act::OkWithCode => {
                let body = Body::Error {
                    code: self.code.clone().unwrap_or_else(|| "InternalError.Algo".to_owned()),
                    message: self.message.clone().unwrap_or_else(|| "An internal error has occurred.".to_owned()),
                };
                Fault::Answer { status: 200, body, retry_after, accepted, event_stream: false }
            }
            Act::Empty => {
                let status = self.status.unwrap_or(200);
                Fault::Answer {
                    status,
                    body: Body::Verbatim(String::new()),
                    retry_after,
                    accepted,
                    event_stream: false,
                }
            }
            Act::Reshape | Act::Cut | Act::ErrorEvent => Fault::Stream(self.shape()),
            Act::Silence if self.on == Operation::Flash => Fault::Silence,
            Act::ResetBefore => Fault::ResetBefore,
            Act::ResetAfter => Fault::ResetAfter,
            Act::Slow => Fault::Slow(delay),
            Act::SlowBeforeAccept => Fault::SlowBeforeAccept(delay),
            Act::Truncate => Fault::Truncate,
            Act::Expired => Fault::Expired,
            Act::Unknown => Fault::Unknown,
            _ => return None,
        })
    }

    fn shape(&self) -> Shape {
        let frames = self.frames.unwrap_or(0);
        let end = match self.act {
            Act::Cut => {
                let (mid_frame, abrupt) = (self.mid_frame.unwrap_or(false), self.abrupt.unwrap_or(false));
                End::Cut { frames, mid_frame, abrupt }
            }
            Act::ErrorEvent => {
                let status = self.status.unwrap_or(400);
                let (code, message) = said_with(status);
                let refusal = Refusal {
                    status: StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST),
                    code: self.code.clone().unwrap_or_else(|| code.to_owned()),
                    message: self.message.clone().unwrap_or_else(|| message.to_owned()),
                };
                End::Error { frames, event: self.event.unwrap_or_default(), refusal }
            }
            _ => End::Whole,
        };
        Shape {
            crlf: self.crlf.unwrap_or(false),
            no_blank_lines: self.no_blank_lines.unwrap_or(false),
            values_per_frame: self.values_per_frame.unwrap_or(1),
            chunk_bytes: self.chunk_bytes,
            pause: self.frame_ms.map(Duration::from_millis),
            end,
        }
    }

    fn trouble(&self) -> Option<Trouble> {
        let code = self.code.clone().unwrap_or_else(|| "FILE_DOWNLOAD_FAILED".to_owned());
        let message = self.message.clone().unwrap_or_else(|| code.clone());
        #[expect(clippy::cast_possible_truncation, reason = "checked to be at most a billion seconds")]
        let millis = |seconds: f64| (seconds * 1000.0) as i64;
        Some(match self.act {
            Act::Fail => Trouble::Fail { code, message },
            Act::AllFailed => Trouble::AllFailed { code, message },
            Act::SucceededWithFailed => Trouble::SucceededWithFailed { code, message },
            Act::Silence => Trouble::Silence {
                code: self.code.clone().unwrap_or_else(|| "SUCCESS_WITH_NO_VALID_FRAGMENT".to_owned()),
            },
            Act::Hold => Trouble::Hold { pending_ms: self.pending_s.map(millis), hold_ms: self.hold_s.map(millis) },
            _ => return None,
        })
    }
}

/// The service's code and message for a status, unless the rule gives others.
fn said_with(status: u16) -> (&'static str, &'static str) {
    match status {
        400 => ("InvalidParameter", "Required body invalid, please check the request body format."),
        401 => ("InvalidApiKey", "Invalid API-key provided."),
        403 => ("AccessDenied", "Access denied."),
        404 => ("NotFound", "Not found!"),
        409 => ("Conflict", "Conflict."),
        429 => ("Throttling.RateQuota", "Requests rate limit exceeded, please try again later."),
        503 => ("ModelUnavailable", "Model is unavailable, please try again later."),
        _ => ("InternalError", "An internal error has occurred, please try again later or contact service support."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Scenario::parse(text).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn rules_skip_act_and_say_whether_they_were_reached() {
        let scenario = Scenario::parse(
            "[[fault]]\non = \"submit\"\nskip = 1\ntimes = 2\ndo = \"status\"\nstatus = 429\nretry_after = 2\n\n\
             [[fault]]\non = \"submit\"\nurl_contains = \"b.wav\"\ndo = \"reset_after\"\n",
        )
        .unwrap();
        let on = |url: &'static str| scenario.fault(Operation::Submit, || vec![url]);
        assert_eq!(on("a.wav"), None);
        assert_eq!(scenario.unreached().len(), 2);
        assert!(matches!(on("a.wav"), Some(Fault::Answer { status: 429, retry_after: Some(2), accepted: false, .. })));
        assert!(matches!(on("b.wav"), Some(Fault::Answer { .. })), "the first rule that acts is the only one");
        assert_eq!(on("b.wav"), Some(Fault::ResetAfter));
        assert_eq!(on("b.wav"), None);
        assert_eq!(scenario.unreached(), Vec::<String>::new());
        assert_eq!(scenario.fault(Operation::List, Vec::new), None);
    }

    #[test]
    fn what_is_no_rule_is_refused_with_its_line() {
        let unknown = refused("[[fault]]\non = \"submit\"\ndo = \"truncate\"\nurl_contain = \"x\"\n");
        assert!(unknown.starts_with("line 4: unknown field `url_contain`"), "{unknown}");
        assert!(refused("\n[[fault]]\non = \"submitted\"\ndo = \"truncate\"\n").starts_with("line 3: unknown variant"));
        assert!(refused("fault = 1").starts_with("line 1"));
        let useless = refused("\n\n[[fault]]\non = \"submit\"\ndo = \"truncate\"\nstatus = 400\n");
        assert_eq!(useless, "line 3: `status` is not a key of this `do`");
        assert!(refused("[[fault]]\non = \"submit\"\ndo = \"fail\"\n").contains("only to"));
        assert!(refused("[[fault]]\non = \"recognition\"\ndo = \"reset_after\"\n").contains("not to"));
        assert!(refused("[[fault]]\non = \"recognition\"\ndo = \"hold\"\n").contains("missing"));
    }

    #[test]
    fn what_becomes_of_a_stream_is_told_and_waits_for_one() {
        let scenario = Scenario::parse(
            "frame_ms = 3\n[[fault]]\non = \"flash\"\ndo = \"cut\"\nframes = 2\nchunk_bytes = 5\ncrlf = true\n\n\
             [[fault]]\non = \"flash\"\ndo = \"error_event\"\nevent = \"result\"\nstatus = 429\nframe_ms = 0\n\n\
             [[fault]]\non = \"flash\"\ndo = \"silence\"\n",
        )
        .unwrap();
        assert_eq!(scenario.pause(), Duration::from_millis(3));
        assert_eq!(scenario.flash_fault(false, Vec::new), Some(Fault::Silence));
        let end = End::Cut { frames: 2, mid_frame: false, abrupt: false };
        let cut = Shape { crlf: true, chunk_bytes: Some(5), end, ..Shape::default() };
        assert_eq!(scenario.flash_fault(true, Vec::new), Some(Fault::Stream(cut)));
        let end = End::Error { frames: 0, event: Event::Result, refusal: Refusal::rate() };
        let error = Shape { pause: Some(Duration::ZERO), end, ..Shape::default() };
        assert_eq!(scenario.flash_fault(true, Vec::new), Some(Fault::Stream(error)));
        assert_eq!(scenario.unreached(), Vec::<String>::new());
        assert_eq!(Scenario::default().pause(), Duration::from_millis(10));
    }

    #[test]
    fn what_makes_no_sense_of_a_stream_is_refused() {
        let on = |on: &str, rest: &str| refused(&format!("[[fault]]\non = \"{on}\"\ndo = {rest}\n"));
        assert!(on("query", "\"cut\"\nframes = 1").contains("flash"));
        assert!(on("submit", "\"silence\"").contains("only to"));
        assert!(on("submit", "\"status\"\nstatus = 400\nevent_stream = true").contains("flash"));
        assert!(on("flash", "\"cut\"").contains("`frames` is missing"));
        assert!(on("flash", "\"reshape\"").contains("one of"));
        assert!(on("flash", "\"reshape\"\nframes = 1").contains("is not a key of this"));
        assert!(on("flash", "\"silence\"\ncode = \"X\"").contains("is not a key of this"));
        assert!(on("flash", "\"reshape\"\nchunk_bytes = 0").contains("at least 1"));
        assert!(on("flash", "\"error_event\"\nstatus = 99").contains("from 200"));
    }

    #[test]
    fn zero_times_is_always() {
        let scenario = Scenario::parse("[[fault]]\non = \"recognition\"\ntimes = 0\ndo = \"silence\"\n").unwrap();
        assert_eq!(scenario.unreached().len(), 1);
        for _ in 0..5 {
            let code = "SUCCESS_WITH_NO_VALID_FRAGMENT".to_owned();
            assert_eq!(scenario.trouble("https://example.org/a.wav"), Some(Trouble::Silence { code }));
        }
        assert_eq!(scenario.unreached(), Vec::<String>::new());
    }
}
