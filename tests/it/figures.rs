//! Null rules and edge cases, each worked out by hand from the definitions and measured by the library.

use serde_json::{Value, json};
use talkmeter::metrics::{Settings, percentile};
use talkmeter::text::Markers;

use crate::scene::{Call, Row, call, column, diarised, has, measured, measured_with, sentence};

const FOUR: &str = "one two three four";
const NINE: &str = "one two three four five six seven eight nine";
const TEN: &str = "one two three four five six seven eight nine ten";
const TWELVE: &str = "one two three four five six seven eight nine ten eleven twelve";

/// Enough of everything for ch1 to lack no figure: it answers, and it has 12 units in 6 s.
fn answered(call: Call) -> Call {
    call.say(0, &[(20_000, 26_000, TWELVE)]).say(1, &[(27_000, 33_000, TWELVE)])
}

/// A parameter and its value.
type Set<'a> = (&'a str, i64);

/// The default settings but for these parameters.
fn parameters(set: &[Set<'_>]) -> impl FnOnce(&mut Settings) {
    move |settings| {
        for (name, value) in set {
            assert!(settings.parameters.set(name, *value), "no parameter {name}");
        }
    }
}

fn kinds(events: &[Row]) -> Vec<Value> {
    events.iter().map(|row| json!([row["kind"], row["participant"], row["other"], row["begin_ms"]])).collect()
}

// --- reasons -------------------------------------------------------------------------------------------------------

#[test]
fn an_empty_list_of_transcripts_is_measured_as_nothing() {
    let ran = measured(json!({"transcripts": []}));
    let zero = json!({
        "speech_ms": 0, "dead_air_count": 0, "dead_air_ms": 0, "participant_count": 0, "channel_count": 0,
        "sentence_count": 0, "turn_count": 0, "units": 0, "words": 0, "han_chars": 0, "warning_count": 1,
    });
    let null = json!({
        "duration_ms": null, "duration_source": null, "span_ms": null, "span_start_ms": null, "span_end_ms": null,
        "lead_silence_ms": null, "tail_silence_ms": null, "silence_ms": null, "silence_ratio": null,
        "longest_silence_ms": null, "overlap_ms": null, "overlap_ratio": null, "switch_count": null,
        "switches_per_min": null, "onset_count": null, "interruption_count": null, "backchannel_count": null,
        "units_per_min": null, "billable_source": null, "reason": "no_speech;duration_unknown",
    });
    has(&ran.row("calls"), zero);
    has(&ran.row("calls"), null);
    for table in ["participants", "turns", "events", "windows", "costs", "sentences", "words"] {
        assert!(ran.table(table).is_empty(), "{table}");
    }
    assert_eq!(ran.warnings(), [("nothing_to_measure".to_owned(), 1)]);
}

#[test]
fn two_silent_channels_have_measured_zeros_and_no_ratios() {
    let ran = measured(Call::default().silent(0).silent(1).lasting(5000));
    has(
        &ran.row("calls"),
        json!({
            "duration_ms": 5000, "speech_ms": 0, "participant_count": 2, "channel_count": 2,
            // There are two who could have talked over each other, and did not.
            "overlap_ms": 0, "onset_count": 0, "interruption_count": 0, "backchannel_count": 0, "overlap_ratio": null,
            "turn_count": 0, "switch_count": 0, "switches_per_min": null, "tail_silence_ms": null, "silence_ms": null,
            "billable_ms": 0, "billable_source": "sentences", "reason": "no_speech",
        }),
    );
    for label in ["ch0", "ch1"] {
        has(
            &ran.participant(label),
            json!({
                "talk_ms": 0, "talk_share": null, "talk_per_span": null, "talk_listen_ratio": null, "basis": null,
                "turn_count": 0, "turn_ms_p50": null, "longest_turn_ms": null, "monologue_count": 0,
                "units": 0, "units_per_min": null, "articulation_units_per_min": null,
                "response_ms_p50": null, "response_n": 0, "slow_response_count": 0, "response_early_ratio": null,
                "overlap_ms": 0, "interruption_count": 0, "interrupted_count": 0, "question_count": 0,
                "first_begin_ms": null, "last_end_ms": null, "reason": "no_speech",
            }),
        );
    }
}

#[test]
fn a_speaker_on_a_call_with_a_silent_channel_has_no_ratio_to_it() {
    let ran = measured(call(&[(0, 1000, 7000, TWELVE)]).silent(1).lasting(8000));
    has(
        &ran.participant("ch0"),
        json!({
            "talk_share": 1.0, "talk_listen_ratio": null, "talk_per_span": 1.0, "response_n": 0, "response_ms_p50": null,
            "overlap_ms": 0, "units_per_min": 120, "reason": "no_other_speech;no_responses",
        }),
    );
    has(
        &ran.participant("ch1"),
        json!({
            "talk_ms": 0, "talk_share": 0.0, "talk_listen_ratio": 0.0, "talk_per_span": 0.0, "basis": null,
            "turn_count": 0, "response_n": 0, "interruption_count": 0, "reason": "no_speech",
        }),
    );
    has(
        &ran.row("calls"),
        json!({"span_ms": 6000, "lead_silence_ms": 1000, "tail_silence_ms": 1000, "switch_count": 0, "switches_per_min": 0.0,
            "longest_silence_ms": 0, "silence_ms": 0, "overlap_ms": 0, "overlap_ratio": 0.0, "reason": null}),
    );
}

#[test]
fn a_single_participant_has_talk_and_turns_but_no_comparisons() {
    // A single channel bears its own id.
    let ran = measured(call(&[(3, 0, 6000, TWELVE)]).lasting(6000));
    has(
        &ran.participant("ch3"),
        json!({
            "channel_id": 3, "talk_ms": 6000, "talk_per_span": 1.0, "turn_count": 1, "longest_turn_ms": 6000,
            "units_per_min": 120, "articulation_units_per_min": 120,
            "talk_share": null, "talk_listen_ratio": null, "response_n": null, "response_ms_p50": null,
            "response_ms_p90": null, "response_early_ratio": null, "slow_response_count": null, "overlap_ms": null,
            "interruption_count": null, "interrupted_count": null, "backchannel_count": null, "side_speech_count": null,
            "terminal_overlap_count": null, "simultaneous_start_count": null, "reason": "single_participant",
        }),
    );
    has(
        &ran.row("calls"),
        json!({"speech_ms": 6000, "silence_ms": 0, "switch_count": null, "switches_per_min": null, "onset_count": null,
            "overlap_ms": null, "turn_count": 1, "reason": "single_participant"}),
    );
}

#[test]
fn overlap_on_one_diarised_channel_counts_from_one_per_cent_of_the_speech() {
    // Both come to 10 000 ms of speech; 100 ms of it is overlap, or 99.
    let of = |begin| diarised(&[(Some(0), 0, 6000, TWELVE), (Some(1), begin, 10_000, TWELVE)]).lasting(10_000);
    let shown = measured(of(5900));
    has(&shown.row("calls"), json!({"overlap_ms": 100, "onset_count": 1, "overlap_ratio": 0.01, "reason": null}));
    has(&shown.participant("spk1"), json!({"terminal_overlap_count": 1, "overlap_ms": 100}));
    let jitter = measured(of(5901));
    has(
        &jitter.row("calls"),
        json!({"overlap_ms": null, "onset_count": null, "interruption_count": null, "backchannel_count": null,
            "overlap_ratio": null, "switch_count": 1, "speech_ms": 10_000, "reason": "single_channel_diarised"}),
    );
    assert!(jitter.table("events").is_empty());
    has(
        &jitter.participant("spk1"),
        // What seems to be an overlap of 99 ms may be none.
        json!({"overlap_ms": null, "terminal_overlap_count": null, "response_n": 1, "response_ms_p50": null,
            "response_early_ratio": null, "reason": "single_channel_diarised"}),
    );
}

#[test]
fn channels_that_carry_the_same_speech_show_no_overlap() {
    // Every word within 100 ms of its copy: 2000 ms taken of 2000.
    let copies = call(&[
        (0, 0, 1000, "good morning"),
        (0, 2000, 3000, "who is it"),
        (1, 80, 1050, "good morning"),
        (1, 2000, 3000, "who is it"),
    ]);
    let ran = measured(copies.lasting(3000));
    has(
        &ran.row("calls"),
        json!({"overlap_ms": null, "overlap_ratio": null, "onset_count": null, "speech_ms": 2050, "reason": "duplicate_channels"}),
    );
    // Turns and offsets stay: ch1 begins at 80, 920 ms before ch0 ends.
    has(
        &ran.participant("ch1"),
        json!({"response_n": 1, "overlap_ms": null, "interrupted_count": null, "turn_count": 1}),
    );
    assert_eq!(ran.warnings(), [("duplicate_channels".to_owned(), 1)]);
    assert!(ran.table("events").is_empty());
}

#[test]
fn channels_are_copies_when_over_four_fifths_of_the_longer_one_is_copied() {
    let of = |last: i64| {
        let mut call = Call::default();
        for (index, text) in ["a", "b", "c", "d"].into_iter().enumerate() {
            let begin = 2000 * index as i64;
            call = call.say(0, &[(begin, begin + 1000, text)]).say(1, &[(begin, begin + 1000, text)]);
        }
        call.say(0, &[(9000, 9000 + last, "e")]).say(1, &[(9000, 9000 + last, "f")]).lasting(20_000)
    };
    // 4000 × 5 = 4 × 5000 is not more; of 4999 it is.
    has(&measured(of(1000)).row("calls"), json!({"overlap_ms": 5000, "reason": null}));
    has(&measured(of(999)).row("calls"), json!({"overlap_ms": null, "reason": "duplicate_channels"}));
    // A copy that begins 101 ms later is none.
    let late = call(&[(0, 0, 1000, "hello"), (1, 101, 1000, "hello")]).lasting(1000);
    has(&measured(late).row("calls"), json!({"overlap_ms": 899}));
    let near = call(&[(0, 0, 1000, "hello"), (1, 100, 1000, "hello")]).lasting(1000);
    has(&measured(near).row("calls"), json!({"overlap_ms": null}));
}

#[test]
fn sentences_without_a_speaker_form_a_participant_without_responses() {
    let mut nobody = sentence(&[(7000, 9000, FOUR)]);
    nobody["speaker_id"] = Value::Null;
    let mut ann = sentence(&[(0, 6000, TWELVE)]);
    ann["speaker_id"] = json!(0);
    let ran = measured(
        Call::default().sentence(0, ann).sentence(0, nobody).say(1, &[(10_000, 16_000, TWELVE)]).lasting(16_000),
    );
    assert_eq!(column(&ran.table("participants"), "participant"), ["ch0:spk0", "ch0:unknown", "ch1"]);
    has(
        &ran.participant("ch0:unknown"),
        json!({
            "channel_id": 0, "speaker_id": null, "talk_ms": 2000, "talk_share": 2000.0 / 14_000.0, "turn_count": 1,
            "response_n": null, "response_ms_p50": null, "slow_response_count": null, "interruption_count": null,
            "backchannel_count": null, "overlap_ms": 0, "units": 4, "units_per_min": null,
            "reason": "unknown_participant;too_little_speech",
        }),
    );
    // Neither pair of turns is a switch or an offset, as `unknown` is on one side of both.
    has(&ran.row("calls"), json!({"turn_count": 3, "switch_count": 0, "switches_per_min": 0.0}));
    has(&ran.participant("ch1"), json!({"response_n": 0, "reason": "no_responses"}));
    assert_eq!(ran.warnings(), [("unknown_speaker".to_owned(), 1)]);
}

#[test]
fn unknown_speech_is_worth_a_warning_above_five_per_cent() {
    let of = |end| diarised(&[(Some(0), 0, 13_300, TWELVE), (None, 20_000, end, FOUR)]).lasting(30_000);
    assert!(measured(of(20_700)).warnings().is_empty(), "700 of 14 000 ms are 5 %");
    assert_eq!(measured(of(20_701)).warnings(), [("unknown_speaker".to_owned(), 1)]);
}

#[test]
fn an_unknown_speaker_is_neither_onset_nor_incumbent() {
    // ch0:unknown talks over ch1 and ch1 over ch0:unknown.
    let mut one = sentence(&[(1000, 5000, FOUR)]);
    one["speaker_id"] = Value::Null;
    let mut two = sentence(&[(20_000, 21_000, "yes")]);
    two["speaker_id"] = json!(4);
    let ran = measured(
        Call::default()
            .sentence(0, one)
            .sentence(0, two)
            .say(1, &[(0, 2000, FOUR)])
            .say(1, &[(3000, 9000, TWELVE)])
            .lasting(21_000),
    );
    has(&ran.row("calls"), json!({"onset_count": 0, "overlap_ms": 3000}));
    has(&ran.participant("ch0:unknown"), json!({"overlap_ms": 3000, "interrupted_count": null}));
    has(&ran.participant("ch1"), json!({"overlap_ms": 3000, "interruption_count": 0}));
}

#[test]
fn a_participant_who_only_speaks_inside_other_turns_has_none() {
    let ran = measured(call(&[(0, 0, 6000, TWELVE), (1, 2000, 2500, "mhm")]).lasting(6000));
    has(
        &ran.participant("ch1"),
        json!({"talk_ms": 500, "turn_count": 0, "turn_ms_p50": null, "longest_turn_ms": null, "monologue_count": 0,
            "response_n": 0, "backchannel_count": 1, "reason": "no_turns;no_responses;too_little_speech"}),
    );
    has(&ran.row("calls"), json!({"turn_count": 1, "switch_count": 0, "reason": null}));
}

#[test]
fn without_word_times_there_is_no_articulation_rate() {
    let ran = measured(Call::default().tell(0, 0, 6000, TWELVE).tell(1, 7000, 13_000, TWELVE).lasting(13_000));
    has(
        &ran.participant("ch1"),
        json!({"basis": "sentences", "talk_ms": 6000, "units_per_min": 120, "articulation_units_per_min": null, "reason": "no_word_times"}),
    );
    assert!(ran.table("words").is_empty());
    let mixed = measured(answered(Call::default().tell(1, 0, 1000, "hello there")).lasting(33_000));
    has(
        &mixed.participant("ch1"),
        json!({"basis": "mixed", "articulation_units_per_min": null, "reason": "no_word_times"}),
    );
    has(&mixed.participant("ch0"), json!({"basis": "words"}));
    assert_eq!(mixed.warnings(), [("mixed_basis".to_owned(), 1)]);
}

#[test]
fn word_times_made_by_interpolation_give_no_articulation_rate() {
    let of = |lengths: &[i64]| {
        let mut words = Vec::new();
        let mut begin = 10_000;
        for &length in lengths {
            words.push((begin, begin + length, "two words"));
            begin += length;
        }
        call(&[(0, 0, 6000, TWELVE)]).say(1, &words).lasting(20_000)
    };
    // Five words that abut and differ by 1 ms at most.
    let ran = measured(of(&[1200, 1201, 1200, 1200, 1200]));
    has(
        &ran.participant("ch1"),
        json!({"units_per_min": 600_000.0 / 6001.0, "articulation_units_per_min": null, "reason": "interpolated_words"}),
    );
    assert_eq!(ran.warnings(), [("interpolated_words".to_owned(), 1)]);
    for honest in [&[1200, 1202, 1200, 1200, 1200][..], &[1500, 1500, 1500, 1500]] {
        let ran = measured(of(honest));
        assert!(ran.warnings().is_empty());
        has(&ran.participant("ch1"), json!({"reason": null}));
    }
}

#[test]
fn scripts_without_spaces_cannot_be_counted() {
    let thai = "สวัสดีครับ";
    let ran = measured(call(&[(0, 0, 6000, TWELVE), (1, 7000, 13_000, &format!("{thai} 你好"))]).lasting(13_000));
    has(
        &ran.participant("ch1"),
        json!({"units": null, "words": null, "han_chars": 2, "units_per_min": null, "articulation_units_per_min": null,
            "talk_ms": 6000, "reason": "script_needs_dictionary"}),
    );
    has(&ran.participant("ch0"), json!({"units": 12, "reason": "no_responses"}));
    has(
        &ran.row("calls"),
        json!({"units": null, "words": null, "units_per_min": null, "reason": "script_needs_dictionary"}),
    );
    assert_eq!(column(&ran.table("turns"), "units"), [json!(12), Value::Null]);
    assert_eq!(column(&ran.table("sentences"), "units"), [json!(12), Value::Null]);
    assert_eq!(column(&ran.table("windows"), "units"), [json!(12), Value::Null]);
}

#[test]
fn if_words_cannot_be_counted_length_alone_makes_a_backchannel() {
    let of = |text: &str| call(&[(0, 0, 6000, TWELVE), (1, 2000, 2900, text)]).lasting(6000);
    let kind = |text| measured(of(text)).table("events")[0]["kind"].clone();
    assert_eq!(kind("หนึ่งสองสามสี่ห้าหกเจ็ดแปด"), "backchannel");
    assert_eq!(kind(FOUR), "side_speech");
}

#[test]
fn a_rate_needs_times_for_nine_tenths_of_its_units() {
    // Ten words; the last ones have no times. 700 ms each, 300 ms apart.
    let of = |untimed: usize| {
        let words: Vec<Value> = (0..10)
            .map(|index| {
                let begin = 10_000 + 1000 * index as i64;
                match index + untimed {
                    ..10 => json!({"begin_time": begin, "end_time": begin + 700, "text": "word"}),
                    _ => json!({"begin_time": null, "text": "word"}),
                }
            })
            .collect();
        let text = ["word"; 10].join(" ");
        let spoken = json!({"begin_time": 10_000, "end_time": 19_700, "text": text, "words": words});
        call(&[(0, 0, 6000, TWELVE)]).sentence(1, spoken).lasting(20_000)
    };
    let tenth = measured(of(1));
    has(
        &tenth.participant("ch1"),
        json!({"talk_ms": 6300, "units": 10, "units_per_min": 600_000.0 / 6300.0, "reason": null}),
    );
    assert_eq!(tenth.warnings(), [("untimed_words".to_owned(), 1)]);
    has(
        &measured(of(2)).participant("ch1"),
        json!({"talk_ms": 5600, "units": 10, "units_per_min": null, "articulation_units_per_min": null, "reason": "untimed_text"}),
    );
    // Of the call 2 of 22 units have no time: 9 %.
    has(&measured(of(2)).row("calls"), json!({"units": 22, "units_per_min": 1_320_000.0 / 11_600.0}));
}

#[test]
fn text_without_any_time_is_not_silence() {
    let file = json!({
        "properties": {"channels": [0, 1], "original_duration_in_milliseconds": 9000},
        "transcripts": [
            {"channel_id": 0, "sentences": [sentence(&[(0, 6000, TWELVE)])]},
            {"channel_id": 1, "text": "hello there"},
        ],
    });
    let ran = measured(file);
    has(
        &ran.participant("ch1"),
        json!({
            "units": 2, "words": 2, "question_count": 0, "basis": null, "talk_ms": null, "talk_share": null,
            "talk_per_span": null, "talk_listen_ratio": null, "turn_count": null, "turn_ms_p50": null,
            "longest_turn_ms": null, "monologue_count": null, "units_per_min": null, "articulation_units_per_min": null,
            "response_n": null, "response_ms_p50": null, "slow_response_count": null, "overlap_ms": null,
            "interruption_count": null, "first_begin_ms": null, "last_end_ms": null, "reason": "no_times",
        }),
    );
    has(&ran.participant("ch0"), json!({"talk_share": 1.0, "talk_listen_ratio": null, "overlap_ms": 0}));
    // The billable speech of ch1 is unknown, and so is the sum. 2 of 14 units of the call have no time: over a tenth.
    has(
        &ran.row("calls"),
        json!({"speech_ms": 6000, "billable_ms": null, "billable_source": null, "sentence_count": 2, "reason": "no_times;untimed_text"}),
    );
    let costs = ran.table("costs");
    has(&costs[0], json!({"billable_ms": 6000, "billed_seconds": 6}));
    has(&costs[1], json!({"billable_ms": null, "billable_source": null, "billed_seconds": null}));
    assert_eq!(ran.warnings(), [("text_without_sentences".to_owned(), 1), ("untimed_sentences".to_owned(), 1)]);
    let sentences = ran.table("sentences");
    has(
        &sentences[1],
        json!({"channel_id": 1, "sentence_index": 0, "text": "hello there", "begin_ms": null, "end_ms": null, "units": 2}),
    );
    // The window has a row for each, and knows no talk of ch1.
    assert_eq!(column(&ran.table("windows"), "talk_ms"), [json!(6000), Value::Null]);
}

#[test]
fn a_file_without_any_time_has_null_where_time_is_needed() {
    let ran = measured(json!({"transcripts": [{"channel_id": 0, "text": TEN}]}));
    has(
        &ran.row("calls"),
        json!({
            "units": 10, "participant_count": 1, "duration_ms": null, "speech_ms": null, "silence_ms": null,
            "dead_air_count": null, "dead_air_ms": null, "turn_count": null, "switch_count": null, "onset_count": null,
            "overlap_ms": null, "units_per_min": null, "tail_silence_ms": null, "billable_ms": null,
            "reason": "no_times;duration_unknown",
        }),
    );
    has(&ran.participant("ch0"), json!({"talk_ms": null, "units": 10, "talk_share": null, "reason": "no_times"}));
    assert!(ran.table("windows").is_empty());
}

#[test]
fn a_rate_needs_either_five_seconds_or_ten_units() {
    let of = |length: i64, text| call(&[(0, 0, 6000, TWELVE), (1, 7000, 7000 + length, text)]).lasting(20_000);
    let row = |length, text| measured(of(length, text)).participant("ch1");
    has(
        &row(4999, NINE),
        json!({"units_per_min": null, "articulation_units_per_min": null, "reason": "too_little_speech"}),
    );
    has(&row(5000, NINE), json!({"units_per_min": 108, "articulation_units_per_min": 108, "reason": null}));
    has(&row(4999, TEN), json!({"units_per_min": 600_000.0 / 4999.0, "reason": null}));
}

#[test]
fn without_a_stated_duration_the_last_end_is_used_and_the_tail_is_unknown() {
    // The last end is that of a word without length; an end before its begin is none.
    let call = answered(call(&[(0, 40_000, 40_000, "yes")]).say(1, &[(90_000, 80_000, "no")]));
    has(
        &measured(call).row("calls"),
        json!({"duration_ms": 40_000, "duration_source": "last_end", "tail_silence_ms": null, "span_end_ms": 33_000,
            "lead_silence_ms": 20_000, "reason": "duration_unknown"}),
    );
}

// --- times ---------------------------------------------------------------------------------------------------------

#[test]
fn pauses_up_to_the_join_gap_are_talk() {
    let of = |gap: i64| answered(call(&[(1, 0, 1000, "one"), (1, 1000 + gap, 3000, "two")])).lasting(40_000);
    let talk =
        |gap, set: &[Set]| measured_with(of(gap), parameters(set)).participant("ch1")["talk_ms"].as_i64().unwrap();
    assert_eq!(talk(250, &[]), 9000);
    assert_eq!(talk(251, &[]), 8749);
    assert_eq!(talk(251, &[("join_gap_ms", 251)]), 9000);
    // Articulation leaves out every pause: 14 units in 8750 ms.
    has(&measured(of(250)).participant("ch1"), json!({"articulation_units_per_min": 840_000.0 / 8750.0}));
}

#[test]
fn speech_past_the_end_or_before_the_begin_is_clipped() {
    let ran = measured(answered(call(&[(0, -500, 500, "early"), (1, 39_500, 41_500, "late")])).lasting(40_000));
    has(
        &ran.row("calls"),
        json!({"span_start_ms": 0, "span_end_ms": 40_000, "lead_silence_ms": 0, "tail_silence_ms": 0}),
    );
    has(&ran.participant("ch0"), json!({"talk_ms": 6500, "first_begin_ms": 0}));
    has(&ran.participant("ch1"), json!({"talk_ms": 6500, "last_end_ms": 40_000}));
    // The word and its sentence, each; the words are also the later ones out of order.
    assert_eq!(ran.warnings()[..2], [("negative_time".to_owned(), 2), ("end_after_duration".to_owned(), 2)]);
    let words = ran.table("words");
    has(&words[0], json!({"begin_ms": 0, "end_ms": 500, "text": "early"}));
}

#[test]
fn a_word_without_length_counts_in_text_and_not_in_time() {
    let ran = measured(
        answered(call(&[(0, 0, 0, "hello")]).say(1, &[(3000, 3500, "yes"), (3600, 3600, "indeed")])).lasting(40_000),
    );
    has(&ran.participant("ch0"), json!({"units": 13, "talk_ms": 6000, "first_begin_ms": 20_000, "turn_count": 1}));
    has(&ran.participant("ch1"), json!({"units": 14, "talk_ms": 6500, "first_begin_ms": 3000}));
    assert!(ran.warnings().is_empty());
    has(
        &ran.table("turns")[0],
        json!({"participant": "ch1", "text": "yes indeed", "begin_ms": 3000, "end_ms": 3500, "units": 2}),
    );
}

#[test]
fn a_sentence_whose_words_have_no_length_is_measured_by_its_own_times() {
    let words = json!([{"begin_time": 0, "end_time": 0, "text": "hello"}, {"begin_time": 900, "end_time": 900, "text": "there"}]);
    let told = json!({"begin_time": 0, "end_time": 1000, "text": "hello there", "words": words});
    let ran = measured(answered(Call::default().sentence(1, told)).lasting(40_000));
    has(&ran.participant("ch1"), json!({"talk_ms": 7000, "basis": "mixed"}));
}

#[test]
fn an_interval_that_ends_before_it_begins_is_ignored_and_its_text_counts() {
    let words = json!([
        {"begin_time": 1000, "end_time": 500, "text": "backwards"}, {"begin_time": 1000, "end_time": 1500, "text": "forwards"},
    ]);
    let told = json!({"begin_time": 2000, "end_time": 1000, "text": "backwards forwards", "words": words});
    let ran = measured(answered(Call::default().sentence(1, told)).lasting(40_000));
    has(&ran.participant("ch1"), json!({"talk_ms": 6500, "units": 14, "basis": "words", "first_begin_ms": 1000}));
    // The word and the sentence.
    assert_eq!(ran.warnings(), [("negative_interval".to_owned(), 2)]);
    has(&ran.table("words")[1], json!({"text": "backwards", "begin_ms": null, "end_ms": null, "channel_id": 1}));
    has(&ran.table("sentences")[1], json!({"begin_ms": null, "text": "backwards forwards"}));
}

#[test]
fn an_untimed_word_goes_with_the_timed_one_before_it() {
    let words = json!([
        {"text": "well"}, {"begin_time": 2000, "end_time": 2300, "text": "I"}, {"begin_time": 2310, "text": "see"},
        {"begin_time": 4000, "end_time": 4300, "text": "yes"},
    ]);
    let told = json!({"begin_time": 2000, "end_time": 4300, "text": "well I see yes", "words": words});
    let ran = measured(call(&[(0, 0, 6000, TWELVE)]).sentence(1, told).lasting(6000));
    // Two bursts inside ch0's: `well` hangs on the first word, `see` on `I`.
    let events = ran.table("events");
    assert_eq!(column(&events, "text"), ["well I see", "yes"]);
    has(&events[0], json!({"kind": "backchannel", "begin_ms": 2000, "end_ms": 2300}));
    assert_eq!(ran.warnings(), [("untimed_words".to_owned(), 2)]);
}

#[test]
fn words_outside_their_sentence_win_over_it() {
    // The sentence carries only its last word's times (FunASR 2110).
    let words = json!([{"begin_time": 1000, "end_time": 1400, "text": "hello"}, {"begin_time": 1500, "end_time": 2000, "text": "there"}]);
    let told = json!({"begin_time": 1500, "end_time": 2000, "text": "hello there", "words": words});
    let ran = measured(answered(Call::default().sentence(1, told)).lasting(40_000));
    has(&ran.participant("ch1"), json!({"first_begin_ms": 1000, "talk_ms": 7000}));
    assert_eq!(ran.warnings(), [("word_outside_sentence".to_owned(), 1)]);
    // A sentence more than 2 s longer than its words is counted, and the words are measured.
    let of = |end: i64| {
        let mut long = sentence(&[(1000, 2000, "hello")]);
        long["end_time"] = json!(end);
        measured(answered(Call::default().sentence(1, long)).lasting(40_000))
    };
    assert!(of(4000).warnings().is_empty());
    let longer = of(4001);
    assert_eq!(longer.warnings(), [("sentence_longer_than_words".to_owned(), 1)]);
    has(&longer.participant("ch1"), json!({"talk_ms": 7000}));
}

#[test]
fn sentences_of_one_speaker_that_overlap_are_counted_once() {
    let ran = measured(answered(call(&[(1, 0, 1000, "one"), (1, 400, 1500, "two")])).lasting(40_000));
    has(&ran.participant("ch1"), json!({"talk_ms": 7500}));
    has(&ran.row("calls"), json!({"overlap_ms": 0}));
    assert_eq!(ran.warnings(), [("self_overlap_ms".to_owned(), 600)]);
}

#[test]
fn sentences_out_of_order_are_sorted_and_reported() {
    let rows =
        [(0, 0, 6000, TWELVE), (1, 7000, 13_000, TWELVE), (1, 14_000, 15_000, "again"), (0, 16_000, 17_000, "fine")];
    let backwards: Vec<_> = rows.iter().rev().copied().collect();
    let (straight, reverse) = (measured(call(&rows).lasting(20_000)), measured(call(&backwards).lasting(20_000)));
    assert_eq!(straight.table("participants"), reverse.table("participants"));
    assert_eq!(straight.table("turns"), reverse.table("turns"));
    assert!(straight.warnings().is_empty());
    // One in each channel begins before the one in front of it.
    assert_eq!(reverse.warnings(), [("out_of_order".to_owned(), 2)]);
    // As received in the table of sentences.
    assert_eq!(column(&reverse.table("sentences"), "begin_ms"), [16_000, 0, 14_000, 7000]);
}

#[test]
fn times_in_other_units_are_suspected() {
    let of = |words: i64, length: i64| {
        (0..words)
            .fold(Call::default(), |call, index| call.say(0, &[(100 * index, 100 * index + length, "word")]))
            .lasting(60_000)
    };
    let codes = |call| measured(call).warnings();
    assert_eq!(codes(of(10, 19)), [("suspicious_time_unit".to_owned(), 1)]);
    assert!(codes(of(10, 20)).is_empty());
    assert!(codes(of(9, 19)).is_empty(), "nine words say nothing");
    let long = |length: i64| {
        (0..10)
            .fold(Call::default(), |call, index| call.say(0, &[(5000 * index, 5000 * index + length, "word")]))
            .lasting(60_000)
    };
    assert!(codes(long(2000)).is_empty());
    assert_eq!(codes(long(2001)), [("suspicious_time_unit".to_owned(), 1)]);
}

#[test]
fn channel_clocks_out_of_step_are_reported_and_not_corrected() {
    // ch1 answers after 1500 ms, ch0 200 ms early: 1700 ms apart and of opposite sign.
    let of = |rounds: i64, late: i64| {
        let text = |channel: i64, round: i64| format!("word {channel} {round}");
        let mut call = Call::default();
        let period = 3800 + late;
        for round in 0..rounds {
            let begin = period * round;
            call = call.say(0, &[(begin, begin + 2000, &text(0, round))]);
            call = call.say(1, &[(begin + 2000 + late, begin + 4000 + late, &text(1, round))]);
        }
        call.lasting(200_000)
    };
    let ran = measured(of(11, 1500));
    assert_eq!(ran.warnings(), [("possible_channel_skew".to_owned(), 1)]);
    has(&ran.participant("ch0"), json!({"response_n": 10, "response_ms_p50": -200}));
    has(&ran.participant("ch1"), json!({"response_n": 11, "response_ms_p50": 1500}));
    assert!(measured(of(10, 1500)).warnings().is_empty(), "ch0 answers nine times");
    assert!(measured(of(11, 800)).warnings().is_empty(), "1000 ms apart is not more than 1000");
    assert_eq!(measured(of(11, 801)).warnings(), [("possible_channel_skew".to_owned(), 1)]);
}

// --- silence, turns, offsets -----------------------------------------------------------------------------------------

#[test]
fn dead_air_begins_at_its_threshold_and_names_who_spoke_before_and_after() {
    let ran = measured(
        call(&[(0, 0, 500, "a"), (1, 0, 1000, "b"), (2, 4000, 5000, "c"), (0, 7999, 9000, "d")]).lasting(9000),
    );
    let events = ran.table("events");
    // 1000–4000 is 3000 ms; 5000–7999 is 2999.
    has(
        &events[1],
        json!({"kind": "dead_air", "participant": "ch1", "other": "ch2", "begin_ms": 1000, "end_ms": 4000, "text": null}),
    );
    assert_eq!(events.len(), 2);
    has(
        &ran.row("calls"),
        json!({"dead_air_count": 1, "dead_air_ms": 3000, "longest_silence_ms": 3000, "silence_ms": 5999}),
    );
}

#[test]
fn dead_air_between_several_names_the_first_in_order() {
    let ran = measured(
        call(&[
            (1, 0, 1000, "b"),
            (2, 500, 1000, "c"),
            (2, 5000, 6000, "d"),
            (1, 5000, 5500, "e"),
            (0, 8000, 8500, "f"),
        ])
        .lasting(9000),
    );
    let dead: Vec<Row> = ran.table("events").into_iter().filter(|row| row["kind"] == "dead_air").collect();
    assert_eq!(kinds(&dead), [json!(["dead_air", "ch1", "ch1", 1000])]);
}

#[test]
fn a_pause_of_dead_air_ends_a_turn_and_a_shorter_one_does_not() {
    let of = |gap: i64| call(&[(0, 0, 1000, "one"), (0, 1000 + gap, 9000, "two")]).silent(1).lasting(9000);
    let turns = |gap, set: &[Set]| column(&measured_with(of(gap), parameters(set)).table("turns"), "end_ms");
    assert_eq!(turns(2999, &[]), [9000]);
    assert_eq!(turns(3000, &[]), [1000, 9000]);
    assert_eq!(turns(3000, &[("turn_pause_ms", 3001)]), [9000]);
    assert_eq!(turns(3000, &[("dead_air_ms", 5000), ("turn_pause_ms", 3000)]), [1000, 9000]);
    let ran = measured(of(3000));
    has(&ran.table("events")[0], json!({"kind": "dead_air", "participant": "ch0", "other": "ch0"}));
    has(&ran.row("calls"), json!({"turn_count": 2, "switch_count": 0}));
}

#[test]
fn a_monologue_is_a_turn_of_a_minute_pauses_included() {
    let of =
        |end: i64| call(&[(0, 0, 30_000, "one"), (0, 32_000, end, "two"), (1, 10_000, 10_500, "mhm")]).lasting(99_000);
    has(
        &measured(of(60_000)).participant("ch0"),
        json!({"monologue_count": 1, "longest_turn_ms": 60_000, "turn_count": 1}),
    );
    has(&measured(of(59_999)).participant("ch0"), json!({"monologue_count": 0}));
    has(
        &measured_with(of(59_999), parameters(&[("monologue_ms", 59_999)])).participant("ch0"),
        json!({"monologue_count": 1}),
    );
}

#[test]
fn answers_are_signed_and_slow_from_dead_air_on() {
    let ran = measured(
        call(&[
            (0, 0, 1000, "a"),
            (1, 4000, 5000, "b"),
            (0, 5500, 6000, "c"),
            (1, 6000, 7000, "d"),
            (0, 8000, 9000, "e"),
            (1, 8900, 10_000, "f"),
        ])
        .lasting(10_000),
    );
    // ch1: 3000, 0, −100; ch0: 500, 1000. p90 of ch1 lies at rank 1.8: 0 + 0.8 × 3000.
    has(
        &ran.participant("ch1"),
        json!({"response_n": 3, "response_ms_p50": 0, "response_ms_p90": 2400, "response_early_ratio": 1.0 / 3.0, "slow_response_count": 1}),
    );
    has(
        &ran.participant("ch0"),
        json!({"response_n": 2, "response_ms_p50": 750, "response_ms_p90": 950, "response_early_ratio": 0.0}),
    );
    // Neither a gap of 0 nor an overlap is early or late by itself.
    has(&ran.row("calls"), json!({"switch_count": 5, "switches_per_min": 30}));
}

#[test]
fn percentiles_lie_between_ranks_and_round_half_to_even() {
    let of = |values: &[i64], q| percentile(&mut values.to_vec(), q);
    // numpy.percentile([1, 2, 3, 4], 90) = 3.7; of 0…10 the 90th is 9.
    assert_eq!(of(&[4, 3, 2, 1], 90), Some(4));
    assert_eq!(of(&(0..=10).collect::<Vec<_>>(), 90), Some(9));
    assert_eq!(
        [of(&[0, 5], 50), of(&[1, 2], 50), of(&[-1, -2], 50), of(&[0, -1], 50)],
        [Some(2), Some(2), Some(-2), Some(0)]
    );
    assert_eq!([of(&[7], 50), of(&[7], 90), of(&[], 50)], [Some(7), Some(7), None]);
    assert_eq!(of(&[-1_000_000_000_000, 1_000_000_000_000], 90), Some(800_000_000_000));
}

// --- onsets ----------------------------------------------------------------------------------------------------------

/// The kind of the burst `begin`–`end` of ch1 with this text, while ch0 talks from 0 to 10 s.
fn kind_of(begin: i64, end: i64, text: &str, set: &[Set]) -> Value {
    let call = call(&[(0, 0, 10_000, TWELVE), (1, begin, end, text)]).lasting(20_000);
    let events = measured_with(call, parameters(set)).table("events");
    assert_eq!(events.len(), 1, "{events:?}");
    events[0]["kind"].clone()
}

#[test]
fn every_class_of_onset_begins_where_the_definitions_say() {
    assert_eq!(kind_of(2000, 3000, "one two three", &[]), "backchannel");
    assert_eq!(kind_of(2000, 3001, "one two three", &[]), "side_speech");
    assert_eq!(kind_of(2000, 3000, FOUR, &[]), "side_speech");
    assert_eq!(kind_of(2000, 3000, FOUR, &[("backchannel_max_units", 4)]), "backchannel");
    assert_eq!(kind_of(2000, 3001, "one", &[("backchannel_max_ms", 1001)]), "backchannel");
    // Ends with the incumbent: inside.
    assert_eq!(kind_of(9500, 10_000, "yes", &[]), "backchannel");
    assert_eq!(kind_of(9001, 11_000, "but", &[]), "terminal_overlap");
    assert_eq!(kind_of(9000, 11_000, "but", &[]), "interruption");
    assert_eq!(kind_of(9000, 11_000, "but", &[("interruption_overlap_ms", 1001)]), "terminal_overlap");
    assert_eq!(kind_of(999, 11_000, TWELVE, &[]), "simultaneous_start");
    assert_eq!(kind_of(1000, 11_000, TWELVE, &[]), "interruption");
    assert_eq!(kind_of(1000, 11_000, TWELVE, &[("incumbent_ms", 1001)]), "simultaneous_start");
}

#[test]
fn a_burst_that_begins_where_another_ends_is_no_onset() {
    let ran = measured(call(&[(0, 0, 10_000, TWELVE), (1, 10_000, 16_000, TWELVE)]).lasting(16_000));
    has(&ran.row("calls"), json!({"onset_count": 0, "overlap_ms": 0, "silence_ms": 0}));
    has(&ran.participant("ch1"), json!({"response_ms_p50": 0, "response_early_ratio": 0.0}));
}

#[test]
fn of_several_incumbents_the_one_who_began_first_is_interrupted() {
    let ran = measured(call(&[(0, 0, 5000, TWELVE), (1, 1000, 4000, NINE), (2, 3000, 6000, NINE)]).lasting(6000));
    let events = ran.table("events");
    has(
        &events[0],
        json!({"kind": "side_speech", "participant": "ch1", "other": "ch0", "overlap_ms": 3000, "held_ms": 1000}),
    );
    has(
        &events[1],
        json!({"kind": "interruption", "participant": "ch2", "other": "ch0", "overlap_ms": 2000, "held_ms": 3000}),
    );
    // 1000–5000 at least two talk; 0–6000 at least one.
    has(&ran.row("calls"), json!({"overlap_ms": 4000, "speech_ms": 6000, "onset_count": 2, "participant_count": 3}));
    assert_eq!(column(&ran.table("participants"), "overlap_ms"), [4000, 3000, 2000]);
    assert_eq!(column(&ran.table("participants"), "interrupted_count"), [1, 0, 0]);
}

#[test]
fn overlap_runs_to_the_latest_end_of_those_who_were_talking() {
    let ran = measured(call(&[(0, 0, 2000, NINE), (1, 500, 4000, NINE), (2, 1500, 3800, NINE)]).lasting(6000));
    let events = ran.table("events");
    has(
        &events[0],
        json!({"kind": "simultaneous_start", "participant": "ch1", "other": "ch0", "overlap_ms": 1500, "held_ms": 500}),
    );
    // Outlasts ch0, who began first, and talks over ch1 to its own end.
    has(
        &events[1],
        json!({"kind": "interruption", "participant": "ch2", "other": "ch0", "overlap_ms": 2300, "held_ms": 1500}),
    );
}

#[test]
fn equal_starts_are_events_but_no_onsets() {
    let ran = measured(call(&[(0, 1000, 3000, "a"), (1, 1000, 2000, "b"), (2, 1000, 4000, "c")]).lasting(6000));
    let events = ran.table("events");
    assert_eq!(events.len(), 2);
    let one = json!({"kind": "simultaneous_start", "participant": "ch0", "other": "ch1", "begin_ms": 1000, "end_ms": 3000,
        "overlap_ms": 1000, "held_ms": 0, "text": "a"});
    has(&events[0], one);
    has(&events[1], json!({"participant": "ch0", "other": "ch2", "end_ms": 3000, "overlap_ms": 2000, "held_ms": 0}));
    has(&ran.row("calls"), json!({"onset_count": 0, "overlap_ms": 2000}));
    assert_eq!(column(&ran.table("participants"), "simultaneous_start_count"), [0, 0, 0]);
}

#[test]
fn those_who_start_together_may_both_be_onsets_over_a_third() {
    let ran = measured(call(&[(0, 2000, 2500, "a"), (1, 2000, 6000, "b c d e"), (2, 0, 5000, "f")]).lasting(6000));
    assert_eq!(
        kinds(&ran.table("events")),
        [
            json!(["backchannel", "ch0", "ch2", 2000]),
            // The equal start ends with the burst of its first, too.
            json!(["simultaneous_start", "ch0", "ch1", 2000]),
            json!(["interruption", "ch1", "ch2", 2000]),
        ]
    );
    has(&ran.row("calls"), json!({"onset_count": 2, "interruption_count": 1, "backchannel_count": 1}));
}

// --- participants ------------------------------------------------------------------------------------------------------

#[test]
fn speakers_are_ordered_numbers_first_then_names_then_unknown() {
    let mut call = Call::default();
    for (index, speaker) in [json!(10), json!("Zoe"), json!("Ann"), Value::Null, json!(2)].into_iter().enumerate() {
        let begin = 1000 * index as i64;
        let mut said = sentence(&[(begin, begin + 500, "word")]);
        said["speaker_id"] = speaker;
        call = call.sentence(5, said);
    }
    let ran = measured(call.lasting(9000));
    let rows = ran.table("participants");
    assert_eq!(column(&rows, "participant"), ["spk2", "spk10", "spkAnn", "spkZoe", "unknown"]);
    assert_eq!(column(&rows, "speaker_id"), [json!(2), json!(10), Value::Null, Value::Null, Value::Null]);
    assert_eq!(column(&rows, "channel_id"), [5, 5, 5, 5, 5]);
    let shares: f64 = rows.iter().map(|row| row["talk_share"].as_f64().unwrap()).sum();
    assert!((shares - 1.0).abs() < 1e-12, "shares sum to 1, unknown included");
}

#[test]
fn roles_name_participants_and_one_role_for_two_makes_them_one() {
    let call =
        diarised(&[(Some(0), 0, 3000, "a"), (Some(1), 4000, 6000, "b"), (Some(3), 2000, 3500, "c")]).lasting(9000);
    let named = measured_with(call.clone(), |settings| settings.roles = "spk1=customer,spk7=nobody".parse().unwrap());
    assert_eq!(column(&named.table("participants"), "role"), [Value::Null, json!("customer"), Value::Null]);
    assert_eq!(column(&named.table("turns"), "role"), [Value::Null, Value::Null, json!("customer")]);
    let merged =
        measured_with(call, |settings| settings.roles = "spk0=agent,spk3=agent,spk1=customer".parse().unwrap());
    has(
        &merged.participant("spk0+spk3"),
        // One union: 0–3500.
        json!({"role": "agent", "speaker_id": null, "channel_id": 0, "talk_ms": 3500, "turn_count": 1, "units": 2}),
    );
    has(&merged.row("calls"), json!({"participant_count": 2, "speech_ms": 5500}));
}

#[test]
fn two_channels_of_one_role_are_one_participant() {
    let ran = measured_with(call(&[(0, 0, 3000, "a"), (1, 2000, 8000, TWELVE)]).lasting(8000), |settings| {
        settings.roles = "ch0=all,ch1=all".parse().unwrap();
    });
    has(
        &ran.participant("ch0+ch1"),
        json!({"channel_id": null, "talk_ms": 8000, "talk_share": null, "reason": "single_participant"}),
    );
    has(&ran.row("calls"), json!({"channel_count": 2, "participant_count": 1, "overlap_ms": null}));
}

#[test]
fn invalid_ids_count_as_missing_and_are_reported() {
    let said = |begin: i64, speaker: Value| {
        let mut said = sentence(&[(begin, begin + 6000, TWELVE)]);
        said["speaker_id"] = speaker;
        said
    };
    let transcripts = json!([
        {"channel_id": 256, "sentences": [said(0, json!(1.5)), said(7000, json!(-1)), said(14_000, json!("  ")), said(21_000, json!("7"))]},
        {"sentences": [said(30_000, json!(true))]},
    ]);
    let ran =
        measured(json!({"properties": {"original_duration_in_milliseconds": 40_000}, "transcripts": transcripts}));
    // 256 is out of range: position 0. A speaker that is no id is missing; "7" spells one.
    assert_eq!(column(&ran.table("participants"), "participant"), ["ch0:spk7", "ch0:unknown", "ch1"]);
    // 256, 1.5, −1, blank, "7", true.
    assert_eq!(
        ran.warnings(),
        [("invalid_value".to_owned(), 6), ("missing_channel_id".to_owned(), 1), ("unknown_speaker".to_owned(), 3)]
    );
}

#[test]
fn entries_of_one_channel_are_one_channel() {
    let entry = |begin: i64, content: i64| json!({"channel_id": 1, "content_duration_in_milliseconds": content, "sentences": [sentence(&[(begin, begin + 1000, "word")])]});
    let ran = measured(json!({"properties": {"channels": [0, 1]}, "transcripts": [entry(0, 900), entry(2000, 950)]}));
    has(
        &ran.row("calls"),
        json!({"channel_count": 1, "participant_count": 1, "sentence_count": 2, "billable_ms": 1850, "billable_source": "content_duration"}),
    );
    assert_eq!(column(&ran.table("sentences"), "sentence_index"), [0, 1]);
    assert_eq!(ran.warnings(), [("missing_channel".to_owned(), 1), ("duplicate_channel_id".to_owned(), 1)]);
    has(&ran.table("costs")[0], json!({"channel_id": 1, "billed_seconds": 2}));
}

// --- what is billed ------------------------------------------------------------------------------------------------------

#[test]
fn billing_uses_the_stated_duration_or_else_the_sentences() {
    let base = answered(call(&[(1, 27_500, 28_000, "over")])).lasting(40_000);
    let of = |call: Call| measured(call).row("calls");
    // ch0: 6000; ch1: the union of 27 000–33 000 and what lies in it.
    has(&of(base.clone()), json!({"billable_ms": 12_000, "billable_source": "sentences"}));
    has(
        &of(base.clone().content(0, 5001).content(1, 0)),
        json!({"billable_ms": 5001, "billable_source": "content_duration"}),
    );
    let mixed = measured(base.clone().content(0, 5001).content(1, -1));
    has(&mixed.row("calls"), json!({"billable_ms": 11_001, "billable_source": "mixed"}));
    assert!(mixed.warnings().contains(&("invalid_value".to_owned(), 1)));
    // Up, per track.
    assert_eq!(column(&mixed.table("costs"), "billed_seconds"), [6, 6]);
    assert_eq!(column(&mixed.table("costs"), "billable_source"), ["content_duration", "sentences"]);
    let exact = measured(base.content(0, 5000).content(1, 0));
    assert_eq!(column(&exact.table("costs"), "billed_seconds"), [5, 0]);
}

#[test]
fn a_price_needs_a_named_model() {
    let call = || answered(Call::default()).lasting(40_000);
    has(&measured(call()).row("calls"), json!({"model": null}));
    let named = measured_with(call(), |settings| {
        settings.model = Some("fun-asr".to_owned());
        settings.region = Some(talkmeter::catalog::Region::Cn);
    });
    has(&named.row("calls"), json!({"model": "fun-asr"}));
    has(&named.table("costs")[0], json!({"model": "fun-asr", "region": "cn"}));
}

// --- windows, text -------------------------------------------------------------------------------------------------------

#[test]
fn windows_tile_the_span_and_add_up_to_the_participant() {
    let words = [(2000, 3000, "a"), (11_000, 13_000, "b c"), (13_500, 14_000, "d")];
    let call = Call::default().say(0, &words).silent(1).lasting(20_000);
    let windows = |ms| measured_with(call.clone(), |settings| settings.window_ms = ms).table("windows");
    let rows = windows(10_000);
    let cells: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!([
                row["participant"],
                row["window_index"],
                row["begin_ms"],
                row["end_ms"],
                row["talk_ms"],
                row["units"]
            ])
        })
        .collect();
    // The burst of 11 000–13 000 is cut at 12 000; its words begin before.
    assert_eq!(
        cells,
        [
            json!(["ch0", 0, 2000, 12_000, 2000, 3]),
            json!(["ch0", 1, 12_000, 14_000, 1500, 1]),
            json!(["ch1", 0, 2000, 12_000, 0, 0]),
            json!(["ch1", 1, 12_000, 14_000, 0, 0]),
        ]
    );
    assert_eq!(windows(12_000).len(), 2, "a span of 12 s is one window");
}

#[test]
fn texts_are_joined_with_a_space_except_in_scripts_without() {
    let call = call(&[
        (0, 0, 500, " Hello "),
        (0, 500, 900, "世界"),
        (0, 900, 1200, "ok"),
        (0, 1200, 1500, "then"),
        (0, 1500, 1800, ""),
    ]);
    let ran = measured(call.silent(1).lasting(2000));
    has(&ran.table("turns")[0], json!({"text": "Hello世界ok then", "units": 5, "talk_ms": 1800}));
    assert_eq!(column(&ran.table("sentences"), "text"), ["Hello", "世界", "ok", "then", ""]);
}

#[test]
fn a_sentence_cut_by_a_turn_gives_each_part_its_own_words() {
    // The middle of ch0's sentence is interrupted by a turn of ch1 that outlasts the floor.
    let words = json!([
        {"begin_time": 0, "end_time": 1000, "text": "First", "punctuation": ","},
        {"begin_time": 6000, "end_time": 7000, "text": "second", "punctuation": "."},
    ]);
    let told = json!({"begin_time": 0, "end_time": 7000, "text": "First, second.", "words": words});
    let ran = measured(Call::default().sentence(0, told).say(1, &[(1500, 5000, FOUR)]).lasting(8000));
    let turns = ran.table("turns");
    assert_eq!(column(&turns, "text"), ["First,", FOUR, "second."]);
    assert_eq!(column(&turns, "units"), [1, 4, 1]);
    has(&ran.participant("ch0"), json!({"units": 2, "turn_count": 2}));
}

#[test]
fn a_sentence_without_text_takes_that_of_its_words() {
    let words = json!([{"begin_time": 0, "end_time": 500, "text": "hello", "punctuation": ", "}, {"begin_time": 500, "end_time": 900, "text": "你"}]);
    let ran = measured(
        json!({"transcripts": [{"channel_id": 0, "sentences": [{"begin_time": 0, "end_time": 900, "words": words}]}]}),
    );
    has(&ran.table("sentences")[0], json!({"text": "hello,你", "units": 2, "sentence_id": null}));
    has(&ran.table("words")[0], json!({"text": "hello", "punctuation": ","}));
    has(&ran.table("words")[1], json!({"text": "你", "punctuation": ""}));
}

#[test]
fn questions_are_sentences_that_end_in_a_question_mark() {
    let rows = [
        (0, 0, 500, "Who? "),
        (0, 600, 900, "你好吗？"),
        (0, 1000, 1300, "كيف؟"),
        (0, 1400, 1700, "你好吗"),
        (1, 1800, 2000, "What? Nothing."),
    ];
    let ran = measured(call(&rows).lasting(2000));
    assert_eq!(column(&ran.table("participants"), "question_count"), [3, 0]);
}

#[test]
fn markers_count_only_on_request() {
    let spoken = || call(&[(0, 0, 6000, "my card [PII] is <unk> <|noise|> 42")]).lasting(6000);
    has(&measured(spoken()).row("calls"), json!({"units": 4}));
    let kept = measured_with(spoken(), |settings| settings.markers = Markers::Keep);
    has(&kept.row("calls"), json!({"units": 7}));
}

// --- warnings ------------------------------------------------------------------------------------------------------

#[test]
fn oddities_in_values_are_counted() {
    let text = r#"{"properties": {"channels": [0], "original_duration_in_milliseconds": 60000},
        "transcripts": [{"channel_id": 0, "channel_id": 0, "text": "a", "transcript": "b", "sentences": [
            {"begin_time": "0", "end_time": 1000.5, "text": "be\u0007ll", "words": [
                {"begin_time": 0.5, "end_time": 1000, "text": "be\u0007ll"}]},
            {"begin_time": 2000, "end_time": 3000, "text": "five", "words": [
                {"begin_time": 2000, "end_time": 3000, "text": "six"}]},
            {"begin_time": true, "end_time": 4000, "text": "untimed"},
            "no sentence"]}]}"#;
    let ran = measured(text);
    let expected = [
        // "0", true, and the entry that is no object.
        ("invalid_value", 3),
        ("duplicate_key", 1),
        ("conflicting_fields", 1),
        // 1000.5 and 0.5.
        ("fractional_time", 2),
        // The sentence's text and the word's.
        ("control_characters", 2),
        ("untimed_sentences", 1),
        ("words_differ_from_text", 1),
    ];
    assert_eq!(ran.warnings(), expected.map(|(code, count)| (code.to_owned(), count)));
    has(&ran.row("calls"), json!({"warning_count": 7, "sentence_count": 3}));
    // Half to even: 1000.5 is 1000, 0.5 is 0.
    has(&ran.table("sentences")[0], json!({"begin_ms": 0, "end_ms": 1000, "text": "be\u{7}ll"}));
    has(&ran.table("words")[0], json!({"begin_ms": 0}));
}

#[test]
fn an_invalid_time_is_missing() {
    let of = |end: &str| {
        let text = format!(
            r#"{{"transcripts": [{{"channel_id": 0, "sentences": [{{"begin_time": 0, "end_time": {end}, "text": "a", "words": [
                {{"begin_time": 0, "end_time": 500, "text": "a"}}]}}]}}]}}"#
        );
        let ran = measured(&*text);
        let sentence = ran.table("sentences")[0]["end_ms"].clone();
        let invalid = ran.warnings().iter().find(|(code, _)| code == "invalid_value").map(|(_, count)| *count);
        (sentence, invalid)
    };
    assert_eq!(of("1000000000000"), (json!(1_000_000_000_000_i64), None));
    assert_eq!(of("1000000000001"), (Value::Null, Some(1)));
    assert_eq!(of("\" 900 \""), (json!(900), Some(1)));
    assert_eq!(of("\"9e2\""), (Value::Null, Some(1)));
    assert_eq!(of("\"900 ms\""), (Value::Null, Some(1)));
    assert_eq!(of("[900]"), (Value::Null, Some(1)));
    assert_eq!(of("false"), (Value::Null, Some(1)));
    assert_eq!(of("null"), (Value::Null, None));
}

#[test]
fn the_last_of_two_values_of_one_key_counts() {
    let spoken = sentence(&[(0, 6000, TWELVE)]);
    let text = format!(r#"{{"transcripts": [], "transcripts": [{{"channel_id": 0, "sentences": [{spoken}]}}]}}"#);
    let ran = measured(&*text);
    has(&ran.row("calls"), json!({"speech_ms": 6000}));
    assert_eq!(ran.warnings(), [("duplicate_key".to_owned(), 1)]);
    // What the first one had to say is not said.
    let text = format!(
        r#"{{"transcripts": [{{"channel_id": 999}}], "transcripts": [{{"channel_id": 0, "sentences": [{spoken}]}}]}}"#
    );
    assert_eq!(measured(&*text).warnings(), [("duplicate_key".to_owned(), 1)]);
}

#[test]
fn a_burst_that_starts_with_many_others_costs_no_more_than_one() {
    // 1 MB of speech by one speaker, 3,000 others beginning in the same ms: 3,000 events, one text.
    let long =
        format!(r#"{{"begin_time": 0, "end_time": 900000, "speaker_id": 0, "text": "{}"}}"#, "word ".repeat(200_000));
    let others =
        (1..3000).map(|id| format!(r#"{{"begin_time": 0, "end_time": 800000, "speaker_id": {id}, "text": "x"}}"#));
    let sentences: Vec<String> = std::iter::once(long).chain(others).collect();
    let json = format!(r#"{{"transcripts": [{{"channel_id": 0, "sentences": [{}]}}]}}"#, sentences.join(","));
    let transcript = talkmeter::transcript::read(json.as_bytes()).unwrap();
    let measured = talkmeter::metrics::measure("a", &transcript, &talkmeter::metrics::Settings::default());
    let texts: Vec<_> = measured.events.iter().filter_map(|event| event.text.as_ref()).collect();
    assert_eq!(texts.len(), 2999);
    assert!(texts.iter().all(|text| std::sync::Arc::ptr_eq(text, texts[0]) && text.len() <= 16_384));
}
