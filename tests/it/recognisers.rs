//! What recognisers really write: one diarised track whose words touch, emotions, and parts whose times all begin at
//! zero.

use serde_json::{Value, json};

use crate::scene::{Call, Scene, call, column, diarised, has, measured, sentence};

/// Five changes of turn in which words touch, and one after five seconds.
const TOUCHING: [(i64, i64, i64); 6] =
    [(0, 0, 4000), (1, 4000, 8000), (0, 8000, 12_000), (1, 12_000, 16_000), (0, 16_000, 20_000), (1, 25_000, 29_000)];

#[test]
fn responses_on_one_diarised_track_are_known_above_zero_only() {
    let rows = TOUCHING.map(|(speaker, begin, end)| (Some(speaker), begin, end, "one two three"));
    let one_track = measured(diarised(&rows).lasting(30_000));
    // Offsets 0 and 0.
    has(
        &one_track.participant("spk0"),
        json!({"response_ms_p50": null, "response_ms_p90": null, "response_early_ratio": null, "response_n": 2,
            "slow_response_count": 0, "reason": "single_channel_diarised"}),
    );
    // Offsets 0, 0 and 5,000: the 90th percentile is 0.2 × 0 + 0.8 × 5,000.
    has(
        &one_track.participant("spk1"),
        json!({"response_ms_p50": null, "response_ms_p90": 4000, "response_early_ratio": null, "response_n": 3,
            "slow_response_count": 1}),
    );
    let rows = TOUCHING.map(|(speaker, begin, end)| (speaker as u32, begin, end, "one two three"));
    let two_tracks = measured(call(&rows).lasting(30_000));
    has(
        &two_tracks.participant("ch0"),
        json!({"response_ms_p50": 0, "response_ms_p90": 0, "response_early_ratio": 0.0, "response_n": 2}),
    );
    has(&two_tracks.participant("ch1"), json!({"response_ms_p50": 0, "response_ms_p90": 4000}));
}

#[test]
fn a_median_that_is_not_known_is_in_no_summary() {
    let rows = TOUCHING.map(|(speaker, begin, end)| (Some(speaker), begin, end, "one two three"));
    let ran = Scene::new().call("a", diarised(&rows)).run("analyze calls -o out").exits(0);
    let report: Value = serde_json::from_str(&ran.file("out/report.json")).unwrap();
    let spread = report["participants"].as_array().unwrap().iter().find(|one| one["metric"] == "response_ms_p50");
    assert_eq!((&spread.unwrap()["n"], &spread.unwrap()["p50"]), (&json!(0), &Value::Null));
}

#[test]
fn emotions_are_shares_of_talk_as_received() {
    let said = |begin: i64, end: i64, emotion: Value| {
        let mut said = sentence(&[(begin, end, "one two")]);
        said["emotion"] = emotion;
        said["language"] = json!("zh");
        said
    };
    let labelled = Call::default()
        .sentence(0, said(0, 4000, json!("neutral")))
        .sentence(0, said(5000, 6000, json!("angry")))
        .say(1, &[(7000, 8000, "three")]);
    let page = crate::scene::analysed(labelled.clone()).file("out/report.html");
    assert!(page.contains("Emotions as the recogniser judged them, by share of talk: ch0: neutral 80 %, angry 20 %."));
    let ran = measured(labelled);
    // 4,000 of 5,000 ms, and 1,000.
    has(&ran.participant("ch0"), json!({"emotions": "neutral:0.8;angry:0.2"}));
    has(&ran.participant("ch1"), json!({"emotions": null}));
    assert_eq!(column(&ran.table("sentences"), "emotion"), [json!("neutral"), json!("angry"), Value::Null]);
    assert_eq!(column(&ran.table("sentences"), "language"), [json!("zh"), json!("zh"), Value::Null]);
    // Talk without a label is part of the whole.
    let partly = Call::default().sentence(0, said(0, 4000, json!("happy"))).say(0, &[(5000, 9000, "three four")]);
    has(&measured(partly).participant("ch0"), json!({"emotions": "happy:0.5"}));
}

#[test]
fn talk_that_overlaps_itself_for_over_a_quarter_is_serious() {
    // 4,000 ms of talk, of which 1,000 overlap, or 1,001.
    let of = |begin: i64| call(&[(0, 0, 3000, "one two"), (0, begin, 4000, "three four")]);
    let quarter = Scene::new().call("a", of(2000)).run("check calls").exits(0);
    assert!(quarter.out().contains("self_overlap_ms"), "{}", quarter.out());
    let more = Scene::new().call("a", of(1999)).run("check calls --serious").exits(3);
    assert!(more.out().contains("self_overlap_ms"), "{}", more.out());
}
