//! The user's own columns, however they name the calls: by id, file or address, or as the list that was transcribed.

use serde_json::{Value, json};

use crate::batch::{MODEL, wav};
use crate::scene::{Ran, Row};
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
