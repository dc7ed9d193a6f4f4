//! Texts that recognisers write beside or instead of words: markers, blanks, numbers, times without length.

use serde_json::{Value, json};

use crate::scene::{Call, Ran, Scene, column, has};

fn analysed(call: Call, more: &str) -> Ran {
    let line = format!("analyze calls -o out --tables jsonl {more}");
    Scene::new().call("a", call).run(&line).exits(0)
}

fn findings(call: Call, exit: i32) -> Vec<(Value, Value)> {
    let ran = Scene::new().call("a", call).run("check calls --format jsonl").exits(exit);
    ran.lines().iter().map(|row| (row["code"].clone(), row["count"].clone())).collect()
}

/// SenseVoice's tags around the text.
fn tagged() -> Call {
    Call::default()
        .tell(0, 500, 2500, "<|Speech|>Good morning, returns desk.<|/Speech|><|NEUTRAL|>")
        .tell(1, 3000, 5000, "<|Speech|>I want my [PII] money back.<|/Speech|><|ANGRY|>")
        .lasting(6000)
}

#[test]
fn markers_are_no_words_anywhere() {
    let ran = analysed(tagged(), "--keyword speech --keyword angry --keyword pii --keyword money");
    has(&ran.table("calls")[0], json!({"units": 9, "words": 9}));
    assert_eq!(column(&ran.table("turns"), "text"), ["Good morning, returns desk.", "I want my money back."]);
    let hits = ran.table("hits");
    assert_eq!(column(&hits, "rule"), ["money"]);
    has(&hits[0], json!({"matched": "money", "text": "I want my money back."}));
    // As received, where the tables show what was received.
    assert_eq!(ran.table("sentences")[0]["text"], "<|Speech|>Good morning, returns desk.<|/Speech|><|NEUTRAL|>");
    let ran = ran.then().run("captions calls/a.json --to vtt").exits(0);
    assert!(ran.out().contains("<v ch0>Good morning, returns desk.\n") && !ran.out().contains("|"), "{}", ran.out());
    assert!(!ran.file("out/report.html").contains("ANGRY"));
    // Kept on purpose, they are words like any other.
    let kept = ran.then().run("analyze calls -o kept --tables jsonl --keep-markers --keyword angry").exits(0);
    assert_eq!(kept.file("kept/calls.jsonl").lines().count(), 1);
    assert!(kept.file("kept/hits.jsonl").contains("<|ANGRY|>"));
    assert!(kept.file("kept/report.html").contains("ANGRY"));
    let ran = kept.then().run("captions calls/a.json --to vtt --keep-markers").exits(0);
    assert!(ran.out().contains("&lt;|ANGRY|&gt;"), "{}", ran.out());
}

#[test]
fn evidence_shows_markers_where_they_count() {
    let cut_in = Call::default()
        .say(0, &[(0, 4000, "Your order left us on Monday"), (4000, 6000, "[CAR HORN] and then")])
        .say(1, &[(4500, 8000, "No it did not")])
        .lasting(9000);
    for (more, shows) in [("", false), ("--keep-markers", true)] {
        let ran =
            Scene::new().call("a", cut_in.clone()).run(&format!("explain calls/a.json --event 0 {more}")).exits(0);
        assert_eq!(ran.out().contains("[CAR HORN]"), shows, "{more}: {}", ran.out());
        let ran = ran.then().run(&format!("analyze calls -o out {more}")).exits(0);
        assert_eq!(ran.file("out/report.html").contains("[CAR HORN]"), shows, "{more}");
        // Drawn again from the tables, too.
        let ran = ran.then().run("report out -o again.html").exits(0);
        assert_eq!(ran.file("again.html").contains("[CAR HORN]"), shows, "{more}");
    }
}

#[test]
fn markers_among_the_words_are_no_difference_between_words_and_text() {
    let said = Call::default()
        .sentence(
            0,
            json!({"begin_time": 0, "end_time": 900, "text": "<|Speech|>Hello there.", "words": [
                {"begin_time": 0, "end_time": 400, "text": "Hello"}, {"begin_time": 400, "end_time": 900, "text": " there"}]}),
        )
        .lasting(1000);
    assert_eq!(findings(said, 0), []);
}

#[test]
fn a_blank_sentence_is_speech_only_where_speech_is_billed() {
    let blank = |billed: i64| Call::default().say(0, &[(500, 2500, " ")]).content(0, billed).lasting(6000);
    let ran = analysed(blank(0), "");
    has(
        &ran.table("calls")[0],
        json!({"speech_ms": 0, "sentence_count": 1, "units": 0, "billable_ms": 0, "reason": "no_speech;single_participant"}),
    );
    assert_eq!(column(&ran.table("warnings"), "code"), ["nothing_to_measure", "blank_sentence"]);
    let ran = analysed(blank(2000), "");
    has(&ran.table("calls")[0], json!({"speech_ms": 2000, "units": 0}));
    assert_eq!(column(&ran.table("warnings"), "code"), ["blank_sentence"]);
    // Punctuation is no letter either; a marker says that something was heard.
    let marks = Call::default().tell(0, 500, 2500, "。").tell(0, 3000, 4000, "[PII]").content(0, 0).lasting(6000);
    let ran = analysed(marks, "");
    has(&ran.table("calls")[0], json!({"speech_ms": 1000, "units": 0}));
    has(&ran.table("warnings")[0], json!({"code": "blank_sentence", "count": 1}));
    // One letter is enough.
    let letter = Call::default().say(0, &[(500, 2500, "a")]).content(0, 0).lasting(6000);
    has(&analysed(letter, "").table("calls")[0], json!({"speech_ms": 2000, "units": 1, "warning_count": 0}));
}

#[test]
fn check_says_what_was_measured_where_words_have_no_length() {
    let order = |times: [(i64, i64); 3]| {
        let words: Vec<Value> = ["您", "好", "吗"]
            .iter()
            .zip(times)
            .map(|(text, (begin, end))| json!({"begin_time": begin, "end_time": end, "text": text}))
            .collect();
        let sentence = json!({"begin_time": 1000, "end_time": 2200, "text": "您好吗", "words": words});
        Call::default().sentence(0, sentence).lasting(4000)
    };
    let ran = Scene::new().call("a", order([(0, 0); 3])).run("check calls --format jsonl").exits(3);
    assert_eq!(column(&ran.lines(), "code"), ["word_outside_sentence", "words_without_length"]);
    has(&ran.lines()[1], json!({"count": 1, "meaning": "none of the words has a length; the sentence was measured"}));
    let table = ran.then().run("analyze calls -o out --tables jsonl").exits(0);
    has(&table.table("participants")[0], json!({"talk_ms": 1200, "basis": "sentences", "units": 3}));
    // A finding of `check` alone.
    assert_eq!(column(&table.table("warnings"), "code"), ["word_outside_sentence"]);
    // One length is enough to measure words.
    assert_eq!(findings(order([(1000, 1000), (1000, 1000), (1000, 2200)]), 0), []);
}

/// 120 yuan, spoken 一百二十, a pause, and the rest.
fn itemised() -> Call {
    let word = |begin: i64, end: i64, text: &str| json!({"begin_time": begin, "end_time": end, "text": text});
    let words = [
        word(1000, 1400, "一共"),
        word(1400, 1600, "是"),
        word(1600, 2400, "一百二十"),
        word(2400, 2600, "块"),
        word(6000, 6200, "下"),
        word(6200, 6600, "周三"),
        word(6600, 6900, "到"),
    ];
    let sentence = json!({"begin_time": 1000, "end_time": 6900, "text": "一共是120块，下周三到。", "words": words});
    Call::default().sentence(0, sentence).lasting(8000)
}

#[test]
fn a_sentence_whose_words_do_not_spell_it_is_not_divided() {
    let ran = analysed(itemised(), "--keyword 120块 --keyword 一百二十");
    let turns = ran.table("turns");
    assert_eq!(column(&turns, "units"), [9, 0]);
    assert_eq!(column(&turns, "text"), ["一共是120块，下周三到。", ""]);
    has(&ran.table("participants")[0], json!({"units": 9}));
    let hits = ran.table("hits");
    assert_eq!(column(&hits, "matched"), ["120块"]);
    has(&hits[0], json!({"begin_ms": 1000, "end_ms": 6900, "time_basis": "sentences"}));
    // Whatever holds the longest piece has it all: here the second turn.
    let mut later = itemised().json();
    later["transcripts"][0]["sentences"][0]["words"][6]["end_time"] = json!(7500);
    later["transcripts"][0]["sentences"][0]["end_time"] = json!(7500);
    let ran = Scene::new().call("a", later).run("analyze calls -o out --tables jsonl").exits(0);
    assert_eq!(column(&ran.table("turns"), "units"), [0, 9]);
    // Words that spell the text are divided, whatever their width and case.
    let spelt = Call::default()
        .sentence(
            0,
            json!({"begin_time": 0, "end_time": 6000, "text": "Ｏne two.", "words": [
                {"begin_time": 0, "end_time": 1000, "text": "one"}, {"begin_time": 5000, "end_time": 6000, "text": "Two"}]}),
        )
        .lasting(8000);
    assert_eq!(column(&analysed(spelt, "").table("turns"), "units"), [1, 1]);
}
