//! The result of measuring one call: a row type for each table. The [catalogue](super::catalogue) declares what each
//! field means, its unit and when it is null.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::conversation::{Basis, CleanSentence, Conversation};
use super::floor::Floor;
use super::hits::Occurrence;
use super::interval::Interval;
use super::keywords::Keywords;
use super::onsets::EventKind;
use super::reason::Reasons;
use super::texts::Texts;
use crate::catalog::Region;
use crate::text::{Markers, trim};
use crate::transcript::{Code, Sentence, Severity, Word};

/// All figures of one call: the result of [`measure`](super::measure).
#[derive(Debug)]
#[non_exhaustive]
pub struct Measured<'t> {
    /// The call's name in the tables.
    pub file: String,
    /// One row: the call.
    pub call: Call,
    /// In participant order.
    pub participants: Vec<Participant>,
    /// By time.
    pub turns: Vec<Turn>,
    /// By time and kind.
    pub events: Vec<Event>,
    /// Of keywords: by keyword, then time.
    pub hits: Vec<Hit>,
    /// By rule, in the order of their file; empty until [`Rules::apply`](crate::rules::Rules::apply) fills it.
    pub rules: Vec<RuleRow>,
    /// What proves the rules that matched: by rule, then time. In the table they follow [`Measured::hits`].
    pub rule_hits: Vec<Hit>,
    /// By participant, then time.
    pub windows: Vec<Window>,
    /// By channel.
    pub billable: Vec<BillableTrack>,
    /// In the order of [`Code`]; the table has those with [`Code::is_tabled`].
    pub warnings: Vec<Warning>,
    /// The region of the model that made the transcript, if known.
    pub region: Option<Region>,
    pub(super) conversation: Conversation<'t>,
    pub(super) floor: Floor,
}

impl Measured<'_> {
    /// Where the terms of a list occur: by term, then begin, end, participant.
    pub(crate) fn search(&self, keywords: &Keywords) -> Vec<Occurrence> {
        super::hits::search(&self.conversation, &self.floor, &mut Texts::default(), keywords)
    }

    /// How markers in its texts are treated.
    pub(crate) fn markers(&self) -> Markers {
        self.conversation.markers
    }

    /// Sets the model and region that made the transcript, where they are known better than from
    /// [`Settings`](super::Settings).
    pub fn set_origin(&mut self, model: &str, region: Option<Region>) {
        self.call.model = Some(model.to_owned());
        self.region = region;
    }
}

/// A row of `calls`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each field is a column: see the catalogue")]
pub struct Call {
    pub file_url: Option<String>,
    pub model: Option<String>,
    pub audio_format: Option<String>,
    pub sampling_rate_hz: Option<i64>,
    pub duration_ms: Option<i64>,
    pub duration_source: Option<&'static str>,
    pub span_start_ms: Option<i64>,
    pub span_end_ms: Option<i64>,
    pub span_ms: Option<i64>,
    pub lead_silence_ms: Option<i64>,
    pub tail_silence_ms: Option<i64>,
    pub speech_ms: Option<i64>,
    pub silence_ms: Option<i64>,
    pub silence_ratio: Option<f64>,
    pub longest_silence_ms: Option<i64>,
    pub dead_air_count: Option<i64>,
    pub dead_air_ms: Option<i64>,
    pub overlap_ms: Option<i64>,
    pub overlap_ratio: Option<f64>,
    pub participant_count: i64,
    pub channel_count: i64,
    pub sentence_count: i64,
    pub turn_count: Option<i64>,
    pub switch_count: Option<i64>,
    pub switches_per_min: Option<f64>,
    pub onset_count: Option<i64>,
    pub interruption_count: Option<i64>,
    pub backchannel_count: Option<i64>,
    pub units: Option<i64>,
    pub words: Option<i64>,
    pub han_chars: i64,
    pub units_per_min: Option<f64>,
    pub keyword_hit_count: Option<i64>,
    pub billable_ms: Option<i64>,
    pub billable_source: Option<&'static str>,
    pub warning_count: i64,
    #[serde(rename = "reason")]
    pub reasons: Reasons,
    pub source_format: Option<&'static str>,
}

/// A row of `participants`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each field is a column: see the catalogue")]
pub struct Participant {
    pub participant: String,
    pub role: Option<String>,
    pub channel_id: Option<u32>,
    pub speaker_id: Option<i64>,
    pub basis: Option<Basis>,
    pub talk_ms: Option<i64>,
    pub talk_share: Option<f64>,
    pub talk_per_span: Option<f64>,
    pub talk_listen_ratio: Option<f64>,
    pub turn_count: Option<i64>,
    pub turn_ms_p50: Option<i64>,
    pub longest_turn_ms: Option<i64>,
    pub monologue_count: Option<i64>,
    pub units: Option<i64>,
    pub words: Option<i64>,
    pub han_chars: i64,
    pub units_per_min: Option<f64>,
    pub articulation_units_per_min: Option<f64>,
    pub response_ms_p50: Option<i64>,
    pub response_ms_p90: Option<i64>,
    pub response_n: Option<i64>,
    pub response_early_ratio: Option<f64>,
    pub slow_response_count: Option<i64>,
    pub interruption_count: Option<i64>,
    pub interrupted_count: Option<i64>,
    pub backchannel_count: Option<i64>,
    pub side_speech_count: Option<i64>,
    pub terminal_overlap_count: Option<i64>,
    pub simultaneous_start_count: Option<i64>,
    pub overlap_ms: Option<i64>,
    pub question_count: i64,
    pub keyword_hit_count: Option<i64>,
    pub first_begin_ms: Option<i64>,
    pub last_end_ms: Option<i64>,
    pub emotions: Option<String>,
    #[serde(rename = "reason")]
    pub reasons: Reasons,
}

/// A row of `bursts`: a stretch in which one participant talks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BurstRow {
    /// Index into [`Measured::participants`].
    pub participant: usize,
    /// From the first word to the last; pauses inside are at most `join_gap_ms`.
    pub interval: Interval,
}

/// A row of `turns`. Participants here and below are indices into [`Measured::participants`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each field is a column: see the catalogue")]
pub struct Turn {
    pub turn_index: i64,
    pub participant: usize,
    pub begin_ms: i64,
    pub end_ms: i64,
    pub talk_ms: i64,
    pub units: Option<i64>,
    pub text: String,
}

/// A row of `events`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each field is a column: see the catalogue")]
pub struct Event {
    pub event_index: i64,
    pub kind: EventKind,
    pub participant: usize,
    pub other: usize,
    pub begin_ms: i64,
    pub end_ms: i64,
    pub overlap_ms: Option<i64>,
    pub held_ms: Option<i64>,
    #[serde(serialize_with = "optional_text")]
    pub text: Option<Arc<str>>,
}

/// Where the times of a hit come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TimeBasis {
    /// The matched words' own times.
    Words,
    /// The sentence's: the hit is somewhere inside.
    Sentences,
    /// The hit has no time.
    None,
    /// Nothing was found: it is the part of the call that was searched.
    Window,
}

impl TimeBasis {
    /// The basis of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Words, Self::Sentences, Self::None, Self::Window].into_iter().find(|basis| basis.name() == name)
    }

    /// The value of the column `time_basis`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::Sentences => "sentences",
            Self::None => "none",
            Self::Window => "window",
        }
    }
}

/// A row of `rules`: what became of one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each field is a column: see the catalogue")]
pub struct RuleRow {
    #[serde(serialize_with = "shared_text")]
    pub rule: Arc<str>,
    pub severity: &'static str,
    pub matched: Option<bool>,
    pub count: i64,
    pub first_ms: Option<i64>,
}

/// A row of `hits`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each field is a column: see the catalogue")]
pub struct Hit {
    #[serde(serialize_with = "shared_text")]
    pub rule: Arc<str>,
    pub hit_index: i64,
    pub participant: Option<usize>,
    #[serde(serialize_with = "shared_text")]
    pub term: Arc<str>,
    pub begin_ms: Option<i64>,
    pub end_ms: Option<i64>,
    pub time_basis: TimeBasis,
    pub matched: String,
    #[serde(serialize_with = "shared_text")]
    pub text: Arc<str>,
}

fn shared_text<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

fn optional_text<S: Serializer>(text: &Option<Arc<str>>, serializer: S) -> Result<S::Ok, S::Error> {
    text.as_deref().serialize(serializer)
}

/// A row of `windows`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each field is a column: see the catalogue")]
pub struct Window {
    pub participant: usize,
    pub window_index: i64,
    pub begin_ms: i64,
    pub end_ms: i64,
    pub talk_ms: Option<i64>,
    pub units: Option<i64>,
    pub units_per_min: Option<f64>,
}

/// A row of `costs`: the speech of one transcribed track that is billed. Model and region are those of the call, and
/// [`billing`](crate::billing::result_lines) knows prices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each field is a column: see the catalogue")]
pub struct BillableTrack {
    pub channel_id: u32,
    pub billable_ms: Option<i64>,
    pub billable_source: Option<&'static str>,
    pub billed_seconds: Option<i64>,
}

/// A row of `warnings`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Warning {
    /// What was found.
    #[serde(serialize_with = "code_name")]
    pub code: Code,
    /// How much it matters; for [`Code::SelfOverlapMs`] more where over a quarter of a participant's talk is concerned.
    pub severity: Severity,
    /// How often.
    pub count: u64,
    /// The first place, in words.
    pub detail: Option<String>,
}

fn code_name<S: Serializer>(code: &Code, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(code.name())
}

/// A row of `sentences`.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each field is a column: see the catalogue")]
pub struct SentenceRow<'m> {
    pub channel_id: u32,
    pub sentence_index: u32,
    pub participant: usize,
    /// Cleaned; `None` when missing or ignored.
    pub interval: Option<Interval>,
    pub units: Option<i64>,
    pub(super) cleaned: &'m CleanSentence,
    pub(super) sentence: &'m Sentence<'m>,
}

/// A row of `words`.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each field is a column: see the catalogue")]
pub struct WordRow<'m> {
    pub channel_id: u32,
    pub sentence_index: u32,
    pub word_index: u32,
    pub participant: usize,
    /// Cleaned; `None` when missing or ignored.
    pub interval: Option<Interval>,
    word: &'m Word<'m>,
}

impl<'m> WordRow<'m> {
    /// As received, trimmed.
    #[must_use]
    pub fn text(&self) -> &'m str {
        trim(&self.word.text)
    }

    /// As received, trimmed.
    #[must_use]
    pub fn punctuation(&self) -> &'m str {
        trim(&self.word.punctuation)
    }
}

impl Measured<'_> {
    /// The label of a participant by its index.
    #[must_use]
    pub fn label(&self, participant: usize) -> &str {
        self.participants.get(participant).map_or("", |participant| &participant.participant)
    }

    /// Whether a participant has this label, alone or merged with others by a role.
    #[must_use]
    pub fn has_label(&self, label: &str) -> bool {
        self.participants.iter().any(|participant| participant.participant.split('+').any(|part| part == label))
    }

    /// The role of a participant by its index.
    #[must_use]
    pub fn role(&self, participant: usize) -> Option<&str> {
        self.participants.get(participant)?.role.as_deref()
    }

    /// When each participant talked, by participant, then time.
    pub fn bursts(&self) -> impl Iterator<Item = BurstRow> {
        self.conversation
            .bursts
            .iter()
            .map(|burst| BurstRow { participant: burst.participant as usize, interval: burst.interval })
    }

    /// The sentences, cleaned, by channel and position.
    pub fn sentences(&self) -> impl Iterator<Item = SentenceRow<'_>> {
        self.conversation.sentences.iter().map(|cleaned| SentenceRow {
            channel_id: self.channel_id(cleaned),
            sentence_index: cleaned.index,
            participant: cleaned.participant as usize,
            interval: cleaned.own,
            units: cleaned.units.units().map(i64::from),
            cleaned,
            sentence: self.conversation.sentence(cleaned),
        })
    }

    /// The words, cleaned, by channel, sentence and position.
    pub fn words(&self) -> impl Iterator<Item = WordRow<'_>> {
        self.sentences().flat_map(|sentence| self.words_of(sentence))
    }

    /// The words of one of its sentences.
    pub(crate) fn words_of<'m>(&'m self, sentence: SentenceRow<'m>) -> impl Iterator<Item = WordRow<'m>> {
        let SentenceRow { channel_id, sentence_index, participant, cleaned, sentence, .. } = sentence;
        let intervals = self.conversation.words.get(cleaned.words.start as usize..cleaned.words.end as usize);
        let words = sentence.words.iter().zip(intervals.unwrap_or(&[]));
        words.map(move |(word, interval)| WordRow {
            channel_id,
            sentence_index,
            word_index: word.index,
            participant,
            interval: *interval,
            word,
        })
    }

    fn channel_id(&self, cleaned: &CleanSentence) -> u32 {
        self.conversation.transcript.channels.get(cleaned.channel as usize).map_or(0, |channel| channel.id)
    }
}

impl SentenceRow<'_> {
    /// The sentence's text, trimmed; that of its words where it has none of its own.
    #[must_use]
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        super::conversation::sentence_text(self.sentence)
    }

    /// `sentence_id` as received.
    #[must_use]
    pub fn sentence_id(&self) -> Option<i64> {
        self.sentence.sentence_id
    }

    /// The language, as received.
    #[must_use]
    pub fn language(&self) -> Option<&str> {
        self.sentence.language.as_deref()
    }

    /// The emotion, as received.
    #[must_use]
    pub fn emotion(&self) -> Option<&str> {
        self.sentence.emotion.as_deref()
    }

    /// Where its time comes from; `None` without a usable time.
    #[must_use]
    pub fn basis(&self) -> Option<Basis> {
        self.cleaned.basis
    }
}
