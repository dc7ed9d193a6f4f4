//! Talk and units of each participant in windows of equal length (definitions: window).

use super::Settings;
use super::conversation::{CleanSentence, Conversation, Piece, join_words};
use super::figures::{ParticipantTotals, per_minute};
use super::interval::Interval;
use super::rows::Window;
use super::sweep::Sweep;
use crate::text;

/// Most rows per file: a time of 10^12 ms would make millions of empty windows.
const MOST_ROWS: i64 = 1_000_000;

/// The windows of a call. They tile the span from its begin; the last one may be shorter. Empty where there would be more
/// than [`MOST_ROWS`].
///
/// If the pieces of a sentence begin in several windows, each window gets the units of its words, in order of time, until
/// the sentence's own units are used up; the last window gets the rest, so that windows add up to the participant.
pub(super) fn cut(
    conversation: &Conversation<'_>,
    sweep: &Sweep,
    totals: &[ParticipantTotals],
    settings: &Settings,
) -> Vec<Window> {
    let (Some(span), length) = (sweep.span, settings.window_ms.max(1)) else { return Vec::new() };
    if are_left_out(conversation, sweep, settings) {
        return Vec::new();
    }
    let per_participant = count(span, length) as usize;
    let mut talk = vec![0_i64; per_participant * conversation.participants.len()];
    // Units, and whether they cannot be counted without a dictionary.
    let mut units = vec![(0_i64, false); talk.len()];
    let slot =
        |participant: u32, at: i64| participant as usize * per_participant + ((at - span.begin) / length) as usize;
    for burst in &conversation.bursts {
        let mut window = (burst.interval.begin - span.begin) / length;
        loop {
            let begin = span.begin + window * length;
            if begin >= burst.interval.end {
                break;
            }
            if let Some(talk) = talk.get_mut(slot(burst.participant, begin)) {
                *talk += burst.interval.length_within(begin, begin + length);
            }
            window += 1;
        }
    }
    let slot_of = |piece: &Piece| slot(piece.participant, piece.interval.begin);
    let mut pieces: Vec<&Piece> = conversation.pieces.iter().collect();
    pieces.sort_by_key(|piece| piece.sentence);
    for pieces in pieces.chunk_by(|one, two| one.sentence == two.sentence) {
        let sentence = pieces.first().and_then(|piece| conversation.sentences.get(piece.sentence as usize));
        let give = |piece: &Piece, share: u32, needs_dictionary: bool| {
            if let Some((units, undecided)) = units.get_mut(slot_of(piece)) {
                *units += i64::from(share);
                *undecided |= needs_dictionary;
            }
        };
        if let Some(sentence) = sentence {
            share(conversation, sentence, pieces, settings, slot_of, give);
        }
    }
    let mut rows = Vec::with_capacity(talk.len());
    let participants = talk.chunks(per_participant).zip(units.chunks(per_participant)).zip(totals).enumerate();
    for (participant, ((talk, units), total)) in participants {
        let timed = total.timed().is_ok();
        let countable = !total.mostly_untimed();
        for (window_index, (&talk, &(units, undecided))) in (0..).zip(talk.iter().zip(units)) {
            let begin_ms = span.begin + window_index * length;
            let counted = Some(units).filter(|_| !undecided);
            let enough = |units: &i64| {
                talk > 0
                    && (talk >= settings.parameters.rate_min_talk_ms || *units >= settings.parameters.rate_min_units)
            };
            rows.push(Window {
                participant,
                window_index,
                begin_ms,
                end_ms: (begin_ms + length).min(span.end),
                talk_ms: timed.then_some(talk),
                units: counted.filter(|_| timed),
                units_per_min: counted.filter(|_| countable).filter(enough).map(|units| per_minute(units, talk)),
            });
        }
    }
    rows
}

/// Windows of each participant.
fn count(span: Interval, length: i64) -> i64 {
    (span.length() + length - 1) / length
}

/// Whether there would be too many rows.
pub(super) fn are_left_out(conversation: &Conversation<'_>, sweep: &Sweep, settings: &Settings) -> bool {
    let windows = sweep.span.map_or(0, |span| count(span, settings.window_ms.max(1)));
    windows.saturating_mul(conversation.participants.len() as i64) > MOST_ROWS
}

/// Distributes the sentence's units over the windows in which its pieces begin.
fn share(
    conversation: &Conversation<'_>,
    sentence: &CleanSentence,
    pieces: &[&Piece],
    settings: &Settings,
    slot: impl Fn(&Piece) -> usize,
    mut give: impl FnMut(&Piece, u32, bool),
) {
    let mut left = sentence.units.total();
    let mut groups = pieces.chunk_by(|one, two| slot(one) == slot(two)).peekable();
    let mut cut = false;
    while let Some(group) = groups.next() {
        let Some(first) = group.first() else { continue };
        let last = groups.peek().is_none();
        if last && !cut {
            return give(first, left, sentence.units.needs_dictionary);
        }
        cut = true;
        let mut ranges: Vec<_> = group.iter().map(|piece| piece.first_word..piece.end_word).collect();
        ranges.sort_unstable_by_key(|range| range.start);
        let mut text = String::new();
        for range in ranges {
            join_words(&mut text, conversation.words_of(sentence, range));
        }
        let spoken = text::count(&text, settings.markers);
        let part = match (sentence.units.needs_dictionary, last) {
            // The sentence has no total: each window gets what can be counted in it.
            (true, _) => spoken.total(),
            (false, true) => left,
            // Words that need a dictionary, in a sentence that as a whole does not, count in the last window.
            (false, false) if spoken.needs_dictionary => 0,
            (false, false) => spoken.total().min(left),
        };
        left = left.saturating_sub(part);
        give(first, part, sentence.units.needs_dictionary && spoken.needs_dictionary);
    }
}
