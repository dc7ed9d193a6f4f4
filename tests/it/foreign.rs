//! Transcripts of other recognisers: one call in every shape has the same figures, and none is billed by the service.

use serde_json::{Value, json};
use talkmeter::metrics::{Settings, measure};
use talkmeter::transcript::foreign::{self, Format};
use talkmeter::transcript::{ParseErrorKind, read};

use crate::scene::{Scene, column, diarised, has};

/// Ann says "Good morning." from 0.5 to 1.5 s, Bo says "Hello." from 2 to 2.5 s: in every shape that is JSON, with the
/// label of Ann.
fn shapes() -> Vec<(Format, &'static str, Value)> {
    let word = |text: &str, start: f64, end: f64| json!({"word": text, "text": text, "start": start, "end": end});
    let by = |mut word: Value, key: &str, speaker: Value| {
        word[key] = speaker;
        word
    };
    let aws = |content: &str, start: &str, end: &str, speaker: &str| {
        json!({"type": "pronunciation", "start_time": start, "end_time": end, "speaker_label": speaker,
            "alternatives": [{"confidence": "0.9", "content": content}]})
    };
    let stop = json!({"type": "punctuation", "alternatives": [{"content": "."}]});
    let analytics = |text: &str, words: Value, role: &str| json!({"Content": text, "ParticipantRole": role, "Items": words, "BeginOffsetMillis": 0, "EndOffsetMillis": 9000});
    let item = |text: &str, begin: u64, end: u64| json!({"Type": "pronunciation", "Content": text, "BeginOffsetMillis": begin, "EndOffsetMillis": end});
    let google = |text: &str, start: &str, end: &str, tag: u64| json!({"word": text, "startTime": start, "endTime": end, "speakerTag": tag});
    let ticks = |text: &str, offset: u64, duration: u64| json!({"word": text, "offsetInTicks": offset, "durationInTicks": duration as f64});
    let phrase = |text: &str, speaker: u64, words: Value| {
        json!({"recognitionStatus": "Success", "channel": 0, "speaker": speaker, "offsetInTicks": 0, "durationInTicks": 1,
            "nBest": [{"display": text, "words": words}, {"display": "other"}]})
    };
    let fast = |text: &str, offset: u64, duration: u64, speaker: u64| json!({"text": text, "offsetMilliseconds": offset, "durationMilliseconds": duration, "speaker": speaker});
    vec![
        (
            Format::Whisper,
            "Ann",
            json!({"text": "Good morning. Hello.", "segments": [
                {"start": 0.4, "end": 1.6, "text": " Good morning.", "speaker": "Ann",
                    "words": [word("Good", 0.5, 0.9), word("morning.", 0.9, 1.5)]},
                {"start": 2.0, "end": 2.5, "text": " Hello.", "speaker": "Bo"}]}),
        ),
        (
            Format::WhisperCpp,
            "spk0",
            json!({"transcription": [
                {"offsets": {"from": 500, "to": 1500}, "text": " Good morning.", "speaker": "0"},
                {"offsets": {"from": 2000, "to": 2500}, "text": " Hello.", "speaker": "1"}]}),
        ),
        (
            Format::FunAsr,
            "spk0",
            json!([{"key": "a", "text": "Good morning. Hello.", "sentence_info": [
                {"text": "Good morning.", "start": 0, "end": 9000, "timestamp": [[500, 900], [900, 1500]], "spk": 0},
                {"text": "Hello.", "start": 2000, "end": 2500, "timestamp": "[[2000, 2500]]", "spk": 1}]}]),
        ),
        (
            Format::Aws,
            "spk_0",
            json!({"jobName": "a", "results": {"transcripts": [{"transcript": "Good morning. Hello."}], "items": [
                aws("Good", "0.5", "0.9", "spk_0"), aws("morning", "0.9", "1.5", "spk_0"), stop,
                aws("Hello", "2.0", "2.5", "spk_1"), stop]}}),
        ),
        (
            Format::AwsCallAnalytics,
            "AGENT",
            json!({"JobStatus": "COMPLETED", "Transcript": [
                analytics("Good morning.", json!([item("Good", 500, 900), item("morning", 900, 1500)]), "AGENT"),
                analytics("Hello.", json!([item("Hello", 2000, 2500)]), "CUSTOMER")]}),
        ),
        (
            Format::Google,
            "spk1",
            json!({"results": [
                {"alternatives": [{"transcript": "Good morning. Hello.", "words": []}]},
                {"alternatives": [{"transcript": "", "words": [google("Good", "0.500s", "0.900s", 1),
                    google("morning.", "0.900s", "1.500s", 1), google("Hello.", "2s", "2.500s", 2)]}]}]}),
        ),
        (
            Format::Deepgram,
            "spk0",
            json!({"metadata": {"duration": 3.0}, "results": {"channels": [{"alternatives": [{"words": [
                by(word("Good", 0.5, 0.9), "speaker", json!(0)), by(word("morning.", 0.9, 1.5), "speaker", json!(0)),
                by(word("Hello.", 2.0, 2.5), "speaker", json!(1))]}]}]}}),
        ),
        (
            Format::AssemblyAi,
            "A",
            json!({"audio_duration": 2, "words": [], "utterances": [
                {"speaker": "A", "start": 500, "end": 1500, "text": "Good morning."},
                {"speaker": "B", "start": 2000, "end": 2500, "text": "Hello."}]}),
        ),
        (
            Format::AzureBatch,
            "spk1",
            json!({"duration": "PT3S", "recognizedPhrases": [
                phrase("Good morning.", 1, json!([ticks("good", 5_000_000, 4_000_000), ticks("morning", 9_000_000, 6_000_000)])),
                phrase("Hello.", 2, json!([ticks("hello", 20_000_000, 5_000_000)]))]}),
        ),
        (
            Format::AzureFast,
            "spk1",
            json!({"durationMilliseconds": 3000, "phrases":
                [fast("Good morning.", 500, 1000, 1), fast("Hello.", 2000, 500, 2)]}),
        ),
        (
            Format::ElevenLabs,
            "speaker_0",
            json!({"language_code": "en", "words": [
                {"type": "word", "text": "Good", "start": 0.5, "end": 0.9, "speaker_id": "speaker_0"},
                {"type": "spacing", "text": " ", "start": 0.9, "end": 0.9, "speaker_id": "speaker_0"},
                {"type": "word", "text": "morning.", "start": 0.9, "end": 1.5, "speaker_id": "speaker_0"},
                {"type": "audio_event", "text": "(laughs)", "start": 1.5, "end": 1.9, "speaker_id": "speaker_0"},
                {"type": "word", "text": "Hello.", "start": 2.0, "end": 2.5, "speaker_id": "speaker_1"}]}),
        ),
        (
            Format::SegLst,
            "Ann",
            json!([
                {"session_id": "a", "speaker": "Ann", "start_time": "0.5", "end_time": 1.5, "words": "Good morning."},
                {"session_id": "a", "speaker": "Bo", "start_time": "2", "end_time": 2.5, "words": "Hello."}]),
        ),
    ]
}

#[test]
fn one_call_in_every_shape_has_the_same_figures() {
    let mut scene = Scene::new();
    for (format, _, content) in shapes() {
        assert_eq!(Format::detect(content.to_string().as_bytes()), Some(format));
        scene = scene.call(format.name(), content);
    }
    let ran = scene.run("analyze calls -o out --tables jsonl").exits(0);
    let people = ran.table("participants");
    for (format, label, _) in shapes() {
        let file = format!("{}.json", format.name());
        let of = |at: usize| people.iter().filter(|row| row["file"] == *file).nth(at).unwrap();
        has(of(0), json!({"participant": label, "talk_ms": 1000, "units": 2, "first_begin_ms": 500}));
        has(of(1), json!({"talk_ms": 500, "units": 1, "first_begin_ms": 2000, "last_end_ms": 2500}));
        let call = ran.row_where("calls", "file", file.as_str());
        has(&call, json!({"participant_count": 2, "turn_count": 2, "billable_ms": null, "billable_source": null}));
        assert!(call["reason"].as_str().unwrap().ends_with("foreign_result"), "{call:?}");
    }
}

#[test]
fn lines_and_captions_are_read_as_well() {
    let lines = [
        (Format::Rttm, "SPEAKER a 1 0.5 1 <NA> <NA> Ann <NA> <NA>\nSPEAKER a 1 2 0.5 <NA> <NA> Bo <NA> <NA>\n", 0),
        (
            Format::Ctm,
            "a 1 0.5 0.4 Good 0.9 lex Ann\na 1 0.9 0.6 morning. 0.9 lex Ann\na 1 2 0.5 Hello. 0.9 lex Bo\n",
            2,
        ),
        (Format::Stm, "a 1 Ann 0.5 1.5 <o> Good morning.\na 1 inter_segment_gap 1.5 2\na 1 Bo 2 2.5 Hello.\n", 2),
        (
            Format::Srt,
            "1\n00:00:00,500 --> 00:00:01,500\n[Ann]: Good\nmorning.\n\n2\n00:00:02,000 --> 00:00:02,500\n[Bo]: Hello.\n",
            2,
        ),
        (
            Format::WebVtt,
            "WEBVTT\n\n0.500 --> 1.500 line:0\n<v Ann>Good <i>morning.</i>\n\n00:02.000 --> 00:02.500\n<v Bo>Hello.\n",
            2,
        ),
    ];
    for (format, text, units) in lines {
        assert_eq!(Format::detect(text.as_bytes()), Some(format), "{text}");
        let transcript = read(text.as_bytes()).unwrap();
        assert_eq!(transcript.foreign, Some(format));
        let measured = measure("a", &transcript, &Settings::default());
        let people: Vec<_> =
            measured.participants.iter().map(|one| (one.participant.as_str(), one.talk_ms, one.units)).collect();
        assert_eq!(people, [("Ann", Some(1000), Some(units)), ("Bo", Some(500), Some(units / 2))], "{format:?}");
    }
}

#[test]
fn several_recordings_in_one_file_are_refused_by_name() {
    let segment =
        |session: &str| json!({"session_id": session, "speaker": "A", "start_time": 0, "end_time": 1, "words": "x"});
    let error = read(json!([segment("one"), segment("two")]).to_string().as_bytes()).unwrap_err();
    assert_eq!(error.kind(), ParseErrorKind::SeveralRecordings);
    assert_eq!(error.to_string(), "2 recordings in one file: one, two; one file per recording is needed");
    let rttm = b"SPEAKER a 1 0 1 <NA> <NA> A <NA> <NA>\nSPEAKER b 1 0 1 <NA> <NA> A <NA> <NA>\n";
    assert_eq!(read(rttm).unwrap_err().kind(), ParseErrorKind::SeveralRecordings);
    // As JSON lines, and in two lists.
    let lines = |sessions: [&str; 2]| sessions.map(|name| segment(name).to_string()).join("\n");
    assert_eq!(read(lines(["one", "two"]).as_bytes()).unwrap_err(), error);
    let lists = format!("{}\n{}", json!([segment("one")]), json!([segment("two")]));
    assert_eq!(read(lists.as_bytes()).unwrap_err(), error);
    assert_eq!(read(lines(["one", "one"]).as_bytes()).unwrap().channels[0].sentences.len(), 2);
    assert_eq!(read(segment("one").to_string().as_bytes()).unwrap().foreign, Some(Format::SegLst));
    // Without names they are counted, in any shape.
    let said = json!({"text": "x", "timestamp": [[0, 500]]});
    let several = json!([said, said]).to_string();
    let without = "2 recordings in one file; one file per recording is needed";
    assert_eq!(read(several.as_bytes()).unwrap_err().to_string(), without);
    let named = json!([said, {"key": "b", "text": "x"}]).to_string();
    assert!(read(named.as_bytes()).unwrap_err().to_string().starts_with("2 recordings in one file: no. 1, b; "));
    for (format, _, content) in shapes().into_iter().filter(|(format, ..)| *format != Format::SegLst) {
        let error = format.read(format!("{content}\n{content}").as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ParseErrorKind::SeveralRecordings, "{format:?}");
        assert!(read(format!("{content}\n{content}").as_bytes()).is_err(), "{format:?}");
    }
}

#[test]
fn channels_of_another_recogniser_are_not_taken_for_those_of_the_service() {
    let track = |at: u64, text: &str| json!({"text": text, "words": [{"type": "word", "text": text, "start": 0.1, "end": 0.6, "channel_index": at}]});
    let content = json!({"transcripts": [track(0, "Hello"), track(1, "Greetings")]}).to_string();
    let transcript = read(content.as_bytes()).unwrap();
    assert_eq!(transcript.foreign, Some(Format::ElevenLabs));
    let measured = measure("a", &transcript, &Settings::default());
    let people: Vec<_> = measured.participants.iter().map(|one| (one.participant.as_str(), one.talk_ms)).collect();
    assert_eq!(people, [("ch0", Some(500)), ("ch1", Some(500))]);
}

#[test]
fn what_no_shape_has_is_refused_as_before() {
    for text in
        ["", "{}", "[]", "[1, 2]", "{\"results\": {}}", "{\"text\": \"alone\"}", "hello\nworld\n", "a b c d e\n"]
    {
        assert!(foreign::read(text.as_bytes()).is_none(), "{text}");
        assert!(read(text.as_bytes()).is_err(), "{text}");
    }
}

/// Ann and Bo, as lines of text and captions.
const ANN_AND_BO: [(&str, &str); 5] = [
    ("a.rttm", "SPEAKER a 1 0.5 1 <NA> <NA> Ann <NA> <NA>\nSPEAKER a 1 2 0.5 <NA> <NA> Bo <NA> <NA>\n"),
    ("b.CTM", "a 1 0.5 0.4 Good 0.9 lex Ann\na 1 0.9 0.6 morning. 0.9 lex Ann\na 1 2 0.5 Hello. 0.9 lex Bo\n"),
    ("c.stm", "a 1 Ann 0.5 1.5 Good morning.\na 1 Bo 2 2.5 Hello.\n"),
    (
        "d.srt",
        "1\n00:00:00,500 --> 00:00:01,500\n[Ann]: Good morning.\n\n2\n00:00:02,000 --> 00:00:02,500\n[Bo]: Hello.\n",
    ),
    ("e.vtt", "WEBVTT\n\n0.500 --> 1.500\n<v Ann>Good morning.\n\n00:02.000 --> 00:02.500\n<v Bo>Hello.\n"),
];

#[test]
fn a_folder_is_searched_for_every_ending() {
    let mut scene = Scene::new().call("z", shapes().pop().unwrap().2);
    for (name, content) in ANN_AND_BO {
        scene = scene.write(&format!("calls/{name}"), content);
    }
    // The captions of a call that is there are not another call.
    scene = scene.write("calls/z.srt", ANN_AND_BO[3].1).write("calls/notes.txt", "no call");
    let ran = scene.run("analyze calls -o out").exits(0).says("not read: 2 other files (1 .srt, 1 .txt)");
    let rows = ran.table("calls");
    let formats: Vec<_> = column(&rows, "source_format");
    assert_eq!(formats, ["rttm", "ctm", "stm", "srt", "webvtt", "seglst"]);
    assert!(rows.iter().all(|row| row["speech_ms"] == 1500 && row["participant_count"] == 2), "{rows:?}");
    let report: Value = serde_json::from_str(&ran.file("out/report.json")).unwrap();
    assert_eq!(report["inputs"]["sources"].as_array().unwrap().len(), 6);
    let ran = ran.then().run("check calls --format jsonl").exits(0).says("6 files, ");
    ran.then().run("report out").exits(0).prints("transcripts of ctm 1, rttm 1");
}

#[test]
fn a_format_can_be_insisted_on() {
    // Told by structure these are lines of CTM; their writer means STM.
    let lines = "a 1 2 3 4 5\n";
    let ran = Scene::new().write("a.txt", lines).run("analyze a.txt -o out").exits(0);
    assert_eq!(ran.row("calls")["source_format"], "ctm");
    let ran = ran.then().run("analyze a.txt -o out --from stm").exits(0);
    has(&ran.row("calls"), json!({"source_format": "stm", "speech_ms": 1000, "sentence_count": 1}));
    let ran = ran.then().run("analyze a.txt --from whisper-cpp").exits(1);
    let ran = ran.says("a.txt: this is not JSON");
    let ran =
        ran.then().run("analyze a.txt --from srt").exits(1).says("a.txt: this does not have the structure of srt");
    ran.then().run("analyze a.txt --from word").exits(2).says("\"word\" is not one of model_studio, whisper, ");
    // The service's own form, insisted on, is not looked for elsewhere.
    Scene::new().call("a", shapes()[0].2.clone()).run("check calls --from model_studio").exits(3).prints("refused");
}

#[test]
fn a_line_that_cannot_be_read_is_counted_and_named() {
    let start: String = (0..20).map(|at| format!("a 1 {at}.0 0.5 word.\n")).collect();
    let ctm = format!(";; a comment\n{start}a 1 20.0\na 1 soon 0.5 word.\na 1 22.0 0.5 word.\n");
    let rttm = "SPEAKER a 1 0.5 1.0 <NA> <NA> Ann <NA> <NA>\nSPEAKER a 1 2.0\nSPKR-INFO a 1\n";
    let srt = "1\n00:00:00,500 --> 00:00:01,500\nAnn: Good morning.\n\n2\n00:00:02,xyz --> 00:00:02,500\nAnn: Hello.\n";
    let scene = Scene::new().write("calls/a.ctm", ctm).write("calls/b.rttm", rttm).write("calls/c.srt", srt);
    let ran = scene.run("analyze calls -o out").exits(0);
    let mut warnings = ran.table("warnings");
    warnings.retain(|row| row["code"] == "invalid_value");
    assert_eq!(column(&warnings, "count"), [2, 1, 1]);
    assert_eq!(column(&warnings, "detail"), ["line 22: columns", "line 2: columns", "line 6: time line"]);
    // Insisted on, the first line that differs is in the message.
    let ran = Scene::new().write("a.txt", "a 1 Ann\nb\n").run("analyze a.txt --from stm").exits(1);
    ran.says("a.txt: this does not have the structure of stm (line 1)");
}

#[test]
fn what_is_refused_says_which_formats_were_tried() {
    let error = |text: &str| read(text.as_bytes()).unwrap_err().to_string();
    let json = error("{\"a\": 1}");
    assert!(
        json.starts_with("not a transcription result: no array `transcripts`; nor is it any of whisper, "),
        "{json}"
    );
    assert!(json.ends_with("elevenlabs, seglst"), "{json}");
    assert!(
        error("hello\nworld\n").ends_with("; nor is it any of rttm, ctm, stm, srt, webvtt"),
        "{}",
        error("hello\n")
    );
    assert_eq!(error("<html></html>"), "this is HTML, not a result file");
}

#[test]
fn speakers_of_others_are_in_the_order_in_which_they_begin() {
    let cue = |at: u64, name: &str| format!("00:{at:02}.000 --> 00:{:02}.500\n<v {name}>Hello.\n\n", at + 1);
    let vtt = format!("WEBVTT\n\n{}{}{}", cue(5, "Ann"), cue(1, "Zoe"), cue(3, "Bo"));
    let ran = Scene::new().write("a.vtt", vtt.as_str()).run("analyze a.vtt -o out").exits(0);
    assert_eq!(column(&ran.table("participants"), "participant"), ["Zoe", "Bo", "Ann"]);
}

#[test]
fn times_of_funasr_that_do_not_fit_are_counted() {
    let said = |text: &str, start: u64, times: Value| json!({"text": text, "start": start, "end": 2000, "timestamp": times, "spk": 0});
    let four = json!([[100, 300], [300, 500], [500, 700], [700, 2000]]);
    let content = json!([{"key": "a", "text": "x", "sentence_info": [
        said("你好世界。", 100, four.clone()), said("你好世界。", 700, four), said("你好世界。", 100, json!([[100, 300], [300, 2000]]))]}]);
    let ran = Scene::new().call("a", content).run("check calls --format jsonl").exits(3);
    let rows = ran.lines();
    let of = |code: &str| rows.iter().find(|row| row["code"] == code).unwrap_or_else(|| panic!("no {code}"));
    has(of("character_times"), json!({"count": 1, "severity": "note", "detail": "channel 0, sentence_index 2"}));
    has(of("sentence_times"), json!({"count": 1, "detail": "channel 0, sentence_index 1: start"}));
}

#[test]
fn lines_in_any_encoding_are_read_and_a_guess_is_counted() {
    let srt = "1\r\n00:00:01,000 --> 00:00:03,000\r\n您好，请问有什么可以帮您的吗？我们的客服马上为您服务。\r\n";
    let gbk = encoding_rs::GB18030.encode(srt).0.into_owned();
    let utf16: Vec<u8> = [0xFF, 0xFE].into_iter().chain(srt.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let marked = [b"\xEF\xBB\xBF", srt.as_bytes()].concat();
    for (bytes, notes) in [(gbk, 1), (utf16, 0), (marked, 0)] {
        let transcript = read(&bytes).unwrap();
        assert!(transcript.channels[0].sentences[0].text.starts_with("您好，"));
        assert_eq!(transcript.notices.summed().len(), notes);
    }
}

/// Participants with their talk.
fn talk(content: &str) -> Vec<(String, Option<i64>)> {
    let transcript = read(content.as_bytes()).unwrap_or_else(|error| panic!("{error}: {content}"));
    let measured = measure("a", &transcript, &Settings::default());
    measured.participants.iter().map(|one| (one.participant.clone(), one.talk_ms)).collect()
}

/// Speakers with what they say, sentence by sentence.
fn said(content: &str) -> Vec<(String, String)> {
    let transcript = read(content.as_bytes()).unwrap_or_else(|error| panic!("{error}: {content}"));
    let measured = measure("a", &transcript, &Settings::default());
    measured.sentences().map(|row| (measured.label(row.participant).to_owned(), row.text().to_string())).collect()
}

fn is_said(content: &str, expected: &[(&str, &str)]) {
    let own = |(speaker, text): &(&str, &str)| ((*speaker).to_owned(), (*text).to_owned());
    assert_eq!(said(content), expected.iter().map(own).collect::<Vec<_>>(), "{content}");
}

#[test]
fn stm_with_numbers_for_speakers_and_ctm_with_numbers_for_words_are_told_apart() {
    let formats = [
        ("rec 1 1089 0.0 2.5 hello there everyone\n", Format::Stm),
        ("rec 1 1089 0.0 2.5 hello\nrec 1 1089 3 4\nrec 1 1090 4 5 <o> yes\n", Format::Stm),
        ("rec 1 1089 0.0 2.5 a text of so many words that no other format has them\n", Format::Stm),
        ("rec 1 0.0 0.5 5\nrec 1 0.5 0.25 7\n", Format::Ctm),
        ("rec 1 0.0 0.5 5 0.98\nrec 1 0.5 0.25 7 NA lex\n", Format::Ctm),
        ("rec 1 2.5 0.5 hello 0.98\n", Format::Ctm),
        ("speaker 1 Ann 0.0 2.5 hello there everyone\n", Format::Stm),
        ("NOSCORE a 1 0 10 <NA> <NA> <NA> <NA>\nSPEAKER a 1 0.5 1 <NA> <NA> Ann <NA> <NA>\n", Format::Rttm),
    ];
    for (text, format) in formats {
        assert_eq!(Format::detect(text.as_bytes()), Some(format), "{text}");
    }
    assert_eq!(talk(formats[0].0), [("spk1089".to_owned(), Some(2500))]);
    assert_eq!(talk(formats[7].0), [("Ann".to_owned(), Some(1000))]);
}

#[test]
fn captions_of_ours_are_read_with_their_voices() {
    let call = |names: [i64; 2]| {
        diarised(&[
            (Some(names[0]), 0, 4000, "good morning how may I help"),
            (Some(names[1]), 500, 4500, "I want a refund for this"),
            (Some(names[0]), 8000, 9000, "for what?"),
        ])
    };
    let scene = Scene::new().call("a", call([0, 1])).run("captions calls -o out --to srt,vtt").exits(0);
    assert!(scene.file("out/a.srt").contains("- spk1: "), "no shared cue: {}", scene.file("out/a.srt"));
    for name in ["out/a.srt", "out/a.vtt"] {
        let expected =
            [("spk0", "good morning how may I help"), ("spk1", "I want a refund for this"), ("spk0", "for what?")];
        is_said(&scene.file(name), &expected);
    }
    let line = "captions calls -o named --to srt --role spk0=Agent,spk1=Customer";
    let scene = scene.then().run(line).exits(0);
    let expected =
        [("Agent", "good morning how may I help"), ("Customer", "I want a refund for this"), ("Agent", "for what?")];
    is_said(&scene.file("named/a.srt"), &expected);
}

#[test]
fn voices_of_captions_are_names_and_not_every_word_before_a_colon() {
    let srt = |texts: &[&str]| -> String {
        let cue = |(at, text): (usize, &&str)| format!("{at}\n00:00:0{at},000 --> 00:00:0{at},900\n{text}\n\n");
        (1..).zip(texts).map(cue).collect()
    };
    let expected = [("Speaker 1", "Hi."), ("Speaker 2", "Yes."), ("Speaker 1", "So."), ("Speaker 2", "No.")];
    is_said(&srt(&["Speaker 1: Hi.", "Speaker 2: Yes.", "Speaker 1: So.", "Speaker 2: No."]), &expected);
    is_said(&srt(&["ch0:spk1: Hi.", "ch1: Yes."]), &[("ch0:spk1", "Hi."), ("ch1", "Yes.")]);
    // Two lines that begin with a dash are two voices, once as well.
    is_said(&srt(&["- Ann: Hi\nthere.\n- Bo: Yes."]), &[("Ann", "Hi there."), ("Bo", "Yes.")]);
    // Text: words in lower case, a time, a name that stands once.
    let texts = ["note: call back", "note: at noon", "At 5:30 then", "Note: once", "- yes - no"];
    is_said(
        &srt(&["note: call back", "note: at noon", "At 5:30 then", "Note: once", "- yes\n- no"]),
        &texts.map(|text| ("ch0", text)),
    );
    // What is no tag is text, and entities are decoded.
    is_said(
        &srt(&["5 < 6 and 7 > 3", "<i>Caf&eacute;</i> &#8217;n &lt;b&gt;"]),
        &[("ch0", "5 < 6 and 7 > 3"), ("ch0", "Café ’n <b>")],
    );
    // Two voices in one cue.
    let vtt = "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ann>Hi.</v>\n<v.loud Bo>Yes.</v>\n";
    is_said(vtt, &[("Ann", "Hi."), ("Bo", "Yes.")]);
    assert_eq!(talk(vtt), [("Ann".to_owned(), Some(1000)), ("Bo".to_owned(), Some(1000))]);
}

#[test]
fn shapes_without_words_are_told_by_what_stands_beside_them() {
    let track = |at: u64| json!({"language_code": "en", "language_probability": 1.0, "text": "", "words": [], "channel_index": at});
    let assembly = json!({"id": "x", "language_code": "en_us", "text": "Hi there.", "utterances": null,
        "words": [{"text": "Hi", "start": 250, "end": 650}, {"text": "there.", "start": 700, "end": 1000}]});
    let service = json!({"transcripts": [{"channel_id": 0, "text": "", "sentences": []}]});
    for (content, format) in [
        (json!({"transcripts": [track(0), track(1)]}), Some(Format::ElevenLabs)),
        (track(0), Some(Format::ElevenLabs)),
        (assembly.clone(), Some(Format::AssemblyAi)),
        (service, None),
    ] {
        assert_eq!(read(content.to_string().as_bytes()).unwrap().foreign, format, "{content}");
    }
    // Gaps up to 250 ms are closed.
    assert_eq!(talk(&assembly.to_string()), [("ch0".to_owned(), Some(750))]);
}

#[test]
fn times_that_are_not_there_are_not_zero() {
    let word = |text: &str| json!({"word": text});
    let google =
        json!({"results": [{"alternatives": [{"transcript": "Hi there.", "words": [word("Hi"), word("there.")]}]}]});
    let transcript = read(google.to_string().as_bytes()).unwrap().into_owned();
    let sentence = &transcript.channels[0].sentences[0];
    assert_eq!((sentence.begin_ms, sentence.end_ms, sentence.words[0].begin_ms), (None, None, None));
    // A begin in ticks, a length as ISO 8601.
    let azure = json!({"recognizedPhrases": [{"recognitionStatus": "Success", "offsetInTicks": 5_000_000, "duration": "PT1.25S",
        "nBest": [{"display": "Hi."}]}]});
    assert_eq!(talk(&azure.to_string()), [("ch0".to_owned(), Some(1250))]);
    // Punctuation in front hangs on nothing.
    let items = json!([{"Type": "punctuation", "Content": "…"}, {"Type": "pronunciation", "Content": "Hi", "BeginOffsetMillis": 10, "EndOffsetMillis": 400}]);
    let aws = json!({"Transcript": [{"ParticipantRole": "AGENT", "Content": "… Hi", "Items": items, "BeginOffsetMillis": 0, "EndOffsetMillis": 500}]});
    let transcript = read(aws.to_string().as_bytes()).unwrap().into_owned();
    assert_eq!(transcript.channels[0].sentences[0].words.iter().map(|word| &*word.text).collect::<Vec<_>>(), ["Hi"]);
}

#[test]
fn words_of_rttm_are_read_in_any_case_and_those_without_a_speaker_are_counted() {
    let rttm = "SPEAKER a 1 0.5 1 <NA> <NA> Ann <NA> <NA>\nlexeme a 1 0.5 0.4 Hello LEX Ann 0.9 <NA>\n\
        LEXEME a 1 0.9 0.4 there lex Bo 0.9 <NA>\n";
    is_said(rttm, &[("Ann", "Hello")]);
    let transcript = read(rttm.as_bytes()).unwrap();
    let notices = transcript.notices.summed();
    assert_eq!((notices[0].count, notices[0].place.line), (1, Some(3)));
}

#[test]
fn channels_keep_their_numbers_and_the_first_to_talk_is_the_first() {
    let word = |text: &str, start: f64| json!({"word": text, "start": start, "end": start + 0.5});
    let channel = |words: Vec<Value>| json!({"detected_language": "en", "alternatives": [{"words": words}]});
    let deepgram = json!({"results": {"channels": [channel(vec![]), channel(vec![word("Yes.", 2.0)]), channel(vec![word("Hi.", 1.0)])]}});
    let labels = |content: &Value| talk(&content.to_string()).into_iter().map(|one| one.0).collect::<Vec<_>>();
    assert_eq!(labels(&deepgram), ["ch2", "ch1"]);
    let result = |tag: u64, start: &str, end: &str| {
        json!({"channelTag": tag, "languageCode": "en-us", "alternatives": [{"transcript": "Hi.",
        "words": [{"word": "Hi.", "startTime": start, "endTime": end}]}]})
    };
    assert_eq!(labels(&json!({"results": [result(1, "0.5s", "1s"), result(2, "0.1s", "0.4s")]})), ["ch1", "ch0"]);
    // One alone is the recording.
    assert_eq!(labels(&json!({"results": [result(2, "0.1s", "0.4s")]})), ["ch0"]);
    let ctm = "a B 0.5 0.4 yes.\na A 1.5 0.4 no.\n";
    assert_eq!(talk(ctm), [("ch1".to_owned(), Some(400)), ("ch0".to_owned(), Some(400))]);
}

#[test]
fn the_language_is_what_the_file_states() {
    for (format, _, mut content) in shapes() {
        let stated = match format {
            Format::Whisper => &mut content["language"],
            Format::WhisperCpp => &mut content["result"]["language"],
            Format::Aws => &mut content["results"]["language_code"],
            Format::AwsCallAnalytics => &mut content["LanguageCode"],
            Format::Google => &mut content["results"][1]["languageCode"],
            Format::Deepgram => &mut content["results"]["channels"][0]["detected_language"],
            Format::AssemblyAi | Format::ElevenLabs => &mut content["language_code"],
            Format::AzureBatch => &mut content["recognizedPhrases"][0]["locale"],
            Format::AzureFast => &mut content["phrases"][0]["locale"],
            _ => continue,
        };
        *stated = json!("en-GB");
        let transcript = read(content.to_string().as_bytes()).unwrap().into_owned();
        assert_eq!(transcript.channels[0].sentences[0].language.as_deref(), Some("en-GB"), "{format:?}");
    }
}

#[test]
fn a_call_without_speech_is_exported_and_read_again() {
    let silent = json!({"transcripts": [{"channel_id": 0, "sentences": []}], "properties": {"original_duration_in_milliseconds": 5000}});
    for format in ["rttm", "ctm", "stm", "seglst"] {
        let ran = Scene::new().call("a", silent.clone()).run(&format!("export calls --to {format} -o made")).exits(0);
        let ran = ran.then().run("analyze made -o out").exits(0);
        has(&ran.row("calls"), json!({"source_format": format, "speech_ms": 0, "sentence_count": 0}));
    }
    Scene::new()
        .write("calls/a.json", "")
        .write("calls/b.srt", "")
        .run("check calls")
        .exits(3)
        .prints("download the result");
}

#[test]
fn what_the_service_does_not_bill_has_a_count_of_its_own_and_no_advice_about_it() {
    let scene = Scene::new().call("a", shapes()[0].2.clone()).write("calls/b.rttm", ANN_AND_BO[0].1);
    let ran = scene.run("cost actual calls --model fun-asr --region intl").exits(0);
    let ran = ran.says("2 files found: 0 priced, 0 without a price, 0 without a duration, 2 of other recognisers");
    assert!(!ran.out().contains("by result"), "{}", ran.out());
    let ran = ran.then().run("cost actual calls --model fun-asr --region intl --format json").exits(0);
    has(
        ran.json()["summary"].as_object().unwrap(),
        json!({"totalDetected": 2, "totalNotBilled": 2, "totalNoDuration": 0}),
    );
    let ran = ran.then().run("compare calls calls --cost --model-a fun-asr --model-b fun-asr --region intl").exits(0);
    let ran =
        ran.says("the service does not bill transcripts of other recognisers").prints("calls (fun-asr, rttm, whisper)");
    let ran = ran.then().run("check calls --format jsonl").exits(0);
    assert!(!ran.err().contains("hint: ") && !ran.out().contains("blank_sentence"), "{}{}", ran.err(), ran.out());
    let ran = ran.then().write("calls/c.srt", "<html>").run("check calls/c.srt").exits(3);
    assert!(!ran.out().contains("download"), "{}", ran.out());
}

#[test]
#[ignore = "needs ../shared/data"]
fn real_data_of_other_recognisers_is_read_as_it_should_be() {
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/foreign");
    let expected: Value = serde_json::from_slice(&std::fs::read(data.join("expect.json")).unwrap()).unwrap();
    for (file, expected) in expected.as_object().unwrap() {
        let bytes = std::fs::read(data.join(file)).unwrap();
        let read = read(&bytes);
        if expected.get("recordings").is_some() {
            assert_eq!(read.unwrap_err().kind(), ParseErrorKind::SeveralRecordings, "{file}");
            continue;
        }
        let transcript = read.unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(transcript.duration_ms, expected["duration_ms"].as_i64(), "{file}");
        let measured = measure(file, &transcript, &Settings::default());
        let people = expected["participants"].as_array().unwrap();
        assert_eq!(measured.participants.len(), people.len(), "{file}");
        let labels: Vec<&str> = measured.participants.iter().map(|one| &*one.participant).collect();
        let in_order: Vec<&str> = people.iter().map(|person| person["label"].as_str().unwrap()).collect();
        assert_eq!(labels, in_order, "{file}");
        for person in people {
            let found = measured.participants.iter().find(|one| person["label"] == *one.participant);
            let found = found.unwrap_or_else(|| panic!("{file}: no {}", person["label"]));
            assert_eq!(
                found.talk_ms.unwrap_or(0),
                person["talk_ms"].as_i64().unwrap(),
                "{file}: talk of {}",
                person["label"]
            );
            if let Some(units) = person["units"].as_i64() {
                assert_eq!(found.units, Some(units), "{file}: units of {}", person["label"]);
            }
        }
        let sentences = measured.sentences().count() as u64;
        assert_eq!(sentences, expected["sentences"].as_u64().unwrap(), "{file}: sentences");
        assert_eq!(measured.words().count() as u64, expected["words"].as_u64().unwrap(), "{file}: words");
    }
    assert_eq!(expected.as_object().unwrap().len(), 49);
}
