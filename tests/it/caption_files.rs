//! `captions --check` on files of other tools: read as their standards say, judged as they are shown.

use serde_json::{Value, json};

use crate::scene::{Ran, Scene, call, column};

/// `cue rule value` of each violation.
fn violations(ran: &Ran) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let row = |row: &crate::scene::Row| format!("{} {} {}", row["cue"], text(&row["rule"]), row["value"]);
    ran.lines().iter().map(row).collect()
}

fn checked(name: &str, content: &str) -> Ran {
    Scene::new().write(name, content).run(&format!("captions --check {name} --format jsonl"))
}

#[test]
fn a_line_of_white_space_belongs_to_a_webvtt_cue() {
    // Rolling captions repeat the last line above the new one, and begin with a line of one space.
    let rolling = "WEBVTT\nKind: captions\n\n\
        00:00:00.240 --> 00:00:02.870 align:start\n \ngood<00:00:00.560><c> morning</c>, how are you?\n\n\
        00:00:02.870 --> 00:00:02.880 align:start\ngood morning, how are you?\n \n\n\
        00:00:02.880 --> 00:00:03.880 align:start\n\t\na line with far too many words in a single second of speech\n";
    let ran = checked("rolling.vtt", rolling).exits(3).says("1 file, 6 violations");
    assert_eq!(
        violations(&ran),
        [
            "2 gap_too_small 0",
            "2 too_short 10",
            "2 too_fast 2600",
            "3 gap_too_small 0",
            "3 too_fast 59",
            "3 line_too_long 59"
        ]
    );
    assert_eq!(ran.lines()[4]["text"], "a line with far too many words in a single second of speech");
}

#[test]
fn a_time_line_begins_a_cue_with_or_without_a_blank_line() {
    let srt = "1\n00:00:01,000 --> 00:00:03,000\nThank you for holding.\n2\n00:00:03,100 --> 00:00:05,000\n\
        I have the order here.\n3\n00:00:05,200 --> 00:00:07,000\nIt left us on Monday.\n";
    let vtt = "WEBVTT\n\n00:01.000 --> 00:03.000\nThank you for holding.\n00:03.100 --> 00:05.000\n\
        I have the order here.\n\n00:05.200 --> 00:07.000\nIt left us on Monday.\n";
    checked("a.srt", srt).exits(0).says("1 file, nothing found");
    checked("a.vtt", vtt).exits(0).says("1 file, nothing found");
    // Were the cues one, it would be shown for six seconds.
    let ran = Scene::new().write("a.srt", srt).write("a.vtt", vtt);
    let ran = ran.run("captions --check a.srt a.vtt --max-duration-ms 1900 --format jsonl").exits(3);
    assert_eq!(violations(&ran), ["1 too_long 2000", "1 too_long 2000"]);
}

#[test]
fn time_lines_that_cannot_be_read_are_named() {
    let srt = "1\n00:00:01,000 --> 00:00:03,000\nThank you.\n\n2\n00:00:03,100 --&gt; 00:00:05,000\nI have it.\n\n\
        3\n00:00:05,200 -> 00:00:07,000\nIt left us.\n";
    checked("a.srt", srt).exits(1).says(
        "a.srt: line 6: `00:00:03,100 --&gt; 00:00:05,000` is not a time line such as 00:00:01,000 --> 00:00:02,500; \
         nor is line 10",
    );
    checked("a.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\nx\n00:03.000 --> soon\n")
        .exits(1)
        .says("a.vtt: line 5: `00:03.000 --> soon` is not a time line such as 00:00:01.000 --> 00:00:02.500");
    // A cue whose time line is missing altogether is not text of the one before.
    checked("a.vtt", "WEBVTT\n\n00:01.000 -> 00:02.000\nx\n").exits(1).says("line 3: `00:01.000 -> 00:02.000`");
    // Text that mentions an arrow or a time is text.
    let text = "1\n00:00:01,000 --> 00:00:03,000\nRows A --> B\n9:00 - 17:00\n";
    checked("a.srt", text).exits(0).says("nothing found");
}

#[test]
fn cues_overlap_only_if_they_are_shown_together() {
    let shuffled = "1\n00:00:34,400 --> 00:00:38,200\nFirst in the file.\n\n2\n00:00:00,570 --> 00:00:04,540\nFirst.\n\n\
        3\n00:00:08,000 --> 00:00:14,000\nOne of two.\n\n4\n00:00:09,080 --> 00:00:13,700\nThe other.\n";
    let ran = checked("a.srt", shuffled).exits(3).says("1 file, 2 violations");
    assert_eq!(violations(&ran), ["2 out_of_order 33830", "4 overlap 4920"]);
}

#[test]
fn a_value_beyond_its_limit_is_never_printed_as_the_limit() {
    let forty = "a".repeat(40);
    let file = format!("1\n00:00:01,000 --> 00:00:02,999\n{forty}\n\n2\n00:00:04,000 --> 00:00:06,000\n{forty}\n");
    let ran = checked("a.srt", &file).exits(3);
    assert_eq!(violations(&ran), ["1 too_fast 20.1"]);
    ran.then().run("captions --check a.srt").exits(3).prints("20.1");
}

#[test]
fn each_line_of_a_bilingual_cue_has_the_limits_of_its_script() {
    let two = |chinese: &str, english: &str| format!("1\n00:00:01,000 --> 00:00:03,200\n{chinese}\n{english}\n");
    let fits = "您好，请问有什么可以帮您的吗？";
    checked("a.srt", &two(fits, "Hello, how may I help you today, please?")).exits(0).says("nothing found");
    let ran = checked("a.srt", &two("您好，请问我有什么可以帮到您的吗？", "Hello?")).exits(3);
    assert_eq!((violations(&ran), &ran.lines()[0]["limit"]), (vec!["1 line_too_long 17".to_owned()], &json!(16)));
    let ran = checked("a.srt", &two("您好。", "Hello, how may I help you on this fine day?")).exits(3);
    assert_eq!(violations(&ran), ["1 line_too_long 43"]);
}

#[test]
fn caption_files_are_known_by_any_spelling_of_their_name_and_by_their_content() {
    let srt = "1\n00:00:01,000 --> 00:00:01,500\nShort.\n";
    let ran = Scene::new()
        .write("subs/LOUD.SRT", srt)
        .write("subs/Mixed.Vtt", "WEBVTT\n\n00:01.000 --> 00:01.500\nShort.\n")
        .write("subs/notes.txt", "no captions")
        .write("other.txt", srt)
        .run("captions --check subs other.txt --format jsonl")
        .exits(3)
        .says("3 files, 3 violations");
    assert_eq!(column(&ran.lines(), "file"), ["LOUD.SRT", "Mixed.Vtt", "other.txt"]);
    // Captions are made from result files: no hint about JSON.
    let ran = Scene::new().write("a.srt", srt).call("b", call(&[(0, 0, 1000, "hello")]));
    let ran = ran.run("captions a.srt calls/b.json -o out --to srt").exits(3);
    let ran = ran.says("a.srt: captions are made from result files; this is SRT already");
    assert!(!ran.err().contains("JSON") && !ran.err().contains("hint"), "{}", ran.err());
}

#[test]
fn tags_of_the_recogniser_are_not_shown() {
    let ran = Scene::new()
        .call(
            "a",
            call(&[(0, 0, 2000, "<|Speech|>Where is my order?<|/Speech|><|ANGRY|>"), (0, 2500, 3500, "[noise]")]),
        )
        .run("captions calls/a.json --to srt")
        .exits(0);
    assert_eq!(ran.out(), "1\n00:00:00,000 --> 00:00:02,000\nch0: Where is my order?\n");
}

#[test]
fn srt_is_read_in_any_encoding_and_webvtt_only_in_utf_8() {
    let cue = |text: &str| format!("1\r\n00:00:01,000 --> 00:00:03,000\r\n{text}\r\n");
    let chinese = cue("您好，请问有什么可以帮您的吗？我们的客服马上为您服务。");
    let gbk = encoding_rs::GB18030.encode(&chinese).0.into_owned();
    let utf16: Vec<u8> = [0xFF, 0xFE].into_iter().chain(chinese.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let ran = Scene::new()
        .write("gbk.srt", &gbk[..])
        .write("utf16.srt", &utf16[..])
        .write("utf8.srt", &chinese[..])
        .run("captions --check gbk.srt utf16.srt utf8.srt --format jsonl")
        .exits(3)
        .says("gbk.srt: not UTF-8, read as gb18030\n");
    // The same text, the same violation.
    let rows = ran.lines();
    assert_eq!(column(&rows, "text").len(), 6);
    assert!(column(&rows, "text").iter().all(|text| *text == rows[0]["text"]));
    assert!(rows[0]["text"].as_str().unwrap().starts_with("您好，"));
    assert_eq!(ran.err().matches("not UTF-8").count(), 1);
    let vtt: Vec<u8> = [0xFF, 0xFE].into_iter().chain("WEBVTT\n".encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let ran = Scene::new()
        .write("a.vtt", &vtt[..])
        .write("b.srt", &b"PK\x03\x04\0\0"[..])
        .run("captions --check a.vtt b.srt");
    ran.exits(1)
        .says("a.vtt: this is UTF-16LE, WebVTT must be UTF-8 (hint: convert it: iconv -f UTF-16LE -t UTF-8)")
        .says("b.srt: this is not a text file");
}
