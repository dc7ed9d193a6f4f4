//! A service of one's own for a story: what goes wrong when, what it was asked, what it gave.
//!
//! A story whose service was never asked, or whose faults did not all come to pass, fails when it ends.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use talkmeter::emulator::{Emulator, Hits, Scenario, Settings};
use tokio::runtime::Runtime;

use crate::scene::{Ran, Row, Scene, rows_of_lines};

/// Never in anything that is written or said.
pub(crate) const KEY: &str = "sk-very-secret-9f31c07a";

/// A running emulator.
pub(crate) struct Service {
    runtime: Runtime,
    emulator: Emulator,
    asked: bool,
    /// Results that stories fetched themselves.
    fetched: AtomicU64,
}

impl Service {
    /// One where all goes well.
    pub(crate) fn new() -> Self {
        Self::with("")
    }

    /// One where this goes wrong; recognition takes a fifth of its time.
    pub(crate) fn with(scenario: &str) -> Self {
        let scenario = Scenario::parse(scenario).unwrap();
        Self::start(Settings { scenario, clock_speed: Some(5.0), ..Settings::default() })
    }

    pub(crate) fn start(settings: Settings) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let emulator = runtime.block_on(Emulator::start(settings)).unwrap();
        Self { runtime, emulator, asked: true, fetched: AtomicU64::new(0) }
    }

    /// It must never be asked.
    pub(crate) fn unasked(mut self) -> Self {
        self.asked = false;
        self
    }

    /// Waits for something that needs the network.
    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    pub(crate) fn base_url(&self) -> String {
        self.emulator.base_url()
    }

    /// A new folder; the next command finds this service, region `cn`.
    pub(crate) fn scene(&self) -> Scene {
        self.of(Scene::new())
    }

    /// The same folder once more.
    pub(crate) fn then(&self, ran: Ran) -> Scene {
        self.of(ran.then())
    }

    fn of(&self, scene: Scene) -> Scene {
        scene
            .environment("DASHSCOPE_API_KEY", KEY)
            .environment("DASHSCOPE_HTTP_BASE_URL", &self.base_url())
            .environment("DASHSCOPE_REGION", "cn")
            .environment("NO_PROXY", "127.0.0.1")
    }

    pub(crate) fn hits(&self) -> Hits {
        self.emulator.hits()
    }

    /// Requests of all kinds.
    pub(crate) fn requests(&self) -> u64 {
        self.hits().routes.values().sum::<u64>() - 2 * self.fetched.load(Ordering::Relaxed)
    }

    /// How many requests of a kind came.
    pub(crate) fn of_kind(&self, operation: &str) -> u64 {
        let own = if matches!(operation, "query" | "result") { self.fetched.load(Ordering::Relaxed) } else { 0 };
        self.hits().of(operation) - own
    }

    /// How often each address was accepted, the shortest way to say it.
    pub(crate) fn accepted(&self) -> BTreeMap<String, u64> {
        self.emulator.accepted()
    }

    /// Every one of these was accepted once, and nothing else.
    #[track_caller]
    pub(crate) fn accepted_once<S: AsRef<str>>(&self, urls: &[S]) -> &Self {
        let once: BTreeMap<String, u64> = urls.iter().map(|url| (url.as_ref().to_owned(), 1)).collect();
        let accepted = self.accepted();
        let differ = |one: &BTreeMap<String, u64>, two: &BTreeMap<String, u64>| {
            one.iter().filter(|(url, times)| two.get(*url) != Some(times)).map(|pair| format!("{pair:?}")).collect()
        };
        let (wrong, missing): (Vec<String>, Vec<String>) = (differ(&accepted, &once), differ(&once, &accepted));
        assert!(wrong.is_empty() && missing.is_empty(), "accepted {wrong:?} instead of {missing:?}");
        self
    }

    /// So many requests of a kind came.
    #[track_caller]
    pub(crate) fn was_asked(&self, operation: &str, times: u64) -> &Self {
        assert_eq!(self.of_kind(operation), times, "{operation}: {:?}", self.hits());
        self
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.emulator.advance(by);
    }

    /// What the service gives for a file of a task, fetched by nobody else's code: the bytes of its result.
    pub(crate) fn served(&self, task: &str, file_url: &str) -> Vec<u8> {
        self.fetched.fetch_add(1, Ordering::Relaxed);
        self.block_on(async {
            let http = reqwest::Client::builder().no_proxy().build().unwrap();
            let answer = http.get(format!("{}/tasks/{task}", self.base_url())).bearer_auth(KEY).send().await.unwrap();
            let answer: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
            let results = answer["output"]["results"].as_array().cloned();
            let results = results.unwrap_or_else(|| vec![answer["output"]["result"].clone()]);
            let named = |one: &&Value| one["file_url"] == file_url || one["file_url"].is_null();
            let link = results.iter().find(named).unwrap_or_else(|| panic!("no {file_url} in {answer}"));
            let link = link["transcription_url"].as_str().unwrap_or_else(|| panic!("no result in {answer}"));
            let answer = http.get(link).send().await.unwrap();
            assert_eq!(answer.status(), 200);
            answer.bytes().await.unwrap().to_vec()
        })
    }

    /// The books of the batch in `out` balance: see [`Books::balance`]; and every result is what the service gives.
    #[track_caller]
    pub(crate) fn balances(&self, ran: &Ran) -> Books {
        let books = Books::balance(ran);
        for (n, task, file) in &books.stored {
            let url = &books.sent[n];
            assert!(ran.bytes(&format!("out/{file}")) == self.served(task, url), "{file} is not what was served");
        }
        books
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        assert_eq!(self.emulator.unreached(), Vec::<String>::new(), "faults that did not come to pass");
        let requests = self.requests();
        assert_eq!(requests > 0, self.asked, "asked {requests} times: {:?}", self.hits());
        assert_eq!(self.hits().key_leaks, 0, "the key went to the storage");
    }
}

/// What a ledger says.
#[derive(Debug)]
pub(crate) struct Books {
    pub(crate) lines: Vec<Row>,
    /// Item, task, file: results that the service wrote.
    pub(crate) stored: Vec<(u64, String, String)>,
    /// Item, file: results without speech.
    pub(crate) silent: Vec<(u64, String)>,
    /// Item → what was sent for it last.
    pub(crate) sent: BTreeMap<u64, String>,
}

impl Books {
    /// Reads `out/ledger.jsonl` and asserts what holds after every run: each line is a JSON object, each attempt has one
    /// end at most and ends before its files are attempted again, each stored result lies there in its length, nothing
    /// is half-written.
    #[track_caller]
    pub(crate) fn balance(ran: &Ran) -> Self {
        Self::of(&ran.file("out/ledger.jsonl"), &ran.path("out"))
    }

    #[track_caller]
    pub(crate) fn of(ledger: &str, out: &std::path::Path) -> Self {
        let lines = rows_of_lines(ledger);
        assert_eq!(lines[0]["talkmeter_ledger"], json!(1));
        let mut books = Self { lines, stored: Vec::new(), silent: Vec::new(), sent: BTreeMap::new() };
        let mut open: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for line in books.lines.iter().skip(1) {
            let number = |key: &str| line[key].as_u64().unwrap_or_else(|| panic!("no {key} in {line:?}"));
            match line["event"].as_str().unwrap() {
                "intent" => {
                    let items: Vec<u64> =
                        line["items"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).collect();
                    for (n, url) in items.iter().zip(line["urls"].as_array().unwrap()) {
                        assert!(!open.values().flatten().any(|held| held == n), "item {n} is sent while it is open");
                        books.sent.insert(*n, url.as_str().unwrap().to_owned());
                    }
                    assert!(open.insert(number("attempt"), items).is_none());
                }
                "accepted" | "refused" | "absent" | "given_up" => {
                    assert!(open.remove(&number("attempt")).is_some(), "ended twice: {line:?}");
                }
                "stored" => {
                    let (n, file) = (number("n"), line["file"].as_str().unwrap().to_owned());
                    let bytes = std::fs::metadata(out.join(&file)).unwrap_or_else(|error| panic!("{file}: {error}"));
                    assert_eq!(bytes.len(), number("bytes"), "{file}");
                    if line.get("silent").is_some() {
                        books.silent.push((n, file));
                    } else {
                        books.stored.push((n, line["task_id"].as_str().unwrap().to_owned(), file));
                    }
                }
                _ => {}
            }
        }
        for folder in [out.to_owned(), out.join("results")] {
            for entry in std::fs::read_dir(folder).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                assert!(!name.ends_with(".tmp") && !name.starts_with('.'), "{name} is left behind");
            }
        }
        books
    }

    /// How many lines of a kind there are.
    pub(crate) fn count(&self, event: &str) -> usize {
        self.lines.iter().filter(|line| line.get("event").is_some_and(|found| found == event)).count()
    }
}

mod tests {
    use super::Service;
    use crate::scene::fails;

    const NEVER: &str = "[[fault]]\non = \"cancel\"\ndo = \"reset_before\"\n";
    const ONE: &str = "transcribe https://calls.example/a.wav -o out --model paraformer-v2";

    #[test]
    fn a_story_fails_whose_service_is_not_met_as_told() {
        assert!(fails(|| drop(Service::new())).contains("asked 0 times"));
        let asked = |service: Service| drop(service.scene().run(ONE).exits(0));
        assert!(fails(move || asked(Service::with(NEVER))).contains("faults that did not come to pass"));
        assert!(
            fails(move || {
                let service = Service::new().unasked();
                drop(service.scene().run("models -q").exits(0));
                asked(service);
            })
            .contains("asked")
        );
        let _ = fails(|| {
            let service = Service::new();
            drop(service.scene().run(ONE).exits(0));
            service.accepted_once(&["https://calls.example/b.wav"]);
        });
    }
}
