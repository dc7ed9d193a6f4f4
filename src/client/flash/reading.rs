//! Builds an answer from responses and events: three envelopes, `choices` of two protocols, snapshots and increments.
//!
//! The two kinds of hosts use different envelopes, so each field is looked up at the top, in `output`, then in
//! `output.output`.

use serde_json::Value;

use super::answer::{FlashAnswer, FlashUsage};

/// The answer so far.
#[derive(Debug, Default)]
pub(super) struct AnswerBuilder {
    /// Events hold only the new text, rather than the text so far.
    incremental: bool,
    text: String,
    /// Sentences by begin; the last one may not have ended.
    sentences: Vec<Value>,
    language: Option<String>,
    emotion: Option<String>,
    usage: Option<Value>,
    request_id: Option<String>,
    /// Why the model stopped early.
    stopped: Option<String>,
    raw: String,
    complete: bool,
    done: bool,
}

impl AnswerBuilder {
    pub(super) fn new(incremental: bool) -> Self {
        Self { incremental, ..Self::default() }
    }

    /// The text so far.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether the last event ends an answer. The end of the connection does not prove that.
    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }

    /// Whether the answer marked its own end.
    pub(super) fn is_done(&self) -> bool {
        self.done
    }

    /// Takes an event that marks the end.
    pub(super) fn finish(&mut self) {
        self.done |= self.complete;
    }

    /// Keeps the raw answer.
    pub(super) fn keep(&mut self, raw: String) {
        if self.incremental && !self.raw.is_empty() {
            self.raw.push('\n');
            self.raw.push_str(&raw);
        } else {
            self.raw = raw;
        }
    }

    /// Takes an answer or event; returns whether the text has changed.
    pub(super) fn take(&mut self, mut value: Value) -> bool {
        let usage = find(&value, "usage").filter(|usage| usage.is_object()).cloned();
        let request_id = find(&value, "request_id").or_else(|| value.get("id")).and_then(Value::as_str);
        if let Some(id) = request_id.filter(|id| !id.is_empty()) {
            self.request_id = Some(id.to_owned());
        }
        let choice = find(&value, "choices").and_then(Value::as_array).and_then(|choices| choices.first()).cloned();
        let (changed, ended) = match choice {
            Some(choice) => self.choice(&choice),
            None => self.snapshot(&mut value),
        };
        // An event without text changes nothing.
        if let Some(ended) = ended {
            self.complete = ended;
        }
        if let Some(usage) = usage {
            self.usage = Some(usage);
            self.complete = true;
        }
        changed
    }

    /// Takes one of `choices`: a message, or its new part.
    fn choice(&mut self, choice: &Value) -> (bool, Option<bool>) {
        let delta = choice.get("delta").filter(|delta| delta.is_object());
        let message = delta.or_else(|| choice.get("message"));
        let content = message.and_then(|message| message.get("content")).and_then(written);
        for audio in
            message.and_then(|message| message.get("annotations")).and_then(Value::as_array).into_iter().flatten()
        {
            let field = |name: &str| audio.get(name).and_then(Value::as_str).map(str::to_owned);
            self.language = field("language").or(self.language.take());
            self.emotion = field("emotion").or(self.emotion.take());
        }
        let reason = choice.get("finish_reason").and_then(Value::as_str).filter(|reason| *reason != "null");
        let changed = match content {
            Some(new) if delta.is_some() || self.incremental => {
                self.text.push_str(&new);
                !new.is_empty()
            }
            Some(whole) => replace(&mut self.text, whole),
            None => false,
        };
        match reason {
            Some("stop") => {
                self.done = delta.is_some();
                (changed, Some(true))
            }
            Some(other) => {
                self.stopped = Some(other.chars().take(40).collect());
                (changed, Some(false))
            }
            None => (changed, changed.then_some(false)),
        }
    }

    /// Takes a snapshot: the text so far, and the current sentence.
    fn snapshot(&mut self, value: &mut Value) -> (bool, Option<bool>) {
        let whole = find(value, "text").and_then(Value::as_str).map(str::to_owned);
        let all = take(value, "sentences", |all| all.as_array().is_some_and(|all| !all.is_empty()));
        let sentence = take(value, "sentence", Value::is_object);
        let ended = sentence.as_ref().map(|sentence| sentence.get("sentence_end") == Some(&Value::Bool(true)));
        match (all, sentence) {
            (Some(Value::Array(all)), _) => self.sentences = all,
            (_, Some(sentence)) => self.add(sentence),
            _ => {}
        }
        let whole = whole.or_else(|| ended.map(|_| self.joined()));
        let changed = whole.as_ref().is_some_and(|whole| *whole != self.text);
        if let Some(whole) = whole {
            self.text = whole;
        }
        (changed, ended.or(changed.then_some(false)))
    }

    /// Adds a sentence. It replaces what it covers: its own earlier states, and everything if it spans the whole text.
    fn add(&mut self, sentence: Value) {
        let begin = |sentence: &Value| sentence.get("begin_time").and_then(Value::as_i64).unwrap_or(0);
        let id = |sentence: &Value| sentence.get("sentence_id").and_then(Value::as_i64);
        let open = |sentence: &Value| sentence.get("sentence_end") != Some(&Value::Bool(true));
        let has_text = sentence.get("text").and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty());
        self.sentences.retain(|kept| !open(kept));
        if !has_text {
            return;
        }
        let (from, which) = (begin(&sentence), id(&sentence));
        self.sentences.retain(|kept| begin(kept) < from && !(which.is_some() && id(kept) == which));
        self.sentences.push(sentence);
    }

    fn joined(&self) -> String {
        let texts = self.sentences.iter().filter_map(|sentence| sentence.get("text").and_then(Value::as_str));
        texts.fold(String::new(), |whole, text| {
            // Words of Latin script are joined by a space, Han characters are not.
            let gap =
                !whole.is_empty() && !whole.ends_with(' ') && text.starts_with(|c: char| c.is_ascii_alphanumeric());
            if gap { whole + " " + text } else { whole + text }
        })
    }

    /// The answer as received so far.
    pub(super) fn answer(self) -> FlashAnswer {
        let mut answer = FlashAnswer::new(self.text);
        if !answer.is_silent() {
            answer.sentences = self.sentences;
        }
        if let Some(reason) = self.stopped {
            answer.warnings.push(format!("the model stopped before the end of the audio (finish_reason {reason})"));
        }
        answer.language = self.language;
        answer.emotion = self.emotion;
        answer.usage = self.usage.map(FlashUsage::from_json);
        answer.request_id = self.request_id;
        answer.raw = self.raw;
        answer
    }
}

fn replace(text: &mut String, whole: String) -> bool {
    let changed = *text != whole;
    *text = whole;
    changed
}

/// The objects that may hold a field, by precedence.
const PLACES: [&str; 3] = ["", "/output", "/output/output"];

fn find<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    PLACES.iter().filter_map(|place| value.pointer(place)?.get(name)).find(|found| !found.is_null())
}

/// Removes and returns a field from the first object where it fits.
fn take(value: &mut Value, name: &str, fits: impl Fn(&Value) -> bool) -> Option<Value> {
    PLACES.iter().find_map(|place| {
        let found = value.pointer_mut(place)?.get_mut(name)?;
        fits(found).then(|| found.take())
    })
}

/// The text of a message: a string, or parts that have one.
fn written(content: &Value) -> Option<String> {
    match content {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => Some(parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str)).collect()),
        _ => None,
    }
}
