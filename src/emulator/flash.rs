//! `POST /api/v1/services/aigc/multimodal-generation/generation`: the synchronous models.

use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::HostStyle;
use super::answer::{Answer, Refusal};
use super::fetching;
use super::models::{Model, Protocol};
use super::parameters::{Parameters, inline_vocabulary, strings};
use super::routes::Call;
use super::speech::{self, Source};
use super::state::State;
use super::tasks::submit;
use super::wav;

/// Five minutes; that long still passes.
const LONGEST_MS: u64 = 300_000;
const LONGEST_STRING: usize = 28_000_000;
const LARGEST_DATA: usize = 20 << 20;
/// All but 3.1 stream from here on; a shorter clip gets its last event alone.
const STREAMED_MS: u64 = 60_000;
/// Events of a stream, about as many as were recorded.
const EVENTS: usize = 16;

/// All parameters of all synchronous models.
const KNOWN: [&str; 12] = [
    "asr_options",
    "audio_address",
    "format",
    "incremental_output",
    "keep_dialect",
    "language_hints",
    "result_format",
    "sample_rate",
    "speaker_diarization_enabled",
    "vad_enabled",
    "vocabulary",
    "vocabulary_id",
];

/// What a body names, read without judging it: for scenarios.
pub(super) fn named_files(body: &Value) -> Vec<&str> {
    let messages = body.pointer("/input/messages").and_then(Value::as_array).into_iter().flatten();
    let content = messages.filter_map(|message| message.get("content")?.as_array()).flatten();
    let audio = content.filter_map(|item| item.pointer("/input_audio/data").or_else(|| item.get("audio"))?.as_str());
    audio.chain(body.pointer("/parameters/audio_address").and_then(Value::as_str)).collect()
}

/// Recognises a short clip.
pub(super) fn generation(state: &State, call: &Call) -> Result<Answer, Refusal> {
    let denied = |message: &str| Refusal::new(StatusCode::FORBIDDEN, "AccessDenied", message);
    if call.header("x-dashscope-async").is_some_and(|value| !value.trim().eq_ignore_ascii_case("disable")) {
        return Err(denied("Current user api does not support asynchronous calls."));
    }
    let body = call.json()?;
    let model = submit::model(&body)?;
    if model.asynchronous() {
        return Err(denied("current user api does not support synchronous calls."));
    }
    state.admit(model)?;
    submit::known(&body, "the body", &["model", "input", "parameters", "resources"])?;
    let too_long = |text: &&str| text.len() > LONGEST_STRING;
    if let Some(text) = named_files(&body).iter().find(|text| too_long(text)) {
        let message = format!("String value length ({}) exceeds the maximum allowed ({LONGEST_STRING})", text.len());
        return Err(Refusal::parameter(message));
    }
    let address = audio(model, &body)?;
    let parameters = parameters(state, model, &body)?;
    let source = listen(state, call, model, address)?;
    let streamed = call.header_says("x-dashscope-sse", "enable");
    let heard = Heard::new(model, &source, &parameters);
    if model.protocol == Protocol::Chat {
        let pieces = body.pointer("/parameters/incremental_output").and_then(Value::as_bool).unwrap_or(false);
        return Ok(chat(call, &heard, streamed, pieces));
    }
    if !streamed {
        return Ok(Answer::Json(envelope(state.style, &call.request_id, &heard.end())));
    }
    let many = model.billed_by_token() || model.protocol == Protocol::Realtime || heard.duration_ms >= STREAMED_MS;
    let snapshots = if many { heard.snapshots() } else { Vec::new() };
    let events = snapshots.into_iter().chain([heard.end()]).enumerate();
    Ok(Answer::Events(events.map(|(at, part)| frame(at, &envelope(state.style, &call.request_id, &part))).collect()))
}

/// The one address that is to be heard, after all messages were checked.
fn audio<'b>(model: &Model, body: &'b Value) -> Result<&'b str, Refusal> {
    let input = body.get("input").and_then(Value::as_object).ok_or_else(|| Refusal::format("input is missing"))?;
    if model.protocol == Protocol::Realtime
        && let Some(address) = body.pointer("/parameters/audio_address")
    {
        return address.as_str().ok_or_else(|| Refusal::format("parameters.audio_address must be a string"));
    }
    submit::known(body.get("input").unwrap_or(&Value::Null), "input", &["messages"])?;
    let messages = input.get("messages").and_then(Value::as_array);
    let messages = messages.ok_or_else(|| Refusal::format("input.messages must be an array"))?;
    let mut found = None;
    for message in messages {
        let role = message.get("role").and_then(Value::as_str).unwrap_or_default();
        let content = message.get("content").and_then(Value::as_array);
        for item in content.ok_or_else(|| Refusal::format("content must be an array"))? {
            let text = || item.get("text").and_then(Value::as_str);
            let kind = item.get("type").and_then(Value::as_str);
            if model.protocol != Protocol::Flash {
                match (role, item.get("audio").and_then(Value::as_str)) {
                    ("user", Some(address)) => found = Some(address),
                    ("system" | "user", None) if text().is_some() => {}
                    _ => return Err(Refusal::format("content holds audio of the user or text of the system")),
                }
                continue;
            }
            match (role, kind) {
                ("user", Some("input_audio")) => {
                    let data = item.pointer("/input_audio/data").and_then(Value::as_str);
                    found = Some(data.ok_or_else(|| Refusal::format("input_audio.data must be a string"))?);
                }
                ("user", Some("input_text")) | ("assistant", Some("text")) if text().is_some() => {}
                // Seen to work, documented nowhere.
                ("user", Some("audio") | None) if item.get("audio").is_some_and(Value::is_string) => {
                    found = item.get("audio").and_then(Value::as_str);
                }
                _ => {
                    let message = "content holds input_audio and input_text of the user, text of the assistant";
                    return Err(Refusal::format(message));
                }
            }
        }
    }
    found.ok_or_else(|| Refusal::parameter("input must contain input_audio"))
}

/// Context without audio, as files of Qwen-Audio take it.
pub(super) fn context(messages: &Value) -> Result<(), Refusal> {
    let wrong =
        || Refusal::format("input.context holds messages with input_text of the user and text of the assistant");
    for message in messages.as_array().ok_or_else(wrong)? {
        let role = message.get("role").and_then(Value::as_str);
        for item in message.get("content").and_then(Value::as_array).ok_or_else(wrong)? {
            let kind = item.get("type").and_then(Value::as_str);
            let fits = matches!((role, kind), (Some("user"), Some("input_text")) | (Some("assistant"), Some("text")));
            if !fits || !item.get("text").is_some_and(Value::is_string) {
                return Err(wrong());
            }
        }
    }
    Ok(())
}

fn parameters(state: &State, model: &Model, body: &Value) -> Result<Parameters, Refusal> {
    let sent = body.get("parameters").and_then(Value::as_object);
    submit::known(body.get("parameters").unwrap_or(&Value::Null), "parameters", &KNOWN)?;
    if model.protocol == Protocol::Chat {
        let options = sent.and_then(|sent| sent.get("asr_options"));
        let language = options.and_then(|options| options.get("language")).and_then(Value::as_str);
        return Ok(Parameters { language: language.map(str::to_owned), ..Parameters::default() });
    }
    let unparsed = || Refusal::parameter("parse parameters failed");
    let sent = sent.ok_or_else(unparsed)?;
    sent.get("format").and_then(Value::as_str).filter(|format| !format.is_empty()).ok_or_else(unparsed)?;
    if sent.get("sample_rate").is_some_and(|rate| !rate.is_string() && !rate.is_u64()) {
        return Err(Refusal::format("parameters.sample_rate must be a string"));
    }
    let flag = |key: &str| match sent.get(key) {
        None => Ok(false),
        Some(value) => value.as_bool().ok_or_else(|| Refusal::format(&format!("parameters.{key} must be a boolean"))),
    };
    let hints = strings(sent.get("language_hints"), "parameters.language_hints must be an array of strings")?;
    let diarization = flag("speaker_diarization_enabled")? && model.billed_by_token();
    flag("keep_dialect")?;
    if let Some(words) = sent.get("vocabulary").filter(|_| model.qwen_audio()) {
        inline_vocabulary(words)?;
    }
    match sent.get("vocabulary_id") {
        None => {}
        Some(Value::String(id)) if state.vocabularies.holds(id) => {}
        Some(Value::String(_)) => {
            let message = "The Required resource not exist.";
            return Err(Refusal::new(StatusCode::BAD_REQUEST, "BadRequest.ResourceNotExist", message));
        }
        Some(_) => return Err(Refusal::format("parameters.vocabulary_id must be a string")),
    }
    // With diarization the hints are switched off.
    let language = hints.into_iter().next().filter(|_| !diarization);
    Ok(Parameters { diarization, language, ..Parameters::default() })
}

/// Fetches the clip; bare base64 is an address that nobody can resolve.
fn listen(state: &State, call: &Call, model: &Model, address: &str) -> Result<Source, Refusal> {
    let failed = |code: &str, message: &str| Refusal::new(StatusCode::BAD_REQUEST, code, message);
    let source = if let Some(data) = address.strip_prefix("data:") {
        let payload = data.split_once(";base64,").map(|(_, payload)| payload);
        let bytes = payload.and_then(|payload| STANDARD.decode(payload).ok());
        let bytes = bytes.ok_or_else(|| failed("DECODE_ERROR", "DECODE_ERROR"))?;
        if bytes.len() > LARGEST_DATA {
            let message = format!("Exceeded limit on max bytes per data-uri item : {LARGEST_DATA}");
            return Err(failed("BadRequest.TooLarge", &message));
        }
        if !sounds(&bytes) {
            return Err(failed("DECODE_ERROR", "DECODE_ERROR"));
        }
        let audio = wav::read(&bytes, bytes.len() as u64);
        // A name for the file: the address itself would be the whole recording.
        Source::bytes("data:audio", *blake3::hash(&bytes).as_bytes(), audio)
    } else if address.contains("://") {
        let resolves = call.header_says("x-dashscope-ossresourceresolve", "enable");
        if address.starts_with("oss://") && !resolves {
            let message = "Unable to download the media resource during the data inspection process.";
            return Err(failed("InvalidParameter.DataInspection", message));
        }
        fetching::source(state, model, address, resolves).map_err(|(code, message)| failed(code, message))?
    } else {
        return Err(failed("FILE_DOWNLOAD_FAILED", "domain resolution failed"));
    };
    match source.duration_ms() {
        0 => Err(failed("CLIENT_ERROR", "ASR_RESPONSE_HAVE_NO_WORDS")),
        ms if ms > LONGEST_MS => {
            let message = format!("audio duration ({ms}.0ms) over service process (300s)");
            Err(failed("AUDIO_DURATION_TOO_LONG", &message))
        }
        _ => Ok(source),
    }
}

/// Whether bytes begin like any of the formats.
fn sounds(bytes: &[u8]) -> bool {
    const BEGINNINGS: [&[u8]; 10] = [
        b"RIFF",
        b"ID3",
        b"OggS",
        b"fLaC",
        b"#!AMR",
        b"FLV",
        b"\x1A\x45\xDF\xA3",
        b"\x30\x26\xB2\x75",
        b"\0\0\x01",
        b"G@",
    ];
    let frame = matches!(bytes, [0xFF, second, ..] if second & 0xE0 == 0xE0);
    frame || bytes.get(4..8) == Some(b"ftyp") || BEGINNINGS.iter().any(|beginning| bytes.starts_with(beginning))
}

/// What an answer or an event says: `text`, `sentence`, `sentences`, and at the end `usage`.
struct Part {
    fields: Map<String, Value>,
    usage: Option<Value>,
}

/// A clip as it was heard.
struct Heard {
    duration_ms: u64,
    sentences: Vec<Value>,
    words: Vec<Value>,
    diarization: bool,
    tokens: bool,
}

impl Heard {
    fn new(model: &Model, source: &Source, parameters: &Parameters) -> Self {
        let call = speech::Call::new(source, parameters);
        let (mut sentences, mut all) = (Vec::new(), Vec::new());
        for (at, (party, mut words, text)) in call.spoken().into_iter().enumerate() {
            for (place, word) in words.iter_mut().enumerate() {
                word["fixed"] = json!(true);
                if parameters.diarization {
                    word["speaker_id"] = json!(party);
                }
                if place == 0
                    && at > 0
                    && let Some(text) = word["text"].as_str().filter(|text| text.is_ascii())
                {
                    // What the end of the sentence before leaves out: the last one of all ends without a space.
                    word["text"] = json!(format!(" {text}"));
                }
                if let Some(punctuation) = word["punctuation"].as_str() {
                    word["punctuation"] = json!(punctuation.trim_end());
                }
            }
            let end = words.last().map_or(Value::Null, |word| word["end_time"].clone());
            let begin = words.first().map_or(Value::Null, |word| word["begin_time"].clone());
            sentences.push(json!({
                "sentence_id": at + 1, "sentence_end": true, "channel_id": 0, "begin_time": begin, "end_time": end,
                "text": text.trim_end(), "speaker_id": party, "words": words,
            }));
            all.append(&mut words);
        }
        let (diarization, tokens) = (parameters.diarization, model.billed_by_token());
        Self { duration_ms: source.duration_ms(), sentences, words: all, diarization, tokens }
    }

    fn seconds(&self) -> u64 {
        self.duration_ms.div_ceil(1000)
    }

    /// Everything up to a word, as one sentence: without diarization a single one spans the recording.
    fn part(&self, words: usize, ended: bool) -> Map<String, Value> {
        let mut words: Vec<Value> = self.words.iter().take(words).cloned().collect();
        if !ended && let Some(last) = words.last_mut() {
            last["fixed"] = json!(false);
        }
        let said = words.iter().flat_map(|word| [word["text"].as_str(), word["punctuation"].as_str()]);
        let text: String = said.flatten().collect();
        let end = words.last().map_or(json!(0), |word| word["end_time"].clone());
        let begin = words.first().map_or(json!(0), |word| word["begin_time"].clone());
        let mut sentence = json!({
            "sentence_id": if ended { self.sentences.len().max(1) } else { 1 },
            "sentence_end": ended, "channel_id": 0, "begin_time": begin, "text": text, "words": words,
        });
        if ended {
            sentence["end_time"] = end.clone();
        }
        let mut fields = Map::from_iter([("text".to_owned(), json!(text)), ("sentence".to_owned(), sentence)]);
        if self.diarization {
            let until = end.as_u64().unwrap_or(0);
            let so_far = self.sentences.iter().filter(|sentence| sentence["end_time"].as_u64() <= Some(until));
            fields.insert("sentences".to_owned(), so_far.cloned().collect());
        }
        fields
    }

    /// The complete result.
    fn end(&self) -> Part {
        let seconds = self.seconds();
        let usage = if self.tokens {
            let (read, written) = (90 + 12 * seconds, 10 + 3 * seconds);
            json!({"duration": seconds, "input_tokens": read, "output_tokens": written, "total_tokens": read + written})
        } else {
            json!({"duration": seconds})
        };
        Part { fields: self.part(self.words.len(), true), usage: Some(usage) }
    }

    /// What a stream shows on the way, each from the start of the text.
    fn snapshots(&self) -> Vec<Part> {
        let steps = EVENTS.min(self.words.len());
        let part = |step: usize| Part { fields: self.part(self.words.len() * step / steps, false), usage: None };
        (1..steps).map(part).collect()
    }
}

/// The two kinds of hosts lay the same answer out differently.
fn envelope(style: HostStyle, request_id: &str, part: &Part) -> Value {
    let mut output = part.fields.clone();
    match style {
        HostStyle::Shared => {
            let mut inner = Map::new();
            for key in ["sentence", "text"] {
                inner.extend(part.fields.get(key).map(|value| (key.to_owned(), value.clone())));
            }
            output.insert("output".to_owned(), Value::Object(inner));
            output.extend(part.usage.as_ref().map(|usage| ("usage".to_owned(), usage.clone())));
            let mut whole = json!({"output": output, "request_id": request_id});
            if let Some(usage) = &part.usage {
                whole["usage"] = usage.clone();
            }
            whole
        }
        HostStyle::Workspace => {
            let mut whole = part.fields.clone();
            output.insert("request_id".to_owned(), json!(request_id));
            whole.insert("request_id".to_owned(), json!(request_id));
            whole.insert("output".to_owned(), Value::Object(output));
            whole.extend(part.usage.as_ref().map(|usage| ("usage".to_owned(), usage.clone())));
            Value::Object(whole)
        }
    }
}

/// One frame of a stream, as the service writes it: no space after the colons.
fn frame(at: usize, data: &Value) -> String {
    format!("id:{}\nevent:result\n:HTTP_STATUS/200\ndata:{data}\n\n", at + 1)
}

/// Qwen3 answers in `choices`; each event holds the text so far or, with `incremental_output`, what is new in it.
fn chat(call: &Call, heard: &Heard, streamed: bool, pieces: bool) -> Answer {
    let end = heard.part(heard.words.len(), true);
    let text = end.get("text").and_then(Value::as_str).unwrap_or_default().to_owned();
    let answer = |text: &str, reason: &str, usage: Option<Value>| {
        let annotations = json!([{"type": "audio_info", "language": "en", "emotion": "neutral"}]);
        let message = json!({"role": "assistant", "content": [{"text": text}], "annotations": annotations});
        let mut answer = json!({
            "request_id": call.request_id,
            "output": {"choices": [{"finish_reason": reason, "message": message}]},
        });
        if let Some(usage) = usage {
            answer["usage"] = usage;
        }
        answer
    };
    let usage = json!({
        "input_tokens_details": {"text_tokens": 0},
        "output_tokens_details": {"text_tokens": heard.words.len()},
        "seconds": heard.seconds(),
    });
    if !streamed {
        return Answer::Json(answer(&text, "stop", Some(usage)));
    }
    let mut texts: Vec<String> = Vec::new();
    for part in heard.snapshots() {
        texts.extend(part.fields.get("text").and_then(Value::as_str).map(str::to_owned));
    }
    texts.push(text);
    let (last, mut frames) = (texts.len(), Vec::new());
    for (at, text) in texts.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| texts.get(before)).filter(|_| pieces);
        let said = before.and_then(|before| text.strip_prefix(before.as_str())).unwrap_or(text);
        let (reason, usage) = if at + 1 == last { ("stop", Some(usage.clone())) } else { ("null", None) };
        frames.push(frame(at, &answer(said, reason, usage)));
    }
    Answer::Events(frames)
}
