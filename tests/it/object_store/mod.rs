//! Folders of object stores read and written as those on a disk.

mod server;
mod staging;

use std::io::{BufRead as _, Write as _};
use std::process::{Command, Stdio};

use serde_json::json;

use crate::scene::{Call, Ran, Scene, call, has};
use server::{ObjectStore, SECRET};

/// Some calls, with folders among them and files that are no transcripts.
fn scene_of(calls: usize) -> Scene {
    let mut scene = Scene::new().write("calls/notes.txt", "not read").write("calls/old/report.json", OWN_REPORT);
    for number in 0..calls {
        scene = scene.call(&format!("day {}/call-{number}", number % 3), two(number as i64));
    }
    scene.write("calls/ümlaut & <co>.json", two(7).json().to_string()).write("calls/whole.srt", SRT)
}

const OWN_REPORT: &str = "{\n  \"format\": \"talkmeter report\"\n}";
const SRT: &str = "1\n00:00:01,000 --> 00:00:02,000\nHello.\n";

fn two(number: i64) -> Call {
    call(&[(0, 0, 4000 + number, "good morning what can I do for you"), (1, 9000, 12_000, "a refund, please")])
}

/// The same calls on disk and in a store.
fn in_both(calls: usize) -> (ObjectStore, Scene) {
    let store = ObjectStore::new();
    let scene = scene_of(calls).with(|folder| store.put_folder("calls/may", &folder.join("calls")));
    (store, scene)
}

/// No secret is on the terminal.
fn keeps_secrets(ran: Ran) -> Ran {
    assert!(!ran.out().contains(SECRET));
    ran.says_no(SECRET).says_no("StringToSign").says_no("Signature=")
}

#[test]
fn a_folder_in_a_store_is_read_as_the_same_folder_on_a_disk() {
    let (store, scene) = in_both(40);
    let disk = scene.run("analyze calls -o out --tables parquet,csv --keyword refund").exits(0);
    let (tables, said) = (disk.files("out"), disk.out());
    assert_eq!(disk.table_as("calls", "parquet").len(), 42);
    let ran = store
        .serve(disk.then())
        .run("analyze s3://calls/may/ -o from-store --tables parquet,csv --keyword refund -vv")
        .exits(0)
        .says("not read: 1 other file (1 .txt)");
    let ran = keeps_secrets(ran);
    assert_eq!(ran.out(), said);
    assert!(ran.files("from-store") == tables, "every byte");
    // Objects are listed in pages of seven, and each is asked for once for the tables and once for the page of the report.
    // A report of ours is looked into and left out.
    assert_eq!(store.count("GET calls?list-type"), 7);
    assert_eq!(store.count("HEAD"), 0);
    assert_eq!(store.count("GET calls/may/"), 1 + 2 * 42);
    assert!(store.most_at_once() > 8, "{} at once", store.most_at_once());
    // One thread sees the same.
    let ran =
        store.serve(ran.then()).run("analyze s3://calls/may -o one --tables parquet,csv --keyword refund --threads 1");
    assert!(ran.exits(0).files("one") == tables);
}

#[test]
fn places_on_a_disk_and_in_stores_are_read_together() {
    let store = ObjectStore::new();
    store.put("calls/may/a.json", two(1).json().to_string());
    store.put("calls/may/b.json", two(2).json().to_string());
    store.put("figures/only.json", two(3).json().to_string());
    let ran = store
        .serve(Scene::new().call("a", two(4)))
        .run("analyze calls s3://calls/may s3://figures/only.json s3://calls/may/b.json -o out")
        .exits(0);
    let names: Vec<_> = ran.table("calls").iter().map(|row| row["file"].clone()).collect();
    assert_eq!(names, [json!("b.json"), json!("calls/a.json"), json!("only.json"), json!("s3://calls/may/a.json")]);
    // A list on stdin may hold addresses, and other commands read them.
    let ran = store.serve(ran.then()).input("s3://calls/may\n").run("check -").exits(0);
    let ran = store.serve(ran.then()).run("captions s3://figures/only.json --to srt").exits(0).prints("refund");
    store.serve_as_oss(ran.then()).run("analyze oss://calls/may").exits(0).prints("2 calls");
}

#[test]
fn a_batch_in_a_store_is_read_as_its_results() {
    let store = ObjectStore::new();
    store.put("calls/batch/ledger.jsonl", "");
    store.put("calls/batch/other.json", "{}");
    store.put("calls/batch/results/1-a.json", two(1).json().to_string());
    let ran = store.serve(Scene::new()).run("analyze s3://calls/batch -o out").exits(0);
    has(&ran.row("calls"), json!({"file": "1-a.json"}));
}

#[test]
fn an_object_that_cannot_be_read_is_one_line_and_the_others_are_measured() {
    let (store, scene) = in_both(10);
    store.fail("calls/may/day 1/call-4.json", 403, "AccessDenied");
    store.fail("calls/may/day 2/call-5.json", 500, "InternalError");
    let ran = store.serve(scene).run("analyze s3://calls/may -o out -vv").exits(3);
    let ran = keeps_secrets(ran)
        .says("s3://calls/may/day 1/call-4.json: cannot be read: AccessDenied: The story says so (HTTP 403, request id R-17)")
        .says("s3://calls/may/day 2/call-5.json: cannot be read: InternalError: The story says so (HTTP 500, request id R-17)");
    assert_eq!(ran.table("calls").len(), 10);
    assert_eq!(store.count("GET calls/may/day 1/call-4.json"), 1, "a refusal is final");
    assert_eq!(store.count("GET calls/may/day 2/call-5.json"), 6, "a fault of the server may pass");
}

#[test]
fn a_place_that_cannot_be_listed_is_one_line_with_a_hint() {
    let store = ObjectStore::new();
    store.put("calls/may/a.json", two(1).json().to_string());
    let ran = store.serve(Scene::new()).run("analyze s3://absent/may -vv").exits(1);
    let ran = keeps_secrets(ran)
        .says("s3://absent/may: NoSuchBucket: The story says so (HTTP 404, request id R-17)\nhint: check the name");
    let ran = store.serve(ran.then()).run("analyze s3://calls/june").exits(1).says("s3://calls/june: nothing has this");
    let ran = store.serve_with(ran.then(), "AKIAOTHER").run("analyze s3://calls/may -vv").exits(1);
    let ran = keeps_secrets(ran).says("s3://calls/may: SignatureDoesNotMatch").says("hint: the key, its secret");
    let ran = ran.then().run("analyze oss://calls/may").exits(1).says("OSS_REGION or OSS_ENDPOINT is not set");
    let ran = ran.then().run("analyze s3:///may").exits(1).says("`` is no name of a bucket");
    // Before anything is measured.
    let ran = store.serve(ran.then()).run("analyze s3://calls/may -o s3://absent/out").exits(1);
    ran.says("error: cannot list s3://absent/out: NoSuchBucket").says("hint: check the name of the bucket");
    assert_eq!(store.count("GET calls/may/a.json"), 0);
}

#[test]
fn tables_are_written_to_a_store_and_the_report_last() {
    let (store, scene) = in_both(6);
    let disk = scene.run("analyze calls -o out --pages").exits(0);
    let (tables, page) = (disk.files("out/report-pages"), disk.bytes("out/report.html"));
    let rest: Vec<_> =
        ["calls.parquet", "report.json", "datapackage.json"].map(|name| disk.bytes(&format!("out/{name}"))).into();
    let ran = store
        .serve(disk.then())
        .run("analyze calls -o s3://figures/2026/may --pages")
        .exits(0)
        .says("written to s3://figures/2026/may")
        .says("pages in s3://figures/2026/may/report-pages")
        .says_no("/tmp");
    let objects = store.objects("figures/2026/may/");
    let object = |name: &str| objects.iter().find(|(key, _)| key == name).map(|(_, content)| content.clone()).unwrap();
    assert!(["calls.parquet", "report.json", "datapackage.json"].map(object)[..] == rest[..]);
    assert!(object("report.html") == page);
    for (name, content) in &tables {
        assert!(object(&format!("report-pages/{name}")) == *content, "{name}");
    }
    let writes = || store.log().into_iter().filter(|line| !line.starts_with("GET")).collect::<Vec<_>>();
    assert_eq!(writes().last().unwrap(), "PUT figures/2026/may/report.json");

    // What was read from there and is written there: its own files are left out, what is left is named.
    store.put("figures/2026/may/a.json", two(3).json().to_string());
    let before = writes().len();
    let ran = store
        .serve(ran.then())
        .run("analyze s3://figures/2026/may -o s3://figures/2026/may --only calls,report --tables csv")
        .exits(0)
        .says("s3://figures/2026/may/events.parquet is left from an earlier run");
    let again = &writes()[before..];
    assert_eq!(again[..2], ["POST figures?delete", "DELETE figures/2026/may/report.json"]);
    assert_eq!(again.last().unwrap(), "PUT figures/2026/may/report.json");

    // Stored tables are read from there.
    let ran = store.serve(ran.then()).run("analyze calls -o s3://figures/two").exits(0);
    let ran = store.serve(ran.then()).run_with(["query", "s3://figures/two", "select count(*) from calls"]).exits(0);
    let ran = ran.prints("8");
    let ran = store.serve(ran.then()).run("report s3://figures/two --format md").exits(0).prints("8 calls");
    let ran = store.serve(ran.then()).run("report s3://figures/none").exits(2).says("no tables in s3://figures/none");
    // Other commands do not make a folder of this name.
    for line in
        ["report s3://figures/two -o s3://figures/a.html", "captions calls -o s3://figures/c", "demo -o s3://x/y"]
    {
        Scene::new().run(line).exits(2).says("only `analyze` writes to one");
    }
    drop(ran);
}

#[test]
fn shards_are_written_to_a_store_and_completed_there() {
    let (store, scene) = in_both(6);
    let whole = scene.run("analyze calls -o whole --keyword refund").exits(0);
    let said = whole.out();
    let shard = |shard: &str| format!("analyze calls -o s3://figures/may --keyword refund --shard {shard}");
    let ran = store.serve(whole.then()).run(&shard("2/3")).exits(0);
    let ran = ran.says("shard 2/3: ").says("written to s3://figures/may").says_no("/tmp");
    let last = || store.log().into_iter().rfind(|line| !line.starts_with("GET")).unwrap();
    assert_eq!(last(), "PUT figures/may/shards/00002.json");
    let ran = store.serve(ran.then()).run("report s3://figures/may").exits(2);
    let ran = ran.says("error: s3://figures/may: shards are missing: 1, 3 of 3").says_no("/tmp");
    let ran = store.serve(ran.then()).run("analyze calls -o s3://figures/may").exits(2);
    let ran = ran.says("s3://figures/may: its tables are in shards");
    let mut scene = store.serve(ran.then());
    for one in ["1/3", "3/3"] {
        scene = store.serve(scene.run(&shard(one)).exits(0).then());
    }
    let ran = scene.run("report s3://figures/may").exits(0);
    assert_eq!(ran.out(), said);
    assert_eq!(last(), "PUT figures/may/report.json");
    let object = |name: &str| store.objects(&format!("figures/may/{name}"))[0].1.clone();
    for made in ["report.json", "report.html", "calls_by_role.parquet"] {
        assert!(object(made) == ran.bytes(&format!("whole/{made}")), "{made}");
    }
    // A shard that is repeated is not whole before its last part is.
    let before = store.log().len();
    let ran = store.serve(ran.then()).run(&shard("2/3")).exits(0);
    let again: Vec<_> = store.log().split_off(before).into_iter().filter(|line| !line.starts_with("GET")).collect();
    assert!(again.contains(&"DELETE figures/may/shards/00002.json".to_owned()), "{again:?}");
    assert_eq!(again.last().unwrap(), "PUT figures/may/shards/00002.json");
    let sum = ["query", "s3://figures/may", "select count(*) from calls"];
    store.serve(ran.then()).run_with(sum).exits(0).prints("8");
}

#[test]
fn a_large_table_is_uploaded_in_parts() {
    let words: Vec<(i64, i64, String)> = (0..60_000).map(|at| (at * 100, at * 100 + 90, format!("word{at}"))).collect();
    let words: Vec<_> = words.iter().map(|(begin, end, text)| (*begin, *end, &text[..])).collect();
    let call = words.chunks(50).fold(Call::default(), |call, chunk| call.say(0, chunk));
    let store = ObjectStore::new();
    let ran = Scene::new().call("long", call).run("analyze calls -o out --tables jsonl --only words").exits(0);
    let table = ran.bytes("out/words.jsonl");
    assert!(table.len() > 8 << 20, "{} bytes", table.len());
    let line = "analyze calls -o s3://figures/long --tables jsonl --only words";
    let ran = store.serve(ran.then()).run(line).exits(0);
    assert!(store.objects("figures/long/words.jsonl")[0].1 == table);
    assert_eq!(store.count("POST figures/long/words.jsonl?uploads"), 1);
    assert_eq!(store.count("PUT figures/long/words.jsonl?partNumber"), table.len().div_ceil(8 << 20));
    // What cannot be completed is given up, so that no parts are paid for.
    store.fail("PUT figures/other/words.jsonl", 403, "AccessDenied");
    let ran = store.serve(ran.then()).run(&line.replace("long", "other")).exits(1);
    ran.says("cannot write s3://figures/other/words.jsonl: AccessDenied").says("hint: the key needs permission");
    assert_eq!((store.unfinished_uploads(), store.count("DELETE figures/other/words.jsonl?uploadId")), (0, 1));
    assert!(store.objects("figures/other/words.jsonl").is_empty());
}

#[test]
fn a_killed_run_leaves_nothing_that_looks_whole() {
    let (store, scene) = in_both(3);
    let temporary = tempfile::tempdir().unwrap();
    let serve = |scene| store.serve(scene).environment("TMPDIR", temporary.path().to_str().unwrap());
    let ran = serve(scene).run("analyze calls -o s3://figures/out").exits(0);
    assert!(crate::scene::files_below(temporary.path()).is_empty(), "nothing stays on this machine");
    store.hold(Some("figures/out/report.html"));
    let mut ran = serve(ran.then()).run_while("analyze calls -o s3://figures/out --keyword refund", |child| {
        if store.count("PUT figures/out/report.html") == 2 {
            child.kill().unwrap();
        }
    });
    assert!(ran.was_killed());
    assert!(store.objects("figures/out/report.json").is_empty(), "half of it is new");
    store.hold(None);
    let ran = serve(ran.then()).run("analyze calls -o s3://figures/out --keyword refund").exits(0);
    assert_eq!(store.objects("figures/out/report.json").len(), 1);
    let disk = ran.then().run("analyze calls -o out --keyword refund").exits(0);
    assert!(store.objects("figures/out/calls.parquet")[0].1 == disk.bytes("out/calls.parquet"));
}

/// A server of others that checks signatures.
struct Moto {
    child: std::process::Child,
    environment: std::collections::BTreeMap<String, String>,
}

impl Moto {
    /// With a folder in the bucket `calls`, below `may`.
    fn start(folder: &std::path::Path) -> Self {
        let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stores/moto_server.py");
        let mut child = Command::new("python")
            .args([&script, folder])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        std::io::BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        Self { child, environment: serde_json::from_str(&line).expect("moto serves") }
    }

    /// What its client says of signed links.
    fn judge(&self, links: &str) -> String {
        let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stores/signed_links.py");
        let mut python = Command::new("python");
        python.arg(script).envs(&self.environment).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = python.spawn().unwrap();
        child.stdin.take().unwrap().write_all(links.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    }

    fn serve(&self, scene: Scene) -> Scene {
        self.environment.iter().fold(scene, |scene, (name, value)| scene.environment(name, value))
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
#[ignore = "needs moto"]
fn moto_accepts_what_we_sign() {
    let disk = scene_of(30).run("analyze calls -o out --tables parquet,jsonl").exits(0);
    let tables = disk.files("out");
    let moto = Moto::start(&disk.path("calls"));
    let ran = moto.serve(disk.then()).run("analyze s3://calls/may -o from-store --tables parquet,jsonl").exits(0);
    assert!(ran.files("from-store") == tables);
    for _ in 0..2 {
        moto.serve(Scene::new()).run("analyze s3://calls/may -o s3://figures/out --tables parquet,jsonl").exits(0);
    }
    let ran = moto.serve(ran.then()).run_with(["query", "s3://figures/out", "select count(*) from calls"]).exits(0);
    let ran = moto.serve(ran.prints("32").then()).run("report s3://figures/out -o copy.json").exits(0);
    let report = tables.iter().find(|(name, _)| name == "report.json").unwrap();
    assert!(ran.bytes("copy.json") == report.1);
    let ran = moto.serve(ran.then()).run("analyze s3://absent/may").exits(1).says("NoSuchBucket");
    let wrong = moto.serve(ran.then()).environment("AWS_SECRET_ACCESS_KEY", "wrong").run("analyze s3://calls/may");
    keeps_secrets(wrong.exits(1)).says("SignatureDoesNotMatch").says("hint: the key, its secret");
    staging::put_and_deleted(|scene| moto.serve(scene), |links| moto.judge(links));
}
