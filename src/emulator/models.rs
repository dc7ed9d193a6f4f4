//! The models that the emulator serves: protocol and rate of each. Written from the vendor's pages, not from the client's
//! catalogue, so that a mistake there shows here.

/// The protocol of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// Asynchronous, `input.file_urls`, up to this many.
    Files(usize),
    /// Asynchronous, `input.file_url`, another result format.
    OneFile,
    /// Synchronous, `input_audio` messages.
    Flash,
    /// Synchronous, `parameters.audio_address` or `audio` messages.
    Realtime,
    /// Synchronous, `audio` messages, answers in `choices`; or in compatible mode.
    Chat,
    /// Compatible mode alone, with a prompt.
    Omni,
}

impl Protocol {
    /// Its name in counts.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Files(_) | Self::OneFile => "files",
            Self::Flash => "input_audio",
            Self::Realtime => "realtime",
            Self::Chat => "qwen3",
            Self::Omni => "omni",
        }
    }
}

/// One model.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) name: &'static str,
    pub(super) protocol: Protocol,
    /// Calls per second.
    pub(super) rate: f64,
}

impl Model {
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        MODELS.iter().find(|model| model.name == name)
    }

    pub(super) fn asynchronous(&self) -> bool {
        matches!(self.protocol, Protocol::Files(_) | Protocol::OneFile)
    }

    /// Qwen-Audio-3.x takes super hotwords and inline vocabularies.
    pub(super) fn qwen_audio(&self) -> bool {
        self.name.starts_with("qwen-audio-3.")
    }

    /// 3.1 is billed by token.
    pub(super) fn billed_by_token(&self) -> bool {
        self.name.starts_with("qwen-audio-3.1-")
    }

    /// Thinks before it answers, and does not require streaming.
    pub(super) fn thinks(&self) -> bool {
        self.name.starts_with("qwen3.8-omni")
    }

    /// Tokens per second of the models billed by token.
    pub(super) fn audio_tokens_per_ten_seconds(&self) -> u64 {
        match self.protocol {
            Protocol::Omni if self.name.starts_with("qwen3-omni") => 125,
            Protocol::Omni => 70,
            _ => 250,
        }
    }

    /// Longest clip of a synchronous model, in seconds. That of the newest Omni is not published.
    pub(super) fn longest_s(&self) -> u64 {
        match self.protocol {
            Protocol::Omni if self.name.starts_with("qwen3-omni") => 1_200,
            Protocol::Omni => 10_800,
            _ => 300,
        }
    }

    /// Paraformer v1 takes hotwords as `resources`.
    pub(super) fn takes_phrases(&self) -> bool {
        self.name.starts_with("paraformer-") && self.name.ends_with("-v1")
    }
}

/// Largest upload in MB, as in the vendor's samples; the service accepts larger files by URL only.
pub(super) const UPLOAD_MB: u64 = 100;

/// Whether a model exists but is reached by WebSocket only.
pub(super) fn is_websocket_only(name: &str) -> bool {
    name == "qwen-audio-3.1-asr-flash-message"
        || name.ends_with("-asr-flash-streaming")
        || name.starts_with("paraformer-realtime-")
        || name.starts_with("qwen3-asr-flash-realtime")
        || name.starts_with("gummy-")
}

const fn model(name: &'static str, protocol: Protocol, rate: f64) -> Model {
    Model { name, protocol, rate }
}

const MANY: Protocol = Protocol::Files(100);
/// 100 calls per minute.
const SLOW: f64 = 100.0 / 60.0;

/// Limits per minute are enforced per second; those of the Qwen-Audio Flash and Omni models are not published.
pub(super) static MODELS: [Model; 28] = [
    model("fun-asr", MANY, 10.0),
    model("fun-asr-2025-11-07", MANY, 10.0),
    model("fun-asr-2025-08-25", MANY, 10.0),
    model("fun-asr-mtl", MANY, 10.0),
    model("fun-asr-mtl-2025-08-25", MANY, 10.0),
    model("paraformer-v2", MANY, 20.0),
    model("paraformer-8k-v2", MANY, 20.0),
    model("paraformer-v1", MANY, 10.0),
    model("paraformer-8k-v1", MANY, 10.0),
    model("paraformer-mtl-v1", MANY, 10.0),
    model("qwen-audio-3.1-asr-flash-filetrans", Protocol::Files(1), 10.0),
    model("qwen-audio-3.0-asr-flash-filetrans", Protocol::Files(1), 10.0),
    model("qwen3-asr-flash-filetrans", Protocol::OneFile, SLOW),
    model("qwen3-asr-flash-filetrans-2025-11-17", Protocol::OneFile, SLOW),
    model("fun-asr-flash-2026-06-15", Protocol::Flash, 10.0),
    model("qwen-audio-3.1-asr-flash", Protocol::Flash, 10.0),
    model("qwen-audio-3.0-asr-flash", Protocol::Flash, 10.0),
    model("fun-asr-realtime", Protocol::Realtime, 10.0),
    model("fun-asr-realtime-2026-02-28", Protocol::Realtime, 10.0),
    model("qwen3-asr-flash", Protocol::Chat, SLOW),
    model("qwen3-asr-flash-2026-02-10", Protocol::Chat, SLOW),
    model("qwen3-asr-flash-2025-09-08", Protocol::Chat, SLOW),
    model("qwen3-asr-flash-us", Protocol::Chat, SLOW),
    model("qwen3-asr-flash-2025-09-08-us", Protocol::Chat, SLOW),
    model("qwen3.8-omni-flash", Protocol::Omni, 10.0),
    model("qwen3.5-omni-plus", Protocol::Omni, 10.0),
    model("qwen3.5-omni-flash", Protocol::Omni, 10.0),
    model("qwen3-omni-flash", Protocol::Omni, 10.0),
];
