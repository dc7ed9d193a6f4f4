//! The objects of the format, from the inside out: word, sentence, entry of `transcripts`, properties, the result itself.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::container::{Keys, ListSeed, Object, ObjectSeed, Shape, Slot, keys};
use super::scalar::{Raw, Raws, Reader};
use crate::transcript::{Channel, Code, Place, Sentence, Transcript, Word};

keys!(WordKey { Begin = 0 "begin_time", End = 1 "end_time", Text = 2 "text", Punctuation = 3 "punctuation", });

impl<'de> Object<'de> for Word<'de> {
    fn enter(place: &mut Place, index: u32) {
        place.word = Some(index);
    }

    fn read<A: MapAccess<'de>>(mut map: A, reader: &Reader, index: u32) -> Result<Self, A::Error> {
        let mut keys = Keys::new(reader);
        let (mut begin, mut end, mut text, mut punctuation) = Default::default();
        while let Some(key) = map.next_key::<WordKey>()? {
            let slot = match key {
                WordKey::Begin => &mut begin,
                WordKey::End => &mut end,
                WordKey::Text => &mut text,
                WordKey::Punctuation => &mut punctuation,
                WordKey::Unknown => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            keys.scalar(key.describe(), slot, &mut map)?;
        }
        Ok(Word {
            index,
            begin_ms: reader.time(&begin, "begin_time"),
            end_ms: reader.time(&end, "end_time"),
            text: reader.text(text, "text").unwrap_or_default(),
            punctuation: reader.text(punctuation, "punctuation").unwrap_or_default(),
        })
    }
}

keys!(SentenceKey {
    Begin = 0 "begin_time", End = 1 "end_time", Text = 2 "text", Id = 3 "sentence_id", Speaker = 4 "speaker_id", Words = 5 "words",
    Language = 6 "language", Emotion = 7 "emotion",
});

impl<'de> Object<'de> for Sentence<'de> {
    fn enter(place: &mut Place, index: u32) {
        place.sentence = Some(index);
    }

    fn read<A: MapAccess<'de>>(mut map: A, reader: &Reader, _: u32) -> Result<Self, A::Error> {
        let mut keys = Keys::new(reader);
        let (mut begin, mut end, mut text, mut id, mut speaker) = Default::default();
        // Qwen3's own two fields are kept as received: no metric uses them, so odd values are not counted.
        let (mut language, mut emotion) = (Raw::Missing, Raw::Missing);
        let mut words = Slot::<Vec<Word<'de>>>::empty();
        while let Some(key) = map.next_key::<SentenceKey>()? {
            let slot = match key {
                SentenceKey::Begin => &mut begin,
                SentenceKey::End => &mut end,
                SentenceKey::Text => &mut text,
                SentenceKey::Id => &mut id,
                SentenceKey::Speaker => &mut speaker,
                SentenceKey::Language => {
                    language = map.next_value()?;
                    continue;
                }
                SentenceKey::Emotion => {
                    emotion = map.next_value()?;
                    continue;
                }
                SentenceKey::Words => {
                    let seed = ListSeed::new(reader, "words");
                    words.fill(key.describe(), &mut keys, &mut map, seed)?;
                    continue;
                }
                SentenceKey::Unknown => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            keys.scalar(key.describe(), slot, &mut map)?;
        }
        Ok(Sentence {
            begin_ms: reader.time(&begin, "begin_time"),
            end_ms: reader.time(&end, "end_time"),
            text: reader.text(text, "text").unwrap_or_default(),
            sentence_id: reader.number(&id, "sentence_id"),
            speaker: reader.speaker(speaker),
            language: string(language),
            emotion: string(emotion),
            words: words.value.into_value().unwrap_or_default(),
        })
    }
}

fn string(raw: Raw<'_>) -> Option<Cow<'_, str>> {
    if let Raw::Text(text) = raw { Some(text) } else { None }
}

/// One entry of `transcripts`; entries of one channel are merged later.
pub(super) struct Entry<'de> {
    pub(super) place: Place,
    pub(super) channel: Channel<'de>,
}

keys!(EntryKey {
    Channel = 0 "channel_id", ContentLong = 1 "content_duration_in_milliseconds", ContentShort = 2 "content_duration",
    Text = 3 "text", Transcript = 4 "transcript", Sentences = 5 "sentences",
});

impl<'de> Object<'de> for Entry<'de> {
    fn enter(place: &mut Place, index: u32) {
        place.entry = Some(index);
    }

    fn read<A: MapAccess<'de>>(mut map: A, reader: &Reader, index: u32) -> Result<Self, A::Error> {
        let mut keys = Keys::new(reader);
        let (mut id, mut content_long, mut content_short, mut text, mut transcript) = Default::default();
        let mut sentences = Slot::<Vec<Sentence<'de>>>::empty();
        while let Some(key) = map.next_key::<EntryKey>()? {
            let slot = match key {
                EntryKey::Channel => &mut id,
                EntryKey::ContentLong => &mut content_long,
                EntryKey::ContentShort => &mut content_short,
                EntryKey::Text => &mut text,
                EntryKey::Transcript => &mut transcript,
                EntryKey::Sentences => {
                    let seed = ListSeed::new(reader, "sentences");
                    sentences.fill(key.describe(), &mut keys, &mut map, seed)?;
                    continue;
                }
                EntryKey::Unknown => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            keys.scalar(key.describe(), slot, &mut map)?;
        }
        if matches!(id, Raw::Missing) {
            reader.note(Code::MissingChannelId, "channel_id");
        }
        let content_long = content_duration(reader, &content_long, "content_duration_in_milliseconds");
        let content_short = content_duration(reader, &content_short, "content_duration");
        let (text, transcript) = (reader.text(text, "text"), reader.text(transcript, "transcript"));
        let durations_differ = matches!((content_long, content_short), (Some(long), Some(short)) if long != short);
        let texts_differ = matches!((&text, &transcript), (Some(text), Some(transcript)) if text != transcript);
        if durations_differ || texts_differ {
            reader.note(Code::ConflictingFields, if texts_differ { "text and transcript" } else { "content_duration" });
        }
        let text = text.or(transcript);
        let mut sentences = sentences.value.into_value().unwrap_or_default();
        if sentences.is_empty()
            && let Some(text) = text.as_ref().filter(|text| !text.trim().is_empty())
        {
            reader.note(Code::TextWithoutSentences, "");
            sentences.push(Sentence { text: text.clone(), ..Sentence::default() });
        }
        Ok(Entry {
            place: reader.place.get(),
            channel: Channel {
                id: reader.channel_id(&id, "channel_id").unwrap_or(index),
                content_duration_ms: content_long.or(content_short),
                text,
                sentences,
            },
        })
    }
}

fn content_duration(reader: &Reader, raw: &Raw<'_>, field: &'static str) -> Option<i64> {
    let duration = reader.number(raw, field)?;
    if duration < 0 && !matches!(raw, Raw::Text(_)) {
        reader.note(Code::InvalidValue, field);
    }
    (duration >= 0).then_some(duration)
}

pub(super) struct Properties<'de> {
    audio_format: Option<Cow<'de, str>>,
    sampling_rate_hz: Option<i64>,
    duration_ms: Option<i64>,
    channels: Vec<u32>,
}

keys!(PropertiesKey {
    Format = 0 "audio_format", Channels = 1 "channels", Rate = 2 "original_sampling_rate",
    Duration = 3 "original_duration_in_milliseconds",
});

impl<'de> Object<'de> for Properties<'de> {
    fn enter(_: &mut Place, _: u32) {}

    fn read<A: MapAccess<'de>>(mut map: A, reader: &Reader, _: u32) -> Result<Self, A::Error> {
        let mut keys = Keys::new(reader);
        let (mut format, mut rate, mut duration) = Default::default();
        let mut channels = Raws::Missing;
        while let Some(key) = map.next_key::<PropertiesKey>()? {
            let slot = match key {
                PropertiesKey::Format => &mut format,
                PropertiesKey::Rate => &mut rate,
                PropertiesKey::Duration => &mut duration,
                PropertiesKey::Channels => {
                    let (number, name) = key.describe();
                    keys.meet(number, name);
                    channels = map.next_value()?;
                    continue;
                }
                PropertiesKey::Unknown => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            keys.scalar(key.describe(), slot, &mut map)?;
        }
        let duration_ms = reader.number(&duration, "original_duration_in_milliseconds");
        if duration_ms.is_some_and(|duration| duration <= 0) && !matches!(duration, Raw::Text(_)) {
            reader.note(Code::InvalidValue, "original_duration_in_milliseconds");
        }
        let mut ids: Vec<u32> = match channels {
            Raws::Missing => Vec::new(),
            Raws::Other => {
                reader.note(Code::InvalidValue, "channels");
                Vec::new()
            }
            Raws::List(list) => list.iter().filter_map(|raw| stated_channel(reader, raw)).collect(),
        };
        ids.sort_unstable();
        ids.dedup();
        Ok(Properties {
            audio_format: reader.text(format, "audio_format"),
            sampling_rate_hz: reader.number(&rate, "original_sampling_rate"),
            duration_ms: duration_ms.filter(|&duration| duration > 0),
            channels: ids,
        })
    }
}

fn stated_channel(reader: &Reader, raw: &Raw<'_>) -> Option<u32> {
    if matches!(raw, Raw::Missing) {
        // A null is not a track id.
        reader.note(Code::InvalidValue, "channels");
    }
    reader.channel_id(raw, "channels")
}

/// Qwen3's counterpart of `properties`.
pub(super) struct AudioInfo<'de> {
    format: Option<Cow<'de, str>>,
    sample_rate_hz: Option<i64>,
}

keys!(AudioInfoKey { Format = 0 "format", Rate = 1 "sample_rate", });

impl<'de> Object<'de> for AudioInfo<'de> {
    fn enter(_: &mut Place, _: u32) {}

    fn read<A: MapAccess<'de>>(mut map: A, reader: &Reader, _: u32) -> Result<Self, A::Error> {
        let mut keys = Keys::new(reader);
        let (mut format, mut rate) = Default::default();
        while let Some(key) = map.next_key::<AudioInfoKey>()? {
            let slot = match key {
                AudioInfoKey::Format => &mut format,
                AudioInfoKey::Rate => &mut rate,
                AudioInfoKey::Unknown => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            keys.scalar(key.describe(), slot, &mut map)?;
        }
        Ok(AudioInfo { format: reader.text(format, "format"), sample_rate_hz: reader.number(&rate, "sample_rate") })
    }
}

pub(super) struct Root<'de> {
    pub(super) transcript: Transcript<'de>,
    pub(super) transcripts: Shape<Vec<Entry<'de>>>,
}

keys!(RootKey { FileUrl = 0 "file_url", Properties = 1 "properties", AudioInfo = 2 "audio_info", Transcripts = 3 "transcripts", });

impl<'de> Object<'de> for Root<'de> {
    fn enter(_: &mut Place, _: u32) {}

    fn read<A: MapAccess<'de>>(mut map: A, reader: &Reader, _: u32) -> Result<Self, A::Error> {
        let mut keys = Keys::new(reader);
        let mut file_url = Raw::Missing;
        let (mut properties, mut audio_info) = (Slot::<Properties<'de>>::empty(), Slot::<AudioInfo<'de>>::empty());
        let mut transcripts = Slot::<Vec<Entry<'de>>>::empty();
        while let Some(key) = map.next_key::<RootKey>()? {
            let described = key.describe();
            match key {
                RootKey::FileUrl => keys.scalar(described, &mut file_url, &mut map)?,
                RootKey::Properties => properties.fill(described, &mut keys, &mut map, ObjectSeed::new(reader, 0))?,
                RootKey::AudioInfo => audio_info.fill(described, &mut keys, &mut map, ObjectSeed::new(reader, 0))?,
                RootKey::Transcripts => {
                    let seed = ListSeed::new(reader, "transcripts");
                    transcripts.fill(described, &mut keys, &mut map, seed)?;
                }
                RootKey::Unknown => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        let file_url = reader.text(file_url, "file_url");
        let transcript = Self::transcript(file_url, properties.value.into_value(), audio_info.value.into_value());
        Ok(Root { transcript, transcripts: transcripts.value })
    }
}

impl<'de> Root<'de> {
    /// Everything but the channels.
    pub(super) fn transcript(
        file_url: Option<Cow<'de, str>>,
        properties: Option<Properties<'de>>,
        audio_info: Option<AudioInfo<'de>>,
    ) -> Transcript<'de> {
        let mut transcript = Transcript { file_url, ..Transcript::default() };
        if let Some(properties) = properties {
            transcript.audio_format = properties.audio_format;
            transcript.sampling_rate_hz = properties.sampling_rate_hz;
            transcript.duration_ms = properties.duration_ms;
            transcript.stated_channels = properties.channels;
        }
        if let Some(audio_info) = audio_info {
            transcript.audio_format = transcript.audio_format.or(audio_info.format);
            transcript.sampling_rate_hz = transcript.sampling_rate_hz.or(audio_info.sample_rate_hz);
        }
        transcript
    }
}
