//! Billable time per track: speech, or the length of the audio, in ms and in whole seconds (definitions: billable speech, billed seconds).

use super::conversation::Conversation;
use super::interval::{Interval, union_length};
use super::reason::Reason;
use super::rows::{BillableTrack, Call};

/// One row per transcribed channel. `by_length`: the model is billed by the length of the audio, once for all its channels.
pub(super) fn tracks(conversation: &Conversation<'_>, by_length: bool) -> Vec<BillableTrack> {
    let mut sentences = conversation.sentences.chunk_by(|one, two| one.channel == two.channel).peekable();
    let mut tracks = Vec::with_capacity(conversation.transcript.channels.len());
    for (index, channel) in (0_u32..).zip(&conversation.transcript.channels) {
        let own =
            sentences.next_if(|sentences| sentences.first().is_some_and(|first| first.channel == index)).unwrap_or(&[]);
        let (billable_ms, billable_source) = match channel.content_duration_ms {
            _ if conversation.transcript.foreign.is_some() => (None, None),
            _ if by_length => {
                let length = conversation.transcript.duration_ms.map(|length| if index == 0 { length } else { 0 });
                (length, length.map(|_| "duration"))
            }
            Some(content) => (Some(content), Some("content_duration")),
            None => {
                let mut intervals: Vec<Interval> = own.iter().filter_map(|sentence| sentence.own).collect();
                intervals.sort_unstable();
                let untimed = intervals.is_empty() && !own.is_empty();
                let speech = (!untimed).then(|| union_length(intervals.into_iter()));
                (speech, speech.map(|_| "sentences"))
            }
        };
        tracks.push(BillableTrack {
            channel_id: channel.id,
            billable_ms,
            billable_source,
            // Rounded up per track: rows add up, and no reading of the vendor's rounding exceeds it (definitions:
            // billed seconds).
            billed_seconds: billable_ms.map(|ms| ms.div_euclid(1000) + i64::from(ms.rem_euclid(1000) > 0)),
        });
    }
    tracks
}

/// Sets the call's sum: null when any channel's is null, 0 without channels, as nothing recognised is nothing billed.
pub(super) fn sum(call: &mut Call, conversation: &Conversation<'_>, by_length: bool, tracks: &[BillableTrack]) {
    let total: Option<i64> = tracks.iter().map(|track| track.billable_ms).sum();
    let is_foreign = conversation.transcript.foreign.is_some();
    let reason = match (is_foreign, by_length) {
        (true, _) => Reason::ForeignResult,
        (false, true) => Reason::DurationUnknown,
        (false, false) => Reason::NoTimes,
    };
    call.billable_ms = call.reasons.take(total.filter(|_| !is_foreign).ok_or(reason));
    let mut sources = tracks.iter().filter_map(|track| track.billable_source);
    let first = sources.next();
    let mixed = sources.any(|source| Some(source) != first);
    call.billable_source = call.billable_ms.and(if mixed { Some("mixed") } else { first });
}
