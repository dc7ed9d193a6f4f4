//! RTTM, CTM, STM and `SegLST`. Names are columns, so their blanks become underscores.

use serde_json::json;

use super::{Call, seconds, token};
use crate::metrics::Measured;

/// A line per burst: `SPEAKER file channel begin duration <NA> <NA> name <NA> <NA>`.
pub(super) fn rttm(call: &Call, measured: &Measured<'_>) -> String {
    let mut bursts: Vec<_> = measured.bursts().collect();
    bursts.sort_by_key(|burst| (burst.interval, burst.participant));
    let line = |burst: &crate::metrics::BurstRow| {
        let channel = measured.participants.get(burst.participant).and_then(|one| one.channel_id).unwrap_or(0) + 1;
        let (begin, length) = (seconds(burst.interval.begin), seconds(burst.interval.end - burst.interval.begin));
        let name = token(call.participant(burst.participant));
        format!("SPEAKER {} {channel} {begin} {length} <NA> <NA> {name} <NA> <NA>\n", call.name)
    };
    bursts.iter().map(line).collect()
}

/// A line per word with times: `file channel begin duration word`, and the speaker as the eighth column if the channel does
/// not tell.
pub(super) fn ctm(call: &Call) -> String {
    let mut lines = Vec::new();
    for sentence in &call.sentences {
        let speaker = match call.are_channels {
            true => String::new(),
            false => format!(" NA lex {}", token(call.participant(sentence.participant))),
        };
        for (word, interval) in sentence.words.iter().filter_map(|word| Some((word, word.interval?))) {
            let (begin, length) = (seconds(interval.begin), seconds(interval.end - interval.begin));
            let (channel, text) = (sentence.channel + 1, token(&word.text));
            lines.push((
                (channel, interval.begin),
                format!("{} {channel} {begin} {length} {text}{speaker}\n", call.name),
            ));
        }
    }
    // Readers expect the words of a channel in the order of time.
    lines.sort_by_key(|(key, _)| *key);
    lines.into_iter().map(|(_, line)| line).collect()
}

/// A line per sentence with times: `file channel speaker begin end [<label>] text`.
pub(super) fn stm(call: &Call) -> String {
    let mut content = String::new();
    for (sentence, interval) in call.sentences.iter().filter_map(|sentence| Some((sentence, sentence.interval?))) {
        let (begin, end) = (seconds(interval.begin), seconds(interval.end));
        let (channel, name) = (sentence.channel + 1, token(call.participant(sentence.participant)));
        // The first word in angle brackets would be taken for a label.
        let label = if sentence.text.starts_with('<') { "<O> " } else { "" };
        content += format!("{} {channel} {name} {begin} {end} {label}{}", call.name, sentence.text).trim_end();
        content.push('\n');
    }
    content
}

/// A list of sentences; those without times have none.
pub(super) fn seglst(call: &Call) -> String {
    let segments = call.sentences.iter().filter(|one| !one.text.is_empty() || one.interval.is_some()).map(|sentence| {
        let mut segment = json!({
            "session_id": call.name,
            "speaker": call.participant(sentence.participant),
            "words": sentence.text,
        });
        if let Some(interval) = sentence.interval {
            segment["start_time"] = super::whisper::seconds(interval.begin);
            segment["end_time"] = super::whisper::seconds(interval.end);
        }
        format!("  {segment}")
    });
    let segments: Vec<String> = segments.collect();
    if segments.is_empty() { "[]\n".to_owned() } else { format!("[\n{}\n]\n", segments.join(",\n")) }
}
