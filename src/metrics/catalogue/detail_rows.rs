//! The tables `turns`, `events`, `hits`, `windows`, `sentences` and `words`.

use super::super::Interval;
use super::{Column, Kind, Table, table};

table! {
    /// `turns`: one row a turn.
    TURNS "turns" "one row a turn", |call, row| call.turns.iter();
    file Text "" null "" "the call: path of the result file below the given folder" "" => call.file.as_str();
    turn_index Integer "" null "" "from 0, in order of time" "F24" => row.turn_index;
    participant Text "" null "" "whose it is" "" => call.label(row.participant);
    role Text "" null "no role was given" "role by --role" "" => call.role(row.participant);
    begin_ms Integer "ms" null "" "where it begins" "" => row.begin_ms;
    end_ms Integer "ms" null "" "where it ends" "" => row.end_ms;
    talk_ms Integer "ms" null "" "talk inside the turn: pauses above join_gap_ms are out" "F16" => row.talk_ms;
    units Integer "units" null "script_needs_dictionary" "as in calls, of the turn's text" "2.9, F16" => row.units;
    text Text "" null "" "what was said; sentences that lie inside whole, of others the words inside" "F16" => row.text.as_str();
}

table! {
    /// `events`: one row a dead air, overlap onset or equal start.
    EVENTS "events" "one row an event", |call, row| call.events.iter();
    file Text "" null "" "the call: path of the result file below the given folder" "" => call.file.as_str();
    event_index Integer "" null "" "from 0, in order of time; `talkmeter explain` takes it" "F24" => row.event_index;
    kind Text "" null "" "dead_air, interruption, backchannel, side_speech, terminal_overlap or simultaneous_start" "2.3, 2.7" => row.kind.name();
    participant Text "" null "" "who started; at dead air who spoke before it" "F22–F24" => call.label(row.participant);
    other Text "" null "" "the incumbent; at dead air who spoke after it" "F22–F24" => call.label(row.other);
    begin_ms Integer "ms" null "" "where it begins" "" => row.begin_ms;
    end_ms Integer "ms" null "" "where it ends" "" => row.end_ms;
    overlap_ms Integer "ms" null "dead air" "how long both talked" "2.7, F22" => row.overlap_ms;
    held_ms Integer "ms" null "dead air" "how long the incumbent had been talking; 0 for an equal start" "2.7, F23" => row.held_ms;
    text Text "" null "dead air" "text of the burst; of a burst over 16 KiB the beginning" "F16" => row.text.as_deref();
}

table! {
    /// `hits`: one row a keyword hit.
    HITS "hits" "one row a hit", |call, row| call.hits.iter();
    file Text "" null "" "the call: path of the result file below the given folder" "" => call.file.as_str();
    rule Text "" null "" "the keyword as given" "2.10" => row.rule.as_ref();
    hit_index Integer "" null "" "from 0 for each call and rule" "F37" => row.hit_index;
    participant Text "" null "" "whose it is" "" => call.label(row.participant);
    role Text "" null "no role was given" "role by --role" "" => call.role(row.participant);
    term Text "" null "" "the term that matched" "F37" => row.term.as_ref();
    begin_ms Integer "ms" null "no time" "begin of the first matched word, else of its sentence" "F37" => row.begin_ms;
    end_ms Integer "ms" null "no time" "end of the last matched word, else of its sentence" "F37" => row.end_ms;
    time_basis Text "" null "" "words, sentences or none" "F37" => row.time_basis.name();
    matched Text "" null "" "what matched, as it stands in the transcript" "F37" => row.matched.as_str();
    text Text "" null "" "the turn; of a turn over 16 KiB the part around the hit" "F37" => row.text.as_ref();
}

table! {
    /// `windows`: one row a participant and window.
    WINDOWS "windows" "one row a participant and window", |call, row| call.windows.iter();
    file Text "" null "" "the call: path of the result file below the given folder" "" => call.file.as_str();
    participant Text "" null "" "whose it is" "" => call.label(row.participant);
    window_index Integer "" null "" "from 0; windows tile the span" "F36" => row.window_index;
    begin_ms Integer "ms" null "" "where it begins" "" => row.begin_ms;
    end_ms Integer "ms" null "" "where it ends" "" => row.end_ms;
    talk_ms Integer "ms" null "no_times" "talk of the participant inside the window" "F36" => row.talk_ms;
    units Integer "units" null "script_needs_dictionary, no_times" "units whose words begin inside the window" "F36" => row.units;
    units_per_min Number "units/min" null "as units; untimed_text, too_little_speech in the window" "units × 60000 / talk_ms" "2.8, F1" => row.units_per_min;
}

table! {
    /// `sentences`: the sentences, cleaned.
    SENTENCES "sentences" "one row a sentence", |call, row| call.sentences();
    file Text "" null "" "the call: path of the result file below the given folder" "" => call.file.as_str();
    channel_id Integer "" null "" "the transcribed track" "F10" => row.channel_id;
    sentence_index Integer "" null "" "from 0 for each channel, as received" "F10" => row.sentence_index;
    sentence_id Integer "" null "not in the file" "as received: from 1, with Qwen3 from 0" "F9" => row.sentence_id();
    participant Text "" null "" "whose it is" "" => call.label(row.participant);
    begin_ms Integer "ms" null "missing or ignored" "its own begin, clipped to the recording" "F13" => row.interval.map(|interval: Interval| interval.begin);
    end_ms Integer "ms" null "missing or ignored" "its own end, clipped to the recording" "F13" => row.interval.map(|interval: Interval| interval.end);
    text Text "" null "" "as received, trimmed; where it has none, that of its words" "F13" => row.text();
    units Integer "units" null "script_needs_dictionary" "as in calls" "2.9" => row.units;
}

table! {
    /// `words`: the words, cleaned.
    WORDS "words" "one row a word", |call, row| call.words();
    file Text "" null "" "the call: path of the result file below the given folder" "" => call.file.as_str();
    channel_id Integer "" null "" "the transcribed track" "F10" => row.channel_id;
    sentence_index Integer "" null "" "from 0 for each channel, as received" "F10" => row.sentence_index;
    word_index Integer "" null "" "from 0 for each sentence, as received" "F10" => row.word_index;
    participant Text "" null "" "whose it is" "" => call.label(row.participant);
    begin_ms Integer "ms" null "missing or ignored" "its begin, clipped to the recording" "F13" => row.interval.map(|interval: Interval| interval.begin);
    end_ms Integer "ms" null "missing or ignored" "its end, clipped to the recording" "F13" => row.interval.map(|interval: Interval| interval.end);
    text Text "" null "" "as received, trimmed" "F13" => row.text();
    punctuation Text "" null "" "as received, trimmed" "F13" => row.punctuation();
}
