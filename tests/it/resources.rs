//! `task`, `upload`, `token`, `vocab`: the commands against the stand-in for the service, as processes.

use std::time::Duration;

use serde_json::{Value, json};
use talkmeter::ErrorKind;
use talkmeter::client::{ApiKey, Client, Recognition, TaskId};
use talkmeter::emulator::{Scenario, Settings};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::scene::{Ran, Scene, column, csv, has, wav};
use crate::service::{KEY, Service};

const CALL: &str = "https://calls.example/a.wav?Signature=c2lnbmF0dXJl";
const GONE: &str = "https://calls.invalid/gone.wav";
const WAITING: &str = "https://calls.example/waiting.wav";
const SILENCE: &str = "https://calls.example/silence.wav";

/// A service in `intl` that knows the special recordings, and the faults of this scenario.
fn service(scenario: &str) -> Service {
    let scenario = Scenario::parse(&format!("{scenario}{SPECIAL}")).unwrap();
    let settings = Settings { clock_speed: Some(20.0), scenario, ..Settings::default() };
    Service::start(settings).in_region("intl").optional("on recognition")
}

/// Runs a command as verbosely as it gets: the key must appear nowhere.
fn run(service: &Service, scene: Scene, line: &str) -> Ran {
    let ran = service.serve(scene, KEY).run(&format!("{line} -vv"));
    assert!(!ran.out().contains(KEY) && !ran.err().contains(KEY), "the key was printed\n{}", ran.err());
    assert!(!ran.err().contains("c2lnbmF0dXJl"), "a signature was printed\n{}", ran.err());
    ran
}

fn ask(service: &Service, line: &str) -> Ran {
    run(service, Scene::new(), line)
}

/// A task that has just begun.
fn submitted(service: &Service, urls: &[&str]) -> TaskId {
    submitted_to(service, "fun-asr", urls)
}

fn submitted_to(service: &Service, model: &str, urls: &[&str]) -> TaskId {
    let client = service.client();
    let submit = async { client.tasks().submit(&Recognition::new(model), urls).await };
    service.block_on(submit).unwrap().id
}

/// A task that has ended.
fn ended(service: &Service, urls: &[&str]) -> TaskId {
    let id = submitted(service, urls);
    service.advance(Duration::from_secs(60));
    id
}

/// What is special about some recordings: one without speech, one that has to wait for its turn.
const SPECIAL: &str = r#"
[[fault]]
on = "recognition"
url_contains = "silence"
times = 0
do = "silence"

[[fault]]
on = "recognition"
url_contains = "waiting"
times = 0
do = "hold"
pending_s = 86400
hold_s = 1
"#;

#[test]
fn the_list_shows_the_tasks_of_the_account() {
    let service = service("");
    ask(&service, "task list").exits(0).says("no tasks in the last 24 hours").prints_nothing();
    let ended = ended(&service, &[CALL]);
    let pending = submitted(&service, &[WAITING]);
    let rows = ask(&service, "task list --format jsonl").exits(0).lines();
    assert_eq!(rows.len(), 2);
    let row = rows.iter().find(|row| row["task_id"] == ended.as_str()).unwrap();
    has(row, json!({"status": "SUCCEEDED", "model": "fun-asr"}));
    for time in ["created", "ended"] {
        let time = row[time].as_str().unwrap();
        time.parse::<jiff::Timestamp>().unwrap_or_else(|error| panic!("{time}: {error}"));
    }
    let rows = ask(&service, "task list --status pending --model fun-asr --format json").exits(0).json();
    assert_eq!(rows.as_array().unwrap().len(), 1);
    has(rows[0].as_object().unwrap(), json!({"task_id": pending.as_str(), "status": "PENDING", "ended": null}));
    assert_eq!(ask(&service, "task list --model paraformer-v2 --format json").exits(0).json(), json!([]));
    ask(&service, "task list --limit 1").exits(0).says("1 of 2 tasks; --all lists them all");
    assert_eq!(ask(&service, "task list --all").exits(0).says_no("--all").out().lines().count(), 3);
    ask(&service, "task list --status done").exits(2);
}

#[test]
fn a_list_of_many_pages_is_shown_completely_and_once() {
    let service = service("");
    // Of several models, because each has a limit of its own.
    let models =
        ["fun-asr", "fun-asr-2025-11-07", "fun-asr-2025-08-25", "fun-asr-mtl", "paraformer-v2", "paraformer-8k-v2"];
    let ids: Vec<TaskId> =
        models.iter().cycle().take(103).map(|model| submitted_to(&service, model, &[CALL])).collect();
    let rows = ask(&service, "task list --format jsonl").exits(0).says("100 of 103 tasks").lines();
    assert_eq!(rows.len(), 100);
    let rows = ask(&service, "task list --all --format jsonl").exits(0).lines();
    let mut listed = column(&rows, "task_id");
    listed.sort_by_key(ToString::to_string);
    listed.dedup();
    assert_eq!(listed.len(), ids.len());
}

#[test]
fn a_task_is_shown_file_by_file_and_its_links_without_signatures() {
    let service = service("");
    let id = ended(&service, &[CALL, GONE, SILENCE]);
    let ran = ask(&service, &format!("task show {id} --format csv")).exits(0).says("hint: the service could not fetch");
    let rows = csv(&ran.out());
    let cell = |row: usize, name: &str| {
        let at = rows[0].iter().position(|cell| cell.0 == name).unwrap();
        &rows[row][at].0[..]
    };
    assert_eq!(rows.len(), 4);
    assert_eq!((cell(1, "file"), cell(1, "outcome")), ("https://calls.example/a.wav?…", "SUCCEEDED"));
    assert!(cell(1, "result").starts_with(service.storage_url()) && cell(1, "result").ends_with("?…"));
    assert!(cell(1, "usage").starts_with("duration ") && cell(2, "usage").is_empty());
    assert_eq!((cell(2, "outcome"), cell(2, "code")), ("FAILED", "FILE_DOWNLOAD_FAILED"));
    assert_eq!(cell(2, "message"), "", "the code is not said twice");
    assert_eq!(cell(3, "outcome"), "silent");
    assert!(cell(1, "submitted").ends_with('Z') && cell(1, "ended") > cell(1, "submitted"));

    // The answer itself, on request.
    let json = ask(&service, &format!("task show {id} --format json")).exits(0).json();
    assert_eq!(json[0]["output"]["results"][0]["file_url"], CALL);
    assert!(json[0]["output"]["results"][0]["transcription_url"].as_str().unwrap().contains("Signature="));
    let lines = ask(&service, &format!("task show {id} {id} --format jsonl")).exits(0).lines();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1]["output"]["results"][0]["file_url"], CALL);
}

#[test]
fn an_unknown_task_is_shown_as_unknown() {
    let service = service("");
    let known = ended(&service, &[CALL]);
    for command in ["show", "wait"] {
        let ran = ask(&service, &format!("task {command} {known} 00000000-0000-4000-8000-000000000000")).exits(3);
        ran.prints("UNKNOWN").prints("SUCCEEDED").says("hint: the service does not know this task");
    }
    ask(&service, "task show ../models").exits(2).says("is not a task id");
}

#[test]
fn waiting_ends_with_the_task_and_shows_its_status() {
    let service = service("");
    let good = submitted(&service, &[CALL]);
    ask(&service, &format!("task wait {good}")).exits(0).prints("SUCCEEDED");
    let silent = submitted(&service, &[SILENCE]);
    ask(&service, &format!("task wait {silent}")).exits(0).prints("silent");
    // The task as a whole has SUCCEEDED.
    let mixed = submitted(&service, &[CALL, GONE]);
    ask(&service, &format!("task wait {good} {mixed}")).exits(3).prints("FILE_DOWNLOAD_FAILED");
}

#[test]
fn waiting_has_an_end() {
    let service = service("");
    let id = submitted(&service, &[WAITING]);
    let ran = ask(&service, &format!("task wait {id} --within 1s")).exits(1).prints_nothing();
    ran.says("it continues at the service");
    ask(&service, &format!("task wait {id} --within soon")).exits(2).says("a length such as 60s");
}

#[test]
fn only_pending_tasks_can_be_cancelled() {
    let service = service("");
    let (ended, pending) = (ended(&service, &[CALL]), submitted(&service, &[WAITING]));
    let ran = ask(&service, &format!("task cancel {ended}")).exits(1).prints_nothing();
    let ran = ran.says("UnsupportedOperation").says(&format!("task {ended} is SUCCEEDED"));
    ran.says("hint: only a task that is still PENDING can be cancelled");
    let ran = ask(&service, &format!("task cancel {ended} {pending} --format jsonl")).exits(3);
    has(&ran.lines()[0], json!({"task_id": pending.as_str(), "status": "CANCELED"}));
    ask(&service, &format!("task wait {pending}")).exits(3).prints("CANCELED");
}

#[test]
fn a_cancellation_whose_answer_was_lost_counts() {
    let service = service("[[fault]]\non = \"cancel\"\ndo = \"reset_after\"\n");
    let id = submitted(&service, &[WAITING]);
    ask(&service, &format!("task cancel {id}")).exits(0).prints("CANCELED");
}

#[test]
fn results_are_fetched_byte_for_byte() {
    let service = service("");
    let (one, two) = (ended(&service, &[CALL, GONE, SILENCE]), ended(&service, &[CALL]));
    let ran = ask(&service, &format!("task download {one} {two} -o results --format jsonl")).exits(3);
    let ran = ran.says(&format!("file 2 of task {one} has no result: FAILED FILE_DOWNLOAD_FAILED"));
    assert_eq!(ran.lines().len(), 3);
    has(
        &ran.lines()[0],
        json!({"task_id": one.as_str(), "file": "https://calls.example/a.wav?…", "result": format!("results/{one}-1.json")}),
    );
    let files = ran.files("results");
    let names: Vec<&str> = files.iter().map(|(name, _)| &name[..]).collect();
    let mut expected = [format!("{one}-1.json"), format!("{one}-3.json"), format!("{two}-1.json")];
    expected.sort();
    assert_eq!(names, expected);
    // One file in two tasks: the same result.
    let read = |name: String| &files.iter().find(|file| file.0 == name).unwrap().1;
    assert_eq!(read(format!("{one}-1.json")), read(format!("{two}-1.json")));
    let silent: Value = serde_json::from_slice(read(format!("{one}-3.json"))).unwrap();
    assert_eq!(silent, json!({"file_url": SILENCE, "transcripts": []}));
    // The rest of the command reads what was fetched; one file in two tasks is noticed.
    let checked = ran.then().run("check results --format jsonl").exits(3);
    assert_eq!(column(&checked.lines(), "code"), ["nothing_to_measure", "copies"]);
}

#[test]
fn an_expired_link_is_renewed() {
    let service = service("[[fault]]\non = \"result\"\ndo = \"expired\"\n");
    let id = ended(&service, &[CALL]);
    ask(&service, &format!("task download {id} -o .")).exits(0);
    assert_eq!((service.of_kind("query"), service.of_kind("result")), (2, 2));
}

#[test]
fn a_link_that_stays_forbidden_is_not_blamed_on_the_key() {
    let service = service("[[fault]]\non = \"result\"\ntimes = 0\ndo = \"status\"\nstatus = 403\n");
    let id = ended(&service, &[CALL]);
    ask(&service, &format!("task download {id} -o .")).exits(1).says("HTTP 403").says_no("check --region");
}

#[test]
fn results_cannot_be_fetched_before_the_task_ends() {
    let service = service("");
    let id = submitted(&service, &[WAITING]);
    let ran = ask(&service, &format!("task download {id} nobody-knows -o results")).exits(1).prints_nothing();
    ran.says(&format!("`talkmeter task wait {id}`")).says("the service does not know this task");
}

#[test]
fn local_files_are_uploaded_without_the_key() {
    let service = service("");
    let scene = Scene::new().write("a.wav", wav(1, 16_000, 1)).write("Kunde Nr. 7.WAV", wav(1, 8_000, 1));
    let ran = run(&service, scene, "upload a.wav gone.wav 'Kunde Nr. 7.WAV' --format jsonl").exits(3);
    let ran = ran
        .says("48 hours")
        .says("not recommend for production or high concurrency")
        .says("https URLs of your own bucket");
    let ran = ran.says("cannot read gone.wav");
    let rows = ran.lines();
    assert_eq!(column(&rows, "file"), ["a.wav", "Kunde Nr. 7.WAV"]);
    for row in &rows {
        let url = row["url"].as_str().unwrap();
        assert!(url.starts_with("oss://") && url.ends_with(".wav") && !url.contains("Kunde"), "{url}");
        row["expires"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    }
    assert_ne!(rows[0]["url"], rows[1]["url"]);
    assert_eq!((service.of_kind("upload"), service.hits().key_leaks), (2, 0));
    // The address is good for a task.
    let id = submitted(&service, &[rows[0]["url"].as_str().unwrap()]);
    ask(&service, &format!("task wait {id}")).exits(0);
}

#[test]
fn an_upload_with_an_expired_policy_requests_another() {
    let refusal =
        "<Error><Code>AccessDenied</Code><Message>Invalid according to Policy: Policy expired.</Message></Error>";
    let fault = format!("[[fault]]\non = \"upload\"\ndo = \"status\"\nstatus = 403\nbody = \"{refusal}\"\n");
    let service = service(&fault);
    run(&service, Scene::new().write("a.wav", wav(1, 8_000, 1)), "upload a.wav").exits(0);
    assert_eq!((service.of_kind("policy"), service.of_kind("upload")), (2, 2));
}

#[test]
fn a_storage_that_refuses_is_not_blamed_on_the_key() {
    let service = service("[[fault]]\non = \"upload\"\ntimes = 0\ndo = \"status\"\nstatus = 403\n");
    let ran = run(&service, Scene::new().write("a.wav", wav(1, 8_000, 1)), "upload a.wav").exits(1);
    ran.says("HTTP 403").says_no("check --region").prints_nothing();
    assert_eq!(service.of_kind("upload"), 1);
}

#[test]
fn a_folder_cannot_be_uploaded() {
    let service = service("").unasked();
    run(&service, Scene::new().write("calls/a.wav", wav(1, 8_000, 1)), "upload calls")
        .exits(1)
        .says("calls is not a regular file");
}

#[test]
fn a_token_is_printed_alone_and_is_accepted() {
    let service = service("");
    let ran = ask(&service, "token --lifetime 30m").exits(0).says("the token is valid until 20");
    let token = ran.out().trim_end().to_owned();
    assert!(token.starts_with("st-") && ran.out().lines().count() == 1 && !ran.err().contains(&token));
    let by_token = |line: &str| service.serve(Scene::new(), &token).run(line);
    by_token("task list").exits(0);
    service.advance(Duration::from_secs(1801));
    by_token("task list").exits(4);

    let json = ask(&service, "token --format json").exits(0).json();
    assert!(json["token"].as_str().unwrap().starts_with("st-"));
    json["expires_at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let asked = service.of_kind("token");
    for wrong in ["0s", "31m", "soon"] {
        ask(&service, &format!("token --lifetime {wrong}")).exits(2);
    }
    assert_eq!(service.of_kind("token"), asked, "a life that nobody gives is not asked for");
}

#[test]
fn a_wrong_key_exits_with_4_in_every_command() {
    let service = service("");
    let scene = || {
        let scene = Scene::new().write("a.wav", wav(1, 8_000, 1)).write("words.txt", "etcd\n");
        service.serve(scene, "not-a-key")
    };
    for line in [
        "task list",
        "task show one two",
        "task wait one",
        "task cancel one",
        "task download one -o .",
        "upload a.wav a.wav",
        "token",
        "vocab list",
        "vocab show vocab-a-1",
        "vocab create --model fun-asr --prefix a words.txt",
        "vocab update vocab-a-1 words.txt",
        "vocab delete vocab-a-1",
    ] {
        let ran = scene().run(&format!("{line} -vv")).exits(4).prints_nothing();
        let ran = ran.says("InvalidApiKey").says("hint: a key belongs to one region").says_no("not-a-key");
        assert_eq!(ran.err().matches("error:").count(), 1, "{}", ran.err());
    }
    Scene::new()
        .run("task list")
        .exits(4)
        .says("no API key: set DASHSCOPE_API_KEY, or name a file that holds it with --api-key-file");
}

#[test]
fn a_hotword_list_is_created_updated_and_deleted() {
    let service = service("");
    let scene = Scene::new().write("words.txt", "# drugs\nmetformin\t5\ten\nblood sugar\n");
    let ran = run(&service, scene, "vocab create --model fun-asr --prefix clinic words.txt").exits(0);
    let ran = ran.says("works with fun-asr in the primary workspace only");
    let id = ran.out().trim_end().to_owned();
    assert!(id.starts_with("vocab-clinic-"), "{id}");
    let rows = ask(&service, "vocab list --prefix clinic --format jsonl").exits(0).lines();
    has(&rows[0], json!({"vocabulary_id": id, "status": "OK"}));
    assert_eq!(ask(&service, "vocab list --prefix other --format json").exits(0).json(), json!([]));
    let rows =
        ask(&service, &format!("vocab show {id} --format jsonl")).exits(0).says("2 words for fun-asr, OK").lines();
    has(&rows[0], json!({"text": "metformin", "weight": 5, "lang": "en"}));
    has(&rows[1], json!({"text": "blood sugar", "weight": 4, "lang": null}));

    // What is shown can be given back, in each form.
    for format in ["csv", "json", "jsonl"] {
        let shown = ask(&service, &format!("vocab show {id} --format {format}")).exits(0).out();
        run(&service, Scene::new().input(shown), &format!("vocab update {id} -")).exits(0).says("now has 2 words");
        assert_eq!(ask(&service, &format!("vocab show {id} --format jsonl")).exits(0).lines(), rows, "{format}");
    }

    ask(&service, &format!("vocab delete {id} vocab-nobody-1"))
        .exits(3)
        .says(&format!("{id} deleted"))
        .says("NotFound");
    ask(&service, &format!("vocab show {id}")).exits(1).says("hint: no such hotword list here");
    ask(&service, "vocab list").exits(0).says("no hotword list").prints_nothing();
}

#[test]
fn a_list_that_breaks_a_rule_is_not_sent() {
    let service = service("");
    let long = "word\n".repeat(2001);
    let scene = || {
        let scene =
            Scene::new().write("good.txt", "etcd\n").write("long.txt", &long[..]).write("fifty.txt", "etcd\t50\n");
        scene.write("tongue.txt", "etcd\t4\txx\n").write("odd.txt", "etcd\tmuch\n").write("none.txt", "# nothing\n")
    };
    for (line, said) in [
        ("--model fun-asr --prefix Clinic good.txt", "is no prefix of a hotword list"),
        ("--model fun-ars --prefix c good.txt", "did you mean fun-asr"),
        ("--model paraformer-v2 --prefix c good.txt", "not offered in intl"),
        ("--model qwen3-asr-flash --prefix c good.txt", "takes no hotword list"),
        ("--model fun-asr --prefix c long.txt", "2001 words exceed the 2000"),
        ("--model fun-asr --prefix c fifty.txt", "weight 50, which only Qwen-Audio-3.x"),
        ("--model fun-asr --prefix c none.txt", "needs at least one word"),
        ("--model fun-asr --prefix c odd.txt", "odd.txt: line 1: the weight `much`"),
    ] {
        run(&service, scene(), &format!("vocab create {line}")).exits(2).says(said).prints_nothing();
    }
    assert_eq!(service.of_kind("vocabulary"), 0);
    // A check can be left out; then the service decides.
    run(&service, scene(), "vocab create --model fun-asr --prefix Clinic good.txt --no-check")
        .exits(1)
        .says("HTTP 400");
    // What is merely not documented is sent.
    let ran = run(&service, scene(), "vocab create --model fun-asr --prefix c tongue.txt").exits(1);
    ran.says("warning: `xx` (1 word) is not among the languages").says("HTTP 400");
}

#[test]
fn the_eleventh_list_is_one_too_many() {
    let service = service("");
    let create =
        || run(&service, Scene::new().write("w.txt", "etcd\n"), "vocab create --model fun-asr --prefix c w.txt");
    (0..10).for_each(|_| drop(create().exits(0)));
    let ran = create().exits(4).says("Throttling.AllocationQuota").says("`talkmeter vocab delete` makes room");
    ran.says_no("settle the account").prints_nothing();
    assert_eq!(service.of_kind("vocabulary"), 11, "waiting does not help, so nobody waits");
    assert_eq!(ask(&service, "vocab list --format jsonl").exits(0).lines().len(), 10);
}

#[test]
fn a_list_is_not_created_twice_and_a_deletion_is_confirmed() {
    let service = service(
        "[[fault]]\non = \"vocabulary\"\ndo = \"reset_after\"\n[[fault]]\non = \"vocabulary\"\nskip = 1\ndo = \"reset_after\"\n",
    );
    let ran = run(&service, Scene::new().write("w.txt", "etcd\n"), "vocab create --model fun-asr --prefix c w.txt");
    ran.exits(1).says("the connection broke");
    let rows = ask(&service, "vocab list --format jsonl").exits(0).lines();
    assert_eq!(rows.len(), 1, "the answer was lost, the list was not");
    let id = rows[0]["vocabulary_id"].as_str().unwrap();
    ask(&service, &format!("vocab delete {id}")).exits(0).says("deleted");
    ask(&service, "vocab list").exits(0).says("no hotword list");
}

/// A service that gives leave to upload to a storage which takes `pause` for every piece it reads.
async fn slow_storage(pause: Duration) -> Client {
    let [service, storage] =
        [TcpListener::bind("127.0.0.1:0").await.unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap()];
    let base = format!("http://{}/api/v1", service.local_addr().unwrap());
    let leave = json!({"data": {
        "policy": "p", "signature": "s", "upload_dir": "d", "upload_host": format!("http://{}", storage.local_addr().unwrap()),
        "oss_access_key_id": "k", "x_oss_object_acl": "private", "x_oss_forbid_overwrite": "true",
    }})
    .to_string();
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = service.accept().await.unwrap();
            let leave = leave.clone();
            tokio::spawn(async move {
                let mut asked = [0; 4096];
                while socket.read(&mut asked).await.is_ok_and(|length| length > 0) {
                    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{leave}", leave.len());
                    socket.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    });
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = storage.accept().await.unwrap();
            tokio::spawn(async move {
                let mut piece = vec![0; 256 << 10];
                let mut end = Vec::new();
                // The form ends with its boundary and two dashes.
                while !end.ends_with(b"--\r\n") {
                    tokio::time::sleep(pause).await;
                    let Ok(length @ 1..) = socket.read(&mut piece).await else { return };
                    end = piece[length.saturating_sub(4)..length].to_vec();
                }
                let _ = socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
            });
        }
    });
    let client = Client::builder().api_key(ApiKey::new(KEY).unwrap()).base_url(base);
    client.timeout(Duration::from_millis(400)).build().unwrap()
}

#[tokio::test]
async fn an_upload_may_be_slow_but_not_stalled() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.wav");
    std::fs::write(&path, vec![7; 32 << 20]).unwrap();
    let client = slow_storage(Duration::from_millis(20)).await;
    let begun = std::time::Instant::now();
    client.uploads().upload("fun-asr", &path).await.unwrap();
    assert!(begun.elapsed() > Duration::from_millis(800), "too fast to show anything: {:?}", begun.elapsed());

    let client = slow_storage(Duration::from_secs(3600)).await;
    let error = client.uploads().upload("fun-asr", &path).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert!(error.to_string().ends_with("no progress for 0.4 s"), "{error}");
}
