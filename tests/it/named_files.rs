//! Files that people name: what is not a regular file, or far too large, is one line at once.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::batch::MODEL;
use crate::scene::{Scene, call, wav};
use crate::service::{KEY, Service};

/// A scene with a call, a recording, a named pipe that nobody writes to, and a file of zeros of this size that takes no room.
fn scene(size: u64) -> Scene {
    let scene = Scene::new().call("a", call(&[(0, 0, 900, "hello")])).write("a.wav", wav(1, 8000, 1));
    scene.environment("DASHSCOPE_API_KEY", KEY).with(|folder| {
        assert!(Command::new("mkfifo").arg(folder.join("pipe")).status().unwrap().success());
        for name in ["large", "large.csv", "large.parquet"] {
            std::fs::File::create(folder.join(name)).unwrap().set_len(size).unwrap();
        }
        std::os::unix::fs::symlink("pipe", folder.join("pipe.csv")).unwrap();
        std::os::unix::fs::symlink("pipe", folder.join("pipe.parquet")).unwrap();
    })
}

/// Every way to name a file, with `{}` for the file.
fn commands() -> Vec<String> {
    let transcribe = format!("transcribe https://calls.example/1.wav -o out {MODEL} --region cn");
    vec![
        "task list --api-key-file {}".to_owned(),
        format!("{transcribe} --context @{{}}"),
        format!("transcribe --files-from {{}} -o out {MODEL} --region cn"),
        "flash https://calls.example/1.wav --dialog {}".to_owned(),
        "vocab create {} --model fun-asr --prefix clinic".to_owned(),
        "analyze calls --keywords {}".to_owned(),
        "analyze calls --prices {}".to_owned(),
        "analyze calls --meta {}.csv".to_owned(),
        "analyze calls --meta {}.parquet".to_owned(),
        "cost estimate --files-from {}".to_owned(),
        "cost estimate {}.csv".to_owned(),
        "cost estimate a.wav --prices {}".to_owned(),
        "explain {} --event 1".to_owned(),
    ]
}

#[track_caller]
fn is_refused(scene: Scene, line: &str, why: &str) {
    let begun = Instant::now();
    let ran = scene.run(line);
    // A list of recordings is part of the command line, and a statement that cannot be read is no verdict.
    let is_usage = line.starts_with("transcribe --files-from") || line.contains("--statement");
    let ran = ran.exits(if is_usage { 2 } else { 1 });
    assert!(ran.err().contains(why) && ran.err().lines().count() <= 3, "{line}: {}", ran.err());
    assert!(begun.elapsed() < Duration::from_secs(20), "{line}: {:?}", begun.elapsed());
}

#[test]
fn a_pipe_that_nobody_writes_to_is_refused_at_once() {
    for line in commands() {
        is_refused(scene(0), &line.replace("{}", "pipe"), "not a regular file");
    }
}

#[test]
fn a_device_without_end_is_refused_at_once() {
    for line in commands().iter().filter(|line| !line.contains("{}.")) {
        is_refused(scene(0), &line.replace("{}", "/dev/zero"), "not a regular file");
    }
}

#[test]
fn a_file_that_is_far_too_large_is_refused_unread() {
    for line in commands() {
        is_refused(scene(5 << 30), &line.replace("{}", "large"), "it is larger than ");
    }
}

#[test]
fn a_statement_is_read_from_a_file() {
    let service = Service::new();
    let ran = service.scene().run(&format!("transcribe https://calls.example/1.wav -o out {MODEL}")).exits(0);
    let scene = ran.then().with(|folder| {
        assert!(Command::new("mkfifo").arg(folder.join("pipe.csv")).status().unwrap().success());
    });
    is_refused(scene, "cost reconcile out --statement pipe.csv", "not a regular file");
}
