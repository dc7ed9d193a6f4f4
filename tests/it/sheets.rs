//! Tables that people write, as their spreadsheets, editors and consoles save them.

use serde_json::{Value, json};

use crate::batch::MODEL;
use crate::scene::{Scene, call, column, has};
use crate::service::Service;

/// A table of commas in UTF-8, in the spellings that people send.
fn spellings(table: &str) -> [(&'static str, Vec<u8>); 6] {
    let (header, rows) = table.split_once('\n').unwrap();
    let upper = format!("{}\n{rows}", header.to_uppercase());
    let marked = format!("\u{FEFF} {} \n{rows}", header.replace(',', " , "));
    [
        ("commas", table.as_bytes().to_vec()),
        ("semicolons", table.replace(',', ";").replace('\n', "\r\n").into_bytes()),
        ("UTF-16", utf16(&table.replace(',', "\t"))),
        ("GB18030", gb18030(table)),
        ("byte order mark, blanks in the header", marked.into_bytes()),
        ("header in capitals", upper.into_bytes()),
    ]
}

fn utf16(text: &str) -> Vec<u8> {
    [0xFF, 0xFE].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
}

fn gb18030(text: &str) -> Vec<u8> {
    encoding_rs::GB18030.encode(text).0.into_owned()
}

/// The same command on every spelling prints what it prints for the first one.
fn reads_every_spelling(table: &str, scene: impl Fn() -> Scene, line: &str, prints: &str) {
    let mut first = None;
    for (spelling, bytes) in spellings(table) {
        let ran = scene().write("table.csv", bytes).run(line);
        let ran = if spelling == "GB18030" { ran.says("table.csv: not UTF-8, read as gb18030") } else { ran };
        let ran = ran.exits(0).prints(prints);
        // Tables show the user's columns as they are written.
        let out = ran.out().to_lowercase();
        assert_eq!(*first.get_or_insert_with(|| out.clone()), out, "{spelling}");
    }
}

#[test]
fn every_command_reads_every_spelling_of_a_table() {
    reads_every_spelling(
        "url,duration,queue\nhttps://calls.example/a.wav,00:03:25,华北\nhttps://calls.example/b.wav,65,退款\n",
        Scene::new,
        "cost estimate table.csv --group-by queue --format csv --region intl",
        // 205 s × 0.86 = 176.3, and 29.7 s less.
        "华北,fun-asr,1,0,USD,0.00518,0.006195,0.007175,0.007175,205000,1,0,",
    );
    reads_every_spelling(
        "file,team\na.json,华北\nb.json,退款\nb.json,华南\n",
        calls,
        "analyze calls --meta table.csv --group-by team",
        "华北",
    );
    reads_every_spelling(
        "file,team\na.json,华北\nb.json,退款\n",
        || calls().run("analyze calls -o out --tables parquet").exits(0).then(),
        "report out --meta table.csv --group-by team --format md",
        "退款",
    );
    reads_every_spelling(
        "task_id,seconds,cost,note\ntask-1,9,0.00198,华北\n",
        crate::cost::batch_of_one,
        "cost reconcile batch --statement table.csv --format csv",
        "000001-a.json,agrees,,,9,9,9,0.00198,\n",
    );
}

#[test]
fn a_list_to_transcribe_and_words_are_read_in_every_spelling() {
    let list = "url,agent\nhttps://calls.example/a.wav,华北\nhttps://calls.example/b.wav,退款\n";
    for (spelling, bytes) in spellings(list) {
        let service = Service::new();
        let scene = service.scene().write("table.csv", bytes);
        scene.run(&format!("transcribe --files-from table.csv -o out --detach {MODEL}")).exits(0);
        let accepted: Vec<String> = service.accepted().into_keys().collect();
        assert_eq!(accepted, ["https://calls.example/a.wav", "https://calls.example/b.wav"], "{spelling}");
    }
    for (spelling, bytes) in spellings("text,weight\n二甲双胍,5\nBulge Bracket,3\n") {
        let service = Service::new();
        let scene = service.scene().write("table.csv", bytes);
        let ran = scene.run("vocab create --model fun-asr --prefix t1 table.csv").exits(0);
        let id = ran.out().trim_end().to_owned();
        let words = service.then(ran).run(&format!("vocab show {id} --format jsonl")).exits(0).lines();
        has(&words[0], json!({"text": "二甲双胍", "weight": 5}));
        has(&words[1], json!({"text": "Bulge Bracket", "weight": 3}));
        assert_eq!(words.len(), 2, "{spelling}");
    }
}

fn calls() -> Scene {
    let saved = |url: &str| call(&[(0, 0, 1000, "a refund"), (1, 1500, 2500, "退款")]).url(url);
    Scene::new()
        .call("a", saved("https://calls.example/%E5%AE%A2/a.wav?Expires=1&OSSAccessKeyId=k&Signature=s"))
        .call("b", saved("https://calls.example/b.wav"))
}

#[test]
fn an_estimate_reads_lists_as_call_systems_export_them() {
    let estimate = |list: &str| {
        let scene = Scene::new().write("calls.csv", list.to_owned());
        scene.run("cost estimate calls.csv --format json --region intl")
    };
    let high = |ran: &crate::scene::Ran| ran.json()["totals"][0]["most"].clone();
    let ran = estimate(
        "\u{FEFF}URL;Duration;Queue\r\nhttps://calls.example/a.wav;00:03:25;Rückgabe\r\nhttps://calls.example/b.wav;205,5;Rückgabe\r\n",
    );
    // 205 + 206 s × 0.000035
    assert_eq!(high(&ran.exits(0).says("2 files found: 2 priced")), "0.014385");
    let ran = estimate(
        "url,duration\nhttps://calls.example/a.wav,205\nhttps://calls.example/b.wav,65\nhttps://calls.example/a.wav,205\n,\n",
    );
    let ran = ran.exits(0).says("1 recording given twice is counted once").says("calls.csv: 1 empty row skipped");
    assert_eq!(high(&ran), "0.00945");
    let ran = estimate(
        "url,duration\nhttps://calls.example/f.wav,3m25s\nhttps://calls.example/g.wav,\"1,205\"\nhttps://calls.example/h.wav,\n",
    );
    let ran = ran.exits(0).says("calls.csv line 3: `1,205` for `duration` is not a length such as 205, 205.5");
    assert_eq!(high(&ran.says("3 files found: 1 priced, 0 without a price, 2 without a duration")), "0.007175");
    estimate("audio_url,duration\nhttps://calls.example/a.wav,205\n")
        .exits(2)
        .says("calls.csv line 1: no column `url` (or `file_url`, `file`); the header has `audio_url`, `duration`")
        .prints_nothing();
    // `transcribe` says the same of the same list.
    let service = Service::new().unasked();
    service
        .scene()
        .write("calls.csv", "audio_url,duration\nhttps://calls.example/a.wav,205\n")
        .run(&format!("transcribe --files-from calls.csv -o out {MODEL}"))
        .exits(2)
        .says("calls.csv line 1: no column `url` (or `file_url`, `file`); the header has `audio_url`, `duration`");
}

#[test]
fn an_estimate_knows_a_recording_again_as_transcribe_does() {
    let estimate = |list: &str, more: &str| {
        let scene =
            Scene::new().write("calls/a.wav", crate::batch::wav(2, 16_000, 1)).write("calls.csv", list.to_owned());
        scene.run(&format!("cost estimate calls.csv {more} --format json --region intl"))
    };
    let files = |ran: &crate::scene::Ran| ran.json()["summary"]["totalDetected"].clone();
    // A fresh signature, another id for the same address, and a length that only the second row gives.
    let ran = estimate(
        "id,url,duration\n1,https://calls.example/a.wav?Expires=1&OSSAccessKeyId=k&Signature=s,\n\
         2,https://calls.example/a.wav?Expires=2&OSSAccessKeyId=k&Signature=t,100\n3,https://calls.example/a.wav?id=7,100\n",
        "",
    );
    let ran = ran.exits(0).says("1 recording given twice is counted once").says("2 files found: 2 priced");
    assert_eq!(files(&ran), 2);
    // One file by its path, as a link and as an address of this machine.
    let ran = estimate("file\ncalls/a.wav\n./calls/../calls/a.wav\n", "calls calls/a.wav").exits(0);
    assert_eq!(files(&ran.says("recordings were given again 3 times: each is counted once")), 1);
    let twice = "id,url\n9,https://calls.example/c.wav\n9,https://calls.example/d.wav?Signature=x\n";
    let refusal = "calls.csv line 3: the id 9 names another recording before: https://calls.example/d.wav";
    estimate(twice, "").exits(2).says(refusal).says_no("Signature").prints_nothing();
    let service = Service::new().unasked();
    let run = format!("transcribe --files-from calls.csv -o out {MODEL}");
    service.scene().write("calls.csv", twice).run(&run).exits(2).says(refusal);
}

#[test]
fn metadata_names_calls_as_people_do() {
    let teams = |meta: &str| {
        let ran =
            calls().write("meta.csv", meta).run("analyze calls -o out --tables jsonl --meta meta.csv --group-by team");
        let rows = ran.exits(0).table("rollup");
        rows.iter().map(|row| json!([row.get("team").or(row.get("Team")), row["call_count"]])).collect::<Vec<Value>>()
    };
    let both = [json!(["Nord", 1]), json!(["Süd", 1])];
    assert_eq!(teams("File , Team\na.json , Nord\nb.json, Süd\n"), both);
    assert_eq!(teams("file;team\na;Nord\nb;Süd\n"), both);
    assert_eq!(
        teams(
            "url,team\nhttps://calls.example/客/a.wav,Nord\nhttps://calls.example/b.wav?Expires=2&OSSAccessKeyId=k&Signature=t,Süd\n"
        ),
        both
    );
    // One call alone: the other is a group of nulls.
    assert_eq!(teams("file,team\na.json,Nord\n"), [json!(["Nord", 1]), json!([null, 1])]);
    let ran =
        calls().write("meta.csv", "file,team\n0041,Nord\n").run("analyze calls -o out --meta meta.csv --group-by team");
    let ran = ran
        .exits(1)
        .says("no row of the metadata matches a call: its column `file` has `0041`, the calls have `a.json`");
    assert!(!ran.path("out").exists());
}

#[test]
fn a_statement_is_read_as_consoles_export_it() {
    let reconcile = |statement: &str| {
        let scene = crate::cost::batch_of_one().write("bill.csv", statement.to_owned());
        scene.run("cost reconcile batch --statement bill.csv --format csv")
    };
    for statement in [
        "task_id,seconds,cost\r\ntask-1,\"1,205\",\"$0.042175\"\r\n",
        "task_id;seconds;cost\r\ntask-1;1205;0,042175\r\n",
        "Task ID;Seconds;Cost\r\ntask-1;1 205;0,042175 USD\r\n",
    ] {
        reconcile(statement).exits(3).prints("000001-a.json,differs,,,9,9,1205,0.042175,");
    }
    reconcile("\u{FEFF}账期,产品明细,商品ID,计费项,用量,用量单位,应付金额,币种\r\n202611,百炼大模型,fun-asr,语音时长,\"1,205\",秒,0.042175,USD\r\n")
        .exits(3)
        .prints("2026-11 fun-asr,differs,,,9,9,1205,0.042175,");
    reconcile("task_id,day\ntask-1,1\n")
        .exits(2)
        .says("bill.csv: line 1: no column `ConsumedQuantity` (or `PricingQuantity`, `seconds`, `quantity`")
        .says("; the header has `task_id`, `day`");
    reconcile("task_id;seconds\ntask-1;1.205\n")
        .exits(2)
        .says("line 2: `1.205` for `seconds` is not a number, or can be read in two ways");
}

#[test]
fn small_files_saved_on_windows_are_read() {
    let marked = "\u{FEFF}# watch list\r\nrefund\r\n退款\r\n";
    for (bytes, is_guessed) in [
        (marked.as_bytes().to_vec(), false),
        (utf16("refund\r\n退款\r\n"), false),
        (gb18030("refund\r\n退款\r\n"), true),
    ] {
        let ran =
            calls().write("keywords.txt", bytes).run("analyze calls -o out --tables jsonl --keywords keywords.txt");
        let ran = ran.exits(0);
        assert_eq!(column(&ran.table("calls"), "keyword_hit_count"), [2, 2]);
        if is_guessed {
            drop(ran.says("keywords.txt: not UTF-8, read as gb18030"))
        } else {
            drop(ran.says_no("read as"))
        }
    }
    for paths in [b"\xEF\xBB\xBFcalls/a.json\r\ncalls/b.json\r\n".to_vec(), utf16("calls/a.json\r\ncalls/b.json\r\n")] {
        calls().input(paths).run("check -").exits(0).says_no("no such file");
    }
    calls()
        .input(calls().run("analyze calls -o out --tables jsonl").exits(0).bytes("calls/a.json"))
        .run("analyze -")
        .exits(2)
        .says("stdin holds JSON, not a list of paths")
        .prints_nothing();
    let service = Service::new();
    let scene = service.scene().write(
        "dialog.json",
        "\u{FEFF}[{\"role\":\"user\",\"text\":\"hi\"},{\"role\":\"assistant\",\"text\":\"hello\"}]",
    );
    scene.run("flash https://calls.example/a.wav --dialog dialog.json").exits(0);
    let scene = service.scene().write("dialog.json", gb18030("[{\"role\":\"user\",\"text\":\"退款退款\"}]"));
    scene
        .run("flash https://calls.example/a.wav --dialog dialog.json")
        .exits(0)
        .says("dialog.json: not UTF-8, read as gb18030");
    let terms = service.scene().write("terms.txt", gb18030("退款退款\r\n北京支行\r\n"));
    let ran = terms.run("flash https://calls.example/a.wav --context @terms.txt").exits(0);
    ran.says("terms.txt: not UTF-8, read as gb18030");
    let prices = "# 价格表价格表\r\n[[price]]\r\nmodels = [\"fun-asr\"]\r\nregion = \"intl\"\r\ncurrency = \"USD\"\r\nsecond = \"0.1\"\r\nsource = \"contract\"\r\nchecked = \"2026-11-01\"\r\n";
    let ran = calls().write("prices.toml", gb18030(prices));
    let ran = ran.run("analyze calls --prices prices.toml --model fun-asr --region intl").exits(0);
    ran.says("prices.toml: not UTF-8, read as ");
    let scene = service.scene().write("key", gb18030("sk-退款退款"));
    let ran =
        scene.run("vocab list --api-key-file key").exits(2).says("character 4 of the API key is not printable ASCII");
    ran.says_no("read as");
}

#[test]
fn json_lines_are_tables_too() {
    crate::cost::batch_of_one()
        .write("bill.jsonl", "{\"task_id\": \"task-1\", \"Seconds\": 1205, \"cost\": 0.00004}\n")
        .run("cost reconcile batch --statement bill.jsonl --format csv")
        .exits(3)
        .prints("000001-a.json,differs,,,9,9,1205,0.00004,");
    let ran = calls()
        .write("meta.jsonl", "{\"team\": \"Nord\", \"file\": \"a.json\"}\n{\"file\": \"b.json\", \"floor\": 3}\n")
        .run("analyze calls -o out --tables jsonl --meta meta.jsonl --group-by team,floor")
        .exits(0);
    let rows: Vec<Value> = ran.table("rollup").iter().map(|row| json!([row["team"], row["floor"]])).collect();
    assert_eq!(rows, [json!(["Nord", null]), json!([null, "3"])]);
}
