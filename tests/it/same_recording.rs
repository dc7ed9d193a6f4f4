//! What counts as the same recording: fresh signatures, files that are replaced or moved, ledgers of the version before.

use std::path::Path;

use serde_json::json;
use talkmeter::batch::{Batch, BatchRequest, ManifestBuilder, RunOptions};
use talkmeter::client::Recognition;

use crate::batch::{MODEL, wav};
use crate::kills::client;
use crate::scene::{Scene, csv, has};
use crate::service::{Books, Service};

/// An object under an OSS signature.
fn signed(object: &str, signature: &str) -> String {
    format!("https://bucket.example/calls/{object}.wav?Expires=1795900000&OSSAccessKeyId=KEY&Signature={signature}%3D")
}

fn list(objects: &[&str], signature: &str) -> String {
    objects.iter().map(|object| signed(object, signature) + "\n").collect()
}

const RUN: &str = "transcribe --files-from list.txt -o out --model paraformer-v2";

#[test]
fn a_recording_under_a_fresh_signature_is_not_submitted_again() {
    let service = Service::new();
    let ran = service.scene().write("list.txt", list(&["0417", "0418"], "monday")).run(RUN).exits(0);
    let ran = service.then(ran).write("list.txt", list(&["0417", "0418", "0419"], "tuesday")).run(RUN).exits(0);
    let ran = ran
        .says("2 recordings known under another signature: not submitted again\n")
        .says("1 file to submit")
        .says_no("monday");
    service.accepted_once(&[signed("0417", "monday"), signed("0418", "monday"), signed("0419", "tuesday")]);
    assert_eq!(service.balances(&ran).stored.len(), 3);
    let ran = ran.then().run("analyze out -o tables --tables jsonl -q").exits(0);
    assert_eq!(ran.file("tables/calls.jsonl").lines().count(), 3);
}

#[test]
fn an_address_given_under_two_signatures_is_one_recording() {
    let service = Service::new();
    let both = list(&["a"], "one") + &list(&["a"], "two") + "https://bucket.example/calls/a.wav?id=7\n";
    let ran = service.scene().write("list.txt", both).run(RUN).exits(0).says("given twice: https://bucket.example");
    service.accepted_once(&[&signed("a", "one"), "https://bucket.example/calls/a.wav?id=7"]);
    assert_eq!(service.balances(&ran).stored.len(), 2);
}

#[test]
fn what_is_not_done_takes_the_fresh_address() {
    // The first fails, the second waits: the account is in arrears.
    let service = Service::with(
        "[[fault]]\non = \"recognition\"\nurl_contains = \"monday\"\ndo = \"fail\"\ncode = \"FILE_403_FORBIDDEN\"\nmessage = \"expired\"\n\
         [[fault]]\non = \"submit\"\nurl_contains = \"0418.wav?Expires=1795900000&OSSAccessKeyId=KEY&Signature=monday\"\n\
         do = \"status\"\nstatus = 400\ncode = \"Arrearage\"\n",
    );
    let ran = service.scene().write("list.txt", list(&["0417", "0418"], "monday")).run(RUN).exits(4);
    let ran = service.then(ran).write("list.txt", list(&["0417", "0418"], "tuesday")).run(RUN).exits(3);
    let ran = ran.says("2 recordings known under another signature: not done yet, the fresh address is used\n");
    assert_eq!(service.accepted()[&signed("0418", "tuesday")], 1);
    assert_eq!(csv(&ran.file("out/failures.csv"))[1][1].0, signed("0417", "tuesday"));
    let ran = service.then(ran).run("transcribe -o out --model paraformer-v2 --retry-failed").exits(0);
    service.accepted_once(&[signed("0417", "monday"), signed("0417", "tuesday"), signed("0418", "tuesday")]);
    assert_eq!(service.balances(&ran).stored.len(), 2);
}

fn request(addresses: &[String]) -> BatchRequest {
    let mut builder = ManifestBuilder::default();
    addresses.iter().for_each(|address| builder.argument(address.as_ref()));
    BatchRequest::new(Recognition::new("paraformer-v2"), builder.finish().unwrap().recordings)
}

#[test]
fn a_run_killed_between_the_fresh_address_and_its_submit_resumes_with_the_fresh_one() {
    let service = Service::with(
        "[[fault]]\non = \"submit\"\nurl_contains = \"monday\"\ndo = \"status\"\nstatus = 400\ncode = \"Arrearage\"\n",
    );
    let ran = service.scene().write("list.txt", list(&["0417"], "monday")).run(RUN).exits(4);
    // Opened and never run, as by a kill: the fresh address is in the ledger, nothing was sent.
    drop(Batch::open(&ran.path("out"), client(&service), request(&[signed("0417", "tuesday")])).unwrap());
    let books = Books::balance(&ran);
    assert_eq!((books.count("readdressed"), books.count("accepted")), (1, 0));
    let ran = service.then(ran).run("transcribe -o out --model paraformer-v2").exits(0);
    service.accepted_once(&[signed("0417", "tuesday")]);
    assert_eq!(service.balances(&ran).stored.len(), 1);
}

#[test]
fn a_lost_submit_is_found_though_its_recording_came_under_a_fresh_address_since() {
    let service = Service::with(
        "[[fault]]\non = \"submit\"\ndo = \"reset_after\"\n[[fault]]\non = \"list\"\nskip = 1\ntimes = 1\ndo = \"status\"\nstatus = 403\n",
    );
    let ran = service.scene().write("list.txt", list(&["0417"], "monday")).run(RUN).exits(3);
    let ran = service.then(ran).write("list.txt", list(&["0417"], "tuesday")).run(RUN).exits(0);
    service.accepted_once(&[signed("0417", "monday")]);
    assert_eq!(service.balances(&ran).stored.len(), 1);
}

#[test]
fn two_runs_with_different_signatures_at_once_bill_once() {
    let service = Service::new();
    let out = tempfile::tempdir().unwrap();
    let open = |signature: &str| {
        Batch::open(out.path(), client(&service), request(&[signed("a", signature), signed("b", signature)]))
    };
    let first = open("one").unwrap();
    assert!(open("two").unwrap_err().to_string().contains("in use"));
    let summary = service.block_on(first.run_to_end()).unwrap();
    assert_eq!(summary.counts.stored, 2);
    let second = service.block_on(open("two").unwrap().run(RunOptions::new())).unwrap();
    assert_eq!(second.counts.stored, 2);
    // The result of an input is found by the address of this run.
    assert!(second.result_of(&signed("b", "two")).unwrap().ends_with("results/000002-b.json"));
    service.accepted_once(&[signed("a", "one"), signed("b", "one")]);
}

#[test]
fn an_id_identifies_a_recording_whatever_its_address() {
    let service = Service::new();
    let run = RUN.replace("list.txt", "list.csv");
    let ran = service.scene().write("list.csv", "id,url\n7,https://old.example/a.wav\n").run(&run).exits(0);
    let more = "id,url\n7,https://new.example/moved.wav\n8,https://new.example/b.wav\n";
    let ran = service.then(ran).write("list.csv", more).run(&run).exits(0);
    let ran = ran.says("1 recording known by their id under another address: not submitted again");
    service.accepted_once(&["https://old.example/a.wav", "https://new.example/b.wav"]);
    let twice = "id,url\n9,https://new.example/c.wav\n9,https://new.example/d.wav\n";
    let ran = service.then(ran).write("list.csv", twice).run(&run).exits(2);
    ran.says("list.csv line 3: the id 9 names another recording before: https://new.example/d.wav");
}

#[test]
fn a_file_replaced_under_its_name_is_a_new_recording() {
    let service = Service::new();
    let run = format!("transcribe spool -o out {MODEL}");
    let ran = service.scene().write("spool/msg0000.wav", wav(1, 16_000, 1)).run(&run).exits(0);
    // Touched, but the same.
    let ran = service.then(ran).write("spool/msg0000.wav", wav(1, 16_000, 1)).run(&run).exits(0).says_no("replaced");
    service.was_asked("submit", 1);
    let ran = service.then(ran).write("spool/msg0000.wav", wav(1, 16_000, 2)).run(&run).exits(0);
    let ran = ran.says("spool/msg0000.wav: the file was replaced since it was submitted: a new recording\n");
    service.was_asked("submit", 2);
    let names: Vec<String> = ran.files("out/results").into_iter().map(|file| file.0).collect();
    assert_eq!(names, ["000001-msg0000.json", "000002-msg0000.json"]);
    let ran = service.then(ran).run(&run).exits(0).says_no("replaced");
    service.was_asked("submit", 2);
    assert_eq!(service.balances(&ran).stored.len(), 2);
}

#[test]
fn renumbered_and_moved_files_stay_the_recordings_they_were() {
    let service = Service::new();
    let scene = (0..3).fold(service.scene(), |scene, n| scene.write(&format!("spool/msg{n}.wav"), wav(1, 16_000, n)));
    // All of one length; and of one time, where the system also says when a file was renamed.
    let scene = scene.with(|folder| {
        for n in (0..3).filter(|_| cfg!(unix)) {
            let file = std::fs::File::options().append(true).open(folder.join(format!("spool/msg{n}.wav"))).unwrap();
            file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_790_000_000)).unwrap();
        }
    });
    let ran = scene.run(&format!("transcribe spool -o out {MODEL}")).exits(0);
    // The mailbox drops the first message and renumbers the others.
    let scene = service.then(ran).with(|folder| {
        std::fs::rename(folder.join("spool/msg1.wav"), folder.join("spool/msg0.wav")).unwrap();
        std::fs::rename(folder.join("spool/msg2.wav"), folder.join("spool/msg1.wav")).unwrap();
    });
    let ran = scene.run(&format!("transcribe spool -o out {MODEL}")).exits(0);
    let ran = ran.says("2 recordings moved or renamed, with the same content: not submitted again");
    let scene = service.then(ran).with(|folder| std::fs::rename(folder.join("spool"), folder.join("archive")).unwrap());
    let ran = scene.run(&format!("transcribe archive -o out {MODEL}")).exits(0);
    service.was_asked("submit", 3);
    assert_eq!(service.balances(&ran).stored.len(), 3);
}

#[test]
fn a_file_that_failed_and_was_replaced_is_submitted_again() {
    let service = Service::with(
        "[[fault]]\non = \"recognition\"\ntimes = 1\ndo = \"fail\"\ncode = \"DECODE_ERROR\"\nmessage = \"broken\"\n",
    );
    let run = format!("transcribe a.wav -o out {MODEL}");
    let ran = service.scene().write("a.wav", wav(1, 16_000, 1)).run(&run).exits(3);
    let ran = service.then(ran).write("a.wav", wav(1, 16_000, 2)).run(&run).exits(0);
    let ran = ran.says("a.wav: the file was replaced since it failed: submitted again");
    service.was_asked("submit", 2);
    assert_eq!(service.balances(&ran).stored.len(), 1);
}

/// A batch of the version before, with a scene in which it was left.
fn batch_of_version_before(service: &Service) -> Scene {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/batch-of-version-before");
    let scene = service.scene();
    let folder = scene.path("").canonicalize().unwrap();
    let ledger = std::fs::read_to_string(fixture.join("ledger.jsonl")).unwrap();
    let ledger = ledger.replace("BASE_URL", &service.base_url());
    let ledger = ledger.replace("FOLDER", folder.to_str().unwrap().trim_end_matches('/'));
    let mut scene = scene.write("out/ledger.jsonl", ledger);
    for entry in std::fs::read_dir(fixture.join("results")).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("out/results/{}", path.file_name().unwrap().to_str().unwrap());
        scene = scene.write(&name, std::fs::read(path).unwrap());
    }
    scene.write("x.wav", std::fs::read(fixture.join("x.wav")).unwrap())
}

fn of_monday(object: &str, signature: &str) -> String {
    signed(object, signature).replace("KEY", "TESTKEY")
}

#[test]
fn a_batch_of_the_version_before_resumes() {
    let service = Service::new();
    let before = batch_of_version_before(&service);
    let ledger = std::fs::read_to_string(before.path("out/ledger.jsonl")).unwrap();
    let ran = before.run(&format!("transcribe -o out {MODEL} --format json")).exits(3);
    has(ran.json()[0].as_object().unwrap(), json!({"files": 6, "transcribed": 5, "failed": 1, "waiting": 0}));
    assert!(ran.file("out/ledger.jsonl").starts_with(&ledger), "what was written was changed");
    service.accepted_once(&[of_monday("0419", "cccc")]);
    let ran = service.then(ran).run(&format!("transcribe -o out {MODEL} --retry-failed")).exits(0);
    service.accepted_once(&[of_monday("0418", "bbbb"), of_monday("0419", "cccc")]);
    // Its local file is known by its content, and by size and time from then on.
    let ran = service.then(ran).run(&format!("transcribe x.wav -o out {MODEL}")).exits(0);
    let touched = ran.file("out/ledger.jsonl").matches("readdressed").count();
    let ran = service.then(ran).run(&format!("transcribe x.wav -o out {MODEL}")).exits(0);
    assert_eq!((touched, ran.file("out/ledger.jsonl").matches("readdressed").count()), (1, 1));
    service.was_asked("upload", 0);
}

#[test]
fn two_recordings_that_the_version_before_told_apart_are_named_and_left_as_they_are() {
    let service = Service::new();
    let fresh = list(&["0417", "0418", "0419", "twice"], "tuesday");
    let ran = batch_of_version_before(&service).write("list.txt", fresh).run(RUN).exits(3);
    let ran = ran
        .says("https://bucket.example/calls/twice.wav?…: the batch has this recording more than once")
        .says("3 recordings known under another signature: 1 not submitted again, 2 not done yet, which use the fresh address");
    service.accepted_once(&[signed("0419", "tuesday")]);
    // Under one of the addresses it knows, it is that recording.
    let ran = service.then(ran).write("list.txt", of_monday("twice", "2").replace("%3D", "")).run(RUN).exits(3);
    ran.says_no("more than once");
}
