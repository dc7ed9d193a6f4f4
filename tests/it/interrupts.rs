//! Ctrl-C: whatever runs ends soon, says how to go on, and leaves nothing half-written.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::batch::MODEL;
use crate::hostile_service::{Hostile, Part, answer};
use crate::scene::{Ran, Scene, call, files_below};
use crate::service::Service;

/// Two seconds, and what a busy machine takes to notice.
const SOON: Duration = Duration::from_secs(6);

/// Runs a command and interrupts it when its folder looks so; it ends with 130, soon.
#[track_caller]
fn interrupted(scene: Scene, line: &str, mut when: impl FnMut(&Path) -> bool) -> Ran {
    let folder = scene.path("");
    let mut sent = None;
    let ran = scene.run_while(line, |child| {
        if sent.is_none() && when(&folder) {
            let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
            assert!(kill.success());
            sent = Some(Instant::now());
        }
    });
    let ran = ran.exits(130);
    let took = sent.expect("it was interrupted").elapsed();
    assert!(took < SOON, "{line}: {took:?}");
    let left = files_below(&ran.path(""));
    let temporary = left.iter().find(|(name, _)| name.contains("/.talkmeter-"));
    assert!(temporary.is_none(), "{line}: {:?}", temporary.map(|(name, _)| name));
    ran.says("interrupted; ").says_no("panicked")
}

#[test]
fn a_batch_whose_tasks_are_under_way_is_resumed() {
    let service = Service::with("[[fault]]\non = \"recognition\"\ndo = \"hold\"\nhold_s = 40\n");
    let run = format!("transcribe https://calls.example/a.wav -o out {MODEL}");
    let accepted = |folder: &Path| {
        std::fs::read_to_string(folder.join("out/ledger.jsonl")).is_ok_and(|ledger| ledger.contains("accepted"))
    };
    let folder = service.scene();
    let mut sent = None;
    let path = folder.path("");
    let ran = folder.run_while(&run, |child| {
        if sent.is_none() && accepted(&path) {
            Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
            sent = Some(Instant::now());
        }
    });
    // It ends by itself, before it is ended.
    let ran = ran.exits(130).says("stopping: requests in progress").says("stopped; run the same command to resume");
    assert!(sent.expect("it was interrupted").elapsed() < SOON);
    service.advance(Duration::from_secs(60));
    let ran = service.then(ran).run(&run).exits(0);
    assert_eq!(service.balances(&ran).stored.len(), 1);
    service.accepted_once(&["https://calls.example/a.wav"]).was_asked("submit", 1);
}

/// A service that takes its time over every answer.
fn silent() -> Hostile {
    Hostile::new(|_, _| {
        let mut parts = vec![Part::Wait(Duration::from_secs(100))];
        parts.extend(answer("200 OK", "", "{}"));
        parts
    })
}

#[test]
fn a_request_without_an_answer_holds_nothing_up() {
    let service = silent();
    let asked = |_: &Path| !service.heads().is_empty();
    let transcribe = format!("transcribe https://calls.example/a.wav -o out {MODEL}");
    interrupted(service.scene(), &transcribe, asked).says("progress is saved; run the same command to resume");
    let service = silent();
    let asked = |_: &Path| !service.heads().is_empty();
    interrupted(service.scene(), "flash https://calls.example/a.wav --save out", asked).says("may be billed");
    let service = silent();
    let asked = |_: &Path| !service.heads().is_empty();
    interrupted(service.scene(), "task download t-1 -o out", asked).says("interrupted");
}

#[test]
fn an_analysis_is_written_whole_or_not_at_all() {
    let calls = || {
        let words: Vec<(u32, i64, i64, &str)> =
            (0..200).map(|n| (u32::from(n % 2 == 1), n * 900, n * 900 + 800, "hello there")).collect();
        (0..150).fold(Scene::new(), |scene, n| scene.call(&n.to_string(), call(&words)))
    };
    let begun = |folder: &Path| folder.join("out").exists();
    let ran = interrupted(calls(), "analyze calls -o out --tables csv", begun).says("run the same command again");
    assert!(!ran.path("out").exists(), "the folder that was made for it");
    let begun = |folder: &Path| folder.join("out").exists();
    let ran = interrupted(calls(), "captions calls -o out", begun).says("run the same command again");
    let whole = |(name, bytes): &(String, Vec<u8>)| !name.ends_with(".srt") || bytes.ends_with(b"\n");
    // The folder goes with it if no captions were written yet.
    assert!(!ran.path("out").exists() || files_below(&ran.path("out")).iter().all(whole));
}

#[test]
fn what_a_killed_run_left_is_removed_by_the_next() {
    let scene = Scene::new().call("a", call(&[(0, 0, 900, "hello")]));
    let scene = scene.write("out/.talkmeter-left.tmp", "half a table").write("out/mine.tmp", "");
    let ran = scene.run("analyze calls -o out").exits(0);
    assert!(!ran.path("out/.talkmeter-left.tmp").exists() && ran.path("out/mine.tmp").exists());
}

#[test]
fn a_decoder_that_hangs_holds_nothing_up() {
    use std::os::unix::fs::PermissionsExt as _;
    let audio = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/audio/tone.wma")).unwrap();
    let scene =
        Scene::new().write("a.wma", audio).write("bin/ffmpeg", "#!/bin/sh\n: > begun\nexec tail -f /dev/null\n");
    let program = scene.path("bin/ffmpeg");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
    let begun = |folder: &Path| folder.join("begun").exists();
    interrupted(scene.environment("PATH", &path), "cost estimate a.wma --vad --region intl", begun).says("interrupted");
}
