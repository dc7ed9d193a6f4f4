//! What is refused before anything is sent: a mistake costs nothing, not even a request.

use crate::batch::wav;
use crate::scene::{Ran, Scene};
use crate::service::{Books, Service};

const A: &str = "https://calls.example/a.wav";
const MODEL: &str = "--model paraformer-v2";

/// Runs one command line after another; the service hears of none.
fn refused(lines: &[(&str, &str)]) {
    let service = Service::new().unasked();
    for (line, said) in lines {
        let ran = service.scene().run(&format!("transcribe {line} -o out")).exits(2).prints_nothing().says(said);
        assert!(!ran.path("out").exists(), "{line}: a folder was made");
    }
}

#[test]
fn what_a_model_does_not_take_is_refused_with_advice() {
    refused(&[
        (&format!("{A} --model paraformer-v3"), "did you mean paraformer-v1 or paraformer-v2"),
        (&format!("{A} --model fun-asr-flash-2026-06-15"), "talkmeter flash"),
        (&format!("{A} {MODEL} --region intl"), "paraformer-v2 is not offered in intl: it is in cn (--region cn)"),
        (&format!("{A} {MODEL} --speakers 2"), "needs diarization: turn it on (--diarize)"),
        (&format!("{A} {MODEL} --diarize --speakers 1"), "2"),
        (&format!("{A} {MODEL} --diarize --speakers 101"), "100"),
        (&format!("{A} {MODEL} --diarize --channel 0,1"), "works on one track, not on 2"),
        (&format!("{A} {MODEL} --files-per-task 0"), "0 files per task: 1 to 100 are possible"),
        (&format!("{A} {MODEL} --files-per-task 101"), "101 files per task: 1 to 100 are possible"),
        (&format!("{A} {MODEL} --region mars"), "mars"),
        (&format!("{A} {MODEL} --timeout 0"), "--timeout"),
        (
            &format!("{A} --model qwen-audio-3.0-asr-flash-filetrans --files-per-task 2 {A}2"),
            "takes exactly one URL per task",
        ),
    ]);
}

#[test]
fn a_hundred_and_one_urls_are_two_tasks_or_a_mistake() {
    let list: String = (0..101).map(|n| format!("https://calls.example/{n}.wav\n")).collect();
    let service = Service::new().unasked();
    let run = format!("transcribe --files-from - -o out {MODEL} --files-per-task 101");
    service.scene().input(list.clone()).run(&run).exits(2).says("101 files per task: 1 to 100 are possible");
    // Nor does the library send it, whatever the flags say.
    service.scene().input(list.clone()).run(&format!("{run} --no-check")).exits(2).says("1 to 100 are possible");
    let service = Service::new();
    let ran = service.scene().input(list).run(&run.replace("101", "100")).exits(0);
    service.was_asked("submit", 2);
    assert_eq!(Books::balance(&ran).stored.len(), 101);
}

#[test]
fn a_file_that_the_model_does_not_take_is_not_uploaded() {
    let service = Service::new().unasked();
    let scene =
        service.scene().write("calls/a.wav", wav(1, 16_000, 1)).write("empty.wav", "").write("notes.txt", "hello");
    let scene = scene.with(|folder| {
        let large = std::fs::File::create(folder.join("large.wav")).unwrap();
        large.set_len((2 << 30) + 1).unwrap();
    });
    let mut ran =
        scene.run(&format!("transcribe large.wav empty.wav notes.txt calls/gone.wav -o out {MODEL}")).exits(2);
    ran = ran.says("calls/gone.wav: no such file");
    ran = service.then(ran).run(&format!("transcribe large.wav empty.wav notes.txt -o out {MODEL}")).exits(2);
    ran = ran.says("large.wav: ").says("2 GB").says("empty.wav: the file is empty").says("notes.txt: ");
    ran = ran.says("nothing was sent; --no-check sends it all the same");
    ran = service.then(ran).run("transcribe calls/a.wav -o out --model paraformer-8k-v2").exits(2);
    ran.says("calls/a.wav: ").says("8000").says("16000");
}

/// A WAV of this many seconds of nothing, 8,000 bytes a second; a hole on the disk.
fn lasting(folder: &std::path::Path, name: &str, seconds: u32) {
    let mut header = wav(1, 8000, 0);
    header[28..36].copy_from_slice(&[0x40, 0x1F, 0, 0, 1, 0, 8, 0]);
    header[40..44].copy_from_slice(&(seconds * 8000).to_le_bytes());
    std::fs::write(folder.join(name), header).unwrap();
    std::fs::File::options()
        .write(true)
        .open(folder.join(name))
        .unwrap()
        .set_len(44 + u64::from(seconds) * 8000)
        .unwrap();
}

#[test]
fn limits_of_length_are_checked_before_anything_is_sent() {
    let service = Service::new().unasked();
    let scene = service.scene().with(|folder| {
        for (name, seconds) in [("night.wav", 12 * 3600 + 60), ("shift.wav", 3 * 3600), ("clip.wav", 301)] {
            lasting(folder, name, seconds);
        }
    });
    let ran = scene.run("transcribe night.wav shift.wav -o out --model fun-asr --region intl --diarize").exits(2);
    let ran =
        ran.says("night.wav: fun-asr takes up to 12 h, this lasts 12 h 1 min").says_no("shift.wav").prints_nothing();
    let run = "transcribe shift.wav -o out --model fun-asr --region intl --max-cost 0.01usd";
    let ran = service.then(ran).run(&format!("{run} --diarize")).exits(3);
    let ran = ran.says("shift.wav: lasts 3 h; telling speakers apart is recommended for up to 2 h");
    let ran = service.then(ran).run(run).exits(3).says_no("recommended");
    let ran = service.then(ran).run("flash clip.wav --region intl").exits(2);
    ran.says("clip.wav lasts 5 min 1 s, fun-asr-flash-2026-06-15 takes up to 5 min").prints_nothing();
}

#[test]
fn lengths_of_a_list_are_checked_before_anything_is_sent() {
    let service = Service::new().unasked();
    let list = "url,duration\nhttps://calls.example/night.wav?sig=c2Vj,12:01:00\nhttps://calls.example/shift.wav,3h\n\
                https://calls.example/day.wav,10800.5\nhttps://calls.example/a.wav,unknown\nhttps://calls.example/b.wav,later\n";
    let run = "transcribe --files-from calls.csv -o out --model fun-asr --region intl";
    let ran = service.scene().write("calls.csv", list).run(run).exits(2).prints_nothing();
    let ran =
        ran.says("https://calls.example/night.wav?…: fun-asr takes up to 12 h, this lasts 12 h 1 min").says_no("c2Vj");
    // What says that it is not known is no mistake; what is no length is named.
    let ran = ran.says("calls.csv line 6: `later` for `duration` is not a length").says_no("line 5");
    let shorter = list.replace("12:01:00", "2h");
    let ran =
        service.then(ran).write("calls.csv", shorter).run(&format!("{run} --diarize --max-cost 0.01usd")).exits(3);
    ran.says(
        "https://calls.example/shift.wav: lasts 3 h (and 1 more over 2 h); telling speakers apart is recommended for up \
         to 2 h",
    );
    // As many tasks as run at once, and more.
    let rows: String = (0..102).map(|n| format!("https://calls.example/{n}.wav,60\n")).collect();
    let list = format!("url,duration\n{rows}");
    let run = "transcribe --files-from - -o out --model paraformer-8k-v2 --region cn --detach --max-cost 0usd";
    let ran = service.scene().input(list.clone()).run(run).exits(3);
    ran.says("102 tasks are submitted at once; paraformer-8k-v2 runs 100, and the service may refuse the rest for now");
    service.scene().input(list).run(&run.replace(" --detach", "")).exits(3).says_no("at once");
}

#[test]
fn local_files_count_for_a_task_too() {
    let service = Service::new().unasked();
    let scene = service.scene().write("a.wav", wav(1, 16_000, 1)).write("b.wav", wav(1, 16_000, 2));
    let one = "--model qwen-audio-3.0-asr-flash-filetrans --files-per-task 2";
    scene.run(&format!("transcribe a.wav b.wav -o out {one}")).exits(2).says("takes exactly one URL per task, not 2");
}

#[test]
fn a_list_is_refused_whole_with_the_place_of_every_mistake() {
    let service = Service::new().unasked();
    let list =
        format!("{A}\nftp://calls.example/b.wav\n\nhttps://me:hunter2@calls.example/c.wav?sig=c2Vj\nnot-here.wav\n");
    let run = format!("transcribe --files-from list.txt -o out {MODEL}");
    let ran = service.scene().write("list.txt", list).run(&run).exits(2);
    let ran = ran.says("list.txt line 2: ftp://calls.example/b.wav: the service cannot fetch ftp: addresses");
    let ran = ran
        .says("list.txt line 4: https://calls.example/c.wav?…: a user name or password")
        .says_no("hunter2")
        .says_no("c2Vj");
    let ran = ran.says("list.txt line 5: not-here.wav: no such file");
    let lines = "{\"url\": \"https://calls.example/a.wav\"}\n{\"url\": 7}\n{\"url\"\n";
    let ran = service.then(ran).write("list.jsonl", lines).run(&run.replace("list.txt", "list.jsonl")).exits(2);
    let ran = ran.says("list.jsonl line 2: ").says("list.jsonl line 3: ");
    let ran = service.then(ran).write("list.csv", "name,id\na,1\n").run(&run.replace("list.txt", "list.csv")).exits(2);
    let ran = ran.says("list.csv").says("url");
    let ran = service.then(ran).run(&run.replace("list.txt", "nowhere.txt")).exits(2).says("nowhere.txt: no such file");
    let ran = service.then(ran).input("").run(&run.replace("list.txt", "-")).exits(2).says("nothing to transcribe");
    service.then(ran).run(&format!("transcribe -o out {MODEL}")).exits(2).says("name URLs or files");
}

#[test]
fn without_a_key_nothing_happens() {
    let keyless =
        |more: &str| -> Ran { Scene::new().write("empty.key", "\n").run(&format!("transcribe {A} -o out {more}")) };
    let ran = keyless("")
        .exits(4)
        .says("no API key: set DASHSCOPE_API_KEY, or name a file that holds it with --api-key-file");
    assert!(!ran.path("out").exists());
    keyless("--api-key-file empty.key").exits(2).says("the API key is empty");
    keyless("--api-key-file nowhere.key").exits(1).says("nowhere.key");
}

#[test]
fn a_wrong_key_is_refused_before_any_submit() {
    let service = Service::new();
    let scene = service.scene().write("a.wav", wav(1, 16_000, 1)).environment("DASHSCOPE_API_KEY", "pk-wrong");
    let ran = scene.run(&format!("transcribe {A} a.wav -o out {MODEL}")).exits(4).says("InvalidApiKey");
    let ran = ran.says("hint: a key belongs to one region and one kind of host");
    service.was_asked("submit", 0).was_asked("policy", 0).was_asked("upload", 0).was_asked("list", 1);
    // With the right key the same command resumes.
    let ran = service.then(ran).run(&format!("transcribe {A} a.wav -o out {MODEL}")).exits(0);
    assert_eq!(service.balances(&ran).stored.len(), 2);
}

#[test]
fn no_check_leaves_the_checks_to_the_service() {
    let service = Service::new();
    let ran = service.scene().run(&format!("transcribe {A} -o out {MODEL} --region intl --no-check")).exits(0);
    assert_eq!(service.balances(&ran).stored.len(), 1);
    let ran = service.scene().run(&format!("transcribe {A} -o out --model paraformer-v3 --no-check")).exits(1);
    ran.says("Model not exist.").says("`talkmeter models` lists the models");
    service.was_asked("submit", 2);
}
