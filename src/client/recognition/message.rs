//! Items of context: earlier turns of a dialogue, or lists of terms, sent before the audio.
//!
//! Source: the vendor's HTTP references of Fun-ASR-Flash and Qwen-Audio-ASR-Filetrans, checked 2026-10.

use serde_json::{Value, json};

use crate::error::{Error, Result};

/// The most items of context the service uses, per author.
pub(in crate::client) const MOST_CONTEXT_ITEMS: usize = 5;
/// The most characters of context the service uses, per turn.
pub(in crate::client) const MOST_CONTEXT_CHARACTERS: usize = 400;

/// The author of an item of context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Author {
    /// The person: earlier recognition results, or a list of terms.
    User,
    /// The language model.
    Assistant,
}

/// An item of context: `{"role": "user"|"assistant", "text": "…"}`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Message {
    /// Its author.
    #[serde(rename = "role")]
    pub author: Author,
    /// Its text, or a list of terms.
    pub text: String,
}

impl Message {
    /// An earlier recognition result, or a list of terms.
    #[must_use]
    pub fn user(text: impl Into<String>) -> Self {
        Self { author: Author::User, text: text.into() }
    }

    /// An earlier reply of the language model.
    #[must_use]
    pub fn assistant(text: impl Into<String>) -> Self {
        Self { author: Author::Assistant, text: text.into() }
    }

    /// The form of a request: a message whose content is one `input_text` (user) or `text` (assistant).
    #[must_use]
    pub fn wire(&self) -> Value {
        let (role, kind) = match self.author {
            Author::User => ("user", "input_text"),
            Author::Assistant => ("assistant", "text"),
        };
        json!({"role": role, "content": [{"type": kind, "text": self.text}]})
    }

    /// `{"role": …, "text": …}`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let role = match self.author {
            Author::User => "user",
            Author::Assistant => "assistant",
        };
        json!({"role": role, "text": self.text})
    }

    /// Reads `{"role": "user"|"assistant", "text": "…"}`.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::InvalidInput`] for anything else.
    pub fn from_json(value: &Value) -> Result<Self> {
        serde::Deserialize::deserialize(value).map_err(|error| {
            Error::invalid(format!(
                "an item of context must be {{\"role\": \"user\" or \"assistant\", \"text\": \"…\"}}: {error}"
            ))
        })
    }
}
