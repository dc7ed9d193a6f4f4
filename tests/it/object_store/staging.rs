//! Local recordings in a bucket: put there once, read by links, deleted when done.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use talkmeter::batch::{Batch, BatchRequest, ManifestBuilder, Staging, Summary};
use talkmeter::client::Recognition;
use talkmeter::stores::Stores;
use talkmeter::time::Clock;

use super::server::{ObjectStore, SECRET};
use crate::batch::{MODEL, wav};
use crate::kills::{Dice, client};
use crate::scene::{Ran, Scene, files_below};
use crate::service::{Books, Service};

const STAGE: &str = "--stage s3://calls/staged";

/// The key of the object of a recording.
fn object(content: &[u8]) -> String {
    format!("calls/staged/{}.wav", blake3::hash(content).to_hex())
}

/// No part of a signature is on the terminal or in a file of the batch, but for the results as the service wrote them.
fn keeps_links(ran: Ran) -> Ran {
    for secret in ["X-Amz-Signature", "X-Amz-Credential", SECRET] {
        assert!(!ran.out().contains(secret) && !ran.err().contains(secret), "{secret}\n{}", ran.err());
        for (name, bytes) in files_below(&ran.path("out")) {
            let text = String::from_utf8_lossy(&bytes);
            assert!(name.contains("/results/") || !text.contains(secret), "{secret} in {name}");
        }
    }
    ran
}

/// A folder of recordings.
fn calls(scene: Scene, contents: &[Vec<u8>]) -> Scene {
    let write = |scene: Scene, (n, wav): (usize, &Vec<u8>)| scene.write(&format!("calls/{n}.wav"), &wav[..]);
    contents.iter().enumerate().fold(scene, write)
}

/// Each of these was put into the bucket by one request.
fn was_put_once(store: &ObjectStore, contents: &[Vec<u8>]) {
    for content in contents {
        let object = object(content);
        assert_eq!(store.count(&format!("PUT {object}")), 1, "{object}: {:?}", store.log());
    }
    assert_eq!(store.count("PUT"), contents.len(), "{:?}", store.log());
}

fn got(service: &Service, link: &str) -> (u16, Vec<u8>) {
    service.block_on(async {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = http.get(link).send().await.unwrap();
        (answer.status().as_u16(), answer.bytes().await.unwrap().to_vec())
    })
}

#[test]
fn local_recordings_go_to_the_bucket_once_and_the_service_gets_links() {
    let (store, service) = (ObjectStore::new(), Service::new());
    let [one, two] = [1, 2].map(|who| wav(1, 16_000, who));
    let list = "https://calls.example/u.wav\na.wav\nb.WAV\ncopy of a.wav\n";
    let scene = service.scene().write("a.wav", &one[..]).write("b.WAV", &two[..]).write("copy of a.wav", &one[..]);
    let scene = store.serve(scene.write("list.txt", list));
    let ran = keeps_links(scene.run(&format!("transcribe --files-from list.txt -o out {MODEL} {STAGE} -vv")).exits(0));
    let ran = ran
        .says("3 local files to be put into s3://calls/staged, each given to the service as a link")
        .says_no("48 hours");
    let ran = ran.says("2 recordings are left in s3://calls/staged: 2 done, which --unstage deletes");
    service.was_asked("policy", 0).was_asked("upload", 0).was_asked("submit", 4);
    was_put_once(&store, &[one.clone(), two.clone()]);
    assert_eq!((store.count("HEAD"), store.foreign_keys()), (2, 0), "{:?}", store.log());
    let accepted = service.accepted();
    let (own, links): (Vec<_>, Vec<_>) = accepted.keys().partition(|url| url.starts_with("https://calls.example/"));
    assert_eq!(own, ["https://calls.example/u.wav"], "an address is left as it is");
    for link in links {
        assert!(link.contains("/calls/staged/") && link.contains("X-Amz-Expires=86400&"), "{link}");
        let (status, bytes) = got(&service, link);
        assert!(status == 200 && (bytes == one || bytes == two));
    }
    let books = Books::balance(&ran);
    assert_eq!((books.stored.len(), books.count("staging"), books.count("uploaded")), (4, 2, 2));
    assert!(books.sent[&2].ends_with(&format!("/{}", object(&one))), "{:?}", books.sent);
    assert_eq!(books.sent[&2], books.sent[&4]);

    // Another run has nothing to put there, and deletes what is done.
    let ran = store.serve(service.then(ran)).run(&format!("transcribe -o out {MODEL} --unstage")).exits(0);
    let ran = ran.says("no recording is left in a bucket: 2 deleted");
    assert!(store.objects("calls/").is_empty());
    let ran = store.serve(service.then(ran)).run(&format!("transcribe -o out {MODEL} --unstage")).exits(0);
    for content in [&one, &two] {
        assert_eq!(store.count(&format!("DELETE {}", object(content))), 1);
    }
    was_put_once(&store, &[one, two]);
    assert_eq!(service.of_kind("submit"), 4);
    drop(ran);
}

#[test]
fn what_is_not_done_stays_in_the_bucket_and_is_named() {
    let (store, service) = (ObjectStore::new(), Service::new());
    let contents: Vec<_> = (1..4).map(|who| wav(1, 16_000, who)).collect();
    let scene = calls(service.scene(), &contents);
    let line = format!("transcribe calls -o out {MODEL} {STAGE} --unstage");
    let ran = store.serve(scene).run(&format!("{line} --detach")).exits(0);
    let ran = ran.says("3 recordings are left in s3://calls/staged: not done yet");
    assert_eq!(store.objects("calls/").len(), 3);
    // Credentials that may write and not delete.
    store.fail("calls", 403, "AccessDenied");
    let ran = store.serve(service.then(ran)).run(&line).exits(3);
    let ran = ran.says("AccessDenied").says("nothing more is deleted");
    let ran = ran.says("3 recordings are left in s3://calls/staged: 3 done, but not deleted; run again with --unstage");
    store.mend("calls");
    let ran = store.serve(service.then(ran)).run(&format!("transcribe -o out {MODEL}")).exits(0);
    let ran = ran.says("3 recordings are left in s3://calls/staged: 3 done, which --unstage deletes");
    let ran = store.serve(service.then(ran)).run(&line).exits(0).says("no recording is left in a bucket: 3 deleted");
    assert!(store.objects("calls/").is_empty());
    was_put_once(&store, &contents);
    assert_eq!(service.of_kind("submit"), 3);
    drop(keeps_links(ran));
}

#[test]
fn a_bucket_that_refuses_is_one_line_and_nothing_is_submitted() {
    let (store, service) = (ObjectStore::new(), Service::new());
    let contents: Vec<_> = (1..9).map(|who| wav(1, 16_000, who)).collect();
    let scene = calls(service.scene(), &contents);
    let line = |place: &str| format!("transcribe calls -o out {MODEL} --stage {place}");
    let errors = |ran: &Ran| ran.err().lines().filter(|line| line.starts_with("error:")).count();
    let ran = store.serve(scene).run(&line("s3://absent/staged")).exits(1);
    let ran = ran.says("error: cannot write s3://absent/staged/").says("NoSuchBucket: The story says so (HTTP 404");
    let ran = ran.says("hint: check the name of the bucket").says("run the same command to resume");
    assert_eq!(errors(&ran), 1);
    let ran = store.serve_with(service.then(ran), "AKIAOTHER").run(&line("s3://calls/staged")).exits(1);
    let ran = keeps_links(ran).says("SignatureDoesNotMatch").says("hint: the key, its secret");
    assert_eq!(errors(&ran), 1);
    let ran = service.then(ran).run(&line("oss://calls/staged")).exits(1);
    let ran = ran.says("OSS_REGION or OSS_ENDPOINT is not set").says("hint: no credentials");
    let ran =
        service.then(ran).run(&line("calls")).exits(2).says("no address of an object store; use s3, gs, az or oss");
    assert_eq!((service.of_kind("submit"), store.objects("calls/").len()), (0, 0));
    // Nothing has failed for good.
    let ran = store.serve_as_oss(service.then(ran)).run(&line("oss://calls/staged")).exits(0);
    assert_eq!(Books::balance(&ran).stored.len(), 8);
    assert_eq!(store.objects("calls/staged/").len(), 8);
    let ran = ran.says("8 recordings are left in oss://calls/staged: 8 done").says_no("left in s3://");
    // What was refused is not deleted either.
    let ran = store.serve_as_oss(service.then(ran)).run(&format!("transcribe -o out {MODEL} --unstage")).exits(0);
    drop(ran.says("no recording is left in a bucket: 8 deleted"));
    assert!(store.objects("calls/").is_empty());
    assert_eq!((store.count("DELETE"), service.of_kind("submit")), (8, 8));
}

#[test]
fn an_uncertain_recording_keeps_its_object_until_it_is_decided() {
    let [lost, plain] = [1, 2].map(|who| wav(1, 16_000, who));
    let lost_hash = blake3::hash(&lost).to_hex();
    let service = Service::with(&format!(
        "[[fault]]\non = \"list\"\nskip = 1\ntimes = 0\ndo = \"status\"\nstatus = 403\n\
         [[fault]]\non = \"submit\"\nurl_contains = \"{lost_hash}\"\ndo = \"reset_after\"\n"
    ));
    let store = ObjectStore::new();
    let scene = service.scene().write("lost.wav", &lost[..]).write("plain.wav", &plain[..]);
    let line = format!("transcribe lost.wav plain.wav -o out {MODEL} {STAGE} --unstage");
    // What is over the limit of a batch is not put anywhere.
    let ran = store.serve(scene).run(&format!("{line} --max-cost 0.00001cny")).exits(3);
    assert_eq!((store.log().len(), service.of_kind("submit")), (0, 0));
    let mut ran = store.serve(service.then(ran)).run(&line).exits(3);
    for _ in 0..2 {
        ran = ran.says("1 recording is left in s3://calls/staged: not done yet");
        assert_eq!(store.objects(&object(&lost)).len(), 1);
        assert_eq!((store.objects("calls/").len(), service.of_kind("submit")), (1, 2));
        ran = store.serve(service.then(ran)).run(&line).exits(3);
    }
    let ran = store.serve(service.then(ran)).run(&format!("{line} --resubmit-uncertain")).exits(0);
    assert!(store.objects("calls/").is_empty());
    was_put_once(&store, &[lost, plain]);
    assert_eq!(service.of_kind("submit"), 3);
    drop(keeps_links(ran));
}

#[test]
fn a_batch_that_is_killed_again_and_again_puts_nothing_twice_and_leaves_nothing() {
    let (store, service) = (ObjectStore::new(), Service::new());
    let contents: Vec<_> = (1..25).map(|who| wav(1, 16_000, who)).collect();
    let mut scene = calls(service.scene(), &contents);
    let line = format!("transcribe calls -o out {MODEL} {STAGE} --unstage");
    let (mut dice, mut kills) = (Dice(20_261_130), 0);
    let ran = loop {
        let requests = || service.requests() as usize + store.log().len();
        let last = if kills < 10 { requests() + 2 + dice.below(20) as usize } else { usize::MAX };
        let mut ran = store.serve(scene).run_while(&line, |child| {
            if requests() >= last {
                child.kill().unwrap();
            }
        });
        if !ran.was_killed() {
            break ran.exits(0);
        }
        kills += 1;
        scene = service.then(ran);
    };
    assert!(kills >= 5, "killed {kills} times only");
    was_put_once(&store, &contents);
    assert!(store.objects("calls/").is_empty(), "{:?}", store.objects("calls/"));
    let ran = keeps_links(ran.says("no recording is left in a bucket: 24 deleted"));
    let books = Books::balance(&ran);
    assert_eq!((books.stored.len(), books.count("accepted"), books.count("unstaged")), (24, 24, 24));
}

#[test]
fn whatever_line_of_the_ledger_was_the_last_the_object_is_used_and_deleted() {
    let (store, service) = (ObjectStore::new(), Service::new());
    let content = wav(1, 16_000, 1);
    let line = format!("transcribe a.wav -o out {MODEL} {STAGE}");
    let mut ran = store.serve(service.scene().write("a.wav", &content[..])).run(&line).exits(0);
    let whole = ran.file("out/ledger.jsonl");
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    let begun = lines.iter().position(|line| line.contains("\"staging\"")).unwrap();
    assert!(lines[begun + 1].contains("\"uploaded\""), "{whole}");
    // Backwards, so that a lost submit is searched for before there are others of the same recording.
    for last in (2..=lines.len()).rev() {
        // The object is there, as it was when the line was written; before its line only by chance.
        store.put(&object(&content), content.clone());
        let deleted = store.count("DELETE");
        let scene = store.serve(service.then(ran)).write("out/ledger.jsonl", lines[..last].concat());
        ran = scene.run(&format!("{line} --unstage")).exits(0);
        let is_ours = last > begun;
        assert_eq!(store.count("DELETE") - deleted, usize::from(is_ours), "after {last} lines of\n{whole}");
        assert_eq!(store.objects("calls/").is_empty(), is_ours);
        ran = ran.says(if is_ours {
            "no recording is left in a bucket: 1 deleted"
        } else {
            "1 recording in s3://calls/staged from before this batch"
        });
        assert_eq!(Books::balance(&ran).stored.len(), 1);
    }
    was_put_once(&store, &[content]);
    drop(ran);
}

#[test]
#[cfg(unix)]
fn a_large_recording_goes_in_parts_which_an_interrupted_run_removes_and_a_killed_one_names() {
    let (store, service) = (ObjectStore::new(), Service::new());
    let content = crate::scene::wav(1, 16_000, 300);
    assert!(content.len() > 8 << 20);
    let place = object(&content);
    let line = format!("transcribe a.wav -o out {MODEL} {STAGE}");
    store.hold(Some(&place));
    let mut told = false;
    let parts = || store.count(&format!("PUT {place}?partNumber"));
    let ran = store.serve(service.scene().write("a.wav", &content[..])).run_while(&line, |child| {
        if parts() > 0 && !told {
            told = true;
            let kill = std::process::Command::new("sh").args(["-c", &format!("kill -INT {}", child.id())]).status();
            assert!(kill.unwrap().success());
        }
    });
    let ran = ran.exits(130).says("1 recording is left in s3://calls/staged: not done yet");
    assert_eq!((store.count("DELETE"), store.unfinished_uploads()), (1, 0), "{:?}", store.log());
    let before = parts();
    let mut ran = store.serve(service.then(ran)).run_while(&line, |child| {
        if parts() > before {
            child.kill().unwrap();
        }
    });
    assert!(ran.was_killed());
    assert_eq!(store.unfinished_uploads(), 1);
    store.hold(None);
    let ran = store.serve(service.then(ran)).run(&format!("{line} --unstage")).exits(0);
    let ran = ran.says("was cut short: parts of it may stay in the bucket until a lifecycle rule removes them");
    ran.says("no recording is left in a bucket: 1 deleted");
    assert_eq!((service.of_kind("submit"), store.objects("calls/").len()), (1, 0));
    assert_eq!(store.count(&format!("POST {place}?uploadId")), 1, "completed once");
}

/// A clock that shows one moment.
#[derive(Debug)]
struct Still(Timestamp);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// One run of a batch of `a.wav`, so many hours after the first.
fn run_later(service: &Service, store: &ObjectStore, folder: &std::path::Path, hours: i64, detach: bool) -> Summary {
    let mut draft = ManifestBuilder::default();
    draft.argument(folder.join("a.wav").as_os_str());
    let stores = Arc::new(Stores::new(store.variables()).unwrap());
    let request = BatchRequest::new(Recognition::new("paraformer-v2"), draft.finish().unwrap().recordings)
        .staging(Some(Staging::new(stores).folder(Some("s3://calls/staged".to_owned()))))
        .list_lag(Duration::from_secs(10))
        .detach(detach);
    let clock = Still(Timestamp::now().saturating_add(SignedDuration::from_hours(hours)).unwrap());
    let batch = Batch::open_at(&folder.join("out"), client(service), request, Arc::new(clock)).unwrap();
    service.block_on(batch.run_to_end()).unwrap()
}

#[test]
fn a_recording_whose_link_expired_before_it_was_read_is_given_by_a_fresh_one() {
    for (hours, submits) in [(25, 2), (23, 1)] {
        let service =
            Service::with("[[fault]]\non = \"recognition\"\ndo = \"fail\"\ncode = \"InvalidFile.DownloadFailed\"\n");
        let (store, folder) = (ObjectStore::new(), tempfile::tempdir().unwrap());
        std::fs::write(folder.path().join("a.wav"), wav(1, 16_000, 1)).unwrap();
        let summary = run_later(&service, &store, folder.path(), 0, true);
        assert_eq!(summary.counts.in_flight, 1);
        let summary = run_later(&service, &store, folder.path(), hours, false);
        let is_done = submits == 2;
        assert_eq!((summary.counts.stored, summary.counts.failed), (usize::from(is_done), usize::from(!is_done)));
        service.was_asked("submit", submits);
        assert_eq!((store.count("PUT"), summary.recordings.len()), (1, 1));
        let ledger = std::fs::read_to_string(folder.path().join("out/ledger.jsonl")).unwrap();
        assert_eq!(ledger.contains("its link had expired"), is_done);
        assert!(!ledger.contains("X-Amz-Signature"));
    }
}

/// The same in a bucket of a server of others, whose client is asked whether it would sign the same links. `judged` runs the
/// script `signed_links.py` with links on stdin.
pub(super) fn put_and_deleted(serve: impl Fn(Scene) -> Scene, judged: impl Fn(&str) -> String) {
    let service = Service::new();
    let contents: Vec<_> = (1..4).map(|who| wav(1, 16_000, who)).chain([crate::scene::wav(1, 16_000, 300)]).collect();
    let line = format!("transcribe calls -o out {MODEL} --stage s3://figures/staged/may");
    let ran = keeps_links(serve(calls(service.scene(), &contents)).run(&line).exits(0));
    let ran = ran.says("4 recordings are left in s3://figures/staged/may: 4 done");
    let links: Vec<String> = service.accepted().into_keys().collect();
    let answers = |there: bool| {
        let length = |link: &String| {
            let content = contents.iter().find(|content| link.contains(&*blake3::hash(content).to_hex())).unwrap();
            if there { content.len().to_string() } else { "null".to_owned() }
        };
        links.iter().map(|link| format!("[true, {}]\n", length(link))).collect::<String>()
    };
    assert_eq!(judged(&links.join("\n")), answers(true));
    let forged = links[0].replace("X-Amz-Expires=86400", "X-Amz-Expires=86401");
    assert!(judged(&forged).starts_with("[false, "));
    let ran = serve(service.then(ran)).run(&format!("{line} --unstage")).exits(0);
    drop(ran.says("no recording is left in a bucket: 4 deleted"));
    assert_eq!(judged(&links.join("\n")), answers(false));
    service.was_asked("submit", 4).was_asked("upload", 0);
}
