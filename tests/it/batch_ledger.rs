//! A ledger is not believed without proof, and nothing is written or removed that is not the batch's own.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::batch::MODEL;
use crate::scene::Ran;
use crate::service::{Books, Service};

const A: &str = "https://calls.example/a.wav";
const B: &str = "https://calls.example/b.wav";

/// A finished batch of A and B.
fn finished(service: &Service) -> Ran {
    service.scene().run(&format!("transcribe {A} {B} -o out {MODEL}")).exits(0)
}

/// Changes the ledger, runs the same batch again, and returns stderr; nothing may have been requested or changed.
#[track_caller]
fn refused(change: impl Fn(&str) -> String) -> String {
    let service = Service::new();
    let ran = finished(&service);
    let ledger = change(&ran.file("out/ledger.jsonl"));
    let before = (service.requests(), ran.files("out/results"));
    let scene = service.then(ran).write("out/ledger.jsonl", &*ledger);
    let ran = scene.run(&format!("transcribe {A} {B} -o out {MODEL}")).exits(1);
    assert_eq!(before, (service.requests(), ran.files("out/results")));
    assert_eq!(ran.file("out/ledger.jsonl"), ledger);
    ran.err().to_owned()
}

#[test]
fn a_changed_or_missing_line_is_one_error_that_names_the_line() {
    let said = refused(|ledger| ledger.replacen("/a.wav\",\"key\"", "/q.wav\",\"key\"", 1));
    assert!(
        said.contains("out/ledger.jsonl line 3: its checksum is wrong: it was changed, or a line before it"),
        "{said}"
    );
    assert_eq!(said.matches("line 3").count(), 1, "{said}");
    let said = refused(|ledger| {
        let kept = ledger.split_inclusive('\n').enumerate().filter(|(at, _)| *at != 4);
        kept.map(|(_, line)| line).collect()
    });
    assert!(said.contains("line 5: its checksum is wrong"), "{said}");
    // The last line was written whole, so that it is not cut off as a torn one.
    let said = refused(|ledger| {
        let at = ledger.rfind("\"bytes\"").unwrap();
        format!("{}\"bytfs\"{}", &ledger[..at], &ledger[at + 7..])
    });
    assert!(said.contains("its checksum is wrong"), "{said}");
}

/// A ledger without checksums, whose item names these, with a result of this name.
fn ledger_of_version_1(base_url: &str, url: &str, key: &str, sent: &str, file: &str) -> String {
    let at = "2026-11-29T07:39:10Z";
    [
        json!({"talkmeter_ledger": 1, "created": at}),
        json!({"at": at, "event": "batch", "base_url": base_url, "region": "cn", "recognition": {"context": [], "model": "paraformer-v2", "parameters": {}}, "files_per_task": 1}),
        json!({"at": at, "event": "item", "n": 1, "url": url, "key": key, "name": "a"}),
        json!({"at": at, "event": "intent", "attempt": 1, "items": [1], "urls": [sent]}),
        json!({"at": at, "event": "accepted", "attempt": 1, "task_id": "t-1"}),
        json!({"at": at, "event": "stored", "n": 1, "task_id": "t-1", "file": file, "bytes": 75, "silent": true, "blake3": "6831e03ebf412f919b5df1acf52a5ccaed174b931e3df1a217b2188e3c5efffc"}),
    ]
    .iter()
    .map(|line| format!("{line}\n"))
    .collect()
}

#[test]
fn a_ledger_without_checksums_is_believed_only_as_far_as_it_agrees_with_itself() {
    const FILE: &str = "results/000001-a.json";
    let service = Service::new().unasked();
    for (url, key, sent, file, said) in [
        (
            A,
            "https://calls.example/q.wav",
            A,
            FILE,
            "line 3: recording 1: its `url` and its `key` do not belong together",
        ),
        (A, "file:///calls/a.wav", A, FILE, "line 3: recording 1: its `url` and its `key` do not belong together"),
        (A, A, B, FILE, "line 4: attempt 1 sends recording 1 by an address that is not its own"),
        (
            A,
            A,
            A,
            "../escaped.json",
            "line 6: \"../escaped.json\" is not the result of recording 1, which is results/000001-a",
        ),
        (A, A, A, "/tmp/escaped.json", "line 6: \"/tmp/escaped.json\" is not the result"),
        (A, A, A, "results/000002-a.json", "line 6: \"results/000002-a.json\" is not the result"),
    ] {
        let ledger = ledger_of_version_1(&service.base_url(), url, key, sent, file);
        let ran = service.scene().write("out/ledger.jsonl", &*ledger).run(&format!("transcribe {A} -o out {MODEL}"));
        let ran = ran.exits(1).says(said);
        assert_eq!(ran.file("out/ledger.jsonl"), ledger);
        assert!(!ran.path("escaped.json").exists() && !Path::new("/tmp/escaped.json").exists());
    }
    // What agrees is continued as it is, without checksums, and what is ours and gone is written again.
    let ledger = ledger_of_version_1(&service.base_url(), A, A, A, FILE);
    let ran =
        service.scene().write("out/ledger.jsonl", &*ledger).run(&format!("transcribe {A} -o out {MODEL}")).exits(0);
    assert_eq!(ran.file(&format!("out/{FILE}")), format!("{{\"file_url\":\"{A}\",\"transcripts\":[]}}\n"));
    assert_eq!(ran.file("out/ledger.jsonl"), ledger);
}

#[test]
fn hidden_files_of_other_programs_stay() {
    let service = Service::new();
    let mut scene = service.scene();
    let (ours, theirs) = (
        ["out/.failures.csv.part", "out/results/.000001-a.json.part"],
        ["out/.film.mkv.part", "out/results/.film.part"],
    );
    for file in ours.iter().chain(&theirs) {
        scene = scene.write(file, "mine");
    }
    let ran = scene.run(&format!("transcribe {A} -o out {MODEL}")).exits(0);
    assert_eq!(theirs.map(|file| ran.file(file)), ["mine"; 2]);
    assert!(ours.iter().all(|file| !ran.path(file).exists()));
}

#[test]
fn a_changed_result_is_said_and_kept_beside_the_one_that_is_fetched_again() {
    let service = Service::new();
    let ran = finished(&service);
    let original = ran.bytes("out/results/000001-a.json");
    let zeros = vec![0; original.len()];
    let scene = service.then(ran).write("out/results/000001-a.json", zeros.clone());
    let ran = scene.run(&format!("transcribe -o out {MODEL}")).exits(0);
    let ran = ran
        .says("results/000001-a.json was changed since it was stored: fetching it again, the changed file is kept beside it")
        .says("results/000001-a.json was not what was stored: it is kept as results/000001-a.json.changed");
    assert_eq!(ran.bytes("out/results/000001-a.json"), original);
    assert_eq!(ran.bytes("out/results/000001-a.json.changed"), zeros);
    service.accepted_once(&[A, B]).was_asked("submit", 2).was_asked("result", 3);
    // A second change does not overwrite the first, and what is not a result is not read as one.
    let scene = service.then(ran).write("out/results/000001-a.json", "{}");
    let ran = scene.run(&format!("transcribe -o out {MODEL} --verify")).exits(0);
    assert_eq!(ran.file("out/results/000001-a.json.changed-2"), "{}");
    ran.then().run("check out").exits(0).says("2 files, nothing found");
    assert_eq!(service.accepted().len(), 2);
}

#[test]
fn a_result_that_cannot_be_placed_is_one_failed_recording() {
    let service = Service::new();
    let scene = service.scene().write("out/results/000001-a.json/in the way", "");
    let run = format!("transcribe {A} {B} -o out {MODEL}");
    let ran = scene.run(&run).exits(3).says("cannot write ").says("; free its place on the disk");
    assert!(ran.file("out/failures.csv").contains(",result_not_stored,"), "{}", ran.file("out/failures.csv"));
    assert_eq!(Books::balance(&ran).stored.len(), 1);
    let scene = service.then(ran).with(|folder| fs::remove_dir_all(folder.join("out/results/000001-a.json")).unwrap());
    let ran = scene.run(&run).exits(0);
    service.accepted_once(&[A, B]).was_asked("submit", 2);
    assert_eq!(service.balances(&ran).stored.len(), 2);
    // The same for a silent one, which is written again where it is gone.
    let service = Service::with("[[fault]]\non = \"recognition\"\nurl_contains = \"/a.wav\"\ndo = \"silence\"\n");
    let ran = service.scene().run(&run).exits(0);
    let scene = service.then(ran).with(|folder| {
        fs::remove_file(folder.join("out/results/000001-a.json")).unwrap();
        fs::create_dir(folder.join("out/results/000001-a.json")).unwrap();
    });
    scene.run(&run).exits(3);
    service.accepted_once(&[A, B]);
}

#[test]
fn a_folder_that_is_in_use_is_left_alone_whichever_version_uses_it() {
    let service = Service::new();
    let mut ran = finished(&service);
    let before = service.requests();
    // The lock of this version, and on this system that of earlier ones.
    for locked in if cfg!(unix) { &["ledger.lock", "ledger.jsonl"][..] } else { &["ledger.lock"] } {
        let file = fs::File::open(ran.path("out").join(locked)).unwrap();
        file.lock().unwrap();
        ran = service.then(ran).run(&format!("transcribe {A} -o out {MODEL}")).exits(1);
        ran = ran.says("out is in use by another talkmeter");
        file.unlock().unwrap();
    }
    assert_eq!(service.requests(), before);
    service.then(ran).run(&format!("transcribe {A} -o out {MODEL}")).exits(0);
}

#[test]
fn lines_are_sealed_one_after_the_other() {
    let service = Service::new();
    let ran = finished(&service);
    let lines: Vec<Value> =
        ran.file("out/ledger.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["talkmeter_ledger"], 2);
    assert!(lines.iter().all(|line| line["check"].as_str().is_some_and(|check| check.len() == 16)));
    Books::balance(&ran);
}
