//! The table `participants`.

use super::super::Basis;
use super::{Column, Definition, Kind, Table, Unit, Use, optional, place, push, table};

table! {
    /// `participants`: one row per participant.
    PARTICIPANTS "participants" "one row per call and participant", |call, row| call.participants.iter();
    file Text None null NEVER
        "the call: path of the result file below the given folder"
        per call call.file.as_str();
    participant Text None null NEVER
        "ch0, ch1 … a channel; spk0 … a diarised speaker; unknown: sentences without a speaker; a+b: merged by a common role" see Participant
        => row.participant.as_str();
    role Text None null NEVER or "no role was given"
        "the role given to the participant" see Participant
        => row.role.as_deref();
    channel_id Integer None null NEVER or "merged channels"
        "the channel of the participant" see Identifiers
        => row.channel_id;
    speaker_id Integer None null NEVER or "not diarised, or a name"
        "the diarised speaker" see Identifiers
        => row.speaker_id;
    basis Text None null SPAN
        "where its times come from: words, sentences or mixed" see Basis
        => row.basis.map(Basis::name);
    talk_ms Integer LongMs null TIMED
        "length of the participant's bursts: pauses up to join_gap_ms are included" see TalkTime
        label "Talk" parameters [join_gap_ms] uses [ByRole Fact]
        => row.talk_ms;
    talk_share Number Share null SHARE
        "talk_ms / Σ talk_ms of all participants; sums to 1" see TalkShare
        label "Share of talk" uses [Spread 10 StripOfFirst ByRole Fact]
        => row.talk_share;
    talk_per_span Number Share null SPAN
        "talk_ms / span_ms; may sum to more than 1 with overlap" see TalkShare
        => row.talk_per_span;
    talk_listen_ratio Number Ratio null TALK_LISTEN
        "talk_ms / talk_ms of all others" see TalkShare
        => row.talk_listen_ratio;
    turn_count Integer Turns null TIMED
        "turns of the participant" see Turn
        label "Turns" uses [Fact]
        => row.turn_count;
    turn_ms_p50 Integer Ms null TURNS
        "median length of a turn, end − begin" see Turn
        uses [Spread]
        => row.turn_ms_p50;
    longest_turn_ms Integer Ms null TURNS
        "the longest turn: pauses below turn_pause_ms are included, backchannels of others do not break it" see Turn
        label "Longest turn" parameters [turn_pause_ms] uses [Spread Strip 60 ByRole 60 Fact]
        => row.longest_turn_ms;
    monologue_count Integer Turns null TIMED
        "turns of at least monologue_ms" see Turn
        label "Monologues" parameters [monologue_ms] uses [ByRole 61]
        => row.monologue_count;
    units Integer Units null COUNTABLE
        "as in calls" see Units
        => row.units;
    words Integer Words null COUNTABLE
        "as in calls" see Units
        => row.words;
    han_chars Integer Characters null NEVER
        "as in calls" see Units
        => row.han_chars;
    units_per_min Number UnitsPerMinute null RATE
        "speech rate: units × 60000 / talk_ms" see SpeechRate
        label "Words/min" parameters [rate_min_talk_ms rate_min_units] uses [Spread 20 Strip ByRole Fact]
        => row.units_per_min;
    articulation_units_per_min Number UnitsPerMinute null ARTICULATION
        "units × 60000 / length of the union of the words, no pause included" see ArticulationRate
        label "Articulation rate" parameters [rate_min_talk_ms rate_min_units]
        => row.articulation_units_per_min;
    response_ms_p50 Integer OffsetMs null RESPONSE
        "median of begin of the participant's turn − end of the turn before it, which is another's; negative when they overlap (Heldner & Edlund 2010)" see Response
        label "Response, median" uses [Spread 30 Strip ByRole Fact]
        => row.response_ms_p50;
    response_ms_p90 Integer OffsetMs null RESPONSE
        "90th percentile of the same" see Response
        label "Response, 90th percentile" uses [ByRole Fact]
        => row.response_ms_p90;
    response_n Integer Turns null RESPONSE_COUNT
        "the number of such turns" see Response
        => row.response_n;
    response_early_ratio Number Share null RESPONSE
        "share of them that begin before the other has ended" see Response
        => row.response_early_ratio;
    slow_response_count Integer Turns null RESPONSE_COUNT
        "those that begin at least dead_air_ms after the other has ended" see Response
        parameters [dead_air_ms]
        => row.slow_response_count;
    interruption_count Integer Events null ONSETS
        "interruptions by the participant" see Interruption
        label "Interruptions" parameters [interruption_overlap_ms incumbent_ms] uses [ByRole 62 Fact]
        => row.interruption_count;
    interrupted_count Integer Events null ONSETS
        "interruptions of the participant" see Interruption
        label "Interrupted" parameters [interruption_overlap_ms incumbent_ms] uses [Fact]
        => row.interrupted_count;
    backchannel_count Integer Events null ONSETS
        "short onsets inside another participant's burst: at most backchannel_max_ms and backchannel_max_units" see Backchannel
        label "Backchannels" parameters [backchannel_max_ms backchannel_max_units] uses [Fact]
        => row.backchannel_count;
    side_speech_count Integer Events null ONSETS
        "longer onsets inside another participant's burst" see SideSpeech
        parameters [backchannel_max_ms backchannel_max_units]
        => row.side_speech_count;
    terminal_overlap_count Integer Events null ONSETS
        "onsets that outlast the incumbent after an overlap below interruption_overlap_ms" see TerminalOverlap
        parameters [interruption_overlap_ms]
        => row.terminal_overlap_count;
    simultaneous_start_count Integer Events null ONSETS
        "onsets that outlast an incumbent who held for less than incumbent_ms; equal starts are events only" see SimultaneousStart
        parameters [interruption_overlap_ms incumbent_ms]
        => row.simultaneous_start_count;
    overlap_ms Integer Ms null OVERLAP
        "time in which the participant and another talk" see Overlap
        => row.overlap_ms;
    question_count Integer Sentences null NEVER
        "sentences that end in a question mark: as good as the recogniser's punctuation" see Question
        label "Questions" uses [ByRole 63 Fact]
        => row.question_count;
    keyword_hit_count Integer Hits null NEVER or "no keyword was given"
        "keyword hits of the participant" see KeywordHit
        label "Keyword hits" uses [ByRole 64 Fact]
        => row.keyword_hit_count;
    first_begin_ms Integer Ms null SPAN
        "where the first burst begins" see Span
        => row.first_begin_ms;
    last_end_ms Integer Ms null SPAN
        "where the last burst ends" see Span
        => row.last_end_ms;
    reason Text None null NEVER or "nothing is null"
        "why columns of this row are null: codes joined by ;" see Reason
        => row.reasons.cell();
    emotions Text None null NEVER or "no sentence has an emotion"
        "the recogniser's judgement: name:share of talk in sentences with that emotion, by falling share, joined by ;" see LanguageAndEmotion
        => row.emotions.as_deref();
}
