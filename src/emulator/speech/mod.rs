//! Invented calls: the text depends only on the file's address (for uploads: its content) and the parameters.
//!
//! Some file names decide what is in the file: see the documentation of the emulator.

mod dialogue;
mod dictation;
mod filter;
mod script;
mod talk;

use std::sync::Arc;

use serde_json::{Value, json};

use super::parameters::Parameters;
use super::wav::Audio;
pub use dialogue::Dialogue;
pub(super) use dialogue::Dialogues;
use script::{CHINESE, ENGLISH, Script};
use talk::{Dice, shortest, talk};

/// A file to recognise.
#[derive(Debug, Clone)]
pub(super) struct Source {
    url: String,
    seed: [u8; 32],
    audio: Option<Audio>,
    dialogue: Option<Arc<Dialogue>>,
}

impl Source {
    /// A file on some web server; its address decides everything.
    pub(super) fn address(url: &str) -> Self {
        Self { url: url.to_owned(), seed: *blake3::hash(url.as_bytes()).as_bytes(), audio: None, dialogue: None }
    }

    /// Bytes that were uploaded or sent inline.
    pub(super) fn bytes(url: &str, hash: [u8; 32], audio: Option<Audio>) -> Self {
        Self { url: url.to_owned(), seed: hash, audio, dialogue: None }
    }

    /// A file with a script.
    pub(super) fn with_dialogue(self, dialogue: Option<Arc<Dialogue>>) -> Self {
        Self { dialogue, ..self }
    }

    /// The address, or the name given to bytes.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Length in milliseconds: what a header says, else what the name says, else invented.
    pub(super) fn duration_ms(&self) -> u64 {
        if let Some(dialogue) = &self.dialogue {
            return dialogue.duration_ms();
        }
        if let Some(audio) = self.audio {
            return audio.duration_ms;
        }
        let dictated = self.dictation().map(|dictation| dictation.duration_ms);
        let invented = || 30_000 + Dice::new(&self.seed, b"duration").below(210_001);
        named_length(self.name()).or(dictated).unwrap_or_else(invented)
    }

    /// Whether it holds no speech.
    pub(super) fn silent(&self) -> bool {
        match &self.dialogue {
            Some(dialogue) => dialogue.sentences.is_empty(),
            None => self.name().to_ascii_lowercase().contains("silence"),
        }
    }

    fn name(&self) -> &str {
        extension_and_name(&self.url).1
    }

    fn dictation(&self) -> Option<&'static dictation::Dictation> {
        dictation::named(self.name())
    }

    /// Its tracks. A file on a web server has every track that is requested.
    fn tracks(&self, requested: &[u32]) -> Vec<u32> {
        if let Some(dialogue) = &self.dialogue {
            return (0..dialogue.tracks()).filter_map(|track| u32::try_from(track).ok()).collect();
        }
        if let Some(audio) = self.audio {
            return (0..audio.channels).collect();
        }
        let name = extension_and_name(&self.url).1.to_ascii_lowercase();
        let two = name.contains("stereo") || name.contains("2ch");
        let mut tracks: Vec<u32> = if two { vec![0, 1] } else { vec![0] };
        tracks.extend(requested.iter().filter(|channel| **channel > 1 || !two && **channel == 1));
        tracks.sort_unstable();
        tracks.dedup();
        tracks
    }

    /// Whether every requested track is there.
    pub(super) fn has(&self, requested: &[u32]) -> bool {
        let tracks = self.tracks(requested);
        requested.iter().all(|channel| tracks.contains(channel))
    }
}

/// A recognised call.
#[derive(Debug)]
pub(super) struct Call<'s> {
    source: &'s Source,
    parameters: &'s Parameters,
    script: &'static Script,
    tracks: Vec<u32>,
    duration_ms: u64,
    recognized: Vec<Track>,
}

#[derive(Debug)]
struct Track {
    channel: u32,
    sentences: Vec<Sentence>,
}

#[derive(Debug, Clone, PartialEq)]
struct Sentence {
    speaker: usize,
    words: Vec<Word>,
}

#[derive(Debug, Clone, PartialEq)]
struct Word {
    begin: u64,
    end: u64,
    text: String,
    punctuation: String,
}

impl Sentence {
    fn begin(&self) -> u64 {
        self.words.first().map_or(0, |word| word.begin)
    }

    fn end(&self) -> u64 {
        self.words.last().map_or(0, |word| word.end)
    }

    fn text(&self) -> String {
        self.words.iter().flat_map(|word| [word.text.as_str(), word.punctuation.as_str()]).collect()
    }
}

impl<'s> Call<'s> {
    pub(super) fn new(source: &'s Source, parameters: &'s Parameters) -> Self {
        let foreign = Dice::new(&source.seed, b"language").one_in(5);
        let dictation = source.dictation();
        let script = match (&source.dialogue, parameters.language.as_deref()) {
            (Some(dialogue), _) => dialogue.script,
            _ if dictation.is_some() => &ENGLISH,
            (None, Some("zh" | "yue")) => &CHINESE,
            (None, None) if foreign => &CHINESE,
            _ => &ENGLISH,
        };
        let tracks = source.tracks(&parameters.channels);
        let duration_ms = source.duration_ms();
        let sentences = match (&source.dialogue, dictation) {
            (Some(dialogue), _) => dialogue.sentences.clone(),
            (None, Some(dictation)) => dictation.recognized(&parameters.context, duration_ms),
            (None, None) => talk(script, &source.seed, tracks.len(), duration_ms),
        };
        let mut recognized = Vec::new();
        for channel in &parameters.channels {
            let Some(at) = tracks.iter().position(|track| track == channel) else { continue };
            let alone = tracks.len() == 1;
            let mut sentences: Vec<Sentence> =
                sentences.iter().filter(|sentence| alone || sentence.speaker == at).cloned().collect();
            sentences.sort_by_key(Sentence::begin);
            if sentences.is_empty() && duration_ms > 0 && source.dialogue.is_none() {
                sentences.push(shortest(script, at, duration_ms));
            }
            recognized.push(Track { channel: *channel, sentences });
        }
        Self { source, parameters, script, tracks, duration_ms, recognized }
    }

    /// Seconds of speech in the requested tracks, those of each rounded up.
    pub(super) fn billed_seconds(&self) -> u64 {
        self.recognized.iter().map(|track| track.content_ms().div_ceil(1000)).sum()
    }

    /// The result file of Fun-ASR, Paraformer and Qwen-Audio.
    pub(super) fn result(&self) -> Value {
        let (format, rate) = self.format();
        let transcripts: Vec<Value> = self.recognized.iter().map(|track| self.transcript(track)).collect();
        json!({
            "file_url": self.source.url,
            "properties": {
                "audio_format": format,
                "channels": self.tracks,
                "original_sampling_rate": rate,
                "original_duration_in_milliseconds": self.duration_ms,
            },
            "transcripts": transcripts,
        })
    }

    fn transcript(&self, track: &Track) -> Value {
        let sentences: Vec<Sentence> = self.filtered(track);
        let objects: Vec<Value> = sentences
            .iter()
            .enumerate()
            .map(|(at, sentence)| {
                let mut object = json!({
                    "begin_time": sentence.begin(),
                    "end_time": sentence.end(),
                    "text": sentence.text(),
                    "sentence_id": at + 1,
                    "words": sentence.words.iter().map(Word::json).collect::<Vec<_>>(),
                });
                if self.parameters.diarization {
                    object["speaker_id"] = json!(sentence.speaker);
                }
                object
            })
            .collect();
        json!({
            "channel_id": track.channel,
            "content_duration_in_milliseconds": track.content_ms(),
            "text": sentences.iter().map(Sentence::text).collect::<String>(),
            "sentences": objects,
        })
    }

    /// The result file of Qwen3-ASR-Flash-Filetrans.
    pub(super) fn qwen3_result(&self) -> Value {
        let (format, rate) = self.format();
        let format = if format == "pcm_s16le" { "wav".to_owned() } else { format };
        let language = self.parameters.language.as_deref().unwrap_or(self.script.code);
        let transcripts: Vec<Value> = self
            .recognized
            .iter()
            .map(|track| {
                let sentences = self.filtered(track);
                let objects: Vec<Value> = sentences
                    .iter()
                    .enumerate()
                    .map(|(at, sentence)| {
                        let mut object = json!({
                            "sentence_id": at,
                            "begin_time": sentence.begin(),
                            "end_time": sentence.end(),
                            "language": language,
                            "emotion": "neutral",
                            "text": sentence.text().trim_end(),
                        });
                        if self.parameters.words {
                            object["words"] = sentence.words.iter().map(Word::json).collect();
                        }
                        object
                    })
                    .collect();
                let text: String = sentences.iter().map(Sentence::text).collect();
                json!({"channel_id": track.channel, "text": text.trim_end(), "sentences": objects})
            })
            .collect();
        json!({
            "file_url": self.source.url,
            "audio_info": {"format": format, "sample_rate": rate},
            "transcripts": transcripts,
        })
    }

    /// Every word of the first requested track in order, with times and speaker: the source of synchronous answers.
    pub(super) fn spoken(&self) -> Vec<(usize, Vec<Value>)> {
        let sentences = self.recognized.first().map_or_else(Vec::new, |track| self.filtered(track));
        let one = |sentence: &Sentence| (sentence.speaker, sentence.words.iter().map(Word::json).collect());
        sentences.iter().map(one).collect()
    }

    /// Code of the spoken language.
    pub(super) fn language(&self) -> &'static str {
        self.script.code
    }

    fn filtered(&self, track: &Track) -> Vec<Sentence> {
        filter::applied(&track.sentences, &self.parameters.filter)
    }

    fn format(&self) -> (String, u32) {
        let extension = extension_and_name(&self.source.url).0.to_ascii_lowercase();
        let format = match extension.as_str() {
            "wav" => "pcm_s16le",
            "" => "mp3",
            other => other,
        };
        let rates = [8000, 16_000, 24_000, 44_100];
        let invented = rates.get(usize::from(self.source.seed[0] % 4)).copied().unwrap_or(16_000);
        // Scripts are telephone calls.
        let rate = if self.source.dialogue.is_some() { 8000 } else { invented };
        (format.to_owned(), self.source.audio.map_or(rate, |audio| audio.sampling_rate))
    }
}

impl Word {
    fn json(&self) -> Value {
        json!({"begin_time": self.begin, "end_time": self.end, "text": self.text, "punctuation": self.punctuation})
    }
}

impl Track {
    fn content_ms(&self) -> u64 {
        self.sentences.iter().map(|sentence| sentence.end() - sentence.begin()).sum()
    }
}

/// The length stated in a name: `clip-301s.wav`, `1500ms.mp3`.
fn named_length(name: &str) -> Option<u64> {
    name.split(|c: char| !c.is_ascii_alphanumeric()).find_map(|part| {
        let (number, unit) = match part.strip_suffix("ms") {
            Some(number) => (number, 1),
            None => (part.strip_suffix('s')?, 1000),
        };
        let digits = !number.is_empty() && number.len() < 9 && number.bytes().all(|byte| byte.is_ascii_digit());
        number.parse::<u64>().ok().filter(|_| digits).map(|number| number * unit)
    })
}

/// Extension and name of the file an address ends in.
fn extension_and_name(url: &str) -> (&str, &str) {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let name = path.rsplit('/').next().unwrap_or(path);
    (name.rsplit_once('.').map_or("", |(_, extension)| extension), name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(url: &str) -> Source {
        Source::address(url)
    }

    fn asked(channels: &[u32]) -> Parameters {
        Parameters { channels: channels.to_vec(), ..Parameters::default() }
    }

    #[test]
    fn the_same_question_gets_the_same_answer_and_another_file_another() {
        let (one, two) = (source("https://example.org/a.mp3"), source("https://example.org/b.mp3"));
        let parameters = Parameters::default();
        assert_eq!(Call::new(&one, &parameters).result(), Call::new(&one, &parameters).result());
        assert_ne!(Call::new(&one, &parameters).result(), Call::new(&two, &parameters).result());
    }

    #[test]
    fn every_call_is_sound() {
        let mut languages = std::collections::BTreeSet::new();
        for n in 0..300 {
            let url = format!("https://example.org/{n}{}.mp3", if n % 3 == 0 { "-stereo" } else { "" });
            let (source, parameters) = (source(&url), asked(if n % 2 == 0 { &[0] } else { &[0, 1] }));
            let call = Call::new(&source, &parameters);
            languages.insert(call.script.code);
            assert!((30_000..=240_000).contains(&call.duration_ms));
            assert_eq!(call.recognized.len(), parameters.channels.len());
            for track in &call.recognized {
                assert!(track.sentences.len() > 2, "{url}");
                let mut free = 0;
                for sentence in &track.sentences {
                    assert!(free <= sentence.begin(), "{url}: sentences of a track overlap");
                    for word in &sentence.words {
                        assert!(free <= word.begin && word.begin < word.end, "{url}");
                        free = word.end;
                    }
                }
                assert!(free <= call.duration_ms);
            }
            assert!(call.billed_seconds() > 0);
        }
        assert_eq!(languages.len(), 2);
    }

    #[test]
    fn tracks_are_those_of_the_file_and_those_asked_for() {
        assert_eq!(source("https://x.org/a.mp3").tracks(&[0]), [0]);
        assert_eq!(source("https://x.org/a.mp3").tracks(&[1]), [0, 1]);
        assert_eq!(source("https://x.org/a-Stereo.wav?x=1").tracks(&[0]), [0, 1]);
        assert_eq!(source("https://stereo.org/a.wav").tracks(&[0]), [0]);
        let mono =
            Source::bytes("oss://a.wav", [0; 32], Some(Audio { channels: 1, sampling_rate: 8000, duration_ms: 900 }));
        assert!(mono.has(&[0]) && !mono.has(&[0, 1]));
    }

    #[test]
    fn one_track_holds_both_parties_and_two_hold_one_each() {
        let source = source("https://example.org/call.mp3");
        let both = Parameters { diarization: true, ..Parameters::default() };
        let result = Call::new(&source, &both).result();
        let speakers: std::collections::BTreeSet<i64> = result["transcripts"][0]["sentences"]
            .as_array()
            .unwrap()
            .iter()
            .map(|sentence| sentence["speaker_id"].as_i64().unwrap())
            .collect();
        assert_eq!(speakers.into_iter().collect::<Vec<_>>(), [0, 1]);
        let call_parameters = asked(&[0, 1]);
        let apart = Call::new(&source, &call_parameters);
        assert!(apart.recognized.iter().enumerate().all(|(at, track)| track.sentences.iter().all(|s| s.speaker == at)));
    }

    #[test]
    fn the_shortest_recording_has_speech_that_fits() {
        for duration_ms in [1, 40, 900, 2_500] {
            let audio = Audio { channels: 2, sampling_rate: 8000, duration_ms };
            let (source, parameters) = (Source::bytes("oss://a.wav", [7; 32], Some(audio)), asked(&[0, 1]));
            let call = Call::new(&source, &parameters);
            for track in &call.recognized {
                assert!(track.content_ms() > 0 && track.sentences.last().unwrap().end() <= duration_ms);
            }
        }
    }
}
