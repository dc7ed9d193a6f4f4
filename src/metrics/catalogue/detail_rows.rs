//! The tables `turns`, `events`, `hits`, `windows`, `sentences` and `words`.

use super::super::Interval;
use super::{Column, Kind, Table, table};

table! {
    /// `turns`: one row a turn.
    TURNS "turns" "one row a turn", |call, row| call.turns.iter();
    file Text "" null "" "the call: path of the result file below the given folder" "" => call.file.as_str();
    turn_index Integer "" null "" "from 0, in order of time" "turn" => row.turn_index;
    participant Text "" null "" "whose it is" "" => call.label(row.participant);
    role Text "" null "no role was given" "role by --role" "" => call.role(row.participant);
    begin_ms Integer "ms" null "" "where it begins" "" => row.begin_ms;
    end_ms Integer "ms" null "" "where it ends" "" => row.end_ms;
    talk_ms Integer "ms" null "" "talk inside the turn: pauses above join_gap_ms are out" "turn text" => row.talk_ms;
    units Integer "units" null "script_needs_dictionary" "as in calls, of the turn's text" "turn text" => row.units;
    text Text "" null "" "what was said; sentences that lie inside whole, of others the words inside" "turn text" => row.text.as_str();
}

table! {
    /// `events`: one row a dead air, overlap onset or equal start.
    EVENTS "events" "one row an event", |call, row| call.events.iter();
    file Text "" null "" "the call: path of the result file below the given folder" "" => call.file.as_str();
    event_index Integer "" null "" "from 0, in order of time; `talkmeter explain` takes it" "event" => row.event_index;
    kind Text "" null "" "dead_air, interruption, backchannel, side_speech, terminal_overlap or simultaneous_start" "event" => row.kind.name();
    participant Text "" null "" "who started; at dead air who spoke before it" "event" => call.label(row.participant);
    other Text "" null "" "the incumbent; at dead air who spoke after it" "event" => call.label(row.other);
    begin_ms Integer "ms" null "" "where it begins" "" => row.begin_ms;
    end_ms Integer "ms" null "" "where it ends" "" => row.end_ms;
    overlap_ms Integer "ms" null "dead air" "how long both talked" "onset" => row.overlap_ms;
    held_ms Integer "ms" null "dead air" "how long the incumbent had been talking; 0 for an equal start" "onset" => row.held_ms;
    text Text "" null "dead air" "text of the burst; of a burst over 16 KiB the beginning" "turn text" => row.text.as_deref();
}

table! {
    /// `hits`: one row a keyword hit.
    HITS "hits" "one row a hit", |call, row| call.hits.iter();
    file Text "" null "" "the call: path of the result file below the given folder" "" => call.file.as_str();
    rule Text "" null "" "the keyword as given" "keyword hit" => row.rule.as_ref();
    hit_index Integer "" null "" "from 0 for each call and rule" "keyword hit" => row.hit_index;
    participant Text "" null "" "whose it is" "" => call.label(row.participant);
    role Text "" null "no role was given" "role by --role" "" => call.role(row.participant);
    term Text "" null "" "the term that matched" "keyword hit" => row.term.as_ref();
    begin_ms Integer "ms" null "no time" "begin of the first matched word, else of its sentence" "keyword hit" => row.begin_ms;
    end_ms Integer "ms" null "no time" "end of the last matched word, else of its sentence" "keyword hit" => row.end_ms;
    time_basis Text "" null "" "words, sentences or none" "keyword hit" => row.time_basis.name();
    matched Text "" null "" "what matched, as it stands in the transcript" "keyword hit" => row.matched.as_str();
    text Text "" null "" "the turn; of a turn over 16 KiB the part around the hit" "keyword hit" => row.text.as_ref();
}

table! {
    /// `windows`: one row a participant and window.
    WINDOWS "windows" "one row a participant and window", |call, row| call.windows.iter();
    file Text "" null "" "the call: path of the result file below the given folder" "" => call.file.as_str();
    participant Text "" null "" "whose it is" "" => call.label(row.participant);
    window_index Integer "" null "" "from 0; windows tile the span" "window" => row.window_index;
    begin_ms Integer "ms" null "" "where it begins" "" => row.begin_ms;
    end_ms Integer "ms" null "" "where it ends" "" => row.end_ms;
    talk_ms Integer "ms" null "no_times" "talk of the participant inside the window" "window" => row.talk_ms;
    units Integer "units" null "script_needs_dictionary, no_times" "units whose words begin inside the window" "window" => row.units;
    units_per_min Number "units/min" null "as units; untimed_text, too_little_speech in the window" "units × 60000 / talk_ms" "speech rate" => row.units_per_min;
}

table! {
    /// `sentences`: the sentences, cleaned.
    SENTENCES "sentences" "one row a sentence", |call, row| call.sentences();
    file Text "" null "" "the call: path of the result file below the given folder" "" => call.file.as_str();
    channel_id Integer "" null "" "the transcribed track" "identifiers" => row.channel_id;
    sentence_index Integer "" null "" "from 0 for each channel, as received" "identifiers" => row.sentence_index;
    sentence_id Integer "" null "not in the file" "as received: from 1, with Qwen3 from 0" "fields" => row.sentence_id();
    participant Text "" null "" "whose it is" "" => call.label(row.participant);
    begin_ms Integer "ms" null "missing or ignored" "its own begin, clipped to the recording" "time" => row.interval.map(|interval: Interval| interval.begin);
    end_ms Integer "ms" null "missing or ignored" "its own end, clipped to the recording" "time" => row.interval.map(|interval: Interval| interval.end);
    text Text "" null "" "as received, trimmed; where it has none, that of its words" "fields" => row.text();
    units Integer "units" null "script_needs_dictionary" "as in calls" "units" => row.units;
}

table! {
    /// `words`: the words, cleaned.
    WORDS "words" "one row a word", |call, row| call.words();
    file Text "" null "" "the call: path of the result file below the given folder" "" => call.file.as_str();
    channel_id Integer "" null "" "the transcribed track" "identifiers" => row.channel_id;
    sentence_index Integer "" null "" "from 0 for each channel, as received" "identifiers" => row.sentence_index;
    word_index Integer "" null "" "from 0 for each sentence, as received" "identifiers" => row.word_index;
    participant Text "" null "" "whose it is" "" => call.label(row.participant);
    begin_ms Integer "ms" null "missing or ignored" "its begin, clipped to the recording" "time" => row.interval.map(|interval: Interval| interval.begin);
    end_ms Integer "ms" null "missing or ignored" "its end, clipped to the recording" "time" => row.interval.map(|interval: Interval| interval.end);
    text Text "" null "" "as received, trimmed" "fields" => row.text();
    punctuation Text "" null "" "as received, trimmed" "fields" => row.punctuation();
}
