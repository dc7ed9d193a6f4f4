//! A transcript cleaned for measuring: intervals, pieces and bursts, and notices of what was wrong with it
//! (definitions: time, piece, burst).
//!
//! Every figure is computed from this alone.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use memchr::memchr;

use super::interval::{Interval, Unusable, clean, union_length};
use super::participants::{Identity, Participants, Roles};
use super::pieces::cut_sentence;
use crate::text::{Markers, Units, count, join_into, same_alphanumerics, trim};
use crate::transcript::foreign::Format;
use crate::transcript::{Code, Notices, Place, Sentence, Transcript, Word};

/// Where the times of a sentence or a participant come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Basis {
    /// Word times.
    Words,
    /// Sentence times: pauses inside count as talk.
    Sentences,
    /// Some sentences by words, some by their own times.
    Mixed,
}

impl Basis {
    /// The value of the column `basis`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::Sentences => "sentences",
            Self::Mixed => "mixed",
        }
    }
}

/// One sentence after cleaning.
#[derive(Debug, Clone)]
pub(crate) struct CleanSentence {
    /// Index of its channel in the transcript.
    pub(crate) channel: u32,
    /// Its position in the channel.
    pub(crate) index: u32,
    /// Index into [`Conversation::participants`].
    pub(crate) participant: u32,
    /// The sentence's own interval; `None` when missing or ignored.
    pub(crate) own: Option<Interval>,
    /// A range of [`Conversation::words`].
    pub(crate) words: Range<u32>,
    /// `None` for a sentence without pieces.
    pub(crate) basis: Option<Basis>,
    pub(crate) pieces: u32,
    /// Length of the union of its pieces.
    pub(crate) talk_ms: i64,
    pub(crate) units: Units,
    /// Units without a time (definitions: untimed text).
    pub(crate) untimed_units: u32,
    /// It has text, but neither it nor any of its words has a valid interval.
    pub(crate) untimed: bool,
    /// Its words are evenly spread (definitions: interpolated words).
    pub(crate) interpolated: bool,
}

/// The smallest timed part: a word with the untimed words after it, or a whole sentence (definitions: piece).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) participant: u32,
    /// Index into [`Conversation::sentences`].
    pub(crate) sentence: u32,
    /// A range of [`Conversation::words`].
    pub(crate) first_word: u32,
    pub(crate) end_word: u32,
    pub(crate) interval: Interval,
}

/// A stretch in which one participant talks: the union of pieces, with gaps up to `join_gap_ms` closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Burst {
    pub(crate) participant: u32,
    pub(crate) interval: Interval,
    /// A range of [`Conversation::pieces`].
    pub(crate) pieces: Range<u32>,
}

#[derive(Debug)]
pub(crate) struct Conversation<'t> {
    pub(crate) transcript: &'t Transcript<'t>,
    /// Whether markers are part of the texts.
    pub(crate) markers: Markers,
    /// As stated, else the last end seen; `None` when nothing is timed.
    pub(crate) duration_ms: Option<i64>,
    pub(crate) duration_stated: bool,
    pub(crate) participants: Vec<Identity>,
    /// By channel and position.
    pub(crate) sentences: Vec<CleanSentence>,
    /// Of all sentences in order; `None` when missing or ignored.
    pub(crate) words: Vec<Option<Interval>>,
    /// By participant, then time.
    pub(crate) pieces: Vec<Piece>,
    /// By participant, then time.
    pub(crate) bursts: Vec<Burst>,
    /// The longest piece of each sentence whose words do not spell its text: it is not divided (definitions: turn text).
    pub(crate) undivided: HashMap<u32, u32>,
    /// Raw lengths of the words with end ≥ begin (definitions: time unit).
    pub(crate) word_lengths: Vec<i64>,
    pub(crate) notices: Notices,
    /// Whether so much of a participant's talk overlaps their own that the file seems to be made of several parts.
    pub(crate) is_stitched: bool,
}

impl<'t> Conversation<'t> {
    pub(crate) fn new(transcript: &'t Transcript<'t>, roles: &Roles, join_gap_ms: i64, markers: Markers) -> Self {
        let mut participants = Participants::from_transcript(transcript, roles);
        let list = std::mem::take(&mut participants.list);
        let speaker = |channel, sentence: &Sentence<'_>| participants.index_of(channel, sentence.speaker.as_ref());
        let mut conversation = Self::without_bursts(transcript, list, speaker, markers);
        conversation.join_bursts(join_gap_ms);
        conversation
    }

    /// Sentences and pieces. `speaker` is asked once for each sentence, in order.
    pub(crate) fn without_bursts(
        transcript: &'t Transcript<'t>,
        participants: Vec<Identity>,
        mut speaker: impl FnMut(usize, &Sentence<'_>) -> u32,
        markers: Markers,
    ) -> Self {
        let sentence_count = transcript.channels.iter().map(|channel| channel.sentences.len()).sum();
        let word_count = transcript
            .channels
            .iter()
            .flat_map(|channel| &channel.sentences)
            .map(|sentence| sentence.words.len())
            .sum();
        let mut conversation = Self {
            transcript,
            markers,
            duration_ms: transcript.duration_ms,
            duration_stated: transcript.duration_ms.is_some(),
            participants,
            sentences: Vec::with_capacity(sentence_count),
            words: Vec::with_capacity(word_count),
            pieces: Vec::with_capacity(word_count.max(sentence_count)),
            bursts: Vec::new(),
            undivided: HashMap::new(),
            word_lengths: Vec::with_capacity(word_count),
            notices: transcript.notices.clone(),
            is_stitched: false,
        };
        for (channel_index, channel) in transcript.channels.iter().enumerate() {
            let mut before = None;
            for (index, sentence) in channel.sentences.iter().enumerate() {
                let place = Place { channel: Some(channel.id), sentence: Some(index as u32), ..Place::default() };
                let participant = speaker(channel_index, sentence);
                let silent = channel.content_duration_ms == Some(0);
                conversation.add(sentence, (channel_index as u32, index as u32, participant), silent, place, markers);
                conversation.note_order(sentence.begin_ms, sentence.end_ms, &mut before, place);
            }
        }
        conversation.pieces.sort_unstable_by_key(|piece| {
            (piece.participant, piece.interval.begin, piece.interval.end, piece.sentence, piece.first_word)
        });
        conversation.find_longest_pieces();
        conversation
    }

    /// The sentence as received.
    pub(crate) fn sentence(&self, cleaned: &CleanSentence) -> &'t Sentence<'t> {
        static NONE: Sentence<'static> = Sentence {
            begin_ms: None,
            end_ms: None,
            text: Cow::Borrowed(""),
            sentence_id: None,
            speaker: None,
            language: None,
            emotion: None,
            words: Vec::new(),
        };
        let channel = self.transcript.channels.get(cleaned.channel as usize);
        channel.and_then(|channel| channel.sentences.get(cleaned.index as usize)).unwrap_or(&NONE)
    }

    /// The sentence's text, trimmed; that of its words where it has none (definitions: fields).
    pub(crate) fn text(&self, cleaned: &CleanSentence) -> Cow<'t, str> {
        sentence_text(self.sentence(cleaned))
    }

    /// The words of a range, such as a piece's, as received.
    pub(crate) fn words_of(&self, cleaned: &CleanSentence, range: Range<u32>) -> &'t [Word<'t>] {
        let start = cleaned.words.start;
        let words = &self.sentence(cleaned).words;
        words
            .get((range.start.saturating_sub(start)) as usize..(range.end.saturating_sub(start)) as usize)
            .unwrap_or(&[])
    }

    fn limit(&self) -> i64 {
        self.transcript.duration_ms.unwrap_or(i64::MAX)
    }

    /// Cleans one sentence and cuts it into pieces. `silent`: the service found no speech on its channel.
    fn add(
        &mut self,
        sentence: &'t Sentence<'t>,
        (channel, index, participant): (u32, u32, u32),
        silent: bool,
        place: Place,
        markers: Markers,
    ) {
        let own = self.interval(sentence.begin_ms, sentence.end_ms, place);
        let text = sentence_text(sentence);
        let units = count(&text, markers);
        let blank = units.total() == 0 && is_blank(sentence);
        // Definitions: blank sentence.
        let is_speech = !(blank && silent);
        let first_word = self.words.len() as u32;
        let first_piece = self.pieces.len();
        let sentence_number = self.sentences.len() as u32;
        let mut before = None;
        let mut untimed_units = 0;
        for word in &sentence.words {
            let place = Place { word: Some(word.index), ..place };
            let cleaned = self.word(word, own, &mut before, place);
            self.words.push(cleaned);
            if cleaned.is_none() {
                untimed_units += count(&word.text, markers).total();
            }
        }
        let words = first_word..self.words.len() as u32;
        let intervals = self.words.get(first_word as usize..).unwrap_or(&[]);
        let mut take = |range: Range<u32>, interval| {
            self.pieces.push(Piece {
                participant,
                sentence: sentence_number,
                first_word: first_word + range.start,
                end_word: first_word + range.end,
                interval,
            });
        };
        let basis = if is_speech { cut_sentence(intervals, own, &mut take) } else { None };
        let by_words = basis == Some(Basis::Words);
        let pieces = self.pieces.get(first_piece..).unwrap_or(&[]);
        let piece_count = pieces.len() as u32;
        let interpolated = by_words && evenly_spaced(pieces);
        let talk_ms = sentence_union(pieces);
        if by_words && let Some(own) = own {
            let begin = pieces.iter().map(|piece| piece.interval.begin).min().unwrap_or(own.begin);
            let end = pieces.iter().map(|piece| piece.interval.end).max().unwrap_or(own.end);
            if own.length() - (end - begin) > 2000 {
                self.notices.add(Code::SentenceLongerThanWords, place, "");
            }
        }
        if basis.is_none() && (sentence.begin_ms.is_none() || sentence.end_ms.is_none()) {
            self.notices.add(Code::UntimedSentences, place, "");
        }
        if interpolated {
            self.notices.add(Code::InterpolatedWords, place, "");
        }
        // RTTM has no texts.
        if blank && self.transcript.foreign != Some(Format::Rttm) {
            self.notices.add(Code::BlankSentence, place, "");
        }
        let zero_length = self.words.get(first_word as usize..).is_some_and(|own| own.iter().any(Option::is_some));
        if basis == Some(Basis::Sentences) && zero_length {
            self.notices.add(Code::WordsWithoutLength, place, "");
        }
        if !self.note_texts(sentence, markers, place) {
            self.undivided.insert(sentence_number, u32::MAX);
        }
        let timed = own.is_some()
            || self.words.get(first_word as usize..).is_some_and(|words| words.iter().any(Option::is_some));
        self.sentences.push(CleanSentence {
            channel,
            index,
            participant,
            own,
            words,
            basis,
            pieces: piece_count,
            talk_ms,
            units,
            untimed_units: match basis {
                Some(Basis::Words) => untimed_units,
                _ if timed => 0,
                _ => units.total(),
            },
            untimed: !timed && !text.is_empty(),
            interpolated,
        });
    }

    /// Cleans the times of one word; adds notices about its times and text.
    fn word(
        &mut self,
        word: &Word<'_>,
        own: Option<Interval>,
        before: &mut Option<i64>,
        place: Place,
    ) -> Option<Interval> {
        let cleaned = self.interval(word.begin_ms, word.end_ms, place);
        if word.begin_ms.is_none() || word.end_ms.is_none() {
            self.notices.add(Code::UntimedWords, place, "");
        }
        self.note_order(word.begin_ms, word.end_ms, before, place);
        if let (Some(cleaned), Some(begin), Some(end)) = (cleaned, word.begin_ms, word.end_ms) {
            self.word_lengths.push(end - begin);
            if own.is_some_and(|own| cleaned.begin < own.begin || cleaned.end > own.end) {
                self.notices.add(Code::WordOutsideSentence, place, "");
            }
        }
        if !self.transcript.is_printable && (has_control(&word.text) || has_control(&word.punctuation)) {
            self.notices.add(Code::ControlCharacters, place, "");
        }
        cleaned
    }

    /// The cleaned interval; adds notices about the times as received.
    fn interval(&mut self, begin: Option<i64>, end: Option<i64>, place: Place) -> Option<Interval> {
        let limit = self.limit();
        let cleaned = clean(begin, end, limit);
        if let (Some(begin), Some(end)) = (begin, end) {
            if cleaned == Err(Unusable::Negative) {
                self.notices.add(Code::NegativeInterval, place, "");
                return None;
            }
            if begin < 0 {
                self.notices.add(Code::NegativeTime, place, "");
            }
            if end > limit {
                self.notices.add(Code::EndAfterDuration, place, "");
            }
            if !self.duration_stated {
                self.duration_ms = Some(self.duration_ms.unwrap_or(0).max(end));
            }
        }
        cleaned.ok()
    }

    /// Notes an entry that begins before the timed entry in front of it (`out_of_order`, definitions: warning).
    fn note_order(&mut self, begin: Option<i64>, end: Option<i64>, before: &mut Option<i64>, place: Place) {
        let (Some(begin), Some(end)) = (begin, end) else { return };
        if end < begin {
            return;
        }
        if before.is_some_and(|before| begin < before) {
            self.notices.add(Code::OutOfOrder, place, "");
        }
        *before = Some(begin);
    }

    /// Counts oddities in the texts of a sentence; returns whether its words spell its text.
    fn note_texts(&mut self, sentence: &Sentence<'_>, markers: Markers, place: Place) -> bool {
        self.notices.add_many(Code::MaskedWords, masked_words(&sentence.text), place, "");
        if !self.transcript.is_printable && has_control(&sentence.text) {
            self.notices.add(Code::ControlCharacters, place, "");
        }
        let spelt = sentence.words.is_empty() || trim(&sentence.text).is_empty() || words_spell(sentence, markers);
        if !spelt {
            self.notices.add(Code::WordsDifferFromText, place, "");
        }
        spelt
    }

    fn find_longest_pieces(&mut self) {
        if self.undivided.is_empty() {
            return;
        }
        for (number, piece) in (0..).zip(&self.pieces) {
            let Some(longest) = self.undivided.get_mut(&piece.sentence) else { continue };
            let known = self.pieces.get(*longest as usize).map_or(0, |piece| piece.interval.length());
            if piece.interval.length() > known {
                *longest = number;
            }
        }
    }

    /// Makes the bursts anew, with gaps up to `join_gap_ms` closed.
    pub(super) fn join_bursts(&mut self, join_gap_ms: i64) {
        self.bursts.clear();
        for (number, piece) in (0..).zip(&self.pieces) {
            match self.bursts.last_mut() {
                Some(burst)
                    if burst.participant == piece.participant
                        && piece.interval.begin - burst.interval.end <= join_gap_ms =>
                {
                    burst.interval.end = burst.interval.end.max(piece.interval.end);
                    burst.pieces.end = number + 1;
                }
                _ => self.bursts.push(Burst {
                    participant: piece.participant,
                    interval: piece.interval,
                    pieces: number..number + 1,
                }),
            }
        }
    }

    /// Whether the speaker is identified: false for the participant `unknown`.
    pub(crate) fn is_known(&self, participant: u32) -> bool {
        self.participants.get(participant as usize).is_some_and(|participant| participant.known)
    }

    /// The pieces of a range, such as a burst's.
    pub(crate) fn pieces_in(&self, range: &Range<u32>) -> &[Piece] {
        self.pieces.get(range.start as usize..range.end as usize).unwrap_or(&[])
    }

    /// The sentences with a piece, of known participants, by begin and participant, overlapping or not; their number is
    /// where a burst has its pieces. A sentence without a usable time of its own takes that of its pieces.
    pub(crate) fn sentences_in_time(&self) -> Vec<Burst> {
        let mut reach: HashMap<u32, Interval> = HashMap::new();
        for piece in &self.pieces {
            let interval = piece.interval;
            reach
                .entry(piece.sentence)
                .and_modify(|known| {
                    *known = Interval { begin: known.begin.min(interval.begin), end: known.end.max(interval.end) }
                })
                .or_insert(interval);
        }
        let sentence = |(number, sentence): (u32, &CleanSentence)| {
            let own = sentence.own.filter(|own| own.length() > 0);
            let interval = reach.get(&number).map(|reach| own.unwrap_or(*reach))?;
            self.is_known(sentence.participant).then(|| Burst {
                participant: sentence.participant,
                interval,
                pieces: number..number + 1,
            })
        };
        let mut sentences: Vec<Burst> = (0..).zip(&self.sentences).filter_map(sentence).collect();
        sentences.sort_by_key(|sentence| (sentence.interval.begin, sentence.participant));
        sentences
    }

    /// The bursts by begin, end, participant.
    pub(crate) fn bursts_in_time(&self) -> Vec<&Burst> {
        let mut bursts: Vec<&Burst> = self.bursts.iter().collect();
        // A sorted run for each participant, which a stable sort merges.
        bursts.sort_by_key(|burst| (burst.interval.begin, burst.interval.end, burst.participant));
        bursts
    }
}

/// Whether the words of a sentence spell its text, markers aside.
fn words_spell(sentence: &Sentence<'_>, markers: Markers) -> bool {
    let text = markers.shown(Cow::Borrowed(&sentence.text));
    let words = || sentence.words.iter().flat_map(|word| [&*word.text, &*word.punctuation]);
    if same_alphanumerics(&text, words()) {
        return true;
    }
    let shown: Vec<Cow<'_, str>> = words().map(|word| markers.shown(Cow::Borrowed(word))).collect();
    shown.iter().any(|word| matches!(word, Cow::Owned(_)))
        && same_alphanumerics(&text, shown.iter().map(|word| &**word))
}

/// Whether neither the text nor the words of a sentence have a letter or digit, as received.
fn is_blank(sentence: &Sentence<'_>) -> bool {
    let words = sentence.words.iter().flat_map(|word| [&word.text, &word.punctuation]);
    std::iter::once(&sentence.text).chain(words).all(|text| !text.chars().any(char::is_alphanumeric))
}

/// The length of the union of one sentence's pieces.
fn sentence_union(pieces: &[Piece]) -> i64 {
    let intervals = || pieces.iter().map(|piece| piece.interval);
    if pieces.is_sorted_by_key(|piece| piece.interval.begin) {
        return union_length(intervals());
    }
    let mut sorted: Vec<Interval> = intervals().collect();
    sorted.sort_unstable();
    union_length(sorted.into_iter())
}

pub(crate) fn sentence_text<'t>(sentence: &'t Sentence<'t>) -> Cow<'t, str> {
    let own = trim(&sentence.text);
    if !own.is_empty() || sentence.words.is_empty() {
        return Cow::Borrowed(own);
    }
    let mut joined = String::new();
    join_words(&mut joined, &sentence.words);
    Cow::Owned(joined)
}

/// Appends words with their punctuation (definitions: joined text).
pub(crate) fn join_words(out: &mut String, words: &[Word<'_>]) {
    for word in words {
        let (text, punctuation) = (trim(&word.text), trim(&word.punctuation));
        if text.is_empty() {
            join_into(out, punctuation);
        } else {
            join_into(out, text);
            out.push_str(punctuation);
        }
    }
}

/// Whether words were interpolated: at least 5 timed words that abut exactly and are equally long, give or take 1 ms.
fn evenly_spaced(pieces: &[Piece]) -> bool {
    let lengths = || pieces.iter().map(|piece| piece.interval.length());
    pieces.len() >= 5
        && pieces.windows(2).all(|pair| matches!(pair, [one, two] if one.interval.end == two.interval.begin))
        && lengths().max().unwrap_or(0) - lengths().min().unwrap_or(0) <= 1
}

/// Counts runs of two or more asterisks: the service writes them for filtered words (definitions: units).
fn masked_words(text: &str) -> u64 {
    if memchr(b'*', text.as_bytes()).is_none() {
        return 0;
    }
    text.split(|c| c != '*').filter(|run| run.len() > 1).count() as u64
}

/// Whether a text has C0 controls other than TAB, LF and CR, DEL, or C1 controls.
fn has_control(text: &str) -> bool {
    let suspicious = |byte: &u8| *byte < 0x20 || *byte == 0x7F || *byte == 0xC2;
    text.as_bytes().iter().any(suspicious) && text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
}
