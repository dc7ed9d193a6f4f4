//! Hotword lists: words and names that a model should expect.
//!
//! | call | wire |
//! | --- | --- |
//! | [`Vocabularies::create`] | `POST /services/audio/asr/customization`, action `create_vocabulary` |
//! | [`Vocabularies::list`] | the same, action `list_vocabulary` |
//! | [`Vocabularies::show`] | the same, action `query_vocabulary` |
//! | [`Vocabularies::update`] | the same, action `update_vocabulary` |
//! | [`Vocabularies::delete`] | the same, action `delete_vocabulary` |
//!
//! A list works with the one model it was created for, and only in the primary workspace; elsewhere it has no effect, without
//! an error. An account has up to ten lists. None of these calls is billed. Source: the vendor's page `vocabulary-http-api`,
//! checked 2026-10.

mod check;
mod hotword;
mod reading;

use std::fmt;

use serde_json::{Value, json};

use super::Client;
use super::pacing::Class;
use super::retry::RetrySafety;
use super::transport::{Answer, Body, Call, Target};
use crate::error::{Error, ErrorKind, Result};

pub use check::check_vocabulary;
pub use hotword::Hotword;

/// The model name in requests about hotword lists.
const MODEL: &str = "speech-biasing";

/// The id of a hotword list.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VocabularyId(String);

impl VocabularyId {
    /// Takes an id as the service gave it, such as `vocab-clinic-24ee19fa8cfb4d52902170a0`.
    ///
    /// # Errors
    /// Empty, longer than 200 bytes, or with characters other than letters, digits, `-` and `_`.
    pub fn new(id: impl Into<String>) -> Result<Self> {
        let id = id.into();
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if id.is_empty() || id.len() > 200 || !id.bytes().all(legal) {
            let shown: String = id.chars().take(80).collect();
            return Err(Error::invalid(format!("{shown:?} is not the id of a hotword list")));
        }
        Ok(Self(id))
    }

    /// As the service spells it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for VocabularyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a list is ready for use.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum VocabularyStatus {
    /// It is: the service reports `OK`.
    Deployed,
    /// Not yet.
    Undeployed,
    /// A state unknown to this crate, as spelt by the service.
    Other(String),
}

impl VocabularyStatus {
    /// Parses the service's spelling.
    #[must_use]
    pub fn new(status: &str) -> Self {
        match status {
            "OK" => Self::Deployed,
            "UNDEPLOYED" => Self::Undeployed,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl fmt::Display for VocabularyStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deployed => "OK",
            Self::Undeployed => "UNDEPLOYED",
            Self::Other(other) => other,
        })
    }
}

/// A hotword list with its words.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Vocabulary {
    /// Its id.
    pub id: VocabularyId,
    /// Whether it is ready for use.
    pub status: VocabularyStatus,
    /// The one model it works with; `None` if the service does not say.
    pub target_model: Option<String>,
    /// In the service's order.
    pub words: Vec<Hotword>,
    /// When it was created, as reported: `2026-03-02 14:05:11`. The time zone is not documented.
    pub created: Option<String>,
    /// When its words were last replaced, likewise.
    pub modified: Option<String>,
    /// The id of the answer.
    pub request_id: Option<String>,
    /// The answer as received.
    pub raw: Value,
}

/// A hotword list in a listing, without model and words.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ListedVocabulary {
    /// Its id.
    pub id: VocabularyId,
    /// Whether it is ready for use.
    pub status: VocabularyStatus,
    /// As [`Vocabulary::created`].
    pub created: Option<String>,
    /// As [`Vocabulary::modified`].
    pub modified: Option<String>,
}

/// One page of a listing.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct VocabularyPage {
    /// In the service's order, which is not documented.
    pub vocabularies: Vec<ListedVocabulary>,
    /// The answer as received.
    pub raw: Value,
}

/// Calls about hotword lists. They check nothing: see [`check_vocabulary`].
#[derive(Debug, Clone, Copy)]
pub struct Vocabularies<'c> {
    pub(super) client: &'c Client,
}

impl Vocabularies<'_> {
    /// Rows of a full page of [`Self::list`].
    pub const PAGE: usize = 10;

    /// Creates a list for recognition with `target_model`; its id begins with `vocab-` and `prefix`.
    ///
    /// The call is retried only if the service certainly accepted nothing, because an account has no more than ten lists.
    ///
    /// `POST /services/audio/asr/customization`, action `create_vocabulary`
    ///
    /// # Errors
    /// The service refused ([`ErrorKind::Quota`]: there are ten lists already), or did not answer.
    pub async fn create(self, target_model: &str, prefix: &str, words: &[Hotword]) -> Result<VocabularyId> {
        let input = json!({"target_model": target_model, "prefix": prefix, "vocabulary": hotword::list(words)});
        let doing = format!("create a hotword list for {target_model}");
        let answer = self.call(doing, "create_vocabulary", input, RetrySafety::IfRefused).await?;
        let id = answer.json.pointer("/output/vocabulary_id").and_then(Value::as_str);
        match id.map(VocabularyId::new) {
            Some(Ok(id)) => Ok(id),
            _ => Err(Error::protocol(
                "the answer names no hotword list, but one may have been created: list them before creating another",
            )),
        }
    }

    /// A page of the account's lists, from page 0 on, [`Self::PAGE`] per page; only those with `prefix` if one is given. The
    /// service does not report the number of pages: a page that is not full is the last.
    ///
    /// `POST /services/audio/asr/customization`, action `list_vocabulary`
    ///
    /// # Errors
    /// The service refused, or did not answer.
    pub async fn list(self, prefix: Option<&str>, page: u64) -> Result<VocabularyPage> {
        let mut input = json!({"page_index": page, "page_size": Self::PAGE});
        if let Some(prefix) = prefix {
            input["prefix"] = json!(prefix);
        }
        let answer = self.call("list hotword lists".to_owned(), "list_vocabulary", input, RetrySafety::Always).await?;
        reading::page(answer)
    }

    /// A list with its words.
    ///
    /// `POST /services/audio/asr/customization`, action `query_vocabulary`
    ///
    /// # Errors
    /// There is no such list, the service refused otherwise, or did not answer.
    pub async fn show(self, id: &VocabularyId) -> Result<Vocabulary> {
        let input = json!({"vocabulary_id": id.as_str()});
        let answer =
            self.call(format!("show hotword list {id}"), "query_vocabulary", input, RetrySafety::Always).await?;
        reading::vocabulary(answer, id)
    }

    /// Replaces all words of a list. The vendor asks for five minutes between two updates of a list.
    ///
    /// `POST /services/audio/asr/customization`, action `update_vocabulary`
    ///
    /// # Errors
    /// There is no such list, the service refused otherwise, or did not answer.
    pub async fn update(self, id: &VocabularyId, words: &[Hotword]) -> Result<()> {
        let input = json!({"vocabulary_id": id.as_str(), "vocabulary": hotword::list(words)});
        self.call(format!("update hotword list {id}"), "update_vocabulary", input, RetrySafety::IfRefused)
            .await
            .map(drop)
    }

    /// Deletes a list permanently.
    ///
    /// `POST /services/audio/asr/customization`, action `delete_vocabulary`
    ///
    /// # Errors
    /// There is no such list, the service refused otherwise, or did not answer.
    pub async fn delete(self, id: &VocabularyId) -> Result<()> {
        let input = json!({"vocabulary_id": id.as_str()});
        match self.call(format!("delete hotword list {id}"), "delete_vocabulary", input, RetrySafety::Always).await {
            // An earlier attempt succeeded, but its answer was lost.
            Err(error) if is_unknown(&error) && error.api().is_some_and(|api| api.attempts > 1) => Ok(()),
            other => other.map(drop),
        }
    }

    async fn call(self, doing: String, action: &str, input: Value, repeat: RetrySafety) -> Result<Answer> {
        self.client
            .transport()
            .send(Call {
                doing,
                target: Target::Service(&["services", "audio", "asr", "customization"], Vec::new()),
                body: Body::Json(body(action, input)),
                headers: &[],
                class: Class::Manage,
                repeat,
            })
            .await
    }
}

fn body(action: &str, mut input: Value) -> Value {
    input["action"] = json!(action);
    json!({"model": MODEL, "input": input})
}

/// Whether there is no list of this id; the service has two ways of saying so.
fn is_unknown(error: &Error) -> bool {
    let code = error.api().map_or("", |api| &api.code);
    error.kind() == ErrorKind::NotFound || code == "BadRequest.ResourceNotExist"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_the_documented_shape() {
        let words = [Hotword::new("metformin").weight(4).lang("en"), Hotword::new("二甲双胍")];
        let input = json!({"target_model": "fun-asr", "prefix": "clinic", "vocabulary": hotword::list(&words)});
        let documented = r#"{"model": "speech-biasing", "input": {"action": "create_vocabulary", "target_model": "fun-asr",
            "prefix": "clinic", "vocabulary": [{"text": "metformin", "weight": 4, "lang": "en"}, {"text": "二甲双胍", "weight": 4}]}}"#;
        assert_eq!(body("create_vocabulary", input), serde_json::from_str::<Value>(documented).unwrap());
    }

    #[test]
    fn an_id_is_letters_digits_and_dashes() {
        for good in ["vocab-clinic-24ee19fa8cfb4d52902170a0", "vocab_1"] {
            assert_eq!(VocabularyId::new(good).unwrap().to_string(), good);
        }
        for bad in ["", "vocab 1", "vocab/1", "vocab-\u{1b}[2J", &"v".repeat(201)] {
            assert!(VocabularyId::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_unknown_state_is_kept() {
        for status in ["OK", "UNDEPLOYED", "PAUSED", ""] {
            assert_eq!(VocabularyStatus::new(status).to_string(), status);
        }
    }
}
