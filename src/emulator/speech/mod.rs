//! Invented calls: what is said depends on the file's address (of an upload: its content) and on the parameters, on
//! nothing else.

mod filter;
mod script;

use serde_json::{Value, json};

use super::parameters::Parameters;
use super::wav::Audio;
use script::{CHINESE, ENGLISH, Script};

/// A file that can be heard.
#[derive(Debug, Clone)]
pub(super) struct Source {
    url: String,
    seed: [u8; 32],
    audio: Option<Audio>,
}

impl Source {
    /// A file on some web server; its address decides about everything.
    pub(super) fn address(url: &str) -> Self {
        Self { url: url.to_owned(), seed: *blake3::hash(url.as_bytes()).as_bytes(), audio: None }
    }

    /// Bytes that were received.
    pub(super) fn bytes(url: &str, hash: [u8; 32], audio: Option<Audio>) -> Self {
        Self { url: url.to_owned(), seed: hash, audio }
    }

    /// Length in milliseconds.
    pub(super) fn duration_ms(&self) -> u64 {
        self.audio.map_or_else(|| 30_000 + Dice::new(&self.seed, b"duration").below(210_001), |audio| audio.duration_ms)
    }

    /// The tracks it has. Of a file that nobody has seen, any requested track is there.
    fn tracks(&self, requested: &[u32]) -> Vec<u32> {
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

/// A call as it was heard.
#[derive(Debug)]
pub(super) struct Call<'s> {
    source: &'s Source,
    parameters: &'s Parameters,
    script: &'static Script,
    tracks: Vec<u32>,
    duration_ms: u64,
    heard: Vec<Track>,
}

#[derive(Debug)]
struct Track {
    channel: u32,
    sentences: Vec<Sentence>,
}

#[derive(Debug, Clone, PartialEq)]
struct Sentence {
    party: usize,
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

/// Chance that falls the same way every time.
struct Dice(blake3::OutputReader);

impl Dice {
    fn new(seed: &[u8; 32], about: &[u8]) -> Self {
        Self(blake3::Hasher::new_keyed(seed).update(about).finalize_xof())
    }

    fn below(&mut self, n: u64) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes) % n.max(1)
    }

    fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.below(to - from + 1)
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

impl<'s> Call<'s> {
    pub(super) fn new(source: &'s Source, parameters: &'s Parameters) -> Self {
        let foreign = Dice::new(&source.seed, b"language").one_in(5);
        let script = match parameters.language.as_deref() {
            Some("zh" | "yue") => &CHINESE,
            None if foreign => &CHINESE,
            _ => &ENGLISH,
        };
        let tracks = source.tracks(&parameters.channels);
        let duration_ms = source.duration_ms();
        let said = talk(script, &source.seed, tracks.len(), duration_ms);
        let mut heard = Vec::new();
        for channel in &parameters.channels {
            let Some(at) = tracks.iter().position(|track| track == channel) else { continue };
            let alone = tracks.len() == 1;
            let mut sentences: Vec<Sentence> =
                said.iter().filter(|sentence| alone || sentence.party == at).cloned().collect();
            sentences.sort_by_key(Sentence::begin);
            if sentences.is_empty() && duration_ms > 0 {
                sentences.push(shortest(script, at, duration_ms));
            }
            heard.push(Track { channel: *channel, sentences });
        }
        Self { source, parameters, script, tracks, duration_ms, heard }
    }

    /// Speech in all requested tracks, each by itself.
    pub(super) fn billed_ms(&self) -> u64 {
        self.heard.iter().map(Track::content_ms).sum()
    }

    /// The result file of Fun-ASR, Paraformer and Qwen-Audio.
    pub(super) fn result(&self) -> Value {
        let (format, rate) = self.format();
        let transcripts: Vec<Value> = self.heard.iter().map(|track| self.transcript(track)).collect();
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
                    object["speaker_id"] = json!(sentence.party);
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
            .heard
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

    /// Every word of the first requested track in order, with times: what the synchronous models answer from.
    pub(super) fn spoken(&self) -> Vec<(usize, Vec<Value>, String)> {
        let sentences = self.heard.first().map_or_else(Vec::new, |track| self.filtered(track));
        let one =
            |sentence: &Sentence| (sentence.party, sentence.words.iter().map(Word::json).collect(), sentence.text());
        sentences.iter().map(one).collect()
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
        (format.to_owned(), self.source.audio.map_or(invented, |audio| audio.sampling_rate))
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

/// Extension and name of the file an address ends in.
fn extension_and_name(url: &str) -> (&str, &str) {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let name = path.rsplit('/').next().unwrap_or(path);
    (name.rsplit_once('.').map_or("", |(_, extension)| extension), name)
}

/// A conversation. With tracks of their own the parties may talk into each other's words, on one track they do not:
/// the sentences of one track never overlap.
fn talk(script: &Script, seed: &[u8; 32], tracks: usize, duration_ms: u64) -> Vec<Sentence> {
    let dice = &mut Dice::new(seed, b"talk");
    let apart = tracks > 1;
    let parties = tracks.max(2);
    let (mut left, mut exchange): (Vec<usize>, usize) = (Vec::new(), 0);
    let mut free = vec![0; parties];
    let mut said = Vec::new();
    let mut at = dice.between(300, 1_500);
    for turn in 0_usize.. {
        let party = turn % parties;
        let line = if let Some(opening) = script.opening.get(turn) {
            opening
        } else {
            if turn % 2 == 0 {
                if left.is_empty() {
                    left = (0..script.exchanges.len()).collect();
                }
                let drawn = dice.below(left.len() as u64);
                exchange = left.swap_remove(usize::try_from(drawn).unwrap_or(0));
            }
            script.exchanges.get(exchange).map_or(script.shortest, |pair| pair[turn % 2])
        };
        let begin = at.max(free.get(party).copied().unwrap_or(0));
        let sentences = speak(script, dice, party, begin, line);
        let end = sentences.last().map_or(begin, Sentence::end);
        if end > duration_ms {
            return said;
        }
        said.extend(sentences);
        if let Some(free) = free.get_mut(party) {
            *free = end + 60;
        }
        let listener = (party + 1) % parties;
        if apart && end - begin > 4_000 && dice.one_in(5) {
            let word = script.listening.get(usize::try_from(dice.below(4)).unwrap_or(0)).unwrap_or(&script.shortest);
            let heard = speak(script, dice, listener, begin + 1_500, word);
            if let Some(free) = free.get_mut(listener) {
                *free = heard.last().map_or(0, Sentence::end) + 60;
            }
            said.extend(heard);
        }
        let pause = match dice.below(24) {
            0 => dice.between(5_000, 12_000),
            1..=4 => dice.between(900, 2_500),
            _ => dice.between(120, 900),
        };
        at = if apart && dice.one_in(7) { end.saturating_sub(dice.between(150, 1_200)) } else { end + pause };
    }
    said
}

/// Speaks a line from `begin` on, sentence by sentence.
fn speak(script: &Script, dice: &mut Dice, party: usize, begin: u64, line: &str) -> Vec<Sentence> {
    let mut sentences = Vec::new();
    let mut words: Vec<Word> = Vec::new();
    let mut at = begin;
    for token in line.split(' ') {
        let text = token.trim_end_matches([',', '.', '?', '!', '，', '。', '？', '！']);
        let mut punctuation = token.strip_prefix(text).unwrap_or_default().to_owned();
        let (each, word) = script.pace;
        let length = (text.chars().count() as u64 * each + word) * dice.between(85, 120) / 100;
        let closes = punctuation.ends_with(['.', '?', '!', '。', '？', '！']);
        let pauses = !punctuation.is_empty();
        if closes {
            punctuation.push_str(script.after_sentence);
        }
        let space = if words.is_empty() { "" } else { script.between };
        words.push(Word { begin: at, end: at + length, text: format!("{space}{text}"), punctuation });
        at += length;
        if closes {
            sentences.push(Sentence { party, words: std::mem::take(&mut words) });
            at += dice.between(180, 600);
        } else if pauses {
            at += dice.between(80, 300);
        }
    }
    if !words.is_empty() {
        sentences.push(Sentence { party, words });
    }
    sentences
}

/// Where nothing else fits.
fn shortest(script: &Script, party: usize, duration_ms: u64) -> Sentence {
    let (begin, end) = (duration_ms / 4, (duration_ms * 3 / 4).max(duration_ms / 4 + 1));
    let text = script.shortest.trim_end_matches(['.', '。']);
    let punctuation = script.shortest.strip_prefix(text).unwrap_or_default();
    let punctuation = format!("{punctuation}{}", script.after_sentence);
    Sentence { party, words: vec![Word { begin, end, text: text.to_owned(), punctuation }] }
}

#[cfg(test)]
mod tests;
