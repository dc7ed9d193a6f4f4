//! Keyword hits (definitions: keyword hit): what matches, where, and how it is counted.

use serde_json::{Value, json};

use crate::scene::{Call, Ran, Row, Scene, analysed, analysed_with, call, column, has, sentence};

/// Three sentences of ch0 in one turn, word by word, and one of ch1 inside them.
fn refund_call() -> Call {
    Call::default()
        .sentence(
            0,
            json!({"begin_time": 0, "end_time": 900, "text": "I want my.", "words": [
                {"begin_time": 0, "end_time": 200, "text": "I"}, {"begin_time": 200, "end_time": 500, "text": " want"},
                {"begin_time": 500, "end_time": 900, "text": " my", "punctuation": "."}]}),
        )
        .sentence(
            0,
            json!({"begin_time": 1000, "end_time": 2000, "text": "Money back, now!", "words": [
                {"begin_time": 1000, "end_time": 1300, "text": "Money"}, {"begin_time": 1300, "end_time": 1600, "text": " back", "punctuation": ", "},
                {"begin_time": 1600, "end_time": 2000, "text": " now", "punctuation": "!"}]}),
        )
        .say(1, &[(400, 800, "money")])
        .lasting(5000)
}

fn hits(call: Call, keyword: &str) -> Vec<Row> {
    let ran = Scene::new().call("a", call).run_with([
        "analyze",
        "calls",
        "-o",
        "out",
        "--tables",
        "jsonl",
        "--keyword",
        keyword,
    ]);
    ran.exits(0).table("hits")
}

fn matched(text: &str, keyword: &str) -> Vec<Value> {
    column(&hits(call(&[(0, 0, 1000, text)]), keyword), "matched")
}

#[test]
fn a_phrase_may_cross_the_end_of_a_sentence() {
    let found = hits(refund_call(), "my money back");
    assert_eq!(found.len(), 1);
    has(
        &found[0],
        json!({
            "file": "a.json", "rule": "my money back", "term": "my money back", "hit_index": 0, "participant": "ch0", "role": null,
            // From the begin of `my` to the end of `back`.
            "begin_ms": 500, "end_ms": 1600, "time_basis": "words",
            "matched": "my. Money back", "text": "I want my. Money back, now!",
        }),
    );
}

#[test]
fn text_inside_another_turn_is_searched_on_its_own() {
    let found = hits(refund_call(), "money");
    // In order of time: ch1's at 400 lies inside the turn of ch0.
    assert_eq!(column(&found, "participant"), ["ch1", "ch0"]);
    assert_eq!(column(&found, "hit_index"), [0, 1]);
    has(&found[0], json!({"begin_ms": 400, "end_ms": 800, "text": "money", "matched": "money"}));
    has(
        &found[1],
        json!({"begin_ms": 1000, "end_ms": 1300, "text": "I want my. Money back, now!", "matched": "Money"}),
    );
    // A phrase does not cross from one party to another.
    assert!(hits(refund_call(), "money my").is_empty());
}

#[test]
fn words_match_at_word_boundaries_and_han_characters_anywhere() {
    assert_eq!(matched("Refund! REFUND, refunds refunded pre-refund", "refund"), ["Refund", "REFUND", "refund"]);
    assert_eq!(matched("我要退款，退款！", "退款"), ["退款", "退款"]);
    // A Han neighbour is a boundary, a digit is not.
    assert_eq!(matched("我要refund不要refund2", "refund"), ["refund"]);
    assert_eq!(matched("Ｒｅｆｕｎｄ", "refund"), ["Ｒｅｆｕｎｄ"]);
    assert_eq!(matched("don't DON’T", "don't"), ["don't", "DON’T"]);
}

#[test]
fn an_exclusion_removes_the_hits_inside_it() {
    // 程序 in 排程序列 is no word.
    assert_eq!(matched("排程序列，程序", "程序 ! 排程序"), ["程序"]);
    assert_eq!(matched("排程序列，程序员", "程序 ! 排程序 ! /程序[员猿]/"), Vec::<Value>::new());
    let found = hits(call(&[(0, 0, 1000, "排程序列，程序")]), "程序 ! 排程序");
    has(&found[0], json!({"rule": "程序 ! 排程序", "term": "程序", "hit_index": 0}));
    // With and without the exclusion are two keywords.
    let call = call(&[(0, 0, 1000, "排程序列，程序")]);
    let ran =
        Scene::new().call("a", call).run("analyze calls -o out --keyword '程序 ! 排程序' --keyword 程序").exits(0);
    assert_eq!(column(&ran.table("hits"), "rule"), ["程序 ! 排程序", "程序", "程序"]);
    assert_eq!(column(&ran.table("hits"), "hit_index"), [0, 0, 1]);
}

#[test]
fn a_regex_sees_the_text_in_its_compatible_form_and_its_case() {
    assert_eq!(matched("in ２０２６年 or 2027年", r"/\d{4}年/"), ["２０２６年", "2027年"]);
    assert_eq!(matched("Visa visa", "/Visa/"), ["Visa"]);
    assert_eq!(matched("Visa visa", "/(?i)visa/"), ["Visa", "visa"]);
    assert_eq!(matched("aaaa", "/aa/"), ["aa", "aa"]);
}

#[test]
fn a_hit_has_the_time_of_its_words_or_of_its_sentence_or_none() {
    let told = Call::default().tell(0, 1000, 3000, "I want a refund now").silent(1).lasting(5000);
    has(
        &hits(told, "refund")[0],
        json!({"begin_ms": 1000, "end_ms": 3000, "time_basis": "sentences", "matched": "refund"}),
    );
    // Words that do not spell the sentence say nothing about where in it the hit is.
    let mut other = sentence(&[(1000, 2000, "something"), (2000, 3000, "else")]);
    other["text"] = json!("I want a refund now");
    let found = hits(Call::default().sentence(0, other).lasting(5000), "refund");
    has(&found[0], json!({"begin_ms": 1000, "end_ms": 3000, "time_basis": "sentences"}));
    // One matched word without a time is enough.
    let words = json!([{"begin_time": 1000, "end_time": 2000, "text": "my"}, {"text": "refund"}]);
    let untimed = json!({"begin_time": 1000, "end_time": 2500, "text": "my refund", "words": words});
    let found = hits(Call::default().sentence(0, untimed.clone()).lasting(5000), "my refund");
    has(&found[0], json!({"begin_ms": 1000, "end_ms": 2500, "time_basis": "sentences"}));
    has(
        &hits(Call::default().sentence(0, untimed).lasting(5000), "my")[0],
        json!({"end_ms": 2000, "time_basis": "words"}),
    );
    let timeless = json!({"transcripts": [{"channel_id": 0, "text": "a refund"}]});
    let found = analysed_with(timeless, "--keyword refund").table("hits");
    has(
        &found[0],
        json!({"begin_ms": null, "end_ms": null, "time_basis": "none", "text": "a refund", "participant": "ch0"}),
    );
}

#[test]
fn hits_are_ordered_by_rule_and_time_and_numbered_by_rule() {
    let ran = analysed_with(
        refund_call(),
        "--keyword now --keyword money --keyword now --keyword absent --role ch1=customer",
    );
    let cells: Vec<Value> = ran
        .table("hits")
        .iter()
        .map(|row| json!([row["rule"], row["hit_index"], row["begin_ms"], row["participant"], row["role"]]))
        .collect();
    // A keyword given twice is one.
    assert_eq!(
        cells,
        [
            json!(["now", 0, 1600, "ch0", null]),
            json!(["money", 0, 400, "ch1", "customer"]),
            json!(["money", 1, 1000, "ch0", null])
        ]
    );
    has(&ran.participant("ch0"), json!({"keyword_hit_count": 2}));
    has(&ran.participant("ch1"), json!({"keyword_hit_count": 1}));
    has(&ran.row("calls"), json!({"keyword_hit_count": 3}));
}

#[test]
fn no_keyword_is_no_count_and_a_keyword_not_found_is_zero() {
    let counts = |ran: Ran| {
        (ran.row("calls")["keyword_hit_count"].clone(), column(&ran.table("participants"), "keyword_hit_count"))
    };
    assert_eq!(counts(analysed(refund_call())), (Value::Null, vec![Value::Null, Value::Null]));
    assert_eq!(counts(analysed_with(refund_call(), "--keyword absent")), (json!(0), vec![json!(0), json!(0)]));
    // Null needs no reason here.
    has(
        &analysed(call(&[(0, 0, 6000, "a"), (1, 7000, 13_000, "b")]).lasting(13_000)).row("calls"),
        json!({"reason": null}),
    );
}

#[test]
fn keywords_may_be_in_a_file() {
    let list = "\u{FEFF}# what they ask for\n\n  money  \n程序 ! 排程序\r\n/no+w/\n";
    let scene = Scene::new().call("a", refund_call()).write("keywords.txt", list);
    let ran = scene.run("analyze calls -o out --keywords keywords.txt --keyword want").exits(0);
    assert_eq!(column(&ran.table("hits"), "rule"), ["want", "money", "money", "/no+w/"]);
    let report: Value = serde_json::from_str(&ran.file("out/report.json")).unwrap();
    assert_eq!(
        report["parameters"]["keywords"].as_array().unwrap()[..3],
        [json!("want"), json!("money"), json!("程序 ! 排程序")]
    );
    ran.then().run("analyze calls --keywords gone.txt").exits(1).says("cannot read the keywords gone.txt");
}

#[test]
fn a_bad_line_of_a_keyword_file_is_named() {
    let scene = |list: &str| Scene::new().call("a", refund_call()).write("keywords.txt", list);
    scene("money\n\n/(/\n")
        .run("analyze calls --keywords keywords.txt")
        .exits(2)
        .says("in line 3")
        .says("regex")
        .prints_nothing();
    scene("money\n…!\n")
        .run("analyze calls --keywords keywords.txt")
        .exits(2)
        .says("in line 2")
        .says("nothing but punctuation");
    scene("").run("analyze calls --keyword '/[/'").exits(2).says("not a valid regex");
}

#[test]
fn a_keyword_that_loses_its_punctuation_is_reported() {
    let ran = analysed_with(call(&[(0, 0, 1000, "Oh wow, a wow effect")]), "--keyword wow!");
    assert_eq!(column(&ran.table("hits"), "matched"), ["wow", "wow"]);
    ran.says("keyword `wow!` is searched as `wow`").exits(0);
}

#[test]
fn signs_of_a_keyword_must_be_in_the_text() {
    let said = [
        "I take vitamin C every day.",
        "We write it in C# and .NET.",
        "The net is down at the moment.",
        "AT&T told me to wait.",
        "I was at t minus ten.",
        "A 50 euro note.",
        "I want 50% off.",
    ];
    let said: Vec<(u32, i64, i64, &str)> =
        said.iter().zip(0..).map(|(text, at)| (0, at * 3000, at * 3000 + 2500, *text)).collect();
    for (keyword, matched) in [("C#", "C#"), (".NET", ".NET"), ("AT&T", "AT&T"), ("50%", "50%")] {
        let ran = analysed_with(call(&said), &format!("--keyword {keyword}"));
        assert_eq!(column(&ran.table("hits"), "matched"), [matched]);
        assert_eq!(ran.table("calls")[0]["keyword_hit_count"], 1);
        ran.exits(0);
    }
}

#[test]
fn a_korean_noun_is_found_with_its_particles() {
    let said = [
        (0, 500, 3000, "환불은 언제 되나요?"),
        (0, 3500, 6000, "제가 환불을 받고 싶어서요."),
        (0, 6500, 9000, "환불 요청했습니다."),
        (0, 9500, 12_000, "전액환불이 가능한가요?"),
    ];
    let ran = analysed_with(call(&said), "--keyword 환불").exits(0);
    // 전액환불 (a full refund) is another word.
    assert_eq!(column(&ran.table("hits"), "begin_ms"), [500, 3500, 6500]);
    assert_eq!(column(&ran.table("hits"), "matched"), ["환불", "환불", "환불"]);
}

#[test]
fn a_hit_keeps_its_word_times_where_case_and_width_differ_from_the_text() {
    // The words spell the sentence but for capitals, an apostrophe, and a comma that is a word of its own.
    let json = r#"{"transcripts": [{"channel_id": 0, "sentences": [
        {"begin_time": 0, "end_time": 5000, "text": "Thank you, don’t hang up", "words": [
            {"begin_time": 100, "end_time": 250, "text": "thank"}, {"text": ","},
            {"begin_time": 260, "end_time": 400, "text": "ｙｏｕ"},
            {"begin_time": 600, "end_time": 900, "text": "don't"},
            {"begin_time": 900, "end_time": 1200, "text": "hang"}, {"begin_time": 1200, "end_time": 1500, "text": "up"}]}]}]}"#;
    let ran = Scene::new().call("a", json).run("analyze calls -o out --keyword thank --keyword hang").exits(0);
    let hits = ran.table("hits");
    has(&hits[0], json!({"begin_ms": 100, "end_ms": 250, "time_basis": "words", "matched": "Thank"}));
    has(&hits[1], json!({"begin_ms": 900, "end_ms": 1200, "time_basis": "words", "matched": "hang"}));
}
