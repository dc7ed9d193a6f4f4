//! The demo: what it makes, that its figures are what its scripts say, and that it takes nothing away.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use talkmeter::emulator::{Dialogue, Settings};

use crate::scene::{Ran, Row, Scene, files_below, has};
use crate::service::Service;

/// An environment in which everything would go elsewhere.
fn elsewhere(scene: Scene) -> Scene {
    let elsewhere = [
        ("DASHSCOPE_API_KEY", "sk-of-somebody"),
        ("DASHSCOPE_HTTP_BASE_URL", "http://127.0.0.1:9/api/v1"),
        ("DASHSCOPE_REGION", "nowhere"),
        ("DASHSCOPE_WORKSPACE", "ws/none"),
        ("HTTP_PROXY", "http://127.0.0.1:9"),
        ("http_proxy", "http://127.0.0.1:9"),
    ];
    elsewhere.into_iter().fold(scene, |scene, (name, value)| scene.environment(name, value))
}

#[test]
fn the_demo_shows_the_whole_pipeline_and_every_command_it_names_works() {
    let ran = elsewhere(Scene::new()).run("demo").exits(0);
    let ran = ran.says("emulator started instead of the service: http://127.0.0.1:").says("partial results");
    let ran = ran.says("  Hello, this is a message for Northgate Heating.").says("expected: https://archive.invalid/");
    let ran = ran.says("calls with one track per speaker: 8 transcribed, 0 silent, 1 failed");
    let ran = ran.says("calls on one track, diarised: 3 transcribed, 1 silent, 0 failed").says_no("error");
    let ran = ran.prints("12 calls measured, 1 of them without speech").prints("try next");
    assert!(ran.file("talkmeter-demo/calls/failures.csv").contains("lost-recording.wav"));
    assert!(!ran.out().contains('\u{1b}') && !ran.err().contains('\u{1b}'), "piped output is plain");

    let (folder, first) = (ran.path(""), ran.out());
    for (path, what) in made(&first) {
        assert!(folder.join(&path).exists(), "{path} ({what}) was not made");
    }
    let mut next: Vec<String> = lines_below(&first, "try next");
    next.retain(|line| !line.starts_with('#'));
    assert_eq!(next.len(), 3);
    let runs = if cfg!(unix) { &next[..] } else { &[] };
    for (command, tells) in runs.iter().zip(["interruption", "Priscilla", "usage"]) {
        let output = Command::new("sh").arg("-c").arg(command).current_dir(&folder).env_clear().output().unwrap();
        let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert!(output.status.success(), "{command}\n{err}");
        assert!(out.contains(tells), "{command} does not print {tells:?}\n{out}");
    }
    for (name, bytes) in files_below(&folder.join("talkmeter-demo")) {
        for key in ["sk-of", "Signature=", "OSSAccessKeyId"] {
            assert!(!bytes.windows(key.len()).any(|part| part == key.as_bytes()), "{key} is in {name}");
        }
    }

    // Run again: the demo replaces its own files, and no others.
    let scene =
        ran.then().write("talkmeter-demo/notes.txt", "mine").write("talkmeter-demo/calls/results/mine.txt", "too");
    let ran = scene.run("demo").exits(0);
    assert_eq!(ran.out(), first);
    assert_eq!(ran.file("talkmeter-demo/notes.txt") + &ran.file("talkmeter-demo/calls/results/mine.txt"), "minetoo");
}

/// The indented lines below a heading.
fn lines_below(text: &str, heading: &str) -> Vec<String> {
    let lines = text.lines().skip_while(|line| *line != heading).skip(1);
    lines.take_while(|line| line.starts_with("  ")).map(|line| line.trim().to_owned()).collect()
}

/// Path and meaning of what was made.
fn made(text: &str) -> Vec<(String, String)> {
    let lines = lines_below(text, "written");
    assert!(lines.len() > 4, "{text}");
    lines
        .iter()
        .map(|line| line.split_once("  ").unwrap())
        .map(|(path, what)| (path.to_owned(), what.to_owned()))
        .collect()
}

#[test]
fn a_folder_that_the_demo_did_not_write_is_left_alone() {
    let ran = Scene::new().write("talkmeter-demo/calls/ledger.jsonl", "mine").run("demo").exits(2);
    let ran = ran.says("talkmeter-demo is not empty and was not created by a demo; choose another folder with -o");
    assert_eq!(files_below(&ran.path("talkmeter-demo")).len(), 1);
    assert_eq!(ran.file("talkmeter-demo/calls/ledger.jsonl"), "mine");
    let ran = ran.then().write("file", "").run("demo -o file").exits(2).says("cannot write to the folder file");
    ran.then().run("demo --format csv").exits(2).says("`demo` prints a table or json");
}

#[test]
fn a_killed_demo_does_not_block_the_next() {
    let mut seen = false;
    let scene = Scene::new();
    let results = scene.path("out/calls/results");
    let mut ran = scene.run_while("demo -o out", |child| {
        if !seen && std::fs::read_dir(&results).is_ok_and(|mut entries| entries.next().is_some()) {
            seen = true;
            child.kill().unwrap();
        }
    });
    assert!(ran.was_killed());
    ran.then().run("demo -o out").exits(0).prints("12 calls measured");
}

#[test]
fn two_demos_do_not_share_a_folder() {
    let scene = Scene::new();
    let folder = scene.path("").to_owned();
    let mut second = None;
    let ran = scene.run_while("demo -o out", |_| {
        if second.is_none() && folder.join("out/calls/ledger.jsonl").is_file() {
            let command =
                Command::new(env!("CARGO_BIN_EXE_talkmeter")).args(["demo", "-o", "out"]).current_dir(&folder).output();
            second = Some(command.unwrap());
        }
    });
    let second = second.unwrap();
    assert_eq!(second.status.code(), Some(2));
    assert!(String::from_utf8(second.stderr).unwrap().contains("another demo is running in out"));
    ran.exits(0).prints("12 calls measured");
}

#[test]
fn a_script_of_your_own_is_transcribed_as_written() {
    const LINES: &str = "0:01.0-0:03.0 agent: Hello, Ann. How can I help?\n0:02.5-0:05.0 customer: 我要 refund！\n";
    let apart = format!("title: A\nlanguage: zh\ntracks: agent, customer\nlength: 0:06.0\n\n{LINES}");
    let mono = apart.replace("tracks", "mono").replace("0:02.5", "0:03.0");
    let scripts = Scene::new().write("scripts/apart.txt", apart).write("scripts/mono.txt", mono);
    let dialogues = Dialogue::folder(&scripts.path("scripts")).unwrap();
    let service = Service::start(Settings { dialogues, clock_speed: Some(10.0), ..Settings::default() });
    let run = "transcribe https://a.example/x/apart.wav https://b.example/mono.mp3?x=1 -o out --model fun-asr";
    // There is no second track in the recording that has one.
    let ran = service.scene().run(&format!("{run} --channel 0,1")).exits(3).says("NO_VALID_AUDIO_ERROR");
    let heard: Value = serde_json::from_slice(&ran.bytes("out/results/000001-apart.json")).unwrap();
    let sentence = |channel: usize, at: usize| heard["transcripts"][channel]["sentences"][at].clone();
    assert_eq!([&sentence(0, 0)["text"], &sentence(0, 1)["text"]], ["Hello, Ann.", "How can I help?"]);
    assert_eq!(sentence(1, 0)["text"], "我要 refund！");
    assert_eq!(
        [&sentence(0, 0)["begin_time"], &sentence(0, 1)["end_time"], &sentence(1, 0)["begin_time"]],
        [1000, 3000, 2500]
    );
    assert_eq!(heard["transcripts"][1]["content_duration_in_milliseconds"], 2500);
    assert_eq!(heard["properties"]["original_duration_in_milliseconds"], 6000);
    let ran = service.then(ran).run(&format!("{} --diarize", run.replace("out", "both"))).exits(0);
    let heard: Value = serde_json::from_slice(&ran.bytes("both/results/000002-mono.json")).unwrap();
    let speakers: Vec<&Value> =
        heard["transcripts"][0]["sentences"].as_array().unwrap().iter().map(|s| &s["speaker_id"]).collect();
    assert_eq!(speakers, [0, 0, 1]);
}

/// A script of the emulator, with the figures expected of it.
struct Script {
    name: String,
    people: Vec<String>,
    /// Tracks of their own.
    apart: bool,
    length_ms: i64,
    /// Facts by their first word.
    facts: BTreeMap<String, Vec<Vec<String>>>,
}

impl Script {
    fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/emulator/speech/calls");
        let read = |(path, bytes): (String, Vec<u8>)| {
            let name = Path::new(&path).file_stem().unwrap().to_str().unwrap().to_owned();
            Self::read(name, &String::from_utf8(bytes).unwrap())
        };
        files_below(&folder).into_iter().map(read).collect()
    }

    fn read(name: String, text: &str) -> Self {
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let people = field("tracks").or(field("mono")).unwrap().split(", ").map(str::to_owned).collect();
        let mut facts: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
        for fact in text.lines().filter_map(|line| line.strip_prefix("#= ")) {
            let mut words = fact.split(' ').map(str::to_owned);
            facts.entry(words.next().unwrap()).or_default().push(words.collect());
        }
        let apart = field("tracks").is_some();
        Self { name, people, apart, length_ms: ms(field("length").unwrap()), facts }
    }

    /// What a person is called in the tables.
    fn label(&self, person: &str) -> String {
        let at = self.people.iter().position(|known| known == person).unwrap();
        format!("{}{at}", if self.apart { "ch" } else { "spk" })
    }

    fn facts(&self, about: &str) -> &[Vec<String>] {
        self.facts.get(about).map_or(&[], Vec::as_slice)
    }

    fn number(&self, about: &str) -> Value {
        self.facts(about).first().map_or(Value::Null, |fact| json!(int(&fact[0])))
    }

    /// Events as rows, in the order of their beginnings.
    fn events(&self) -> Vec<Value> {
        let mut events = Vec::new();
        for kind in ["dead_air", "interruption", "backchannel", "side_speech", "terminal_overlap", "simultaneous_start"]
        {
            for fact in self.facts(kind) {
                let (begin, end) = fact[0].split_once('-').unwrap();
                let number = |name: &str| fact.iter().skip_while(|word| *word != name).nth(1).map(|word| int(word));
                events.push(json!({
                    "kind": kind, "begin_ms": ms(begin), "end_ms": ms(end), "participant": self.label(&fact[1]),
                    "other": self.label(&fact[2]), "overlap_ms": number("overlap_ms"), "held_ms": number("held_ms"),
                }));
            }
        }
        events.sort_by_key(|event| (event["begin_ms"].as_i64(), event["end_ms"].as_i64()));
        events
    }

    /// How many facts of a kind have a person in a place.
    fn count(&self, kind: &str, person: &str, place: usize) -> usize {
        // Simultaneous starts are in no count.
        let counts =
            |fact: &&Vec<String>| fact[place] == person && !fact.ends_with(&["held_ms".to_owned(), "0".to_owned()]);
        self.facts(kind).iter().filter(counts).count()
    }
}

fn int(word: &str) -> i64 {
    word.parse().unwrap()
}

/// `1:02.5`
fn ms(clock: &str) -> i64 {
    let (minutes, seconds) = clock.split_once(':').unwrap();
    let (seconds, tenths) = seconds.split_once('.').unwrap();
    int(minutes) * 60_000 + int(seconds) * 1000 + int(tenths) * 100
}

/// The rows of a table about one recording.
fn of(table: &[Row], script: &Script) -> Vec<Row> {
    let ours = |row: &&Row| row["file"].as_str().is_some_and(|file| file.ends_with(&format!("-{}.json", script.name)));
    table.iter().filter(ours).cloned().collect()
}

#[test]
fn the_figures_are_those_of_the_scripts() {
    let ran = Scene::new().run("demo -o out -q --format json").exits(0).says_nothing();
    let told = ran.json();
    assert_eq!(told["report"]["format"], "talkmeter report");
    let costs = told["demo"]["cost"].as_array().unwrap();
    assert_eq!(costs.len(), 3);
    // A clip is billed by its length, which is known before: to the second what the service reports.
    let flash = costs.iter().find(|row| row["what"] == "a message, with flash").unwrap();
    assert_eq!((&flash["expected"], &flash["high"]), (&flash["reported"], &flash["reported"]));
    // Results and service agree to the second.
    costs.iter().for_each(|row| assert_eq!(row["by_results"], row["reported"], "{row}"));
    assert!(told["demo"]["flash"]["text"].as_str().unwrap().ends_with("nine Orchard Lane. Goodbye."));

    let tables = Tables::of(&ran);
    let scripts = Script::all();
    assert_eq!(scripts.len(), 13);
    let (mut calls, mut kinds) = (0, BTreeMap::<&str, usize>::new());
    for script in scripts.iter().filter(|script| script.name != "boiler-voicemail") {
        compare(script, &tables);
        calls += 1;
        for (kind, facts) in &script.facts {
            *kinds.entry(kind).or_default() += facts.len();
        }
    }
    assert_eq!((calls, tables.calls.len()), (12, 12));
    // Something of each kind is there to be seen.
    for kind in
        ["dead_air", "interruption", "backchannel", "side_speech", "terminal_overlap", "simultaneous_start", "hits"]
    {
        assert!(kinds.get(kind).is_some_and(|count| *count > 0), "no {kind}: {kinds:?}");
    }
}

struct Tables {
    calls: Vec<Row>,
    participants: Vec<Row>,
    events: Vec<Row>,
    hits: Vec<Row>,
    costs: Vec<Row>,
}

impl Tables {
    fn of(ran: &Ran) -> Self {
        let table = |name: &str| ran.table(name);
        Self {
            calls: table("calls"),
            participants: table("participants"),
            events: table("events"),
            hits: table("hits"),
            costs: table("costs"),
        }
    }
}

fn compare(script: &Script, tables: &Tables) {
    let row = |rows: Vec<Row>| -> Row {
        assert_eq!(rows.len(), 1, "{}: {rows:?}", script.name);
        rows.into_iter().next().unwrap()
    };
    let call = row(of(&tables.calls, script));
    let participants = of(&tables.participants, script);
    if script.facts.is_empty() {
        has(&call, json!({"speech_ms": 0, "turn_count": 0, "dead_air_count": 0, "span_ms": null, "units": 0}));
        assert!(participants.is_empty() && of(&tables.events, script).is_empty());
        return;
    }
    let people = script.facts("participant");
    let sum = |name: &str| people.iter().map(|fact| number(fact, name)).sum::<i64>();
    let dead: Vec<i64> = script
        .facts("dead_air")
        .iter()
        .map(|fact| fact[0].split_once('-').unwrap())
        .map(|(begin, end)| ms(end) - ms(begin))
        .collect();
    let hits: i64 = script.facts("hits").iter().map(|fact| int(&fact[1])).sum();
    let measurable = |count: usize| if script.apart { json!(count) } else { Value::Null };
    has(
        &call,
        json!({
            "duration_ms": script.length_ms, "speech_ms": script.number("speech_ms"),
            "overlap_ms": script.number("overlap_ms"), "dead_air_count": dead.len(), "dead_air_ms": dead.iter().sum::<i64>(),
            "turn_count": sum("turns"), "units": sum("units"), "keyword_hit_count": hits,
            "interruption_count": measurable(script.facts("interruption").len()),
            "backchannel_count": measurable(script.facts("backchannel").len()),
            "channel_count": if script.apart { 2 } else { 1 }, "participant_count": script.people.len(),
            "model": "fun-asr", "audio_format": "pcm_s16le", "sampling_rate_hz": 8000,
        }),
    );
    assert_eq!(participants.len(), people.len(), "{}", script.name);
    for (fact, participant) in people.iter().zip(&participants) {
        let count = |kind: &str, place: usize| measurable(script.count(kind, &fact[0], place));
        has(
            participant,
            json!({
                "participant": script.label(&fact[0]), "role": fact[0], "basis": "words",
                "talk_ms": number(fact, "talk_ms"), "turn_count": number(fact, "turns"), "units": number(fact, "units"),
                "talk_share": number(fact, "talk_ms") as f64 / sum("talk_ms") as f64,
                "interruption_count": count("interruption", 1), "interrupted_count": count("interruption", 2),
                "backchannel_count": count("backchannel", 1), "side_speech_count": count("side_speech", 1),
                "terminal_overlap_count": count("terminal_overlap", 1),
                "simultaneous_start_count": count("simultaneous_start", 1),
            }),
        );
    }
    let (events, expected) = (of(&tables.events, script), script.events());
    assert_eq!(events.len(), expected.len(), "{}: {events:?}", script.name);
    events.iter().zip(expected).for_each(|(event, expected)| has(event, expected));
    let found = |rule: &str| of(&tables.hits, script).iter().filter(|row| row["rule"] == rule).count() as i64;
    for fact in script.facts("hits") {
        assert_eq!(found(&fact[0]), int(&fact[1]), "{}: {}", script.name, fact[0]);
    }
    let billed: Vec<Value> = of(&tables.costs, script).iter().map(|row| row["billed_seconds"].clone()).collect();
    let expected: Vec<Value> = script.facts("billed_s")[0].iter().map(|seconds| json!(int(seconds))).collect();
    assert_eq!(billed, expected, "{}", script.name);
}

/// The text after a name.
fn number(fact: &[String], name: &str) -> i64 {
    int(fact.iter().skip_while(|word| *word != name).nth(1).unwrap())
}
