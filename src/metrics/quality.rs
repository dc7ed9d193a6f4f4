//! What the measured call says about its file: copies, clocks, units, gaps in what was asked for (definitions:
//! duplicate channels, interpolated words, channel skew, time unit, warning).

use std::cell::OnceCell;
use std::collections::HashMap;

use super::conversation::{Basis, Conversation, Piece};
use super::figures::ParticipantTotals;
use super::interval::Interval;
use super::percentile::percentile;
use super::sweep::Sweep;
use crate::transcript::{Code, Place};

/// Largest distance between copies of a word in two channels.
const COPY_TOLERANCE_MS: i64 = 100;

/// Most candidates considered for one copy: a bound for hostile files.
const COPY_CANDIDATES: usize = 100;

/// Files with more speaking channels are not searched for copies: no recording has that many.
const MOST_CHANNELS: usize = 64;

/// Fewest offsets in each direction from which clock skew is inferred.
const SKEW_MIN_OFFSETS: usize = 10;

/// One in this many ms of a participant's talk may overlap their own; above it the file seems to be made of parts whose
/// times all begin at zero (definitions: copies).
const STITCHED_SHARE: i128 = 4;

/// Adds the notices that need the whole conversation.
pub(super) fn note(conversation: &mut Conversation<'_>, sweep: &Sweep, totals: &[ParticipantTotals], duplicates: bool) {
    let nowhere = Place::default();
    let transcript = conversation.transcript;
    let missing =
        transcript.stated_channels.iter().filter(|id| transcript.channels.iter().all(|channel| channel.id != **id));
    for &id in missing {
        conversation.notices.add(Code::MissingChannel, Place { channel: Some(id), ..nowhere }, "");
    }
    if conversation.pieces.is_empty() {
        conversation.notices.add(Code::NothingToMeasure, nowhere, "");
    }
    let by_words = conversation.sentences.iter().any(|sentence| sentence.basis == Some(Basis::Words));
    if by_words {
        let mut notices = std::mem::take(&mut conversation.notices);
        for sentence in conversation.sentences.iter().filter(|sentence| sentence.basis == Some(Basis::Sentences)) {
            let channel = transcript.channels.get(sentence.channel as usize).map(|channel| channel.id);
            notices.add(Code::MixedBasis, Place { channel, sentence: Some(sentence.index), ..nowhere }, "");
        }
        conversation.notices = notices;
    }
    let twice = totals.iter().map(ParticipantTotals::self_overlap_ms).fold(0, i64::saturating_add);
    conversation.notices.add_many(Code::SelfOverlapMs, twice.unsigned_abs(), nowhere, "");
    conversation.is_stitched = totals.iter().zip(&sweep.talk_ms).any(|(total, &talk)| {
        let overlap = i128::from(total.self_overlap_ms());
        overlap * STITCHED_SHARE > i128::from(talk)
    });
    let all_talk: i64 = sweep.talk_ms.iter().sum();
    for ((participant, &talk), total) in conversation.participants.iter().zip(&sweep.talk_ms).zip(totals) {
        if !participant.known && talk * 20 > all_talk {
            let place = Place { channel: participant.channel_id, ..nowhere };
            conversation.notices.add_many(Code::UnknownSpeaker, total.sentences, place, "");
        }
    }
    if duplicates {
        conversation.notices.add(Code::DuplicateChannels, nowhere, "");
    }
    if skewed(conversation, totals) {
        conversation.notices.add(Code::PossibleChannelSkew, nowhere, "");
    }
    if suspicious_unit(&mut conversation.word_lengths) {
        conversation.notices.add(Code::SuspiciousTimeUnit, nowhere, "");
    }
}

/// Whether the clocks of two channels may be skewed: two participants seem to answer each other with opposite delays.
fn skewed(conversation: &Conversation<'_>, totals: &[ParticipantTotals]) -> bool {
    let [one, two] = totals else { return false };
    let enough = |total: &ParticipantTotals| total.offsets.len() >= SKEW_MIN_OFFSETS;
    if conversation.transcript.channels.len() != 2 || !enough(one) || !enough(two) {
        return false;
    }
    let median = |total: &ParticipantTotals| percentile(&mut total.offsets.clone(), 50).unwrap_or(0);
    let (one, two) = (median(one), median(two));
    one.signum() * two.signum() < 0 && (one - two).abs() > 1000
}

/// Whether times may be in the wrong unit: at least ten words with a median length below 20 ms or above 2 s.
fn suspicious_unit(lengths: &mut [i64]) -> bool {
    if lengths.len() < 10 {
        return false;
    }
    let count = |is_odd: fn(i64) -> bool| lengths.iter().filter(|length| is_odd(**length)).count();
    if 2 * count(|length| length < 20).max(count(|length| length > 2000)) < lengths.len() - 1 {
        // Both values in the middle are within the bounds.
        return false;
    }
    let (middle, even) = (lengths.len() / 2, lengths.len().is_multiple_of(2));
    let (below, median, _) = lengths.select_nth_unstable(middle);
    let (upper, lower) = (*median, below.iter().max().copied().unwrap_or(*median));
    let twice = if even { upper + lower } else { 2 * upper };
    !(40..=4000).contains(&twice)
}

/// Whether any pair of channels carries the same speech.
pub(super) fn duplicate_channels(conversation: &Conversation<'_>) -> bool {
    let mut tracks: Vec<Track<'_>> = Vec::new();
    tracks.resize_with(conversation.transcript.channels.len(), Track::default);
    for piece in &conversation.pieces {
        let sentence = conversation.sentences.get(piece.sentence as usize);
        if let Some(track) = sentence.and_then(|sentence| tracks.get_mut(sentence.channel as usize)) {
            track.pieces.push(piece);
        }
    }
    tracks.retain(|track| !track.pieces.is_empty());
    if !(2..=MOST_CHANNELS).contains(&tracks.len()) {
        return false;
    }
    for track in &mut tracks {
        // A sorted run for each participant, which a stable sort merges.
        track.pieces.sort_by_key(|piece| piece.interval);
        track.length = track.pieces.iter().map(|piece| i128::from(piece.interval.length())).sum();
    }
    let pairs =
        tracks.iter().enumerate().flat_map(|(index, one)| tracks.iter().skip(index + 1).map(move |two| (one, two)));
    pairs.into_iter().any(|(lower, higher)| lower.is_copied_by(higher, conversation))
}

/// The pieces of one channel.
#[derive(Default)]
struct Track<'c> {
    /// By time.
    pieces: Vec<&'c Piece>,
    length: i128,
    /// By time and text; computed when first needed.
    texts: OnceCell<Vec<(Interval, String)>>,
}

impl Track<'_> {
    /// Whether the pieces of `other` that repeat one of these make up more than four fifths of the longer track.
    fn is_copied_by(&self, other: &Self, conversation: &Conversation<'_>) -> bool {
        let enough = |taken: i128| taken * 5 > self.length.max(other.length) * 4;
        // Lengths and times alone rule out most pairs, before any text is compared.
        enough(other.length) && enough(other.near(self)) && enough(self.taken_from(other, conversation))
    }

    /// Total length of the pieces near whose begin a piece of `other` begins: an upper bound of [`Self::taken_from`].
    fn near(&self, other: &Self) -> i128 {
        let mut rest = other.pieces.as_slice();
        let mut length = 0;
        for piece in &self.pieces {
            let begin = piece.interval.begin;
            while let [first, others @ ..] = rest
                && first.interval.begin < begin - COPY_TOLERANCE_MS
            {
                rest = others;
            }
            if rest.first().is_some_and(|other| other.interval.begin <= begin + COPY_TOLERANCE_MS) {
                length += i128::from(piece.interval.length());
            }
        }
        length
    }

    /// Pairs each piece with the first unused piece of `other` that has the same text and time; returns the length of
    /// those paired.
    fn taken_from(&self, other: &Self, conversation: &Conversation<'_>) -> i128 {
        let mut unused: HashMap<&str, Vec<(Interval, bool)>> = HashMap::new();
        for (interval, text) in other.texts(conversation) {
            unused.entry(text).or_default().push((*interval, true));
        }
        let mut length = 0;
        for (interval, text) in self.texts(conversation) {
            let Some(candidates) = unused.get_mut(&**text) else { continue };
            let first = candidates.partition_point(|(other, _)| other.begin < interval.begin - COPY_TOLERANCE_MS);
            let copy = candidates
                .iter_mut()
                .skip(first)
                .take(COPY_CANDIDATES)
                .take_while(|(other, _)| other.begin <= interval.begin + COPY_TOLERANCE_MS)
                .find(|(other, free)| *free && close(*interval, *other));
            if let Some((taken, free)) = copy {
                *free = false;
                length += i128::from(taken.length());
            }
        }
        length
    }

    fn texts(&self, conversation: &Conversation<'_>) -> &[(Interval, String)] {
        self.texts.get_or_init(|| {
            let mut texts: Vec<(Interval, String)> =
                self.pieces.iter().map(|piece| (piece.interval, text(conversation, piece))).collect();
            texts.sort_unstable();
            texts
        })
    }
}

fn close(one: Interval, two: Interval) -> bool {
    (one.begin - two.begin).abs() <= COPY_TOLERANCE_MS && (one.end - two.end).abs() <= COPY_TOLERANCE_MS
}

/// The piece's words without punctuation; the sentence's text for a sentence piece.
fn text(conversation: &Conversation<'_>, piece: &Piece) -> String {
    let Some(sentence) = conversation.sentences.get(piece.sentence as usize) else { return String::new() };
    if sentence.basis != Some(Basis::Words) {
        return conversation.text(sentence).into_owned();
    }
    let words = conversation.words_of(sentence, piece.first_word..piece.end_word);
    let mut text = String::new();
    for word in words {
        crate::text::join_into(&mut text, &word.text);
    }
    text
}
