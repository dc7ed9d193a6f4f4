//! The tables `bursts`, `turns`, `events`, `hits`, `rules`, `windows`, `sentences` and `words`.

use super::super::Interval;
use super::{Column, Definition, Kind, Table, Unit, optional, push, table};

table! {
    /// `bursts`: when each participant talked.
    BURSTS "bursts" "one row per burst", |call, row| call.bursts();
    file Text None null NEVER
        "the call: path of the result file below the given folder"
        per call call.file.as_str();
    participant Text None null NEVER
        "the participant who talks" see Burst
        => call.label(row.participant);
    begin_ms Integer Ms null NEVER
        "where it begins" see Burst
        => row.interval.begin;
    end_ms Integer Ms null NEVER
        "where it ends: pauses up to join_gap_ms are part of the burst" see Burst
        parameters [join_gap_ms]
        => row.interval.end;
}

table! {
    /// `turns`: one row per turn.
    TURNS "turns" "one row per turn", |call, row| call.turns.iter();
    file Text None null NEVER
        "the call: path of the result file below the given folder"
        per call call.file.as_str();
    turn_index Integer None null NEVER
        "from 0, in order of time" see Turn
        => row.turn_index;
    participant Text None null NEVER
        "the participant who holds the floor"
        => call.label(row.participant);
    role Text None null NEVER or "no role was given"
        "the participant's role"
        => call.role(row.participant);
    begin_ms Integer Ms null NEVER
        "where it begins"
        => row.begin_ms;
    end_ms Integer Ms null NEVER
        "where it ends"
        => row.end_ms;
    talk_ms Integer LongMs null NEVER
        "talk inside the turn: pauses above join_gap_ms are left out" see TurnText
        parameters [join_gap_ms]
        => row.talk_ms;
    units Integer Units null COUNTABLE
        "as in calls, of the turn's text" see TurnText
        => row.units;
    text Text None null NEVER
        "the text of the turn: whole sentences, and of sentences cut by the turn the words inside" see TurnText
        => row.text.as_str();
}

table! {
    /// `events`: one row per dead air, overlap onset or equal start.
    EVENTS "events" "one row per event", |call, row| call.events.iter();
    file Text None null NEVER
        "the call: path of the result file below the given folder"
        per call call.file.as_str();
    event_index Integer None null NEVER
        "from 0, in order of time" see Event
        => row.event_index;
    kind Text None null NEVER
        "dead_air, interruption, backchannel, side_speech, terminal_overlap or simultaneous_start" see Event
        => row.kind.name();
    participant Text None null NEVER
        "who started; for dead air, who spoke before it" see Event
        => call.label(row.participant);
    role Text None null NEVER or "no role was given"
        "the participant's role"
        => call.role(row.participant);
    other Text None null NEVER
        "the incumbent; for dead air, who spoke after it" see Event
        => call.label(row.other);
    begin_ms Integer Ms null NEVER
        "where it begins"
        => row.begin_ms;
    end_ms Integer Ms null NEVER
        "where it ends"
        => row.end_ms;
    overlap_ms Integer Ms null NEVER or "dead air"
        "how long both talked" see Onset
        => row.overlap_ms;
    held_ms Integer Ms null NEVER or "dead air"
        "how long the incumbent had been talking; 0 for an equal start" see Onset
        => row.held_ms;
    text Text None null NEVER or "dead air"
        "text of the burst, cut off after 16 KiB" see TurnText
        => row.text.as_deref();
}

table! {
    /// `hits`: one row per hit of a keyword, and of a rule that matched.
    HITS "hits" "one row per hit", |call, row| call.hits.iter().chain(&call.rule_hits);
    file Text None null NEVER
        "the call: path of the result file below the given folder"
        per call call.file.as_str();
    rule Text None null NEVER
        "the keyword as given, or the id of the rule" see KeywordHit
        => row.rule.as_ref();
    hit_index Integer None null NEVER
        "from 0 for each call and rule" see KeywordHit
        => row.hit_index;
    participant Text None null NEVER or "an absence"
        "the participant who said it"
        => row.participant.map(|participant| call.label(participant));
    role Text None null NEVER or "no role was given"
        "the participant's role"
        => row.participant.and_then(|participant| call.role(participant));
    term Text None null NEVER
        "the term that matched; of an absence, all phrases that were searched" see KeywordHit
        => row.term.as_ref();
    begin_ms Integer Ms null NEVER or "no time"
        "begin of the first matched word, else of its sentence" see KeywordHit
        => row.begin_ms;
    end_ms Integer Ms null NEVER or "no time"
        "end of the last matched word, else of its sentence" see KeywordHit
        => row.end_ms;
    time_basis Text None null NEVER
        "words, sentences or none; of an absence window: begin and end are what was searched" see KeywordHit
        => row.time_basis.name();
    matched Text None null NEVER
        "the matched text as in the transcript" see KeywordHit
        => row.matched.as_str();
    text Text None null NEVER
        "the turn; of a turn over 16 KiB the part around the hit" see KeywordHit
        => row.text.as_ref();
}

table! {
    /// `rules`: what became of each rule.
    RULES "rules" "one row per call and rule", |call, row| call.rules.iter();
    file Text None null NEVER
        "the call: path of the result file below the given folder"
        per call call.file.as_str();
    rule Text None null NEVER
        "the rule's id" see Rule
        => row.rule.as_ref();
    severity Text None null NEVER
        "info, notice or serious" see Rule
        => row.severity;
    matched Boolean None null NEVER or "what it depends on is not known in this call"
        "whether the rule matched" see Rule
        => row.matched;
    count Integer Hits null NEVER
        "its rows in hits, absences aside; 0 unless it matched" see Rule
        => row.count;
    first_ms Integer Ms null NEVER or "no hit with a time"
        "begin of the first of these hits" see Rule
        => row.first_ms;
}

table! {
    /// `windows`: one row per participant and window.
    WINDOWS "windows" "one row per participant and window", |call, row| call.windows.iter();
    file Text None null NEVER
        "the call: path of the result file below the given folder"
        per call call.file.as_str();
    participant Text None null NEVER
        "the participant"
        => call.label(row.participant);
    window_index Integer None null NEVER
        "from 0; windows tile the span" see Window
        => row.window_index;
    begin_ms Integer Ms null NEVER
        "where it begins"
        => row.begin_ms;
    end_ms Integer Ms null NEVER
        "where it ends"
        => row.end_ms;
    talk_ms Integer LongMs null TIMED
        "talk of the participant inside the window" see Window
        => row.talk_ms;
    units Integer Units null COUNTABLE_IN_TIME
        "units whose words begin inside the window" see Window
        => row.units;
    units_per_min Number UnitsPerMinute null RATE_IN_WINDOW
        "units × 60000 / talk_ms" see SpeechRate
        parameters [rate_min_talk_ms rate_min_units]
        => row.units_per_min;
}

table! {
    /// `sentences`: the sentences, cleaned.
    SENTENCES "sentences" "one row per sentence", |call, row| call.sentences();
    file Text None null NEVER
        "the call: path of the result file below the given folder"
        per call call.file.as_str();
    channel_id Integer None null NEVER
        "the transcribed track" see Identifiers
        => row.channel_id;
    sentence_index Integer None null NEVER
        "from 0 for each channel, as received" see Identifiers
        => row.sentence_index;
    sentence_id Integer None null NEVER or "not in the file"
        "as received: from 1, with Qwen3 from 0" see Fields
        => row.sentence_id();
    participant Text None null NEVER
        "the participant who says it"
        => call.label(row.participant);
    begin_ms Integer Ms null NEVER or "missing or ignored"
        "its own begin, clipped to the recording" see Time
        => row.interval.map(|interval: Interval| interval.begin);
    end_ms Integer Ms null NEVER or "missing or ignored"
        "its own end, clipped to the recording" see Time
        => row.interval.map(|interval: Interval| interval.end);
    text Text None null NEVER
        "as received, trimmed; that of its words where it has none" see Fields
        => row.text();
    units Integer Units null COUNTABLE
        "as in calls" see Units
        => row.units;
    language Text None null NEVER or "not in the file"
        "the language that the recogniser recognised, as received" see LanguageAndEmotion
        => row.language();
    emotion Text None null NEVER or "not in the file"
        "the emotion that the recogniser recognised, as received" see LanguageAndEmotion
        => row.emotion();
}

table! {
    /// `words`: the words, cleaned.
    WORDS "words" "one row per word", |call, row| call.words_of(sentence), for each sentence in call.sentences();
    file Text None null NEVER
        "the call: path of the result file below the given folder"
        per sentence call.file.as_str();
    channel_id Integer None null NEVER
        "the transcribed track" see Identifiers
        per sentence sentence.channel_id;
    sentence_index Integer None null NEVER
        "from 0 for each channel, as received" see Identifiers
        per sentence sentence.sentence_index;
    word_index Integer None null NEVER
        "from 0 for each sentence, as received" see Identifiers
        => row.word_index;
    participant Text None null NEVER
        "the participant who says it"
        per sentence call.label(sentence.participant);
    begin_ms Integer Ms null NEVER or "missing or ignored"
        "its begin, clipped to the recording" see Time
        => row.interval.map(|interval: Interval| interval.begin);
    end_ms Integer Ms null NEVER or "missing or ignored"
        "its end, clipped to the recording" see Time
        => row.interval.map(|interval: Interval| interval.end);
    text Text None null NEVER
        "as received, trimmed" see Fields
        => row.text();
    punctuation Text None null NEVER
        "as received, trimmed" see Fields
        => row.punctuation();
}
