//! A batch from the first list to the last result, where nothing goes wrong that a recording is not to blame for.

use serde_json::json;
use talkmeter::emulator::Settings;

use crate::scene::{Scene, call, csv, has, rows_of_lines};
use crate::service::Service;

const A: &str = "https://calls.example/a.wav";
const B: &str = "https://calls.example/b.wav";
const C: &str = "https://calls.example/c.wav";
const D: &str = "https://calls.example/d.wav";

/// Fast in the region of the stories; and the emulator lists a task sooner than the service.
pub(crate) const MODEL: &str = "--model paraformer-v2 --list-lag 10s";

/// A WAV file of a quarter of a second whose samples say who it is.
pub(crate) fn wav(tracks: u16, rate: u32, who: u8) -> Vec<u8> {
    let sound = vec![who; rate as usize / 2 * usize::from(tracks)];
    let mut wav = b"RIFF".to_vec();
    wav.extend((36 + sound.len() as u32).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0");
    wav.extend(tracks.to_le_bytes());
    wav.extend(rate.to_le_bytes());
    wav.extend((rate * u32::from(tracks) * 2).to_le_bytes());
    wav.extend((tracks * 2).to_le_bytes());
    wav.extend(16_u16.to_le_bytes());
    wav.extend(b"data");
    wav.extend((sound.len() as u32).to_le_bytes());
    wav.extend(sound);
    wav
}

#[test]
fn each_url_is_submitted_once_and_its_result_is_kept_byte_for_byte() {
    let service = Service::new();
    let ran = service.scene().run(&format!("transcribe {A} {B} -o out {MODEL} --format json")).exits(0);
    ran.json().as_array().map(|rows| assert_eq!(rows.len(), 1)).unwrap();
    has(
        ran.json()[0].as_object().unwrap(),
        json!({"files": 2, "transcribed": 2, "silent": 0, "failed": 0, "at_service": 0, "uncertain": 0, "waiting": 0}),
    );
    let ran = ran.says("2 files to submit to paraformer-v2, track 0 of each: 2 charges").says("only track 0");
    service.accepted_once(&[A, B]).was_asked("submit", 2).was_asked("result", 2);
    let names: Vec<String> = ran.files("out/results").into_iter().map(|file| file.0).collect();
    assert_eq!(names, ["000001-a.json", "000002-b.json"]);
    assert_eq!(ran.file("out/failures.csv"), "item,url,task_id,code,message,request_id,hint\n");
    let books = service.balances(&ran);
    assert_eq!((books.stored.len(), books.count("ended")), (2, 2));
}

#[test]
fn what_was_recorded_is_stored_with_every_blank() {
    let scene = Scene::new().write("recorded/odd.json", " {\"transcripts\":\r\n[ ], \"new\": 1e2}\n\n");
    let service = Service::start(Settings { results: Some(scene.path("recorded")), ..Settings::default() });
    let ran = service.scene().run(&format!("transcribe https://calls.example/odd.mp3 -o out {MODEL} -q")).exits(0);
    assert_eq!(ran.bytes("out/results/000001-odd.json"), std::fs::read(scene.path("recorded/odd.json")).unwrap());
    ran.says_nothing();
}

#[test]
fn a_list_may_be_text_csv_or_json_lines_and_a_url_given_twice_is_one() {
    let service = Service::new();
    let text = format!("# of May\n{A}\n\n  {B}\r\n{A}\n");
    let run = format!("transcribe --files-from - -o out {MODEL}");
    let ran = service.scene().input(text).run(&run).exits(0).says("given twice: https://calls.example/a.wav");
    service.accepted_once(&[A, B]).was_asked("submit", 2);
    // The same folder takes what is new, and only that.
    let csv = format!("id,url\n1,{B}\n2,\"{C}\"\n");
    let ran = service.then(ran).input(csv).run(&run).exits(0).says("1 file to submit");
    let lines = format!("{{\"url\": \"{D}\"}}\n\"{C}\"\n");
    let ran = service.then(ran).write("list.jsonl", lines).run(&run.replace("from -", "from list.jsonl")).exits(0);
    service.accepted_once(&[A, B, C, D]).was_asked("submit", 4);
    assert_eq!(service.balances(&ran).stored.len(), 4);
}

#[test]
fn local_files_are_uploaded_once_for_each_content_and_the_limits_are_said_first() {
    let service = Service::new();
    let scene = service.scene().write("calls/a.wav", wav(1, 16_000, 1)).write("calls/b.WAV", wav(1, 16_000, 2));
    let scene = scene.write("calls/more/copy of a.wav", wav(1, 16_000, 1)).write("calls/readme.txt", "no recording");
    let ran = scene.run(&format!("transcribe calls -o out {MODEL} -vv")).exits(0);
    let ran = ran.says("temporary storage for 48 hours, which the vendor does not recommend for production");
    let ran = ran.says("3 recordings, 1 other file (1 .txt) left out");
    let line_of = |part: &str| ran.err().lines().position(|line| line.contains(part)).unwrap();
    assert!(line_of("48 hours") < line_of("/api/v1/uploads"), "said too late");
    service.was_asked("upload", 2).was_asked("policy", 2).was_asked("submit", 3);
    let accepted = service.accepted();
    assert_eq!(accepted.values().copied().collect::<Vec<_>>().iter().sum::<u64>(), 3, "{accepted:?}");
    assert_eq!(accepted.len(), 2, "one address for each content: {accepted:?}");
    assert!(accepted.keys().all(|url| url.starts_with("oss://") && !url.contains("copy")), "{accepted:?}");
    let books = service.balances(&ran);
    assert_eq!((books.stored.len(), books.count("uploaded")), (3, 2));
    // A new name for a content that lies there already is not uploaded again.
    let scene = service.then(ran).write("calls/again.wav", wav(1, 16_000, 2));
    scene.run(&format!("transcribe calls -o out {MODEL}")).exits(0);
    service.was_asked("upload", 2).was_asked("submit", 4);
}

#[test]
fn two_tracks_are_two_charges_and_a_track_that_was_left_out_is_said() {
    let service = Service::new();
    let stereo = "https://calls.example/stereo.wav";
    let ran = service.scene().run(&format!("transcribe {stereo} -o out {MODEL} --channel 0,1")).exits(0);
    let ran = ran.says("tracks 0, 1 of each: 2 charges").says_no("only track 0");
    let result: serde_json::Value = serde_json::from_slice(&ran.bytes("out/results/000001-stereo.json")).unwrap();
    let heard: Vec<_> = result["transcripts"].as_array().unwrap().iter().map(|one| one["channel_id"].clone()).collect();
    assert_eq!(heard, [0, 1]);
    service.accepted_once(&[stereo]);
    let ran = service.scene().run(&format!("transcribe {stereo} -o out {MODEL}")).exits(0);
    let ran = ran.says("track 1 of 1 recording was not transcribed; to add it: talkmeter transcribe");
    assert_eq!(ran.file("out/track-1.txt"), format!("{stereo}\n"));
    let more = format!("transcribe {MODEL} --channel 1 --files-from out/track-1.txt -o out-track-1");
    let ran = service.then(ran).run(&more).exits(0);
    let result: serde_json::Value =
        serde_json::from_slice(&ran.bytes("out-track-1/results/000001-stereo.json")).unwrap();
    assert_eq!(result["transcripts"][0]["channel_id"], 1);
}

#[test]
fn of_three_files_in_a_task_one_fails_one_is_silent_and_one_is_stored() {
    let service = Service::with(
        "[[fault]]\non = \"recognition\"\nurl_contains = \"/b.wav\"\ndo = \"fail\"\ncode = \"FILE_404_NOT_FOUND\"\n\
         message = \"no, \\\"b\\\" is not there\"\n\
         [[fault]]\non = \"recognition\"\nurl_contains = \"/c.wav\"\ndo = \"silence\"\n",
    );
    let b = "https://calls.example/b.wav?Signature=c2Vj";
    let ran = service.scene().run(&format!("transcribe {A} {b} {C} -o out {MODEL} --files-per-task 3")).exits(3);
    service.accepted_once(&[A, b, C]).was_asked("submit", 1).was_asked("result", 1);
    let ran =
        ran.says("https://calls.example/b.wav?…: FILE_404_NOT_FOUND").says_no("Signature").says("no result for 1 file");
    let ran = ran.says("warning: 1 file without speech");
    assert_eq!(ran.file("out/results/000003-c.json"), format!("{{\"file_url\":\"{C}\",\"transcripts\":[]}}\n"));
    let books = service.balances(&ran);
    assert_eq!((books.stored.len(), books.silent.len(), books.count("failed")), (1, 1, 1));
    let failed = books.lines.iter().find(|line| line.get("event") == Some(&json!("failed"))).unwrap();
    let text = |key: &str| failed[key].as_str().unwrap().to_owned();
    let failures = csv(&ran.file("out/failures.csv"));
    assert_eq!(failures.len(), 2);
    let row: Vec<String> = failures[1].iter().map(|cell| cell.0.clone()).collect();
    assert_eq!(
        row[..6],
        ["2", b, &text("task_id"), "FILE_404_NOT_FOUND", "no, \"b\" is not there", &text("request_id")]
    );
    assert!(row[6].starts_with("the service could not fetch the URL"), "{row:?}");
    // A failed file stays failed however often the command is repeated, until a retry is asked for.
    let again = format!("transcribe -o out {MODEL} --files-per-task 3");
    let ran = service.then(ran).run(&again).exits(3);
    service.was_asked("submit", 1);
    let ran = service.then(ran).run(&format!("{again} --retry-failed")).exits(0);
    assert_eq!(service.accepted()[b], 2);
    assert_eq!(ran.file("out/failures.csv").lines().count(), 1);
    assert_eq!(service.balances(&ran).stored.len(), 2);
}

#[test]
fn silence_is_a_result_by_either_code_and_lies_there_again_when_it_was_deleted() {
    let service = Service::with(
        "[[fault]]\non = \"recognition\"\nurl_contains = \"/a.wav\"\ndo = \"silence\"\n\
         [[fault]]\non = \"recognition\"\nurl_contains = \"/b.wav\"\ndo = \"silence\"\ncode = \"ASR_RESPONSE_HAVE_NO_WORDS\"\n",
    );
    let ran = service.scene().run(&format!("transcribe {A} {B} -o out {MODEL} --format jsonl")).exits(0);
    has(&ran.lines()[0], json!({"files": 2, "transcribed": 0, "silent": 2, "failed": 0}));
    let ran = ran.says("warning: 2 files without speech");
    let silent = |url: &str| format!("{{\"file_url\":\"{url}\",\"transcripts\":[]}}\n");
    assert_eq!(ran.file("out/results/000001-a.json"), silent(A));
    assert_eq!(ran.file("out/results/000002-b.json"), silent(B));
    assert_eq!(service.balances(&ran).silent.len(), 2);
    service.accepted_once(&[A, B]).was_asked("result", 0);
    let before = service.requests();
    let scene =
        service.then(ran).with(|folder| std::fs::remove_file(folder.join("out/results/000002-b.json")).unwrap());
    let ran = scene.run(&format!("transcribe -o out {MODEL}")).exits(0);
    assert_eq!(ran.file("out/results/000002-b.json"), silent(B));
    assert_eq!(service.requests(), before);
}

#[test]
fn a_finished_batch_asks_for_nothing_and_a_result_that_is_gone_is_fetched_again() {
    let service = Service::new();
    let run = format!("transcribe {A} {B} -o out {MODEL}");
    let ran = service.scene().run(&run).exits(0);
    let before = (service.requests(), ran.files("out/results"), ran.file("out/ledger.jsonl"));
    let ran = service.then(ran).run(&format!("{run} --format json -q")).exits(0).says_nothing();
    has(ran.json()[0].as_object().unwrap(), json!({"files": 2, "transcribed": 2}));
    assert_eq!(before, (service.requests(), ran.files("out/results"), ran.file("out/ledger.jsonl")));
    let gone = |folder: &std::path::Path| std::fs::remove_file(folder.join("out/results/000002-b.json")).unwrap();
    let ran = service.then(ran).with(gone).run(&run).exits(0);
    let ran = ran.says("results/000002-b.json is missing: fetching it again");
    assert_eq!(ran.files("out/results"), before.1);
    service.accepted_once(&[A, B]).was_asked("submit", 2).was_asked("result", 3);
}

#[test]
fn detached_files_are_collected_by_the_same_command_without_detach() {
    let service = Service::new();
    let run = format!("transcribe {A} {B} -o out {MODEL}");
    let ran = service.scene().run(&format!("{run} --detach --format json")).exits(0);
    has(ran.json()[0].as_object().unwrap(), json!({"files": 2, "transcribed": 0, "at_service": 2}));
    let ran = ran.says("2 files at the service; to collect the results, run the same command without --detach");
    service.accepted_once(&[A, B]).was_asked("query", 0).was_asked("result", 0);
    let ran = service.then(ran).run(&run).exits(0).says("2 are at the service");
    service.accepted_once(&[A, B]).was_asked("submit", 2);
    assert_eq!(service.balances(&ran).stored.len(), 2);
}

#[test]
fn other_parameters_need_another_folder() {
    let service = Service::new();
    let ran = service.scene().run(&format!("transcribe {A} -o out {MODEL}")).exits(0);
    let before = (service.requests(), ran.file("out/ledger.jsonl"));
    let ran = service.then(ran).run(&format!("transcribe {B} -o out {MODEL} --language en")).exits(2);
    let ran = ran
        .says("out was created with other parameters: ")
        .says("language_hints")
        .says("use another folder, or the same parameters");
    let ran = service.then(ran).run(&format!("transcribe {B} -o out --model fun-asr")).exits(2);
    let ran = ran.says("model: \"paraformer-v2\" → \"fun-asr\"");
    let elsewhere = "--base-url http://127.0.0.1:9/api/v1";
    let ran = service.then(ran).run(&format!("transcribe {B} -o out {MODEL} {elsewhere}")).exits(2);
    let ran = ran.says("→ http://127.0.0.1:9/api/v1");
    assert_eq!(before, (service.requests(), ran.file("out/ledger.jsonl")));
}

#[test]
fn what_is_no_ledger_is_left_alone() {
    let service = Service::new().unasked();
    for foreign in
        ["my own notes", "my own notes\n", "{\"talkmeter_ledger\":99,\"created\":\"2026-01-01T00:00:00Z\"}\n"]
    {
        let ran = service.scene().write("out/ledger.jsonl", foreign).run(&format!("transcribe {A} -o out {MODEL}"));
        assert_eq!(ran.exits(1).file("out/ledger.jsonl"), foreign);
    }
}

#[test]
fn results_are_what_analyze_and_check_read() {
    let scene = Scene::new()
        .write("recorded/a.json", call(&[(0, 0, 900, "hello"), (0, 1500, 2500, "yes")]).lasting(3000).json());
    let service = Service::start(Settings { results: Some(scene.path("recorded")), ..Settings::default() });
    let ran = service.scene().run(&format!("transcribe {A} -o out {MODEL}")).exits(0);
    let ran = ran.then().run("analyze out -o tables --tables jsonl").exits(0);
    let calls = rows_of_lines(&ran.file("tables/calls.jsonl"));
    has(&calls[0], json!({"model": "paraformer-v2", "speech_ms": 1900}));
}
