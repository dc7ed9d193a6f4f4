//! What every shape comes down to: sentences and words with times, channels and speakers. The rules that are the same for
//! all are here.

use std::collections::BTreeMap;

use super::super::{Channel, Code, Notices, Place, Sentence, Speaker, Transcript, Word};

/// A word as a shape has it.
#[derive(Debug, Clone, Default)]
pub(super) struct Spoken {
    pub(super) begin: Option<i64>,
    pub(super) end: Option<i64>,
    pub(super) text: String,
    pub(super) speaker: Option<String>,
}

impl Spoken {
    fn is_timed(&self) -> bool {
        self.begin.zip(self.end).is_some_and(|(begin, end)| end > begin)
    }

    /// Whether a sentence ends with it; closing quotes and brackets may follow.
    fn ends_sentence(&self) -> bool {
        let text = self.text.trim_end_matches(['"', '\'', '”', '’', '»', '」', '』', ')', ']', '）', '】']);
        text.ends_with(['.', '?', '!', '。', '？', '！', '…'])
    }
}

/// A sentence as a shape has it.
#[derive(Debug, Clone, Default)]
pub(super) struct Said {
    pub(super) channel: Option<String>,
    pub(super) speaker: Option<String>,
    pub(super) begin: Option<i64>,
    pub(super) end: Option<i64>,
    pub(super) text: String,
    pub(super) language: Option<String>,
    pub(super) words: Vec<Spoken>,
}

/// Everything that is read from a file.
#[derive(Debug, Clone, Default)]
pub(super) struct Speech {
    pub(super) duration_ms: Option<i64>,
    /// Of sentences that do not state their own.
    pub(super) language: Option<String>,
    /// The number of the first channel, in shapes that number channels; others name them.
    pub(super) first_channel: Option<u64>,
    pub(super) sentences: Vec<Said>,
    /// What does not fit together in it.
    pub(super) notices: Notices,
}

impl Speech {
    /// Counts what cannot be read in a line.
    pub(super) fn note_line(&mut self, line: u32, what: &'static str) {
        self.notices.add(Code::InvalidValue, Place { line: Some(line), ..Place::default() }, what);
    }

    /// Adds words that have no sentences: they are cut where the speaker changes and after a word that ends a sentence.
    /// `like` has the channel and the language of all.
    pub(super) fn add_words(&mut self, like: Said, words: Vec<Spoken>) {
        let mut rest = with_speakers(words, None).into_iter().peekable();
        let mut words: Vec<Spoken> = Vec::new();
        while let Some(word) = rest.next() {
            let ends = word.ends_sentence() || rest.peek().is_none_or(|next| next.speaker != word.speaker);
            words.push(word);
            if ends {
                self.sentences.push(hull(&like, std::mem::take(&mut words)));
            }
        }
    }

    /// Channels, speakers and sentences as the service's own results have them.
    pub(super) fn transcript(self) -> Transcript<'static> {
        let sentences: Vec<Said> = self.sentences.into_iter().flat_map(cut).collect();
        let ids = channel_ids(&sentences, self.first_channel);
        let mut channels: BTreeMap<u32, Vec<Sentence<'static>>> = BTreeMap::new();
        for said in sentences {
            let id = said.channel.as_ref().and_then(|name| ids.get(name)).copied().unwrap_or(0);
            let sentences = channels.entry(id).or_default();
            sentences.push(sentence(said, self.language.as_ref()));
        }
        let several = channels.len() > 1;
        channels.iter_mut().for_each(|(id, sentences)| unprefix(*id, sentences, several));
        let mut transcript =
            Transcript { duration_ms: self.duration_ms, notices: self.notices, ..Transcript::default() };
        let channel = |(id, sentences)| Channel { id, sentences, ..Channel::default() };
        transcript.channels = channels.into_iter().map(channel).collect();
        transcript
    }
}

/// Labels as they are written by us: `ch1` is the channel itself where it is the only speaker there, `ch1:spk0` a speaker of
/// one of several channels.
fn unprefix(id: u32, sentences: &mut [Sentence<'static>], several: bool) {
    let own = format!("ch{id}");
    let is_own = |one: &Sentence<'_>| matches!(&one.speaker, Some(Speaker::Name(name)) if *name == own);
    if sentences.iter().all(is_own) {
        sentences.iter_mut().for_each(|one| one.speaker = None);
    }
    for one in sentences.iter_mut().filter(|_| several) {
        if let Some(Speaker::Name(name)) = &one.speaker
            && let Some(rest) = name.strip_prefix(&own).and_then(|rest| rest.strip_prefix(':'))
        {
            one.speaker = Some(speaker(rest.to_owned())).filter(|_| rest != "unknown");
        }
    }
}

/// The ids of channels with speech: their numbers counted from 0. One alone is 0; names, and numbers that cannot be ids,
/// are counted in their order.
fn channel_ids(sentences: &[Said], first: Option<u64>) -> BTreeMap<String, u32> {
    let mut names: Vec<&String> = sentences.iter().filter_map(|said| said.channel.as_ref()).collect();
    // Numbers before names.
    names.sort_by_key(|name| (channel_number(name).unwrap_or(u64::MAX), (*name).clone()));
    names.dedup();
    let id = |name: &&String| {
        let id = channel_number(name)?.checked_sub(first?)?;
        u8::try_from(id).ok().map(u32::from)
    };
    let mut ids: Vec<u32> = names.iter().filter_map(id).collect();
    ids.dedup();
    if ids.len() < names.len() || names.len() < 2 {
        ids = (0..).take(names.len()).collect();
    }
    names.into_iter().cloned().zip(ids).collect()
}

/// `ch_1`, `1` → 1.
fn channel_number(name: &str) -> Option<u64> {
    name.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().ok()
}

/// A word without a speaker takes its sentence's, else that of the word before.
fn with_speakers(mut words: Vec<Spoken>, of_sentence: Option<&String>) -> Vec<Spoken> {
    let mut before = None;
    for word in &mut words {
        word.speaker = word.speaker.take().or_else(|| of_sentence.cloned()).or(before);
        before = word.speaker.clone();
    }
    words
}

/// A sentence in which several people speak becomes one for each change.
fn cut(mut said: Said) -> Vec<Said> {
    said.words = with_speakers(said.words, said.speaker.as_ref());
    let Some(first) = said.words.first().map(|word| word.speaker.clone()) else { return vec![said] };
    if said.words.iter().all(|word| word.speaker == first) {
        return vec![Said { speaker: first, ..said }];
    }
    let parts = said.words.chunk_by(|one, next| one.speaker == next.speaker);
    parts.map(|part| hull(&said, part.to_vec())).collect()
}

/// A sentence made of words: their texts joined by blanks, the hull of those with a length.
fn hull(like: &Said, words: Vec<Spoken>) -> Said {
    let timed = || words.iter().filter(|word| word.is_timed());
    let text = words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
    Said {
        channel: like.channel.clone(),
        language: like.language.clone(),
        speaker: words.first().and_then(|word| word.speaker.clone()),
        begin: timed().filter_map(|word| word.begin).min(),
        end: timed().filter_map(|word| word.end).max(),
        text,
        words,
    }
}

fn sentence(said: Said, language: Option<&String>) -> Sentence<'static> {
    let words = said.words.into_iter().zip(0..).map(|(word, index)| Word {
        index,
        begin_ms: word.begin,
        end_ms: word.end,
        text: word.text.into(),
        ..Word::default()
    });
    Sentence {
        begin_ms: said.begin,
        end_ms: said.end,
        text: said.text.into(),
        speaker: said.speaker.map(speaker),
        language: said.language.or_else(|| language.cloned()).map(Into::into),
        words: words.collect(),
        ..Sentence::default()
    }
}

/// A bare number is a number, everything else a name.
fn speaker(label: String) -> Speaker<'static> {
    match label.parse() {
        Ok(number @ 0..) if label.bytes().all(|byte| byte.is_ascii_digit()) => Speaker::Number(number),
        _ => Speaker::Name(label.into()),
    }
}
