//! The worked example to the digit (definitions: golden example), and the table of word counts (definitions: units).

use serde_json::json;
use talkmeter::text::{Markers, count};

use crate::scene::{Call, Ran, analysed, call, has};

/// Begin, end and units of each burst of 2.14, in its order, by channel.
const GOLDEN: [(u32, i64, i64, usize); 10] = [
    (0, 500, 900, 1),
    (0, 900, 1500, 1),
    (0, 1700, 2000, 1),
    (1, 2300, 2500, 1),
    (1, 2900, 3900, 4),
    (0, 3700, 6000, 9),
    (1, 4500, 4800, 1),
    (1, 9500, 12500, 10),
    (0, 11200, 14000, 8),
    (1, 14000, 14000, 1),
];

fn words(count: usize) -> String {
    vec!["word"; count].join(" ")
}

fn golden() -> Call {
    let texts: Vec<String> = GOLDEN.iter().map(|row| words(row.3)).collect();
    let rows: Vec<_> = GOLDEN.iter().zip(&texts).map(|(row, text)| (row.0, row.1, row.2, &**text)).collect();
    call(&rows).lasting(15_000)
}

fn measured() -> Ran {
    analysed(golden())
}

fn rounded(row: &crate::scene::Row, column: &str, digits: usize) -> String {
    format!("{:.digits$}", row[column].as_f64().unwrap())
}

#[test]
fn the_golden_call_has_the_figures_of_the_definitions() {
    let row = measured().row("calls");
    has(
        &row,
        json!({
            "file": "a.json", "file_url": null, "duration_ms": 15_000, "duration_source": "properties",
            "speech_ms": 9300, "overlap_ms": 1800,
            "span_start_ms": 500, "span_end_ms": 14_000, "span_ms": 13_500, "lead_silence_ms": 500, "tail_silence_ms": 1000,
            "silence_ms": 4200, "longest_silence_ms": 3500, "dead_air_count": 1, "dead_air_ms": 3500,
            "switch_count": 4, "switches_per_min": 4.0 / 0.225,
            // Silence is 4200 of a span of 13 500, overlap 1800 of 9300 ms of speech.
            "silence_ratio": 4200.0 / 13_500.0, "overlap_ratio": 1800.0 / 9300.0,
            "participant_count": 2, "channel_count": 2, "sentence_count": 10,
            // ch0 has 3 turns, ch1 has 2; 3700, 4500 and 11200 are onsets.
            "turn_count": 5, "onset_count": 3, "interruption_count": 1, "backchannel_count": 1,
            // 20 + 17 units in 6600 + 4500 ms of talk.
            "units": 37, "words": 37, "han_chars": 0, "units_per_min": 200,
            // Nothing is stated, so the sentences: 6400 ms on ch0, 4500 on ch1.
            "billable_ms": 10_900, "billable_source": "sentences",
            "keyword_hit_count": null, "warning_count": 0, "reason": null,
        }),
    );
    assert_eq!(rounded(&row, "switches_per_min", 2), "17.78");
}

#[test]
fn the_golden_participants_have_the_figures_of_the_definitions() {
    let ran = measured();
    let (ch0, ch1) = (ran.participant("ch0"), ran.participant("ch1"));
    has(
        &ch0,
        json!({
            "channel_id": 0, "speaker_id": null, "basis": "words", "talk_ms": 6600,
            "talk_per_span": 6600.0 / 13_500.0, "talk_listen_ratio": 6600.0 / 4500.0,
            // 500–2000, 3700–6000 and 11200–14000.
            "turn_count": 3, "turn_ms_p50": 2300, "longest_turn_ms": 2800, "monologue_count": 0, "units": 20,
            // 3700 − 3900 and 11200 − 12500: −1300 and −200, p90 at −1300 + 0.9 × 1100.
            "response_ms_p50": -750, "response_ms_p90": -310, "response_n": 2, "response_early_ratio": 1,
            "slow_response_count": 0, "interruption_count": 1, "interrupted_count": 0, "backchannel_count": 0,
            "side_speech_count": 0, "terminal_overlap_count": 1, "simultaneous_start_count": 0, "overlap_ms": 1800,
            "question_count": 0, "first_begin_ms": 500, "last_end_ms": 14_000, "reason": null,
        }),
    );
    has(
        &ch1,
        json!({
            "channel_id": 1, "basis": "words", "talk_ms": 4500,
            // 2300–3900, a pause of 400 ms in it, and 9500–12500; 4500–4800 lies inside a turn of ch0.
            "turn_count": 2, "turn_ms_p50": 2300, "longest_turn_ms": 3000, "units": 17,
            // 2300 − 2000 and 9500 − 6000.
            "response_ms_p50": 1900, "response_ms_p90": 3180, "response_n": 2, "response_early_ratio": 0,
            "slow_response_count": 1, "interruption_count": 0, "interrupted_count": 1, "backchannel_count": 1,
            "terminal_overlap_count": 0, "overlap_ms": 1800, "first_begin_ms": 2300, "last_end_ms": 12_500,
            "reason": null,
        }),
    );
    assert_eq!([rounded(&ch0, "talk_share", 4), rounded(&ch1, "talk_share", 4)], ["0.5946", "0.4054"]);
    assert_eq!([rounded(&ch0, "units_per_min", 1), rounded(&ch1, "units_per_min", 1)], ["181.8", "226.7"]);
    let articulation = "articulation_units_per_min";
    assert_eq!([rounded(&ch0, articulation, 1), rounded(&ch1, articulation, 1)], ["187.5", "226.7"]);
}

#[test]
fn the_golden_events_are_those_of_the_definitions() {
    let ran = measured();
    let events = ran.table("events");
    assert_eq!(events.len(), 4);
    let expected = [
        // The burst of ch1 under way at 3700 began at 2900; it ends at 3900.
        json!({"event_index": 0, "kind": "terminal_overlap", "participant": "ch0", "other": "ch1", "begin_ms": 3700,
            "end_ms": 6000, "overlap_ms": 200, "held_ms": 800, "text": words(9)}),
        json!({"event_index": 1, "kind": "backchannel", "participant": "ch1", "other": "ch0", "begin_ms": 4500,
            "end_ms": 4800, "overlap_ms": 300, "held_ms": 800, "text": "word"}),
        json!({"event_index": 2, "kind": "dead_air", "participant": "ch0", "other": "ch1", "begin_ms": 6000,
            "end_ms": 9500, "overlap_ms": null, "held_ms": null, "text": null}),
        json!({"event_index": 3, "kind": "interruption", "participant": "ch0", "other": "ch1", "begin_ms": 11_200,
            "end_ms": 14_000, "overlap_ms": 1300, "held_ms": 1700, "text": words(8)}),
    ];
    for (event, expected) in events.iter().zip(expected) {
        has(event, expected);
    }
}

#[test]
fn the_golden_turns_windows_and_costs_follow() {
    let ran = measured();
    let turns: Vec<_> = ran
        .table("turns")
        .iter()
        .map(|row| json!([row["participant"], row["begin_ms"], row["end_ms"], row["talk_ms"], row["units"]]))
        .collect();
    // Talk inside a turn leaves out the pause of 400 ms, and keeps the one of 200 ms.
    assert_eq!(
        turns,
        [
            json!(["ch0", 500, 2000, 1500, 3]),
            json!(["ch1", 2300, 3900, 1200, 5]),
            json!(["ch0", 3700, 6000, 2300, 9]),
            json!(["ch1", 9500, 12_500, 3000, 10]),
            json!(["ch0", 11_200, 14_000, 2800, 8]),
        ]
    );
    let windows = ran.table("windows");
    assert_eq!(windows.len(), 2);
    has(
        &windows[0],
        json!({"participant": "ch0", "window_index": 0, "begin_ms": 500, "end_ms": 14_000, "talk_ms": 6600, "units": 20}),
    );
    // The word of no length has no piece, so it is in no window.
    has(&windows[1], json!({"participant": "ch1", "talk_ms": 4500, "units": 16, "units_per_min": 16.0 / 0.075}));
    let costs = ran.table("costs");
    has(
        &costs[0],
        json!({"channel_id": 0, "billable_ms": 6400, "billed_seconds": 7, "model": null, "unit_price": null, "cost": null}),
    );
    has(&costs[1], json!({"channel_id": 1, "billable_ms": 4500, "billed_seconds": 5, "billable_source": "sentences"}));
}

#[test]
fn words_are_counted_as_in_the_table_of_the_definitions() {
    let table = [
        ("Hello world, 这里是阿里巴巴语音实验室。", 14),
        ("iPhone15多少钱", 4),
        ("iPhone15，100块，2026年", 5),
        ("WiFi密码是abc123", 5),
        ("2020年3月1日", 6),
        ("今日はアイスクリームを食べた", 8),
        ("안녕하세요 여러분", 2),
        ("don't stop e-mail AI-driven", 6),
        ("3.14 12:30 1,000 50% $20", 6),
        ("C++ & C#", 2),
        ("，", 0),
        ("", 0),
        ("[PII]", 0),
        ("<unk>", 0),
        ("****", 0),
    ];
    for (text, units) in table {
        assert_eq!(count(text, Markers::Drop).units(), Some(units), "{text}");
    }
    assert_eq!(["[PII]", "<unk>"].map(|text| count(text, Markers::Keep).units()), [Some(1), Some(1)]);
    let thai = count("สวัสดีครับ", Markers::Drop);
    assert_eq!((thai.units(), thai.words()), (None, None));
}

#[test]
fn words_and_han_characters_add_up_to_units() {
    // A segment is a Han character by its first character, anything else is a word: a Hiragana character, too.
    for (text, words, han) in [
        ("Hello world, 这里是阿里巴巴语音实验室。", 2, 12),
        ("iPhone15多少钱", 1, 3),
        ("2020年3月1日", 3, 3),
        // 今 日 食 are Han; は, アイスクリーム, を, べ, た are words.
        ("今日はアイスクリームを食べた", 5, 3),
    ] {
        let units = count(text, Markers::Drop);
        assert_eq!((units.words(), units.han_chars(), units.units()), (Some(words), han, Some(words + han)), "{text}");
    }
}
