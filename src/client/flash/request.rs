//! Requests to synchronous models, in the form of each protocol.
//!
//! Source: the vendor's references of Fun-ASR-Flash, Qwen-ASR and Qwen-Omni, checked 2026-11.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::clip::Clip;
use crate::catalog::{Catalog, Protocol, Region};
use crate::client::recognition::{Message, Recognition};
use crate::client::transport::Target;
use crate::client::warning::Warning;
use crate::error::{Check, Error, Result};

/// The default instruction for models that follow instructions.
const TRANSCRIBE: &str =
    "Transcribe the recording word for word, in the language that is spoken. Answer with the transcript alone.";
/// The longest clip of most models, in seconds.
const USUAL_SECONDS: u64 = 300;
/// The documented limit of the payload of a data URI, in bytes.
const DOCUMENTED_DATA: usize = 10 << 20;
/// The measured limit.
const LARGEST_DATA: usize = 20 << 20;

/// A clip and a request: model, parameters and context are those of [`Recognition`].
///
/// ```
/// use serde_json::json;
/// use talkmeter::client::{Clip, Flash, Message, Recognition};
///
/// let request = Recognition::new("fun-asr-flash-2026-06-15").context(Message::user("Bulge Bracket, Boutique"));
/// let flash = Flash::new(request, Clip::url("https://example.org/banks.wav").sample_rate_hz(16_000));
/// assert_eq!(
///     flash.body(false),
///     json!({
///         "model": "fun-asr-flash-2026-06-15",
///         "input": {"messages": [
///             {"role": "user", "content": [{"type": "input_text", "text": "Bulge Bracket, Boutique"}]},
///             {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "https://example.org/banks.wav"}}]},
///         ]},
///         "parameters": {"format": "wav", "sample_rate": "16000"},
///     })
/// );
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Flash {
    recognition: Recognition,
    clip: Clip,
    compatible: bool,
    prompt: Option<String>,
}

impl Flash {
    /// A request for one clip. Only [`Flash::check`] checks it, which is optional.
    #[must_use]
    pub fn new(recognition: Recognition, clip: Clip) -> Self {
        Self { recognition, clip, compatible: false, prompt: None }
    }

    /// Whether to use the OpenAI-compatible endpoint for Qwen3-ASR; not in region `us`. No effect for other models.
    #[must_use]
    pub fn compatible(mut self, on: bool) -> Self {
        self.compatible = on;
        self
    }

    /// The instruction for models that follow instructions (Qwen-Omni); others take none.
    #[must_use]
    pub fn prompt(mut self, text: impl Into<String>) -> Self {
        self.prompt = Some(text.into());
        self
    }

    /// Model, parameters and context.
    #[must_use]
    pub fn recognition(&self) -> &Recognition {
        &self.recognition
    }

    /// The audio.
    #[must_use]
    pub fn clip(&self) -> &Clip {
        &self.clip
    }

    /// Checks the call against the catalogue.
    ///
    /// # Errors
    ///
    /// As [`Recognition::check_flash`]; an invalid address; a data URI over 20 MiB; a prompt for a model that takes none.
    pub fn check(&self, catalog: &Catalog, region: Region) -> Result<Vec<Warning>> {
        let mut warnings = self.recognition.check_flash(catalog, region)?;
        let model = self.recognition.model();
        let address = self.clip.address();
        match self.clip.encoded_bytes() {
            Some(_) if !address.contains(";base64,") => {
                return Err(Error::invalid("the data URI has no `;base64,`, the only encoding supported"));
            }
            Some(length) if length > LARGEST_DATA => {
                return Err(Error::invalid(format!(
                    "{length} bytes of base64 exceed the {LARGEST_DATA} that one request takes: upload the file, or give a URL"
                )));
            }
            Some(length) if length > DOCUMENTED_DATA => {
                warnings.push(Warning::new(format!(
                    "{length} bytes of base64: {DOCUMENTED_DATA} are documented, up to {LARGEST_DATA} were seen to work"
                )));
            }
            None if !["http://", "https://", "oss://"].iter().any(|scheme| address.starts_with(scheme)) => {
                let bare = "the service takes bare base64 for an address";
                return Err(Error::invalid(format!("the audio is no http, https or oss URL and no data URI: {bare}")));
            }
            _ => {}
        }
        let protocol = self.recognition.protocol();
        if self.prompt.is_some() && protocol != Protocol::Omni {
            let message = format!("{model} takes no instruction: leave it out");
            return Err(Error::invalid(message).with_check(Check::Prompt));
        }
        if self.compatible && protocol == Protocol::QwenFlash && region == Region::Us {
            let message = format!("{model} has no OpenAI-compatible endpoint in us: leave it out");
            return Err(Error::invalid(message).with_check(Check::Compatible));
        }
        Ok(warnings)
    }

    /// The body of the request, for a streamed or a complete answer.
    #[must_use]
    pub fn body(&self, streamed: bool) -> Value {
        match self.recognition.protocol() {
            Protocol::Omni => self.omni(),
            Protocol::QwenFlash if self.compatible => self.qwen_compatible(streamed),
            Protocol::QwenFlash => self.qwen(),
            Protocol::RealtimeFlash => self.realtime(),
            _ => self.input_audio(),
        }
    }

    /// How much longer than another request the call may last: twice its audio, or the longest that the model takes.
    pub(super) fn longer(&self) -> Duration {
        let limit = || Catalog::builtin().model(self.recognition.model()).and_then(|model| model.limits.seconds);
        let audio = self.clip.length().unwrap_or_else(|| Duration::from_secs(limit().unwrap_or(USUAL_SECONDS)));
        audio.saturating_mul(2)
    }

    /// Whether the model only streams.
    pub(super) fn always_streams(&self) -> bool {
        self.recognition.protocol() == Protocol::Omni
    }

    /// Whether events hold only the new text, rather than the text so far.
    pub(super) fn incremental(&self) -> bool {
        self.is_compatible() || self.recognition.get("incremental_output") == Some(&Value::Bool(true))
    }

    fn is_compatible(&self) -> bool {
        match self.recognition.protocol() {
            Protocol::Omni => true,
            Protocol::QwenFlash => self.compatible,
            _ => false,
        }
    }

    pub(super) fn target(&self) -> Target<'static> {
        if self.is_compatible() {
            Target::Compatible(&["chat", "completions"])
        } else {
            Target::Service(&["services", "aigc", "multimodal-generation", "generation"], Vec::new())
        }
    }

    pub(super) fn headers(&self, streamed: bool) -> Vec<(&'static str, &'static str)> {
        let mut headers = Vec::new();
        if !self.is_compatible() {
            headers.push(("X-DashScope-SSE", if streamed { "enable" } else { "disable" }));
        }
        if streamed {
            headers.extend([("Accept", "text/event-stream"), ("X-Accel-Buffering", "no")]);
        }
        if self.clip.address().starts_with("oss://") {
            headers.push(("X-DashScope-OssResourceResolve", "enable"));
        }
        headers
    }

    /// Fun-ASR-Flash and Qwen-Audio-ASR: one message per item of context, then one with the audio alone.
    fn input_audio(&self) -> Value {
        let audio = json!({"type": "input_audio", "input_audio": {"data": self.clip.address()}});
        let mut messages: Vec<Value> = self.recognition.messages().iter().map(Message::wire).collect();
        messages.push(json!({"role": "user", "content": [audio]}));
        let model = self.recognition.model();
        json!({"model": model, "input": {"messages": messages}, "parameters": self.parameters()})
    }

    /// Fun-ASR-Realtime over HTTP: an address is a parameter, bytes are a message.
    fn realtime(&self) -> Value {
        let mut parameters = self.parameters();
        let mut messages = Vec::new();
        if self.clip.encoded_bytes().is_some() {
            messages.push(json!({"role": "user", "content": [{"audio": self.clip.address()}]}));
        } else {
            parameters.insert("audio_address".to_owned(), self.clip.address().into());
        }
        let model = self.recognition.model();
        json!({"model": model, "input": {"messages": messages}, "parameters": parameters, "resources": []})
    }

    /// Qwen3-ASR by its own protocol: the context is the system message.
    fn qwen(&self) -> Value {
        let mut messages = self.system();
        messages.push(json!({"role": "user", "content": [{"audio": self.clip.address()}]}));
        let (model, parameters) = (self.recognition.model(), self.recognition.parameters());
        json!({"model": model, "input": {"messages": messages}, "parameters": parameters})
    }

    /// Qwen3-ASR by the `OpenAI` protocol.
    fn qwen_compatible(&self, streamed: bool) -> Value {
        let audio = json!({"type": "input_audio", "input_audio": {"data": self.clip.address()}});
        let mut messages = self.system();
        messages.push(json!({"role": "user", "content": [audio]}));
        let mut body = json!({"model": self.recognition.model(), "messages": messages, "stream": streamed});
        if let Some(body) = body.as_object_mut() {
            body.extend(self.recognition.parameters());
            // A parameter of the other protocol.
            body.remove("incremental_output");
            if streamed {
                body.insert("stream_options".to_owned(), json!({"include_usage": true}));
            }
        }
        body
    }

    /// Qwen-Omni: the audio with its format, then the instruction. Always streamed, because older models only stream.
    fn omni(&self) -> Value {
        let model = self.recognition.model();
        let mut prompt = self.prompt.clone().unwrap_or_else(|| TRANSCRIBE.to_owned());
        for message in self.recognition.messages() {
            prompt = format!("{prompt}\n{}", message.text);
        }
        let mut parameters = self.recognition.parameters();
        let format = parameters.remove("format").unwrap_or_else(|| self.clip.stated_format().into());
        let audio = json!({"type": "input_audio", "input_audio": {"data": self.clip.address(), "format": format}});
        let content = json!([audio, {"type": "text", "text": prompt}]);
        let mut body = json!({
            "model": model,
            "messages": [{"role": "user", "content": content}],
            "modalities": ["text"],
            "stream": true,
            "stream_options": {"include_usage": true},
        });
        if let Some(body) = body.as_object_mut() {
            // Thinking is on by default and billed.
            if model.starts_with("qwen3.8-omni") {
                body.insert("reasoning_effort".to_owned(), "none".into());
            }
            body.extend(parameters);
        }
        body
    }

    /// All context in one system message; none if there is no context.
    fn system(&self) -> Vec<Value> {
        let texts: Vec<&str> = self.recognition.messages().iter().map(|message| message.text.as_str()).collect();
        if texts.is_empty() {
            return Vec::new();
        }
        vec![json!({"role": "system", "content": [{"text": texts.join("\n")}]})]
    }

    /// Format and sample rate default to those of the clip.
    fn parameters(&self) -> Map<String, Value> {
        let mut parameters = self.recognition.parameters();
        parameters.entry("format").or_insert_with(|| self.clip.stated_format().into());
        if let Some(rate) = self.clip.stated_rate_hz() {
            parameters.entry("sample_rate").or_insert_with(|| rate.to_string().into());
        }
        parameters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://example.org/a.mp3";

    fn flash(model: &str) -> Flash {
        Flash::new(Recognition::new(model), Clip::url(URL))
    }

    #[test]
    fn the_vendors_sample_call_is_reproduced() {
        let clip = Clip::url("https://dashscope.example/hello_world_female2.wav").sample_rate_hz(16_000);
        let call = Flash::new(Recognition::new("fun-asr-flash-2026-06-15"), clip);
        assert_eq!(
            call.body(false),
            json!({
                "model": "fun-asr-flash-2026-06-15",
                "input": {"messages": [{"role": "user", "content": [
                    {"type": "input_audio", "input_audio": {"data": "https://dashscope.example/hello_world_female2.wav"}}]}]},
                "parameters": {"format": "wav", "sample_rate": "16000"},
            })
        );
        assert_eq!(call.headers(false), [("X-DashScope-SSE", "disable")]);
        assert_eq!(call.headers(true)[0], ("X-DashScope-SSE", "enable"));
    }

    #[test]
    fn context_goes_out_in_the_documented_order() {
        let asked = Recognition::new("qwen-audio-3.1-asr-flash")
            .context(Message::user("Kubernetes, etcd, kubelet"))
            .context(Message::user("which pod is it"))
            .context(Message::assistant("The kubelet of node 3."));
        let body = Flash::new(asked, Clip::url(URL)).body(true);
        assert_eq!(
            body["input"]["messages"],
            json!([
                {"role": "user", "content": [{"type": "input_text", "text": "Kubernetes, etcd, kubelet"}]},
                {"role": "user", "content": [{"type": "input_text", "text": "which pod is it"}]},
                {"role": "assistant", "content": [{"type": "text", "text": "The kubelet of node 3."}]},
                {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": URL}}]},
            ])
        );
        assert_eq!(body["parameters"], json!({"format": "mp3"}));
    }

    #[test]
    fn each_protocol_has_its_form() {
        let asked = || Recognition::new("qwen3-asr-flash").language("en").itn(false).context(Message::user("Keiko"));
        let own = Flash::new(asked(), Clip::url(URL));
        assert_eq!(
            own.body(true),
            json!({"model": "qwen3-asr-flash",
                "input": {"messages": [{"role": "system", "content": [{"text": "Keiko"}]}, {"role": "user", "content": [{"audio": URL}]}]},
                "parameters": {"asr_options": {"language": "en", "enable_itn": false}}})
        );
        assert_eq!(
            Flash::new(asked(), Clip::url(URL)).compatible(true).body(true),
            json!({"model": "qwen3-asr-flash",
                "messages": [{"role": "system", "content": [{"text": "Keiko"}]},
                    {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": URL}}]}],
                "stream": true, "stream_options": {"include_usage": true},
                "asr_options": {"language": "en", "enable_itn": false}})
        );
        let whole = Flash::new(Recognition::new("qwen3-asr-flash"), Clip::url(URL)).compatible(true).body(false);
        assert_eq!(whole.get("stream_options"), None, "not allowed when not streaming");
        assert_eq!(
            flash("fun-asr-realtime").body(true),
            json!({"model": "fun-asr-realtime", "input": {"messages": []}, "resources": [],
                "parameters": {"audio_address": URL, "format": "mp3"}})
        );
        let bytes = Flash::new(Recognition::new("fun-asr-realtime"), Clip::bytes(b"ID3")).body(true);
        assert_eq!(bytes["input"]["messages"][0]["content"][0]["audio"], "data:audio/mpeg;base64,SUQz");
        assert_eq!(
            flash("qwen3.8-omni-flash").prompt("Write it down.").body(false),
            json!({"model": "qwen3.8-omni-flash", "modalities": ["text"], "stream": true, "reasoning_effort": "none",
                "stream_options": {"include_usage": true},
                "messages": [{"role": "user", "content": [
                    {"type": "input_audio", "input_audio": {"data": URL, "format": "mp3"}},
                    {"type": "text", "text": "Write it down."}]}]})
        );
        assert_eq!(flash("qwen3.5-omni-flash").body(true).get("reasoning_effort"), None);
    }

    #[test]
    fn a_call_is_checked_before_it_leaves() {
        let check = |call: Flash| call.check(Catalog::builtin(), Region::Intl);
        let refused = |call: Flash| check(call).unwrap_err().to_string();
        assert_eq!(check(flash("fun-asr-flash-2026-06-15")).unwrap(), Vec::new());
        let clip = |address: &str| Flash::new(Recognition::new("fun-asr-flash-2026-06-15"), Clip::url(address));
        assert!(refused(clip("UklGRiQAAABXQVZF")).contains("bare base64"));
        assert!(refused(clip("data:audio/wav,abc")).contains("no `;base64,`"));
        assert!(refused(flash("fun-asr-flash-2026-06-15").prompt("x")).contains("takes no instruction"));
        assert!(refused(flash("fun-asr")).contains("takes asynchronous tasks"));
        let large = Flash::new(Recognition::new("fun-asr-flash-2026-06-15"), Clip::bytes(&vec![0; 9 << 20]));
        assert!(check(large).unwrap()[0].message.contains("10485760 are documented"));
        let larger = Flash::new(Recognition::new("fun-asr-flash-2026-06-15"), Clip::bytes(&vec![0; 16 << 20]));
        assert!(refused(larger).contains("upload the file"));
    }
}
