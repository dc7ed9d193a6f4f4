//! Result files, sentence by sentence.

use serde_json::{Value, json};

/// What a file is made of.
pub(crate) trait Content {
    fn bytes(&self) -> Vec<u8>;
}

impl Content for &str {
    fn bytes(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }
}

impl Content for String {
    fn bytes(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }
}

impl Content for &[u8] {
    fn bytes(&self) -> Vec<u8> {
        self.to_vec()
    }
}

impl Content for Vec<u8> {
    fn bytes(&self) -> Vec<u8> {
        self.clone()
    }
}

impl Content for Value {
    fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap()
    }
}

impl Content for Call {
    fn bytes(&self) -> Vec<u8> {
        self.json().bytes()
    }
}

/// A result file, sentence by sentence; channels appear as they are met.
#[derive(Clone, Default)]
pub(crate) struct Call {
    duration: Option<i64>,
    file_url: Option<String>,
    channels: std::collections::BTreeMap<u32, Vec<Value>>,
    content: std::collections::BTreeMap<u32, Value>,
}

/// `(channel, begin, end, text)`: each a sentence of one word that has the same times.
pub(crate) fn call(rows: &[(u32, i64, i64, &str)]) -> Call {
    rows.iter().fold(Call::default(), |call, row| call.say(row.0, &[(row.1, row.2, row.3)]))
}

/// `(speaker, begin, end, text)` on channel 0.
pub(crate) fn diarised(rows: &[(Option<i64>, i64, i64, &str)]) -> Call {
    rows.iter().fold(Call::default(), |call, &(speaker, begin, end, text)| {
        let mut sentence = sentence(&[(begin, end, text)]);
        sentence["speaker_id"] = json!(speaker);
        call.sentence(0, sentence)
    })
}

/// A sentence of words `(begin, end, text)`.
pub(crate) fn sentence(words: &[(i64, i64, &str)]) -> Value {
    let text: Vec<&str> = words.iter().map(|word| word.2).collect();
    let listed: Vec<Value> = words
        .iter()
        .map(|(begin, end, text)| json!({"begin_time": begin, "end_time": end, "text": text, "punctuation": ""}))
        .collect();
    json!({
        "begin_time": words.first().map(|word| word.0), "end_time": words.last().map(|word| word.1),
        "text": text.join(" "), "words": listed,
    })
}

impl Call {
    /// A sentence of timed words.
    pub(crate) fn say(self, channel: u32, words: &[(i64, i64, &str)]) -> Self {
        self.sentence(channel, sentence(words))
    }

    /// A sentence without word times.
    pub(crate) fn tell(self, channel: u32, begin: i64, end: i64, text: &str) -> Self {
        self.sentence(channel, json!({"begin_time": begin, "end_time": end, "text": text}))
    }

    pub(crate) fn sentence(mut self, channel: u32, sentence: Value) -> Self {
        self.channels.entry(channel).or_default().push(sentence);
        self
    }

    pub(crate) fn silent(mut self, channel: u32) -> Self {
        self.channels.entry(channel).or_default();
        self
    }

    pub(crate) fn lasting(mut self, ms: i64) -> Self {
        self.duration = Some(ms);
        self
    }

    pub(crate) fn url(mut self, url: &str) -> Self {
        self.file_url = Some(url.to_owned());
        self
    }

    /// `content_duration_in_milliseconds` of a channel.
    pub(crate) fn content(mut self, channel: u32, value: impl Into<Value>) -> Self {
        self.content.insert(channel, value.into());
        self
    }

    pub(crate) fn json(&self) -> Value {
        let transcripts: Vec<Value> = self
            .channels
            .iter()
            .map(|(id, sentences)| {
                let mut entry = json!({"channel_id": id, "sentences": sentences});
                if let Some(content) = self.content.get(id) {
                    entry["content_duration_in_milliseconds"] = content.clone();
                }
                entry
            })
            .collect();
        let ids: Vec<&u32> = self.channels.keys().collect();
        let mut call = json!({"properties": {"channels": ids}, "transcripts": transcripts});
        if let Some(duration) = self.duration {
            call["properties"]["original_duration_in_milliseconds"] = json!(duration);
        }
        if let Some(url) = &self.file_url {
            call["file_url"] = json!(url);
        }
        call
    }
}
