//! Which tracks of a recording are requested, at what stated cost, however a run ends.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use talkmeter::batch::{Batch, BatchRequest, ManifestBuilder};
use talkmeter::client::Recognition;
use talkmeter::emulator::Settings;

use crate::batch::MODEL;
use crate::kills::client;
use crate::scene::{Ran, Scene, has};
use crate::service::{Books, Service};

/// A WAV file of this many quarters of a second in which each track holds one level.
fn wav(levels: &[i16], quarters: usize) -> Vec<u8> {
    let frames = 2000 * quarters;
    let tracks = levels.len() as u16;
    let mut wav = b"RIFF".to_vec();
    let bytes = (frames * levels.len() * 2) as u32;
    wav.extend((36 + bytes).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0");
    wav.extend(tracks.to_le_bytes());
    wav.extend(8000_u32.to_le_bytes());
    wav.extend((8000 * u32::from(tracks) * 2).to_le_bytes());
    wav.extend((tracks * 2).to_le_bytes());
    wav.extend(b"\x10\0data");
    wav.extend(bytes.to_le_bytes());
    let frame: Vec<u8> = levels.iter().flat_map(|level| level.to_le_bytes()).collect();
    wav.extend(frame.repeat(frames));
    wav
}

/// One track; two that differ; two alike.
const MONO: &[i16] = &[300];
const TWO: &[i16] = &[300, -300];
const ALIKE: &[i16] = &[301, 301];

/// The tracks of each result, by its name without the number.
fn heard(ran: &Ran) -> BTreeMap<String, Vec<u64>> {
    heard_in(&ran.path("out/results"))
}

fn heard_in(folder: &Path) -> BTreeMap<String, Vec<u64>> {
    let tracks = |result: &Value| {
        let all = result["transcripts"].as_array().unwrap();
        all.iter().map(|one| one["channel_id"].as_u64().unwrap()).collect()
    };
    let results = std::fs::read_dir(folder).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap()[7..].to_owned();
        (name, tracks(&serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()))
    });
    results.collect()
}

fn are<const K: usize>(expected: [(&str, &[u64]); K]) -> BTreeMap<String, Vec<u64>> {
    expected.into_iter().map(|(name, tracks)| (name.to_owned(), tracks.to_vec())).collect()
}

#[test]
fn every_track_of_a_local_file_that_sounds_different_is_requested_and_the_charges_are_said_first() {
    let service = Service::new();
    let scene = service.scene().write("calls/a.wav", wav(MONO, 8)).write("calls/b.wav", wav(TWO, 8));
    let scene = scene.write("calls/c.wav", wav(ALIKE, 8)).write("calls/d.wav", wav(&[10, 990], 8));
    let ran = scene.run(&format!("transcribe calls -o out {MODEL} --files-per-task 10 -vv")).exits(0);
    let ran = ran
        .says("2 local files have two different tracks: both are requested, 4 tracks are billed\n")
        .says("1 local file has the same sound in both tracks: it is requested once\n")
        .says("4 files to submit to paraformer-v2, track 0 of 2, tracks 0, 1 of 2: 6 charges by the length of speech\n")
        .says("expected cost: ")
        .says_no("only track 0")
        .says_no("not transcribed");
    let line_of = |part: &str| ran.err().lines().position(|line| line.contains(part)).unwrap();
    for said in ["6 charges", "expected cost"] {
        assert!(line_of(said) < line_of("/api/v1/uploads"), "said too late");
    }
    assert_eq!(heard(&ran), are([("a", &[0]), ("b", &[0, 1]), ("c", &[0]), ("d", &[0, 1])]));
    // A task requests the same tracks of all its files.
    service.was_asked("submit", 2);
    let books = service.balances(&ran);
    let items = books.lines.iter().filter(|line| line.get("event") == Some(&json!("item")));
    let own: Vec<[Option<&Value>; 2]> = items.map(|item| ["channels", "repeated"].map(|key| item.get(key))).collect();
    let (both, second) = (json!([0, 1]), json!([1]));
    assert_eq!(own, [[None, None], [Some(&both), None], [None, Some(&second)], [Some(&both), None]]);
    // A charge for each track that was requested: two seconds of one are two at most, of two four.
    let ran = ran.then().run("cost actual out --format jsonl -q").exits(0);
    let lines = ran.lines();
    let charged = |file: &str| lines.iter().filter(|line| line["file"] == file && line["basis"] == "result").count();
    let files = ["000001-a.json", "000002-b.json", "000003-c.json", "000004-d.json"];
    assert_eq!(files.map(charged), [1, 2, 1, 2], "{lines:?}");
    let ran = ran.then().run("cost reconcile out --format jsonl -q");
    assert_eq!(ran.lines().iter().map(|row| row["estimate_high_s"].clone()).collect::<Vec<_>>(), [2, 4, 2, 4]);
    ran.exits(0);
}

#[test]
fn a_choice_of_tracks_decides_for_all_and_nothing_is_looked_at() {
    let service = Service::new();
    let scene = service.scene().write("calls/a.wav", wav(MONO, 1)).write("calls/b.wav", wav(TWO, 1));
    let ran = scene.run(&format!("transcribe calls -o out {MODEL} --channel 0")).exits(0);
    let ran = ran
        .says("2 files to submit to paraformer-v2, track 0 of each: 2 charges")
        .says_no("different tracks")
        .says("track 1 of 1 recording was not transcribed; to add it: talkmeter transcribe --model paraformer-v2 --channel 1");
    assert_eq!(heard(&ran), are([("a", &[0]), ("b", &[0])]));
    // The command it names brings the other party.
    let more = format!("transcribe {MODEL} --channel 1 --files-from out/track-1.txt -o more");
    let ran = service.then(ran).run(&more).exits(0);
    assert_eq!(heard_in(&ran.path("more/results")), are([("b", &[1])]));
}

#[test]
fn a_requested_track_without_a_transcript_is_pointed_out_and_not_offered_again() {
    let scene = Scene::new().write(
        "recorded/a.json",
        json!({"properties": {"channels": [0, 1, 2]}, "transcripts": [{"channel_id": 0, "sentences": []}]}),
    );
    let service = Service::start(Settings { results: Some(scene.path("recorded")), ..Settings::default() });
    let ran = service.scene().run(&format!("transcribe https://calls.example/a.wav -o out {MODEL} --channel 0,1"));
    let ran = ran.exits(0).says("warning: 1 recording without a transcript of track 1, though it was requested");
    ran.says("track 2 of 1 recording was not transcribed").says_no("--channel 1 ");
}

#[test]
fn of_a_url_the_first_track_is_requested_and_that_is_said() {
    let service = Service::new();
    let scene = service.scene().write("b.wav", wav(TWO, 1)).write("notes.mp3", "no audio at all");
    let ran = scene.run(&format!("transcribe https://calls.example/stereo.wav b.wav notes.mp3 -o out {MODEL}"));
    let ran = ran
        .exits(0)
        .says("1 local file has two different tracks")
        .says("1 local file: number of tracks unknown, only track 0 is requested; choose with --channel")
        .says("only track 0 of 1 URL is transcribed, the service's default")
        .says("track 1 of 1 recording was not transcribed");
    assert_eq!(ran.file("out/track-1.txt"), "https://calls.example/stereo.wav\n");
    assert_eq!(heard(&ran)["b"], [0, 1]);
}

#[test]
fn where_one_track_alone_can_be_requested_the_first_is_and_that_is_said() {
    let service = Service::new();
    let scene = service.scene().write("a.wav", wav(MONO, 1)).write("b.wav", wav(TWO, 1));
    let ran = scene.run(&format!("transcribe a.wav b.wav -o out {MODEL} --diarize")).exits(0);
    let ran = ran
        .says("diarization works on one track: only track 0 of 1 local file with several tracks is requested")
        .says("track 0 of each: 2 charges")
        .says("track 1 of 1 recording was not transcribed");
    assert_eq!(heard(&ran), are([("a", &[0]), ("b", &[0])]));
    // A model that has no such parameter is not sent it.
    let scene = service.scene().write("b.wav", wav(TWO, 1));
    let ran = scene.run("transcribe b.wav -o out --model qwen-audio-3.1-asr-flash --region intl --no-check").exits(3);
    let ran = ran.says(
        "qwen-audio-3.1-asr-flash takes no choice of tracks: only track 0 of 1 local file with several tracks is requested",
    );
    assert!(!ran.file("out/ledger.jsonl").contains("channel"), "{}", ran.file("out/ledger.jsonl"));
}

#[test]
fn a_recording_that_was_begun_is_requested_as_it_was_begun() {
    let service = Service::with("[[fault]]\non = \"submit\"\ndo = \"status\"\nstatus = 400\ncode = \"Arrearage\"\n");
    let run = format!("transcribe calls -o out {MODEL}");
    let ran = service.scene().write("calls/a.wav", wav(TWO, 1)).run(&run).exits(4);
    // The file is another now; what was announced is kept to.
    let scene = service.then(ran).write("calls/a.wav", wav(&[70, 70], 1)).write("calls/b.wav", wav(&[90, 10], 1));
    let ran = scene.run(&run).exits(0);
    let ran = ran
        .says("1 local file has two different tracks: both are requested, 2 tracks are billed")
        .says_no("the same sound")
        .says("2 files to submit to paraformer-v2, tracks 0, 1 of each: 4 charges");
    assert_eq!(heard(&ran), are([("a", &[0, 1]), ("b", &[0, 1])]));
    // Without its inputs, too.
    let before = service.requests();
    let ran = service.then(ran).run(&format!("transcribe -o out {MODEL}")).exits(0);
    assert_eq!((service.requests(), heard(&ran).len()), (before, 2));
}

#[test]
fn the_library_takes_the_tracks_of_each_recording_from_its_caller() {
    let service = Service::new();
    let scene = service.scene();
    let mut draft = ManifestBuilder::default();
    draft.list("-", &b"https://calls.example/a.wav\nhttps://calls.example/b.wav\n"[..]);
    let mut order =
        BatchRequest::new(Recognition::new("paraformer-v2").channels(&[0]), draft.finish().unwrap().recordings);
    let open = |order: &BatchRequest| Batch::open(&scene.path("out"), client(&service), order.clone());
    order.recordings_mut()[1].channels = Some(Vec::new());
    let error = open(&order).unwrap_err().to_string();
    assert!(error.contains("https://calls.example/b.wav: no track is requested"), "{error}");
    assert!(!scene.path("out").exists());
    order.recordings_mut()[1].channels = Some(vec![1, 3]);
    let batch = open(&order).unwrap();
    assert_eq!((batch.waiting().charges(), batch.waiting().addresses), (3, 2));
    let summary = service.block_on(batch.run_to_end()).unwrap();
    assert_eq!(summary.counts.stored, 2);
    assert_eq!(heard_in(&scene.path("out/results")), are([("a", &[0]), ("b", &[1, 3])]));
}

/// What the version before tracks were looked at wrote: items have none of their own.
fn older_ledger(service: &Service, scene: &Scene, files: &[&str]) -> String {
    let mut lines = vec![
        json!({"talkmeter_ledger": 1, "created": "2026-11-01T00:00:00Z"}),
        json!({
            "at": "2026-11-01T00:00:00Z", "event": "batch", "base_url": service.base_url(), "region": "cn",
            "recognition": {"model": "paraformer-v2", "parameters": {}, "context": []}, "files_per_task": 1,
        }),
    ];
    for (n, file) in (1..).zip(files) {
        let path = std::fs::canonicalize(scene.path(file)).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap();
        lines.push(json!({
            "at": "2026-11-01T00:00:00Z", "event": "item", "n": n, "url": file, "key": format!("file://{}", path.display()),
            "name": name,
        }));
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_batch_of_the_version_before_goes_on_as_it_was_begun() {
    let service = Service::new();
    let scene = service.scene().write("calls/a.wav", wav(TWO, 1)).write("calls/b.wav", wav(&[50, 600], 1));
    let ledger = older_ledger(&service, &scene, &["calls/a.wav"]);
    let ran = scene.write("out/ledger.jsonl", ledger).run(&format!("transcribe calls -o out {MODEL}")).exits(0);
    let ran = ran
        .says("1 local file has two different tracks")
        .says("2 files to submit to paraformer-v2, track 0 of 1, tracks 0, 1 of 1: 3 charges")
        .says("track 1 of 1 recording was not transcribed");
    assert_eq!(heard(&ran), are([("a", &[0]), ("b", &[0, 1])]));
    assert_eq!(ran.file("out/track-1.txt"), "calls/a.wav\n");
}

#[test]
fn a_batch_that_is_killed_again_and_again_keeps_the_tracks_of_each_file() {
    let service = Service::new();
    let mut scene = service.scene();
    let kinds: [&dyn Fn(i16) -> Vec<i16>; 3] = [&|n| vec![n], &|n| vec![n, -n], &|n| vec![n, n]];
    let mut expected = BTreeMap::new();
    for n in 0..30_i16 {
        let kind = usize::from(n.unsigned_abs()) % 3;
        scene = scene.write(&format!("calls/call-{n:02}.wav"), wav(&kinds[kind](1000 + n * 10), 1));
        expected.insert(format!("call-{n:02}"), [&[0][..], &[0, 1], &[0]][kind].to_vec());
    }
    let run = format!("transcribe calls -o out {MODEL} --files-per-task 4");
    let mut kills = 0;
    let ran = loop {
        let last = if kills < 8 { service.requests() + 5 + 11 * kills } else { u64::MAX };
        let mut ran = scene.run_while(&run, |child| {
            if service.requests() >= last {
                child.kill().unwrap();
            }
        });
        if !ran.was_killed() {
            break ran.exits(0).says_no("not transcribed");
        }
        kills += 1;
        scene = service.then(ran);
    };
    assert!(kills >= 4, "killed {kills} times only");
    let accepted = service.accepted();
    assert!(accepted.len() == 30 && accepted.values().all(|times| *times == 1), "{accepted:?}");
    assert_eq!(heard(&ran), expected);
    assert_eq!(Books::balance(&ran).stored.len(), 30);
}

#[test]
fn a_submit_that_nobody_answered_is_found_or_made_again_with_the_same_tracks() {
    // The first that comes, and the next.
    let service = Service::with(
        "[[fault]]\non = \"submit\"\ndo = \"reset_after\"\n[[fault]]\non = \"submit\"\ndo = \"reset_before\"\n",
    );
    let scene = service.scene().write("calls/a.wav", wav(TWO, 1)).write("calls/b.wav", wav(&[50, 600], 1));
    let ran = scene.run(&format!("transcribe calls -o out {MODEL}")).exits(0);
    assert_eq!(heard(&ran), are([("a", &[0, 1]), ("b", &[0, 1])]));
    assert!(service.accepted().values().all(|times| *times == 1), "{:?}", service.accepted());
    let books = service.balances(&ran);
    assert_eq!((books.count("uncertain"), books.count("absent")), (2, 1));
}

#[test]
fn a_budget_counts_every_track_that_is_requested() {
    let service = Service::new();
    let minute = |levels: &[i16]| wav(levels, 240);
    let refused = |levels: &[i16], limit: &str, expected: &str| {
        let scene = service.scene().write("a.wav", minute(levels));
        let ran = scene.run(&format!("transcribe a.wav -o out {MODEL} --max-cost {limit}")).exits(3).prints_nothing();
        ran.says(&format!("the expected cost of {expected} CNY exceeds {limit}", limit = limit_of(limit)));
    };
    // 60 s × 0.5125 = 30.75, 31 of each of two, × 0.00008; what is alike holds everybody: 60 s × 0.86 = 51.6, 52.
    refused(TWO, "0.0049cny", "0.00496");
    refused(ALIKE, "0.0041cny", "0.00416");
    service.was_asked("submit", 0);
    // 120 s of both tracks are held for each, 0.0096: the second is submitted when the first has ended.
    let scene = service.scene().write("calls/a.wav", minute(TWO)).write("calls/b.wav", minute(&[50, 600]));
    let run = format!("transcribe calls -o out {MODEL} --max-cost 0.0150cny --format json");
    let ran = scene.run(&run).exits(0);
    has(ran.json()[0].as_object().unwrap(), json!({"transcribed": 2, "waiting": 0}));
    let events: Vec<String> = Books::balance(&ran)
        .lines
        .iter()
        .filter_map(|line| line.get("event")?.as_str().map(str::to_owned))
        .filter(|event| matches!(&**event, "intent" | "ended"))
        .collect();
    assert_eq!(events, ["intent", "ended", "intent", "ended"]);
}

fn limit_of(given: &str) -> String {
    given.replace("cny", " CNY")
}
