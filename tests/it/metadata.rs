//! The user's own columns, however they name the calls: by id, file or address, or as the list that was transcribed.

use serde_json::{Value, json};

use crate::batch::{MODEL, wav};
use crate::scene::{Call, Ran, Row, Scene, call, column, has};
use crate::service::Service;

/// Two addresses and a local file, transcribed from a list with columns of its own.
fn batch(service: &Service) -> Ran {
    let list = "id,url,agent,queue\nA-1,https://calls.example/may/0417.wav?Expires=1&OSSAccessKeyId=k&Signature=s,Ann,refunds\n\
                A-2,https://calls.example/may/0418.wav,Bob,\nA-3,spool/deep/x.y.wav,Ann,sales\n";
    let scene = service.scene().write("spool/deep/x.y.wav", wav(2, 16_000, 1)).write("calls.csv", list);
    scene.run(&format!("transcribe --files-from calls.csv -o may {MODEL}")).exits(0)
}

/// Groups and their numbers of calls.
fn groups(rows: &[Row], column: &str) -> Vec<Value> {
    rows.iter().map(|row| json!([row[column], row["call_count"]])).collect()
}

const ANALYZE: &str = "analyze may -o out --tables jsonl --group-by";

#[test]
fn the_list_that_was_transcribed_is_its_own_metadata() {
    let service = Service::new();
    let ran = service.then(batch(&service)).run(&format!("{ANALYZE} Agent")).exits(0).says_no("without");
    assert_eq!(groups(&ran.table("rollup"), "agent"), [json!(["Ann", 2]), json!(["Bob", 1])]);
    let ran = ran.then().run(&format!("{ANALYZE} queue,id")).exits(0);
    assert_eq!(ran.table("rollup")[2]["id"], "A-2", "an empty cell is a null");
    ran.then()
        .run(&format!("{ANALYZE} team"))
        .exits(2)
        .says("no column `team` to group by; the columns are `id`, `url`, `agent`, `queue`");

    // A later list corrects a cell; a list without columns takes none away.
    let corrected = "id,url,agent,queue\nA-2,https://calls.example/may/0418.wav,Cem,sales\n";
    let scene = service.then(batch(&service)).write("calls.csv", corrected);
    let ran = scene.run(&format!("transcribe --files-from calls.csv -o may {MODEL}")).exits(0);
    let ran = service.then(ran).run(&format!("transcribe https://calls.example/may/0418.wav -o may {MODEL}")).exits(0);
    let ran = ran.then().run(&format!("{ANALYZE} agent")).exits(0);
    assert_eq!(groups(&ran.table("rollup"), "agent"), [json!(["Ann", 2]), json!(["Cem", 1])]);
    service.was_asked("submit", 6);
}

#[test]
fn a_batch_without_columns_cannot_be_grouped_by_them() {
    let service = Service::new();
    let ran = service.scene().run(&format!("transcribe https://calls.example/a.wav -o may {MODEL}")).exits(0);
    ran.then().run(&format!("{ANALYZE} agent")).exits(2).says("--meta").prints_nothing();
}

#[test]
fn metadata_names_calls_by_what_the_ledger_knows_of_their_recordings() {
    let service = Service::new();
    let mut ran = batch(&service);
    let rows = |names: [&str; 3]| names.map(|name| format!("{name},red\n")).concat();
    for (column, names) in [
        ("id", ["A-1", "A-2", "A-3"]),
        ("ID", [" A-1", "A-2 ", "A-3"]),
        ("file", ["000001-0417.json", "000002-0418", "000003-x.y.json"]),
        ("file", ["0417.wav", "0418", "x.y"]),
        ("file", ["may/0417.wav", "may/0418", "deep\\x.y.wav"]),
        ("file", ["https://calls.example/may/0417.wav", "calls.example/may/0418.wav", "spool/deep/x.y"]),
        (
            "url",
            [
                "https://calls.example/may/0417.wav?Signature=t&OSSAccessKeyId=k&Expires=2",
                "HTTPS://calls.example/may/%30418.wav",
                "spool/deep/x.y.wav",
            ],
        ),
        ("call --join Call", ["A-1", "A-2", "A-3"]),
        ("call --join call", ["0417", "0418.wav", "spool/deep/x.y.wav"]),
        ("call --join call", ["https://calls.example/may/0417.wav", "https://calls.example/may/0418.wav", "A-3"]),
    ] {
        let (column, more) = column.split_once(' ').unwrap_or((column, ""));
        let scene = ran.then().write("meta.csv", format!("{column},team\n{}", rows(names)));
        ran = scene.run(&format!("{ANALYZE} team --meta meta.csv {more}")).exits(0);
        let joined = groups(&ran.table("rollup"), "team");
        let all = [json!(["red", 3])];
        // Of one column each row is compared in the same way: the last list is of addresses, and one id.
        let expected = if names[2] == "A-3" && names[0].contains("://") {
            vec![json!(["red", 1]), json!([null, 2])]
        } else {
            all.to_vec()
        };
        assert_eq!(joined, expected, "{column}: {names:?}");
    }
}

#[test]
fn the_first_key_that_fits_any_call_decides() {
    let service = Service::new();
    let mut ran = batch(&service);
    // The number of a row is no id of the batch; then the file, then the address.
    for meta in [
        "id,file,url,team\n1,0417.wav,https://calls.example/other.wav,red\n",
        "id,file,url,team\n1,B-7,https://calls.example/may/0417.wav,red\n",
        "id,file,url,team\nA-1,0418.wav,https://calls.example/may/0418.wav,red\n",
    ] {
        ran = ran.then().write("meta.csv", meta).run(&format!("{ANALYZE} team,url --meta meta.csv")).exits(0);
        ran = ran.says("2 calls without a row in the metadata");
        assert_eq!(groups(&ran.table("rollup"), "team"), [json!(["red", 1]), json!([null, 2])], "{meta}");
    }
    let ran = ran.then().write("meta.csv", "id,team\nB-1,red\n").run(&format!("{ANALYZE} team --meta meta.csv"));
    ran.exits(1).says("no row of the metadata matches a call: its column `id` has `B-1`, the calls have `A-1`");
}

#[test]
fn a_column_to_join_by_must_be_there() {
    let service = Service::new();
    let scene = batch(&service).then().write("meta.csv", "nr;team\n1;red\n");
    let ran = scene.run(&format!("{ANALYZE} team --meta meta.csv --join call")).exits(2);
    ran.says("metadata meta.csv: no column `call` to join by; the columns are `nr`, `team`").prints_nothing();
}

/// Two calls of two parties.
fn pairs() -> Scene {
    let pair = |name: &str| {
        call(&[(0, 0, 2000, "good morning"), (1, 2500, 3500, "hello")])
            .url(&format!("https://calls.example/{name}.wav"))
    };
    Scene::new().call("a", pair("a")).call("b", pair("b")).call("c", pair("c"))
}

#[test]
fn the_columns_stand_in_the_table_of_calls() {
    let meta = "url,team,units,started,note\nhttps://calls.example/a.wav,Nord,7,2026-11-02T09:00,\nhttps://calls.example/b.wav,Süd,8,,\"x,\"\"y\"\n";
    let ran =
        pairs().write("meta.csv", meta).run("analyze calls -o out --tables jsonl,csv,parquet --meta meta.csv").exits(0);
    for format in ["jsonl", "csv", "parquet"] {
        let calls = ran.table_as("calls", format);
        has(
            &calls[0],
            json!({"url": "https://calls.example/a.wav", "team": "Nord", "units_meta": "7", "units": 3, "started": "2026-11-02T09:00", "note": null}),
        );
        has(&calls[1], json!({"team": "Süd", "started": null, "note": "x,\"y"}));
        has(&calls[2], json!({"team": null, "units_meta": null, "units": 3}));
    }
    assert!(
        ran.file("out/calls.csv")
            .lines()
            .next()
            .unwrap()
            .ends_with(",reason,source_format,url,team,units_meta,started,note")
    );
    // Tables with columns of yours are read like any others.
    for format in ["csv", "jsonl", "parquet"] {
        let ran = pairs()
            .write("meta.csv", meta)
            .run(&format!("analyze calls -o out --tables {format} --meta meta.csv"))
            .exits(0);
        ran.then().run("report out").exits(0).prints("3 calls");
    }
    // The name of the file is there already.
    let ran = pairs()
        .write("meta.csv", "file,team\na,Nord\n")
        .run("analyze calls -o out --tables csv --meta meta.csv")
        .exits(0);
    assert!(ran.file("out/calls.csv").lines().next().unwrap().ends_with(",reason,source_format,team"));
}

#[test]
fn the_list_that_was_transcribed_stands_in_the_table_of_calls() {
    let service = Service::new();
    let ran = service.then(batch(&service)).run("analyze may -o out --tables jsonl").exits(0).says_no("metadata");
    let calls = ran.table("calls");
    assert_eq!(column(&calls, "agent"), ["Ann", "Bob", "Ann"]);
    assert_eq!(column(&calls, "id"), ["A-1", "A-2", "A-3"]);
    assert_eq!(column(&calls, "queue"), [json!("refunds"), Value::Null, json!("sales")]);
}

fn roles(meta: &str, more: &str) -> Vec<Value> {
    let run = format!("analyze calls -o out --tables jsonl --meta meta.csv {more}");
    let rows = pairs().write("meta.csv", meta).run(&run).exits(0).table("participants");
    rows.iter().map(|row| json!([row["file"].as_str().unwrap()[..1], row["participant"], row["role"]])).collect()
}

#[test]
fn metadata_gives_roles_by_file() {
    let both = |a: [&str; 2], b: [&str; 2], c: [Value; 2]| {
        let [[a0, a1], [b0, b1], [c0, c1]] = [a.map(Value::from), b.map(Value::from), c];
        json!([
            ["a", "ch0", a0],
            ["a", "ch1", a1],
            ["b", "ch0", b0],
            ["b", "ch1", b1],
            ["c", "ch0", c0],
            ["c", "ch1", c1]
        ])
    };
    let (agent, customer) = (["agent", "customer"], ["customer", "agent"]);
    let none = || [Value::Null, Value::Null];
    // The other of two is the customer; the column is found however it is written.
    assert_eq!(json!(roles("file,agent_channel\na,0\nb,ch1\nc,\n", "")), both(agent, customer, none()));
    assert_eq!(json!(roles("file;Agent Channel\na;0\nb;1\n", "")), both(agent, customer, none()));
    assert_eq!(
        json!(roles("file,ch0_role,ch1_role\na,agent,customer\nb,customer,agent\n", "")),
        both(agent, customer, none())
    );
    // A file's own roles come before those of all; a role of its own stays.
    let all = "--role ch0=agent,ch1=customer";
    let given = || [json!("agent"), json!("customer")];
    assert_eq!(json!(roles("file,agent_channel\na,0\nb,1\n", all)), both(agent, customer, given()));
    assert_eq!(
        json!(roles("file,agent_channel,ch0_role\na,0,\nb,1,partner\n", "")),
        both(agent, ["partner", "agent"], none())
    );
    // A call of one party has no other; what is no participant of a call changes nothing, and is said.
    let alone = Scene::new()
        .call("a", Call::default().say(0, &[(0, 2000, "good morning")]))
        .write("meta.csv", "file,agent_channel\na,ch7\n");
    let ran = alone.run("analyze calls -o out --tables jsonl --meta meta.csv").exits(0);
    let ran = ran.says("`agent_channel` of the metadata: no call has such a participant");
    assert_eq!(column(&ran.table("participants"), "role"), [Value::Null]);
    let nobody = pairs().write("meta.csv", "file,agent_channel,ch9_role,ch1_role\na,7,boss,\nb,1,,customer\n");
    let ran = nobody.run("analyze calls --meta meta.csv").exits(0).says("`ch9_role` of the metadata: no call has such");
    ran.says_no("`agent_channel`").says_no("`ch1_role`");
}

#[test]
fn metadata_without_rows_is_told_as_such() {
    let run = |meta: &str| pairs().write("meta.csv", meta).run("analyze calls --meta meta.csv").prints_nothing();
    run("file,agent\n").exits(2).says("meta.csv").says("there are no rows");
    run("agent\nAnn\n").exits(2).says("the header has `agent`");
}

#[test]
fn metadata_of_roles_is_shown_on_the_page() {
    let page = pairs()
        .write("meta.csv", "file,agent_channel\nb,1\n")
        .run("analyze calls -o out --meta meta.csv")
        .exits(0)
        .file("out/report.html");
    assert!(page.contains("customer"));
}
