//! A recognised clip: the final text, and the partial results of a stream.
//!
//! Every partial result holds the text from the beginning. Its end may be revised: half a word, or a full stop that was
//! none. A `fixed` word stays.

use serde_json::{Map, Value, json};

use crate::emulator::models::Model;
use crate::emulator::parameters::Parameters;
use crate::emulator::speech::{self, Source};

/// Number of events of a stream, about as many as were recorded.
const EVENTS: usize = 16;

/// The fields of an answer or event: `text`, `sentence`, `sentences`, and at the end `usage`.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) fields: Map<String, Value>,
    pub(super) usage: Option<Value>,
}

/// A recognised clip.
#[derive(Debug)]
pub(super) struct Recognized {
    duration_ms: u64,
    language: &'static str,
    sentences: Vec<Sentence>,
    diarization: bool,
    tokens: bool,
}

#[derive(Debug)]
struct Sentence {
    party: usize,
    words: Vec<Value>,
}

impl Sentence {
    fn text(words: &[Value]) -> String {
        words.iter().flat_map(|word| [word["text"].as_str(), word["punctuation"].as_str()]).flatten().collect()
    }
}

fn time(word: Option<&Value>, key: &str) -> Value {
    word.map_or(json!(0), |word| word[key].clone())
}

impl Recognized {
    pub(super) fn new(model: &Model, source: &Source, parameters: &Parameters) -> Self {
        let call = speech::Call::new(source, parameters);
        let mut sentences = Vec::new();
        for (at, (party, mut words)) in call.spoken().into_iter().enumerate() {
            for (place, word) in words.iter_mut().enumerate() {
                word["fixed"] = json!(true);
                if parameters.diarization {
                    word["speaker_id"] = json!(party);
                }
                if place == 0
                    && at > 0
                    && let Some(text) = word["text"].as_str().filter(|text| text.is_ascii())
                {
                    // The space after the sentence before; the very last sentence ends without one.
                    word["text"] = json!(format!(" {text}"));
                }
                if let Some(punctuation) = word["punctuation"].as_str() {
                    word["punctuation"] = json!(punctuation.trim_end());
                }
            }
            sentences.push(Sentence { party, words });
        }
        let (diarization, tokens) = (parameters.diarization, model.billed_by_token());
        Self { duration_ms: source.duration_ms(), language: call.language(), sentences, diarization, tokens }
    }

    pub(super) fn duration_ms(&self) -> u64 {
        self.duration_ms
    }

    /// Code of the spoken language.
    pub(super) fn language(&self) -> &'static str {
        self.language
    }

    /// Length in whole billed seconds.
    pub(super) fn seconds(&self) -> u64 {
        self.duration_ms.div_ceil(1000)
    }

    /// All words with their sentences.
    fn words(&self) -> impl Iterator<Item = (usize, &Value)> {
        self.sentences.iter().enumerate().flat_map(|(at, sentence)| sentence.words.iter().map(move |word| (at, word)))
    }

    /// Number of words.
    pub(super) fn count(&self) -> usize {
        self.words().count()
    }

    /// The text in consecutive pieces.
    pub(super) fn pieces(&self) -> Vec<String> {
        let words: Vec<Value> = self.words().map(|(_, word)| word.clone()).collect();
        words.chunks(words.len().div_ceil(EVENTS).max(1)).map(Sentence::text).collect()
    }

    fn usage(&self, seconds: u64) -> Value {
        if self.tokens {
            let (read, written) = (90 + 12 * seconds, 10 + 3 * seconds);
            json!({"duration": seconds, "input_tokens": read, "output_tokens": written, "total_tokens": read + written})
        } else {
            json!({"duration": seconds})
        }
    }

    /// The complete result; without diarization one sentence spans it.
    pub(super) fn whole(&self) -> Part {
        let words: Vec<Value> = self.words().map(|(_, word)| word.clone()).collect();
        let mut sentence = self.sentence(self.sentences.len().max(1), &words, true);
        if self.diarization {
            // Several people may have spoken in it.
            sentence["speaker_id"] = Value::Null;
        }
        let fields = self.fields(&Sentence::text(&words), sentence, self.count());
        Part { fields, usage: Some(self.usage(self.seconds())) }
    }

    /// Events of Flash: an empty one, snapshots of the text from its start, the final text.
    pub(super) fn snapshots(&self) -> Vec<Part> {
        let all = self.count();
        let steps = (EVENTS - 1).min(all.max(1));
        let mut parts = vec![Part { fields: self.fields("", beginning(1), 0), usage: None }];
        for step in 1..steps {
            let so_far = all * step / steps;
            let words = self.unfinished(self.words().take(so_far).map(|(_, word)| word));
            let sentence = self.words().nth(so_far.saturating_sub(1)).map_or(0, |(at, _)| at);
            let text = Sentence::text(&words);
            let fields = self.fields(&text, self.sentence(sentence + 1, &words, false), so_far);
            parts.push(Part { fields, usage: None });
        }
        parts.push(self.whole());
        parts
    }

    /// Events of Realtime: each sentence begins without words, grows and ends; the text continues.
    pub(super) fn sentence_by_sentence(&self) -> Vec<Part> {
        let (mut parts, mut before, mut said) = (Vec::new(), String::new(), 0);
        for (at, sentence) in self.sentences.iter().enumerate() {
            let id = at + 1;
            parts.push(Part { fields: self.fields(&before, beginning(id), said), usage: None });
            let half = sentence.words.len() / 2;
            if half > 0 {
                let words = self.unfinished(sentence.words.iter().take(half));
                let text = format!("{before}{}", Sentence::text(&words));
                let fields = self.fields(&text, self.sentence(id, &words, false), said + half);
                parts.push(Part { fields, usage: None });
            }
            said += sentence.words.len();
            before += &Sentence::text(&sentence.words);
            let last = id == self.sentences.len();
            let end = time(sentence.words.last(), "end_time").as_u64().unwrap_or(0);
            let seconds = if last { self.seconds() } else { end.div_ceil(1000) };
            let fields = self.fields(&before, self.sentence(id, &sentence.words, true), said);
            parts.push(Part { fields, usage: Some(self.usage(seconds)) });
        }
        parts
    }

    /// One `sentence`.
    fn sentence(&self, id: usize, words: &[Value], ended: bool) -> Value {
        let mut words = words.to_vec();
        if let Some(word) = words.first_mut() {
            word["text"] = json!(word["text"].as_str().unwrap_or_default().trim_start());
        }
        let text = Sentence::text(&words);
        let mut sentence = json!({
            "sentence_id": id, "sentence_end": ended, "channel_id": 0, "begin_time": time(words.first(), "begin_time"),
            "text": text, "words": words,
        });
        if ended {
            sentence["end_time"] = time(words.last(), "end_time");
        }
        sentence
    }

    /// `text`, `sentence` and, with diarization, `sentences`: the finished ones and the current one.
    fn fields(&self, text: &str, sentence: Value, said: usize) -> Map<String, Value> {
        let mut fields =
            Map::from_iter([("text".to_owned(), json!(text.trim_start())), ("sentence".to_owned(), sentence)]);
        if self.diarization {
            let (mut left, mut so_far) = (said, Vec::new());
            for (at, spoken) in self.sentences.iter().enumerate().take_while(|_| said > 0) {
                let here = left.min(spoken.words.len());
                let ended = here == spoken.words.len();
                if here == 0 {
                    break;
                }
                let words: Vec<Value> =
                    if ended { spoken.words.clone() } else { self.unfinished(spoken.words.iter().take(here)) };
                let mut sentence = self.sentence(at + 1, &words, ended);
                sentence["speaker_id"] = json!(spoken.party);
                so_far.push(sentence);
                left -= here;
            }
            fields.insert("sentences".to_owned(), Value::Array(so_far));
        }
        fields
    }

    /// Words of which the last is still being spoken: half of it is recognised, and the sentence seems to be over.
    fn unfinished<'w>(&self, words: impl Iterator<Item = &'w Value>) -> Vec<Value> {
        let mut words: Vec<Value> = words.cloned().collect();
        let stop = if self.language == "zh" { "。" } else { "." };
        let from = words.len().saturating_sub(2);
        for word in words.iter_mut().skip(from) {
            word["fixed"] = json!(false);
        }
        if let Some(word) = words.last_mut() {
            let text = word["text"].as_str().unwrap_or_default();
            let half: String = text.chars().take(text.chars().count().div_ceil(2).max(2)).collect();
            let (begin, end) = (word["begin_time"].as_u64().unwrap_or(0), word["end_time"].as_u64().unwrap_or(0));
            word["end_time"] = json!(begin + (end - begin).div_ceil(2));
            word["text"] = json!(half);
            word["punctuation"] = json!(stop);
        }
        words
    }
}

/// The first event of a sentence.
fn beginning(id: usize) -> Value {
    json!({
        "sentence_id": id, "sentence_begin": true, "sentence_end": false, "words": [], "begin_time": 0, "text": "",
        "channel_id": 0,
    })
}
