//! Hostile calls: none of them makes the page slow.

use serde_json::json;

use super::page;
use crate::scene::{Call, Scene};

#[test]
fn a_word_said_again_and_again_is_marked_each_time() {
    let said: Vec<(i64, i64, &str)> = (0..9000).map(|at| (at * 300, at * 300 + 280, "refund")).collect();
    let ran = Scene::new()
        .call("again", Call::default().say(0, &said).lasting(9000 * 300))
        .run("analyze calls -o out --keyword refund --only report")
        .exits(0);
    assert_eq!(ran.file("out/report.html").matches("<mark id=").count(), 9000);
}

#[test]
fn a_word_said_again_and_again_at_no_known_time_is_marked_each_time() {
    let sentences: Vec<_> = (0..60_000).map(|at| json!({"sentence_id": at, "text": "a refund"})).collect();
    let call = json!({"transcripts": [{"channel_id": 0, "sentences": sentences}]});
    Scene::new().call("again", call).run("analyze calls -o out --keyword refund --only report").exits(0);
}

#[test]
fn constant_interruptions_are_drawn() {
    let call = (0..200_000).fold(Call::default(), |call, at| call.say(0, &[(at * 1000, at * 1000 + 990, "word")]));
    let call = (0..100_000).fold(call, |call, at| call.say(1, &[(at * 2000 + 100, at * 2000 + 1400, "yes")]));
    Scene::new().call("all", call.lasting(200_000_000)).run("analyze calls -o out --only report").exits(0);
}

#[test]
fn a_keyword_is_not_marked_inside_another_word() {
    let said = [(0, 400, "I"), (400, 900, "know"), (1000, 1300, "no"), (1300, 1900, "one")];
    let ran = Scene::new()
        .call("one", Call::default().say(0, &said).lasting(2000))
        .run("analyze calls -o out --keyword no --keyword /o.e/")
        .exits(0);
    let html = ran.file("out/report.html");
    assert!(html.contains("I know <mark id=\"c1h0\" title=\"no\">no</mark> <mark id=\"c1h1\""), "{html}");
    assert_eq!(page::dangling(&html), Vec::<String>::new());
}

#[test]
fn a_call_too_large_for_the_page_leaves_room_for_the_others() {
    let huge = "word ".repeat(800_000);
    let speaks = |text: &str, pause: i64| {
        Call::default().say(0, &[(0, 1000, text)]).say(0, &[(pause, pause + 1000, "bye")]).lasting(pause + 1000)
    };
    let ran = Scene::new()
        .call("huge", speaks(&huge, 60_000))
        .call("small", speaks("hello", 10_000))
        .run("analyze calls -o out --only report")
        .exits(0);
    let html = ran.file("out/report.html");
    assert_eq!(page::calls(&html).keys().collect::<Vec<_>>(), ["small.json"]);
    assert!(html.contains("1 more call left out: the page would be too large to open"));
    assert_eq!(page::dangling(&html), Vec::<String>::new());
    assert!(html.contains("<a href=\"#c2\">small</a>"));
}

#[test]
fn calls_of_unknown_length_are_not_reported_as_left_out() {
    let ran = Scene::new()
        .call("known", Call::default().say(0, &[(0, 1000, "hello")]).lasting(2000))
        .call("silent", json!({"transcripts": []}))
        .run("analyze calls -o out --only report")
        .exits(0);
    let html = ran.file("out/report.html");
    assert_eq!(page::tile(&html, "Calls"), "Calls 2 0:02 of audio, known for 1 of 2 calls 1 without speech");
}

#[test]
fn keywords_of_many_speakers_are_not_counted_for_some_of_them() {
    let call = |speakers: i64| {
        let said: Vec<_> = (0..speakers)
            .map(|at| json!({"speaker_id": at, "begin_time": at * 2000, "end_time": at * 2000 + 900, "text": "refund"}))
            .collect();
        json!({"transcripts": [{"channel_id": 0, "sentences": said}]})
    };
    let of = |speakers| {
        let ran = Scene::new().call("one", call(speakers)).run("analyze calls -o out --keyword refund").exits(0);
        ran.file("out/report.html").matches("<button type=\"button\">spk").count()
    };
    assert_eq!([of(6), of(7)], [6, 0]);
}

#[test]
fn a_call_with_very_many_speakers_is_a_row_like_any_other() {
    let said: Vec<_> = (0..5000)
        .map(|at| json!({"speaker_id": at, "begin_time": at * 2000, "end_time": at * 2000 + 900, "text": "well"}))
        .collect();
    let call = json!({"transcripts": [{"channel_id": 0, "sentences": said}]});
    let ran = Scene::new().call("all", call).run("analyze calls -o out --calls 0 --only report").exits(0);
    let html = ran.file("out/report.html");
    assert!(html.len() < 200_000, "{}", html.len());
    assert!(html.contains(", 4,980 more\""));
}

#[test]
fn tables_with_times_that_no_call_has_are_refused() {
    let ran = Scene::new()
        .call("one", Call::default().say(0, &[(0, 1000, "hello")]).lasting(2000))
        .run("analyze calls -o out --tables jsonl")
        .exits(0);
    let turns = ran.file("out/turns.jsonl").replace("\"end_ms\":1000", "\"end_ms\":-9223372036854775808");
    let ran = ran.then().write("out/turns.jsonl", turns.as_str()).run("report out -o page.html").exits(1);
    ran.says("cannot read out/turns.jsonl").says("-9223372036854775808 in column end_ms is out of range");
}

#[test]
fn control_characters_are_shown_escaped() {
    let call =
        Call::default().say(0, &[(0, 1000, "a\u{1b}[2Jb\0")]).url("https://example.org/\u{9b}31m.wav").lasting(2000);
    let ran = Scene::new().call("one", call).run("analyze calls -o out").exits(0);
    let html = ran.file("out/report.html");
    assert!(html.contains("a\u{FFFD}[2Jb\u{FFFD}"), "{html}");
    assert!(html.chars().all(|c| !c.is_control() || c == '\n'));
}
