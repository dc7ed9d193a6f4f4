//! The six protocols of models, and the rule that tells the protocol from a name.

use std::fmt;

/// The protocol of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Protocol {
    /// Asynchronous task with `input.file_urls`; answers `output.results[]`.
    Task,
    /// Asynchronous task with a single `input.file_url`; answers `output.result`. Qwen3-ASR-Flash-Filetrans.
    QwenTask,
    /// Synchronous, whole or streamed, with `input_audio` content; answers `output.text` and `output.sentence`.
    Flash,
    /// Synchronous, whole or streamed, with `audio` content; answers `output.choices[]`. Qwen3-ASR-Flash.
    QwenFlash,
    /// As [`Protocol::Flash`], with the audio in `parameters.audio_address`. Fun-ASR-Realtime over HTTP.
    RealtimeFlash,
    /// Chat completions of `OpenAI`'s protocol, with `input_audio` content and an instruction. Qwen-Omni as a transcriber.
    Omni,
}

impl Protocol {
    /// All protocols, in the order they are listed.
    pub const ALL: [Self; 6] =
        [Self::Task, Self::QwenTask, Self::Flash, Self::QwenFlash, Self::RealtimeFlash, Self::Omni];

    /// Its name in this crate: `task`, `qwen_task`, `flash`, `qwen_flash`, `realtime_flash`, `omni`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::QwenTask => "qwen_task",
            Self::Flash => "flash",
            Self::QwenFlash => "qwen_flash",
            Self::RealtimeFlash => "realtime_flash",
            Self::Omni => "omni",
        }
    }

    /// Whether recordings are submitted as asynchronous tasks.
    #[must_use]
    pub fn is_task(self) -> bool {
        matches!(self, Self::Task | Self::QwenTask)
    }

    /// The protocol by name, following the vendor's own command line (`asr-routes.ts` of modelstudioai/cli), case-insensitive,
    /// with Qwen-Omni added. `None` for names of models that take live audio over WebSocket only.
    #[must_use]
    pub fn by_name(model: &str) -> Option<Self> {
        let name = model.to_ascii_lowercase();
        if name.contains("realtime") || name.contains("streaming") || name.ends_with("-asr-flash-message") {
            None
        } else if name.contains("filetrans") {
            Some(if name.starts_with("qwen3-asr-flash-filetrans") { Self::QwenTask } else { Self::Task })
        } else if name.starts_with("fun-asr-flash") || (name.starts_with("qwen-audio") && name.contains("asr-flash")) {
            Some(Self::Flash)
        } else if name.starts_with("qwen3-asr-flash") {
            Some(Self::QwenFlash)
        } else if name.starts_with("qwen") && name.contains("-omni") {
            Some(Self::Omni)
        } else {
            Some(Self::Task)
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_names_are_routed_by_their_parts() {
        for (name, protocol) in [
            ("fun-asr-2030-01-01", Some(Protocol::Task)),
            ("paraformer-v3", Some(Protocol::Task)),
            ("fun-asr-flash-2030-01-01", Some(Protocol::Flash)),
            ("Qwen-Audio-4.0-ASR-Flash", Some(Protocol::Flash)),
            ("qwen-audio-4.0-asr-flash-filetrans", Some(Protocol::Task)),
            ("qwen3-asr-flash-filetrans-2030-01-01", Some(Protocol::QwenTask)),
            ("qwen3-asr-flash-2030-01-01", Some(Protocol::QwenFlash)),
            ("qwen4-asr-flash-filetrans", Some(Protocol::Task)),
            ("qwen9-omni-flash", Some(Protocol::Omni)),
            ("qwen3-omni-flash-realtime", None),
            ("paraformer-realtime-v2", None),
            ("qwen-audio-3.1-asr-flash-streaming", None),
            ("qwen-audio-3.1-asr-flash-message", None),
        ] {
            assert_eq!(Protocol::by_name(name), protocol, "{name}");
        }
    }
}
