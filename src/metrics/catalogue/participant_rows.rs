//! The table `participants`.

use super::super::Basis;
use super::{Column, Kind, Table, table};

table! {
    /// `participants`: one row a participant.
    PARTICIPANTS "participants" "one row a call and participant", |call, row| call.participants.iter();
    file Text "" null "" "the call: path of the result file below the given folder" "" => call.file.as_str();
    participant Text "" null "" "ch0, ch1 … a channel; spk0 … a diarised speaker; unknown: sentences without a speaker; a+b: merged by --role" "participant" => row.participant.as_str();
    role Text "" null "no role was given" "role by --role" "participant" => row.role.as_deref();
    channel_id Integer "" null "merged channels" "the channel of the participant" "identifiers" => row.channel_id;
    speaker_id Integer "" null "not diarised, or a name" "the diarised speaker" "identifiers" => row.speaker_id;
    basis Text "" null "no_speech, no_times" "where its times come from: words, sentences or mixed" "basis" => row.basis.map(Basis::name);
    talk_ms Integer "ms" null "no_times" "length of the participant's bursts: pauses up to join_gap_ms are in" "talk time" => row.talk_ms;
    talk_share Number "0–1" null "no_times, single_participant, no_speech" "talk_ms / Σ talk_ms of all participants; sums to 1" "talk share" => row.talk_share;
    talk_per_span Number "0–1" null "no_speech, no_times" "talk_ms / span_ms; may sum to more than 1 with overlap" "talk share" => row.talk_per_span;
    talk_listen_ratio Number "ratio" null "no_times, single_participant, no_speech, no_other_speech" "talk_ms / talk_ms of everybody else" "talk share" => row.talk_listen_ratio;
    turn_count Integer "turns" null "no_times" "turns of the participant" "turn" => row.turn_count;
    turn_ms_p50 Integer "ms" null "no_speech, no_times, no_turns" "median length of a turn, end − begin" "turn" => row.turn_ms_p50;
    longest_turn_ms Integer "ms" null "no_speech, no_times, no_turns" "the longest turn: pauses below turn_pause_ms are in, backchannels of others do not break it" "turn" => row.longest_turn_ms;
    monologue_count Integer "turns" null "no_times" "turns from monologue_ms on" "turn" => row.monologue_count;
    units Integer "units" null "script_needs_dictionary" "as in calls" "units" => row.units;
    words Integer "words" null "script_needs_dictionary" "as in calls" "units" => row.words;
    han_chars Integer "characters" null "" "as in calls" "units" => row.han_chars;
    units_per_min Number "units/min" null "no_speech, no_times, script_needs_dictionary, untimed_text, too_little_speech" "speech rate: units × 60000 / talk_ms" "speech rate" => row.units_per_min;
    articulation_units_per_min Number "units/min" null "no_speech, no_times, no_word_times, interpolated_words, script_needs_dictionary, untimed_text, too_little_speech" "units × 60000 / length of the union of the words, no pause closed" "articulation rate" => row.articulation_units_per_min;
    response_ms_p50 Integer "ms" null "no_times, single_participant, unknown_participant, no_speech, no_responses" "median of begin of the participant's turn − end of the other's turn before it; negative when they overlap (Heldner & Edlund 2010)" "response" => row.response_ms_p50;
    response_ms_p90 Integer "ms" null "no_times, single_participant, unknown_participant, no_speech, no_responses" "90th percentile of the same" "response" => row.response_ms_p90;
    response_n Integer "turns" null "no_times, single_participant, unknown_participant" "how many such turns" "response" => row.response_n;
    response_early_ratio Number "0–1" null "no_times, single_participant, unknown_participant, no_speech, no_responses" "share of them that begin before the other has ended" "response" => row.response_early_ratio;
    slow_response_count Integer "turns" null "no_times, single_participant, unknown_participant" "those that begin dead_air_ms or more after the other has ended" "response" => row.slow_response_count;
    interruption_count Integer "events" null "no_times, no_speech, single_participant, duplicate_channels, single_channel_diarised, unknown_participant" "interruptions by the participant" "interruption" => row.interruption_count;
    interrupted_count Integer "events" null "no_times, no_speech, single_participant, duplicate_channels, single_channel_diarised, unknown_participant" "interruptions of the participant" "interruption" => row.interrupted_count;
    backchannel_count Integer "events" null "no_times, no_speech, single_participant, duplicate_channels, single_channel_diarised, unknown_participant" "short onsets inside somebody else's burst: backchannel_max_ms and backchannel_max_units or less" "backchannel" => row.backchannel_count;
    side_speech_count Integer "events" null "no_times, no_speech, single_participant, duplicate_channels, single_channel_diarised, unknown_participant" "longer onsets inside somebody else's burst" "side speech" => row.side_speech_count;
    terminal_overlap_count Integer "events" null "no_times, no_speech, single_participant, duplicate_channels, single_channel_diarised, unknown_participant" "onsets that outlast the incumbent after an overlap below interruption_overlap_ms" "terminal overlap" => row.terminal_overlap_count;
    simultaneous_start_count Integer "events" null "no_times, no_speech, single_participant, duplicate_channels, single_channel_diarised, unknown_participant" "onsets that outlast an incumbent who held for less than incumbent_ms; equal starts are events only" "simultaneous start" => row.simultaneous_start_count;
    overlap_ms Integer "ms" null "no_times, no_speech, single_participant, duplicate_channels, single_channel_diarised" "time in which the participant and somebody else talk" "overlap" => row.overlap_ms;
    question_count Integer "sentences" null "" "sentences that end in a question mark: as good as the recogniser's punctuation" "question" => row.question_count;
    keyword_hit_count Integer "hits" null "no keyword was given" "keyword hits of the participant" "keyword hit" => row.keyword_hit_count;
    first_begin_ms Integer "ms" null "no_speech, no_times" "where the first burst begins" "span" => row.first_begin_ms;
    last_end_ms Integer "ms" null "no_speech, no_times" "where the last burst ends" "span" => row.last_end_ms;
    reason Text "" null "nothing is null" "why columns of this row are null: codes joined by ;" "reason" => row.reasons.cell();
}
