//! `export`: transcripts in the formats of research and for people, as other programs read them.

use std::process::Command;

use serde_json::{Value, json};

use crate::batch::MODEL;
use crate::scene::{Call, Scene, call, diarised};
use crate::service::Service;

/// Two tracks that overlap, a quotation mark, brackets, and a sentence without times.
fn odd() -> Call {
    let untimed = json!({"text": "No times \"here\".", "words": []});
    call(&[
        (0, 0, 2000, "good morning"),
        (1, 1500, 3500, "I want 5 < 6 & \"this\""),
        (0, 4000, 5250, "of_course *now*"),
    ])
    .sentence(1, untimed)
    .lasting(6000)
}

#[test]
fn a_call_is_written_in_every_format() {
    let line = "export calls/a.json --to rttm,ctm,stm,seglst,textgrid,eaf,whisper-json,txt,md -o made";
    let ran = Scene::new().call("a", odd()).run(line).exits(0).says("9 files written to made");
    let ran = ran.says("calls/a.json: stm leaves out 1 sentence without times");
    let rttm = "SPEAKER a 1 0.000 2.000 <NA> <NA> ch0 <NA> <NA>\nSPEAKER a 2 1.500 2.000 <NA> <NA> ch1 <NA> <NA>\n\
        SPEAKER a 1 4.000 1.250 <NA> <NA> ch0 <NA> <NA>\n";
    assert_eq!(ran.file("made/a.rttm"), rttm);
    assert_eq!(ran.file("made/a.ctm").lines().next().unwrap(), "a 1 0.000 2.000 good_morning");
    let stm = "a 1 ch0 0.000 2.000 good morning\na 2 ch1 1.500 3.500 I want 5 < 6 & \"this\"\na 1 ch0 4.000 5.250 of_course *now*\n";
    assert_eq!(ran.file("made/a.stm"), stm);
    let text = "[0:00] ch0: good morning\n[0:01] ch1: I want 5 < 6 & \"this\" No times \"here\".\n[0:04] ch0: of_course *now*\n";
    assert_eq!(ran.file("made/a.txt"), text);
    let markdown = "# a\n\n**ch0** (0:00): good morning\n\n**ch1** (0:01): I want 5 &lt; 6 &amp; \"this\" No times \"here\".\n\n\
        **ch0** (0:04): of_course \\*now\\*\n";
    assert_eq!(ran.file("made/a.md"), markdown);
    let segments: Value = serde_json::from_str(&ran.file("made/a.seglst.json")).unwrap();
    assert_eq!(
        segments[1],
        json!({"session_id": "a", "speaker": "ch1", "start_time": 1.5, "end_time": 3.5, "words": "I want 5 < 6 & \"this\""})
    );
    assert_eq!(segments[2]["start_time"], Value::Null);
    assert!(ran.file("made/a.TextGrid").contains("text = \"I want 5 < 6 & \"\"this\"\"\""));
    assert!(
        ran.file("made/a.eaf").contains("<ANNOTATION_VALUE>I want 5 &lt; 6 &amp; &quot;this&quot;</ANNOTATION_VALUE>")
    );
    let whisper: Value = serde_json::from_str(&ran.file("made/a.whisper.json")).unwrap();
    assert_eq!((&whisper["duration"], &whisper["segments"][0]["speaker"]), (&json!(6.0), &json!("ch0")));
    // Measured again, the two tracks of STM are two tracks.
    let ran = ran.then().run("analyze made/a.stm -o out").exits(0);
    assert_eq!((&ran.row("calls")["channel_count"], &ran.row("calls")["overlap_ms"]), (&json!(2), &json!(500)));
}

#[test]
fn speakers_of_one_track_have_columns_and_roles_name_them() {
    let call = diarised(&[(Some(0), 0, 1000, "hello."), (Some(1), 2000, 3000, "bye.")]);
    let ran = Scene::new().call("may/a b", call).run("export calls --to ctm,rttm -o out --role spk0=agent").exits(0);
    assert_eq!(
        ran.file("out/may/a b.ctm"),
        "may/a_b 1 0.000 1.000 hello. NA lex agent\nmay/a_b 1 2.000 1.000 bye. NA lex spk1\n"
    );
    let ran = ran.then().run("export calls --to txt").exits(0).prints("[0:00] spk0: hello.\n[0:02] spk1: bye.\n");
    let ran = ran.then().run("export calls --to txt,md").exits(2).says("choose one format to print");
    let ran = ran.then().run("export calls --to word").exits(2).says("choose from rttm, ctm, stm, seglst, textgrid");
    // Transcripts of others are exported too; what cannot be read is one line.
    let ran = ran.then().write("in/b.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ann>Hi.\n").write("in/c.json", "{}");
    ran.run("export in --to stm -o stm").exits(3).says("in/c.json: not a transcription result").says("1 file written");
}

#[test]
fn a_speaker_who_is_alone_keeps_the_label_and_a_marker_its_time() {
    let item = |text: &str, begin: u64, end: u64| json!({"Type": "pronunciation", "Content": text, "BeginOffsetMillis": begin, "EndOffsetMillis": end});
    let said = json!({"ParticipantRole": "AGENT", "Content": "I am [PII].", "BeginOffsetMillis": 0, "EndOffsetMillis": 2000,
        "Items": [item("I", 100, 300), item("am", 300, 600), item("[PII].", 600, 1900)]});
    let scene = Scene::new().write("in/a.json", json!({"Transcript": [said]}));
    let mut ran = scene.run("export in --to ctm,whisper-json,stm,rttm -o out").exits(0);
    let ctm = "a 1 0.100 0.200 I NA lex AGENT\na 1 0.300 0.300 am NA lex AGENT\na 1 0.600 1.300 [PII]. NA lex AGENT\n";
    assert_eq!(ran.file("out/a.ctm"), ctm);
    assert_eq!(ran.file("out/a.stm"), "a 1 AGENT 0.100 1.900 I am .\n");
    for (at, file) in ["in/a.json", "out/a.ctm", "out/a.whisper.json", "out/a.stm", "out/a.rttm"].iter().enumerate() {
        ran = ran.then().run(&format!("analyze {file} -o out/t{at} --tables csv")).exits(0);
        let row = &ran.table_as(&format!("t{at}/participants"), "csv")[0];
        assert_eq!((&row["participant"], &row["talk_ms"]), (&json!("AGENT"), &json!("1800")), "{file}");
    }
}

#[test]
fn a_format_that_needs_word_times_says_that_they_are_missing() {
    let vtt = "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ann>Hi.\n";
    let ran = Scene::new().write("in/b.vtt", vtt).run("export in --to ctm,stm -o out").exits(0);
    ran.says("b.vtt: ctm leaves out 1 sentence without word times: nothing is left");
}

#[test]
fn captions_are_made_of_other_transcripts_but_not_of_captions() {
    let scene = Scene::new()
        .write("in/a.rttm", "SPEAKER a 1 0.5 1 <NA> <NA> Ann <NA> <NA>\n")
        .write("in/b.stm", "b 1 Ann 0.5 1.5 Good morning.\nb 1 Bo 2 2.5 Hello.\n")
        .write("in/c.srt", "1\n00:00:01,000 --> 00:00:02,000\nHi.\n");
    let ran = scene.run("captions in -o out --to vtt").exits(0).says("2 files written");
    assert!(ran.file("out/b.vtt").contains("<v Ann>Good morning.\n"));
}

#[test]
fn texts_are_written_beside_results() {
    let service = Service::new();
    let (a, b) = ("https://calls.example/a.wav", "https://calls.example/b.wav");
    let ran = service.scene().run(&format!("transcribe {a} {b} -o out --text {MODEL}")).exits(0);
    let ran = ran.says("2 files written to out/text");
    let texts = ran.files("out/text");
    let results: Vec<String> = ran.files("out/results").into_iter().map(|file| file.0).collect();
    let stems: Vec<&str> = results.iter().map(|name| name.strip_suffix(".json").unwrap()).collect();
    assert_eq!(texts.iter().map(|file| file.0.strip_suffix(".txt").unwrap()).collect::<Vec<_>>(), stems);
    assert!(texts.iter().all(|file| file.1.starts_with(b"[0:")), "{texts:?}");
    let again = ran.then().run("analyze out").exits(0);
    assert!(!again.err().contains("other files"), "{}", again.err());
    let flash = service.scene().run("flash https://calls.example/jargon.wav --text").exits(2);
    flash.says("--save");
    let ran = service.scene().run("flash https://calls.example/jargon.wav --save out --text").exits(0);
    assert_eq!(ran.files("out/text").len(), 1);
}

#[test]
#[ignore = "needs python3 with meeteval, praatio, textgrid and pympi-ling"]
fn the_tools_that_own_the_formats_read_what_is_exported() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let examples = root.join("examples/calls");
    let one_track = diarised(&[
        (Some(0), 0, 3000, "hello there"),
        (Some(1), 2000, 4000, "yes \"so\" < & >"),
        (Some(0), 2500, 5000, "again"),
    ]);
    let scene = Scene::new().call("odd", odd()).call("track", one_track);
    let line = format!("export calls {} --to rttm,ctm,stm,seglst,textgrid,eaf,whisper-json -o out", examples.display());
    let ran = scene.run(&line).exits(0);
    let output = Command::new("python3").arg(root.join("tests/export/read_back.py")).arg(ran.path("out")).output();
    let output = output.expect("python3 is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let counts: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(counts["calls"], 8, "{counts}");
    assert!(counts["sentences"].as_u64().unwrap() > 100, "{counts}");
}
